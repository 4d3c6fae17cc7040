//! Where log lines go. One line an event, on standard error; text for people, or JSON. Fields come
//! from the dictionary in `docs/LOGGING.md`. No other module sets up logging.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::Log;

/// Ours, which keep to the rule that no line carries a secret. Everyone else's lines are shown from
/// warnings on, whatever the level: the AWS SDK, for one, traces whole replies, secret keys included.
const OURS: [&str; 4] = ["leasehold", "guardrail_host", "iam_policy", "embedded_aws"];

/// Sends log lines to standard error. Called once; a second call changes nothing.
pub fn init(log: &Log) {
    let ansi = !log.json && std::io::stderr().is_terminal();
    // A second set-up in one process (tests) keeps the first: that is all that can fail here.
    drop(subscriber(log, ansi, std::io::stderr).try_init());
}

/// The subscriber that [`init`] installs, writing to `writer`; tests read what it writes.
pub fn subscriber<W>(log: &Log, ansi: bool, writer: W) -> Box<dyn tracing::Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let base = tracing_subscriber::fmt()
        .with_env_filter(filter(log.level))
        .with_writer(writer)
        .with_target(false);
    if log.json {
        Box::new(base.json().flatten_event(true).with_current_span(false).finish())
    } else {
        Box::new(base.with_ansi(ansi).finish())
    }
}

fn filter(level: tracing::Level) -> EnvFilter {
    let others = level.min(tracing::Level::WARN);
    // actix-http calls every stranger's broken request an error; nobody has to act on one.
    let ours = OURS.map(|target| format!("{target}={level}"));
    EnvFilter::new(format!("{others},actix_http=off,{}", ours.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_lines_follow_the_level() {
        let text = filter(tracing::Level::TRACE).to_string().to_lowercase();
        assert!(text.contains("leasehold=trace"), "{text}");
        assert!(text.split(',').any(|part| part == "warn"), "{text}");
        assert!(
            filter(tracing::Level::ERROR)
                .to_string()
                .to_lowercase()
                .split(',')
                .any(|part| part == "error")
        );
    }
}
