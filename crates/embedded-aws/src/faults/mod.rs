//! Breaks the connection to AWS on purpose: before AWS acted, after it, with AWS's own errors, for a
//! while or until released. Works around any SDK HTTP client; must never sleep or read a clock. What a
//! call is called is read from its form as in [`crate::EmbeddedAws`].

mod script;
mod wire;

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use tokio::sync::Notify;

use crate::form::Parameters;
use script::Script;
pub use script::Times;
use wire::FaultyClient;

/// What happens to a call instead of reaching AWS and coming back.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Fault {
    /// The connection is refused: AWS never saw the call. (`ConnectorError::io`, and like the SDK's own client
    /// it does not say that there never was a connection: before and after look the same.)
    LostBefore,
    /// AWS acted, and the connection broke before the answer. (`ConnectorError::io`)
    LostAfter,
    /// AWS acted, and the answer did not come in time. (`ConnectorError::timeout`)
    TimeoutAfter,
    /// AWS did not act, and that looks like a time-out.
    TimeoutBefore,
    /// AWS refuses for certain, without acting.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// The error code.
        code: String,
        /// The sentence.
        message: String,
    },
    /// `Throttling`, 400: AWS did not act.
    Throttle,
    /// 500 `InternalFailure` or 503 `ServiceUnavailable` without having acted: the caller can't know.
    ServerErrorBefore(u16),
    /// 500 or 503 after having acted: the caller can't know.
    ServerErrorAfter(u16),
    /// No answer ever, and AWS did not act: what a power cut looks like to the test.
    SilentBefore,
    /// No answer ever, and AWS acted.
    SilentAfter,
    /// The call waits at the gate, then goes its way.
    Hold(Gate),
    /// AWS acts, then the answer waits at the gate.
    HoldAnswer(Gate),
}

impl Fault {
    /// A certain refusal with AWS's usual sentence left out.
    pub fn refuse(status: u16, code: &str) -> Self {
        Self::Refuse { status, code: code.to_owned(), message: format!("{code} (injected)") }
    }
}

/// A place where a call waits until the test lets it go. Clones are the same gate.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    arrived: Arc<Notify>,
    released: Arc<Notify>,
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits until a call stands at the gate. Each arrival is reported once.
    pub async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Lets one call through: the one that waits, or the next to come.
    pub fn release(&self) {
        self.released.notify_one();
    }

    async fn pass(&self) {
        self.arrived.notify_one();
        self.released.notified().await;
    }
}

/// A call on its way to AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The number of the call since the start (or [`FaultyHttp::clear_calls`]), from 0.
    pub number: usize,
    /// The operation, such as `CreateUser`.
    pub action: String,
    /// Its parameters, decoded, without `Action` and `Version`.
    pub parameters: Parameters,
}

/// A call that was made, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenCall {
    /// The call.
    pub call: Call,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is on its way, is held, or will never be answered; or its caller stopped waiting.
    Open,
    /// The caller got this HTTP status.
    Answered(u16),
    /// The caller got a connection error.
    Lost,
}

/// What a hook makes of a call.
#[derive(Debug, Clone)]
pub enum Decision {
    /// As the script says, else to AWS.
    Pass,
    /// This fault, whatever the script says.
    Fault(Fault),
}

/// Decides call by call; see [`FaultyHttp::on_call`].
pub type Hook = Box<dyn Fn(&Call) -> Decision + Send + Sync>;

/// A decorator over an SDK HTTP client, and the handle on its script. Clones share the script.
#[derive(Debug, Clone)]
pub struct FaultyHttp {
    inner: SharedHttpClient,
    script: Arc<Script>,
}

impl FaultyHttp {
    /// Around `inner`, with nothing broken yet.
    pub fn new(inner: SharedHttpClient) -> Self {
        Self { inner, script: Arc::new(Script::default()) }
    }

    /// The HTTP client to give to the SDK.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(FaultyClient::new(self.inner.clone(), Arc::clone(&self.script)))
    }

    /// Breaks the calls of `action` (`*` for all) that `times` names, counted from now.
    pub fn inject(&self, action: &str, times: Times, fault: Fault) {
        self.script.inject(action, times, fault);
    }

    /// Breaks the next call of `action`.
    pub fn fail_next(&self, action: &str, fault: Fault) {
        self.inject(action, Times::Nth(1), fault);
    }

    /// Breaks the `nth` call of `action` from now, counted from 1.
    pub fn fail_nth(&self, action: &str, nth: usize, fault: Fault) {
        self.inject(action, Times::Nth(nth), fault);
    }

    /// Breaks every call of `action` until [`Self::heal`].
    pub fn fail_every(&self, action: &str, fault: Fault) {
        self.inject(action, Times::Every, fault);
    }

    /// Holds the next call of `action` at the gate that this gives.
    pub fn hold_next(&self, action: &str) -> Gate {
        let gate = Gate::new();
        self.fail_next(action, Fault::Hold(gate.clone()));
        gate
    }

    /// From now on the first `reads` reads about each fresh user answer `NoSuchEntity`, and the first
    /// `reads` calls of `GetCallerIdentity` with each fresh key `InvalidClientTokenId`, as while IAM
    /// has not spread the news. 0 ends it. Writes see the user at once.
    pub fn hide_fresh_user(&self, reads: usize) {
        self.script.hide_fresh(reads);
    }

    /// Asks `hook` about every call, before the script. It must not call back into this handle.
    pub fn on_call(&self, hook: Hook) {
        self.script.set_hook(Some(hook));
    }

    /// Forgets all faults and the hook; calls stay on record.
    pub fn heal(&self) {
        self.script.heal();
    }

    /// Every call since the start, oldest first, with its outcome.
    pub fn calls(&self) -> Vec<SeenCall> {
        self.script.calls()
    }

    /// The actions of [`Self::calls`] in order.
    pub fn actions(&self) -> Vec<String> {
        self.calls().into_iter().map(|seen| seen.call.action).collect()
    }

    /// Forgets the record and counts calls from 0 again.
    pub fn clear_calls(&self) {
        self.script.clear_calls();
    }

    /// [`Self::heal`] and [`Self::clear_calls`].
    pub fn reset(&self) {
        self.heal();
        self.clear_calls();
    }
}
