//! Made-up policy documents of a wanted size, out of the action catalogue: the same size gives the same document. They
//! look like what people write, eight actions a statement, every third of them on any resource. For `bench` and `check`.

use std::sync::Arc;

use guardrail_host::{Grant, PreparedGrant, Source, SourcedDocument, Trigger};
use iam_policy::{Catalogue, Document};
use serde_json::{Value, json};

use crate::cli::Stopped;
use crate::vector::{NOW_UNIX_MS, RoleForm};

/// Actions in a statement: as in the documents that the host's figures were measured on (guardrails study, 6).
const ACTIONS: usize = 8;
/// Names that one pattern is asked to give; no service has as many actions.
const MOST_ACTIONS: u32 = 10_000;
/// Times that the catalogue is gone through: once gives half a megabyte, and IAM takes 128 KiB.
const ROUNDS: usize = 2;

/// A grant of one document of about `bytes` bytes, on a role.
pub(crate) fn grant_of(bytes: usize) -> Result<PreparedGrant, Stopped> {
    let text = document_of(bytes);
    let document = Document::parse(&text).map_err(|problems| {
        let problems = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        format!("the made-up document of {bytes} bytes is no policy: {problems}")
    })?;
    let inline = SourcedDocument { source: Source::Inline, document: Arc::new(document) };
    Ok(PreparedGrant::new(Grant {
        trigger: Trigger::Create,
        documents: vec![inline],
        role: Some(RoleForm::default().context()),
        ..Grant::bare(Vec::new(), NOW_UNIX_MS)
    }))
}

/// A document with as many statements as are needed for `bytes`, one at least.
fn document_of(bytes: usize) -> String {
    let mut statements: Vec<Value> = Vec::new();
    // The frame around the statements.
    let mut length = json!({"Version": "2012-10-17", "Statement": []}).to_string().len();
    let mut actions = actions();
    while length < bytes || statements.is_empty() {
        let chunk: Vec<String> = actions.by_ref().take(ACTIONS).collect();
        if chunk.is_empty() {
            break;
        }
        let statement = statement(statements.len(), &chunk);
        length = length.saturating_add(statement.to_string().len()).saturating_add(1);
        statements.push(statement);
    }
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn statement(index: usize, actions: &[String]) -> Value {
    let service = actions.first().and_then(|action| action.split_once(':'));
    let service = service.map_or("s3", |(service, _)| service).to_owned();
    let resource = match index.rem_euclid(3) {
        0 => json!("*"),
        _ => json!([format!("arn:aws:{service}:eu-central-1:123456789012:thing/team-{index}/*")]),
    };
    let mut statement = json!({
        "Sid": format!("Part{index}"),
        "Effect": "Allow",
        "Action": actions,
        "Resource": resource,
    });
    if index.rem_euclid(4) == 3
        && let Some(members) = statement.as_object_mut()
    {
        let condition = json!({"StringEquals": {"aws:RequestedRegion": "eu-central-1"}});
        members.insert("Condition".into(), condition);
    }
    statement
}

/// Every action of the catalogue, service by service, and again from the start: large documents repeat themselves.
fn actions() -> impl Iterator<Item = String> {
    let catalogue = Catalogue::bundled();
    (0..ROUNDS)
        .flat_map(|_| catalogue.services())
        .flat_map(|service| catalogue.expand(&format!("{service}:*"), MOST_ACTIONS).actions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_the_size_that_was_wanted_and_is_the_same_each_time() {
        for kib in [1, 2, 6, 50] {
            let bytes = kib * 1_024;
            let text = document_of(bytes);
            assert!(text.len() >= bytes && text.len() < bytes + 700, "{} for {bytes}", text.len());
            assert_eq!(text, document_of(bytes));
            let grant = grant_of(bytes).unwrap();
            assert!(grant.grant().documents[0].document.statements().len() >= kib * 2);
        }
    }
}
