//! `sys/rotate` and `sys/key-status` (contract 2.6): a new key for what is sealed from now on, and which one is in use.
//! The keyring is [`crate::custody`]'s.

use serde::Serialize;

use super::envelope::Answer;
use super::pipeline::{Answered, Call};

/// PUT and POST `sys/rotate`.
pub(super) async fn rotate(call: Call) -> Answered {
    call.wire.custody.rotate().await?;
    Ok(Answer::nothing())
}

/// GET `sys/key-status`.
pub(super) async fn status(call: Call) -> Answered {
    #[derive(Serialize)]
    struct Data {
        term: u32,
        install_time: String,
        encryptions: u64,
    }
    let facts = call.wire.custody.term()?;
    Answer::data(&Data {
        term: facts.term,
        install_time: facts.installed_at.rfc3339(),
        encryptions: facts.sealed,
    })
}
