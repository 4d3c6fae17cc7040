//! Real policies are read, broken ones are refused in words; over the corpora, where these are at hand.

use std::fs;
use std::path::PathBuf;

use super::*;

/// The corpora lie beside the checkout; they are not part of it, for their licences.
#[expect(clippy::print_stderr, reason = "a test that did not run says so")]
fn corpus(what: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus").join(what);
    let found = path.exists();
    if !found {
        eprintln!("skipped: there is no corpus at {}", path.display());
    }
    found.then_some(path)
}

#[test]
fn every_real_managed_policy_is_read() {
    let Some(folder) = corpus("policies-real") else {
        return;
    };
    let documents = Documents::new().unwrap();
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        match documents.read(&text, Purpose::Fetched) {
            Ok(_) => count += 1,
            // AWS's own policies are not bound by the size that the IAM API takes from others.
            Err(findings) => {
                assert_eq!(findings[0].rule, "document/json-too-long", "{}", path.display());
            }
        }
    }
    assert!(count > 300, "{count}");
}

#[test]
fn every_document_of_the_corpus_that_breaks_a_rule_is_refused_in_words() {
    let Some(file) = corpus("invalid.jsonl") else {
        return;
    };
    let documents = Documents::new().unwrap();
    for line in fs::read_to_string(file).unwrap().lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let (Some(text), Some(expect)) = (row["raw"].as_str(), row["expect"].as_str()) else {
            continue;
        };
        let (id, layer) = (row["id"].as_str().unwrap(), row["layer"].as_str().unwrap());
        let read = documents.read(text, Purpose::Inline);
        match (expect, layer) {
            // Needs the ARN forms and key lists of AWS's reference, which the catalogue does not carry.
            (_, "catalogue") | ("warn", "hostile") => {}
            ("reject", _) => {
                let findings = read.err().unwrap_or_else(|| panic!("{id} was accepted"));
                let worded = findings.iter().all(|finding| !finding.message.is_empty());
                let deny = findings.iter().any(|finding| finding.denies);
                assert!(worded && deny, "{id}: {findings:?}");
                if layer == "schema" {
                    assert!(findings[0].rule.starts_with("schema/"), "{id}: {findings:?}");
                }
            }
            ("warn", _) => assert!(!read.unwrap().remarks.is_empty(), "{id}"),
            (_, _) => assert!(read.is_ok(), "{id}: {:?}", read.err()),
        }
    }
}
