//! An audit device: where entries about every request go (contract 2.5). What an entry says and how it is written is
//! [`crate::audit`]'s.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What kind of place a device writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditKind {
    /// A file, standard output, or nowhere.
    File,
    /// The machine's syslog.
    Syslog,
    /// A TCP, UDP or Unix socket.
    Socket,
}

impl AuditKind {
    /// The kind with a name on the wire.
    pub fn from_wire(name: &str) -> Option<Self> {
        match name {
            "file" => Some(Self::File),
            "syslog" => Some(Self::Syslog),
            "socket" => Some(Self::Socket),
            _ => None,
        }
    }

    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Syslog => "syslog",
            Self::Socket => "socket",
        }
    }
}

/// A device as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditDevice {
    /// Stable identity, a UUID: the key of its digests is made of it, so that another device at the same path has
    /// others.
    pub id: String,
    /// Its name, with a slash at the end.
    pub path: String,
    /// What kind.
    pub kind: AuditKind,
    /// Free text.
    pub description: String,
    /// As sent.
    pub options: BTreeMap<String, String>,
    /// As sent; without effect, there is no replication.
    pub local: bool,
}

/// The last entry of a device's chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHead {
    /// Its number; the first entry has 0.
    pub seq: u64,
    /// Its SHA-256, hex.
    pub hash: String,
}
