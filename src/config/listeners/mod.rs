//! Where the broker listens, and how it is spoken to there: what the `listener` tables of a configuration come to. Nothing
//! here binds; that is [`crate::http::server`]'s. How the tables are written: [`super::file`]; the limits: [`super::limits`].

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::file::{ListenerFile, Tables};
use super::limits::{Limits, limits};
use super::{ConfigError, invalid};

/// Where `leasehold server --dev` listens, as `vault server -dev` does.
const DEV_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8200);

/// The beginning of an address that is a path.
const UNIX: &str = "unix:";

/// One listener.
#[derive(Debug, Clone)]
pub struct Listener {
    /// Where.
    pub address: Address,
    /// Certificate chain and key, PEM files; `None` serves plain HTTP.
    pub tls: Option<Tls>,
    /// Whether `sys/metrics` needs no token.
    pub open_metrics: bool,
    /// What is too long or too large.
    pub limits: Limits,
}

/// Where a listener listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// Address and port; port 0 takes a free one.
    Tcp(SocketAddr),
    /// A socket in the file system.
    Unix(UnixSocket),
}

impl Address {
    /// Address and port, of one that has a port.
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(socket) => write!(f, "{UNIX}{}", socket.path.display()),
        }
    }
}

/// A socket in the file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnixSocket {
    /// Where.
    pub path: PathBuf,
    /// Who may connect: whoever may write to it.
    pub mode: u32,
    /// Its owner, by name or number; else whoever runs the broker.
    pub user: Option<String>,
    /// Its group, by name or number.
    pub group: Option<String>,
}

/// What a TLS listener needs.
#[derive(Debug, Clone)]
pub struct Tls {
    /// Certificate chain, PEM, leaf first.
    pub cert_file: PathBuf,
    /// Private key, PEM.
    pub key_file: PathBuf,
    /// The oldest version that is spoken.
    pub min_version: TlsVersion,
    /// Whether and how clients show certificates.
    pub clients: ClientCertificates,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsVersion {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

/// Whether and how clients show certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCertificates {
    /// They are not asked.
    NotAsked,
    /// Who shows one shows one of these authorities' (PEM), and may show none.
    Optional(PathBuf),
    /// Who shows none is refused.
    Required(PathBuf),
}

impl Listener {
    /// As it can be shown, in Vault's shape.
    pub(super) fn sanitized(&self) -> serde_json::Value {
        let kind = match self.address {
            Address::Tcp(_) => "tcp",
            Address::Unix(_) => "unix",
        };
        let tls = self.tls.as_ref();
        serde_json::json!({
            "type": kind,
            "config": {
                "address": self.address.to_string(),
                "tls_disable": tls.is_none(),
                "tls_cert_file": tls.map(|tls| &tls.cert_file),
                "max_request_size": self.limits.body,
                "max_request_duration": self.limits.request_time.as_secs(),
                "max_connections": self.limits.connections,
            },
        })
    }
}

/// All listeners of a configuration; there is at least one.
pub(super) fn listeners(
    tables: Tables,
    flag: Option<SocketAddr>,
    dev: bool,
) -> Result<Vec<Listener>, ConfigError> {
    let Tables(mut tables) = tables;
    if tables.is_empty() {
        tables.push(ListenerFile::default());
    }
    let mut listeners: Vec<Listener> = Vec::new();
    for (at, table) in tables.iter().enumerate() {
        // A flag is about the first, which is the one that is told of.
        let listener = listener(table, flag.filter(|_| at == 0), dev && at == 0)?;
        let free_port = matches!(listener.address, Address::Tcp(address) if address.port() == 0);
        if !free_port && listeners.iter().any(|other| other.address == listener.address) {
            let problem = format!("`{}` is there twice", listener.address);
            return Err(invalid("listener.address", problem));
        }
        listeners.push(listener);
    }
    Ok(listeners)
}

fn listener(
    file: &ListenerFile,
    flag: Option<SocketAddr>,
    dev: bool,
) -> Result<Listener, ConfigError> {
    let address = match (flag, &file.address) {
        (Some(address), _) => Address::Tcp(address),
        (None, Some(text)) => address(text, file)?,
        (None, None) if dev => Address::Tcp(DEV_ADDRESS),
        (None, None) => {
            let help = "missing\nhelp: e.g. address = \"127.0.0.1:8200\"";
            return Err(invalid("listener.address", help));
        }
    };
    let tls = tls(file)?;
    let open_metrics = file.telemetry.unauthenticated_metrics_access;
    match &address {
        Address::Tcp(tcp) => {
            let own = [
                ("socket_mode", &file.socket_mode),
                ("socket_user", &file.socket_user),
                ("socket_group", &file.socket_group),
            ];
            if let Some((key, _)) = own.iter().find(|(_, value)| value.is_some()) {
                let problem = "is about a Unix socket, and the address is none\nhelp: e.g. address = \"unix:/run/leasehold/api.sock\"";
                return Err(invalid(&format!("listener.{key}"), problem));
            }
            if tls.is_none() && !file.tls_disable && !tcp.ip().is_loopback() {
                let problem = format!(
                    "`{tcp}` is not a loopback address, and there is no TLS\nhelp: set tls_cert_file and tls_key_file, or tls_disable = true where something in front does TLS"
                );
                return Err(invalid("listener.address", problem));
            }
        }
        Address::Unix(_) if tls.is_some() => {
            let problem = "a Unix socket is served without TLS: its mode says who may connect";
            return Err(invalid("listener.tls_cert_file", problem));
        }
        Address::Unix(_) => {}
    }
    Ok(Listener { address, tls, open_metrics, limits: limits(file)? })
}

fn address(text: &str, file: &ListenerFile) -> Result<Address, ConfigError> {
    if let Some(path) = text.strip_prefix(UNIX) {
        let path = PathBuf::from(path);
        if !path.is_absolute() {
            let problem = format!(
                "`{text}` is not an absolute path\nhelp: e.g. address = \"unix:/run/leasehold/api.sock\""
            );
            return Err(invalid("listener.address", problem));
        }
        let mode = file.socket_mode.as_deref().map_or(Ok(0o600), socket_mode)?;
        let (user, group) = (file.socket_user.clone(), file.socket_group.clone());
        return Ok(Address::Unix(UnixSocket { path, mode, user, group }));
    }
    text.parse().map(Address::Tcp).map_err(|_no_address| {
        let help = "help: e.g. address = \"127.0.0.1:8200\" or \"unix:/run/leasehold/api.sock\"";
        invalid("listener.address", format!("`{text}` is not an IP address and a port\n{help}"))
    })
}

fn socket_mode(text: &str) -> Result<u32, ConfigError> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777);
    mode.ok_or_else(|| {
        let help = "help: e.g. socket_mode = \"0660\"";
        invalid("listener.socket_mode", format!("`{text}` is not a mode in octal\n{help}"))
    })
}

fn tls(file: &ListenerFile) -> Result<Option<Tls>, ConfigError> {
    if file.tls_disable {
        return Ok(None);
    }
    let (cert_file, key_file) = match (&file.tls_cert_file, &file.tls_key_file) {
        (Some(cert_file), Some(key_file)) => (cert_file.clone(), key_file.clone()),
        (None, None) => {
            let client =
                file.tls_client_ca_file.is_some() || file.tls_require_and_verify_client_cert;
            let what = client.then_some("client certificates are asked for");
            return match what.or(file.tls_min_version.as_ref().map(|_| "tls_min_version is set")) {
                Some(what) => {
                    Err(invalid("listener.tls_cert_file", format!("missing, but {what}")))
                }
                None => Ok(None),
            };
        }
        (Some(_), None) => {
            return Err(invalid("listener.tls_key_file", "missing, but tls_cert_file is set"));
        }
        (None, Some(_)) => {
            return Err(invalid("listener.tls_cert_file", "missing, but tls_key_file is set"));
        }
    };
    let min_version = match file.tls_min_version.as_deref() {
        None | Some("tls12") => TlsVersion::Tls12,
        Some("tls13") => TlsVersion::Tls13,
        Some(other) => {
            let problem =
                format!("`{other}` is neither `tls12` nor `tls13`; older versions are not spoken");
            return Err(invalid("listener.tls_min_version", problem));
        }
    };
    Ok(Some(Tls { cert_file, key_file, min_version, clients: client_certificates(file)? }))
}

fn client_certificates(file: &ListenerFile) -> Result<ClientCertificates, ConfigError> {
    let required = file.tls_require_and_verify_client_cert;
    match (file.tls_client_ca_file.clone(), file.tls_disable_client_certs) {
        (_, true) if required => {
            let problem = "cannot be set together with tls_require_and_verify_client_cert";
            Err(invalid("listener.tls_disable_client_certs", problem))
        }
        (None, _) if required => {
            let problem = "missing, but tls_require_and_verify_client_cert is set\nhelp: name the PEM file with the authorities of the clients' certificates";
            Err(invalid("listener.tls_client_ca_file", problem))
        }
        (Some(file), false) if required => Ok(ClientCertificates::Required(file)),
        (Some(file), false) => Ok(ClientCertificates::Optional(file)),
        (_, true) | (None, false) => Ok(ClientCertificates::NotAsked),
    }
}

#[cfg(test)]
mod tests;
