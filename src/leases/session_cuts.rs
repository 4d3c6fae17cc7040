//! The policies on roles by which sessions are cut off, changed one at a time: whoever comes while a change
//! of the same role is under way has its own made together with all others that wait. Must never write to a
//! role of another account that only has the same name. When to change: [`super::sessions`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::teardown::Trouble;
use crate::aws::{AwsError, IamProvider, SessionDeny};
use crate::model::{FailureClass, LeaseTag, MountId, Timestamp};

/// A change of the policy on a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cut {
    /// Denies everything to the session of a lease.
    Lease(LeaseTag),
    /// Denies everything to sessions that began before a moment.
    Before(Timestamp),
    /// That session is over: its entry goes.
    EndedLease(LeaseTag),
    /// All sessions are over that began before a moment: the entry goes, unless it names a later one.
    EndedBefore(Timestamp),
}

/// The roles whose policy is being changed.
#[derive(Debug, Default)]
pub(super) struct SessionCuts {
    roles: Mutex<HashMap<(MountId, String), Arc<Queue>>>,
}

type Answer = oneshot::Sender<Result<(), Trouble>>;

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Vec<(Cut, Answer)>>,
    turn: tokio::sync::Mutex<()>,
}

/// Which policy.
#[derive(Debug, Clone, Copy)]
pub(super) struct OfRole<'a> {
    pub(super) mount: &'a MountId,
    pub(super) role_arn: &'a str,
    pub(super) broker: &'a str,
}

impl SessionCuts {
    /// Makes the change, alone or together with others.
    pub(super) async fn change(
        &self,
        provider: &dyn IamProvider,
        of: OfRole<'_>,
        cut: Cut,
    ) -> Result<(), Trouble> {
        let queue = self.queue(of);
        let (answer, mine) = oneshot::channel();
        lock(&queue.waiting).push((cut, answer));
        {
            let _turn = queue.turn.lock().await;
            let waiting = std::mem::take(&mut *lock(&queue.waiting));
            if !waiting.is_empty() {
                let (cuts, answers): (Vec<Cut>, Vec<Answer>) = waiting.into_iter().unzip();
                let result = write(provider, of, &cuts).await;
                for answer in answers {
                    // Whoever gave up waiting tries again at its next pass.
                    drop(answer.send(result.clone()));
                }
            }
        }
        self.forget(of, &queue);
        mine.await.unwrap_or_else(|_cut_short| Err(unfinished()))
    }

    fn queue(&self, of: OfRole<'_>) -> Arc<Queue> {
        let key = (of.mount.clone(), of.role_arn.to_owned());
        Arc::clone(lock(&self.roles).entry(key).or_default())
    }

    /// Nobody else is at this role: the map and this call hold the queue alone.
    fn forget(&self, of: OfRole<'_>, queue: &Arc<Queue>) {
        let mut roles = lock(&self.roles);
        if Arc::strong_count(queue) <= 2 {
            roles.remove(&(of.mount.clone(), of.role_arn.to_owned()));
        }
    }
}

/// Reads the policy, changes it, writes it where that changed anything.
async fn write(provider: &dyn IamProvider, of: OfRole<'_>, cuts: &[Cut]) -> Result<(), Trouble> {
    let name = of.role_arn.rsplit('/').next().unwrap_or_default();
    let (arn, held) = tokio::join!(provider.role_arn(name), provider.session_deny(name, of.broker));
    let only_removes = cuts.iter().all(|cut| match cut {
        Cut::EndedLease(_) | Cut::EndedBefore(_) => true,
        Cut::Lease(_) | Cut::Before(_) => false,
    });
    match arn? {
        Some(arn) if arn == of.role_arn => {}
        // The role went, and its policies with it.
        Some(_) | None if only_removes => return Ok(()),
        Some(_) | None => return Err(elsewhere(of.role_arn)),
    }
    let before = match held? {
        Some(text) => SessionDeny::parse(&text).ok_or_else(|| changed_by_hand(of))?,
        None => SessionDeny::default(),
    };
    let mut after = before.clone();
    for cut in cuts {
        apply(&mut after, cut);
    }
    if after == before {
        return Ok(());
    }
    Ok(provider.put_session_deny(name, of.broker, &after).await?)
}

fn apply(deny: &mut SessionDeny, cut: &Cut) {
    match cut {
        Cut::Lease(tag) => {
            deny.leases.insert(tag.clone());
        }
        Cut::EndedLease(tag) => {
            deny.leases.remove(tag);
        }
        Cut::Before(moment) => deny.before = deny.before.max(Some(*moment)),
        Cut::EndedBefore(moment) => deny.before = deny.before.filter(|held| held > moment),
    }
}

fn elsewhere(role_arn: &str) -> Trouble {
    let message = format!(
        "the role `{role_arn}` is not in the account of the mount: its sessions cannot be cut off, and last \
         until AWS ends them"
    );
    Trouble { class: FailureClass::NotOurs, detail: message.clone(), message }
}

fn changed_by_hand(of: OfRole<'_>) -> Trouble {
    let message = format!(
        "the policy `{}` on the role `{}` was changed by somebody else\nhelp: delete it; what is still to be \
         denied is written again",
        SessionDeny::policy_name(of.broker),
        of.role_arn
    );
    Trouble { class: FailureClass::NotOurs, detail: message.clone(), message }
}

fn unfinished() -> Trouble {
    let operation = "PutRolePolicy";
    AwsError::Unclear { operation, message: "the change was cut short".to_owned() }.into()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;
    use crate::aws::testing::{BROKER, TestAws, tag};

    async fn change(
        test: &TestAws,
        cuts: &SessionCuts,
        arn: &str,
        cut: Cut,
    ) -> Result<(), Trouble> {
        let of = OfRole { mount: &test.mount, role_arn: arn, broker: BROKER };
        cuts.change(test.provider().await.as_ref(), of, cut).await
    }

    fn held(test: &TestAws) -> SessionDeny {
        let policies = test.aws.role_policies("r").unwrap();
        let document = policies.get(&SessionDeny::policy_name(BROKER));
        document.map_or_else(SessionDeny::default, |text| SessionDeny::parse(text).unwrap())
    }

    #[tokio::test]
    async fn changes_that_come_together_are_all_there_in_few_writes() {
        let (test, cuts) = (TestAws::new(), SessionCuts::default());
        let arn = test.aws.create_role("r", 3_600).unwrap();
        let tags: Vec<LeaseTag> = ('a'..='z').map(tag).collect();
        let gate = test.faults.hold_next("GetRole");
        let all =
            join_all(tags.iter().map(|tag| change(&test, &cuts, &arn, Cut::Lease(tag.clone()))));
        let release = async {
            gate.arrived().await;
            gate.release();
        };
        let (all, ()) = tokio::join!(all, release);
        assert!(all.into_iter().all(|done| done.is_ok()));
        assert_eq!(held(&test).leases.into_iter().collect::<Vec<_>>(), tags);
        let writes = test.faults.actions().iter().filter(|call| *call == "PutRolePolicy").count();
        assert_eq!(writes, 2, "the first alone, then all that waited for it");
        for tag in tags {
            change(&test, &cuts, &arn, Cut::EndedLease(tag)).await.unwrap();
        }
        assert!(test.aws.role_policies("r").unwrap().is_empty());
        assert!(lock(&cuts.roles).is_empty());
    }

    #[tokio::test]
    async fn the_latest_moment_holds_until_all_before_it_are_over() {
        let (test, cuts) = (TestAws::new(), SessionCuts::default());
        let arn = test.aws.create_role("r", 3_600).unwrap();
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        change(&test, &cuts, &arn, Cut::Before(at(20))).await.unwrap();
        change(&test, &cuts, &arn, Cut::Before(at(10))).await.unwrap();
        assert_eq!(held(&test).before, Some(at(20)));
        change(&test, &cuts, &arn, Cut::EndedBefore(at(10))).await.unwrap();
        assert_eq!(held(&test).before, Some(at(20)));
        change(&test, &cuts, &arn, Cut::EndedBefore(at(20))).await.unwrap();
        assert!(test.aws.role_policies("r").unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_role_of_another_account_is_not_confused_with_ours_of_that_name() {
        let (test, cuts) = (TestAws::new(), SessionCuts::default());
        test.aws.create_role("r", 3_600).unwrap();
        let foreign = "arn:aws:iam::210987654321:role/r";
        let refused = change(&test, &cuts, foreign, Cut::Lease(tag('x'))).await.unwrap_err();
        assert_eq!(refused.class, FailureClass::NotOurs);
        assert!(test.aws.role_policies("r").unwrap().is_empty());
        change(&test, &cuts, foreign, Cut::EndedLease(tag('x'))).await.unwrap();
    }

    #[tokio::test]
    async fn a_policy_that_was_changed_by_hand_is_not_written_over() {
        let (test, cuts) = (TestAws::new(), SessionCuts::default());
        let arn = test.aws.create_role("r", 3_600).unwrap();
        let name = SessionDeny::policy_name(BROKER);
        let document = crate::aws::testing::DOCUMENT;
        let put = [("RoleName", "r"), ("PolicyName", &name), ("PolicyDocument", document)];
        test.aws.call("PutRolePolicy", &put).unwrap();
        let refused = change(&test, &cuts, &arn, Cut::Lease(tag('x'))).await.unwrap_err();
        assert!(refused.message.contains("help: delete it"), "{}", refused.message);
        assert_eq!(test.aws.role_policies("r").unwrap()[&name], document);
    }
}
