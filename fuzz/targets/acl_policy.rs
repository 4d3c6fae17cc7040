//! ACL policies in HCL and JSON: any text is a policy or is refused with a sentence; what was read is compiled and asked, and
//! says the same each time. The first line is the path that is asked about. See README.md.

#![no_main]

use leasehold::auth::acl::{Acl, Policy};
use leasehold::auth::{Operation, Question};
use libfuzzer_sys::fuzz_target;
use serde_json::Map;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (path, text) = text.split_once('\n').unwrap_or(("a/b", &text));
    let policy = match Policy::read(text) {
        Ok(policy) => policy,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let data = Map::new();
    let question = |operation| Question {
        path,
        operation,
        creates: false,
        data: &data,
        wrap_seconds: None,
        needs_sudo: false,
    };
    let (one, two) = (Acl::compile([policy.clone()]), Acl::compile([policy.clone(), policy]));
    let capabilities = one.capabilities(path);
    for operation in [Operation::Read, Operation::Update, Operation::List, Operation::Delete] {
        let (first, second) = (one.decide(&question(operation)), two.decide(&question(operation)));
        assert_eq!(format!("{first:?}"), format!("{second:?}"), "twice the same policy is that policy");
        if capabilities == ["deny"] {
            assert_eq!(format!("{first:?}"), "Denied", "{path}");
        }
    }
});
