//! A finished reply: status, type and bytes, and what the log says about it. Everything a client sees
//! of a response passes here; the headers that all responses have are added in [`super::server`].

use super::error::{ApiError, Told};
use super::path;
use crate::auth::quotas::Left;

/// JSON, as every API answer is.
pub(super) const JSON: &str = "application/json";

/// The header with the digests of the verdicts that led to a reply, as the audit shows it too.
pub(super) const VERDICT: &str = "x-leasehold-verdict";

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// `Content-Type`; a bare reply has none.
    pub content_type: Option<&'static str>,
    /// `Location` of a redirect.
    pub location: Option<String>,
    /// Digests of the verdicts that led to it.
    pub verdicts: Vec<String>,
    /// The body.
    pub body: Vec<u8>,
    /// What is left of the quota that counted the request, where answers tell it.
    pub quota: Option<Left>,
    /// Whether it carries the headers of the API; the refusal of an unreadable path does not.
    pub dressed: bool,
}

impl Reply {
    /// JSON.
    pub fn json(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            content_type: Some(JSON),
            location: None,
            verdicts: Vec::new(),
            body,
            quota: None,
            dressed: true,
        }
    }

    /// Any type.
    pub fn typed(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self { content_type: Some(content_type), ..Self::json(status, body) }
    }

    /// An error.
    pub fn error(error: &ApiError) -> Self {
        let told = error.told();
        let verdicts = told.verdict().map(str::to_owned).into_iter().collect();
        let Told { status, errors, data } = told;
        let mut body = match data {
            Some(data) => serde_json::json!({"errors": errors, "data": data}),
            None => serde_json::json!({"errors": errors}),
        }
        .to_string()
        .into_bytes();
        body.push(b'\n');
        Self { verdicts, ..Self::json(status, body) }
    }

    /// The reply for a path that is not one of the API's.
    pub fn outside(target: path::Target, method: &str, query: &str) -> Self {
        match target {
            path::Target::Redirect(clean) => Self::redirect(&clean, method, query),
            path::Target::NoUi => Self {
                content_type: Some("text/plain; charset=utf-8"),
                ..Self::json(404, b"404 page not found\n".to_vec())
            },
            path::Target::Unreadable => {
                Self { content_type: None, dressed: false, ..Self::json(400, Vec::new()) }
            }
            path::Target::Outside | path::Target::Api(_) => Self::error(&ApiError::NotFound),
        }
    }

    /// 307 as Go's router answers an unclean path: with a little HTML for those who read.
    fn redirect(clean: &str, method: &str, query: &str) -> Self {
        let location = if query.is_empty() { clean.to_owned() } else { format!("{clean}?{query}") };
        let shown = location
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&#34;")
            .replace('\'', "&#39;");
        let body = match method {
            "GET" => format!("<a href=\"{shown}\">Temporary Redirect</a>.\n\n").into_bytes(),
            _ => Vec::new(),
        };
        Self {
            content_type: matches!(method, "GET" | "HEAD").then_some("text/html; charset=utf-8"),
            location: Some(location),
            ..Self::json(307, body)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unclean_path_is_sent_to_the_clean_one_with_its_query() {
        let reply = Reply::outside(path::Target::Redirect("/v1/a".to_owned()), "GET", "x=1&y=2");
        assert_eq!((reply.status, reply.location.as_deref()), (307, Some("/v1/a?x=1&y=2")));
        assert_eq!(reply.body, b"<a href=\"/v1/a?x=1&amp;y=2\">Temporary Redirect</a>.\n\n");
        let reply = Reply::outside(path::Target::Redirect("/v1/a".to_owned()), "PUT", "");
        assert_eq!((reply.body, reply.content_type), (Vec::new(), None));
    }

    #[test]
    fn an_unreadable_path_gets_400_and_nothing_else() {
        let reply = Reply::outside(path::Target::Unreadable, "GET", "");
        assert_eq!((reply.status, reply.content_type, reply.dressed), (400, None, false));
        assert!(reply.body.is_empty());
    }

    #[test]
    fn an_error_is_a_list_on_one_line() {
        assert_eq!(Reply::error(&ApiError::NotFound).body, b"{\"errors\":[]}\n");
        let denied = Reply::error(&ApiError::NoToken);
        assert_eq!(
            (denied.status, denied.body),
            (403, b"{\"errors\":[\"permission denied\"]}\n".to_vec())
        );
    }
}
