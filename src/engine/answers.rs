//! Answers that may be asked for again, by a digest of who asked and of the key that they named their
//! request with. In memory alone, bounded, and wiped when their minute is over, also when nobody asks.
//! When one may be given is [`super::idempotency`]'s.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch;

use super::issue::Issued;
use crate::model::Timestamp;

/// How long an answer is kept: longer than a stock client goes on repeating a request (contract 0.3), and
/// what is promised to callers.
const KEPT: Duration = Duration::from_mins(1);
/// Answers that are kept at once: about 10 MB with session tokens; the oldest goes first. What goes early
/// is answered like what is older than a minute.
const MOST: usize = 4096;

/// A keyed digest: of caller and key, or of what was asked, which may be as long as a request.
pub(super) type Digest = [u8; 32];

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
    asked: Digest,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Somebody is at it; closes when they are done or have failed.
    Running(watch::Receiver<()>),
    Done(Arc<Issued>),
}

/// What becomes of a request with a key.
pub(super) enum Entered {
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
pub(super) struct Turn {
    table: Arc<Table>,
    digest: Digest,
    is_done: bool,
    running: watch::Sender<()>,
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
    pub(super) fn enter(&self, digest: Digest, asked: Digest, now: Timestamp) -> Entered {
        let mut kept = self.0.kept();
        kept.sweep(now, MOST);
        match kept.entries.get(&digest) {
            Some(entry) if entry.asked != asked => return Entered::Other,
            Some(Entry { state: State::Running(running), .. }) => {
                return Entered::Wait(running.clone());
            }
            Some(Entry { state: State::Done(issued), .. }) => {
                return Entered::Again(Arc::clone(issued));
            }
            None => {}
        }
        let (sender, running) = watch::channel(());
        let entry = Entry { asked, state: State::Running(running) };
        kept.entries.insert(digest, entry);
        let table = Arc::clone(&self.0);
        Entered::First(Turn { table, digest, is_done: false, running: sender })
    }

    /// Forgets all answers before their time, also those that are still to come.
    pub(super) fn clear(&self) {
        *self.0.kept() = Kept::default();
    }

    /// Forgets an answer before its time.
    pub(super) fn forget(&self, digest: &Digest) {
        let mut kept = self.0.kept();
        kept.entries.remove(digest);
        kept.done.retain(|(_, done)| done != digest);
    }
}

impl Turn {
    /// Whether an entry is this turn's: it may have been forgotten meanwhile, and another one begun.
    fn is_of(&self, entry: &Entry) -> bool {
        match &entry.state {
            State::Running(running) => running.same_channel(&self.running.subscribe()),
            State::Done(_) => false,
        }
    }

    /// Keeps the answer until its minute is over, where nobody forgot it before it came.
    pub(super) fn done(mut self, issued: &Arc<Issued>, now: Timestamp) {
        self.is_done = true;
        let mut kept = self.table.kept();
        if let Some(entry) = kept.entries.get_mut(&self.digest).filter(|entry| self.is_of(entry)) {
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
        if self.is_done {
            return;
        }
        let mut kept = self.table.kept();
        if kept.entries.get(&self.digest).is_some_and(|entry| self.is_of(entry)) {
            kept.entries.remove(&self.digest);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ttl_told::TtlTold;
    use crate::model::SecretAccessKey;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);
    const ASKED: Digest = [1; 32];
    const OTHER: Digest = [2; 32];

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
            readiness: None,
            verdict: String::new(),
            warnings: Vec::new(),
        })
    }

    fn digest(number: usize) -> Digest {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&number.to_be_bytes());
        digest
    }

    fn answer(answers: &Answers, number: usize) -> Arc<Issued> {
        let issued = issued();
        match answers.enter(digest(number), ASKED, NOW) {
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
        let Entered::First(turn) = answers.enter(digest(1), ASKED, NOW) else {
            panic!("it is the first");
        };
        let Entered::Wait(mut running) = answers.enter(digest(1), ASKED, NOW) else {
            panic!("it has to wait");
        };
        assert!(matches!(answers.enter(digest(1), OTHER, NOW), Entered::Other));
        drop(turn);
        assert!(running.changed().await.is_err());
        assert!(matches!(answers.enter(digest(1), OTHER, NOW), Entered::First(_)));
    }
    /// Found by a review: what came after the broker was sealed was kept all the same.
    #[tokio::test]
    async fn what_was_forgotten_before_it_came_is_not_kept_nor_does_it_end_the_next() {
        let answers = Answers::default();
        let begin = || match answers.enter(digest(1), ASKED, NOW) {
            Entered::First(turn) => turn,
            Entered::Wait(_) | Entered::Again(_) | Entered::Other => panic!("it is the first"),
        };
        let (late, dropped) = (begin(), {
            answers.clear();
            begin()
        });
        answers.clear();
        let next = begin();
        late.done(&issued(), NOW);
        drop(dropped);
        assert!(matches!(answers.enter(digest(1), ASKED, NOW), Entered::Wait(_)));
        next.done(&issued(), NOW);
        assert!(matches!(answers.enter(digest(1), ASKED, NOW), Entered::Again(_)));
    }
}
