//! IAM policy documents: any text is refused with places that exist, or reads the same again from its canonical bytes, which
//! are what AWS gets. Patterns are matched too. See README.md.

#![no_main]

use iam_policy::{Document, StrictJson, semantics, wildcard};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if let Some((pattern, name)) = text.split_once('\n') {
        let matched = wildcard::matches(pattern, name);
        assert!(!pattern.chars().all(|c| c == '*') || pattern.is_empty() || matched);
    }
    let Ok(json) = StrictJson::parse(&text) else { return };
    let again = StrictJson::parse(json.canonical()).expect("canonical text reads");
    assert_eq!(again.canonical(), json.canonical());
    match Document::from_json(json) {
        Err(problems) => assert!(!problems.is_empty()),
        Ok(document) => {
            let again = Document::parse(document.canonical()).expect("a document reads again");
            assert_eq!(again.canonical(), document.canonical());
            assert_eq!(semantics::check(&again).len(), semantics::check(&document).len());
        }
    }
});
