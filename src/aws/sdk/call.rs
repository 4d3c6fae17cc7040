//! One call to IAM: wait for the account's pace, send, read what came back, repeat where that is
//! safe. Must never repeat a creation that may have happened: its second answer, "already exists",
//! would look like a refusal. What a failure means: [`crate::aws::classify`].

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_iam::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use tokio::time::Instant;

use super::SdkProvider;
use crate::aws::classify::{Again, Failure, Seen, classify};
use crate::aws::limiter::{Class, Limiter};
use crate::aws::{AwsError, Operation, RefusalKind};
use crate::clock::Clock;
use crate::model::Timestamp;

/// A call, and how it may be treated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    operation: Operation,
    class: Class,
    repeatable: Repeatable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeatable {
    /// Twice is as good as once.
    Yes,
    /// Only where AWS certainly did nothing.
    OnlyUntouched,
}

impl Call {
    /// Makes something new, for somebody who waits.
    pub(super) const fn creating(operation: Operation) -> Self {
        Self { operation, class: Class::Issue, repeatable: Repeatable::OnlyUntouched }
    }

    /// Sets or reads something, for somebody who waits.
    pub(super) const fn issuing(operation: Operation) -> Self {
        Self { operation, class: Class::Issue, repeatable: Repeatable::Yes }
    }

    /// Looks or removes on the way of a teardown.
    pub(super) const fn cleaning(operation: Operation) -> Self {
        Self { operation, class: Class::CleanUp, repeatable: Repeatable::Yes }
    }

    /// An answer that has not what it must have.
    pub(super) fn incomplete(self, what: &str) -> AwsError {
        AwsError::Unclear {
            operation: self.operation,
            message: format!("the answer has no {what}"),
        }
    }
}

/// The way to one service of one account: its pace, how often a call is sent, what came of it.
pub(super) struct Line {
    limiter: Arc<Limiter>,
    clock: Arc<dyn Clock>,
    /// How often a call is sent at most.
    attempts: u32,
    /// Milliseconds; `i64::MIN` before the first success.
    last_success: AtomicI64,
    /// Counts the waits between attempts, so that concurrent callers spread.
    waits: AtomicU64,
}

impl SdkProvider {
    /// Sends until there is an answer that counts.
    pub(super) async fn call<T, E, Sent>(
        &self,
        call: Call,
        send: impl Fn() -> Sent + Send + Sync,
    ) -> Result<T, AwsError>
    where
        Sent: Future<Output = Result<T, SdkError<E>>> + Send,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        T: Send,
    {
        self.line.call(call, send).await
    }
}

impl Line {
    pub(super) fn new(limiter: Arc<Limiter>, clock: Arc<dyn Clock>, attempts: u32) -> Self {
        let last_success = AtomicI64::new(i64::MIN);
        Self { limiter, clock, attempts, last_success, waits: AtomicU64::new(0) }
    }

    /// When the last successful call was.
    pub(super) fn last_success(&self) -> Option<Timestamp> {
        let at = self.last_success.load(Ordering::Relaxed);
        (at != i64::MIN).then(|| Timestamp::from_millis(at))
    }

    /// Sends until there is an answer that counts.
    pub(super) async fn call<T, E, Sent>(
        &self,
        call: Call,
        send: impl Fn() -> Sent + Send + Sync,
    ) -> Result<T, AwsError>
    where
        Sent: Future<Output = Result<T, SdkError<E>>> + Send,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        T: Send,
    {
        let mut attempt: u32 = 1;
        // What AWS may have seen of a creation after all: a later refusal, such as "already exists",
        // does not say that nothing was made.
        let mut doubt = None;
        loop {
            self.limiter.turn(call.class).await;
            let started = Instant::now();
            let result = Box::pin(send()).await;
            let took = started.elapsed();
            let failure = match result {
                Ok(answer) => {
                    self.limiter.calls.answered(call.operation, "ok", took);
                    self.last_success.store(self.clock.now().as_millis(), Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(error) => understood(call.operation, &error),
            };
            self.limiter.calls.answered(call.operation, outcome(&failure.error), took);
            if is(&failure.error, RefusalKind::Throttled) {
                self.limiter.throttled();
            }
            let repeat = match failure.again {
                Again::Pointless => false,
                Again::Harmless => true,
                Again::IfRepeatable => call.repeatable == Repeatable::Yes,
            };
            if !repeat || attempt >= self.attempts {
                return Err(doubt.unwrap_or(failure.error));
            }
            if call.repeatable == Repeatable::OnlyUntouched
                && matches!(failure.error, AwsError::Unclear { .. })
            {
                doubt = Some(failure.error);
            }
            self.wait_after(attempt).await;
            attempt = attempt.saturating_add(1);
        }
    }

    /// 100 ms, doubled with each attempt up to 5 s, times 0.5 to 1: for a hiccup. Slowness that lasts
    /// is the limiter's and the reaper's matter.
    #[expect(clippy::disallowed_methods, reason = "back-off between attempts")]
    async fn wait_after(&self, attempt: u32) {
        let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
        let full = Duration::from_millis(100).saturating_mul(doubled).min(Duration::from_secs(5));
        // Multiples of the golden ratio spread callers evenly, without a generator.
        let turn = u32::try_from(self.waits.fetch_add(1, Ordering::Relaxed) % 1024).unwrap_or(0);
        let spread = (f64::from(turn) * 0.618_033_988_749_895).fract();
        tokio::time::sleep(full.mul_f64(0.5 + spread / 2.0)).await;
    }
}

/// For the count of calls.
fn outcome(error: &AwsError) -> &'static str {
    match error {
        AwsError::Unclear { .. } => "unclear",
        AwsError::NotConfigured(_) => "not_sent",
        AwsError::Refused { kind, .. } => match kind {
            RefusalKind::Absent => "absent",
            RefusalKind::Exists => "exists",
            RefusalKind::StillOwns => "still_owns",
            RefusalKind::Throttled => "throttled",
            RefusalKind::AccessDenied => "access_denied",
            RefusalKind::BadCredentials => "bad_credentials",
            RefusalKind::Quota => "quota",
            RefusalKind::Invalid => "invalid",
            RefusalKind::Other => "refused",
        },
    }
}

/// Whether AWS refused in this way.
pub(super) fn is(error: &AwsError, wanted: RefusalKind) -> bool {
    matches!(error, AwsError::Refused { kind, .. } if *kind == wanted)
}

/// On a look, what is not there is `None`.
pub(super) fn absent_is_none<T>(result: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if is(&error, RefusalKind::Absent) => Ok(None),
        Err(error) => Err(error),
    }
}

/// One page of a list.
pub(super) struct Page<T> {
    items: Vec<T>,
    next: Option<String>,
}

impl<T> Page<T> {
    /// What a page holds, and how IAM says that there are more.
    pub(super) fn new(items: Vec<T>, is_truncated: bool, marker: Option<&str>) -> Self {
        Self { items, next: marker.filter(|_| is_truncated).map(str::to_owned) }
    }
}

/// All pages of a list.
pub(super) async fn every_page<T, Read>(
    read: impl Fn(Option<String>) -> Read,
) -> Result<Vec<T>, AwsError>
where
    Read: Future<Output = Result<Page<T>, AwsError>>,
{
    let mut all = Vec::new();
    let mut marker = None;
    loop {
        let page = read(marker).await?;
        all.extend(page.items);
        marker = page.next;
        if marker.is_none() {
            return Ok(all);
        }
    }
}

/// Reads the SDK's error into the table's words.
fn understood<E>(operation: Operation, error: &SdkError<E>) -> Failure
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let detail = || DisplayErrorContext(error).to_string();
    match error {
        SdkError::ConstructionFailure(_) => classify(operation, Seen::NotBuilt(&detail())),
        SdkError::TimeoutError(_) => classify(operation, Seen::TimedOut),
        SdkError::DispatchFailure(failure) => {
            let source =
                failure.as_connector_error().map(|error| -> &(dyn Error + 'static) { error });
            if in_chain(source, <dyn Error>::is::<CredentialsError>) {
                classify(operation, Seen::NoCredentials(&innermost(source)))
            } else if in_chain(source, was_never_connected) {
                classify(operation, Seen::NoConnection(&innermost(source)))
            } else if failure.is_timeout() {
                classify(operation, Seen::TimedOut)
            } else {
                classify(operation, Seen::Broken(&innermost(source)))
            }
        }
        SdkError::ServiceError(answer) => classify(
            operation,
            Seen::Answer {
                status: answer.raw().status().as_u16(),
                code: answer.err().code().filter(|code| !code.is_empty()),
                message: answer.err().message(),
            },
        ),
        // An answer that is not AWS's; `SdkError` may also grow.
        SdkError::ResponseError(_) | _ => classify(operation, Seen::Broken("an unreadable answer")),
    }
}

/// hyper-util's error of a connection that was never made (`client/legacy/client.rs`) is known by its
/// text; the type is not exported by the SDK. A change of the text would cost a repetition, no more.
fn was_never_connected(error: &(dyn Error + 'static)) -> bool {
    error.to_string().starts_with("client error (Connect)")
}

fn chain<'a>(
    first: Option<&'a (dyn Error + 'static)>,
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(first, |error: &&'a (dyn Error + 'static)| (**error).source())
}

fn in_chain(
    first: Option<&(dyn Error + 'static)>,
    test: impl Fn(&(dyn Error + 'static)) -> bool,
) -> bool {
    chain(first).any(test)
}

/// The cause at the bottom says it best: `connection refused` rather than `dispatch failure`.
fn innermost(first: Option<&(dyn Error + 'static)>) -> String {
    chain(first).last().map_or_else(|| "unknown".to_owned(), ToString::to_string)
}
