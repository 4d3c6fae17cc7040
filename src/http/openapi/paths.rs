//! One route as paths and operations of an OpenAPI document. A list is a path of its own that ends in a slash, as in
//! Vault's documents. Nothing here knows who asks; that is in [`super`].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::outside::Outside;
use super::schemas::{self, Reply};
use super::{Place, names, words};
use crate::auth::Operation::{self, Delete, List, Read, Update};
use crate::auth::acl;
use crate::http::fields::Field;
use crate::http::pattern::Pattern;
use crate::http::routes::{Callers, Route};

/// A document that grows.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) paths: BTreeMap<String, Map<String, Value>>,
    pub(super) schemas: BTreeMap<String, Value>,
    /// What the names of all operations end in, if anything.
    context: Option<String>,
    ids: BTreeSet<String>,
}

/// A path with what is to be known of it.
struct Path {
    /// Below the table's prefix, with `{…}` in the place of what is captured.
    template: String,
    /// The parameter in it.
    parameter: Option<(&'static str, bool)>,
}

impl Document {
    pub(super) fn new(context: Option<String>) -> Self {
        Self { context, ..Self::default() }
    }

    /// Adds all routes of a table.
    pub(super) fn add_table(&mut self, place: &Place, table: &'static [Route]) {
        for route in table {
            self.add_route(place, route);
        }
    }

    /// Adds one route.
    pub(super) fn add_route(&mut self, place: &Place, route: &Route) {
        for operation in route.operations() {
            for path in written(route, operation) {
                self.add(place, route, operation, &path);
            }
        }
    }

    /// Adds what the HTTP layer answers before it looks at the tables.
    pub(super) fn add_outside(&mut self, all: &[Outside]) {
        for one in all {
            let id = self.own_id(one.id.to_owned());
            let mut operation = json!({
                "summary": one.help,
                "operationId": id,
                "tags": ["system"],
                "responses": schemas::replies(one.replies),
            });
            put_fields(&mut operation, self.fields(one.path, one.method, &id, one.fields));
            if one.open {
                set(&mut operation, "security", json!([]));
            }
            let item = self.paths.entry(format!("/{}", one.path)).or_default();
            item.entry("description").or_insert_with(|| one.help.into());
            if one.open {
                item.insert("x-vault-unauthenticated".to_owned(), true.into());
            }
            item.insert(one.method.to_owned(), operation);
        }
    }

    fn add(&mut self, place: &Place, route: &Route, operation: Operation, path: &Path) {
        let Some(method) = method_of(operation) else { return };
        let generic = format!("{}{}", place.generic, path.template);
        let shown = format!("/{}{}", place.shown, path.template);
        let id = self.own_id(names::operation_id(&generic, operation));
        let mut written = json!({
            "summary": route.help,
            "operationId": id,
            "tags": [tag_of(&generic)],
            "responses": schemas::replies(replies_of(&generic, operation)),
        });
        let fields = route.fields.iter().filter(|field| !field.in_path);
        let fields: Vec<Field> = fields.copied().collect();
        let told = match operation {
            Update => self.fields(&generic, method, &id, &fields),
            Read | List | Delete if asks(route, &generic, operation) => {
                self.fields(&generic, method, &id, &fields)
            }
            Read | List | Delete | Operation::Patch | Operation::Header | Operation::Help => {
                Told::Nothing
            }
        };
        put_fields(&mut written, told);
        if operation == List {
            push(&mut written, "parameters", list_parameter());
        }
        let anonymous = match route.callers {
            Callers::WhoLogsIn => operation == Update,
            Callers::Anybody => operation == Read,
            Callers::ByAcl | Callers::AnyToken => false,
        };
        if anonymous {
            set(&mut written, "security", json!([]));
        }
        let item = self.paths.entry(shown).or_default();
        describe(item, place, route, path, &generic, anonymous);
        item.insert(method.to_owned(), written);
    }

    /// What is sent: a schema of its own in the body, or parameters of the query.
    fn fields(
        &mut self,
        generic: &str,
        method: &str,
        id: &str,
        fields: &[Field],
    ) -> Told {
        if fields.is_empty() {
            return Told::Nothing;
        }
        let described = |field: &Field| {
            let text = words::of(generic, field.name).unwrap_or_default();
            (field.name, schemas::of_field(field), text)
        };
        if method != "post" {
            let query = fields.iter().map(described).map(|(name, schema, text)| {
                json!({"name": name, "in": "query", "description": text, "schema": schema})
            });
            return Told::Query(query.collect());
        }
        let properties: Map<String, Value> = fields
            .iter()
            .map(described)
            .map(|(name, mut schema, text)| {
                set(&mut schema, "description", text.into());
                (name.to_owned(), schema)
            })
            .collect();
        let mut schema = json!({"type": "object", "properties": properties});
        let required = words::required(generic);
        if !required.is_empty() {
            set(&mut schema, "required", json!(required));
        }
        let name = format!("{}Request", names::camel(id));
        self.schemas.insert(name.clone(), schema);
        Told::Body(name, !required.is_empty())
    }

    /// The name of an operation; of those that would be the same all but the first have a number.
    fn own_id(&mut self, id: String) -> String {
        let id = match &self.context {
            Some(context) => format!("{id}_{context}"),
            None => id,
        };
        let mut own = id.clone();
        let mut nth: usize = 1;
        while !self.ids.insert(own.clone()) {
            nth = nth.saturating_add(1);
            own = format!("{id}_{nth}");
        }
        own
    }
}

/// Where the fields of an operation stand.
enum Told {
    Nothing,
    Query(Vec<Value>),
    /// The schema, and whether there is nothing to be done without it.
    Body(String, bool),
}

fn put_fields(operation: &mut Value, told: Told) {
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
fn describe(
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
fn written(route: &Route, operation: Operation) -> Vec<Path> {
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
fn asks(route: &Route, generic: &str, operation: Operation) -> bool {
    let writes = route.operations().any(|other| other == Update);
    route.effect || !writes || names::asks_by_query(generic, operation)
}

fn replies_of(generic: &str, operation: Operation) -> &'static [Reply] {
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

fn method_of(operation: Operation) -> Option<&'static str> {
    match operation {
        Read | List => Some("get"),
        Update => Some("post"),
        Delete => Some("delete"),
        Operation::Patch => Some("patch"),
        Operation::Header | Operation::Help => None,
    }
}

fn tag_of(generic: &str) -> &'static str {
    match generic {
        path if path.starts_with("sys/") => "system",
        path if path.starts_with("auth/") => "auth",
        _ => "secrets",
    }
}

fn list_parameter() -> Value {
    json!({
        "name": "list",
        "in": "query",
        "description": "Must be set to `true`",
        "required": true,
        "schema": {"type": "string", "enum": ["true"]},
    })
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(object) = object {
        object.insert(name.to_owned(), value);
    }
}

fn push(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(object) = object {
        let list = object.entry(name).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.push(value);
        }
    }
}
