//! Looks at one key until it works everywhere, or until it is no use: at every STS endpoint at once, and
//! at the canary's call. Knows no lease and no reply; must never wait past its deadline. What it means:
//! [`super`].

use std::time::Duration;

use futures_util::future::{join, join_all};
use tokio::time::{Instant, timeout_at};

use crate::aws::{AwsError, KeyProbe, NewAccessKey, NewUser, RefusalKind};
use crate::model::{Canary, Role, UserName};

/// The first pause after a failure; doubled up to the longest. The first look is at once: most often IAM
/// is quick, and then the proof costs one round trip.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Once an endpoint did not know the key, so many successes in a row are needed: it stands for many
/// machines, and not all hear the news at the same time.
const AFTER_A_REFUSAL: u32 = 3;
/// An endpoint that fails otherwise so often in a row is left out: waiting does not mend it.
const GIVES_UP_AFTER: u32 = 3;

/// A key, and what is to be seen of it.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    key: NewAccessKey,
    user: UserName,
    /// What the ARN must end in, e.g. `user/team/name`.
    resource: String,
    successes: u32,
    canary: Option<Canary>,
}

impl Subject {
    pub(super) fn new(role: &Role, user: &NewUser, key: &NewAccessKey) -> Self {
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

/// What a look came to.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) endpoints: Vec<String>,
    pub(super) successes: u32,
    pub(super) doubts: Vec<Doubt>,
    pub(super) took: Duration,
}

impl Seen {
    pub(super) fn nothing(error: &AwsError) -> Self {
        let doubt = Doubt { place: None, why: error.for_caller() };
        Self { endpoints: Vec::new(), successes: 0, doubts: vec![doubt], took: Duration::ZERO }
    }
}

/// Why a key is not known to work.
#[derive(Debug)]
pub(super) struct Doubt {
    /// Which endpoint or call.
    place: Option<String>,
    why: String,
}

impl Doubt {
    pub(super) fn reason(&self) -> String {
        match &self.place {
            Some(place) => format!("{place}: {}", self.why),
            None => self.why.clone(),
        }
    }

    pub(super) fn warning(&self) -> String {
        format!(
            "the access key is not yet known to work: {}\nhelp: the lease goes on; try again for some \
             seconds where AWS refuses the key",
            self.reason()
        )
    }
}

/// Looks everywhere at once.
pub(super) async fn look(probe: &dyn KeyProbe, subject: &Subject, longest: Duration) -> Seen {
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
