//! Who is calling, by the signing key: the administrator, a created user, or temporary credentials.
//! Must never let a deleted, inactive or unknown key pass. What the caller may do is decided in
//! [`crate::authorize`].

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use crate::ADMIN_USER;
use crate::error::AwsError;
use crate::handle::Options;
use crate::signature::Signed;
use crate::state::{AccessKey, Entity, Identity, Session, State};

/// Who is calling.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// Through the handle, or with a key that no user has or had.
    Admin { access_key_id: String },
    /// A user's own key. May be the administrator's, where the key was made here.
    User { name: String },
    /// Temporary credentials.
    Session(Session),
}

impl Caller {
    /// The user whose name is meant where a call gives none.
    pub(crate) fn user_name(&self) -> Option<&str> {
        match self {
            Self::Admin { .. } => Some(ADMIN_USER),
            Self::User { name } => Some(name),
            Self::Session(session) => match &session.identity {
                Identity::User { name } => Some(name),
                Identity::Role { .. } | Identity::Federated { .. } => None,
            },
        }
    }

    /// Finds out who signed.
    pub(crate) fn of(
        request: &HttpRequest,
        signed: &Signed,
        state: &mut State,
        options: &Options,
        now: i64,
    ) -> Result<Self, AwsError> {
        let id = &signed.access_key_id;
        let token = request.headers().get("x-amz-security-token");
        if let Some(session) = state.session(id) {
            return session_caller(request, signed, session, token, now);
        }
        if state.is_dead_key(id) {
            return Err(AwsError::invalid_client_token());
        }
        if let Some(user) = state.owner(id) {
            let spread =
                |key: &AccessKey| now >= key.created.saturating_add(options.keys_spread_after);
            let key = user.keys.iter().find(|key| key.id == *id && key.active && spread(key));
            let Some(key) = key.filter(|_| token.is_none()) else {
                return Err(AwsError::invalid_client_token());
            };
            if !signed.matches(request, &key.secret) {
                return Err(AwsError::signature_does_not_match());
            }
            return Ok(Self::User { name: user.name.clone() });
        }
        let admits = options.admin_keys.as_ref().is_none_or(|keys| keys.contains(id));
        // `ASIA` begins the id of temporary credentials: one that is not known is not ours.
        if !admits || id.is_empty() || id.starts_with("ASIA") {
            return Err(AwsError::invalid_client_token());
        }
        if !state.is_admin_key(id) {
            state.put(Entity::AdminKey(id.clone()));
        }
        Ok(Self::Admin { access_key_id: id.clone() })
    }
}

fn session_caller(
    request: &HttpRequest,
    signed: &Signed,
    session: &Session,
    token: Option<&str>,
    now: i64,
) -> Result<Caller, AwsError> {
    if token != Some(session.token.as_str()) {
        return Err(AwsError::invalid_client_token());
    }
    if now >= session.expires {
        return Err(AwsError::expired_token());
    }
    if !signed.matches(request, &session.secret) {
        return Err(AwsError::signature_does_not_match());
    }
    Ok(Caller::Session(session.clone()))
}
