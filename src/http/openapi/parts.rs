//! The parts that a path and an operation are put together from: how a route's paths are written, what each has for all of its
//! operations, where fields stand. Pure functions of a route; the document itself is in [`super::paths`].

use serde_json::{Map, Value, json};

use super::schemas::{self, Reply};
use super::{Place, names, words};
use crate::auth::Operation::{self, Delete, List, Read, Update};
use crate::auth::acl;
use crate::http::pattern::Pattern;
use crate::http::routes::{Callers, Route};

/// A path with what is to be known of it.
pub(super) struct Path {
    /// Below the table's prefix, with `{…}` in the place of what is captured.
    pub(super) template: String,
    /// The parameter in it, and whether it is a name.
    parameter: Option<(&'static str, bool)>,
}

/// Where the fields of an operation stand.
pub(super) enum Told {
    Nothing,
    Query(Vec<Value>),
    /// The schema, and whether there is nothing to be done without it.
    Body(String, bool),
}

pub(super) fn put_fields(operation: &mut Value, told: Told) {
    match told {
        Told::Nothing => {}
        Told::Query(parameters) => {
            for parameter in parameters {
                push(operation, "parameters", parameter);
            }
        }
        Told::Body(name, required) => {
            let schema = json!({"$ref": format!("#/components/schemas/{name}")});
            let body =
                json!({"required": required, "content": {"application/json": {"schema": schema}}});
            set(operation, "requestBody", body);
        }
    }
}

/// What is the same for all operations of a path.
pub(super) fn describe(
    item: &mut Map<String, Value>,
    place: &Place,
    route: &Route,
    path: &Path,
    generic: &str,
    anonymous: bool,
) {
    item.entry("description").or_insert_with(|| route.help.into());
    if route.exists_check {
        item.insert("x-vault-createSupported".to_owned(), true.into());
    }
    if acl::needs_sudo(&names::example(generic)) {
        item.insert("x-vault-sudo".to_owned(), true.into());
    }
    if anonymous {
        item.insert("x-vault-unauthenticated".to_owned(), true.into());
    }
    let mount = place.parameter.as_ref().map(|(name, usual)| {
        json!({
            "name": name,
            "in": "path",
            "description": "Path that the backend was mounted at",
            "required": true,
            "schema": {"type": "string", "default": usual},
        })
    });
    let captured = path.parameter.map(|(name, is_name)| {
        json!({
            "name": name,
            "in": "path",
            "description": words::of(generic, name).unwrap_or(words::PATH),
            "required": true,
            "schema": if is_name { schemas::name() } else { json!({"type": "string"}) },
        })
    });
    let parameters: Vec<Value> = mount.into_iter().chain(captured).collect();
    if !parameters.is_empty() {
        item.insert("parameters".to_owned(), parameters.into());
    }
}

/// How the paths that a route takes for `operation` are written.
pub(super) fn written(route: &Route, operation: Operation) -> Vec<Path> {
    let declared = route.fields.iter().find(|field| field.in_path).map(|field| field.name);
    let of = |template: String, parameter: Option<(&'static str, bool)>| {
        let slash = operation == List && !template.ends_with('/');
        Path { template: if slash { format!("{template}/") } else { template }, parameter }
    };
    let below = |head: &str, tail: &str, is_name: bool| {
        let plain = if is_name { "name" } else { "path" };
        let name = declared.or_else(|| names::parameter(head)).unwrap_or(plain);
        of(format!("{head}{{{name}}}{tail}"), Some((name, is_name)))
    };
    match route.pattern {
        Pattern::Exact(own) | Pattern::Listed(own) => vec![of(own.to_owned(), None)],
        Pattern::Named(head) => vec![below(head, "", true)],
        Pattern::Under(head) => vec![below(head, "", false)],
        Pattern::Between(head, tail) => vec![below(head, tail, false)],
        Pattern::Maybe(own) => {
            vec![of(own.to_owned(), None), below(&format!("{own}/"), "", false)]
        }
    }
}

/// Whether an operation without a body reads the route's fields from its query: where nothing is written by them, or
/// where it is the same thing by another method.
pub(super) fn asks(route: &Route, generic: &str, operation: Operation) -> bool {
    let writes = route.operations().any(|other| other == Update);
    route.effect || !writes || names::asks_by_query(generic, operation)
}

pub(super) fn replies_of(generic: &str, operation: Operation) -> &'static [Reply] {
    if let Some(own) = names::replies(generic) {
        return own;
    }
    match operation {
        Read => &[Reply::Data],
        List => &[Reply::Keys],
        Update => &[Reply::Data, Reply::Nothing],
        Delete | Operation::Patch | Operation::Header | Operation::Help => {
            &[Reply::Nothing, Reply::Data]
        }
    }
}

pub(super) fn method_of(operation: Operation) -> Option<&'static str> {
    match operation {
        Read | List => Some("get"),
        Update => Some("post"),
        Delete => Some("delete"),
        Operation::Patch => Some("patch"),
        Operation::Header | Operation::Help => None,
    }
}

pub(super) fn tag_of(generic: &str) -> &'static str {
    match generic {
        path if path.starts_with("sys/") => "system",
        path if path.starts_with("auth/") => "auth",
        path if path.starts_with("identity/") => "identity",
        _ => "secrets",
    }
}

pub(super) fn list_parameter() -> Value {
    json!({
        "name": "list",
        "in": "query",
        "description": "Must be set to `true`",
        "required": true,
        "schema": {"type": "string", "enum": ["true"]},
    })
}

pub(super) fn set(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(object) = object {
        object.insert(name.to_owned(), value);
    }
}

pub(super) fn push(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(object) = object {
        let list = object.entry(name).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.push(value);
        }
    }
}

/// Whether an operation needs no token.
pub(super) fn is_open(route: &Route, operation: Operation) -> bool {
    match route.callers {
        Callers::WhoLogsIn => operation == Update,
        Callers::Anybody => operation == Read,
        Callers::ByAcl | Callers::AnyToken => false,
    }
}
