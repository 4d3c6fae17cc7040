//! Why a plugin is not taken, found or removed. Nothing was changed then.

use guardrail_host::LoadError;
use guardrail_kit::package::PackageError;
use guardrail_kit::package::trial::{FailedCase, Trial};

use crate::gate::Untrusted;
use crate::model::{InvalidName, PluginDigest};
use crate::store::StoreError;

/// Failed tests that are told whole.
const TOLD_CASES: usize = 10;
/// Lines of one failed test that are told.
const TOLD_LINES: usize = 5;

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// Nothing was sent.
    #[error("no component was sent\nhelp: send it as `component` in base64, or as the body itself")]
    Nothing,
    /// Too many bytes, whatever they are.
    #[error("the upload has {bytes} bytes, more than the {limit} that are allowed")]
    TooLarge {
        /// How many it has.
        bytes: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// `component` is not base64.
    #[error("`component` is not base64")]
    NotBase64,
    /// Not a package.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// Not a component that can be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The schema of its settings is none.
    #[error("the component's settings schema cannot be used: {0}")]
    Schema(String),
    /// A name or version that cannot be one.
    #[error("the component's manifest cannot be used: {0}")]
    Manifest(InvalidName),
    /// A name, version or digest in the path that cannot be one.
    #[error(transparent)]
    Path(InvalidName),
    /// The request names something else than the component.
    #[error("the {what} in the request is `{asked}`, and the component's is `{own}`")]
    Differs {
        /// Of what: `name`, `version` or `digest`.
        what: &'static str,
        /// In the request.
        asked: String,
        /// The component's.
        own: String,
    },
    /// Nobody who is trusted vouches for it.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// Tests of the package failed.
    #[error(
        "{} of {} tests of the package failed{}\nhelp: `leasehold plugin test` shows each; `skip_tests=true` stores it nevertheless", .0.failed.len(), .0.cases, cases(&.0.failed)
    )]
    Tests(Trial),
    /// The tests take too long.
    #[error(
        "the tests of the package were stopped after {seconds} s and {cases} of them\nhelp: pack fewer, or `skip_tests=true` stores it without them"
    )]
    TestsTooLong {
        /// After how long.
        seconds: u64,
        /// How many were run.
        cases: usize,
    },
    /// The name and version are other bytes already.
    #[error(
        "`{name}` {version} is stored already with the digest {stored}, and this is {own}: a version never changes\nhelp: give this one a version of its own"
    )]
    Taken {
        /// The name.
        name: String,
        /// The version.
        version: String,
        /// What is stored.
        stored: PluginDigest,
        /// What was sent.
        own: PluginDigest,
    },
    /// A guardrail works with it.
    #[error(
        "`{name}` {version} is in use by {}\nhelp: give these another plugin, or delete them first", .guardrails.join(", ")
    )]
    InUse {
        /// The name.
        name: String,
        /// The version.
        version: String,
        /// The guardrails.
        guardrails: Vec<String>,
    },
    /// It ships with the broker.
    #[error("`{name}` {version} ships with the broker and cannot be deleted")]
    Shipped {
        /// The name.
        name: String,
        /// The version.
        version: String,
    },
    /// More signatures than are kept.
    #[error("`{0}` has {MAX_SIGNATURES} signatures already")]
    Signatures(String),
    /// Which version is to be deleted was not said.
    #[error("which version of `{0}`\nhelp: DELETE sys/plugins/guardrails/{0}/VERSION")]
    NoVersion(String),
    /// There is none.
    #[error("there is no such plugin")]
    NotFound,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A task of the broker ended early.
    #[error("the plugin was not examined to the end: {0}")]
    Lost(String),
}

/// Signatures that are kept with a plugin.
pub(super) const MAX_SIGNATURES: usize = 64;

fn cases(failed: &[FailedCase]) -> String {
    let told = failed.iter().take(TOLD_CASES).map(|case| {
        let why: Vec<&str> = case.why.iter().take(TOLD_LINES).map(String::as_str).collect();
        format!("\n  {}: {}", case.name, why.join("; "))
    });
    let rest = (failed.len() > TOLD_CASES).then(|| "\n  …".to_owned());
    told.chain(rest).collect()
}
