//! What a failed call means: a pure table from what was seen on the wire to [`AwsError`], and whether
//! the same call may be sent again. Must never take doubt for a refusal: after `Refused` nothing
//! happened. Where the SDK's errors are read into [`Seen`]: [`super::sdk`].

use super::{AwsError, Operation, RefusalKind};

/// What was seen of a call that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen<'a> {
    /// An HTTP answer; without a code when it was no answer of IAM's, e.g. a proxy's error page.
    Answer {
        /// HTTP status.
        status: u16,
        /// AWS's error code.
        code: Option<&'a str>,
        /// AWS's sentence.
        message: Option<&'a str>,
    },
    /// The connection was never made: no such host, refused, no TLS.
    NoConnection(&'a str),
    /// No answer in time.
    TimedOut,
    /// The connection broke, or the answer could not be read.
    Broken(&'a str),
    /// The credential chain has no credentials: nothing was sent.
    NoCredentials(&'a str),
    /// The request could not be built: nothing was sent.
    NotBuilt(&'a str),
}

/// What may have happened at AWS, for whoever would send the call again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// It would fail the same way.
    Pointless,
    /// Nothing happened, and a little later it may work.
    Harmless,
    /// It may have happened: only for calls that can be repeated.
    IfRepeatable,
}

/// A failed call, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// For whoever called.
    pub(super) error: AwsError,
    /// For the retry loop.
    pub(super) again: Again,
}

/// Codes by which AWS asks to slow down (the SDK's `THROTTLING_ERRORS` in aws-runtime
/// `retries/classifiers.rs`, and `TooManyRequests`).
const THROTTLING: [&str; 15] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "TooManyRequests",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "RequestThrottled",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
];

/// What a failure means.
pub(super) fn classify(operation: Operation, seen: Seen<'_>) -> Failure {
    match seen {
        Seen::Answer { status, code, message } => answered(operation, status, code, message),
        // To be definite about it would save five minutes of settling for a lease whose CreateUser
        // never left, at the price of an orphan should a proxy in between report it wrongly. So the
        // row stays; sending again is harmless.
        Seen::NoConnection(detail) => {
            unclear(operation, format!("no connection: {detail}"), Again::Harmless)
        }
        Seen::TimedOut => unclear(operation, "no answer in time".to_owned(), Again::IfRepeatable),
        Seen::Broken(detail) => {
            unclear(operation, format!("the connection broke: {detail}"), Again::IfRepeatable)
        }
        Seen::NoCredentials(detail) => not_sent(format!(
            "no AWS credentials: {detail}\nhelp: write `access_key` and `secret_key` to config/root, \
             or give the broker an instance role, a profile or environment variables"
        )),
        Seen::NotBuilt(detail) => not_sent(format!("{operation} could not be sent: {detail}")),
    }
}

fn answered(
    operation: Operation,
    status: u16,
    code: Option<&str>,
    message: Option<&str>,
) -> Failure {
    let throttled = status == 429 || code.is_some_and(|code| THROTTLING.contains(&code));
    let refused = |code: &str, kind, again| Failure {
        error: AwsError::Refused {
            operation,
            code: code.to_owned(),
            kind,
            message: message.unwrap_or_default().to_owned(),
        },
        again,
    };
    match code {
        _ if throttled => {
            refused(code.unwrap_or("Throttling"), RefusalKind::Throttled, Again::Harmless)
        }
        // `RequestTimeout` is a 4xx by which AWS says that it gave up reading: not a clear refusal.
        Some(code) if (400..500).contains(&status) && !code.starts_with("RequestTimeout") => {
            refused(code, kind_of(code), again_after(code))
        }
        Some(code) => unclear(operation, format!("HTTP {status}, {code}"), Again::IfRepeatable),
        None => unclear(
            operation,
            format!("HTTP {status} without an error code of AWS's"),
            Again::IfRepeatable,
        ),
    }
}

/// The kind of a definite refusal (IAM API reference: the errors of each operation, and the common
/// errors).
fn kind_of(code: &str) -> RefusalKind {
    match code {
        "NoSuchEntity" | "NoSuchEntityException" => RefusalKind::Absent,
        "EntityAlreadyExists" | "EntityAlreadyExistsException" => RefusalKind::Exists,
        "DeleteConflict" | "DeleteConflictException" => RefusalKind::StillOwns,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "NotAuthorized" => {
            RefusalKind::AccessDenied
        }
        "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "UnrecognizedClientException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "AuthFailure"
        | "OptInRequired" => RefusalKind::BadCredentials,
        "LimitExceeded" => RefusalKind::Quota,
        "MalformedPolicyDocument"
        | "MalformedPolicyDocumentException"
        | "ValidationError"
        | "ValidationException"
        | "InvalidInput"
        | "InvalidInputException"
        | "InvalidParameterValue"
        | "InvalidParameterCombination"
        | "MissingParameter" => RefusalKind::Invalid,
        _ => RefusalKind::Other,
    }
}

/// IAM asks to come again with two codes (API reference: "wait a few minutes" and "try again").
fn again_after(code: &str) -> Again {
    match code {
        "EntityTemporarilyUnmodifiable"
        | "EntityTemporarilyUnmodifiableException"
        | "ConcurrentModification"
        | "ConcurrentModificationException" => Again::Harmless,
        _ => Again::Pointless,
    }
}

fn unclear(operation: Operation, message: String, again: Again) -> Failure {
    Failure { error: AwsError::Unclear { operation, message }, again }
}

fn not_sent(message: String) -> Failure {
    Failure { error: AwsError::NotConfigured(message), again: Again::Pointless }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, code: &'static str) -> Failure {
        classify("CreateUser", Seen::Answer { status, code: Some(code), message: Some("because") })
    }

    #[test]
    fn every_code_has_its_kind() {
        let table = [
            (404, "NoSuchEntity", RefusalKind::Absent),
            (409, "EntityAlreadyExists", RefusalKind::Exists),
            (409, "DeleteConflict", RefusalKind::StillOwns),
            (400, "Throttling", RefusalKind::Throttled),
            (400, "ThrottlingException", RefusalKind::Throttled),
            (503, "RequestLimitExceeded", RefusalKind::Throttled),
            (429, "TooManyRequests", RefusalKind::Throttled),
            (429, "WhoKnows", RefusalKind::Throttled),
            (403, "AccessDenied", RefusalKind::AccessDenied),
            (403, "InvalidClientTokenId", RefusalKind::BadCredentials),
            (403, "SignatureDoesNotMatch", RefusalKind::BadCredentials),
            (403, "ExpiredToken", RefusalKind::BadCredentials),
            (409, "LimitExceeded", RefusalKind::Quota),
            (400, "MalformedPolicyDocument", RefusalKind::Invalid),
            (400, "ValidationError", RefusalKind::Invalid),
            (400, "InvalidInput", RefusalKind::Invalid),
            (409, "ConcurrentModification", RefusalKind::Other),
            (400, "PolicyNotAttachable", RefusalKind::Other),
        ];
        for (status, code, wanted) in table {
            let AwsError::Refused { operation, code: seen, kind, message } =
                answer(status, code).error
            else {
                panic!("{code} is a refusal")
            };
            assert_eq!((operation, seen.as_str(), kind), ("CreateUser", code, wanted));
            assert_eq!(message, "because");
        }
    }

    #[test]
    fn doubt_is_never_a_refusal() {
        let doubtful = [
            Seen::Answer { status: 500, code: Some("InternalFailure"), message: None },
            Seen::Answer { status: 503, code: Some("ServiceUnavailable"), message: None },
            Seen::Answer { status: 500, code: Some("AccessDenied"), message: None },
            Seen::Answer { status: 400, code: Some("RequestTimeout"), message: None },
            Seen::Answer { status: 403, code: None, message: None },
            Seen::Answer { status: 200, code: None, message: None },
            Seen::Answer { status: 301, code: Some("Moved"), message: None },
            Seen::TimedOut,
            Seen::Broken("reset"),
        ];
        for seen in doubtful {
            let failure = classify("DeleteUser", seen);
            assert!(matches!(failure.error, AwsError::Unclear { .. }), "{seen:?}");
            assert_eq!(failure.again, Again::IfRepeatable, "{seen:?}");
        }
    }

    #[test]
    fn only_what_did_not_happen_may_be_sent_again_blindly() {
        assert_eq!(answer(400, "Throttling").again, Again::Harmless);
        assert_eq!(answer(409, "EntityTemporarilyUnmodifiable").again, Again::Harmless);
        assert_eq!(answer(403, "AccessDenied").again, Again::Pointless);
        let lost = classify("CreateUser", Seen::NoConnection("no such host"));
        assert!(matches!(lost.error, AwsError::Unclear { .. }));
        assert_eq!(lost.again, Again::Harmless);
    }

    #[test]
    fn what_was_never_sent_says_what_is_missing() {
        for seen in [Seen::NoCredentials("none in the chain"), Seen::NotBuilt("bad endpoint")] {
            let failure = classify("CreateUser", seen);
            assert!(matches!(failure.error, AwsError::NotConfigured(_)), "{seen:?}");
            assert_eq!(failure.again, Again::Pointless);
        }
    }
}
