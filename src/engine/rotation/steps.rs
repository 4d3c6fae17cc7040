//! The small steps of a rotation: proving that a key works, telling which keys a change made, removing
//! one, waiting. They decide nothing about the order of things: that is [`super::change`]'s.

use std::time::Duration;

use tracing::warn;

use super::change::Holder;
use crate::aws::{AwsError, HeldKey, KeyProvider, NewAccessKey, RefusalKind};
use crate::model::{AccessKeyId, KeyChange, Timestamp, UserName};

/// 5 min: IAM is eventually consistent, a fresh key may look absent (design, section 5).
pub(in crate::engine) const SETTLING: Duration = Duration::from_mins(5);
/// How far the clocks of AWS and of this machine may be apart: AWS refuses signatures beyond that (IAM user
/// guide, "Troubleshoot Signature Version 4").
const CLOCK_SKEW: Duration = Duration::from_mins(5);
/// The waits before each proof, half a minute in all: clients give up after 60 s (contract 0.3).
const PROOFS: [u64; 10] = [0, 250, 500, 1000, 2000, 3000, 4000, 5000, 5000, 5000];

/// Makes a key inactive, then deletes it. Deleting is what counts.
pub(in crate::engine) async fn remove_key(
    keys: &dyn KeyProvider,
    user: &UserName,
    key: &AccessKeyId,
) -> Result<(), AwsError> {
    if let Err(error) = keys.disable_key(user, key).await {
        warn!(aws.user = %user, aws.access_key = %key, error = %error,
            "access key {key} is deleted without having been made inactive");
    }
    keys.delete_key(user, key).await
}

/// The keys that a change made: none that was there before, none that was made long after it.
pub(super) fn strays(
    change: &KeyChange,
    new: Option<&AccessKeyId>,
    held: &[HeldKey],
) -> Vec<AccessKeyId> {
    let skew = i64::try_from(CLOCK_SKEW.as_millis()).unwrap_or(i64::MAX);
    let first = Timestamp::from_millis(change.began_at.as_millis().saturating_sub(skew));
    let last = change.tried_at.after(SETTLING.saturating_add(CLOCK_SKEW));
    let made_by_it = |key: &&HeldKey| {
        !change.known.contains(&key.id)
            && change.old.as_ref() != Some(&key.id)
            && new != Some(&key.id)
            && (first..=last).contains(&key.created_at)
    };
    held.iter().filter(made_by_it).map(|key| key.id.clone()).collect()
}

/// Waits until AWS takes a key.
pub(super) async fn proven(holder: &dyn Holder, made: &NewAccessKey) -> Result<(), AwsError> {
    let mut seen = AwsError::NotConfigured("it was never tried".to_owned());
    for pause in PROOFS {
        wait(Duration::from_millis(pause)).await;
        match holder.prove(made).await {
            Ok(()) => return Ok(()),
            Err(error) if may_pass(&error) => seen = error,
            Err(error) => return Err(error),
        }
    }
    Err(seen)
}

/// Whether the same key may be taken a little later: IAM has not told every place of it yet.
fn may_pass(error: &AwsError) -> bool {
    match error {
        AwsError::Refused { kind, .. } => {
            matches!(kind, RefusalKind::BadCredentials | RefusalKind::Throttled)
        }
        AwsError::Unclear { .. } => true,
        AwsError::NotConfigured(_) => false,
    }
}

#[expect(clippy::disallowed_methods, reason = "the waits between proofs, and for calls under way")]
pub(in crate::engine) async fn wait(pause: Duration) {
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::KeyStep;

    const MINUTE: i64 = 60_000;

    fn id(text: &str) -> AccessKeyId {
        text.parse().unwrap()
    }

    fn key(text: &str, minute: i64) -> HeldKey {
        HeldKey {
            id: id(text),
            created_at: Timestamp::from_millis(minute.checked_mul(MINUTE).unwrap()),
        }
    }

    #[test]
    fn only_what_the_change_made_is_a_stray() {
        let change = KeyChange {
            user: "jane".parse().unwrap(),
            began_at: Timestamp::from_millis(100 * MINUTE),
            tried_at: Timestamp::from_millis(101 * MINUTE),
            known: vec![id("THEIRS"), id("OURS")],
            old: Some(id("OURS")),
            doubt: false,
            step: KeyStep::Creating,
            sealed_secret_key: None,
        };
        let held = [
            key("THEIRS", 100),
            key("OURS", 100),
            key("BEFORE", 94),
            key("SKEWED", 96),
            key("MADE", 101),
            key("SLOW", 111),
            key("LATER", 112),
        ];
        assert_eq!(strays(&change, None, &held), [id("SKEWED"), id("MADE"), id("SLOW")]);
        assert_eq!(strays(&change, Some(&id("MADE")), &held), [id("SKEWED"), id("SLOW")]);
        assert_eq!(strays(&change, None, &held[..3]), Vec::<AccessKeyId>::new());
    }

    #[test]
    fn only_news_that_has_not_spread_is_waited_for() {
        let refused = |kind| AwsError::Refused {
            operation: "GetCallerIdentity",
            code: "X".into(),
            kind,
            message: String::new(),
        };
        assert!(may_pass(&refused(RefusalKind::BadCredentials)));
        assert!(may_pass(&AwsError::Unclear { operation: "GetUser", message: String::new() }));
        assert!(!may_pass(&refused(RefusalKind::AccessDenied)));
        assert!(!may_pass(&AwsError::NotConfigured(String::new())));
    }
}
