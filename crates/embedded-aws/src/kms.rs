//! KMS as far as a broker uses it: symmetric keys that are made through the handle, `Encrypt`, `Decrypt` and
//! `DescribeKey` over AWS's JSON protocol. Keys live as long as the handle. What one key and context encrypted must
//! never open with another. Who calls is decided in [`crate::caller`] and [`crate::authorize`].

use std::collections::BTreeMap;

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::base64;
use rand::Rng as _;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

use crate::authorize::{denied, outcome};
use crate::caller::Caller;
use crate::connector::json_response;
use crate::error::AwsError;
use crate::form::{Form, Parameters};
use crate::service::{Account, Request};
use crate::signature::Signed;

/// What the header of a call begins with.
const TARGET: &str = "TrentService.";
/// Characters of a key's id.
const ID: usize = 36;
/// Most bytes that KMS encrypts (KMS API reference, `Encrypt`).
const LONGEST: usize = 4_096;

/// The keys of an account.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// Whether each is enabled, by its id.
    enabled: BTreeMap<String, bool>,
    /// Ids by alias, `alias/…`.
    aliases: BTreeMap<String, String>,
}

/// The operation that a request names, if it is one of KMS's.
pub(crate) fn operation(request: &HttpRequest) -> Option<&str> {
    request.headers().get("x-amz-target")?.strip_prefix(TARGET)
}

/// Answers a request of KMS's.
pub(crate) fn respond(account: &mut Account, request: &HttpRequest, id: &str) -> HttpResponse {
    match answer(account, request) {
        Ok(body) => json_response(200, &body, id),
        Err(error) => {
            let status = if error.status == 403 { 400 } else { error.status };
            json_response(status, &json!({"__type": error.code, "message": error.message}), id)
        }
    }
}

impl Account {
    /// A new key under an alias.
    pub(crate) fn create_kms_key(&mut self, alias: &str) -> String {
        let id = self.request_id();
        self.kms.enabled.insert(id.clone(), true);
        self.kms.aliases.insert(alias.to_owned(), id.clone());
        id
    }

    /// Enables or disables a key.
    pub(crate) fn set_kms_key(&mut self, id: &str, enabled: bool) {
        if let Some(key) = self.kms.enabled.get_mut(id) {
            *key = enabled;
        }
    }
}

fn answer(account: &mut Account, request: &HttpRequest) -> Result<Value, AwsError> {
    let action = operation(request).unwrap_or_default().to_owned();
    let body = request.body().bytes().unwrap_or_default();
    let body: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|_no_json| AwsError::kms("SerializationException", "the body is no JSON"))?;
    let signed = Signed::read(request).ok_or_else(AwsError::missing_authentication)?;
    if signed.service != "kms" {
        return Err(AwsError::signature_does_not_match());
    }
    let now = account.now();
    let caller = Caller::of(request, &signed, &mut account.state, &account.options, now)?;
    let blob = bytes(&body, "CiphertextBlob");
    let key = match (text(&body, "KeyId"), &blob) {
        (Some(name), _) => account.kms.named(name, &account.options.account)?,
        (None, Some(blob)) => owner(blob)?,
        (None, None) => return Err(AwsError::missing("keyId")),
    };
    let arn = arn(&account.options.account, &key);
    may(account, &caller, &action, &arn)?;
    let enabled = account.kms.enabled.get(&key).copied();
    let enabled = enabled.ok_or_else(|| not_found(&format!("Key '{arn}' does not exist")))?;
    if action == "DescribeKey" {
        return Ok(description(&key, &arn, &account.options.account, enabled));
    }
    if !enabled {
        return Err(AwsError::kms("DisabledException", format!("{arn} is disabled.")));
    }
    let secret = Secret::of(&account.options.account, &key, body.get("EncryptionContext"));
    match action.as_str() {
        "Encrypt" => {
            let plaintext =
                bytes(&body, "Plaintext").ok_or_else(|| AwsError::missing("plaintext"))?;
            if plaintext.is_empty() || plaintext.len() > LONGEST {
                return Err(AwsError::validation("plaintext must have 1 to 4096 bytes"));
            }
            let nonce = account.options.rng.random();
            let blob = [key.as_bytes(), &secret.seal(plaintext, nonce)?].concat();
            Ok(json!({
                "CiphertextBlob": base64::encode(blob), "KeyId": arn,
                "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
            }))
        }
        "Decrypt" => {
            let blob = blob.ok_or_else(|| AwsError::missing("ciphertextBlob"))?;
            if owner(&blob)? != key {
                let told = "The key ID in the request does not identify a CMK that can perform this operation.";
                return Err(AwsError::kms("IncorrectKeyException", told));
            }
            let plaintext = secret.open(blob.get(ID..).unwrap_or_default())?;
            Ok(json!({
                "Plaintext": base64::encode(plaintext), "KeyId": arn,
                "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
            }))
        }
        other => {
            Err(AwsError::kms("UnknownOperationException", format!("`{other}` is not offered")))
        }
    }
}

impl Keys {
    fn named(&self, name: &str, account: &str) -> Result<String, AwsError> {
        let own = format!("arn:aws:kms:us-east-1:{account}:");
        let name = name.strip_prefix(&own).unwrap_or(name);
        if name.starts_with("alias/") {
            let told = || not_found(&format!("Alias {own}{name} is not found."));
            return self.aliases.get(name).cloned().ok_or_else(told);
        }
        Ok(name.strip_prefix("key/").unwrap_or(name).to_owned())
    }
}

/// Whether the caller's policies allow it.
fn may(account: &mut Account, caller: &Caller, action: &str, arn: &str) -> Result<(), AwsError> {
    let now = account.now();
    let form = Form::from_parameters(Parameters::default());
    let request = Request {
        action,
        form: &form,
        caller,
        state: &mut account.state,
        account: &account.options.account,
        user_quota: account.options.user_quota,
        now,
        rng: &mut *account.options.rng,
    };
    let action = format!("kms:{action}");
    match outcome(&request, &action, arn) {
        iam_policy::decide::Outcome::Allowed => Ok(()),
        iam_policy::decide::Outcome::ExplicitlyDenied
        | iam_policy::decide::Outcome::ConditionallyAllowed
        | iam_policy::decide::Outcome::NotAllowed => {
            let why = "because no identity-based policy allows it";
            let told = denied(&request, &action, arn, why);
            Err(AwsError::kms("AccessDeniedException", told.message))
        }
    }
}

/// The key of an account under one encryption context.
struct Secret {
    key: LessSafeKey,
    context: Vec<u8>,
}

impl Secret {
    /// Keys are made of their names: nothing here is meant to be secret.
    #[expect(clippy::expect_used, reason = "SHA-256 gives the 32 bytes that AES-256 takes")]
    fn of(account: &str, id: &str, context: Option<&Value>) -> Self {
        let material = digest(&SHA256, format!("embedded KMS {account} {id}").as_bytes());
        let key = UnboundKey::new(&AES_256_GCM, material.as_ref()).expect("32 bytes");
        // serde_json's maps are sorted, so that the order of the members does not matter.
        let context = context.map(Value::to_string).unwrap_or_default().into_bytes();
        Self { key: LessSafeKey::new(key), context }
    }

    fn seal(&self, plaintext: Vec<u8>, nonce: [u8; NONCE_LEN]) -> Result<Vec<u8>, AwsError> {
        let mut body = plaintext;
        let aad = Aad::from(&self.context);
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut body)
            .map_err(|_too_long| AwsError::service_failure())?;
        Ok([nonce.as_slice(), &body].concat())
    }

    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, AwsError> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(invalid)?;
        let mut body = body.to_vec();
        let aad = Aad::from(&self.context);
        let opened = self.key.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut body);
        opened.map(|text| text.to_vec()).map_err(|_other| invalid())
    }
}

fn description(id: &str, arn: &str, account: &str, enabled: bool) -> Value {
    let state = if enabled { "Enabled" } else { "Disabled" };
    json!({"KeyMetadata": {
        "AWSAccountId": account, "KeyId": id, "Arn": arn, "Enabled": enabled, "KeyState": state,
        "KeyUsage": "ENCRYPT_DECRYPT", "KeySpec": "SYMMETRIC_DEFAULT", "KeyManager": "CUSTOMER",
        "Origin": "AWS_KMS", "MultiRegion": false, "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
    }})
}

fn arn(account: &str, id: &str) -> String {
    format!("arn:aws:kms:us-east-1:{account}:key/{id}")
}

/// The key that encrypted this.
fn owner(blob: &[u8]) -> Result<String, AwsError> {
    let id = blob.get(..ID).and_then(|id| std::str::from_utf8(id).ok());
    id.map(str::to_owned).ok_or_else(invalid)
}

fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    body.get(name).and_then(Value::as_str)
}

fn bytes(body: &Map<String, Value>, name: &str) -> Option<Vec<u8>> {
    text(body, name).and_then(|text| base64::decode(text).ok())
}

/// KMS says no more of what it cannot open.
fn invalid() -> AwsError {
    AwsError::kms("InvalidCiphertextException", "")
}

fn not_found(message: &str) -> AwsError {
    AwsError::kms("NotFoundException", message)
}
