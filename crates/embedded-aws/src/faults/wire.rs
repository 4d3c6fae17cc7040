//! The decorated connector: reads which call it is, asks the script, acts the fault out. Must never
//! answer for AWS except where the script says so. Faults are chosen in [`super::script`].

use std::future::pending;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::script::{Plan, Script};
use super::{Call, Fault, Outcome};
use crate::connector::{error_response, read_call, text_response};
use crate::error::AwsError;
use crate::xml;

/// The client that the SDK gets.
#[derive(Debug)]
pub(super) struct FaultyClient {
    inner: SharedHttpClient,
    script: Arc<Script>,
}

impl FaultyClient {
    pub(super) fn new(inner: SharedHttpClient, script: Arc<Script>) -> Self {
        Self { inner, script }
    }
}

impl HttpClient for FaultyClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(FaultyConnector {
            inner: self.inner.http_connector(settings, components),
            script: Arc::clone(&self.script),
        })
    }
}

#[derive(Debug)]
struct FaultyConnector {
    inner: SharedHttpConnector,
    script: Arc<Script>,
}

impl HttpConnector for FaultyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, script) = (self.inner.clone(), Arc::clone(&self.script));
        HttpConnectorFuture::new(async move {
            let (action, parameters, key) = read_call(&request);
            let (call, plan) = script.plan(action, parameters, &key);
            let forward = Forward { inner, script: Arc::clone(&script), call: call.clone() };
            let result = match plan {
                Plan::Through => forward.send(request).await,
                Plan::NotThereYet => {
                    let name = call.parameters.get("UserName").map_or("", String::as_str);
                    Ok(error_response(&AwsError::no_such_user(name), "not-spread"))
                }
                Plan::KeyNotThereYet => {
                    Ok(error_response(&AwsError::invalid_client_token(), "not-spread"))
                }
                Plan::Fault(fault) => act_out(fault, forward, request).await,
            };
            script.ended(
                &call,
                match &result {
                    Ok(response) => Outcome::Answered(response.status().as_u16()),
                    Err(_) => Outcome::Lost,
                },
            );
            result
        })
    }
}

/// The way to AWS, once.
struct Forward {
    inner: SharedHttpConnector,
    script: Arc<Script>,
    call: Call,
}

impl Forward {
    async fn send(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let response = self.inner.call(request).await?;
        if response.status().is_success() {
            match self.call.action.as_str() {
                "CreateUser" => {
                    if let Some(name) = self.call.parameters.get("UserName") {
                        self.script.user_created(name);
                    }
                }
                "CreateAccessKey" => {
                    let body = response.body().bytes().map(String::from_utf8_lossy);
                    if let Some(id) = body.as_deref().and_then(|b| xml::first(b, "AccessKeyId")) {
                        self.script.key_created(id);
                    }
                }
                _ => {}
            }
        }
        Ok(response)
    }
}

async fn act_out(
    fault: Fault,
    forward: Forward,
    request: HttpRequest,
) -> Result<HttpResponse, ConnectorError> {
    match fault {
        Fault::LostBefore => Err(ConnectorError::io("connection refused (injected)".into())),
        Fault::TimeoutBefore => Err(ConnectorError::timeout("no answer (injected)".into())),
        Fault::LostAfter => {
            forward.send(request).await?;
            Err(ConnectorError::io("connection reset (injected)".into()))
        }
        Fault::TimeoutAfter => {
            forward.send(request).await?;
            Err(ConnectorError::timeout("no answer in time (injected)".into()))
        }
        Fault::Refuse { status, code, message } => Ok(injected(status, &code, &message)),
        Fault::Throttle => Ok(injected(400, "Throttling", "Rate exceeded")),
        Fault::ServerErrorBefore(status) => Ok(server_error(status)),
        Fault::ServerErrorAfter(status) => {
            forward.send(request).await?;
            Ok(server_error(status))
        }
        Fault::SilentBefore => pending().await,
        Fault::SilentAfter => {
            forward.send(request).await?;
            pending().await
        }
        Fault::Hold(gate) => {
            gate.pass().await;
            forward.send(request).await
        }
        Fault::HoldAnswer(gate) => {
            let response = forward.send(request).await;
            gate.pass().await;
            response
        }
    }
}

fn server_error(status: u16) -> HttpResponse {
    let code = if status == 503 { "ServiceUnavailable" } else { "InternalFailure" };
    injected(status, code, "injected")
}

fn injected(status: u16, code: &str, message: &str) -> HttpResponse {
    text_response(status, xml::error(status, code, message, "injected"), "injected")
}
