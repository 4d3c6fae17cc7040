//! `sys/leases/jobs` and `sys/leases/revoke-query`: ours alone, in the shape of Vault's reads, lists, writes and
//! deletes. Only shapes live here; what a job does is [`crate::leases::jobs`]'.

use std::collections::BTreeMap;

use serde::Serialize;

use super::envelope::Answer;
use super::pipeline::{Answered, Call};
use super::sys_lease_query::asked;
use crate::leases::jobs::named;
use crate::leases::{JobError, JobView};
use crate::model::{Job, JobId, JobScope, JobState, Timestamp};

/// POST and PUT `leases/revoke-query`: 202 with the name of the job.
pub(super) async fn revoke_query(mut call: Call) -> Answered {
    if let Some(unknown) = call.fields.take_rest().into_iter().map(|(name, _)| name).next() {
        return Err(JobError::UnknownTerm(unknown).into());
    }
    let filter = call.wire.engine.lease_filter(asked(&mut call.fields)).await?;
    let job = call.wire.leases.revoke_query(filter).await?;
    Answer::begun(&Begun { job_id: &job.0 })
}

/// LIST `leases/jobs`.
pub(super) async fn list(call: Call) -> Answered {
    let jobs = call.wire.leases.jobs().await?;
    Ok(Answer::keys(jobs.into_iter().map(|job| job.id.0).collect()))
}

/// GET `leases/jobs`: all jobs, without counting over their leases.
pub(super) async fn read_all(call: Call) -> Answered {
    let jobs = call.wire.leases.jobs().await?;
    Answer::data(&Jobs { jobs: jobs.iter().map(Head::new).collect() })
}

/// GET `leases/jobs/:id`.
pub(super) async fn read(call: Call) -> Answered {
    let view = call.wire.leases.job(&id(&call)).await?;
    Answer::data(&Shown::new(&view))
}

/// DELETE `leases/jobs/:id`; an unknown one is forgotten already.
pub(super) async fn forget(call: Call) -> Answered {
    call.wire.leases.forget_job(&id(&call)).await?;
    Ok(Answer::nothing())
}

/// POST and PUT `leases/jobs/:id/pause`.
pub(super) async fn pause(call: Call) -> Answered {
    call.wire.leases.pause_job(&id(&call)).await?;
    Ok(Answer::nothing())
}

/// POST and PUT `leases/jobs/:id/resume`.
pub(super) async fn resume(call: Call) -> Answered {
    call.wire.leases.resume_job(&id(&call)).await?;
    Ok(Answer::nothing())
}

fn id(call: &Call) -> JobId {
    JobId(call.captured.clone())
}

#[derive(Serialize)]
struct Begun<'a> {
    job_id: &'a str,
}

#[derive(Serialize)]
struct Jobs<'a> {
    jobs: Vec<Head<'a>>,
}

#[derive(Serialize)]
struct Head<'a> {
    id: &'a str,
    kind: &'static str,
    scope: &'a JobScope,
    state: JobState,
    all_marked: bool,
    total: u64,
    started_at: String,
    finished_at: Option<String>,
}

impl<'a> Head<'a> {
    fn new(job: &'a Job) -> Self {
        Self {
            id: &job.id.0,
            kind: named(job.kind),
            scope: &job.scope,
            state: job.state,
            all_marked: job.all_marked,
            total: job.marked,
            started_at: job.started_at.rfc3339(),
            finished_at: job.finished_at.map(Timestamp::rfc3339),
        }
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    contained: u64,
    done: u64,
    waiting: u64,
    failed: u64,
    errors: BTreeMap<String, u64>,
    current: Vec<&'a str>,
}

impl<'a> Shown<'a> {
    fn new(view: &'a JobView) -> Self {
        let progress = &view.progress;
        let errors = progress.failing.iter();
        Self {
            head: Head::new(&view.job),
            contained: progress.contained,
            done: progress.removed,
            waiting: progress.waiting,
            failed: errors.clone().fold(0, |sum, (_, number)| number.saturating_add(sum)),
            errors: errors.map(|(class, number)| (format!("{class:?}"), *number)).collect(),
            current: view.current.iter().map(crate::model::LeaseId::as_str).collect(),
        }
    }
}
