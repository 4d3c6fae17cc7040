//! The shapes of an OpenAPI document: of a field by its kind, and of the answers that all operations share (contract
//! 0.2, 0.3). They say what is always so, not what each answer has in its `data`.

use serde_json::{Map, Value, json};

use crate::http::fields::{Field, Kind};

/// An answer that is no error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    /// 200, an envelope.
    Data,
    /// 200, an envelope with a list of keys.
    Keys,
    /// 204.
    Nothing,
    /// 202, without a body.
    Accepted,
    /// 202, an envelope.
    Begun,
    /// 200, a body without an envelope.
    Bare,
    /// 200, JSON or Prometheus' text.
    Metrics,
    /// The statuses of `sys/health`, of which each is a message.
    Health,
}

/// The errors that any operation may answer with.
const ERRORS: &[(&str, &str, &str)] = &[
    ("400", "BadRequest", "The request cannot be understood, or its values cannot be"),
    (
        "403",
        "Forbidden",
        "No token, a token that is not valid, or one whose policies do not allow it",
    ),
    ("404", "NotFound", "Nothing is there"),
    ("405", "NotOffered", "The path does not offer this"),
    ("413", "TooLarge", "The body is over the limit"),
    ("429", "TooMany", "A quota or a cap is used up"),
    ("500", "Failed", "Something failed on this side, or in AWS"),
    ("502", "Throttled", "AWS refused for the rate of calls; retrying is right"),
    ("503", "Unavailable", "Sealed, not initialised, or too busy"),
];

/// The `responses` of an operation.
pub(super) fn replies(own: &[Reply]) -> Value {
    let mut all = Map::new();
    for reply in own {
        for (status, response) in reply.responses() {
            all.insert(status.to_owned(), response);
        }
    }
    for (status, name, _) in ERRORS {
        all.entry(*status)
            .or_insert_with(|| json!({"$ref": format!("#/components/responses/{name}")}));
    }
    Value::Object(all)
}

impl Reply {
    fn responses(self) -> Vec<(&'static str, Value)> {
        let enveloped = |name: &str| {
            let schema = json!({"$ref": format!("#/components/schemas/{name}")});
            json!({"application/json": {"schema": schema}})
        };
        match self {
            Self::Data => {
                vec![("200", json!({"description": "OK", "content": enveloped("Envelope")}))]
            }
            Self::Keys => {
                vec![("200", json!({"description": "OK", "content": enveloped("ListEnvelope")}))]
            }
            Self::Nothing => vec![("204", json!({"description": "Done"}))],
            Self::Accepted => vec![("202", json!({"description": "Will be done"}))],
            Self::Begun => {
                vec![("202", json!({"description": "Begun", "content": enveloped("Envelope")}))]
            }
            Self::Bare => vec![("200", json!({"description": "OK", "content": bare()}))],
            Self::Metrics => {
                let text = json!({"schema": {"type": "string"}});
                let content = json!({
                    "application/json": {"schema": {"type": "object"}},
                    "text/plain": text,
                });
                let bad = json!({"text/plain": text, "application/json": {"schema": errors()}});
                vec![
                    ("200", json!({"description": "OK", "content": content})),
                    ("400", json!({"description": "No such format", "content": bad})),
                ]
            }
            Self::Health => {
                [("200", "Initialised and unsealed"), ("501", "Not initialised"), ("503", "Sealed")]
                    .map(|(status, text)| (status, json!({"description": text, "content": bare()})))
                    .into()
            }
        }
    }
}

fn bare() -> Value {
    json!({"application/json": {"schema": {"type": "object"}}})
}

fn errors() -> Value {
    json!({"$ref": "#/components/schemas/Errors"})
}

/// What `responses` refer to.
pub(super) fn responses() -> Map<String, Value> {
    let content = || json!({"application/json": {"schema": errors()}});
    let response = |text: &str| json!({"description": text, "content": content()});
    ERRORS.iter().map(|(_, name, text)| ((*name).to_owned(), response(text))).collect()
}

/// The schemas that every document has.
pub(super) fn shared() -> [(String, Value); 5] {
    let nullable = |name: &str| json!({"nullable": true, "allOf": [{"$ref": format!("#/components/schemas/{name}")}]});
    let warnings = json!({"type": "array", "nullable": true, "items": {"type": "string"}});
    let envelope = |data: Value| {
        json!({
            "type": "object",
            "required": ["request_id", "lease_id", "renewable", "lease_duration"],
            "properties": {
                "request_id": {"type": "string", "description": "Empty where the answer is wrapped"},
                "lease_id": {"type": "string"},
                "renewable": {"type": "boolean"},
                "lease_duration": {"type": "integer", "format": "seconds"},
                "data": data,
                "wrap_info": nullable("WrapInfo"),
                "warnings": warnings,
                "auth": nullable("Auth"),
                "mount_type": {"type": "string"},
            },
        })
    };
    let keys = json!({
        "type": "object",
        "nullable": true,
        "properties": {"keys": {"type": "array", "nullable": true, "items": {"type": "string"}}},
    });
    let errors = json!({
        "type": "object",
        "required": ["errors"],
        "properties": {
            "errors": {"type": "array", "items": {"type": "string"}},
            "data": {"type": "object", "nullable": true},
        },
    });
    [
        ("Envelope".to_owned(), envelope(json!({"type": "object", "nullable": true}))),
        ("ListEnvelope".to_owned(), envelope(keys)),
        ("Errors".to_owned(), errors),
        ("Auth".to_owned(), auth()),
        ("WrapInfo".to_owned(), wrap_info()),
    ]
}

fn auth() -> Value {
    let texts = json!({"type": "array", "items": {"type": "string"}});
    json!({
        "type": "object",
        "required": ["client_token", "accessor", "policies", "lease_duration", "renewable"],
        "properties": {
            "client_token": {"type": "string"},
            "accessor": {"type": "string"},
            "policies": texts,
            "token_policies": texts,
            "identity_policies": texts,
            "metadata": {"type": "object", "nullable": true, "additionalProperties": {"type": "string"}},
            "lease_duration": {"type": "integer", "format": "seconds"},
            "renewable": {"type": "boolean"},
            "entity_id": {"type": "string"},
            "token_type": {"type": "string"},
            "orphan": {"type": "boolean"},
            "mfa_requirement": {"type": "object", "nullable": true},
            "num_uses": {"type": "integer"},
        },
    })
}

fn wrap_info() -> Value {
    json!({
        "type": "object",
        "required": ["token", "accessor", "ttl", "creation_time", "creation_path"],
        "properties": {
            "token": {"type": "string"},
            "accessor": {"type": "string"},
            "ttl": {"type": "integer", "format": "seconds"},
            "creation_time": {"type": "string", "format": "date-time"},
            "creation_path": {"type": "string"},
            "wrapped_accessor": {"type": "string"},
        },
    })
}

/// Fields of any type that are objects when they are sent well; the others are texts.
const OBJECTS: &[&str] = &[
    "config",
    "options",
    "settings",
    "bound_claims",
    "claim_mappings",
    "user_lockout_config",
    "provider_config",
];

/// The schema of a field's value, as it is best sent. What else is taken: contract 0.4.
pub(super) fn of_field(field: &Field) -> Value {
    match field.kind {
        Kind::Any if OBJECTS.contains(&field.name) => json!({"type": "object"}),
        Kind::Text | Kind::Any => json!({"type": "string"}),
        Kind::Secret => {
            json!({"type": "string", "format": "password", "x-vault-displayAttrs": {"sensitive": true}})
        }
        Kind::Int => json!({"type": "integer", "format": "int64"}),
        Kind::Bool => json!({"type": "boolean"}),
        Kind::Seconds => json!({"type": "integer", "format": "seconds"}),
        Kind::List | Kind::Names => json!({"type": "array", "items": {"type": "string"}}),
        Kind::Pairs => {
            json!({"type": "object", "format": "kvpairs", "additionalProperties": {"type": "string"}})
        }
    }
}

/// The name of a role or a person in a path (contract 0.4).
pub(super) fn name() -> Value {
    json!({"type": "string", "pattern": r"^\w(([\w.@-]+)?\w)?$"})
}
