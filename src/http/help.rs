//! What the help operation shows of a route (contract 0.1): its pattern, what it does, its fields, and its
//! part of the OpenAPI document. It never runs a handler. The routes are in [`super::routes`].

use serde_json::json;

use super::Wire;
use super::envelope::Answer;
use super::openapi;
use super::pipeline::Answered;
use super::routes::{self, Route};
use crate::model::{AuthMethod, MountState};

/// The routes of a whole mount, where `path` is its path.
pub(super) fn mounted_at(wire: &Wire, path: &str) -> Option<&'static [Route]> {
    let root = format!("{}/", path.trim_end_matches('/'));
    let below = if matches!(root.as_str(), "sys/" | "identity/" | "auth/token/") {
        root
    } else if let Some(rest) = root.strip_prefix("auth/") {
        let method = wire.auth.auth_mount(rest)?.method;
        // `oidc` is another name of `jwt`.
        let method = if method == AuthMethod::Oidc { AuthMethod::Jwt } else { method };
        format!("auth/:{}/", method.as_str())
    } else {
        let active = wire.engine.mount(&root)?.state == MountState::Active;
        active.then(|| ":mount/".to_owned())?
    };
    routes::tables().into_iter().find(|(prefix, _)| *prefix == below).map(|(_, table)| table)
}

/// What `?help=1` shows of a whole mount: its paths, and what each is for.
pub(super) fn overview(table: &'static [Route]) -> Answered {
    let mut lines = vec![
        "## PATHS".to_owned(),
        "What can be asked below this path. The help of any of these shows its fields.".to_owned(),
    ];
    lines.extend(
        table.iter().map(|route| format!("    {}\n        {}", route.pattern.shown(), route.help)),
    );
    Answer::bare(&json!({
        "help": lines.join("\n\n"),
        "see_also": [],
        "openapi": openapi::of_table(table),
    }))
}

/// What `?help=1` shows of a route: true, and no more than that.
pub(super) fn help(route: &'static Route) -> Answered {
    let mut lines = vec![route.pattern.shown(), route.help.to_owned()];
    let fields = openapi::fields_of(route);
    if !fields.is_empty() {
        lines.push("## PARAMETERS".to_owned());
    }
    // As Vault's help has it: a name and a type, and the words indented below.
    lines.extend(
        fields.iter().map(|(name, kind, text)| format!("    {name} ({kind})\n        {text}")),
    );
    let help = lines.join("\n\n");
    Answer::bare(&json!({
        "help": help,
        "see_also": [],
        "openapi": openapi::of_route(route),
    }))
}
