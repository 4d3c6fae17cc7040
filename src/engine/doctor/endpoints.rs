//! Every endpoint that the mounts of an account configure, asked by itself: each STS endpoint, fallbacks too, and IAM's.
//! Of each it is said whether it answers, as whom the broker comes there, and how far its clock is off.

use super::{Check, Health};
use crate::aws::{AwsError, Glance, Identity, RefusalKind, StsEndpoint};
use crate::engine::Engine;
use crate::model::{MountId, Timestamp};

/// AWS takes a signature for so long (Signature Version 4: "within five minutes"); beyond it every call fails.
const FATAL_SKEW_SECONDS: i64 = 300;
/// A clock that is kept right is not off by so much.
const ODD_SKEW_SECONDS: i64 = 30;

const KEYS_AND_WAY: &str = "check the keys and endpoints of config/root, and the way to AWS";

impl Engine {
    /// The STS endpoints of a mount; `mounts` are those that share its account. Who the broker is says the first that
    /// answers, which is the one that is used.
    pub(super) async fn check_sts(
        &self,
        mount: &MountId,
        mounts: &str,
        now: Timestamp,
    ) -> (Vec<Check>, Option<Identity>) {
        match self.parts.accounts.sts_endpoints(mount).await {
            Ok(endpoints) => {
                let used = endpoints.iter().find_map(|one| one.answer.as_ref().ok()).cloned();
                let checks = endpoints.iter().flat_map(|one| {
                    let place = match endpoints.len() {
                        1 => mounts.to_owned(),
                        _ => format!("{mounts} at {}", one.host),
                    };
                    endpoint(one, &place, used.as_ref(), now)
                });
                (checks.collect(), used)
            }
            Err(error) => {
                let name = format!("sts {mounts}");
                let failed = Check::new(&name, Health::Fail, error.for_caller());
                (vec![failed.help(KEYS_AND_WAY)], None)
            }
        }
    }

    /// IAM's endpoint.
    pub(super) async fn check_iam(
        &self,
        mount: &MountId,
        mounts: &str,
        now: Timestamp,
    ) -> Vec<Check> {
        let name = format!("iam {mounts}");
        let glance = match self.parts.accounts.discovery(mount).await {
            Ok(provider) => provider.glance().await,
            Err(error) => Glance { answer: Err(error), aws_time: None },
        };
        let check = match &glance.answer {
            Ok(()) => Check::new(&name, Health::Ok, "answers"),
            Err(error) if is_denied(error) => {
                Check::new(&name, Health::Warn, format!("answers; {}", error.for_caller()))
                    .help("allow iam:ListUsers, or orphans cannot be found")
            }
            Err(error) => Check::new(&name, Health::Fail, error.for_caller())
                .help("check `iam_endpoint` and the keys of config/root, and the way to AWS"),
        };
        let answer = glance.answer.as_ref().map(drop);
        with_clock(check, &format!("clock iam {mounts}"), (answer, glance.aws_time), now)
    }
}

/// One of the endpoints, where `used` is what the first that answered said.
fn endpoint(
    asked: &StsEndpoint,
    place: &str,
    used: Option<&Identity>,
    now: Timestamp,
) -> Vec<Check> {
    let name = format!("sts {place}");
    let check = match &asked.answer {
        Ok(identity) => {
            let detail = format!("account {} as {}", identity.account, identity.arn);
            if used.is_some_and(|used| used.account != identity.account) {
                Check::new(&name, Health::Fail, detail)
                    .help("take it out of config/root: another endpoint leads to another account")
            } else {
                Check::new(&name, Health::Ok, detail)
            }
        }
        // Another one stands in for it.
        Err(error) if used.is_some() => {
            let help = format!("{KEYS_AND_WAY}; until then another endpoint is used");
            Check::new(&name, Health::Warn, error.for_caller()).help(help)
        }
        Err(error) => Check::new(&name, Health::Fail, error.for_caller()).help(KEYS_AND_WAY),
    };
    let answer = asked.answer.as_ref().map(drop);
    with_clock(check, &format!("clock {place}"), (answer, asked.aws_time), now)
}

/// With what is known of the endpoint's clock. A refusal has a date too, and a clock that is far off is refused.
fn with_clock(
    check: Check,
    name: &str,
    seen: (Result<(), &AwsError>, Option<Timestamp>),
    now: Timestamp,
) -> Vec<Check> {
    match seen {
        (Err(_), None) => vec![check],
        (Err(_) | Ok(()), aws) => vec![check, clock(name, aws, now)],
    }
}

pub(super) fn is_denied(error: &AwsError) -> bool {
    matches!(error, AwsError::Refused { kind: RefusalKind::AccessDenied, .. })
}

fn clock(name: &str, aws: Option<Timestamp>, now: Timestamp) -> Check {
    let Some(aws) = aws else {
        return Check::new(name, Health::Unknown, "AWS's answer had no date");
    };
    let skew = now.seconds_from(aws);
    let detail = match skew {
        -1..=1 => "as AWS's".to_owned(),
        ahead if ahead > 0 => format!("{ahead} s ahead of AWS's"),
        behind => format!("{} s behind AWS's", behind.unsigned_abs()),
    };
    let size = skew.saturating_abs();
    let help =
        "let the machine keep its clock right (NTP): AWS refuses calls that are five minutes off";
    if size >= FATAL_SKEW_SECONDS {
        Check::new(name, Health::Fail, detail).help(help)
    } else if size >= ODD_SKEW_SECONDS {
        Check::new(name, Health::Warn, detail).help(help)
    } else {
        Check::new(name, Health::Ok, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_judged_by_what_aws_takes() {
        let aws = Timestamp::from_millis(1_000_000_000);
        for (off, status, detail) in [
            (0, Health::Ok, "as AWS's"),
            (-29, Health::Ok, "29 s behind AWS's"),
            (31, Health::Warn, "31 s ahead of AWS's"),
            (-300, Health::Fail, "300 s behind AWS's"),
        ] {
            let now = Timestamp::from_millis(aws.as_millis() + off * 1000);
            let check = clock("clock", Some(aws), now);
            assert_eq!((check.status, check.detail.as_str()), (status, detail));
        }
        assert_eq!(clock("clock", None, aws).status, Health::Unknown);
    }

    #[test]
    fn the_clock_of_an_endpoint_that_refuses_is_told() {
        let aws = Timestamp::from_millis(1_000_000_000);
        let now = Timestamp::from_millis(1_000_600_000);
        let refused = Err(AwsError::NotConfigured("SignatureDoesNotMatch".to_owned()));
        let asked = StsEndpoint { host: "h".to_owned(), answer: refused, aws_time: Some(aws) };
        let checks = endpoint(&asked, "aws/", None, now);
        assert_eq!((checks[0].status, checks[1].status), (Health::Fail, Health::Fail));
        assert_eq!(checks[1].detail, "600 s ahead of AWS's");
    }

    #[test]
    fn an_endpoint_that_leads_elsewhere_fails_and_a_silent_one_is_stood_in_for() {
        let now = Timestamp::from_millis(0);
        let of = |account: &str| Identity { account: account.to_owned(), arn: "arn".to_owned() };
        let asked = |answer: Result<Identity, AwsError>| {
            let aws_time = answer.is_ok().then_some(now);
            StsEndpoint { host: "h".to_owned(), answer, aws_time }
        };
        let used = of("111111111111");
        let status = |answer, used| {
            let checks = endpoint(&asked(answer), "aws/ at h", used, now);
            (checks[0].name.clone(), checks[0].status, checks.len())
        };
        let silent = || Err(AwsError::NotConfigured("no".to_owned()));
        let name = || "sts aws/ at h".to_owned();
        assert_eq!(status(Ok(used.clone()), Some(&used)), (name(), Health::Ok, 2));
        assert_eq!(status(Ok(of("222222222222")), Some(&used)), (name(), Health::Fail, 2));
        assert_eq!(status(silent(), Some(&used)), (name(), Health::Warn, 1));
        assert_eq!(status(silent(), None), (name(), Health::Fail, 1));
    }
}
