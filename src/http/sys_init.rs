//! `sys/init` (contract 2.3): whether the installation is initialised, and making it so once. It unseals
//! itself by its key file, so there are no keys to hand out; the root token is shown this once.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Wire;
use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Fields, Kind, field};
use super::pipeline::Answered;
use super::request::{Incoming, Request};
use super::sys_health::must_be;
use crate::seal::SealStatus;

/// What the seal is called: unsealed by a key at hand, without shares.
pub(super) const SEAL_TYPE: &str = "static";

/// How many shares, of which kind.
const NUMBERS: &[Field] = &[
    field("secret_shares", Kind::Int),
    field("secret_threshold", Kind::Int),
    field("recovery_shares", Kind::Int),
    field("recovery_threshold", Kind::Int),
    field("stored_shares", Kind::Int),
];

/// For whom shares and token would be encrypted.
const KEYS: [&str; 3] = ["pgp_keys", "recovery_pgp_keys", "root_token_pgp_key"];

/// GET shows, PUT and POST make.
pub(super) async fn init(wire: &Arc<Wire>, incoming: &Incoming) -> Answered {
    must_be(incoming, &["GET", "PUT", "POST"])?;
    let initialised = !matches!(wire.barrier.status(), SealStatus::Uninitialised);
    if incoming.method == "GET" {
        return Answer::bare(&json!({"initialized": initialised}));
    }
    let request = Request::read(incoming, "sys/init".to_owned())?;
    check(&request.data)?;
    let root_token = {
        let wire = Arc::clone(wire);
        let work = {
            let wire = Arc::clone(&wire);
            async move { wire.initialiser.initialise().await }
        };
        wire.in_flight.run(work).await.map_err(|error| ApiError::lost(&error))??
    };
    Answer::initialised(&root_token)
}

/// Shares and encryption are not offered by this seal. The CLI's defaults count as not sent.
fn check(data: &Map<String, Value>) -> Result<(), ApiError> {
    let asked_keys = KEYS.into_iter().filter(|name| {
        let value = data.get(*name).unwrap_or(&Value::Null);
        !(value.is_null() || value == "" || value == &json!([]))
    });
    let mut refused: Vec<&str> = asked_keys.collect();
    let mut fields = Fields::read(NUMBERS, data.clone()).map_err(ApiError::Field)?;
    for number in NUMBERS {
        let is_default = match (number.name, fields.int(number.name).unwrap_or(0)) {
            // 5 and 3 are what `vault operator init` and hvac send of their own accord; 1 and 1
            // split nothing.
            (_, 0 | 1)
            | ("secret_shares" | "recovery_shares", 5)
            | ("secret_threshold" | "recovery_threshold", 3) => true,
            (_, _) => false,
        };
        if !is_default {
            refused.push(number.name);
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    refused.sort_unstable();
    Err(ApiError::InitParameters(refused.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(data: &Value) -> Option<String> {
        let error = check(data.as_object().unwrap()).err()?;
        Some(error.told().errors.join("|"))
    }

    #[test]
    fn what_the_seal_does_not_offer_is_named() {
        for fine in [
            json!({}),
            json!({"secret_shares": 5, "secret_threshold": 3, "pgp_keys": []}),
            json!({"secret_shares": 1, "secret_threshold": 1}),
            json!({"recovery_shares": 5, "recovery_threshold": 3, "root_token_pgp_key": ""}),
            json!({"stored_shares": null, "pgp_keys": null}),
        ] {
            assert_eq!(told(&fine), None, "{fine}");
        }
        assert_eq!(
            told(&json!({"secret_shares": 7, "secret_threshold": 4, "pgp_keys": ["x"]})).as_deref(),
            Some(
                "parameters pgp_keys,secret_shares,secret_threshold not applicable to seal type static"
            )
        );
    }
}
