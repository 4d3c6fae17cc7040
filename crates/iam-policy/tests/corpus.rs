//! Runs the library over the shared corpus of real and broken policies; says so and passes where the corpus is absent.
//! The corpus is not part of the project (see its README for the licences), so nothing here may copy from it.
//! What each layer should catch is in the rows themselves; the catalogue layer is judged by its own unit tests.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a failed unwrap fails the test, and a skipped one says so"
)]

use std::path::PathBuf;

use iam_policy::decide::{Context, Outcome, decide};
use iam_policy::document::{Effect, Entry, Statement};
use iam_policy::quota::Target;
use iam_policy::semantics::{self, Severity};
use iam_policy::{Document, JsonErrorKind, StrictJson, wildcard};
use serde_json::Value;

/// What became of a document.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Rejected(Vec<&'static str>),
    Warned(Vec<&'static str>),
    Accepted,
}

fn corpus() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: the shared corpus is not at {}", folder.display());
    None
}

fn real_policies(folder: &std::path::Path) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = std::fs::read_dir(folder.join("policies-real"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    found.sort();
    found
}

fn rows(folder: &std::path::Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("invalid.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The bytes of a row: raw text, base64, or built from parts.
fn bytes(row: &Value) -> Vec<u8> {
    if let Some(raw) = row["raw"].as_str() {
        return raw.as_bytes().to_vec();
    }
    if let Some(encoded) = row["raw_b64"].as_str() {
        return base64(encoded);
    }
    let build = &row["build"];
    let part = |name: &str| build[name].as_str().unwrap_or_default().to_owned();
    let count = usize::try_from(build["count"].as_u64().unwrap()).unwrap();
    let unit = part("unit");
    let numbered = build["numbered"].as_bool().unwrap_or_default();
    let mut text = part("prefix");
    for index in 0..count {
        if numbered {
            text.push_str(&unit.replace("%d", &index.to_string()));
        } else {
            text.push_str(&unit);
        }
    }
    text.push_str(&part("suffix"));
    text.into_bytes()
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::new();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        let digit = DIGITS.iter().position(|known| *known == byte).unwrap();
        bits = (bits << 6) | u32::try_from(digit).unwrap();
        held = held.saturating_add(6);
        if held >= 8 {
            held = held.saturating_sub(8);
            out.push(u8::try_from((bits >> held) & 0xff).unwrap());
        }
    }
    out
}

fn judge(bytes: &[u8]) -> Fate {
    let json = match StrictJson::parse_bytes(bytes) {
        Ok(json) => json,
        Err(error) => return Fate::Rejected(vec![error.kind.rule()]),
    };
    let document = match Document::from_json(json) {
        Ok(document) => document,
        Err(problems) => return Fate::Rejected(problems.iter().map(|one| one.rule).collect()),
    };
    let remarks = semantics::check(&document);
    let of = |severity: Severity| -> Vec<&'static str> {
        remarks.iter().filter(|one| one.severity == severity).map(|one| one.problem.rule).collect()
    };
    match (of(Severity::Reject), of(Severity::Warn)) {
        (rejections, _) if !rejections.is_empty() => Fate::Rejected(rejections),
        (_, warnings) if !warnings.is_empty() => Fate::Warned(warnings),
        _ => Fate::Accepted,
    }
}

#[test]
fn every_real_policy_is_read_and_keeps_its_meaning() {
    let Some(folder) = corpus() else { return };
    let policies = real_policies(&folder);
    assert!(policies.len() > 300, "the corpus has {} policies", policies.len());
    for (name, text) in policies {
        // Two are larger than what the IAM API takes; AWS's own policies are not bound by that.
        if text.chars().count() > iam_policy::json::MAX_CHARS {
            assert_eq!(StrictJson::parse(&text).unwrap_err().kind, JsonErrorKind::TooLong);
            continue;
        }
        let document =
            Document::parse(&text).unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
        let again = StrictJson::parse(document.canonical()).unwrap();
        assert_eq!(again.canonical(), document.canonical(), "{name}");
        let (before, after): (Value, Value) = (
            serde_json::from_str(&text).unwrap(),
            serde_json::from_str(document.canonical()).unwrap(),
        );
        assert_eq!(before, after, "{name}");
        assert_eq!(document.json().value(), &before, "{name}");
    }
}

#[test]
fn the_semantics_reject_no_real_policy() {
    let Some(folder) = corpus() else { return };
    for (name, text) in real_policies(&folder) {
        let Ok(document) = Document::parse(&text) else {
            continue;
        };
        let rejected: Vec<_> = semantics::check(&document)
            .into_iter()
            .filter(|remark| remark.severity == Severity::Reject)
            .map(|remark| (remark.problem.rule, remark.problem.message))
            .collect();
        assert_eq!(rejected, [], "{name}");
    }
}

#[test]
fn broken_documents_meet_the_fate_that_their_row_names() {
    let Some(folder) = corpus() else { return };
    let mut wrong = Vec::new();
    for row in rows(&folder) {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        if matches!(text("layer").as_str(), "catalogue" | "quota") {
            continue;
        }
        let bytes = bytes(&row);
        let fate = judge(&bytes);
        let right = match text("expect").as_str() {
            "reject" => matches!(fate, Fate::Rejected(_)),
            // A warning of another layer (an action that only looks like one) is none of this row's business.
            "warn" | "accept" => !matches!(fate, Fate::Rejected(_)),
            other => panic!("unknown expectation {other}"),
        };
        let silent = text("expect") == "warn"
            && matches!(text("layer").as_str(), "semantic" | "schema")
            && fate == Fate::Accepted;
        if !right || silent {
            wrong.push(format!("{}: wanted {}, got {fate:?}", text("id"), text("expect")));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn json_rows_are_told_apart_by_kind() {
    let Some(folder) = corpus() else { return };
    for row in rows(&folder).iter().filter(|row| row["layer"] == "json") {
        let id = row["id"].as_str().unwrap();
        let kind = StrictJson::parse_bytes(&bytes(row)).unwrap_err().kind;
        let expected = if id.starts_with("dup-") {
            JsonErrorKind::DuplicateName
        } else {
            JsonErrorKind::Syntax
        };
        assert_eq!(kind, expected, "{id}");
    }
}

#[test]
fn quota_rows_are_measured_as_aws_measures() {
    let Some(folder) = corpus() else { return };
    let mut seen = 0_usize;
    for row in rows(&folder).iter().filter(|row| row["layer"] == "quota") {
        let id = row["id"].as_str().unwrap();
        let fits = match StrictJson::parse_bytes(&bytes(row)) {
            Err(error) => {
                assert_eq!(error.kind, JsonErrorKind::TooLong, "{id}");
                false
            }
            Ok(json) => target(id).check([json.canonical()]).is_ok(),
        };
        assert_eq!(fits, row["expect"] == "accept", "{id}");
        seen = seen.saturating_add(1);
    }
    assert!(seen >= 5);
}

fn target(id: &str) -> Target {
    match id {
        id if id.contains("group") => Target::InlineGroup,
        id if id.contains("managed") => Target::Managed,
        _ => Target::InlineUser,
    }
}

#[test]
fn the_decision_agrees_with_the_witnesses_of_the_comparison_corpus() {
    let Some(folder) = corpus() else { return };
    let text = std::fs::read_to_string(folder.join("subset.jsonl")).unwrap();
    let mut seen = 0_usize;
    let mut wrong = Vec::new();
    for row in text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let witness = &row["witness"];
        let read = |name: &str| Document::parse(&row[name].to_string());
        let (Some(action), Ok(wide), Ok(narrow)) =
            (witness["action"].as_str(), read("a"), read("b"))
        else {
            continue;
        };
        let context = full_context(&witness["context"], [&wide, &narrow]);
        let resource = witness["resource"].as_str().unwrap();
        let ask =
            |document: &Document| decide(&[document], None, action, resource, &context).outcome;
        seen = seen.saturating_add(1);
        if ask(&wide) != Outcome::Allowed || ask(&narrow) == Outcome::Allowed {
            wrong.push(format!("{}: {:?} {:?}", row["id"], ask(&wide), ask(&narrow)));
        }
    }
    assert!(seen > 50, "{seen} witnesses");
    assert_eq!(wrong, [""; 0]);
}

/// The witness's context, with every other key of the documents and every variable absent.
fn full_context(given: &Value, documents: [&Document; 2]) -> Context {
    let texts = |value: &Value| match value.as_array() {
        Some(values) => values.iter().map(as_text).collect(),
        None => vec![as_text(value)],
    };
    let given = given.as_object().unwrap();
    let mut context =
        Context::from_pairs(given.iter().flat_map(|(key, value)| {
            texts(value).into_iter().map(move |text| (key.clone(), text))
        }));
    let mut keys: Vec<String> = Vec::new();
    for document in documents {
        keys.extend(
            document
                .canonical()
                .split("${")
                .skip(1)
                .filter_map(|rest| rest.split(['}', ',']).next().map(str::to_owned)),
        );
        for statement in document.statements() {
            keys.extend(statement.conditions.iter().map(|condition| condition.key.clone()));
        }
    }
    for key in keys {
        if context.values(&key).is_none() {
            context = context.with_absent(&key);
        }
    }
    context
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn inclusion_never_says_yes_where_a_witness_says_no() {
    let Some(folder) = corpus() else { return };
    let text = std::fs::read_to_string(folder.join("subset.jsonl")).unwrap();
    let mut proved = 0_usize;
    for row in text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let read = |name: &str| Document::parse(&row[name].to_string());
        let (Ok(inner), Ok(outer)) = (read("a"), read("b")) else {
            continue;
        };
        // Whether a variable without a value voids a whole statement is no question of two patterns.
        let of_patterns = row["absent_variable"] != true && inner.language() == outer.language();
        if of_patterns && is_within(&inner, &outer) {
            proved = proved.saturating_add(1);
            assert_eq!(row["beyond"], false, "{}", row["id"]);
        }
    }
    assert!(proved > 20, "{proved} proved");
}

/// Every Allow of `inner` is covered by one plain Allow of `outer`, which denies nothing.
fn is_within(inner: &Document, outer: &Document) -> bool {
    let plain = |statement: &Statement| {
        statement.effect == Effect::Allow
            && statement.not_actions.is_empty()
            && statement.not_resources.is_empty()
    };
    let covered = |inner: &[Entry], outer: &[Entry], covers: fn(&str, &str) -> bool| {
        inner.iter().all(|inner| outer.iter().any(|outer| covers(&outer.text, &inner.text)))
    };
    outer.statements().iter().all(|statement| plain(statement) && statement.conditions.is_empty())
        && inner.statements().iter().filter(|one| one.effect == Effect::Allow).all(|one| {
            plain(one)
                && outer.statements().iter().any(|other| {
                    covered(&one.actions, &other.actions, wildcard::covers_action)
                        && covered(&one.resources, &other.resources, wildcard::covers_resource)
                })
        })
}
