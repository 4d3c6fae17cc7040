//! `sys/plugins/guardrails` and `sys/plugins/guardrails-check`: ours alone, in the shape of Vault's reads, lists, writes and
//! deletes. A component comes as `component` in base64, or is the body itself. Only shapes live here; what is taken is
//! [`crate::engine::plugins`]'.

use std::sync::LazyLock;

use actix_web::web::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Map, Value};

use super::envelope::Answer;
use super::fields::{Field, Kind, field};
use super::pipeline::{Answered, Call};
use super::request::Request;
use crate::engine::plugins::{
    KnownPlugin, ListedPlugin, Origin, PluginError, PluginKey, Upload, Uploaded, Wanted,
};
use crate::gate::{Signer, component_digest};
use crate::model::{PluginTests, SemanticVersion, Timestamp, Uploader};

/// What an upload takes. The value of a field that cannot be read is not repeated: it has megabytes.
pub(super) const UPLOAD: &[Field] =
    &[field(COMPONENT, Kind::Secret), field("digest", Kind::Text), field("skip_tests", Kind::Bool)];

/// The largest package in base64 (28 MiB to 38), and its JSON.
pub(super) const BODY_LIMIT: usize = 40 << 20;

const COMPONENT: &str = "component";
const PATH: &str = "sys/plugins/guardrails";
const CHECK: &str = "sys/plugins/guardrails-check";

/// Whether a request to this path, as in the request line, may bring a component.
pub(super) fn takes_components(path: &str) -> bool {
    path.strip_prefix("/v1/").is_some_and(|path| path.starts_with(PATH))
}

/// Whether a body is taken as it is: one on our paths that is no JSON object.
pub(super) fn is_upload(path: &str, body: &[u8]) -> bool {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    is_ours(path) && first.is_some_and(|byte| *byte != b'{')
}

fn is_ours(path: &str) -> bool {
    path == PATH
        || path == CHECK
        || path.strip_prefix(PATH).is_some_and(|rest| rest.starts_with('/'))
}

/// What the audit is told in the place of what was sent, where that is an upload: the digest of the bytes, which are
/// megabytes and nobody's secret. `None` where nothing is uploaded.
pub(super) fn audited(request: &Request) -> Option<Map<String, Value>> {
    if !is_ours(&request.path) {
        return None;
    }
    let digest = |bytes: &[u8]| component_digest(bytes).map_or_else(String::new, String::from);
    let shown = match (&request.raw, request.data.get(COMPONENT)) {
        (Some(raw), _) => digest(raw),
        (None, Some(Value::String(text))) => match decoded(text) {
            Ok(bytes) => digest(&bytes),
            Err(_) => format!("{} bytes that are no base64", text.len()),
        },
        (None, Some(_)) => "no text".to_owned(),
        (None, None) => return None,
    };
    let rest = request.data.iter().filter(|(name, _)| *name != COMPONENT);
    let rest = rest.map(|(name, value)| (name.clone(), value.clone()));
    Some(rest.chain([(COMPONENT.to_owned(), shown.into())]).collect())
}

/// The members that the audit shows as they are: those by which a plugin is told from others.
pub(super) fn audited_bare(path: &str) -> Option<&'static [String]> {
    static BARE: LazyLock<[String; 4]> =
        LazyLock::new(|| [COMPONENT, "digest", "name", "version"].map(str::to_owned));
    is_ours(path).then(|| BARE.as_slice())
}

/// LIST `plugins/guardrails`: names.
pub(super) async fn list(call: Call) -> Answered {
    let names = call.wire.engine.plugin_names().await.map_err(PluginError::from)?;
    Ok(Answer::keys(names))
}

/// GET `plugins/guardrails`: every version of every plugin, in short.
pub(super) async fn read_all(call: Call) -> Answered {
    let listed = call.wire.engine.listed_plugins().await?;
    Answer::data(&All { plugins: listed.iter().map(Head::listed).collect() })
}

/// LIST `plugins/guardrails/:name`: versions, the oldest first.
pub(super) async fn versions(call: Call) -> Answered {
    let name = call.captured.trim_end_matches('/').parse().map_err(PluginError::Path)?;
    Ok(Answer::keys(call.wire.engine.plugin_versions(&name).await?))
}

/// GET `plugins/guardrails/:name`, `…/:name/:version` and `…/:digest`.
pub(super) async fn read(call: Call) -> Answered {
    let key = PluginKey::parse(&call.captured)?;
    let known = call.wire.engine.known_plugin(&key).await?;
    Answer::data(&View::new(&known, None))
}

/// POST and PUT `plugins/guardrails`, `…/:name` and `…/:name/:version`.
pub(super) async fn upload(mut call: Call) -> Answered {
    let upload = sent(&mut call)?;
    let Uploaded { plugin, is_new } =
        call.wire.engine.upload_plugin(call.caller()?, upload).await?;
    Answer::data(&View::new(&plugin, Some(is_new)))
}

/// POST and PUT `plugins/guardrails-check`.
pub(super) async fn check(mut call: Call) -> Answered {
    let upload = sent(&mut call)?;
    let plugin = call.wire.engine.check_plugin(call.caller()?, upload).await?;
    Answer::data(&View::new(&plugin, Some(false)))
}

/// DELETE `plugins/guardrails/:name/:version`; one that is not there is deleted already.
pub(super) async fn delete(call: Call) -> Answered {
    let key = PluginKey::parse(&call.captured)?;
    call.wire.engine.delete_plugin(call.caller()?, &key).await?;
    Ok(Answer::nothing())
}

fn sent(call: &mut Call) -> Result<Upload, PluginError> {
    let mut wanted = Wanted::default();
    match PluginKey::parse_optional(&call.captured)? {
        None => {}
        Some(PluginKey::Digest(digest)) => wanted.digest = Some(digest),
        Some(PluginKey::Newest(name)) => wanted.name = Some(name),
        Some(PluginKey::Version(name, version)) => {
            (wanted.name, wanted.version) = (Some(name), Some(version));
        }
    }
    if let Some(digest) = call.fields.filled_text("digest") {
        wanted.digest = Some(digest.parse().map_err(PluginError::Path)?);
    }
    let skip_tests = call.fields.bool("skip_tests").unwrap_or(false);
    let bytes = match call.raw.take() {
        Some(raw) => Bytes::into(raw),
        None => decoded(&call.fields.filled_text(COMPONENT).unwrap_or_default())?,
    };
    Ok(Upload { bytes, wanted, skip_tests })
}

fn decoded(text: &str) -> Result<Vec<u8>, PluginError> {
    STANDARD.decode(text.trim()).map_err(|_where| PluginError::NotBase64)
}

#[derive(Serialize)]
struct All<'a> {
    plugins: Vec<Head<'a>>,
}

/// A plugin in short.
#[derive(Serialize)]
struct Head<'a> {
    name: &'a str,
    /// Not of one that ships, in a list: it follows the release.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    digest: &'a str,
    origin: &'static str,
    size: u64,
    signers: Vec<&'a str>,
    used_by: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    uploaded_at: Option<String>,
}

impl<'a> Head<'a> {
    fn new(known: &'a KnownPlugin) -> Self {
        let KnownPlugin { record, origin, signers, used_by } = known;
        Self {
            name: record.name.as_str(),
            version: Some(record.version.as_str()),
            digest: record.digest.as_str(),
            origin: origin_word(*origin),
            size: record.bytes,
            signers: trusted(signers),
            used_by,
            uploaded_at: uploaded(known).map(|(at, _)| at.rfc3339()),
        }
    }

    fn listed(plugin: &'a ListedPlugin) -> Self {
        let ListedPlugin { name, version, digest, bytes, signers, used_by, uploaded_at } = plugin;
        let origin = if uploaded_at.is_some() { Origin::Uploaded } else { Origin::Shipped };
        Self {
            name,
            version: version.as_ref().map(SemanticVersion::as_str),
            digest: digest.as_str(),
            origin: origin_word(origin),
            size: *bytes,
            signers: trusted(signers),
            used_by,
            uploaded_at: uploaded_at.map(Timestamp::rfc3339),
        }
    }
}

const fn origin_word(origin: Origin) -> &'static str {
    match origin {
        Origin::Shipped => "builtin",
        Origin::Uploaded => "uploaded",
    }
}

fn trusted(signers: &[Signer]) -> Vec<&str> {
    signers.iter().filter_map(|signer| signer.trusted_as.as_deref()).collect()
}

/// When and by whom, of one that was uploaded.
fn uploaded(known: &KnownPlugin) -> Option<(Timestamp, &Uploader)> {
    match known.origin {
        Origin::Shipped => None,
        Origin::Uploaded => Some((known.record.uploaded_at, &known.record.uploaded_by)),
    }
}

/// A plugin with everything.
#[derive(Serialize)]
struct View<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    imports: &'a [String],
    manifest: &'a Value,
    settings_schema: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    tests: Option<PluginTests>,
    signatures: Vec<SignatureView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uploaded_by: Option<&'a Uploader>,
    /// Whether this request stored something.
    #[serde(skip_serializing_if = "Option::is_none")]
    stored: Option<bool>,
}

#[derive(Serialize)]
struct SignatureView<'a> {
    key_id: &'a str,
    trusted_as: Option<&'a str>,
}

impl<'a> View<'a> {
    fn new(known: &'a KnownPlugin, stored: Option<bool>) -> Self {
        let signature = |signer: &'a Signer| SignatureView {
            key_id: &signer.key_id,
            trusted_as: signer.trusted_as.as_deref(),
        };
        let uploaded_by = uploaded(known).map(|(_, by)| by);
        Self {
            head: Head::new(known),
            imports: &known.record.imports,
            manifest: &known.record.manifest,
            settings_schema: &known.record.settings_schema,
            tests: uploaded_by.map(|_| known.record.tests),
            signatures: known.signers.iter().map(signature).collect(),
            uploaded_by,
            stored,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_taken_as_it_is_on_these_paths_alone() {
        for path in [PATH, CHECK, "sys/plugins/guardrails/x", "sys/plugins/guardrails/x/1.0.0"] {
            assert!(is_upload(path, b"\0asm"), "{path}");
            assert!(!is_upload(path, b" {\"component\":\"\"}"), "{path}");
            assert!(!is_upload(path, b"  "), "{path}");
        }
        assert!(!is_upload("sys/plugins/guardrailsx", b"\0asm"));
        assert!(!is_upload("aws/roles/r", b"\0asm"));
        assert!(takes_components("/v1/sys/plugins/guardrails/x"));
        assert!(
            !takes_components("/v1/sys/plugins") && !takes_components("/sys/plugins/guardrails")
        );
    }
}
