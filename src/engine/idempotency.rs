//! `Idempotency-Key`: a request that is sent again gets the answer that it got, for a minute, from memory;
//! later it is told which lease it made. At most one lease ever comes of a key. Secrets are kept here and
//! nowhere else, and wiped when their minute is over. How a credential is issued is [`super::issue`]'s.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch;

use super::Engine;
use super::issue::{CredsEndpoint, IssueError, IssueRequest, Issued};
use crate::auth::Caller;
use crate::model::{LeaseState, MountId, RoleName, Timestamp};

/// How long an answer is kept: longer than a stock client goes on repeating a request (contract 0.3), and
/// what is promised to callers.
const KEPT: Duration = Duration::from_mins(1);
/// Answers that are kept at once: about 10 MB with session tokens; the oldest goes first. What goes early
/// is answered like what is older than a minute.
const MOST: usize = 4096;
/// Characters of a key.
const LONGEST: usize = 255;

/// What a caller sends to name a request: 1 to 255 visible ASCII characters.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// It is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Idempotency-Key must have 1 to 255 visible ASCII characters")]
pub struct BadKey;

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl FromStr for IdempotencyKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let fits = (1..=LONGEST).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadKey)
        }
    }
}

/// What makes two requests the same. The code of a second factor is no part of it: a request that is sent
/// again later shows another one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    mount: MountId,
    endpoint: CredsEndpoint,
    role: RoleName,
    ttl: Option<u64>,
    role_arn: Option<String>,
    role_session_name: Option<String>,
}

impl Asked {
    fn of(request: &IssueRequest) -> Self {
        let wishes = &request.wishes;
        Self {
            mount: request.mount.id.clone(),
            endpoint: request.endpoint,
            role: request.role.clone(),
            ttl: wishes.ttl,
            role_arn: wishes.role_arn.clone(),
            role_session_name: wishes.role_session_name.clone(),
        }
    }
}

/// A keyed digest of caller and key.
type Digest = [u8; 32];

/// Answers that may be asked for again.
#[derive(Debug, Default)]
pub(super) struct Answers(Arc<Table>);

#[derive(Debug, Default)]
struct Table(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    entries: HashMap<Digest, Entry>,
    /// Those that are done, the oldest first.
    done: VecDeque<(Timestamp, Digest)>,
}

#[derive(Debug)]
struct Entry {
    asked: Asked,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Somebody is at it; closes when they are done or have failed.
    Running(watch::Receiver<()>),
    Done(Arc<Issued>),
}

/// What becomes of a request with a key.
enum Entered {
    /// It is the first.
    First(Turn),
    /// Another one like it is under way.
    Wait(watch::Receiver<()>),
    /// It was answered.
    Again(Arc<Issued>),
    /// Its key is another request's.
    Other,
}

/// The right to make the one lease of a key; given back when dropped.
struct Turn {
    table: Arc<Table>,
    digest: Digest,
    is_done: bool,
    _running: watch::Sender<()>,
}

impl Table {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Drops what is over at `now`, and the oldest of what is too much.
    fn sweep(&mut self, now: Timestamp, most: usize) {
        while let Some((until, digest)) = self.done.front().copied() {
            if until > now && self.done.len() <= most {
                break;
            }
            self.done.pop_front();
            self.entries.remove(&digest);
        }
    }
}

impl Answers {
    fn enter(&self, digest: Digest, asked: &Asked, now: Timestamp) -> Entered {
        let mut kept = self.0.kept();
        kept.sweep(now, MOST);
        match kept.entries.get(&digest) {
            Some(entry) if entry.asked != *asked => return Entered::Other,
            Some(Entry { state: State::Running(running), .. }) => {
                return Entered::Wait(running.clone());
            }
            Some(Entry { state: State::Done(issued), .. }) => {
                return Entered::Again(Arc::clone(issued));
            }
            None => {}
        }
        let (sender, running) = watch::channel(());
        let entry = Entry { asked: asked.clone(), state: State::Running(running) };
        kept.entries.insert(digest, entry);
        let table = Arc::clone(&self.0);
        Entered::First(Turn { table, digest, is_done: false, _running: sender })
    }

    /// Forgets an answer before its time.
    fn forget(&self, digest: &Digest) {
        let mut kept = self.0.kept();
        kept.entries.remove(digest);
        kept.done.retain(|(_, done)| done != digest);
    }
}

impl Turn {
    /// Keeps the answer until its minute is over.
    fn done(mut self, issued: &Arc<Issued>, now: Timestamp) {
        self.is_done = true;
        let mut kept = self.table.kept();
        if let Some(entry) = kept.entries.get_mut(&self.digest) {
            entry.state = State::Done(Arc::clone(issued));
            kept.done.push_back((now.after(KEPT), self.digest));
        }
        kept.sweep(now, MOST);
        drop(kept);
        tokio::spawn(wipe_later(Arc::downgrade(&self.table), self.digest, Arc::downgrade(issued)));
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.is_done {
            self.table.kept().entries.remove(&self.digest);
        }
    }
}

/// Wipes an answer when its minute is over, whether or not anybody asks again.
#[expect(clippy::disallowed_methods, reason = "the timer by which secrets leave the memory")]
async fn wipe_later(table: Weak<Table>, digest: Digest, issued: Weak<Issued>) {
    tokio::time::sleep(KEPT).await;
    let Some(table) = table.upgrade() else {
        return;
    };
    let mut kept = table.kept();
    let is_the_same = kept.entries.get(&digest).is_some_and(|entry| match &entry.state {
        State::Done(kept) => std::ptr::eq(Arc::as_ptr(kept), issued.as_ptr()),
        State::Running(_) => false,
    });
    if is_the_same {
        kept.entries.remove(&digest);
        kept.done.retain(|(_, done)| *done != digest);
    }
}

impl Engine {
    /// As [`Engine::issue`], at most once for all requests of `caller` with this key. A request that fails
    /// does not use the key up.
    pub async fn issue_once(
        &self,
        caller: &Caller,
        request: IssueRequest,
        key: &IdempotencyKey,
    ) -> Result<Arc<Issued>, IssueError> {
        let of_caller = format!("{}\n{}", caller.accessor().0, key.0);
        let digest = self.parts.barrier.request_digest(of_caller.as_bytes())?;
        let asked = Asked::of(&request);
        loop {
            let turn = match self.answers.enter(digest, &asked, self.parts.clock.now()) {
                Entered::First(turn) => turn,
                Entered::Wait(mut running) => {
                    // Nothing is ever sent: it ends when the other one does.
                    while running.changed().await.is_ok() {}
                    continue;
                }
                Entered::Again(issued) => return self.again(digest, issued).await,
                Entered::Other => return Err(IssueError::KeyOfAnotherRequest),
            };
            self.check_unused(&digest).await?;
            let request = IssueRequest { request_key: Some(digest.to_vec()), ..request };
            let issued = Arc::new(self.issue(caller, request).await?);
            turn.done(&issued, self.parts.clock.now());
            return Ok(issued);
        }
    }

    /// The kept answer, unless its lease has ended meanwhile: nobody is given what no longer works.
    async fn again(&self, digest: Digest, issued: Arc<Issued>) -> Result<Arc<Issued>, IssueError> {
        let lease = self.parts.leases.get(&issued.lease).await?;
        let lives = lease.is_some_and(|lease| match lease.state {
            LeaseState::Active { expires_at, .. } => expires_at > self.parts.clock.now(),
            LeaseState::Pending | LeaseState::Revoking(_) | LeaseState::Revoked { .. } => false,
        });
        if lives {
            return Ok(issued);
        }
        self.answers.forget(&digest);
        Err(IssueError::KeyUsed { lease: issued.lease.clone() })
    }

    /// A lease that was handed out keeps the key, also after a restart. One that is still pending was left
    /// by a process that died, and gives it back when the next one begins.
    async fn check_unused(&self, digest: &Digest) -> Result<(), IssueError> {
        match self.parts.store.lease_of_request(digest).await? {
            Some(lease) if lease.state != LeaseState::Pending => {
                Err(IssueError::KeyUsed { lease: lease.id })
            }
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ttl_told::TtlTold;
    use crate::model::SecretAccessKey;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn issued() -> Arc<Issued> {
        Arc::new(Issued {
            lease: "aws/creds/r/abcdefghijklmnopqrstuvwx".parse().unwrap(),
            lease_duration: 60,
            renewable: true,
            access_key: "AKIA1".parse().unwrap(),
            secret_key: SecretAccessKey::new("secret"),
            session_token: None,
            arn: None,
            ttl: None,
            told: TtlTold::uncut(60),
            warnings: Vec::new(),
        })
    }

    fn asked() -> Asked {
        Asked {
            mount: MountId("m".into()),
            endpoint: CredsEndpoint::Creds,
            role: "r".parse().unwrap(),
            ttl: None,
            role_arn: None,
            role_session_name: None,
        }
    }

    fn digest(number: usize) -> Digest {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&number.to_be_bytes());
        digest
    }

    fn answer(answers: &Answers, number: usize) -> Arc<Issued> {
        let issued = issued();
        match answers.enter(digest(number), &asked(), NOW) {
            Entered::First(turn) => turn.done(&issued, NOW),
            Entered::Wait(_) | Entered::Again(_) | Entered::Other => panic!("it is the first"),
        }
        issued
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_leaves_the_memory_after_a_minute_also_when_nobody_asks() {
        let answers = Answers::default();
        let secret = Arc::downgrade(&answer(&answers, 1));
        tokio::task::yield_now().await;
        tokio::time::advance(KEPT.saturating_sub(Duration::from_millis(1))).await;
        tokio::task::yield_now().await;
        assert!(secret.upgrade().is_some());
        tokio::time::advance(Duration::from_millis(1)).await;
        tokio::task::yield_now().await;
        assert!(secret.upgrade().is_none());
        assert!(answers.0.kept().done.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_so_many_answers_are_kept_and_the_oldest_goes_first() {
        let answers = Answers::default();
        let kept: Vec<_> =
            (0..=MOST).map(|number| Arc::downgrade(&answer(&answers, number))).collect();
        assert!(kept[0].upgrade().is_none());
        assert!(kept[1..].iter().all(|secret| secret.upgrade().is_some()));
    }

    #[tokio::test]
    async fn a_turn_that_is_given_back_lets_the_next_one_in() {
        let answers = Answers::default();
        let Entered::First(turn) = answers.enter(digest(1), &asked(), NOW) else {
            panic!("it is the first");
        };
        let Entered::Wait(mut running) = answers.enter(digest(1), &asked(), NOW) else {
            panic!("it has to wait");
        };
        let other = Asked { ttl: Some(1), ..asked() };
        assert!(matches!(answers.enter(digest(1), &other, NOW), Entered::Other));
        drop(turn);
        assert!(running.changed().await.is_err());
        assert!(matches!(answers.enter(digest(1), &other, NOW), Entered::First(_)));
    }

    #[test]
    fn a_key_is_visible_ascii_and_never_printed() {
        let key: IdempotencyKey = "a-B_9~".parse().unwrap();
        assert_eq!(format!("{key:?}"), "[redacted]");
        for bad in ["", "a b", "a\n", "ü", &"k".repeat(256)] {
            assert_eq!(bad.parse::<IdempotencyKey>(), Err(BadKey));
        }
    }
}
