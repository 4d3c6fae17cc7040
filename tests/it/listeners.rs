//! Where the broker listens: TLS with certificates that are read anew, clients' certificates, sockets in the file system,
//! limits on what a stranger sends; and what the process is. By the real binary, with certificates made here.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};
use serde_json::json;

use crate::support::NARROW;
use crate::support::aws_server::AwsServer;
use crate::support::client::Client;
use crate::support::process::Process;

/// An authority of a test.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
struct Leaf {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn leaf(&self, name: &str) -> Leaf {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Leaf { certificate, key }
    }
}

impl Leaf {
    fn write(&self, folder: &Path, name: &str) {
        let key = folder.join(format!("{name}.key"));
        std::fs::write(folder.join(format!("{name}.pem")), self.certificate.pem()).unwrap();
        std::fs::write(&key, self.key.serialize_pem()).unwrap();
        std::fs::set_permissions(key, PermissionsExt::from_mode(0o600)).unwrap();
    }
}

type Tls = StreamOwned<ClientConnection, TcpStream>;

fn connect(
    address: &str,
    authority: &Authority,
    own: Option<&Leaf>,
    versions: &[&'static SupportedProtocolVersion],
) -> Tls {
    connect_for(address, authority, own, versions, &[])
}

/// The same for protocols by their names (ALPN).
fn connect_for(
    address: &str,
    authority: &Authority,
    own: Option<&Leaf>,
    versions: &[&'static SupportedProtocolVersion],
    protocols: &[&str],
) -> Tls {
    let mut roots = RootCertStore::empty();
    roots.add(authority.0.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some(leaf) => {
            let key = PrivateKeyDer::try_from(leaf.key.serialize_der()).unwrap();
            builder.with_client_auth_cert(vec![leaf.certificate.der().clone()], key).unwrap()
        }
    };
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), socket)
}

const BOTH: &[&SupportedProtocolVersion] = rustls::ALL_VERSIONS;
const GET: &[u8] = b"GET /v1/sys/seal-status HTTP/1.1\r\nHost: broker\r\n\r\n";

/// Asks on a connection that stays open; the status.
fn ask(stream: &mut (impl Read + Write)) -> std::io::Result<u16> {
    stream.write_all(GET)?;
    status(stream)
}

/// Reads one answer, head and body.
fn status(stream: &mut impl Read) -> std::io::Result<u16> {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        text.push(byte[0]);
    }
    let head = String::from_utf8(text).unwrap().to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body)?;
    Ok(head.split(' ').nth(1).unwrap().parse().unwrap())
}

fn shown(stream: &Tls) -> CertificateDer<'static> {
    stream.conn.peer_certificates().unwrap()[0].clone().into_owned()
}

fn hang_up(process: &Process) {
    let kill = format!("kill -HUP {}", process.pid());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "it did not happen: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A broker in development mode with these listeners; the first has a free port.
struct Started {
    process: Process,
    folder: tempfile::TempDir,
    /// Where they are, in order.
    addresses: Vec<String>,
}

fn start(listeners: impl FnOnce(&Path) -> String) -> Started {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("leasehold.toml");
    std::fs::write(&file, listeners(folder.path())).unwrap();
    let process = Process::dev(&["--config", file.to_str().unwrap()]);
    let log = process.log();
    let told = log.lines().filter_map(|line| line.split_once("leasehold serves on "));
    let addresses = told.map(|(_, rest)| rest.split_whitespace().next().unwrap().to_owned());
    let addresses = addresses.collect();
    Started { process, folder, addresses }
}

fn tls_listener(folder: &Path, more: &str) -> String {
    format!(
        "[[listener]]\naddress = \"127.0.0.1:0\"\ntls_cert_file = \"{}\"\ntls_key_file = \"{}\"\n{more}\n",
        folder.join("server.pem").display(),
        folder.join("server.key").display(),
    )
}

#[test]
fn certificates_are_read_anew_and_connections_go_on() {
    let authority = Authority::new();
    let Started { process, folder, addresses } = start(|folder| {
        authority.leaf("127.0.0.1").write(folder, "server");
        tls_listener(folder, "")
    });
    assert!(process.url.starts_with("https://"), "{}", process.url);
    let mut old = connect(&addresses[0], &authority, None, BOTH);
    assert_eq!(ask(&mut old).unwrap(), 200);
    let first = shown(&old);

    authority.leaf("127.0.0.1").write(folder.path(), "server");
    hang_up(&process);
    eventually("the new certificate is shown", || {
        let mut new = connect(&addresses[0], &authority, None, BOTH);
        assert_eq!(ask(&mut new).unwrap(), 200);
        shown(&new) != first
    });
    assert_eq!(ask(&mut old).unwrap(), 200, "the connection from before goes on");

    std::fs::write(folder.path().join("server.pem"), "no certificate").unwrap();
    hang_up(&process);
    eventually("the broken one is told of", || process.log().contains("stays as it was"));
    let mut new = connect(&addresses[0], &authority, None, BOTH);
    assert_eq!(ask(&mut new).unwrap(), 200, "the last good one goes on");
    assert_eq!(ask(&mut old).unwrap(), 200);
    assert_eq!(process.stop(), Some(0));
}

#[test]
fn clients_show_certificates_where_they_must_and_old_versions_are_refused() {
    let (authority, other) = (Authority::new(), Authority::new());
    let Started { process, addresses, .. } = start(|folder| {
        authority.leaf("127.0.0.1").write(folder, "server");
        let ca = folder.join("ca.pem");
        std::fs::write(&ca, authority.0.pem()).unwrap();
        let ca = format!("tls_client_ca_file = {ca:?}\n");
        [
            tls_listener(folder, &format!("{ca}tls_require_and_verify_client_cert = true")),
            tls_listener(folder, &ca),
            tls_listener(folder, &format!("{ca}tls_disable_client_certs = true")),
            tls_listener(folder, "tls_min_version = \"tls13\""),
        ]
        .concat()
    });
    let [required, optional, disabled, newest] = addresses.as_slice() else {
        panic!("{addresses:?}")
    };
    let (own, foreign) = (authority.leaf("client"), other.leaf("client"));
    let asked = |address: &str, leaf: Option<&Leaf>| {
        ask(&mut connect(address, &authority, leaf, BOTH)).ok()
    };
    assert_eq!(asked(required, Some(&own)), Some(200));
    assert_eq!(asked(required, None), None);
    assert_eq!(asked(required, Some(&foreign)), None);
    assert_eq!(asked(optional, Some(&own)), Some(200));
    assert_eq!(asked(optional, None), Some(200));
    assert_eq!(asked(optional, Some(&foreign)), None);
    assert_eq!(asked(disabled, Some(&foreign)), Some(200), "nobody asks for it");
    let old: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];
    let by = |address: &str| ask(&mut connect(address, &authority, None, old)).ok();
    assert_eq!((by(disabled), by(newest)), (Some(200), None));
    drop(process);
}

#[test]
fn a_socket_in_the_file_system_is_for_whom_its_mode_says() {
    let Started { process, folder, addresses } = start(|folder| {
        let socket = folder.join("api.sock");
        // What a process that was killed left behind.
        drop(UnixListener::bind(&socket).unwrap());
        format!(
            "[[listener]]\naddress = \"127.0.0.1:0\"\n[[listener]]\naddress = \"unix:{}\"\nsocket_mode = \"0660\"\n",
            socket.display()
        )
    });
    let socket = folder.path().join("api.sock");
    assert_eq!(addresses[1], format!("unix:{}", socket.display()));
    let metadata = std::fs::metadata(&socket).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o660);
    assert_eq!(ask(&mut UnixStream::connect(&socket).unwrap()).unwrap(), 200);
    assert_eq!(ask(&mut TcpStream::connect(&addresses[0]).unwrap()).unwrap(), 200);
    // Root in a socket has no network to be bound to.
    let root = process.root();
    let bound = serde_json::json!({"type": "approle"});
    root.post("sys/auth/approle", &bound).expect(204);
    assert_eq!(process.stop(), Some(0));
    assert!(!socket.exists(), "it is gone with the process");
}

#[test]
fn the_process_keeps_nothing_open_to_others() {
    let Started { process, .. } = start(|_| "[listener]\naddress = \"127.0.0.1:0\"\n".to_owned());
    let proc = PathBuf::from(format!("/proc/{}", process.pid()));
    let read = |name: &str| std::fs::read_to_string(proc.join(name)).unwrap();
    let status = read("status");
    let umask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    assert_eq!(umask.map(str::trim), Some("0077"));
    let limits = read("limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    // The kernel gives the files of a process that cannot be dumped to root, whoever runs it.
    assert_eq!(std::fs::metadata(proc.join("environ")).unwrap().uid(), 0);
}

#[test]
fn a_server_hears_what_ends_it_before_it_says_that_it_listens() {
    let Started { process, .. } = start(|_| "[listener]\naddress = \"127.0.0.1:0\"\n".to_owned());
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    let caught = u64::from_str_radix(caught.trim(), 16).unwrap();
    for (name, number) in [("SIGHUP", 1), ("SIGINT", 2), ("SIGTERM", 15)] {
        assert!(caught & (1 << (number - 1)) != 0, "{name} would end it where it stands");
    }
    assert_eq!(process.stop(), Some(0));
}

#[test]
fn root_becomes_whom_the_configuration_names() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can become somebody else");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    // Where others may run it; the target folder may be root's alone.
    let program = folder.path().join("leasehold");
    std::fs::copy(env!("CARGO_BIN_EXE_leasehold"), &program).unwrap();
    let (file, data) = (folder.path().join("leasehold.toml"), folder.path().join("data"));
    let lines =
        format!("user = \"65534\"\ndata_dir = {data:?}\n[listener]\naddress = \"127.0.0.1:0\"\n");
    std::fs::write(&file, lines).unwrap();
    let process =
        Process::start_as(Command::new(&program), &["server", "--config", file.to_str().unwrap()]);
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    for line in ["Uid:\t65534\t65534\t65534\t65534", "Gid:\t65534\t65534\t65534\t65534"] {
        assert!(status.contains(line), "{status}");
    }
    let groups = status.lines().find_map(|line| line.strip_prefix("Groups:")).unwrap();
    assert_eq!(groups.trim(), "");
    let metadata = std::fs::metadata(&data).unwrap();
    assert_eq!((metadata.uid(), metadata.permissions().mode() & 0o777), (65534, 0o700));
    assert_eq!(process.stop(), Some(0));
}

#[test]
fn what_is_too_large_or_too_slow_is_refused_by_the_listeners_own_limits() {
    let Started { process, addresses, .. } = start(|_| {
        "[[listener]]\naddress = \"127.0.0.1:0\"\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\nmax_request_size = 1000\nmax_headers = 10\nmax_header_size = 2000\n\
         http_read_header_timeout = \"3s\"\nhttp_read_timeout = \"3s\"\nhttp_idle_timeout = \"3s\"\n"
            .to_owned()
    });
    let send = |address: &str, bytes: &[u8]| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(bytes).unwrap();
        status(&mut stream).ok()
    };
    let body = |bytes: usize| {
        let head = format!(
            "PUT /v1/sys/wrapping/lookup HTTP/1.1\r\nHost: b\r\nContent-Length: {bytes}\r\n\r\n"
        );
        [head.into_bytes(), vec![b' '; bytes]].concat()
    };
    let headers = |count: usize, bytes: usize| {
        let lines: Vec<String> =
            (0..count).map(|at| format!("x-{at}: {}\r\n", "v".repeat(bytes))).collect();
        let lines = lines.concat();
        format!("GET /v1/sys/seal-status HTTP/1.1\r\nHost: b\r\n{lines}\r\n").into_bytes()
    };
    let (usual, small) = (addresses[0].as_str(), addresses[1].as_str());
    assert_eq!((send(usual, &body(1001)), send(small, &body(1001))), (Some(403), Some(413)));
    assert_eq!(
        (send(usual, &headers(20, 1)), send(small, &headers(20, 1))),
        (Some(200), Some(431))
    );
    assert_eq!(
        (send(usual, &headers(2, 1500)), send(small, &headers(2, 1500))),
        (Some(200), Some(431))
    );
    // Half a head, half a body, and nothing after an answer.
    assert_eq!(send(small, b"GET /v1/sys/seal-status HTTP/1.1\r\nHo"), Some(408));
    let half = &body(500)[..100];
    assert_eq!(send(small, half), Some(400));
    let mut idle = TcpStream::connect(small).unwrap();
    idle.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(ask(&mut idle).unwrap(), 200);
    assert_eq!(idle.read(&mut [0]).unwrap(), 0, "an idle connection is closed");
    drop(process);
}

#[test]
fn an_answer_that_takes_too_long_is_503_and_what_was_begun_is_finished() {
    let Started { process, addresses, .. } = start(|_| {
        "[[listener]]\naddress = \"127.0.0.1:0\"\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\nmax_request_duration = \"1s\"\n"
            .to_owned()
    });
    let aws = AwsServer::start();
    let root = process.root();
    root.post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    let binding = json!({
        "access_key": "AKIALISTENER00000000", "secret_key": "secret", "region": "us-east-1",
        "iam_endpoint": aws.url, "sts_endpoint": aws.url,
    });
    root.post("aws/config/root", &binding).expect(204);
    let role = json!({ "credential_type": "iam_user", "policy_document": NARROW });
    root.post("aws/roles/r", &role).expect(204);

    // AWS has acted and does not answer until the test says so.
    let (asked, held) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(true)));
    let (told, holding) = (Arc::clone(&asked), Arc::clone(&held));
    aws.tell(move |call| {
        if call.action == "CreateUser" {
            told.store(true, Ordering::SeqCst);
            while holding.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    });
    let hasty = Client::new(&format!("http://{}", addresses[1]), Some(root.token()));
    let mut given_up = 0;
    while !asked.load(Ordering::SeqCst) {
        // On a machine that is so busy that a request is not even begun in a second, there is another.
        assert!(given_up < 30, "AWS was never asked");
        let reply = hasty.get("aws/creds/r").expect(503);
        assert_eq!(
            reply.errors(),
            ["the request took longer than `max_request_duration`; what it began is finished\n\
              help: look at sys/leases/query before you repeat it"]
        );
        given_up += 1;
    }
    let listed = |state: &str| {
        let found = root.put("sys/leases/query", &json!({ "state": state }));
        found.expect(200).data()["leases"].as_array().unwrap().len()
    };
    assert_eq!(listed("active"), 0, "the answer of AWS is still out");
    // Others of this broker are served meanwhile, on that listener too.
    hasty.get("sys/seal-status").expect(200);

    held.store(false, Ordering::SeqCst);
    eventually("the lease is finished", || listed("active") >= 1);
    assert!(!aws.users().is_empty());
    root.put("sys/leases/revoke-prefix/aws/creds/r", &json!({})).expect(204);
    assert_eq!(aws.empty_within(Duration::from_secs(120)), Vec::<String>::new());
    assert_eq!(process.stop(), Some(0));
}

#[test]
fn connections_over_the_limit_wait() {
    let Started { process, addresses, .. } = start(|_| {
        "[[listener]]\naddress = \"127.0.0.1:0\"\n[[listener]]\naddress = \"127.0.0.1:0\"\nmax_connections = 1\n".to_owned()
    });
    let workers = std::thread::available_parallelism().unwrap().get();
    let mut held: Vec<TcpStream> =
        (0..=workers).map(|_| TcpStream::connect(&addresses[1]).unwrap()).collect();
    let mut answered = 0;
    for stream in &mut held {
        stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        answered += usize::from(ask(stream).is_ok());
    }
    assert!((1..=workers).contains(&answered), "{answered} of {}", held.len());
    drop(held);
    let mut next = TcpStream::connect(&addresses[1]).unwrap();
    next.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(ask(&mut next).unwrap(), 200);
    drop(process);
}

/// A frame of HTTP/2 (RFC 9113, 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const END_HEADERS: u8 = 4;

/// Found by a review: over HTTP/2 one connection had any number of requests served at once, each with a body in memory.
#[test]
fn one_connection_over_http_2_has_no_more_requests_than_there_may_be_connections() {
    let authority = Authority::new();
    let Started { process, addresses, .. } = start(|folder| {
        authority.leaf("127.0.0.1").write(folder, "server");
        tls_listener(folder, "max_connections = 1")
    });
    let mut stream = connect_for(&addresses[0], &authority, None, BOTH, &["h2"]);
    // HPACK (RFC 7541): `:method: POST` and `:scheme: https` by their numbers, the path and the authority as they are.
    let path = b"/v1/sys/wrapping/lookup";
    let mut head = vec![0x83, 0x87, 0x04, u8::try_from(path.len()).unwrap()];
    head.extend_from_slice(path);
    head.extend_from_slice(&[0x01, 1, b'b']);
    let mut sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    sent.extend(frame(SETTINGS, 0, 0, &[]));
    // Their bodies never come. Each of the processor's workers has one connection at least.
    let room = u32::try_from(std::thread::available_parallelism().unwrap().get()).unwrap();
    for number in 0..=room {
        sent.extend(frame(HEADERS, END_HEADERS, 2 * number + 1, &head));
    }
    stream.write_all(&sent).unwrap();
    let answered = loop {
        let mut start = [0; 9];
        stream.read_exact(&mut start).unwrap();
        let [a, b, c, kind, _, stream_number @ ..] = start;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]).try_into().unwrap()];
        stream.read_exact(&mut payload).unwrap();
        if kind == HEADERS {
            break u32::from_be_bytes(stream_number);
        }
    };
    assert_eq!(answered, 2 * room + 1, "those before wait for their bodies");
    drop(process);
}
