//! What an answer looks like on the wire (contract 0.2): the envelope around data, auth and leases, and
//! the bare bodies. One of the three places that may call `expose()`. Errors: [`super::error`].

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::error::ApiError;
use super::inject::inject;
use super::token_view::{AuthData, LookupData};
use super::wrapping::HandedOut;
use crate::auth::methods::approle::GivenSecretId;
use crate::auth::{Granted, TokenLookup};
use crate::engine::issue::Issued;
use crate::engine::readiness::ReadinessReport;
use crate::engine::static_roles::StaticCredentials;
use crate::model::{ClientToken, SessionToken, Timestamp, TokenKind};

/// JSON that is written already.
pub type Json = Box<RawValue>;

/// What a handler answers.
#[derive(Debug)]
pub struct Answer {
    content: Content,
    warnings: Vec<String>,
    lease: Option<LeaseHead>,
    handed_out: HandedOut,
    /// Digests of the verdicts that let it come to this.
    pub(super) verdicts: Vec<String>,
}

#[derive(Debug)]
enum Content {
    /// 204.
    Nothing,
    /// 202, with no body.
    Accepted,
    /// 202, with an envelope and `data`.
    Begun(Json),
    /// An envelope whose `data` is null.
    Envelope,
    /// The same with 202.
    AcceptedEnvelope,
    /// An envelope with `data`.
    Data(Json),
    /// An envelope with `data.keys`; 404 when there are none and nothing else is to be said.
    Keys(Vec<String>),
    /// An envelope with `auth`.
    Auth(Json),
    /// No envelope; with its status.
    Bare(u16, Json),
    /// No JSON: status, type, body.
    Text(u16, &'static str, String),
}

#[derive(Debug)]
struct LeaseHead {
    id: String,
    renewable: bool,
    duration: u64,
}

impl Answer {
    fn of(content: Content) -> Self {
        let (warnings, verdicts) = (Vec::new(), Vec::new());
        Self { content, warnings, lease: None, handed_out: HandedOut::default(), verdicts }
    }

    /// With the digests of the verdicts that let it come to this: told in a header, which no client minds.
    #[must_use]
    pub fn judged(self, verdicts: Vec<String>) -> Self {
        Self { verdicts, ..self }
    }

    /// Done, nothing to say: 204.
    pub fn nothing() -> Self {
        Self::of(Content::Nothing)
    }

    /// Will be done: 202 without a body.
    pub fn accepted() -> Self {
        Self::of(Content::Accepted)
    }

    /// Will be done: 202 with `data` that says where to look.
    pub fn begun(data: &impl Serialize) -> Result<Self, ApiError> {
        Ok(Self::of(Content::Begun(json(data)?)))
    }

    /// Will be done: 202 with a warning that says so.
    pub fn accepted_saying(warning: &str) -> Self {
        Self { warnings: vec![warning.to_owned()], ..Self::of(Content::AcceptedEnvelope) }
    }

    /// Done: 204, or 200 with `data: null` where there are warnings.
    pub fn done(warnings: Vec<String>) -> Self {
        let content = if warnings.is_empty() { Content::Nothing } else { Content::Envelope };
        Self { warnings, ..Self::of(content) }
    }

    /// 200 with `data`.
    pub fn data(data: &impl Serialize) -> Result<Self, ApiError> {
        Ok(Self::of(Content::Data(json(data)?)))
    }

    /// A list.
    pub fn keys(keys: Vec<String>) -> Self {
        Self::of(Content::Keys(keys))
    }

    /// 200 without an envelope.
    pub fn bare(body: &impl Serialize) -> Result<Self, ApiError> {
        Self::bare_with(200, body)
    }

    /// Any status, without an envelope.
    pub fn bare_with(status: u16, body: &impl Serialize) -> Result<Self, ApiError> {
        Ok(Self::of(Content::Bare(status, json(body)?)))
    }

    /// A text of another type than JSON.
    pub fn text(status: u16, content_type: &'static str, body: String) -> Self {
        Self::of(Content::Text(status, content_type, body))
    }

    /// The type of its body.
    pub fn content_type(&self) -> &'static str {
        match &self.content {
            Content::Text(_, content_type, _) => content_type,
            Content::Nothing
            | Content::Accepted
            | Content::Bare(..)
            | Content::Envelope
            | Content::AcceptedEnvelope
            | Content::Begun(_)
            | Content::Data(_)
            | Content::Keys(_)
            | Content::Auth(_) => super::reply::JSON,
        }
    }

    /// A renewed lease: `data` is null.
    pub fn renewed(id: String, duration: u64, warnings: Vec<String>) -> Self {
        let lease = Some(LeaseHead { id, renewable: true, duration });
        Self { warnings, lease, ..Self::of(Content::Envelope) }
    }

    /// Credentials under a lease. The secret half is written here and nowhere else.
    pub fn issued(issued: &Issued) -> Result<Self, ApiError> {
        let session = issued.session_token.as_ref().map(SessionToken::expose);
        let data = IssuedData {
            access_key: issued.access_key.as_str(),
            secret_key: issued.secret_key.expose(),
            security_token: session,
            session_token: session,
            arn: issued.arn.as_deref(),
            ttl: issued.ttl,
            requested_ttl: issued.told.requested,
            granted_ttl: issued.told.granted,
            limited_by: issued.told.limited_by.as_str(),
            readiness: issued.readiness.as_ref(),
        };
        let lease = LeaseHead {
            id: issued.lease.to_string(),
            renewable: issued.renewable,
            duration: issued.lease_duration,
        };
        let warnings = issued.warnings.clone();
        let handed_out = HandedOut { lease: Some(issued.lease.clone()), ..HandedOut::default() };
        let verdicts = vec![issued.verdict.clone()];
        let content = Content::Data(json(&data)?);
        Ok(Self { content, warnings, lease: Some(lease), handed_out, verdicts })
    }

    /// The key of a static role: under no lease. Its secret half is written here and nowhere else.
    pub fn static_credentials(credentials: &StaticCredentials) -> Result<Self, ApiError> {
        #[derive(Serialize)]
        struct Data<'a> {
            access_key: &'a str,
            secret_key: &'a str,
            expiration: Option<String>,
        }
        Self::data(&Data {
            access_key: credentials.access_key.as_str(),
            secret_key: credentials.secret_key.expose(),
            expiration: credentials.expiration.map(Timestamp::rfc3339),
        })
    }

    /// A token that was made or renewed; `own` is what the caller sent, where it is the same token.
    pub fn granted(
        granted: &Granted,
        own: Option<&ClientToken>,
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        let shown = Shown(granted.client_token.as_ref().or(own));
        let (more, lasts) = (&granted.identity_policies, granted.lease_duration(now));
        let auth = AuthData::new(&granted.token, more, shown, lasts);
        let warnings = granted.warnings.clone();
        // A batch token cannot be taken back.
        let is_new = granted.client_token.is_some() && granted.token.kind == TokenKind::Service;
        let accessor = is_new.then(|| granted.token.accessor.clone());
        let handed_out = HandedOut { accessor, ..HandedOut::default() };
        Ok(Self { warnings, handed_out, ..Self::of(Content::Auth(json(&auth)?)) })
    }

    /// A secret id of AppRole: written here and nowhere else.
    pub fn secret_id(given: &GivenSecretId) -> Result<Self, ApiError> {
        #[derive(Serialize)]
        #[expect(clippy::struct_field_names, reason = "the names of the wire")]
        struct Data<'a> {
            secret_id: &'a str,
            secret_id_accessor: &'a str,
            secret_id_ttl: u64,
            secret_id_num_uses: i64,
        }
        let handed_out =
            HandedOut { secret_id: Some(given.stored.accessor.clone()), ..HandedOut::default() };
        let answer = Self::data(&Data {
            secret_id: given.secret_id.expose(),
            secret_id_accessor: &given.stored.accessor.0,
            secret_id_ttl: given.stored.ttl,
            secret_id_num_uses: given.stored.uses_left,
        })?;
        Ok(Self { handed_out, ..answer })
    }

    /// A token that was looked up; `id` is the token itself, where it was sent.
    pub fn looked_up(found: &TokenLookup, id: Option<&ClientToken>) -> Result<Self, ApiError> {
        Self::data(&LookupData::new(found, id))
    }

    /// Whether there will be a body that can carry warnings.
    pub fn takes_warnings(&self) -> bool {
        match self.content {
            Content::Nothing | Content::Accepted | Content::Bare(..) | Content::Text(..) => false,
            Content::Envelope
            | Content::AcceptedEnvelope
            | Content::Data(_)
            | Content::Begun(_)
            | Content::Keys(_)
            | Content::Auth(_) => true,
        }
    }

    /// What it hands out, which must end if nobody ever reads the answer.
    pub(super) fn handed_out(&mut self) -> HandedOut {
        std::mem::take(&mut self.handed_out)
    }

    /// Adds a warning after those that are there.
    pub fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// Writes it: status and body.
    pub fn render(self, request_id: &str, place: Place) -> Result<(u16, Vec<u8>), ApiError> {
        let begun = matches!(self.content, Content::Begun(_) | Content::AcceptedEnvelope);
        let status = if begun { 202 } else { 200 };
        let (data, auth) = match self.content {
            Content::Nothing => return Ok((204, Vec::new())),
            Content::Accepted => return Ok((202, Vec::new())),
            Content::Bare(status, body) => return Ok((status, line(body.get()))),
            Content::Text(status, _, body) => return Ok((status, body.into_bytes())),
            Content::Keys(keys) if keys.is_empty() && self.warnings.is_empty() => {
                return Err(ApiError::NotFound);
            }
            Content::Keys(keys) => (Some(keys_data(keys)?), None),
            Content::Envelope | Content::AcceptedEnvelope => (None, None),
            Content::Data(data) | Content::Begun(data) => (Some(data), None),
            Content::Auth(auth) => (None, Some(auth)),
        };
        let lease = self.lease.as_ref();
        let envelope = Envelope {
            request_id,
            lease_id: lease.map_or("", |lease| &lease.id),
            renewable: lease.is_some_and(|lease| lease.renewable),
            lease_duration: lease.map_or(0, |lease| lease.duration),
            data: data.as_deref(),
            wrap_info: (),
            warnings: (!self.warnings.is_empty()).then_some(&self.warnings),
            auth: auth.as_deref(),
            mount_type: place.mount_type,
        };
        let mut body =
            serde_json::to_vec(&envelope).map_err(|error| ApiError::unwritable(&error))?;
        if place.injects
            && let Some(data) = &data
        {
            inject(&mut body, data)?;
        }
        body.push(b'\n');
        Ok((status, body))
    }
}

/// Where an answer comes from, as far as its envelope shows that.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// `aws`, `system` or `token`.
    pub mount_type: &'static str,
    /// Whether each key of `data` is also at the top (old `sys` paths).
    pub injects: bool,
}

/// Writes a value.
pub fn json(value: &impl Serialize) -> Result<Json, ApiError> {
    serde_json::value::to_raw_value(value).map_err(|error| ApiError::unwritable(&error))
}

/// A body of one line.
fn line(text: &str) -> Vec<u8> {
    let mut body = Vec::with_capacity(text.len().saturating_add(1));
    body.extend_from_slice(text.as_bytes());
    body.push(b'\n');
    body
}

fn keys_data(keys: Vec<String>) -> Result<Json, ApiError> {
    #[derive(Serialize)]
    struct Keys {
        #[serde(skip_serializing_if = "Vec::is_empty")]
        keys: Vec<String>,
    }
    json(&Keys { keys })
}

/// A token as it is shown to whoever holds it; the empty text when it is not.
pub(super) struct Shown<'a>(pub(super) Option<&'a ClientToken>);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.map_or("", |token| token.expose()))
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    request_id: &'a str,
    lease_id: &'a str,
    renewable: bool,
    lease_duration: u64,
    data: Option<&'a RawValue>,
    wrap_info: (),
    warnings: Option<&'a Vec<String>>,
    auth: Option<&'a RawValue>,
    mount_type: &'a str,
}

/// `arn` and `ttl` are left out where there is none, the two tokens are null (contract 1.5). What follows
/// `ttl` is Leasehold's own.
#[derive(Serialize)]
struct IssuedData<'a> {
    access_key: &'a str,
    secret_key: &'a str,
    security_token: Option<&'a str>,
    session_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<u64>,
    requested_ttl: u64,
    granted_ttl: u64,
    limited_by: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    readiness: Option<&'a ReadinessReport>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const AWS: Place = Place { mount_type: "aws", injects: false };

    fn rendered(answer: Answer, place: Place) -> (u16, Value) {
        let (status, body) = answer.render("id", place).unwrap();
        let text = String::from_utf8(body.clone()).unwrap();
        assert_eq!(text.matches('\n').count(), 1);
        assert!(text.ends_with('\n'));
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[test]
    fn every_member_of_the_envelope_is_there() {
        let (status, body) = rendered(Answer::data(&json!({"a": 1})).unwrap(), AWS);
        assert_eq!(status, 200);
        assert_eq!(
            body,
            json!({"request_id": "id", "lease_id": "", "renewable": false, "lease_duration": 0,
                "data": {"a": 1}, "wrap_info": null, "warnings": null, "auth": null, "mount_type": "aws"})
        );
    }

    #[test]
    fn old_paths_have_their_data_at_the_top_too_and_never_over_the_envelope() {
        let place = Place { mount_type: "system", injects: true };
        let (_, body) =
            rendered(Answer::data(&json!({"aws/": {"x": 1}, "data": 5})).unwrap(), place);
        assert_eq!(body["aws/"], json!({"x": 1}));
        assert_eq!(body["data"], json!({"aws/": {"x": 1}, "data": 5}));
        let (_, body) = rendered(Answer::data(&json!({})).unwrap(), place);
        assert_eq!(body["data"], json!({}));
    }

    #[test]
    fn nothing_to_say_has_no_body() {
        assert_eq!(Answer::nothing().render("id", AWS).unwrap(), (204, Vec::new()));
        assert_eq!(Answer::done(Vec::new()).render("id", AWS).unwrap(), (204, Vec::new()));
        assert_eq!(Answer::accepted().render("id", AWS).unwrap(), (202, Vec::new()));
        let (status, body) = rendered(Answer::done(vec!["w".to_owned()]), AWS);
        assert_eq!((status, &body["data"], &body["warnings"]), (200, &Value::Null, &json!(["w"])));
    }

    #[test]
    fn an_empty_list_is_not_found_unless_there_is_a_warning() {
        let empty = Answer::keys(Vec::new()).render("id", AWS);
        assert!(matches!(empty, Err(ApiError::NotFound)));
        let mut warned = Answer::keys(Vec::new());
        warned.warn("w".to_owned());
        assert_eq!(rendered(warned, AWS).1["data"], json!({}));
        let (_, body) = rendered(Answer::keys(vec!["a".to_owned()]), AWS);
        assert_eq!(body["data"], json!({"keys": ["a"]}));
    }

    #[test]
    fn a_renewed_lease_has_null_data() {
        let (_, body) = rendered(Answer::renewed("aws/creds/u/x".to_owned(), 60, Vec::new()), AWS);
        assert_eq!(body["data"], Value::Null);
        assert_eq!(
            (&body["lease_id"], &body["lease_duration"]),
            (&json!("aws/creds/u/x"), &json!(60))
        );
        assert_eq!(body["renewable"], json!(true));
    }
}
