//! `Idempotency-Key`: a request that is sent again gets the answer that it got, for a minute, from memory;
//! later it is told which lease it made. At most one lease ever comes of a key. What is kept is
//! [`super::answers`]'; how a credential is issued is [`super::issue`]'s.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde_json::json;

use super::Engine;
use super::answers::{Digest, Entered};
use super::assume::SessionWishes;
use super::issue::{IssueError, IssueRequest, Issued};
use crate::auth::Caller;
use crate::metrics::Repeated;
use crate::model::LeaseState;

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

impl Engine {
    /// As [`Engine::issue`], at most once for all requests of `caller` with this key. A request that fails
    /// does not use the key up.
    pub async fn issue_once(
        &self,
        caller: &Caller,
        request: IssueRequest,
        key: &IdempotencyKey,
    ) -> Result<Arc<Issued>, IssueError> {
        let answered = self.once(caller, request, key).await;
        match &answered {
            Err(IssueError::KeyUsed { .. }) => self.deliveries.repeated(Repeated::TooLate),
            Err(IssueError::KeyOfAnotherRequest) => self.deliveries.repeated(Repeated::Mismatch),
            Ok(_) | Err(_) => {}
        }
        answered
    }

    async fn once(
        &self,
        caller: &Caller,
        request: IssueRequest,
        key: &IdempotencyKey,
    ) -> Result<Arc<Issued>, IssueError> {
        let of_caller = format!("{}\n{}", caller.accessor().0, key.0);
        let digest = self.parts.barrier.request_digest(of_caller.as_bytes())?;
        let asked = self.parts.barrier.request_digest(asked(&request).as_bytes())?;
        loop {
            let turn = match self.answers.enter(digest, asked, self.parts.clock.now()) {
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
            self.deliveries.repeated(Repeated::Replayed);
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

/// What makes two requests the same. The code of a second factor is no part of it: a request that is sent
/// again later shows another one.
fn asked(request: &IssueRequest) -> String {
    let IssueRequest { mount, endpoint, role, wishes, wrapped, request_key: _ } = request;
    let SessionWishes { ttl, role_arn, role_session_name, mfa_code: _ } = wishes;
    let (mount, endpoint, role) = (&mount.id.0, endpoint.as_str(), role.as_str());
    json!([mount, endpoint, role, ttl, role_arn, role_session_name, wrapped]).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii_and_never_printed() {
        let key: IdempotencyKey = "a-B_9~".parse().unwrap();
        assert_eq!(format!("{key:?}"), "[redacted]");
        for bad in ["", "a b", "a\n", "ü", &"k".repeat(256)] {
            assert_eq!(bad.parse::<IdempotencyKey>(), Err(BadKey));
        }
    }
}
