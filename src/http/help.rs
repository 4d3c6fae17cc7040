//! What the help operation shows of a route (contract 0.1): its pattern, what it does, its fields, and its
//! part of the OpenAPI document. It never runs a handler. The routes are in [`super::routes`].

use serde_json::json;

use super::envelope::Answer;
use super::openapi;
use super::pipeline::Answered;
use super::routes::Route;

/// What `?help=1` shows: true, and no more than that.
pub(super) fn help(route: &'static Route) -> Answered {
    let mut help = format!("{}\n\n{}", route.pattern.shown(), route.help);
    let fields = openapi::fields_of(route);
    if !fields.is_empty() {
        help.push_str("\n\n## PARAMETERS");
    }
    for (name, kind, text) in fields {
        // As Vault's help has it: a name and a type, and the words indented below.
        help.push_str(&format!("\n\n    {name} ({kind})\n        {text}"));
    }
    Answer::bare(&json!({
        "help": help,
        "see_also": [],
        "openapi": openapi::of_route(route),
    }))
}
