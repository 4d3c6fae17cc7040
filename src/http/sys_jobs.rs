//! `sys/leases/jobs` and `sys/leases/revoke-query`: ours alone, in the shape of Vault's reads, lists, writes and
//! deletes. Only shapes live here; what a job does is [`crate::leases::jobs`]'.

use std::collections::BTreeMap;

use serde::Serialize;

use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Fields, Kind, field};
use super::pipeline::{Answered, Call};
use crate::leases::JobView;
use crate::leases::jobs::named;
use crate::model::{Job, JobFilter, JobId, JobScope, JobState, Timestamp};

/// What a query takes; all of it must fit.
pub(super) const QUERY: &[Field] = &[
    field("caller", Kind::Text),
    field("accessor", Kind::Text),
    field("role", Kind::Text),
    field("role_version", Kind::Int),
    field("policy_digest", Kind::Text),
    field("verdict", Kind::Text),
    field("source", Kind::Text),
    field("account", Kind::Text),
    field("user", Kind::Text),
    field("user_id", Kind::Text),
    field("access_key", Kind::Text),
    field("mount", Kind::Text),
];

/// POST and PUT `leases/revoke-query`: 202 with the name of the job.
pub(super) async fn revoke_query(mut call: Call) -> Answered {
    let filter = filter(&mut call.fields)?;
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

fn filter(fields: &mut Fields) -> Result<JobFilter, ApiError> {
    let bad = |name, sent: &dyn std::fmt::Display| ApiError::QueryValue(name, sent.to_string());
    let role_version = match fields.int("role_version") {
        None => None,
        Some(number) => {
            Some(u64::try_from(number).map_err(|_negative| bad("role_version", &number))?)
        }
    };
    let source = match fields.filled_text("source") {
        None => None,
        Some(text) => Some(text.parse().map_err(|_invalid| bad("source", &text))?),
    };
    let mount = match fields.filled_text("mount") {
        None => None,
        Some(text) => {
            let path = format!("{}/", text.trim_end_matches('/'));
            Some(path.parse().map_err(|_invalid| bad("mount", &text))?)
        }
    };
    Ok(JobFilter {
        caller: fields.filled_text("caller"),
        accessor: fields.filled_text("accessor"),
        role: fields.filled_text("role"),
        role_version,
        policy_digest: fields.filled_text("policy_digest"),
        verdict: fields.filled_text("verdict"),
        source,
        account: fields.filled_text("account"),
        user: fields.filled_text("user"),
        user_id: fields.filled_text("user_id"),
        access_key: fields.filled_text("access_key"),
        mount,
    })
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
