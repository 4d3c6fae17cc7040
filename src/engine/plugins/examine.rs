//! Whether bytes are a plugin that can be taken, and what it is. In this order: size, form, who vouches for it, kind and
//! imports, `describe` and `settings-schema`, what the request expects, its own tests. Stores nothing. The tests and the
//! compiler take seconds: runs apart from the workers.

use std::sync::Arc;
use std::time::Duration;

use guardrail_host::Plugin;
use guardrail_kit::package::{Artifact, MAX_BYTES, Package, Signature, Statement, digest, trial};
use tokio::time::Instant;

use super::PluginError;
use crate::gate::{Gate, SettingsSchema, Signer, Trust};
use crate::model::{
    PluginDigest, PluginName, PluginRecord, PluginSignature, PluginTests, SemanticVersion,
    Timestamp, Uploader,
};

/// How long the tests of one package may take together: five hundred at ten times what a Python guardrail needs.
const TEST_TIME: Duration = Duration::from_secs(20);

/// What somebody sends.
#[derive(Debug, Clone, Default)]
pub struct Upload {
    /// A component or a package.
    pub bytes: Vec<u8>,
    /// What the sender takes it for.
    pub wanted: Wanted,
    /// Whether the tests of the package are not to be run.
    pub skip_tests: bool,
}

/// What a request says that its component is; `None` = whatever it says itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub name: Option<PluginName>,
    /// Its version.
    pub version: Option<SemanticVersion>,
    /// Its digest.
    pub digest: Option<PluginDigest>,
}

/// A plugin that can be taken.
#[derive(Debug)]
pub(super) struct Examined {
    pub(super) record: PluginRecord,
    pub(super) component: Vec<u8>,
    pub(super) signers: Vec<Signer>,
}

/// Who sent it, and when.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) at: Timestamp,
    pub(super) by: Uploader,
}

/// Examines an upload. Blocks the thread.
pub(super) fn examine(
    gate: &Arc<Gate>,
    trust: &Trust,
    upload: Upload,
    sent: Sent,
) -> Result<Examined, PluginError> {
    let Upload { bytes, wanted, skip_tests } = upload;
    if bytes.is_empty() {
        return Err(PluginError::Nothing);
    }
    if bytes.len() > MAX_BYTES {
        return Err(PluginError::TooLarge { bytes: bytes.len(), limit: MAX_BYTES });
    }
    let artifact = Artifact::read(&bytes)?;
    drop(bytes);
    let own: PluginDigest = digest(artifact.component()).parse().map_err(PluginError::Manifest)?;
    differs("digest", wanted.digest.as_ref().map(PluginDigest::as_str), own.as_str())?;
    // Before anything is compiled; that the component says the same of itself is seen below.
    let mut signers = Vec::new();
    if let Some(package) = artifact.package() {
        signers = trust.judge(&package.statement(), &package.signatures)?;
    }
    if artifact.package().is_none() && trust.require_signature {
        let name = wanted.name.as_ref().map_or("component", PluginName::as_str);
        let version = wanted.version.as_ref().map_or("", SemanticVersion::as_str);
        trust.judge(&Statement { name, version, digest: own.as_str() }, &[])?;
    }
    let plugin = load(gate, artifact.component())?;
    if let Some(package) = artifact.package() {
        package.fits(&plugin)?;
    }
    let record = record(&plugin, own, artifact.component().len(), sent)?;
    differs("name", wanted.name.as_ref().map(PluginName::as_str), record.name.as_str())?;
    let version = wanted.version.as_ref().map(SemanticVersion::as_str);
    differs("version", version, record.version.as_str())?;
    let (component, package) = match artifact {
        Artifact::Component(component) => (component, None),
        Artifact::Package(package) => {
            let Package { component, tests, signatures, .. } = *package;
            (component, Some((tests, signatures)))
        }
    };
    let (tests, signatures) = package.unwrap_or_default();
    let tests = match u32::try_from(tests.len()).unwrap_or(u32::MAX) {
        0 => PluginTests::None,
        cases if skip_tests => PluginTests::Skipped { cases },
        cases => PluginTests::Passed { cases, most_fuel: tried(&plugin, &tests)? },
    };
    let signatures = signatures
        .into_iter()
        .map(|Signature { key_id, signature, .. }| PluginSignature { key_id, signature });
    let signatures = signatures.collect();
    Ok(Examined { record: PluginRecord { tests, signatures, ..record }, component, signers })
}

/// A component that is a guardrail with a schema that is one.
pub(super) fn load(gate: &Gate, component: &[u8]) -> Result<Plugin, PluginError> {
    let plugin = gate.load(component)?;
    let schema = serde_json::from_str(plugin.settings_schema())
        .map_err(|error| PluginError::Schema(error.to_string()))?;
    SettingsSchema::new(&schema).map_err(|error| PluginError::Schema(error.to_string()))?;
    Ok(plugin)
}

/// What is known of a loaded component; no tests and no signatures.
pub(super) fn record(
    plugin: &Plugin,
    digest: PluginDigest,
    bytes: usize,
    sent: Sent,
) -> Result<PluginRecord, PluginError> {
    let manifest = plugin.manifest();
    let schema = |error: serde_json::Error| PluginError::Schema(error.to_string());
    Ok(PluginRecord {
        digest,
        name: manifest.name.parse().map_err(PluginError::Manifest)?,
        version: manifest.version.parse().map_err(PluginError::Manifest)?,
        bytes: u64::try_from(bytes).unwrap_or(u64::MAX),
        imports: plugin.imports().to_vec(),
        manifest: serde_json::to_value(manifest).map_err(schema)?,
        settings_schema: serde_json::from_str(plugin.settings_schema()).map_err(schema)?,
        tests: PluginTests::None,
        signatures: Vec::new(),
        uploaded_at: sent.at,
        uploaded_by: sent.by,
    })
}

/// Runs the tests; the most fuel that one took.
fn tried(plugin: &Plugin, tests: &[guardrail_kit::package::TestFile]) -> Result<u64, PluginError> {
    let began = Instant::now();
    let trial = trial::run(plugin, tests, || began.elapsed() < TEST_TIME);
    match (trial.failed.is_empty(), trial.is_cut) {
        (true, false) => Ok(trial.most_fuel),
        (false, _) => Err(PluginError::Tests(trial)),
        (true, true) => {
            Err(PluginError::TestsTooLong { seconds: TEST_TIME.as_secs(), cases: trial.cases })
        }
    }
}

fn differs(what: &'static str, asked: Option<&str>, own: &str) -> Result<(), PluginError> {
    match asked {
        Some(asked) if asked != own => {
            Err(PluginError::Differs { what, asked: asked.to_owned(), own: own.to_owned() })
        }
        Some(_) | None => Ok(()),
    }
}
