//! What AWS says when it refuses: a code, a status and a sentence, in AWS's own words.
//! Never holds a secret key or a document. The answer's XML is made in [`crate::xml`].

/// A refusal as IAM or STS words it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code} ({status}): {message}")]
pub struct AwsError {
    /// The HTTP status.
    pub status: u16,
    /// The code that the SDK matches on, such as `NoSuchEntity`.
    pub code: &'static str,
    /// The sentence for people.
    pub message: String,
}

impl AwsError {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// 404: the entity is not there.
    pub(crate) fn no_such_entity(message: impl Into<String>) -> Self {
        Self::new(404, "NoSuchEntity", message)
    }

    /// 404, of a user, in the words of most actions.
    pub(crate) fn no_such_user(name: &str) -> Self {
        Self::no_such_entity(format!("The user with name {name} cannot be found."))
    }

    /// 409: the name is taken.
    pub(crate) fn entity_already_exists(message: impl Into<String>) -> Self {
        Self::new(409, "EntityAlreadyExists", message)
    }

    /// 409: something hangs on the entity.
    pub(crate) fn delete_conflict(must: &str) -> Self {
        Self::new(409, "DeleteConflict", format!("Cannot delete entity, must {must} first."))
    }

    /// 409: a quota is used up.
    pub(crate) fn limit_exceeded(message: impl Into<String>) -> Self {
        Self::new(409, "LimitExceeded", message)
    }

    /// 409, of a counted quota.
    pub(crate) fn quota(name: &str, limit: usize) -> Self {
        Self::limit_exceeded(format!("Cannot exceed quota for {name}: {limit}"))
    }

    /// 400: a parameter breaks its pattern, length or range.
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationError", message)
    }

    /// 400: a required parameter is absent.
    pub(crate) fn missing(member: &str) -> Self {
        Self::validation(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: \
             Member must not be null"
        ))
    }

    /// 400: a parameter is well formed and still not acceptable.
    pub(crate) fn invalid_input(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidInput", message)
    }

    /// 400: a policy document that IAM does not take.
    pub(crate) fn malformed_policy(message: impl Into<String>) -> Self {
        Self::new(400, "MalformedPolicyDocument", message)
    }

    /// 400: session policies that are too large when packed.
    pub(crate) fn packed_policy_too_large(message: impl Into<String>) -> Self {
        Self::new(400, "PackedPolicyTooLarge", message)
    }

    /// 400: no such operation in that version of the API.
    pub(crate) fn invalid_action(action: &str, version: &str) -> Self {
        Self::new(
            400,
            "InvalidAction",
            format!("Could not find operation {action} for version {version}"),
        )
    }

    /// 400: the request names no action.
    pub(crate) fn missing_action() -> Self {
        Self::new(400, "MissingAction", "The request must contain the parameter Action")
    }

    /// 400: the body is not a form.
    pub(crate) fn malformed_query(message: impl Into<String>) -> Self {
        Self::new(400, "MalformedQueryString", message)
    }

    /// 403: the access key is unknown, inactive or deleted.
    pub(crate) fn invalid_client_token() -> Self {
        Self::new(
            403,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        )
    }

    /// 403: temporary credentials past their end.
    pub(crate) fn expired_token() -> Self {
        Self::new(403, "ExpiredToken", "The security token included in the request is expired")
    }

    /// 403: the request is not signed.
    pub(crate) fn missing_authentication() -> Self {
        Self::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
    }

    /// 403: signed with another secret than the key's.
    pub(crate) fn signature_does_not_match() -> Self {
        Self::new(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. \
             Check your AWS Secret Access Key and signing method.",
        )
    }

    /// 403: the caller may not.
    pub(crate) fn access_denied(message: impl Into<String>) -> Self {
        Self::new(403, "AccessDenied", message)
    }

    /// 400, of KMS.
    pub(crate) fn kms(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// 500: the journal could not be written, so it is unclear what holds.
    pub(crate) fn service_failure() -> Self {
        Self::new(500, "ServiceFailure", "The request processing has failed.")
    }
}
