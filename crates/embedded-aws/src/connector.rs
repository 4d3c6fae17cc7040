//! The door for the SDK: its HTTP client trait, answered in the process. Only HTTP shapes live here;
//! it must never open a socket, and never fail a connection by itself. What is answered is decided in
//! [`crate::service`].

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::date_time::{DateTime, Format};
use serde_json::Value;

use crate::error::AwsError;
use crate::form::{Form, Parameters};
use crate::handle::EmbeddedAws;
use crate::signature::Signed;
use crate::{kms, xml};

/// The HTTP client that [`EmbeddedAws::http_client`] gives.
#[derive(Debug, Clone)]
pub(crate) struct Connector(EmbeddedAws);

impl Connector {
    pub(crate) fn new(aws: EmbeddedAws) -> Self {
        Self(aws)
    }
}

impl HttpClient for Connector {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Ok(respond(&self.0, &request)))
    }
}

/// What the account answers.
pub(crate) fn respond(aws: &EmbeddedAws, request: &HttpRequest) -> HttpResponse {
    aws.with(|account| {
        let date = http_date(account.now());
        let request_id = account.request_id();
        if kms::operation(request).is_some() {
            let mut response = kms::respond(account, request, &request_id);
            response.headers_mut().insert("date", date);
            return response;
        }
        let form = Form::parse(request.body().bytes().unwrap_or_default());
        let answer = form.and_then(|form| account.answer(request, &form, &request_id));
        let mut response = match answer {
            Ok(body) => text_response(200, body, &request_id),
            Err(error) => error_response(&error, &request_id),
        };
        response.headers_mut().insert("date", date);
        response
    })
}

/// A moment as the `Date` of an answer (RFC 9110, 5.6.7).
fn http_date(seconds: i64) -> String {
    let date = DateTime::from_secs(seconds).fmt(Format::HttpDate);
    date.unwrap_or_default()
}

/// Which call a request is: its action, the other parameters, and the access key. A request that is
/// not a form has an empty action.
pub(crate) fn read_call(request: &HttpRequest) -> (String, Parameters, String) {
    let key = Signed::read(request).map(|signed| signed.access_key_id).unwrap_or_default();
    if let Some(operation) = kms::operation(request) {
        return (operation.to_owned(), Parameters::default(), key);
    }
    let form = Form::parse(request.body().bytes().unwrap_or_default());
    let (action, parameters) = form.map(|form| split(&form)).unwrap_or_default();
    (action, parameters, key)
}

/// A form as its action and its other parameters.
pub(crate) fn split(form: &Form) -> (String, Parameters) {
    let mut parameters = form.parameters().clone();
    let action = parameters.remove("Action").unwrap_or_default();
    parameters.remove("Version");
    (action, parameters)
}

/// A refusal as an HTTP response.
pub(crate) fn error_response(error: &AwsError, request_id: &str) -> HttpResponse {
    let body = xml::error(error.status, error.code, &error.message, request_id);
    text_response(error.status, body, request_id)
}

/// JSON as an HTTP response.
pub(crate) fn json_response(status: u16, body: &Value, request_id: &str) -> HttpResponse {
    let mut response = text_response(status, body.to_string(), request_id);
    response.headers_mut().insert("content-type", "application/x-amz-json-1.1");
    response
}

/// XML as an HTTP response. A status outside 100 to 999 becomes 500.
pub(crate) fn text_response(status: u16, body: String, request_id: &str) -> HttpResponse {
    let status = StatusCode::try_from(status).or_else(|_| StatusCode::try_from(500));
    #[expect(clippy::expect_used, reason = "500 is a status")]
    let mut response = HttpResponse::new(status.expect("500 is a status"), SdkBody::from(body));
    response.headers_mut().insert("content-type", "text/xml");
    response.headers_mut().insert("x-amzn-requestid", request_id.to_owned());
    response
}
