//! What the tables of listeners come to, and what is wrong with others.

use super::super::{Config, Dev, Overrides};
use super::*;

fn read(listener: &str) -> Result<Vec<Listener>, String> {
    let file = toml::from_str(listener).map_err(|error| error.to_string())?;
    let flags = Overrides { dev: Some(Dev::default()), ..Overrides::default() };
    Config::from_file(file, flags).map(|config| config.listeners).map_err(|e| e.to_string())
}

fn told(listener: &str) -> String {
    read(listener).unwrap_err()
}

#[test]
fn there_may_be_several_listeners() {
    let text = "[[listener]]\naddress = \"127.0.0.1:1\"\n[[listener]]\naddress = \"unix:/run/l.sock\"\nsocket_mode = \"0660\"\nsocket_group = \"ops\"";
    let all = read(text).unwrap();
    assert_eq!(all[0].address.to_string(), "127.0.0.1:1");
    assert_eq!(all[1].address.to_string(), "unix:/run/l.sock");
    let Address::Unix(socket) = &all[1].address else { panic!("{all:?}") };
    assert_eq!((socket.mode, socket.group.as_deref()), (0o660, Some("ops")));
    let twice = "[[listener]]\naddress = \"127.0.0.1:1\"\n".repeat(2);
    assert!(told(&twice).contains("is there twice"));
    assert!(told(&text.replace("unix:/run", "unix:run")).contains("not an absolute path"));
    assert!(told(&text.replace("0660", "0o9")).contains("not a mode in octal"));
    assert!(
        told(&text.replace("unix:/run/l.sock", "127.0.0.1:2")).contains("is about a Unix socket")
    );
    assert!(told("[[listener]]\nadress = 1").contains("adress"));
}

#[test]
fn what_cannot_be_meant_of_client_certificates_is_refused() {
    let tls = "[listener]\ntls_cert_file = \"c\"\ntls_key_file = \"k\"\n";
    let clients =
        |more: &str| read(&format!("{tls}{more}")).map(|all| all[0].tls.clone().unwrap().clients);
    assert_eq!(clients(""), Ok(ClientCertificates::NotAsked));
    let ca = "tls_client_ca_file = \"ca\"\n";
    assert_eq!(clients(ca), Ok(ClientCertificates::Optional("ca".into())));
    let required = "tls_require_and_verify_client_cert = true\n";
    assert_eq!(clients(&[ca, required].concat()), Ok(ClientCertificates::Required("ca".into())));
    let disabled = "tls_disable_client_certs = true\n";
    assert_eq!(clients(&[ca, disabled].concat()), Ok(ClientCertificates::NotAsked));
    assert!(clients(required).unwrap_err().contains("tls_client_ca_file"));
    assert!(clients(&[ca, required, disabled].concat()).unwrap_err().contains("together"));
    assert!(told(&format!("[listener]\n{ca}")).contains("tls_cert_file"));
    assert!(clients("tls_min_version = \"tls10\"").unwrap_err().contains("not spoken"));
    let newest = read(&format!("{tls}tls_min_version = \"tls13\"")).unwrap();
    assert_eq!(newest[0].tls.clone().unwrap().min_version, TlsVersion::Tls13);
}

#[test]
fn limits_have_usual_values_and_bounds() {
    assert_eq!(read("").unwrap()[0].limits, Limits::default());
    let text = "[listener]\nmax_request_size = 1024\nmax_headers = 10\nhttp_read_timeout = \"5s\"\nmax_request_duration = \"1m\"";
    let limits = read(text).unwrap()[0].limits;
    assert_eq!((limits.body, limits.headers), (1024, 10));
    assert_eq!((limits.body_time.as_secs(), limits.request_time.as_secs()), (5, 60));
    assert!(told("[listener]\nmax_headers = 97").contains("not between 1 and 96"));
    assert!(told("[listener]\nmax_connections = 0").contains("not between"));
    assert!(told("[listener]\nhttp_idle_timeout = \"soon\"").contains("not a duration"));
}
