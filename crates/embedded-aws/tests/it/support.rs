//! An account and real SDK clients on it. Nothing here decides what is right; it must never retry, so
//! that a test sees each call once. The tests themselves are the other files.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::config::retry::RetryConfig;
use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region, SharedHttpClient};
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::operation::create_access_key::CreateAccessKeyOutput;
use embedded_aws::{EmbeddedAws, Options};
use rand::SeedableRng;
use rand::rngs::StdRng;

/// A policy that IAM takes.
pub(crate) const S3_READ: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}]}"#;

/// The key of `config/root`.
pub(crate) const ADMIN_KEY: &str = "AKIAIOSFODNN7EXAMPLE";

/// 2026-01-01T00:00:00Z.
pub(crate) const START: u64 = 1_767_225_600;

/// An account, with its clock.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) aws: EmbeddedAws,
    pub(crate) now: Arc<AtomicU64>,
}

pub(crate) fn options(now: &Arc<AtomicU64>) -> Options {
    let now = Arc::clone(now);
    let clock = Arc::new(move || UNIX_EPOCH + Duration::from_secs(now.load(Ordering::SeqCst)));
    Options::new(clock, StdRng::seed_from_u64(7)).record_calls(1_000)
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|options| options)
    }

    pub(crate) fn with(change: impl FnOnce(Options) -> Options) -> Self {
        let now = Arc::new(AtomicU64::new(START));
        let aws = EmbeddedAws::open(None, change(options(&now))).unwrap();
        Self { aws, now }
    }

    /// IAM as the administrator.
    pub(crate) fn iam(&self) -> aws_sdk_iam::Client {
        iam(self.aws.http_client(), admin())
    }

    /// STS as the administrator.
    pub(crate) fn sts(&self) -> aws_sdk_sts::Client {
        sts(self.aws.http_client(), admin())
    }

    pub(crate) fn iam_as(&self, credentials: Credentials) -> aws_sdk_iam::Client {
        iam(self.aws.http_client(), credentials)
    }

    pub(crate) fn sts_as(&self, credentials: Credentials) -> aws_sdk_sts::Client {
        sts(self.aws.http_client(), credentials)
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    /// A fresh user with one key.
    pub(crate) async fn user_with_key(&self, name: &str) -> Credentials {
        self.aws.create_user(name, "/", &[]).unwrap();
        key_of(&self.iam().create_access_key().user_name(name).send().await.unwrap())
    }
}

pub(crate) fn admin() -> Credentials {
    keys(ADMIN_KEY, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None)
}

pub(crate) fn keys(id: &str, secret: &str, token: Option<&str>) -> Credentials {
    Credentials::new(id, secret, token.map(str::to_owned), None, "test")
}

pub(crate) fn key_of(output: &CreateAccessKeyOutput) -> Credentials {
    let key = output.access_key().unwrap();
    keys(key.access_key_id(), key.secret_access_key(), None)
}

pub(crate) fn session_of(session: &aws_sdk_sts::types::Credentials) -> Credentials {
    keys(session.access_key_id(), session.secret_access_key(), Some(session.session_token()))
}

pub(crate) fn iam(http: SharedHttpClient, credentials: Credentials) -> aws_sdk_iam::Client {
    let config = aws_sdk_iam::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials)
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .build();
    aws_sdk_iam::Client::from_conf(config)
}

pub(crate) fn sts(http: SharedHttpClient, credentials: Credentials) -> aws_sdk_sts::Client {
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials)
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .build();
    aws_sdk_sts::Client::from_conf(config)
}

/// Status and code of a refusal, such as `404 NoSuchEntity`.
pub(crate) fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    result: Result<T, SdkError<E, HttpResponse>>,
) -> String {
    refusal_of(&result.unwrap_err())
}

pub(crate) fn refusal_of<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> String {
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    format!("{status} {}", error.code().unwrap_or("without a code"))
}

/// The sentence of a refusal.
pub(crate) fn sentence<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    result: Result<T, SdkError<E, HttpResponse>>,
) -> String {
    result.unwrap_err().message().unwrap_or_default().to_owned()
}

/// The moment that is so many seconds after 1970, as the SDK has it.
pub(crate) fn moment(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}
