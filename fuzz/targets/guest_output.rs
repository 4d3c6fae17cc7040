//! What a guest answered, from raw bytes of its memory to a checked report: any bytes must end in a report that holds
//! what reports promise, or in a named failure. The first byte chooses the call; the rest is the answer
//! (`fuzz/echo.wat`), or for manifests what `describe` would have said. See README.md.

#![no_main]

#[path = "../../crates/guardrail-host/tests/fixtures/fixture.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
mod fixture;

use std::sync::{Arc, LazyLock};

use guardrail_host::{Grant, Host, HostConfig, Limits, Plugin, PreparedGrant, Report, fuzzing};
use iam_policy::Document;
use libfuzzer_sys::fuzz_target;

const CONTRACT: &str = include_str!("../../plugins/wit/guardrail.wit");
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}"#;

static LIMITS: LazyLock<Limits> = LazyLock::new(|| Limits {
    findings: 20,
    locations: 4,
    message_bytes: 64,
    patch_bytes: 128,
    ..Limits::default()
});

static ECHO: LazyLock<Plugin> = LazyLock::new(|| {
    let component = fixture::component(include_str!("../echo.wat"), CONTRACT, "1.0.0");
    let host = Host::new(HostConfig { limits: *LIMITS, ..HostConfig::default() });
    host.expect("a host").load(&component).expect("the echo loads")
});

static GRANT: LazyLock<PreparedGrant> = LazyLock::new(|| {
    let document = Arc::new(Document::parse(POLICY).expect("a policy"));
    PreparedGrant::new(Grant::bare(vec![document], 1_700_000_000_000))
});

/// Two letters a byte, since settings are text.
fn spelt(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|half| char::from(b'a' + half)).collect()
}

fn is_line(text: &str, most: usize) -> bool {
    text.len() <= most + '…'.len_utf8() && !text.chars().any(char::is_control)
}

fn check(report: &Report) {
    assert!(report.findings.len() <= LIMITS.findings + 1);
    for finding in &report.findings {
        assert!(finding.rule == "declared" || finding.rule == "output-cut", "{finding:?}");
        assert!(is_line(&finding.message, LIMITS.message_bytes), "{finding:?}");
        assert!(finding.at.len() <= LIMITS.locations);
        for place in &finding.at {
            let document = &GRANT.grant().documents[place.document].document;
            assert!(document.json().at(&place.pointer).is_some(), "{place:?}");
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((call, answer)) = bytes.split_first() else { return };
    match call % 3 {
        0 => match ECHO.evaluate_blocking(&GRANT, &spelt(answer)).result {
            Ok(report) => check(&report),
            Err(failure) => assert!(!failure.to_string().is_empty()),
        },
        1 => match ECHO.check_settings(&spelt(answer)) {
            Ok(issues) => assert!(issues.iter().all(|one| {
                is_line(&one.pointer, LIMITS.message_bytes) && is_line(&one.message, LIMITS.message_bytes)
            })),
            Err(failure) => assert!(!failure.to_string().is_empty()),
        },
        _ => {
            let text = String::from_utf8_lossy(answer);
            if let Ok(manifest) = fuzzing::manifest(&text) {
                assert!(!manifest.rules.is_empty() && !manifest.name.contains('/'));
                assert!(manifest.rules.iter().all(|rule| is_line(&rule.title, 2_048)));
            }
        }
    }
});
