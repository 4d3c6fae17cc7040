//! The embedded AWS behind the real SDK, with faults on demand, for the tests of this crate. Compiled
//! for tests only. The faults themselves: the crate `embedded-aws`.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use embedded_aws::EmbeddedAws;
use embedded_aws::faults::FaultyHttp;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::{AccountSettings, Accounts, AwsBackend, IamProvider, NewAccessKey, NewUser};
use crate::clock::{Clock as _, ManualClock};
use crate::gate::VettedGrant;
use crate::model::{AccessKeyId, LeaseTag, MountId, Timestamp, UserName};

/// The installation's id in tests.
pub(crate) const BROKER: &str = "b2c4a6d8";
/// A document that the gate would allow.
pub(crate) const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}"#;
/// A managed policy of AWS's that is there.
pub(crate) const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

/// An account, and what breaks its connections.
pub(crate) struct TestAws {
    pub(crate) aws: EmbeddedAws,
    pub(crate) faults: FaultyHttp,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) mount: MountId,
}

impl TestAws {
    /// Each call is sent once.
    pub(crate) fn new() -> Self {
        Self::with(0, Duration::ZERO)
    }

    /// A call is sent again so often, and takes so long on tokio's clock.
    pub(crate) fn with(max_retries: i64, latency: Duration) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000)));
        let time = Arc::clone(&clock);
        let millis = move || u64::try_from(time.now().as_millis()).unwrap();
        let options = embedded_aws::Options::new(
            Arc::new(move || UNIX_EPOCH.checked_add(Duration::from_millis(millis())).unwrap()),
            StdRng::seed_from_u64(1),
        );
        let aws = EmbeddedAws::open(None, options).unwrap();
        let faults = FaultyHttp::new(aws.http_client());
        let http = SharedHttpClient::new(Slow { inner: faults.http_client(), latency });
        let accounts = Accounts::new(AwsBackend::Embedded(http), Arc::<ManualClock>::clone(&clock));
        let mount = MountId("m".to_owned());
        accounts.bind(&mount, AccountSettings { max_retries, ..AccountSettings::default() });
        Self { aws, faults, clock, accounts: Arc::new(accounts), mount }
    }

    pub(crate) async fn provider(&self) -> Arc<dyn IamProvider> {
        self.accounts.provider(&self.mount).await.unwrap()
    }

    /// Makes a user with an inline document, a managed policy, a group and a key.
    pub(crate) async fn user(&self, name: &str, lease: &LeaseTag) -> NewAccessKey {
        if self.aws.group("readers").is_none() {
            self.aws.create_group("readers", &[("look", DOCUMENT)], &[READ_ONLY]).unwrap();
        }
        let user = new_user(name, lease);
        let provider = self.provider().await;
        provider.create_user(&user).await.unwrap();
        provider.put_user_policy(&user).await.unwrap();
        provider.attach_user_policy(&user, &READ_ONLY.parse().unwrap()).await.unwrap();
        provider.add_user_to_group(&user, &"readers".parse().unwrap()).await.unwrap();
        provider.create_access_key(&user).await.unwrap()
    }
}

/// A user as the engine asks for it.
pub(crate) fn new_user(name: &str, lease: &LeaseTag) -> NewUser {
    NewUser {
        name: name.parse().unwrap(),
        path: "/team/".to_owned(),
        tags: [("cost".to_owned(), "42".to_owned())].into(),
        broker: BROKER.to_owned(),
        lease: lease.clone(),
        role: "reader".parse().unwrap(),
        grant: VettedGrant::for_tests(Some(DOCUMENT), &[READ_ONLY], &["readers"], Some(READ_ONLY)),
    }
}

/// The tag of a lease.
pub(crate) fn tag(last: char) -> LeaseTag {
    format!("abcdefghijklmnopqrstuvw{last}").parse().unwrap()
}

/// A user name.
pub(crate) fn name(text: &str) -> UserName {
    text.parse().unwrap()
}

/// A key that nobody has.
pub(crate) fn unknown_key() -> AccessKeyId {
    "AKIAUNKNOWNUNKNOWN00".parse().unwrap()
}

/// Lets every call take its time.
#[derive(Debug, Clone)]
struct Slow {
    inner: SharedHttpClient,
    latency: Duration,
}

impl HttpClient for Slow {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(SlowConnector { inner, latency: self.latency })
    }
}

#[derive(Debug)]
struct SlowConnector {
    inner: SharedHttpConnector,
    latency: Duration,
}

impl HttpConnector for SlowConnector {
    #[expect(clippy::disallowed_methods, reason = "a call that takes time on tokio's paused clock")]
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, latency) = (self.inner.clone(), self.latency);
        HttpConnectorFuture::new(async move {
            if !latency.is_zero() {
                tokio::time::sleep(latency).await;
            }
            inner.call(request).await
        })
    }
}
