//! What an entry says, in Vault's format: who asked for what, and what came of it. One [`Trail`] a request, made before
//! it is served; for each device the parts are worked out once and used for both entries. Decides nothing; what is
//! written where is [`super::device`]'s.

use std::borrow::Cow;
use std::sync::Arc;

use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::Unwritten;
use super::device::Device;
use super::hashed::Shown;
use crate::model::{ClientToken, EntityId, Timestamp, Token, TokenKind};
use crate::seal::AuditKey;

/// Values and bytes of text in the data of a request or an answer; of more, an entry has a digest of the whole. Each
/// text becomes 76 characters, so that a body of 32 MiB could make a gigabyte: an entry has 2 MiB at most in this way.
const MOST_VALUES: usize = 10_000;
/// As above.
const MOST_BYTES: usize = 1 << 20;

/// What is known of a request before it is served.
#[derive(Debug)]
pub struct Facts<'a> {
    /// When it came.
    pub at: Timestamp,
    /// Its id.
    pub id: &'a str,
    /// What it wants, e.g. `update`.
    pub operation: &'static str,
    /// Its path, without `/v1/`.
    pub path: &'a str,
    /// What was sent.
    pub data: Cow<'a, Map<String, Value>>,
    /// The token that was sent.
    pub token: Option<&'a ClientToken>,
    /// Who that is, if anybody.
    pub caller: Option<&'a Token>,
    /// Where it came from.
    pub remote: Option<std::net::IpAddr>,
    /// For how many seconds the answer is to be wrapped.
    pub wrap_seconds: Option<u64>,
    /// Path, type and accessor of what serves it.
    pub mount: Option<AtMount<'a>>,
}

/// A header of an answer, shown as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// Its name, in lower case.
    pub name: &'static str,
    /// Its values.
    pub values: Vec<&'a str>,
}

/// What serves a request.
#[derive(Debug, Clone)]
pub struct AtMount<'a> {
    /// Its path.
    pub path: String,
    /// Its type, e.g. `aws`.
    pub kind: &'a str,
    /// `secret` or `auth`.
    pub class: &'a str,
    /// Its accessor.
    pub accessor: &'a str,
    /// Members of the request that are shown as they are.
    pub bare_request: &'a [String],
    /// The same of the answer.
    pub bare_response: &'a [String],
}

/// A request on its way.
#[derive(Debug)]
pub struct Trail {
    at: Timestamp,
    lists: bool,
    bare_response: Vec<String>,
    told: Vec<Told>,
}

/// What one device is told of it.
#[derive(Debug)]
struct Told {
    device: Arc<Device>,
    auth: Option<Map<String, Value>>,
    request: Value,
}

/// The parts of an answer that an entry tells.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body<'a> {
    #[serde(borrow)]
    lease_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    auth: Option<&'a RawValue>,
    #[serde(borrow)]
    wrap_info: Option<&'a RawValue>,
    #[serde(borrow)]
    warnings: Option<&'a RawValue>,
}

impl Trail {
    pub(super) fn begin(devices: &[Arc<Device>], facts: &Facts<'_>) -> Self {
        let told = |device: &Arc<Device>| Told {
            device: Arc::clone(device),
            auth: facts.caller.map(|caller| auth(device, facts, caller)),
            request: request(device, facts),
        };
        Self {
            at: facts.at,
            lists: facts.operation == "list",
            bare_response: facts
                .mount
                .as_ref()
                .map(|mount| mount.bare_response.to_vec())
                .unwrap_or_default(),
            told: devices.iter().map(told).collect(),
        }
    }

    /// Before anything is done: what is asked, and whether it may be. An error is what the caller will be told.
    pub async fn asked(&self, refused: Option<&str>) -> Result<(), Unwritten> {
        let entries = self.told.iter().map(|told| {
            let mut entry = self.entry(told, "request", refused);
            if let Some(auth) = &told.auth {
                let mut auth = auth.clone();
                auth.insert("policy_results".into(), json!({ "allowed": refused.is_none() }));
                entry.insert("auth".into(), auth.into());
            }
            written(&told.device, entry)
        });
        one_of(&join_all(entries).await)
    }

    /// Before the caller is told: what came of it.
    pub async fn answered(
        &self,
        body: &[u8],
        header: Option<Header<'_>>,
        refused: Option<&str>,
    ) -> Result<(), Unwritten> {
        let body = std::str::from_utf8(body).unwrap_or_default();
        let entries = self.told.iter().map(|told| {
            let mut entry = self.entry(told, "response", refused);
            if let Some(auth) = &told.auth {
                entry.insert("auth".into(), auth.clone().into());
            }
            let mut response = self.response(&told.device, body).unwrap_or_default();
            if let Some(Header { name, values }) = &header {
                response.insert("headers".into(), json!({ *name: values }));
            }
            if !response.is_empty() {
                entry.insert("response".into(), response.into());
            }
            written(&told.device, entry)
        });
        one_of(&join_all(entries).await)
    }

    fn entry(&self, told: &Told, kind: &str, refused: Option<&str>) -> Map<String, Value> {
        let mut entry = Map::new();
        entry.insert("time".into(), self.at.rfc3339().into());
        entry.insert("type".into(), kind.into());
        entry.insert("request".into(), told.request.clone());
        if let Some(refused) = refused {
            entry.insert("error".into(), refused.into());
        }
        entry
    }

    /// What is told of an answer; nothing of one without any of it.
    fn response(&self, device: &Device, body: &str) -> Option<Map<String, Value>> {
        // A body that is no JSON object is a text for programs, metrics for one: nobody's secret, and long.
        let body: Body<'_> = serde_json::from_str(body).ok()?;
        let shown = shown(device);
        let mut response = Map::new();
        if let Some(data) = body.data.filter(|data| data.get() != "null") {
            let data = if data.get().len() > MOST_BYTES {
                left_out(device, data.get())
            } else {
                let mut data = shown.json(data.get(), &self.bare_response).ok()?;
                if self.lists && device.options.elide_lists {
                    elide(&mut data);
                }
                data
            };
            response.insert("data".into(), data);
        }
        if let Some(lease_id) = body.lease_id.filter(|id| !id.is_empty()) {
            response.insert("secret".into(), json!({ "lease_id": lease_id }));
        }
        if let Some(auth) = body.auth.and_then(|auth| members(device, auth)) {
            response.insert("auth".into(), auth);
        }
        if let Some(info) = body.wrap_info.and_then(|info| members(device, info)) {
            response.insert("wrap_info".into(), info);
        }
        if let Some(warnings) = body.warnings.filter(|warnings| warnings.get() != "null") {
            let warnings = Shown::Bare.json(warnings.get(), &[]).ok()?;
            response.insert("warnings".into(), warnings);
        }
        Some(response)
    }
}

/// Whether the data of a request may stand in an entry; looks no further than it has to.
fn is_small(data: &Map<String, Value>) -> bool {
    let named = |names: serde_json::map::Keys<'_>| {
        names.fold(0_usize, |sum, name| sum.saturating_add(name.len()))
    };
    let (mut values, mut bytes) = (0_usize, named(data.keys()));
    let mut open: Vec<&Value> = data.values().collect();
    while let Some(value) = open.pop() {
        values = values.saturating_add(1);
        match value {
            Value::String(text) => bytes = bytes.saturating_add(text.len()),
            Value::Array(members) => open.extend(members),
            Value::Object(members) => {
                bytes = bytes.saturating_add(named(members.keys()));
                open.extend(members.values());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        if values > MOST_VALUES || bytes > MOST_BYTES {
            return false;
        }
    }
    values <= MOST_VALUES && bytes <= MOST_BYTES
}

/// What stands for data that is too large to be told.
fn left_out(device: &Device, text: &str) -> Value {
    json!({ "left_out": { "bytes": text.len(), "digest": device.key.digest(text) } })
}

fn shown(device: &Device) -> Shown<'_> {
    if device.options.raw { Shown::Bare } else { Shown::Hashed(&device.key) }
}

fn token(device: &Device, token: &ClientToken) -> String {
    if device.options.raw { AuditKey::bare_token(token) } else { device.key.token(token) }
}

fn accessor(device: &Device, accessor: &str) -> String {
    let bare = device.options.raw || !device.options.hmac_accessor;
    if bare { accessor.to_owned() } else { device.key.digest(accessor) }
}

/// `auth` and `wrap_info` of an answer: tokens and accessors are hidden, the rest is shown.
fn members(device: &Device, raw: &RawValue) -> Option<Value> {
    let mut value: Value = serde_json::from_str(raw.get()).ok()?;
    let map = value.as_object_mut()?;
    for (name, member) in map.iter_mut() {
        let Value::String(text) = member else { continue };
        *text = match name.as_str() {
            "client_token" | "token" => shown(device).text(text),
            "accessor" | "wrapped_accessor" => accessor(device, text),
            _ => continue,
        };
    }
    Some(value)
}

/// Of a list, how long it is.
fn elide(data: &mut Value) {
    let Some(data) = data.as_object_mut() else { return };
    for name in ["keys", "key_info"] {
        if let Some(member) = data.get_mut(name) {
            let length =
                member.as_array().map(Vec::len).or_else(|| member.as_object().map(Map::len));
            *member = length.into();
        }
    }
}

fn auth(device: &Device, facts: &Facts<'_>, caller: &Token) -> Map<String, Value> {
    let mut auth = Map::new();
    if caller.kind == TokenKind::Service {
        auth.insert("accessor".into(), accessor(device, &caller.accessor.0).into());
    }
    if let Some(sent) = facts.token {
        auth.insert("client_token".into(), token(device, sent).into());
    }
    auth.insert("display_name".into(), caller.display_name.as_str().into());
    auth.insert("policies".into(), json!(caller.policies));
    auth.insert("token_policies".into(), json!(caller.policies));
    if let Some(meta) = &caller.meta {
        auth.insert("metadata".into(), json!(meta));
    }
    if caller.num_uses > 0 {
        auth.insert("remaining_uses".into(), caller.num_uses.into());
    }
    auth.insert("token_issue_time".into(), caller.created_at.rfc3339().into());
    if caller.creation_ttl > 0 {
        auth.insert("token_ttl".into(), caller.creation_ttl.into());
    }
    if let Some(EntityId(id)) = &caller.entity {
        auth.insert("entity_id".into(), id.as_str().into());
    }
    auth.insert("token_type".into(), caller.kind.as_str().into());
    auth
}

fn request(device: &Device, facts: &Facts<'_>) -> Value {
    let mut request = Map::new();
    request.insert("id".into(), facts.id.into());
    request.insert("operation".into(), facts.operation.into());
    request.insert("path".into(), facts.path.into());
    request.insert("namespace".into(), json!({ "id": "root" }));
    if let Some(sent) = facts.token {
        request.insert("client_token".into(), token(device, sent).into());
    }
    if let Some(caller) = facts.caller.filter(|caller| caller.kind == TokenKind::Service) {
        let shown = accessor(device, &caller.accessor.0);
        request.insert("client_token_accessor".into(), shown.into());
    }
    if let Some(mount) = &facts.mount {
        request.insert("mount_point".into(), mount.path.as_str().into());
        request.insert("mount_type".into(), mount.kind.into());
        request.insert("mount_class".into(), mount.class.into());
        if !mount.accessor.is_empty() {
            request.insert("mount_accessor".into(), mount.accessor.into());
        }
    }
    if let Some(remote) = facts.remote {
        request.insert("remote_address".into(), remote.to_string().into());
    }
    if let Some(seconds) = facts.wrap_seconds {
        request.insert("wrap_ttl".into(), seconds.into());
    }
    if !facts.data.is_empty() {
        let bare = facts.mount.as_ref().map(|mount| mount.bare_request).unwrap_or_default();
        let data = if is_small(&facts.data) {
            shown(device).map(&facts.data, bare)
        } else {
            left_out(device, &Value::Object(facts.data.clone().into_owned()).to_string())
        };
        request.insert("data".into(), data);
    }
    request.into()
}

/// Hands an entry to its device.
fn written(
    device: &Device,
    entry: Map<String, Value>,
) -> impl Future<Output = bool> + Send + use<> {
    device.write(format!("{}{}", device.options.prefix, Value::Object(entry)))
}

/// One device is enough.
fn one_of(written: &[bool]) -> Result<(), Unwritten> {
    if written.contains(&true) { Ok(()) } else { Err(Unwritten) }
}
