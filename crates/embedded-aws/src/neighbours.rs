//! Several accounts behind one HTTP client, told apart by the access key that a call is signed with, as the real AWS
//! does it. Each stays an account of its own: nothing is shared between them but the way in. One
//! account alone: [`crate::EmbeddedAws::http_client`].

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use crate::connector::Connector;
use crate::handle::EmbeddedAws;
use crate::signature::Signed;

#[derive(Debug, Clone)]
struct Neighbours {
    /// Answers what is signed with no key of the others.
    first: Connector,
    /// An access key, and whose it is.
    others: Vec<(String, Connector)>,
}

impl EmbeddedAws {
    /// An HTTP client that leads to this account, save for what is signed with one of these access keys:
    /// that goes to the account beside it.
    pub fn http_client_with(
        &self,
        others: impl IntoIterator<Item = (String, Self)>,
    ) -> SharedHttpClient {
        let others = others.into_iter().map(|(key, aws)| (key, Connector::new(aws))).collect();
        SharedHttpClient::new(Neighbours { first: Connector::new(self.clone()), others })
    }
}

impl HttpClient for Neighbours {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Neighbours {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let key = Signed::read(&request).map(|signed| signed.access_key_id).unwrap_or_default();
        let other = self.others.iter().find(|(theirs, _)| *theirs == key);
        other.map_or(&self.first, |(_, other)| other).call(request)
    }
}
