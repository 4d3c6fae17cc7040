//! A job that `leasehold revoke` began: waited for until each of its leases had its first pass, and told. What fails then
//! is tried on by the server, which this says and does not wait for.

use std::io::{self, IsTerminal as _, Write};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::jobs;
use super::super::output::{self, Format};
use super::super::reconcile::{ShowError, text};
use super::{End, Revoking, some};

/// The first wait between two looks at a job, which doubles up to the second: a job of a few leases is over at once,
/// and one of many thousands is not worth a look more often.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

impl Revoking<'_> {
    /// Says where to look, or waits for the first pass over each lease.
    pub(super) fn follow(
        &self,
        job: &str,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> Result<End, ShowError> {
        if self.arguments.in_background {
            if self.arguments.format == Format::Json {
                output::json(out, &json!({ "job_id": job }))?;
            } else {
                writeln!(
                    out,
                    "job {job} revokes them; `leasehold jobs read {job}` tells how far it is"
                )?;
            }
            return Ok(End::Done);
        }
        if self.is_held() {
            writeln!(
                err,
                "job {job} revokes them once the quarantine is lifted\nhelp: `leasehold quarantine` tells why"
            )?;
            return Ok(End::Left);
        }
        let job = self.wait(job, err)?;
        if self.arguments.format == Format::Json {
            output::json(out, &job)?;
        } else {
            writeln!(out, "{}", told(&job))?;
        }
        Ok(if number(&job, "done") == number(&job, "total") { End::Done } else { End::Left })
    }

    /// Whether the server stands on a restored backup, where jobs wait for a word that may never come.
    fn is_held(&self) -> bool {
        let answer = self.remote.read("sys/leases/quarantine");
        answer.is_ok_and(|answer| answer.data.get("active") == Some(&Value::Bool(true)))
    }

    fn wait(&self, id: &str, err: &mut dyn Write) -> Result<Value, ShowError> {
        let is_watched = io::stderr().is_terminal();
        let (mut wait, mut shown) = (FIRST_WAIT, None);
        loop {
            let job = jobs::read(&self.remote, id)?;
            let gone = number(&job, "done");
            if is_watched && shown != Some(gone) {
                writeln!(err, "{gone} of {} gone", number(&job, "total"))?;
                shown = Some(gone);
            }
            if is_settled(&job) {
                return Ok(job);
            }
            thread::sleep(wait);
            wait = wait.saturating_mul(2).min(LONGEST_WAIT);
        }
    }
}

/// Whether a look later would tell the same: each lease had its first pass, or nobody works on them now.
fn is_settled(job: &Value) -> bool {
    let is_found = job.get("all_marked") == Some(&Value::Bool(true));
    text(job, "state") != "running" || is_found && number(job, "waiting") == 0
}

fn told(job: &Value) -> String {
    let (total, gone, id) = (number(job, "total"), number(job, "done"), text(job, "id"));
    let count = usize::try_from(total).unwrap_or(usize::MAX);
    if gone == total {
        return format!("revoked: {} (job {id})", some(count));
    }
    let why = match (text(job, "state").as_str(), jobs::errors(job)) {
        ("paused", _) => "the job is paused".to_owned(),
        (_, errors) if errors.is_empty() => "the rest is under way".to_owned(),
        (_, errors) => format!("the rest fails and is tried on: {errors}"),
    };
    format!(
        "revoked: {gone} of {}; {why}\nhelp: `leasehold jobs read {id}` tells how far it is",
        some(count)
    )
}

fn number(job: &Value, name: &str) -> u64 {
    job.get(name).and_then(Value::as_u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_waited_for_until_each_lease_had_its_first_pass() {
        let job = |state: &str, all: bool, waiting: u64, done: u64| {
            json!({ "id": "j", "state": state, "all_marked": all, "waiting": waiting, "done": done, "total": 3,
                "errors": if waiting == 0 && done < 3 { json!({ "AccessDenied": 3 - done }) } else { json!({}) } })
        };
        for (seen, settled) in [
            (job("running", false, 0, 3), false),
            (job("running", true, 1, 2), false),
            (job("running", true, 0, 1), true),
            (job("paused", false, 2, 1), true),
            (job("done", true, 0, 3), true),
        ] {
            assert_eq!(is_settled(&seen), settled, "{seen}");
        }
        assert_eq!(told(&job("done", true, 0, 3)), "revoked: 3 leases (job j)");
        let failing = told(&job("running", true, 0, 1));
        assert!(failing.starts_with(
            "revoked: 1 of 3 leases; the rest fails and is tried on: AccessDenied 2\nhelp: "
        ));
        assert!(told(&job("paused", false, 2, 1)).contains("the job is paused"));
    }
}
