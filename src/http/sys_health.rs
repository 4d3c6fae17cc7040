//! `sys/health` and `sys/leader` (contract 2.3): answered without a token, sealed or
//! not, in bare bodies that load balancers and clients read. They change nothing.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::Wire;
use super::coerce::go_bool;
use super::envelope::Answer;
use super::error::ApiError;
use super::pipeline::Answered;
use super::request::{Incoming, parse_query};
use crate::seal::SealStatus;

/// What clients show as the name of the cluster.
pub(super) const CLUSTER_NAME: &str = "leasehold";

/// Go's zero time, which Vault sends without high availability.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// GET and HEAD `sys/health`; the status is the message.
pub(super) fn health(wire: &Arc<Wire>, incoming: &Incoming) -> Answered {
    must_be(incoming, &["GET", "HEAD"])?;
    let codes = Codes::read(&incoming.query)?;
    let status = wire.barrier.status();
    let unsealed = matches!(status, SealStatus::Unsealed);
    let body = HealthBody {
        initialized: !matches!(status, SealStatus::Uninitialised),
        sealed: !unsealed,
        standby: !unsealed,
        performance_standby: false,
        replication_performance_mode: "disabled",
        replication_dr_mode: "disabled",
        server_time_utc: wire.clock.now().as_seconds(),
        version: super::VERSION,
        enterprise: false,
        cluster_name: unsealed.then_some(CLUSTER_NAME),
        cluster_id: unsealed.then_some(&wire.installation),
        echo_duration_ms: 0,
        clock_skew_ms: 0,
        replication_primary_canary_age_ms: 0,
    };
    Answer::bare_with(codes.of(&status), &body)
}

/// GET `sys/leader`: there is one broker, so nobody leads, sealed or not. As Vault without HA answers: to 503 its CLI
/// says of a sealed server that it is highly available.
pub(super) fn leader(incoming: &Incoming) -> Answered {
    must_be(incoming, &["GET"])?;
    Answer::bare(&LeaderBody {
        ha_enabled: false,
        is_self: false,
        active_time: NEVER,
        leader_address: "",
        leader_cluster_address: "",
        performance_standby: false,
        performance_standby_last_remote_wal: 0,
    })
}

/// These paths have method rules of their own: 405 with an empty list.
pub(super) fn must_be(incoming: &Incoming, methods: &[&str]) -> Result<(), ApiError> {
    if methods.contains(&incoming.method.as_str()) {
        return Ok(());
    }
    Err(ApiError::MethodNotAllowed)
}

/// Which status stands for which state; the query may ask for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Codes {
    active: u16,
    sealed: u16,
    uninitialised: u16,
}

impl Codes {
    fn read(query: &str) -> Result<Self, ApiError> {
        let data = parse_query(query);
        let code = |name: &str, default: u16| match data.get(name) {
            None => Ok(default),
            Some(value) => status_of(value).ok_or_else(|| ApiError::BadOverride(name.to_owned())),
        };
        for flag in ["standbyok", "perfstandbyok"] {
            let text = data.get(flag).map(|value| value.as_str().unwrap_or("?"));
            if text.is_some_and(|text| !text.is_empty() && go_bool(text).is_none()) {
                return Err(ApiError::BadOverride(flag.to_owned()));
            }
        }
        // Those of states that this broker is never in are read all the same: a typo shows here.
        for never in [
            "standbycode",
            "drsecondarycode",
            "performancestandbycode",
            "removedcode",
            "haunhealthycode",
        ] {
            code(never, 0)?;
        }
        Ok(Self {
            active: code("activecode", 200)?,
            sealed: code("sealedcode", 503)?,
            uninitialised: code("uninitcode", 501)?,
        })
    }

    fn of(self, status: &SealStatus) -> u16 {
        match status {
            SealStatus::Unsealed => self.active,
            SealStatus::Sealed { .. } => self.sealed,
            SealStatus::Uninitialised => self.uninitialised,
        }
    }
}

/// A status that can be sent.
fn status_of(value: &Value) -> Option<u16> {
    let code = value.as_str()?.parse().ok()?;
    (200..600).contains(&code).then_some(code)
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the body has these members")]
struct HealthBody<'a> {
    initialized: bool,
    sealed: bool,
    standby: bool,
    performance_standby: bool,
    replication_performance_mode: &'a str,
    replication_dr_mode: &'a str,
    server_time_utc: i64,
    version: &'a str,
    enterprise: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_id: Option<&'a String>,
    echo_duration_ms: i64,
    clock_skew_ms: i64,
    replication_primary_canary_age_ms: i64,
}

#[derive(Serialize)]
struct LeaderBody<'a> {
    ha_enabled: bool,
    is_self: bool,
    active_time: &'a str,
    leader_address: &'a str,
    leader_cluster_address: &'a str,
    performance_standby: bool,
    performance_standby_last_remote_wal: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_may_ask_for_other_statuses() {
        let plain = Codes::read("").unwrap();
        assert_eq!((plain.active, plain.sealed, plain.uninitialised), (200, 503, 501));
        let asked = Codes::read(
            "standbyok=true&activecode=299&sealedcode=418&uninitcode=200&standbycode=473",
        )
        .unwrap();
        assert_eq!((asked.active, asked.sealed, asked.uninitialised), (299, 418, 200));
        assert!(Codes::read("standbyok").is_ok());
        for bad in
            ["activecode=x", "sealedcode=1", "uninitcode=", "standbyok=maybe", "standbycode=99999"]
        {
            assert!(matches!(Codes::read(bad), Err(ApiError::BadOverride(_))), "{bad}");
        }
    }
}
