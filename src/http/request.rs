//! What a request says, read from its parts (contract 0.1): method to operation, query or body to data.
//! Everything here happens before the seal check and without a token. Next: [`super::pipeline`].

use std::net::IpAddr;

use actix_web::web::Bytes;
use serde_json::{Map, Value};

use super::coerce::go_bool;
use super::error::ApiError;
use super::{path, sys_metrics, sys_plugins};
use crate::auth::Operation;
use crate::model::ClientToken;
use crate::model::duration;

/// The content type that PATCH must have.
const MERGE_PATCH: &str = "application/merge-patch+json";
/// The content type of forms.
const FORM: &str = "application/x-www-form-urlencoded";

/// A request as it came in, free of the server's types.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The method.
    pub method: String,
    /// Path as in the request line, without the query.
    pub path: String,
    /// Query as in the request line, without `?`.
    pub query: String,
    /// What the headers say.
    pub headers: Headers,
    /// The body of a request that may have one.
    pub body: Body,
    /// Where it came from.
    pub remote: Option<IpAddr>,
    /// Whether the listener shows the metrics to everybody.
    pub open_metrics: bool,
}

/// The headers that matter.
#[derive(Debug, Clone, Default)]
pub struct Headers {
    /// `X-Vault-Token`, else `Authorization: Bearer`.
    pub token: Option<ClientToken>,
    /// `Content-Type`, empty when not sent.
    pub content_type: String,
    /// `X-Vault-Wrap-TTL`.
    pub wrap_ttl: Option<String>,
    /// `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// Whether `Accept` begins with the type of metrics in text.
    pub open_metrics: bool,
}

/// A body, read or given up on.
#[derive(Debug, Clone)]
pub enum Body {
    /// Nothing, or not looked at.
    Absent,
    /// All of it.
    Read(Bytes),
    /// More than the listener's limit.
    TooLarge,
    /// There was no memory for it among the bodies of others.
    Crowded,
    /// The connection broke while it came in.
    Broken,
}

/// A request, understood.
#[derive(Debug)]
pub struct Request {
    /// What it wants.
    pub operation: Operation,
    /// Decoded, without `/v1/`; ends in `/` for lists.
    pub path: String,
    /// What it sends.
    pub data: Map<String, Value>,
    /// For how many seconds its answer shall be wrapped.
    pub wrap_seconds: Option<u64>,
    /// How it names itself, to be told from a repetition.
    pub idempotency_key: Option<String>,
    /// A body that is taken as it is, on the paths that take one.
    pub raw: Option<Bytes>,
    /// Where it came from.
    pub remote: Option<IpAddr>,
}

impl Request {
    /// Reads a request for `path`; checks in the contract's order.
    pub fn read(incoming: &Incoming, path: String) -> Result<Self, ApiError> {
        if asks_for_help(incoming) {
            return Ok(Self::of_data(Operation::Help, path, Map::new()));
        }
        let mut request = match incoming.method.as_str() {
            "GET" => Self::of_query(Operation::Read, path, &incoming.query)?,
            "LIST" => Self {
                operation: Operation::List,
                ..Self::of_query(Operation::List, path, &incoming.query)?
            },
            "DELETE" => Self::of_query(Operation::Delete, path, &incoming.query)?,
            "HEAD" => Self::of_query(Operation::Header, path, &incoming.query)?,
            "POST" | "PUT" => Self::of_body(Operation::Update, path, incoming)?,
            "PATCH" => Self::of_patch(path, incoming)?,
            _ => return Err(ApiError::MethodNotAllowed),
        };
        request.wrap_seconds = wrapping(incoming.headers.wrap_ttl.as_deref())?;
        if incoming.headers.open_metrics && request.path == sys_metrics::PATH {
            // A scraper that asks for no format.
            request.data.entry("format").or_insert_with(|| "prometheus".into());
        }
        if request.operation == Operation::List && !request.path.ends_with('/') {
            request.path.push('/');
        }
        request.remote = incoming.remote;
        request.idempotency_key.clone_from(&incoming.headers.idempotency_key);
        Ok(request)
    }

    fn of_data(operation: Operation, path: String, data: Map<String, Value>) -> Self {
        Self {
            operation,
            path,
            data,
            wrap_seconds: None,
            idempotency_key: None,
            raw: None,
            remote: None,
        }
    }

    fn of_query(operation: Operation, path: String, query: &str) -> Result<Self, ApiError> {
        let mut data = parse_query(query);
        let mut operation = operation;
        if operation == Operation::Read
            && let Some(flag) = first_text(data.get("list")).filter(|flag| !flag.is_empty())
            && go_bool(flag).ok_or(ApiError::ListFlag)?
        {
            operation = Operation::List;
            data.remove("list");
        }
        Ok(Self::of_data(operation, path, data))
    }

    fn of_body(operation: Operation, path: String, incoming: &Incoming) -> Result<Self, ApiError> {
        let bytes = match &incoming.body {
            Body::Absent => &[],
            Body::Read(bytes) => &**bytes,
            Body::TooLarge => return Err(ApiError::BodyTooLarge),
            Body::Crowded => return Err(ApiError::Crowded),
            Body::Broken => return Err(ApiError::BadJson("unexpected EOF".to_owned())),
        };
        if let Body::Read(raw) = &incoming.body
            && sys_plugins::is_upload(&path, raw)
        {
            let request = Self::of_data(operation, path, parse_query(&incoming.query));
            return Ok(Self { raw: Some(raw.clone()), ..request });
        }
        let data = if is_form(&incoming.headers.content_type, bytes) {
            parse_form(bytes)?
        } else {
            parse_json(bytes)?
        };
        Ok(Self::of_data(operation, path, data))
    }

    fn of_patch(path: String, incoming: &Incoming) -> Result<Self, ApiError> {
        let given = &incoming.headers.content_type;
        let media_type = given.split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case(MERGE_PATCH) {
            return Err(ApiError::PatchContentType(given.clone()));
        }
        Self::of_body(Operation::Patch, path, incoming)
    }
}

/// Whether it is the method HELP, or has anything in `help`.
pub(super) fn asks_for_help(incoming: &Incoming) -> bool {
    incoming.method == "HELP"
        || incoming.query.contains("help=")
            && pairs_of(&incoming.query).any(|(name, value)| name == "help" && !value.is_empty())
}

/// The parameters of a query; repeated ones become an array.
pub(super) fn parse_query(query: &str) -> Map<String, Value> {
    let mut data = Map::new();
    if query.is_empty() {
        return data;
    }
    for (name, value) in pairs_of(query) {
        let value = Value::String(value);
        match data.get_mut(&name) {
            None => {
                data.insert(name, value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => {
                let earlier = first.take();
                *first = Value::Array(vec![earlier, value]);
            }
        }
    }
    data
}

fn first_text(value: Option<&Value>) -> Option<&str> {
    let value = value?;
    value.as_array().map_or(Some(value), |values| values.first())?.as_str()
}

/// Name and value of each parameter; what cannot be decoded is left out, as Go does it.
fn pairs_of(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').filter(|part| !part.is_empty()).filter_map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        Some((unescape(name)?, unescape(value)?))
    })
}

fn unescape(text: &str) -> Option<String> {
    if text.contains('+') {
        return path::decode(&text.replace('+', " ")).map(std::borrow::Cow::into_owned);
    }
    path::decode(text).map(std::borrow::Cow::into_owned)
}

/// A form needs its content type and must not look like JSON: curl's default content type is the
/// form's, whatever the data is.
fn is_form(content_type: &str, body: &[u8]) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    media_type.eq_ignore_ascii_case(FORM) && !matches!(first, Some(b'{' | b'['))
}

fn parse_form(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    let text = std::str::from_utf8(body).map_err(|_not_utf8| ApiError::BadForm)?;
    let broken = |part: &str| unescape(part).is_none();
    if text.contains(';') || text.split(['&', '=']).any(broken) {
        return Err(ApiError::BadForm);
    }
    Ok(parse_query(text))
}

/// The first JSON value of the body; bytes after it are not looked at.
fn parse_json(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    let bad = |what: String| ApiError::BadJson(what);
    match serde_json::Deserializer::from_slice(body).into_iter::<Value>().next() {
        None | Some(Ok(Value::Null)) => Ok(Map::new()),
        Some(Ok(Value::Object(data))) => Ok(data),
        Some(Ok(other)) => Err(bad(format!("expected an object, got {}", kind_of(&other)))),
        Some(Err(error)) => Err(bad(error.to_string())),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// For how many seconds the answer shall be wrapped; a text that asks for nothing is as none.
fn wrapping(header: Option<&str>) -> Result<Option<u64>, ApiError> {
    let Some(text) = header else {
        return Ok(None);
    };
    match duration::parse_seconds(text) {
        Ok(seconds) => match u64::try_from(seconds) {
            Ok(seconds) => Ok((seconds > 0).then_some(seconds.min(LONGEST_WRAPPING))),
            Err(_negative) => {
                Err(ApiError::WrapTtl("requested wrap ttl cannot be negative".to_owned()))
            }
        },
        Err(cause) => Err(ApiError::WrapTtl(cause)),
    }
}

/// 768 h, the longest that any token lives (contract 1.6).
const LONGEST_WRAPPING: u64 = 2_764_800;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn incoming(method: &str, query: &str, body: &str) -> Incoming {
        Incoming {
            method: method.to_owned(),
            path: "/v1/aws/roles".to_owned(),
            query: query.to_owned(),
            headers: Headers::default(),
            body: Body::Read(Bytes::copy_from_slice(body.as_bytes())),
            remote: None,
            open_metrics: false,
        }
    }

    fn read(incoming: &Incoming) -> Result<(Operation, String, Value), String> {
        Request::read(incoming, "aws/roles".to_owned())
            .map(|request| (request.operation, request.path, Value::Object(request.data)))
            .map_err(|error| error.told().errors.join("|"))
    }

    #[test]
    fn methods_become_operations() {
        let of = |method, query| read(&incoming(method, query, "")).unwrap();
        let plain = "aws/roles".to_owned();
        let listed = "aws/roles/".to_owned();
        assert_eq!(of("GET", ""), (Operation::Read, plain.clone(), json!({})));
        assert_eq!(of("GET", "list=1"), (Operation::List, listed.clone(), json!({})));
        assert_eq!(
            of("GET", "list=true&x=1"),
            (Operation::List, listed.clone(), json!({"x": "1"}))
        );
        assert_eq!(
            of("GET", "list=false"),
            (Operation::Read, plain.clone(), json!({"list": "false"}))
        );
        assert_eq!(of("LIST", ""), (Operation::List, listed, json!({})));
        assert_eq!(of("PUT", ""), (Operation::Update, plain.clone(), json!({})));
        assert_eq!(of("DELETE", "a=b"), (Operation::Delete, plain.clone(), json!({"a": "b"})));
        assert_eq!(of("HEAD", ""), (Operation::Header, plain.clone(), json!({})));
        assert_eq!(of("HELP", ""), (Operation::Help, plain.clone(), json!({})));
        assert_eq!(of("POST", "help=0"), (Operation::Help, plain.clone(), json!({})));
        assert_eq!(of("GET", "help="), (Operation::Read, plain, json!({"help": ""})));
        assert_eq!(read(&incoming("OPTIONS", "", "")), Err(String::new()));
        assert_eq!(read(&incoming("GET", "list=maybe", "")), Err(String::new()));
    }

    #[test]
    fn query_parameters_become_data_and_repeated_ones_arrays() {
        let (_, _, data) =
            read(&incoming("GET", "a=1&b=x%20y+z&a=2&a=3&c", r#"{"ttl":"2h"}"#)).unwrap();
        assert_eq!(data, json!({"a": ["1", "2", "3"], "b": "x y z", "c": ""}));
    }

    #[test]
    fn only_the_first_json_value_counts_and_nothing_is_fine() {
        for body in ["", "  \n", "null"] {
            assert_eq!(read(&incoming("POST", "", body)).unwrap().2, json!({}), "{body:?}");
        }
        assert_eq!(read(&incoming("POST", "", r#"{"a":1} trailing"#)).unwrap().2, json!({"a": 1}));
        for body in [r#"{"a":"#, "[1]", "5", "x", &"[".repeat(1000)] {
            let told = read(&incoming("POST", "", body)).unwrap_err();
            assert!(told.starts_with("error parsing JSON: failed to parse JSON input: "), "{told}");
        }
    }

    #[test]
    fn a_form_is_a_form_unless_it_looks_like_json() {
        let mut form = incoming("POST", "", "a=1&b=x%3Ay&a=2");
        form.headers.content_type = "application/x-www-form-urlencoded; charset=utf-8".to_owned();
        assert_eq!(read(&form).unwrap().2, json!({"a": ["1", "2"], "b": "x:y"}));
        let mut curl = incoming("POST", "", r#" {"a":1}"#);
        curl.headers.content_type = FORM.to_owned();
        assert_eq!(read(&curl).unwrap().2, json!({"a": 1}));
        let mut broken = incoming("POST", "", "a=%zz");
        broken.headers.content_type = FORM.to_owned();
        assert_eq!(read(&broken).unwrap_err(), "error parsing form data");
    }

    #[test]
    fn patch_needs_its_content_type() {
        let mut patch = incoming("PATCH", "", "{}");
        patch.headers.content_type = "application/json".to_owned();
        assert_eq!(
            read(&patch).unwrap_err(),
            "PATCH requires Content-Type of application/merge-patch+json, provided application/json"
        );
        patch.headers.content_type = MERGE_PATCH.to_owned();
        assert_eq!(read(&patch).unwrap().0, Operation::Patch);
    }

    #[test]
    fn a_wish_for_wrapping_is_read_in_seconds_or_as_a_duration() {
        let with = |ttl: &str| {
            let mut wrapped = incoming("GET", "", "");
            wrapped.headers.wrap_ttl = Some(ttl.to_owned());
            let read = Request::read(&wrapped, "aws/roles".to_owned());
            read.map(|request| request.wrap_seconds).map_err(|error| error.told().errors.join("|"))
        };
        assert_eq!(with(""), Ok(None));
        assert_eq!(with("0"), Ok(None));
        assert_eq!(with("90"), Ok(Some(90)));
        assert_eq!(with("5m"), Ok(Some(300)));
        assert_eq!(with("9999h"), Ok(Some(LONGEST_WRAPPING)));
        assert_eq!(
            with("-1").unwrap_err(),
            "error parsing X-Vault-Wrap-TTL header: requested wrap ttl cannot be negative"
        );
        assert_eq!(
            with("abc").unwrap_err(),
            r#"error parsing X-Vault-Wrap-TTL header: time: invalid duration "abc""#
        );
    }

    #[test]
    fn a_body_over_the_limit_is_told_apart() {
        let large = Incoming { body: Body::TooLarge, ..incoming("PUT", "", "") };
        assert!(read(&large).unwrap_err().contains("http: request body too large"));
    }
}
