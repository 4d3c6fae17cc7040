//! `sys/leases/reconcile`, `sys/leases/orphans` and `sys/leases/quarantine`: what AWS holds without a lease, what
//! leases hold without a user, and the word that a restored database waits for. Leasehold's own. Only shapes
//! live here; the rules are in [`crate::engine::reconcile`] and [`crate::engine::quarantine`].

use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Fields, Kind, field};
use super::pipeline::{Answered, Call};
use crate::engine::reconcile::act::{Acted, OrphanAction};
use crate::engine::reconcile::known::KnownOrphan;
use crate::engine::reconcile::{
    FoundOrphan, FoundPolicy, ReconcileError, ReconcileReport, ReconcileRequest,
};
use crate::model::{MountId, Orphan, OrphanPolicy, Timestamp, duration};

/// What a comparison takes.
pub(super) const RECONCILE: &[Field] = &[field("mount", Kind::Text), field("dry_run", Kind::Bool)];

/// What a decision takes.
pub(super) const DECIDE: &[Field] =
    &[field("action", Kind::Text), field("ttl", Kind::Seconds), field("until", Kind::Text)];

/// What the word takes.
pub(super) const LIFT: &[Field] = &[field("action", Kind::Text)];

/// POST and PUT `leases/reconcile`: compares now.
pub(super) async fn run(mut call: Call) -> Answered {
    let request = ReconcileRequest {
        mount: call.fields.filled_text("mount"),
        dry_run: call.fields.bool("dry_run").unwrap_or(false),
    };
    let report = call.wire.engine.reconcile(request).await?;
    Answer::data(&report)
}

/// GET `leases/reconcile`: the last comparison, and when the next is.
pub(super) async fn last(call: Call) -> Answered {
    #[derive(Serialize)]
    struct View {
        last: Option<ReconcileReport>,
        next_run: Option<String>,
    }
    let engine = &call.wire.engine;
    let last = engine.last_reconcile().await.map_err(ReconcileError::from)?;
    Answer::data(&View { last, next_run: engine.next_reconcile().map(Timestamp::rfc3339) })
}

/// An orphan with what is known of it.
#[derive(Serialize)]
struct OrphanView<T> {
    #[serde(flatten)]
    orphan: T,
    mount: String,
    found: String,
    last_seen: String,
}

fn user_view(call: &Call, orphan: &Orphan) -> OrphanView<FoundOrphan> {
    OrphanView {
        orphan: FoundOrphan::new(orphan),
        mount: path_of(call, &orphan.mount),
        found: orphan.found_at.rfc3339(),
        last_seen: orphan.seen_at.rfc3339(),
    }
}

fn policy_view(call: &Call, orphan: &OrphanPolicy) -> OrphanView<FoundPolicy> {
    OrphanView {
        orphan: FoundPolicy::new(orphan),
        mount: path_of(call, &orphan.mount),
        found: orphan.found_at.rfc3339(),
        last_seen: orphan.seen_at.rfc3339(),
    }
}

fn path_of(call: &Call, id: &MountId) -> String {
    let mounts = call.wire.engine.mounts();
    let mount = mounts.iter().find(|mount| mount.id == *id);
    mount.map(|mount| mount.path.to_string()).unwrap_or_default()
}

/// LIST `leases/orphans`: the names of users, then of policies.
pub(super) async fn list_orphans(call: Call) -> Answered {
    let known = call.wire.engine.known_orphans().await.map_err(ReconcileError::from)?;
    let users = known.users.iter().map(|orphan| orphan.user.to_string());
    let policies = known.policies.iter().map(|orphan| orphan.name().to_owned());
    Ok(Answer::keys(users.chain(policies).collect()))
}

/// GET `leases/orphans`: all of them, whole.
pub(super) async fn read_orphans(call: Call) -> Answered {
    #[derive(Serialize)]
    struct View {
        orphans: Vec<OrphanView<FoundOrphan>>,
        policies: Vec<OrphanView<FoundPolicy>>,
    }
    let known = call.wire.engine.known_orphans().await.map_err(ReconcileError::from)?;
    let orphans = known.users.iter().map(|orphan| user_view(&call, orphan)).collect();
    let policies = known.policies.iter().map(|orphan| policy_view(&call, orphan)).collect();
    Answer::data(&View { orphans, policies })
}

/// GET `leases/orphans/:name-or-id`.
pub(super) async fn read_orphan(call: Call) -> Answered {
    match call.wire.engine.orphan(&call.captured).await? {
        KnownOrphan::User(user) => Answer::data(&user_view(&call, &user)),
        KnownOrphan::Policy(policy) => Answer::data(&policy_view(&call, &policy)),
    }
}

/// POST and PUT `leases/orphans/:name-or-id`.
pub(super) async fn decide(mut call: Call) -> Answered {
    #[derive(Serialize)]
    struct OfUser {
        user: String,
        user_id: String,
        lease_id: Option<String>,
    }
    #[derive(Serialize)]
    struct OfPolicy {
        policy: String,
        policy_id: String,
        arn: String,
    }
    let now = call.wire.clock.now();
    let action = action(&mut call.fields, now)?;
    let caller = call.caller()?;
    let Acted { orphan, lease } =
        call.wire.engine.decide_orphan(caller, &call.captured, action).await?;
    match orphan {
        KnownOrphan::User(Orphan { user, user_id, .. }) => {
            Answer::data(&OfUser { user: user.to_string(), user_id, lease_id: lease })
        }
        KnownOrphan::Policy(orphan) => Answer::data(&OfPolicy {
            policy: orphan.name().to_owned(),
            arn: orphan.arn.to_string(),
            policy_id: orphan.policy_id,
        }),
    }
}

fn action(fields: &mut Fields, now: Timestamp) -> Result<OrphanAction, ReconcileError> {
    let name = fields.text("action").unwrap_or_default();
    match name.as_str() {
        "remove" => Ok(OrphanAction::Remove),
        "adopt" => match fields.seconds("ttl") {
            Some(ttl) if ttl > 0 => Ok(OrphanAction::Adopt(Duration::from_secs(ttl))),
            Some(_) | None => Err(ReconcileError::BadTime {
                field: "ttl",
                kind: "duration above zero",
                example: "8h",
            }),
        },
        "ignore" => {
            let text = fields.filled_text("until");
            let until = text.as_deref().and_then(|text| moment(text, now));
            let until = until.ok_or(ReconcileError::BadTime {
                field: "until",
                kind: "moment or duration",
                example: "2030-01-31T00:00:00Z",
            })?;
            // One that is over means: tell me again.
            Ok(OrphanAction::Ignore((until > now).then_some(until)))
        }
        _ => Err(ReconcileError::BadAction(name)),
    }
}

/// RFC 3339, or a duration from now.
fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Ok(moment) = OffsetDateTime::parse(text, &Rfc3339) {
        let seconds = moment.unix_timestamp();
        return Some(Timestamp::from_millis(seconds.saturating_mul(1000)));
    }
    let seconds = duration::parse_seconds(text).ok()?;
    Some(now.after(Duration::from_secs(u64::try_from(seconds).ok()?)))
}

/// GET `leases/quarantine`: whether it waits for a word, and what is different from the backup.
pub(super) async fn read_quarantine(call: Call) -> Answered {
    #[derive(Serialize)]
    struct View {
        active: bool,
        restored: Option<String>,
        backup_made: Option<String>,
        difference: Option<ReconcileReport>,
    }
    let engine = &call.wire.engine;
    let mark = engine.quarantine();
    let last = engine.last_reconcile().await.map_err(ReconcileError::from)?;
    // A comparison that came with the backup says nothing about it.
    let since = |report: &ReconcileReport| {
        mark.is_some_and(|mark| report.finished_millis >= mark.restored_at.as_millis())
    };
    Answer::data(&View {
        active: mark.is_some(),
        restored: mark.map(|mark| mark.restored_at.rfc3339()),
        backup_made: mark.and_then(|mark| mark.backup_made_at).map(Timestamp::rfc3339),
        difference: last.filter(since),
    })
}

/// POST and PUT `leases/quarantine`: the word.
pub(super) async fn lift_quarantine(mut call: Call) -> Answered {
    let action = call.fields.text("action").unwrap_or_default();
    if action != "lift" {
        return Err(ApiError::QuarantineAction(action));
    }
    call.wire.engine.lift_quarantine().await.map_err(ReconcileError::from)?;
    Ok(Answer::nothing())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_780_000_000_000);

    fn read(data: &serde_json::Value) -> Result<OrphanAction, String> {
        let mut fields = Fields::read(DECIDE, data.as_object().cloned().unwrap()).unwrap();
        action(&mut fields, NOW).map_err(|error| error.to_string())
    }

    #[test]
    fn a_decision_says_how_long() {
        assert_eq!(read(&json!({"action": "remove"})), Ok(OrphanAction::Remove));
        let adopt = OrphanAction::Adopt(Duration::from_hours(8));
        assert_eq!(read(&json!({"action": "adopt", "ttl": "8h"})), Ok(adopt));
        for bad in [json!({"action": "adopt"}), json!({"action": "adopt", "ttl": 0})] {
            assert!(read(&bad).unwrap_err().starts_with("`ttl` is missing or no duration"));
        }
        assert!(read(&json!({"action": "x"})).unwrap_err().contains("not `x`"));
        assert!(read(&json!({})).is_err());
    }

    #[test]
    fn ignoring_takes_a_moment_or_a_duration() {
        let day = NOW.after(Duration::from_hours(24));
        let until = |text: &str| read(&json!({"action": "ignore", "until": text}));
        assert_eq!(until("24h"), Ok(OrphanAction::Ignore(Some(day))));
        assert_eq!(until("1970-01-01T00:00:00Z"), Ok(OrphanAction::Ignore(None)));
        let moment = until("2030-01-31T00:00:00+01:00").unwrap();
        assert_eq!(moment, OrphanAction::Ignore(Some(Timestamp::from_millis(1_896_044_400_000))));
        assert!(until("tomorrow").is_err() && until("").is_err());
    }
}
