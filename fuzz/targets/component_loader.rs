//! The loader, on arbitrary bytes and on real components with bytes changed: it refuses with a sentence, or gives a
//! plugin that judges within its limits. The first byte chooses what the rest is put over. See README.md.

#![no_main]

#[path = "../../crates/guardrail-host/tests/fixtures/fixture.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
mod fixture;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use guardrail_host::{Grant, Host, HostConfig, Limits, PreparedGrant};
use iam_policy::Document;
use libfuzzer_sys::fuzz_target;

const CONTRACT: &str = include_str!("../../plugins/wit/guardrail.wit");
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}"#;

static HOST: LazyLock<Host> = LazyLock::new(|| {
    let limits = Limits {
        component_bytes: 64 << 10,
        fuel: 1_000_000,
        wall_time: Duration::from_millis(50),
        memory_bytes: 4 << 20,
        concurrent_evaluations: 1,
        ..Limits::default()
    };
    Host::new(HostConfig { limits, ..HostConfig::default() }).expect("a host")
});

/// Components to change: those of every fixture.
static REAL: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = fixture::folder();
    let mut real: Vec<Vec<u8>> = fixture::texts(&folder.join("guardrails"))
        .into_iter()
        .map(|(_, text)| fixture::component(&text, CONTRACT, "1.0.0"))
        .collect();
    let whole = fixture::texts(&folder.join("guardrails/components")).into_iter();
    real.extend(whole.map(|(name, text)| wat::parse_str(&text).expect(&name)));
    real.push(fixture::component(
        &fixture::read(&folder.join("contract/1.0.0/every-function.wat")),
        CONTRACT,
        "1.0.0",
    ));
    real
});

static GRANT: LazyLock<PreparedGrant> = LazyLock::new(|| {
    let document = Arc::new(Document::parse(POLICY).expect("a policy"));
    PreparedGrant::new(Grant::bare(vec![document], 1_700_000_000_000))
});

/// The bytes themselves, or a real component with them put over it: two bytes of place and one of value each.
fn component(bytes: &[u8]) -> Vec<u8> {
    let Some((chosen, changes)) = bytes.split_first() else { return Vec::new() };
    if *chosen == 0 {
        return changes.to_vec();
    }
    let mut component = REAL[usize::from(*chosen) % REAL.len()].clone();
    for change in changes.chunks_exact(3) {
        let place = usize::from(u16::from_le_bytes([change[0], change[1]])) % component.len();
        component[place] = change[2];
    }
    component
}

fuzz_target!(|bytes: &[u8]| {
    match HOST.load(&component(bytes)) {
        Err(refused) => assert!(!refused.to_string().is_empty()),
        Ok(plugin) => {
            let first = plugin.evaluate_blocking(&GRANT, "{}");
            let second = plugin.evaluate_blocking(&GRANT, "{}");
            assert_eq!(first.fuel_used, second.fuel_used, "the same input, not the same work");
            assert!(first.memory_bytes <= 4 << 20);
        }
    }
});
