//! `sys/leases/accounts` (ours): the accounts of disabled mounts whose teardown still goes on. Only shapes live here; the
//! secret key goes in and never comes out. The rules are in [`crate::engine::removed_mounts`].

use serde::Serialize;

use super::aws_settings::{RootView, root_change};
use super::envelope::Answer;
use super::error::ApiError;
use super::pipeline::{Answered, Call};
use crate::engine::lease_query::QueryError;

/// LIST `leases/accounts`: ids of the mounts.
pub(super) async fn list(call: Call) -> Answered {
    let mounts = call.wire.engine.removed_mounts().await.map_err(QueryError::Store)?;
    Ok(Answer::keys(mounts.into_iter().map(|mount| mount.id.0).collect()))
}

#[derive(Serialize)]
struct View<'a> {
    mount: &'a str,
    unfinished: usize,
    accounts: Vec<&'a str>,
    #[serde(flatten)]
    root: Option<RootView<'a>>,
}

/// GET `leases/accounts/:mount_id`.
pub(super) async fn read(call: Call) -> Answered {
    let found = call.wire.engine.removed_mount(&call.captured).await.map_err(QueryError::Store)?;
    let found = found.ok_or(ApiError::NotFound)?;
    Answer::data(&View {
        mount: found.mount.path.as_str(),
        unfinished: found.unfinished,
        accounts: found.accounts.iter().map(String::as_str).collect(),
        root: found.binding.as_ref().map(RootView::new),
    })
}

/// POST and PUT `leases/accounts/:mount_id`, with the fields of `config/root`.
pub(super) async fn write(mut call: Call) -> Answered {
    let change = root_change(&mut call.fields);
    let is_there = call.wire.engine.write_removed_account(&call.captured, change).await?;
    if is_there { Ok(Answer::nothing()) } else { Err(ApiError::NotFound) }
}
