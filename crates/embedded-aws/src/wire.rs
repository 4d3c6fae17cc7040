//! The door for a server: one request as it came off a socket, one answer to send back. For tests that
//! need an AWS which outlives the broker. It must never open the socket itself; what is answered is
//! decided in [`crate::service`], as for the SDK's door in [`crate::connector`].

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;

use crate::connector::{read_call, respond};
use crate::form::Parameters;
use crate::handle::EmbeddedAws;

/// A request, whole. What is no HTTP (a broken URI, a header that cannot be) is left out, and the account
/// then refuses what it misses.
#[derive(Debug)]
pub struct WireRequest(HttpRequest);

/// What goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The XML.
    pub body: String,
}

impl WireRequest {
    /// From its parts; `target` is what stands in the request line.
    pub fn new(method: &str, target: &str, headers: &[(String, String)], body: Vec<u8>) -> Self {
        let mut request = HttpRequest::new(SdkBody::from(body));
        let host = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
        let host = host.map_or("localhost", |(_, value)| value.as_str());
        let mut is_whole = request.set_method(method).is_ok();
        is_whole &= request.set_uri(format!("http://{host}{target}")).is_ok();
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            is_whole &= request.headers_mut().try_insert(name, value.clone()).is_ok();
        }
        if !is_whole {
            tracing::warn!("a request to the embedded AWS is no HTTP in part");
        }
        Self(request)
    }

    /// The operation, such as `CreateUser`, and its other parameters; empty for what is no form.
    pub fn call(&self) -> (String, Parameters) {
        let (action, parameters, _key) = read_call(&self.0);
        (action, parameters)
    }
}

impl EmbeddedAws {
    /// Answers a request that came over a socket.
    pub fn answer(&self, request: &WireRequest) -> WireAnswer {
        let response = respond(self, &request.0);
        let body = response.body().bytes().unwrap_or_default();
        WireAnswer {
            status: response.status().as_u16(),
            body: String::from_utf8_lossy(body).into_owned(),
        }
    }
}
