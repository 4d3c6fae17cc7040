//! AWS Signature Version 4 of a request: who signed, for which service, and whether the secret was the
//! key's own. Must never log a secret or a signature. Which secret a key has is looked up in
//! [`crate::caller`].

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use ring::{digest, hmac};

use crate::form::hex;

/// What the `Authorization` header says.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) access_key_id: String,
    pub(crate) service: String,
    /// `date/region/service/aws4_request`.
    scope: String,
    covered: String,
    signature: String,
}

impl Signed {
    /// Reads the header; `None` where there is none or it is not Signature Version 4.
    pub(crate) fn read(request: &HttpRequest) -> Option<Self> {
        let header = request.headers().get("authorization")?;
        let fields = header.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let field = |name: &str| {
            let mut parts = fields.split(',').map(str::trim);
            parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
        };
        let credential = field("Credential")?;
        let (access_key_id, scope) = credential.split_once('/')?;
        let service = scope.split('/').nth(2)?;
        Some(Self {
            access_key_id: access_key_id.to_owned(),
            service: service.to_owned(),
            scope: scope.to_owned(),
            covered: field("SignedHeaders")?,
            signature: field("Signature")?,
        })
    }

    /// Whether the request was signed with `secret`.
    pub(crate) fn matches(&self, request: &HttpRequest, secret: &str) -> bool {
        let date = request.headers().get("x-amz-date").unwrap_or_default();
        let canonical = self.canonical_request(request);
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n{date}\n{}\n{}",
            self.scope,
            hex(sha256(&canonical).as_ref())
        );
        let start = format!("AWS4{secret}").into_bytes();
        let key = self.scope.split('/').fold(start, |key, part| mac(&key, part));
        // Made-up secrets: nothing is lost where the comparison takes its time.
        hex(&mac(&key, &to_sign)) == self.signature
    }

    fn canonical_request(&self, request: &HttpRequest) -> String {
        let uri = request.uri();
        let after_scheme = uri.split_once("://").map_or(uri, |(_, rest)| rest);
        let path_and_query = after_scheme.find('/').and_then(|at| after_scheme.get(at..));
        let (path, query) =
            path_and_query.map_or(("/", ""), |text| text.split_once('?').unwrap_or((text, "")));
        let host = after_scheme.split('/').next().unwrap_or_default();
        let mut headers = String::new();
        for name in self.covered.split(';') {
            let sent = request.headers().get(name);
            let value = sent.unwrap_or(if name == "host" { host } else { "" });
            let value: Vec<_> = value.split_whitespace().collect();
            headers.push_str(name);
            headers.push(':');
            headers.push_str(&value.join(" "));
            headers.push('\n');
        }
        let body = request.body().bytes().unwrap_or_default();
        let body = hex(digest::digest(&digest::SHA256, body).as_ref());
        let method = request.method();
        format!("{method}\n{path}\n{query}\n{headers}\n{}\n{body}", self.covered)
    }
}

fn sha256(text: &str) -> digest::Digest {
    digest::digest(&digest::SHA256, text.as_bytes())
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}
