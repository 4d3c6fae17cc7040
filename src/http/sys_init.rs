//! `sys/init` (contract 2.3): whether the installation is initialised, and making it so once. Shares and the root token
//! are shown this once. The rules are [`crate::custody`]'s.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Wire;
use super::envelope::{Answer, Shown};
use super::error::ApiError;
use super::fields::{Field, Fields, Kind, field};
use super::pipeline::Answered;
use super::request::Incoming;
use super::seal_fields::{self, finished};
use super::sys_health::must_be;
use crate::custody::{CustodyError, Initialised, NewSeal, Shares};
use crate::model::SealKind;
use crate::seal::SealStatus;
use crate::seal::shamir::as_texts;

/// How many shares, of which kind.
const NUMBERS: &[Field] = &[
    field("secret_shares", Kind::Int),
    field("secret_threshold", Kind::Int),
    field("recovery_shares", Kind::Int),
    field("recovery_threshold", Kind::Int),
    field("stored_shares", Kind::Int),
];

/// For whom shares and token would be encrypted: not offered.
const KEYS: [&str; 3] = ["pgp_keys", "recovery_pgp_keys", "root_token_pgp_key"];

/// GET shows, PUT and POST make.
pub(super) async fn init(wire: &Arc<Wire>, incoming: &Incoming) -> Answered {
    must_be(incoming, &["GET", "PUT", "POST"])?;
    let initialised = !matches!(wire.barrier.status(), SealStatus::Uninitialised);
    if incoming.method == "GET" {
        return Answer::bare(&json!({"initialized": initialised}));
    }
    let data = seal_fields::data(incoming)?;
    if initialised {
        return Err(CustodyError::AlreadyInitialised.into());
    }
    let new = wished(data, wire.custody.kind())?;
    let made = finished(wire, move |custody| async move { custody.initialise(new).await });
    shown(&made.await?)
}

/// Shares and root token: written here and nowhere else.
fn shown(made: &Initialised) -> Answered {
    #[derive(Serialize)]
    struct Body<'a> {
        keys: Vec<String>,
        keys_base64: Vec<String>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        recovery_keys: Vec<String>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        recovery_keys_base64: Vec<String>,
        root_token: Shown<'a>,
    }
    let (keys, keys_base64) = as_texts(&made.keys);
    let (recovery_keys, recovery_keys_base64) = as_texts(&made.recovery_keys);
    let root_token = Shown(Some(&made.root_token));
    Answer::bare(&Body { keys, keys_base64, recovery_keys, recovery_keys_base64, root_token })
}

/// What an installation is to be made with, by a seal of this kind.
fn wished(data: Map<String, Value>, kind: SealKind) -> Result<NewSeal, ApiError> {
    let asked_keys = KEYS.into_iter().filter(|name| {
        let value = data.get(*name).unwrap_or(&Value::Null);
        !(value.is_null() || value == "" || value == &json!([]))
    });
    let mut refused: Vec<&str> = asked_keys.collect();
    let mut fields = Fields::read(NUMBERS, data).map_err(ApiError::Field)?;
    let mut number = |name| fields.int(name).unwrap_or_default();
    let secret = (number("secret_shares"), number("secret_threshold"));
    let recovery = (number("recovery_shares"), number("recovery_threshold"));
    if !matches!(number("stored_shares"), 0 | 1) {
        refused.push("stored_shares");
    }
    let names = |(shares, threshold), of: [&'static str; 2]| {
        of.into_iter().zip([shares != 0, threshold != 0]).filter(|(_, sent)| *sent)
    };
    if kind.is_auto() {
        // 5 and 3 are what older command lines and hvac send of their own accord; 1 and 1 split nothing.
        if !matches!(secret, (0 | 1 | 5, 0 | 1 | 3)) {
            let sent = names(secret, ["secret_shares", "secret_threshold"]);
            refused.extend(sent.map(|(name, _)| name));
        }
    } else {
        let sent = names(recovery, ["recovery_shares", "recovery_threshold"]);
        refused.extend(sent.map(|(name, _)| name));
    }
    if !refused.is_empty() {
        refused.sort_unstable();
        return Err(CustodyError::NotApplicable(refused.join(","), kind.as_str()).into());
    }
    Ok(if kind.is_auto() {
        let recovery = match recovery {
            (0, 0) => None,
            (shares, threshold) => Some(numbers("recovery", shares, threshold)?),
        };
        NewSeal { shares: None, recovery }
    } else {
        NewSeal { shares: Some(numbers("seal", secret.0, secret.1)?), recovery: None }
    })
}

fn numbers(what: &'static str, shares: i64, threshold: i64) -> Result<Shares, CustodyError> {
    seal_fields::shares(what, shares, threshold)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(data: &Value, kind: SealKind) -> Result<NewSeal, String> {
        let data = data.as_object().cloned().unwrap();
        wished(data, kind).map_err(|error| error.told().errors.join("|"))
    }

    fn shares(shares: i64, threshold: i64) -> Shares {
        Shares::new(shares, threshold).unwrap()
    }

    #[test]
    fn a_machine_that_unseals_has_no_shares_but_may_have_those_of_a_recovery_key() {
        for fine in [
            json!({}),
            json!({"secret_shares": 5, "secret_threshold": 3, "pgp_keys": []}),
            json!({"secret_shares": 1, "secret_threshold": 1}),
            json!({"stored_shares": null, "pgp_keys": null, "root_token_pgp_key": ""}),
        ] {
            assert_eq!(read(&fine, SealKind::Static), Ok(NewSeal::default()), "{fine}");
        }
        assert_eq!(
            read(&json!({"recovery_shares": 5, "recovery_threshold": 3}), SealKind::AwsKms),
            Ok(NewSeal { shares: None, recovery: Some(shares(5, 3)) })
        );
        let told = |data| read(&data, SealKind::Static).unwrap_err();
        assert_eq!(
            told(json!({"secret_shares": 7, "secret_threshold": 4, "pgp_keys": ["x"]})),
            "parameters pgp_keys,secret_shares,secret_threshold not applicable to seal type static"
        );
        assert_eq!(
            told(json!({"recovery_shares": 5, "recovery_threshold": 1})),
            "invalid recovery configuration: threshold must be greater than one for multiple shares"
        );
    }

    #[test]
    fn what_a_machine_unseals_gives_its_root_token_and_no_keys() {
        let root_token = crate::model::ClientToken::new("hvs.x");
        let made = Initialised { keys: Vec::new(), recovery_keys: Vec::new(), root_token };
        let place = crate::http::envelope::Place { mount_type: "system", injects: false };
        let (_, body) = shown(&made).unwrap().render("id", place).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body, json!({"keys": [], "keys_base64": [], "root_token": "hvs.x"}));
    }

    #[test]
    fn shares_that_unseal_must_be_asked_for() {
        let two_of_three = json!({"secret_shares": 3, "secret_threshold": 2});
        let new = NewSeal { shares: Some(shares(3, 2)), recovery: None };
        assert_eq!(read(&two_of_three, SealKind::Shamir), Ok(new));
        let told = |data| read(&data, SealKind::Shamir).unwrap_err();
        assert_eq!(told(json!({})), "invalid seal configuration: shares must be at least one");
        assert_eq!(
            told(json!({"secret_shares": 1, "secret_threshold": 1, "recovery_shares": 5})),
            "parameters recovery_shares not applicable to seal type shamir"
        );
        assert_eq!(
            told(json!({"secret_shares": 1, "secret_threshold": 1, "pgp_keys": "x"})),
            "parameters pgp_keys not applicable to seal type shamir"
        );
    }
}
