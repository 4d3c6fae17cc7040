//! What the help operation shows of a route (contract 0.1): its pattern, what it does, its fields, and as much
//! of an OpenAPI document. It never runs a handler. The routes are in [`super::routes`].

use serde_json::{Value, json};

use super::envelope::Answer;
use super::pipeline::Answered;
use super::routes::Route;
use crate::auth::Operation::{self, Delete, List, Read, Update};

/// What `?help=1` shows: true, and no more than that.
pub(super) fn help(route: &Route, path: &str) -> Answered {
    let methods = route.on.iter().map(|(operation, _)| match operation {
        Read | List => "get",
        Update => "post",
        Delete => "delete",
        Operation::Patch => "patch",
        Operation::Header => "head",
        Operation::Help => "help",
    });
    let operations: serde_json::Map<String, Value> =
        methods.map(|method| (method.to_owned(), json!({"summary": route.help}))).collect();
    let fields: Vec<_> = route.fields.iter().map(|field| field.name).collect();
    let shown = route.pattern.shown();
    let help = if fields.is_empty() {
        format!("{shown}\n\n{}", route.help)
    } else {
        format!("{shown}\n\n{}\n\nFields: {}", route.help, fields.join(", "))
    };
    Answer::bare(&json!({
        "help": help,
        "see_also": [],
        "openapi": {
            "openapi": "3.0.2",
            "info": {"title": "Leasehold", "version": super::VERSION},
            "paths": {format!("/{path}"): operations},
        },
    }))
}
