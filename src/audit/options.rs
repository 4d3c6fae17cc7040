//! What a device was asked to be, read from its options (contract 2.5) once, so that nothing else looks at texts.
//! Refuses what could be used to write anything but entries: an executable file, a path that is not absolute.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::AuditKind;
use crate::model::duration;

/// The socket of the machine's syslog.
const SYSLOG: &str = "/dev/log";
/// How long a socket may take for a line, where nothing is said (Vault's default).
const WRITE_TIMEOUT: Duration = Duration::from_secs(2);
/// Facilities by their name, with their number (RFC 5424, table 1).
const FACILITIES: [(&str, u8); 20] = [
    ("KERN", 0),
    ("USER", 1),
    ("MAIL", 2),
    ("DAEMON", 3),
    ("AUTH", 4),
    ("SYSLOG", 5),
    ("LPR", 6),
    ("NEWS", 7),
    ("UUCP", 8),
    ("CRON", 9),
    ("AUTHPRIV", 10),
    ("FTP", 11),
    ("LOCAL0", 16),
    ("LOCAL1", 17),
    ("LOCAL2", 18),
    ("LOCAL3", 19),
    ("LOCAL4", 20),
    ("LOCAL5", 21),
    ("LOCAL6", 22),
    ("LOCAL7", 23),
];

/// Options that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// One that is needed.
    #[error("{0} is required")]
    Missing(&'static str),
    /// One that cannot be read.
    #[error("`{name}` is {given:?}, which is not {wanted}")]
    Unreadable {
        /// Its name.
        name: &'static str,
        /// What was sent.
        given: String,
        /// What it has to be.
        wanted: &'static str,
    },
    /// Not an absolute path.
    #[error("file_path must be absolute, `stdout` or `discard`, not `{0}`")]
    RelativePath(String),
    /// A file that could be run.
    #[error("mode `{0}` would make the file executable\nhelp: give one without x, such as 0600")]
    Executable(String),
}

/// A device, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) target: Target,
    /// Nothing is replaced by its digest.
    pub(super) raw: bool,
    /// Accessors are replaced too.
    pub(super) hmac_accessor: bool,
    /// Of a list its length alone is told.
    pub(super) elide_lists: bool,
    /// Stands before each line.
    pub(super) prefix: String,
}

/// Where it writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    File { path: PathBuf, mode: Option<u32> },
    Stdout,
    Nowhere,
    Syslog { path: PathBuf, facility: u8, tag: String },
    Socket { address: String, kind: SocketKind, timeout: Duration },
}

/// What kind of socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SocketKind {
    Tcp,
    Udp,
    Unix,
}

type Sent = BTreeMap<String, String>;

impl Options {
    /// The file that it writes to, if it is one.
    pub(super) fn file(&self) -> Option<PathBuf> {
        match &self.target {
            Target::File { path, .. } => Some(path.clone()),
            Target::Stdout | Target::Nowhere | Target::Syslog { .. } | Target::Socket { .. } => {
                None
            }
        }
    }

    /// Reads them.
    pub(super) fn read(kind: AuditKind, sent: &Sent) -> Result<Self, OptionError> {
        if let Some(format) = text(sent, "format").filter(|format| *format != "json") {
            return Err(unreadable("format", format, "json"));
        }
        Ok(Self {
            target: match kind {
                AuditKind::File => file(sent)?,
                AuditKind::Syslog => syslog(sent)?,
                AuditKind::Socket => socket(sent)?,
            },
            raw: flag(sent, "log_raw", false)?,
            hmac_accessor: flag(sent, "hmac_accessor", true)?,
            elide_lists: flag(sent, "elide_list_responses", false)?,
            prefix: prefix(sent)?,
        })
    }
}

/// One line with the entry.
fn prefix(sent: &Sent) -> Result<String, OptionError> {
    let prefix = sent.get("prefix").cloned().unwrap_or_default();
    if prefix.chars().any(char::is_control) {
        return Err(unreadable("prefix", &prefix, "a text of one line"));
    }
    Ok(prefix)
}

fn file(sent: &Sent) -> Result<Target, OptionError> {
    let path = text(sent, "file_path").or_else(|| text(sent, "path"));
    let path = path.ok_or(OptionError::Missing("file_path"))?;
    match path {
        "stdout" => return Ok(Target::Stdout),
        "discard" => return Ok(Target::Nowhere),
        _ if !Path::new(path).is_absolute() => {
            return Err(OptionError::RelativePath(path.to_owned()));
        }
        _ => {}
    }
    Ok(Target::File { path: path.into(), mode: mode(sent)? })
}

/// `0000` leaves an existing file as it is, as Vault has it.
fn mode(sent: &Sent) -> Result<Option<u32>, OptionError> {
    let Some(given) = text(sent, "mode") else {
        return Ok(None);
    };
    let mode = u32::from_str_radix(given, 8).ok().filter(|mode| *mode <= 0o777);
    let mode = mode.ok_or_else(|| unreadable("mode", given, "a file mode such as 0600"))?;
    if mode & 0o111 != 0 {
        return Err(OptionError::Executable(given.to_owned()));
    }
    Ok((mode != 0).then_some(mode))
}

fn syslog(sent: &Sent) -> Result<Target, OptionError> {
    let facility = text(sent, "facility").unwrap_or("AUTH");
    let known = FACILITIES.iter().find(|(name, _)| name.eq_ignore_ascii_case(facility));
    let (_, number) =
        known.ok_or_else(|| unreadable("facility", facility, "a syslog facility such as AUTH"))?;
    let tag = text(sent, "tag").unwrap_or("leasehold");
    if tag.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(unreadable("tag", tag, "one word"));
    }
    let path = text(sent, "socket_path").unwrap_or(SYSLOG).into();
    Ok(Target::Syslog { path, facility: *number, tag: tag.to_owned() })
}

fn socket(sent: &Sent) -> Result<Target, OptionError> {
    let address = text(sent, "address").ok_or(OptionError::Missing("address"))?;
    let given = text(sent, "socket_type").unwrap_or("tcp");
    let kind = match given {
        "tcp" => SocketKind::Tcp,
        "udp" => SocketKind::Udp,
        "unix" => SocketKind::Unix,
        _ => return Err(unreadable("socket_type", given, "tcp, udp or unix")),
    };
    let timeout = match text(sent, "write_timeout") {
        None => WRITE_TIMEOUT,
        Some(given) => {
            let seconds = duration::parse_seconds(given).ok().and_then(|s| u64::try_from(s).ok());
            let seconds = seconds.filter(|seconds| *seconds > 0);
            let seconds =
                seconds.ok_or_else(|| unreadable("write_timeout", given, "a duration"))?;
            Duration::from_secs(seconds)
        }
    };
    Ok(Target::Socket { address: address.to_owned(), kind, timeout })
}

fn text<'a>(sent: &'a Sent, name: &str) -> Option<&'a str> {
    sent.get(name).map(String::as_str).filter(|text| !text.is_empty())
}

/// As Go's `ParseBool` reads it.
fn flag(sent: &Sent, name: &'static str, default: bool) -> Result<bool, OptionError> {
    match text(sent, name) {
        None => Ok(default),
        Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(true),
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(false),
        Some(given) => Err(unreadable(name, given, "true or false")),
    }
}

fn unreadable(name: &'static str, given: &str, wanted: &'static str) -> OptionError {
    OptionError::Unreadable { name, given: given.to_owned(), wanted }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: AuditKind, sent: &[(&str, &str)]) -> Result<Options, String> {
        let sent = sent.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Options::read(kind, &sent.collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_needs_a_path_that_nobody_can_run() {
        let file = |sent: &[(&str, &str)]| read(AuditKind::File, sent);
        assert_eq!(file(&[]).unwrap_err(), "file_path is required");
        let plain = file(&[("file_path", "/var/log/a.log")]).unwrap();
        assert_eq!(plain.target, Target::File { path: "/var/log/a.log".into(), mode: None });
        assert!(plain.hmac_accessor && !plain.raw && !plain.elide_lists);
        assert_eq!(file(&[("file_path", "stdout")]).unwrap().target, Target::Stdout);
        assert_eq!(file(&[("path", "discard")]).unwrap().target, Target::Nowhere);
        assert!(file(&[("file_path", "a.log")]).unwrap_err().contains("must be absolute"));
        for mode in ["0755", "711", "0601"] {
            let refused = file(&[("file_path", "/a"), ("mode", mode)]).unwrap_err();
            assert!(refused.contains("executable"), "{refused}");
        }
        for mode in ["9", "x", "7777", "-1"] {
            assert!(file(&[("file_path", "/a"), ("mode", mode)]).is_err(), "{mode}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let refused = read(AuditKind::Socket, &[("address", "a:1"), ("socket_type", "quic")]);
        assert_eq!(
            refused.unwrap_err(),
            r#"`socket_type` is "quic", which is not tcp, udp or unix"#
        );
        assert_eq!(read(AuditKind::Socket, &[]).unwrap_err(), "address is required");
        assert!(read(AuditKind::Syslog, &[("facility", "NONE")]).is_err());
        assert!(read(AuditKind::Syslog, &[("tag", "a b")]).is_err());
        assert!(read(AuditKind::Syslog, &[("prefix", "a\nb")]).is_err());
        assert!(read(AuditKind::Syslog, &[("log_raw", "maybe")]).is_err());
        assert!(read(AuditKind::Syslog, &[("format", "jsonx")]).is_err());
        let syslog = read(AuditKind::Syslog, &[("facility", "local3")]).unwrap();
        assert!(matches!(syslog.target, Target::Syslog { facility: 19, .. }));
    }
}
