//! Somebody else's HTTPS server, on loopback: an issuer of tokens or a Kubernetes API. It says what the test tells it to,
//! and remembers what it was asked.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

const CERTIFICATE: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/logins/server.pem"));
const KEY: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/logins/server.key.pk8"));
/// The authority that its certificate is from.
pub const CA: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/logins/ca.pem"));

/// What it was asked.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub bearer: Option<String>,
    pub body: Value,
}

type Page = Box<dyn Fn(&Asked) -> (u16, String) + Send>;

/// The server; it ends with the value.
pub struct HttpsServer {
    /// `https://127.0.0.1:<port>`.
    pub url: String,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for HttpsServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpsServer").field("url", &self.url).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Shared {
    pages: Mutex<HashMap<String, Page>>,
    asked: Mutex<Vec<Asked>>,
    stopped: AtomicBool,
}

impl HttpsServer {
    pub fn start() -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(KEY.to_vec()));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let (shared, config) = (Arc::<Shared>::default(), Arc::new(config));
        let kept = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if kept.stopped.load(Ordering::SeqCst) {
                    return;
                }
                // A caller who does not believe the certificate hangs up.
                drop(stream.map(|stream| serve(stream, Arc::clone(&config), &kept)));
            }
        });
        Self { url, shared, thread: Some(thread) }
    }

    /// Answers a path with a status and a body from now on.
    pub fn says(&self, path: &str, status: u16, body: impl Into<String>) {
        let body = body.into();
        self.answers(path, move |_asked| (status, body.clone()));
    }

    /// Answers a path as the function says from now on.
    pub fn answers(&self, path: &str, page: impl Fn(&Asked) -> (u16, String) + Send + 'static) {
        self.shared.pages.lock().unwrap().insert(path.to_owned(), Box::new(page));
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }
}

impl Drop for HttpsServer {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.url.trim_start_matches("https://")));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn serve(stream: TcpStream, config: Arc<ServerConfig>, shared: &Shared) -> std::io::Result<()> {
    stream.set_read_timeout(Some(std::time::Duration::from_secs(10)))?;
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut reader = BufReader::new(StreamOwned::new(connection, stream));
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let mut asked = Asked {
        method: words.next().unwrap_or_default(),
        path: words.next().unwrap_or_default(),
        ..Asked::default()
    };
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim().split_once(": ") else { break };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "authorization" => asked.bearer = value.strip_prefix("Bearer ").map(str::to_owned),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    asked.body = serde_json::from_slice(&body).unwrap_or_default();
    let page = shared.pages.lock().unwrap().get(&asked.path).map(|page| page(&asked));
    shared.asked.lock().unwrap().push(asked);
    let (status, body) = page.unwrap_or((404, "{}".to_owned()));
    let location =
        if (300..400).contains(&status) { format!("Location: {body}\r\n") } else { String::new() };
    let answer = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{location}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let stream = reader.get_mut();
    stream.write_all(answer.as_bytes())?;
    stream.conn.send_close_notify();
    stream.flush()
}
