//! `sys/internal/specs/openapi` (contract 2.6): what can be asked here, as an OpenAPI 3 document that is made from the
//! tables of [`super::routes`] at every request, so that it cannot say anything else than they do. It shows what the
//! caller's rules reach, and runs no handler. How one route is written down: `paths`, `parts`; the words: `words`, `names`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Kind, field};
use super::pipeline::{Answered, Call};
use super::routes::{self, Route};

mod known;
mod names;
mod outside;
mod parts;
mod paths;
mod schemas;
mod sentences;
mod words;

use paths::Document;

/// The version of the format; what generators of clients and Vault itself speak.
const OPENAPI: &str = "3.0.2";

/// Fields of GET and POST `sys/internal/specs/openapi`.
pub(super) const FIELDS: &[Field] =
    &[field("generic_mount_paths", Kind::Bool), field("context", Kind::Text)];

/// GET and POST `sys/internal/specs/openapi`: what the caller's rules reach; without a token the mounts that are meant
/// to be seen by all.
pub(super) async fn specification(mut call: Call) -> Answered {
    let generic = call.fields.bool("generic_mount_paths").unwrap_or_default();
    let context = call.fields.filled_text("context");
    let mut document = Document::new(context);
    for (prefix, table) in routes::tables() {
        for place in places(&call, prefix, generic).await? {
            document.add_table(&place, table);
        }
    }
    if reached(&call, "sys/").await? {
        document.add_outside(outside::OUTSIDE);
    }
    Answer::bare(&rendered(document))
}

/// Where a table stands in the document.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// As the names of operations are looked up: the path of the mount is a parameter.
    generic: String,
    /// As it is shown.
    shown: String,
    /// The parameter for the path of the mount, and where mounts of this kind usually are.
    parameter: Option<(String, &'static str)>,
}

impl Place {
    /// Where the table with this prefix stands, whatever its mounts are.
    fn template(prefix: &str) -> Self {
        let Some(kind) = kind_of(prefix) else {
            return Self { generic: prefix.to_owned(), shown: prefix.to_owned(), parameter: None };
        };
        let parameter = format!("{kind}_mount_path");
        let below = if prefix.starts_with("auth/") { "auth/" } else { "" };
        let template = format!("{below}{{{parameter}}}/");
        Self { generic: template.clone(), shown: template, parameter: Some((parameter, kind)) }
    }
}

/// The places below which the caller finds a table whose patterns stand below `prefix`.
async fn places(call: &Call, prefix: &str, generic: bool) -> Result<Vec<Place>, ApiError> {
    let Some(kind) = kind_of(prefix) else {
        let seen = reached(call, prefix).await?;
        return Ok(if seen { vec![Place::template(prefix)] } else { Vec::new() });
    };
    let template = Place::template(prefix);
    let mut found = Vec::new();
    for path in mounts(call, kind) {
        if reached(call, &path).await? {
            let generic = template.generic.clone();
            found.push(Place { generic, shown: path, parameter: None });
        }
    }
    if generic && !found.is_empty() {
        return Ok(vec![template]);
    }
    Ok(found)
}

/// What kind of mount a table is for: `aws` of `:mount/`, `approle` of `auth/:approle/`.
fn kind_of(prefix: &str) -> Option<&'static str> {
    const KINDS: &[&str] = &["approle", "userpass", "jwt", "oidc", "kubernetes", "cert"];
    if prefix == ":mount/" {
        return Some("aws");
    }
    let kind = prefix.strip_prefix("auth/:")?.strip_suffix('/')?;
    KINDS.iter().copied().find(|known| *known == kind)
}

/// Paths of all mounts of a kind, as requests name them.
fn mounts(call: &Call, kind: &str) -> Vec<String> {
    if kind == "aws" {
        let mounts = call.wire.engine.mounts();
        return mounts.iter().map(|mount| mount.path.to_string()).collect();
    }
    let methods = call.wire.auth.auth_mounts();
    let of_kind = methods.iter().filter(|mount| mount.method.as_str() == kind);
    of_kind.map(|mount| format!("auth/{}", mount.path)).collect()
}

/// Whether the caller's rules reach `path`; without a caller, whether it is meant to be seen by all.
async fn reached(call: &Call, path: &str) -> Result<bool, ApiError> {
    if let Some(caller) = &call.caller {
        return Ok(call.wire.auth.reaches(caller, path).await?);
    }
    let open = |visibility: Option<&str>| visibility == Some("unauth");
    let engines = call.wire.engine.mounts();
    let methods = call.wire.auth.auth_mounts();
    Ok(engines.iter().any(|mount| {
        mount.path.as_str() == path && open(mount.tuning.listing_visibility.as_deref())
    }) || methods.iter().any(|mount| {
        format!("auth/{}", mount.path) == path && open(mount.tuning.listing_visibility.as_deref())
    }))
}

/// The part of a document that is about one route, for the help operation.
pub(super) fn of_route(route: &Route) -> Value {
    let mut document = Document::new(None);
    if let Some(prefix) = prefix_of(route) {
        document.add_route(&Place::template(prefix), route);
    }
    rendered(document)
}

/// The part of a document that is about all routes of a table, for the help operation.
pub(super) fn of_table(table: &[Route]) -> Value {
    let mut document = Document::new(None);
    for route in table {
        if let Some(prefix) = prefix_of(route) {
            document.add_route(&Place::template(prefix), route);
        }
    }
    rendered(document)
}

/// Name, type and sentence of each field of a route, for the help operation.
pub(super) fn fields_of(route: &Route) -> Vec<(&'static str, &'static str, &'static str)> {
    let template = prefix_of(route).map(|prefix| Place::template(prefix).generic);
    let path = format!("{}{}", template.unwrap_or_default(), route.pattern.shown());
    let described = |field: &Field| {
        let kind = match field.kind {
            Kind::Text | Kind::Secret => "string",
            Kind::Int => "int",
            Kind::Bool => "bool",
            Kind::Seconds => "duration (sec)",
            Kind::List | Kind::Names => "slice",
            Kind::Pairs => "keypair",
            Kind::Any => "map",
        };
        (field.name, kind, words::of(&path, field.name).unwrap_or_default())
    };
    route.fields.iter().map(described).collect()
}

/// What the patterns of the table that a route is in stand below.
fn prefix_of(route: &Route) -> Option<&'static str> {
    let holds = |table: &[Route]| table.iter().any(|own| std::ptr::eq(own, route));
    routes::tables().into_iter().find(|(_, table)| holds(table)).map(|(prefix, _)| prefix)
}

fn rendered(document: Document) -> Value {
    let Document { paths, schemas, .. } = document;
    json!({
        "openapi": OPENAPI,
        "info": {
            "title": "Leasehold",
            "description": "HTTP API that gives you AWS credentials under leases, in Vault's shape. All API routes are prefixed with `/v1/`.",
            "version": super::VERSION,
            "license": {"name": "Apache-2.0 OR MIT"},
        },
        "servers": [{"url": "/v1"}],
        "security": [{"token": []}],
        "tags": [
            {"name": "system", "description": "The broker itself"},
            {"name": "auth", "description": "Tokens and logins"},
            {"name": "identity", "description": "Entities and groups"},
            {"name": "secrets", "description": "AWS credentials"},
        ],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "X-Vault-Token", "description": "A token, also taken as `Authorization: Bearer`"},
            },
            "schemas": with_shared(schemas),
            "responses": schemas::responses(),
        },
    })
}

fn with_shared(schemas: BTreeMap<String, Value>) -> Map<String, Value> {
    schemas.into_iter().chain(schemas::shared()).collect()
}

#[cfg(test)]
mod tests;
