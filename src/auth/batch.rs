//! Batch tokens (contract 3.2): everything about one is sealed in itself, so that making one writes nothing. It is
//! never renewed, revoked or listed, makes no other tokens, and has no accessor to show; leases hang on its
//! parent, and end with it in any case. It opens nothing once its parent, its auth mount or its time is gone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::token::Granted;
use super::{Auth, AuthError};
use crate::model::{
    Accessor, ClientToken, EntityId, Login, Network, Timestamp, Token, TokenDigest, TokenKind,
};
use crate::seal::SealError;

/// What is sealed. Short names: the token is sent with each request.
#[derive(Debug, Serialize, Deserialize)]
struct Body {
    #[serde(rename = "i")]
    handle: Accessor,
    #[serde(rename = "u", skip_serializing_if = "Option::is_none")]
    parent: Option<TokenDigest>,
    #[serde(rename = "p")]
    policies: Vec<String>,
    #[serde(rename = "n")]
    display_name: String,
    #[serde(rename = "m", skip_serializing_if = "Option::is_none")]
    meta: Option<BTreeMap<String, String>>,
    #[serde(rename = "w")]
    path: String,
    #[serde(rename = "c")]
    created_at: Timestamp,
    #[serde(rename = "t")]
    ttl: u64,
    #[serde(rename = "b", default, skip_serializing_if = "Vec::is_empty")]
    bound_cidrs: Vec<Network>,
    #[serde(rename = "l", skip_serializing_if = "Option::is_none")]
    login: Option<Login>,
    #[serde(rename = "r", skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(rename = "e", skip_serializing_if = "Option::is_none")]
    entity: Option<EntityId>,
}

impl Body {
    fn of(token: &Token) -> Self {
        Self {
            handle: token.accessor.clone(),
            parent: token.parent.clone(),
            policies: token.policies.clone(),
            display_name: token.display_name.clone(),
            meta: token.meta.clone(),
            path: token.path.clone(),
            created_at: token.created_at,
            ttl: token.creation_ttl,
            bound_cidrs: token.bound_cidrs.clone(),
            login: token.login.clone(),
            role: token.role.clone(),
            entity: token.entity.clone(),
        }
    }

    fn into_token(self, digest: TokenDigest) -> Token {
        Token {
            digest,
            accessor: self.handle,
            parent: self.parent,
            policies: self.policies,
            display_name: self.display_name,
            meta: self.meta,
            path: self.path,
            num_uses: 0,
            created_at: self.created_at,
            creation_ttl: self.ttl,
            expires_at: Some(self.created_at.after(Duration::from_secs(self.ttl))),
            explicit_max_ttl: 0,
            period: 0,
            renewable: false,
            last_renewal: None,
            ended_at: None,
            bound_cidrs: self.bound_cidrs,
            login: self.login,
            kind: TokenKind::Batch,
            role: self.role,
            entity: self.entity,
        }
    }
}

impl Auth {
    /// Seals a token into itself.
    pub(super) fn sealed_batch(
        &self,
        token: Token,
        warnings: Vec<String>,
    ) -> Result<Granted, AuthError> {
        let body = serde_json::to_vec(&Body::of(&token)).map_err(|_unwritable| unreadable())?;
        let client_token = self.parts.barrier.batch_token(&body)?;
        let digest = self.parts.barrier.token_digest(&client_token)?;
        let token = Token { digest, renewable: false, ..token };
        let identity_policies = Vec::new();
        Ok(Granted { client_token: Some(client_token), token, warnings, identity_policies })
    }

    /// What a batch token says, and the accessor of its parent; `None` of any other token.
    pub(super) async fn opened(
        &self,
        token: &ClientToken,
    ) -> Result<Option<(Token, Option<Accessor>)>, AuthError> {
        let body = match self.parts.barrier.open_batch_token(token) {
            Ok(None) => return Ok(None),
            Ok(Some(body)) => body,
            Err(SealError::NotOpened { .. }) => return Err(AuthError::InvalidToken),
            Err(error) => return Err(error.into()),
        };
        let body: Body = serde_json::from_slice(&body).map_err(|_not_ours| unreadable())?;
        let token = body.into_token(self.parts.barrier.token_digest(token)?);
        let now = self.parts.clock.now();
        if token.expires_at.is_none_or(|end| end <= now) || !self.mount_stands(&token) {
            return Err(AuthError::InvalidToken);
        }
        let Some(parent) = &token.parent else {
            return Ok(Some((token, None)));
        };
        let parent: Arc<Token> = self.live(parent).await?.ok_or(AuthError::InvalidToken)?;
        Ok(Some((token, Some(parent.accessor.clone()))))
    }

    fn mount_stands(&self, token: &Token) -> bool {
        let mounts = self.auth_mounts();
        let stands = |login: &Login| mounts.iter().any(|mount| mount.id == login.mount);
        token.login.as_ref().is_none_or(stands)
    }
}

fn unreadable() -> AuthError {
    SealError::NotOpened { context: "batch token".to_owned() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_all_of_the_token() {
        let body = Body {
            handle: Accessor("a".into()),
            parent: Some(TokenDigest("p".into())),
            policies: vec!["ci".into(), "default".into()],
            display_name: "token-ci".into(),
            meta: Some([("k".to_owned(), "v".to_owned())].into()),
            path: "auth/token/create".into(),
            created_at: Timestamp::from_millis(5_000),
            ttl: 60,
            bound_cidrs: vec!["10.0.0.0/8".parse().unwrap()],
            login: None,
            role: Some("r".into()),
            entity: Some(EntityId("e".into())),
        };
        let token = body.into_token(TokenDigest("d".into()));
        assert_eq!(token.expires_at, Some(Timestamp::from_millis(65_000)));
        let text = serde_json::to_vec(&Body::of(&token)).unwrap();
        let again: Body = serde_json::from_slice(&text).unwrap();
        assert_eq!(again.into_token(TokenDigest("d".into())), token);
    }
}
