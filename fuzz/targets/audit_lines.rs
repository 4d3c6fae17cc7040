//! Audit files as `leasehold audit verify` reads them: any lines are verified to an end, and of good lines none can be changed.
//! See README.md.

#![no_main]

use leasehold::audit::verify::{Line, Verifier};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let mut verifier = Verifier::new(None);
    let mut entries = 0;
    for line in text.lines() {
        match verifier.line(line) {
            Line::Good | Line::Bad(_) => entries += 1,
            Line::Torn => {}
        }
    }
    let verified = verifier.end();
    assert_eq!(verified.entries, entries);
    assert_eq!(verified.head.is_some(), entries > 0);
});
