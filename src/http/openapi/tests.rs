//! That the document has every route, and that it is what OpenAPI wants; the meta schema is asked in `tests/it`.

use std::collections::BTreeSet;

use super::*;
use crate::auth::Operation;

fn whole() -> Value {
    let mut document = Document::new(None);
    for (prefix, table) in routes::tables() {
        document.add_table(&Place::template(prefix), table);
    }
    document.add_outside(outside::OUTSIDE);
    rendered(document)
}

/// Path, method and operation of all of them.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let methods = |item: &Value| {
        let item = item.as_object().unwrap().clone();
        item.into_iter()
            .filter(|(name, _)| ["get", "post", "delete", "patch"].contains(&name.as_str()))
    };
    paths
        .iter()
        .flat_map(|(path, item)| methods(item).map(move |(name, one)| (path.clone(), name, one)))
        .collect()
}

#[test]
fn every_operation_of_every_route_is_in_the_document() {
    let document = whole();
    let mut wanted = outside::OUTSIDE.len();
    for (prefix, table) in routes::tables() {
        for route in table {
            let mut own = Document::new(None);
            own.add_route(&Place::template(prefix), route);
            for (path, item) in own.paths {
                for method in ["get", "post", "delete", "patch"] {
                    let there = &document["paths"][&path][method];
                    assert_eq!(item.contains_key(method), own_method(route, &path, method));
                    if item.contains_key(method) {
                        assert!(there.is_object(), "{method} {path}");
                        wanted += 1;
                    }
                }
            }
        }
    }
    assert_eq!(operations(&document).len(), wanted);
}

fn own_method(route: &Route, path: &str, method: &str) -> bool {
    route.operations().any(|operation| match operation {
        Operation::Read => method == "get" && (!path.ends_with('/') || !lists(route)),
        Operation::List => method == "get" && path.ends_with('/'),
        Operation::Update => method == "post" && !path.ends_with('/'),
        Operation::Delete => method == "delete" && !path.ends_with('/'),
        Operation::Patch => method == "patch" && !path.ends_with('/'),
        Operation::Header | Operation::Help => false,
    })
}

fn lists(route: &Route) -> bool {
    route.operations().any(|operation| operation == Operation::List)
}

#[test]
fn what_the_http_layer_answers_itself_is_in_the_document() {
    let told: BTreeSet<&str> = outside::OUTSIDE
        .iter()
        .map(|one| one.path)
        .filter(|path| routes::OPEN.contains(path))
        .collect();
    assert_eq!(told, BTreeSet::from(routes::OPEN), "see openapi/outside.rs");
}

#[test]
fn operations_and_templates_are_told_apart() {
    let document = whole();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap().to_owned();
        assert!(!id.contains('_'), "{id} of {method} {path} is there twice");
        assert!(ids.insert(id.clone()), "{id}");
    }
    let mut shapes = BTreeSet::new();
    for path in document["paths"].as_object().unwrap().keys() {
        let parts: Vec<&str> =
            path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect();
        let shape = parts.join("/");
        // The path of an engine and that of a method may be anything; the parts behind them are not.
        assert!(shapes.insert((shape, mount_of(path))), "{path}");
    }
}

fn mount_of(path: &str) -> String {
    path.split('/').find(|part| part.contains("_mount_path")).unwrap_or_default().to_owned()
}

#[test]
fn every_field_and_parameter_has_a_sentence() {
    let document = whole();
    let mut without = BTreeSet::new();
    for (path, _, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["description"].as_str().is_none_or(str::is_empty) {
                without.insert(format!("{} of {path}", parameter["name"]));
            }
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let properties = schema["properties"].as_object().into_iter().flatten();
        for (field, property) in properties.filter(|_| name.ends_with("Request")) {
            if property["description"].as_str().is_none_or(str::is_empty) {
                without.insert(format!("{field} of {name}"));
            }
        }
    }
    assert!(without.is_empty(), "openapi/words.rs has no sentence for: {without:#?}");
}

#[test]
fn required_fields_are_declared_ones() {
    let document = whole();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for required in schema["required"].as_array().into_iter().flatten() {
            let field = required.as_str().unwrap();
            assert!(schema["properties"][field].is_object(), "{field} of {name}");
        }
    }
}

#[test]
fn what_is_refused_to_most_and_what_is_open_to_all_is_marked() {
    let document = whole();
    let at = |path: &str| &document["paths"][path];
    assert_eq!(at("/sys/leases/revoke-prefix/{prefix}")["x-vault-sudo"], true);
    assert_eq!(at("/sys/leases/renew")["x-vault-sudo"], Value::Null);
    assert_eq!(at("/auth/{approle_mount_path}/login")["post"]["security"], json!([]));
    assert_eq!(at("/auth/{approle_mount_path}/login")["x-vault-unauthenticated"], true);
    assert_eq!(at("/{aws_mount_path}/creds/{name}")["get"]["security"], Value::Null);
    let creds = at("/{aws_mount_path}/creds/{name}");
    assert_eq!(creds["get"]["operationId"], "aws-generate-credentials");
    assert_eq!(creds["parameters"][0]["schema"]["default"], "aws");
    let query: Vec<_> =
        creds["get"]["parameters"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(query, ["ttl", "role_arn", "role_session_name", "mfa_code"]);
}

#[test]
fn a_context_ends_every_name() {
    let mut document = Document::new(Some("x".to_owned()));
    document.add_outside(outside::OUTSIDE);
    for (_, _, operation) in operations(&rendered(document)) {
        assert!(operation["operationId"].as_str().unwrap().ends_with("_x"));
    }
}
