//! A grant as the policy sees it: plain JSON in the words of the contract, each statement and each action with the
//! place that a finding about it has. README.md documents the shape; what is there says no more and no less than the grant.

use leasehold_guardrail_sdk::serde_json::{Map, Value, json};
use leasehold_guardrail_sdk::{
    AccessLevels, ActionForm, ActionRef, ActionTraits, Actor, Condition, Document, Effect, Grant,
    Principal, Property, RoleContext, Source, Statement, Trigger, serde_json,
};

/// The whole `input`.
pub(crate) fn of(grant: &Grant, settings: &Value) -> Value {
    let documents = grant.indexed_documents().map(|(index, one)| document(one, Some(index)));
    json!({
        "trigger": trigger(grant.trigger),
        "documents": documents.collect::<Vec<_>>(),
        "boundary": grant.boundary.as_ref().map(|one| document(one, None)),
        "previous": grant.previous.iter().map(|one| document(one, None)).collect::<Vec<_>>(),
        "role": grant.role.as_ref().map(role),
        "actor": grant.actor.as_ref().map(|Actor { id, groups }| json!({ "id": id, "groups": groups })),
        "now_unix_ms": grant.now_unix_ms,
        "settings": settings,
        "extras": properties(&grant.extras),
    })
}

fn trigger(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Create => "create",
        Trigger::Update => "update",
        Trigger::Issue => "issue",
        Trigger::Scan => "scan",
        Trigger::Simulate => "simulate",
    }
}

/// `index` is that of a document that findings can point into.
fn document(document: &Document, index: Option<u32>) -> Value {
    json!({
        "source": source(&document.source),
        "version": document.version,
        // The host made the text from JSON; were it none, the statements would still say all.
        "policy": serde_json::from_str::<Value>(&document.json).unwrap_or_default(),
        "statements": document.statements.iter().map(|one| statement(one, index)).collect::<Vec<_>>(),
    })
}

fn source(source: &Source) -> Value {
    match source {
        Source::Inline => json!({ "kind": "inline" }),
        Source::Managed(arn) => json!({ "kind": "managed", "arn": arn }),
        Source::Group(of) => json!({ "kind": "group", "group": of.group, "policy": of.policy }),
        Source::Session => json!({ "kind": "session" }),
        Source::Bare => json!({ "kind": "bare" }),
    }
}

fn statement(statement: &Statement, index: Option<u32>) -> Value {
    let place =
        |pointer: String| index.map(|index| json!({ "document": index, "pointer": pointer }));
    let entries = |element: &str, entries: &[ActionRef]| {
        let element = statement.element_pointer(element);
        let several = entries.len() > 1;
        let pointer = |at: usize| if several { format!("{element}/{at}") } else { element.clone() };
        let entry = |(at, one)| action(one, place(pointer(at)).as_ref());
        entries.iter().enumerate().map(entry).collect::<Vec<_>>()
    };
    json!({
        "at": place(statement.pointer.clone()),
        "sid": statement.sid,
        "effect": match statement.effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        },
        "actions": entries("Action", &statement.actions),
        "not_actions": entries("NotAction", &statement.not_actions),
        "resources": statement.resources,
        "not_resources": statement.not_resources,
        "principals": principals(&statement.principals),
        "not_principals": principals(&statement.not_principals),
        "conditions": statement.conditions.iter().map(condition).collect::<Vec<_>>(),
    })
}

fn action(action: &ActionRef, at: Option<&Value>) -> Value {
    json!({
        "text": action.text,
        "at": at,
        "form": match action.form {
            ActionForm::Exact => "exact",
            ActionForm::Pattern => "pattern",
            ActionForm::All => "all",
            ActionForm::Unknown => "unknown",
        },
        "covers": action.covers,
        "levels": levels(action.levels),
        "traits": traits(action.traits),
    })
}

fn levels(levels: AccessLevels) -> Vec<&'static str> {
    let names = [
        (AccessLevels::LIST, "list"),
        (AccessLevels::READ, "read"),
        (AccessLevels::WRITE, "write"),
        (AccessLevels::TAGGING, "tagging"),
        (AccessLevels::PERMISSIONS_MANAGEMENT, "permissions-management"),
        (AccessLevels::UNKNOWN, "unknown"),
    ];
    names.into_iter().filter(|(level, _)| levels.contains(*level)).map(|(_, name)| name).collect()
}

fn traits(traits: ActionTraits) -> Vec<&'static str> {
    let names = [
        (ActionTraits::ESCALATES, "escalates"),
        (ActionTraits::EXPOSES, "exposes"),
        (ActionTraits::READS_DATA, "reads-data"),
        (ActionTraits::ISSUES_CREDENTIALS, "issues-credentials"),
        (ActionTraits::ANY_RESOURCE_ONLY, "any-resource-only"),
    ];
    names.into_iter().filter(|(one, _)| traits.contains(*one)).map(|(_, name)| name).collect()
}

fn principals(principals: &[Principal]) -> Vec<Value> {
    let one = |one: &Principal| json!({ "kind": one.kind, "values": one.values });
    principals.iter().map(one).collect()
}

fn condition(condition: &Condition) -> Value {
    json!({ "operator": condition.operator, "key": condition.key, "values": condition.values })
}

fn role(role: &RoleContext) -> Value {
    json!({
        "name": role.name,
        "path": role.path,
        "account": role.account,
        "partition": role.partition,
        "credential_type": role.credential_type,
        "mount": role.mount,
        "tags": properties(&role.tags),
        "max_ttl_seconds": role.max_ttl_seconds,
        "assumes": role.assumes,
        "groups": role.groups,
    })
}

/// An object; of two properties of one name the last counts.
fn properties(properties: &[Property]) -> Map<String, Value> {
    properties.iter().map(|one| (one.name.clone(), json!(one.value))).collect()
}
