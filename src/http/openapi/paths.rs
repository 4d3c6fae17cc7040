//! One route as paths and operations of an OpenAPI document. A list is a path of its own that ends in a slash, as in
//! Vault's documents. Nothing here knows who asks; that is in [`super`].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::outside::Outside;
use super::parts::{
    Path, Told, asks, describe, list_parameter, method_of, push, put_fields, replies_of, set,
    tag_of, written,
};
use super::{Place, names, parts, schemas, words};
use crate::auth::Operation::{self, Delete, List, Read, Update};
use crate::http::fields::Field;
use crate::http::routes::Route;

/// A document that grows.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) paths: BTreeMap<String, Map<String, Value>>,
    pub(super) schemas: BTreeMap<String, Value>,
    /// What the names of all operations end in, if anything.
    context: Option<String>,
    ids: BTreeSet<String>,
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
        let anonymous = parts::is_open(route, operation);
        if anonymous {
            set(&mut written, "security", json!([]));
        }
        let item = self.paths.entry(shown).or_default();
        describe(item, place, route, path, &generic, anonymous);
        item.insert(method.to_owned(), written);
    }

    /// What is sent: a schema of its own in the body, or parameters of the query.
    fn fields(&mut self, generic: &str, method: &str, id: &str, fields: &[Field]) -> Told {
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
