//! What the server is and runs on: `sys/host-info`, `sys/ha-status`, `sys/version-history` and `sys/config/state/sanitized`
//! (contract 2.6). No secret is in any of them, since none is in what they are made of. Whether it serves at all is
//! [`super::sys_health`]'s.

use serde_json::{Value, json};

use super::envelope::Answer;
use super::pipeline::{Answered, Call};
use crate::model::Timestamp;
use crate::system::host;

/// What a start tells the wire of the server.
#[derive(Debug, Clone, Default)]
pub struct ServerFacts {
    /// The configuration, without anything that is secret.
    pub sanitized: Value,
    /// Where it is reached first.
    pub api_address: String,
    /// Where state is kept.
    pub data_dir: Option<std::path::PathBuf>,
    /// The versions that ran on this database, the oldest first, and when each began.
    pub versions: Vec<(String, Timestamp)>,
}

/// GET `sys/host-info`.
pub(super) async fn host_info(call: Call) -> Answered {
    let mut info = host::look(call.wire.facts.data_dir.as_deref());
    let now = call.wire.clock.now().rfc3339();
    info.parts.insert("timestamp".to_owned(), now.into());
    let mut answer = Answer::data(&info.parts)?;
    for missing in info.missing {
        answer.warn(missing);
    }
    Ok(answer)
}

/// GET `sys/ha-status`: one node, which is the active one.
pub(super) async fn ha_status(call: Call) -> Answered {
    let hostname = host::hostname();
    Answer::data(&json!({"nodes": [{
        "hostname": hostname,
        "api_address": call.wire.facts.api_address,
        "cluster_address": "",
        "active_node": true,
        "last_echo": null,
        "echo_duration_ms": 0,
        "clock_skew_ms": 0,
        "version": super::VERSION,
        "upgrade_version": super::VERSION,
    }]}))
}

/// LIST `sys/version-history`.
pub(super) async fn version_history(call: Call) -> Answered {
    let versions = &call.wire.facts.versions;
    let mut previous: Option<&str> = None;
    let mut info = serde_json::Map::new();
    for (version, since) in versions {
        let one = json!({
            "build_date": "",
            "previous_version": previous,
            "timestamp_installed": since.rfc3339(),
        });
        info.insert(version.clone(), one);
        previous = Some(version);
    }
    let keys: Vec<&String> = versions.iter().map(|(version, _)| version).collect();
    Answer::data(&json!({"keys": keys, "key_info": info}))
}

/// GET `sys/config/state/sanitized`.
pub(super) async fn sanitized(call: Call) -> Answered {
    Answer::data(&call.wire.facts.sanitized)
}
