//! Keys of a fresh user are seen to work before they are handed out: `GetCallerIdentity`, signed with the
//! new key, at every STS endpoint that is configured. IAM is eventually consistent, and callers of Vault
//! are told to sleep. Must never fail an issue: what could not be seen is a warning, and the lease goes on.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join, join_all};
use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use super::Engine;
use crate::aws::{AwsError, KeyProbe, NewAccessKey, NewUser, RefusalKind};
use crate::leases::Leases;
use crate::model::{Canary, LeaseId, Mount, Readiness, Role, Timestamp, UserName};

/// How long a reply waits at most. 10 s: the documentation of Vault and of AWS's clients tells people to
/// sleep 5 to 10 s (contract 6). Beside it `CreateUser` and what follows have
/// [`super::issue::LONGEST_STEP`] each: together well under the settling time of a lease.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How long it is looked at in the background. 60 s: what IAM takes on a bad day (as
/// [`crate::leases::LeaseTiming::second_look`]).
const LONGEST_LOOK: Duration = Duration::from_mins(1);
/// The first pause after a failure; doubled up to the longest. The first look is at once: most often IAM
/// is quick, and then the proof costs one round trip.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Once an endpoint did not know the key, so many successes in a row are needed: it stands for many
/// machines, and not all hear the news at the same time.
const AFTER_A_REFUSAL: u32 = 3;
/// An endpoint that fails otherwise so often in a row is left out: waiting does not mend it.
const GIVES_UP_AFTER: u32 = 3;

/// What the reply says of the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReadinessReport {
    /// `wait` or `async`.
    pub mode: &'static str,
    /// Whether every endpoint knew the key.
    pub proven: bool,
    /// Host names of those that did.
    pub endpoints: Vec<String>,
    /// The fewest successes in a row at one of these; 0 where there is none.
    pub successes: u32,
    /// How long that took.
    pub waited_ms: u64,
}

/// What is known of a key when it is handed out.
#[derive(Debug, Default)]
pub(super) struct Proof {
    /// For the reply; `None` where nobody looks.
    pub(super) report: Option<ReadinessReport>,
    /// When it was seen to work.
    pub(super) proven_at: Option<Timestamp>,
    /// One per endpoint that does not know it.
    pub(super) warnings: Vec<String>,
}

/// A key, and what is to be seen of it.
#[derive(Debug, Clone)]
struct Subject {
    key: NewAccessKey,
    user: UserName,
    /// What the ARN must end in, e.g. `user/team/name`.
    resource: String,
    successes: u32,
    canary: Option<Canary>,
}

impl Subject {
    fn new(role: &Role, user: &NewUser, key: &NewAccessKey) -> Self {
        Self {
            key: key.clone(),
            user: user.name.clone(),
            resource: format!("user{}{}", user.path, user.name),
            successes: role.delivery.readiness_successes.unwrap_or(1),
            canary: role.delivery.readiness_canary,
        }
    }

    fn is_named_by(&self, arn: &str) -> bool {
        // arn:partition:service:region:account:resource
        let mut parts = arn.splitn(6, ':').skip(2);
        parts.next() == Some("iam") && parts.nth(2) == Some(self.resource.as_str())
    }
}

impl Engine {
    /// Looks at the key as the role says, for as long as a caller can wait.
    pub(super) async fn prove_key(
        &self,
        mount: &Mount,
        role: &Role,
        user: &NewUser,
        key: &NewAccessKey,
    ) -> Proof {
        let mode = role.delivery.readiness.unwrap_or_default();
        match mode {
            Readiness::Off => return Proof::default(),
            Readiness::Async => return Proof { report: Some(unproven(mode)), ..Proof::default() },
            Readiness::Wait => {}
        }
        let subject = Subject::new(role, user, key);
        let seen = match self.parts.accounts.key_probe(&mount.id).await {
            Ok(probe) => look(probe.as_ref(), &subject, LONGEST_WAIT).await,
            Err(error) => Seen::nothing(&error),
        };
        let report = ReadinessReport {
            proven: seen.doubts.is_empty(),
            endpoints: seen.endpoints,
            successes: seen.successes,
            waited_ms: u64::try_from(seen.took.as_millis()).unwrap_or(u64::MAX),
            ..unproven(mode)
        };
        Proof {
            proven_at: report.proven.then(|| self.parts.clock.now()),
            report: Some(report),
            warnings: seen.doubts.iter().map(|doubt| doubt.warning()).collect(),
        }
    }

    /// Where the role says `async`: looks in the background, and writes into the lease when the key was
    /// seen to work.
    pub(super) fn prove_later(
        &self,
        mount: &Mount,
        role: &Role,
        lease: &LeaseId,
        (user, key): (&NewUser, &NewAccessKey),
    ) {
        match role.delivery.readiness.unwrap_or_default() {
            Readiness::Async => {}
            Readiness::Wait | Readiness::Off => return,
        }
        let (accounts, leases) = (Arc::clone(&self.parts.accounts), Arc::clone(&self.parts.leases));
        let (clock, mount, id) = (Arc::clone(&self.parts.clock), mount.id.clone(), lease.clone());
        let subject = Subject::new(role, user, key);
        tokio::spawn(async move {
            let seen = match accounts.key_probe(&mount).await {
                Ok(probe) => look(probe.as_ref(), &subject, LONGEST_LOOK).await,
                Err(error) => Seen::nothing(&error),
            };
            record(&leases, &id, &seen, clock.now()).await;
        });
    }
}

async fn record(leases: &Leases, id: &LeaseId, seen: &Seen, now: Timestamp) {
    for doubt in &seen.doubts {
        tracing::warn!(lease.id = %id, "the key of lease {id} was not seen to work: {}", doubt.reason());
    }
    if seen.doubts.is_empty()
        && let Err(error) = leases.proven(id, now).await
    {
        tracing::warn!(lease.id = %id, error = %error, "that the key of lease {id} works could not be written down");
    }
}

const fn unproven(mode: Readiness) -> ReadinessReport {
    let mode = mode.as_str();
    ReadinessReport { mode, proven: false, endpoints: Vec::new(), successes: 0, waited_ms: 0 }
}

/// What a look came to.
#[derive(Debug)]
struct Seen {
    endpoints: Vec<String>,
    successes: u32,
    doubts: Vec<Doubt>,
    took: Duration,
}

impl Seen {
    fn nothing(error: &AwsError) -> Self {
        let doubt = Doubt { place: None, why: error.for_caller() };
        Self { endpoints: Vec::new(), successes: 0, doubts: vec![doubt], took: Duration::ZERO }
    }
}

/// Why a key is not known to work.
#[derive(Debug)]
struct Doubt {
    /// Which endpoint or call.
    place: Option<String>,
    why: String,
}

impl Doubt {
    fn reason(&self) -> String {
        match &self.place {
            Some(place) => format!("{place}: {}", self.why),
            None => self.why.clone(),
        }
    }

    fn warning(&self) -> String {
        format!(
            "the access key is not yet known to work: {}\nhelp: the lease goes on; try again for some \
             seconds where AWS refuses the key",
            self.reason()
        )
    }
}

/// Looks everywhere at once.
async fn look(probe: &dyn KeyProbe, subject: &Subject, longest: Duration) -> Seen {
    let begun = Instant::now();
    let deadline = begun.checked_add(longest).unwrap_or(begun);
    let places = probe.endpoints();
    let known =
        join_all((0..places.len()).map(|endpoint| known_at(probe, endpoint, subject, deadline)));
    let (known, canary) = join(known, sings(probe, subject, deadline)).await;
    let mut seen =
        Seen { endpoints: Vec::new(), successes: 0, doubts: Vec::new(), took: Duration::ZERO };
    for (place, result) in places.iter().zip(known) {
        match result {
            Ok(successes) => {
                let fewest = if seen.endpoints.is_empty() { successes } else { seen.successes };
                seen.successes = fewest.min(successes);
                seen.endpoints.push(place.clone());
            }
            Err(why) => seen.doubts.push(Doubt { place: Some(format!("`{place}`")), why }),
        }
    }
    if let Err(why) = canary {
        let place = subject.canary.map(|canary| format!("`{}`", canary.as_str()));
        seen.doubts.push(Doubt { place, why });
    }
    seen.took = begun.elapsed();
    seen
}

/// How often in a row the endpoint knew the key, or why it does not.
async fn known_at(
    probe: &dyn KeyProbe,
    endpoint: usize,
    subject: &Subject,
    deadline: Instant,
) -> Result<u32, String> {
    let (mut in_a_row, mut wanted, mut odd) = (0_u32, subject.successes.max(1), 0_u32);
    let mut wait = FIRST_PAUSE;
    loop {
        let answer = timeout_at(deadline, probe.identity(endpoint, &subject.key)).await;
        let why = match answer {
            Err(_late) => return Err("no answer in time".to_owned()),
            Ok(Ok(arn)) if subject.is_named_by(&arn) => {
                (in_a_row, odd, wait) = (in_a_row.saturating_add(1), 0, FIRST_PAUSE);
                if in_a_row >= wanted {
                    return Ok(in_a_row);
                }
                format!("it knew the key {in_a_row} of {wanted} times in a row")
            }
            // Whoever that is, waiting does not make it our user.
            Ok(Ok(_stranger)) => return Err("it takes the key for somebody else's".to_owned()),
            Ok(Err(error)) => {
                in_a_row = 0;
                if is_worth_waiting(&error) {
                    (wanted, odd) = (wanted.max(AFTER_A_REFUSAL), 0);
                } else {
                    odd = odd.saturating_add(1);
                }
                if odd >= GIVES_UP_AFTER {
                    return Err(error.for_caller());
                }
                error.for_caller()
            }
        };
        if !pause(wait, deadline).await {
            return Err(why);
        }
        wait = wait.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

/// Whether the canary's call comes through; nothing to see where none is asked for.
async fn sings(probe: &dyn KeyProbe, subject: &Subject, deadline: Instant) -> Result<(), String> {
    let Some(canary) = subject.canary else {
        return Ok(());
    };
    let mut wait = FIRST_PAUSE;
    loop {
        let call = probe.canary(&subject.key, &subject.user, canary);
        let why = match timeout_at(deadline, call).await {
            Err(_late) => return Err("no answer in time".to_owned()),
            Ok(Ok(())) => return Ok(()),
            // A policy that has not spread looks like one that does not allow it.
            Ok(Err(error)) => error.for_caller(),
        };
        if !pause(wait, deadline).await {
            return Err(why);
        }
        wait = wait.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

/// A key that has not spread, or an account that is asked too much: both pass.
fn is_worth_waiting(error: &AwsError) -> bool {
    match error {
        AwsError::Refused { kind, .. } => {
            matches!(kind, RefusalKind::BadCredentials | RefusalKind::Throttled)
        }
        AwsError::Unclear { .. } | AwsError::NotConfigured(_) => false,
    }
}

/// Waits, unless that would take too long.
#[expect(clippy::disallowed_methods, reason = "waiting for IAM to spread the news")]
async fn pause(wait: Duration, deadline: Instant) -> bool {
    let fits = Instant::now().checked_add(wait).is_some_and(|awake| awake < deadline);
    if fits {
        tokio::time::sleep(wait).await;
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_must_name_the_user_with_its_path() {
        let subject = Subject {
            key: NewAccessKey {
                id: "AKIAX".parse().unwrap(),
                secret: crate::model::SecretAccessKey::new("s"),
            },
            user: "u".parse().unwrap(),
            resource: "user/team/u".to_owned(),
            successes: 1,
            canary: None,
        };
        assert!(subject.is_named_by("arn:aws:iam::123456789012:user/team/u"));
        assert!(subject.is_named_by("arn:aws-cn:iam::123456789012:user/team/u"));
        for other in [
            "arn:aws:iam::123456789012:user/u",
            "arn:aws:iam::123456789012:root",
            "arn:aws:sts::123456789012:user/team/u",
            "",
        ] {
            assert!(!subject.is_named_by(other), "{other}");
        }
    }
}
