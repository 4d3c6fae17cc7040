//! What the tests share: the broker in a process of the test's own ([`broker`]), the real binary
//! ([`process`]), configured as in production ([`server`]) with an AWS that outlives it ([`aws_server`]),
//! callers that ask for everything at once ([`storm`]), a client for all ([`client`]), and for logins somebody
//! who signs tokens ([`signer`]) and serves keys ([`https_server`]).

pub mod aws_server;
pub mod broker;
pub mod chance;
pub mod client;
pub mod https_server;
pub mod log;
pub mod process;
pub mod server;
pub mod signer;
pub mod storm;
pub mod transcript;
pub mod trouble;

/// The guide's document: wide, so that `least-privilege` has something to say.
pub const S3_STAR: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;

/// A document that no guardrail minds.
pub const NARROW: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}"#;
