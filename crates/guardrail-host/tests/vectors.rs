//! The vectors of `plugins/least-privilege` on the component that is committed, and on a rebuilt one where
//! `LEASEHOLD_REBUILT_PLUGIN` names it: both must say exactly what the vectors say.
//! A vector is a grant, settings, and the verdict with its findings in order.

#![expect(clippy::expect_used, clippy::panic, reason = "a failed expectation fails the test")]

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use guardrail_host::{
    Finding, Grant, Host, HostConfig, Plugin, PreparedGrant, Report, RoleContext, Severity, Source,
    SourcedDocument, Trigger, Verdict,
};
use serde::Deserialize;
use serde_json::Value;

const COMPONENT: &str = "plugins/least-privilege/least-privilege.wasm";
/// Compiles faster than the other.
const SMALLER: &str = "plugins/fixtures/hostile/hostile.wasm";
const VECTORS: &str = "plugins/least-privilege/vectors";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    about: String,
    #[serde(default)]
    settings: Value,
    grant: VectorGrant,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VectorGrant {
    documents: Vec<VectorDocument>,
    boundary: Option<VectorDocument>,
    role: Option<VectorRole>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VectorDocument {
    source: VectorSource,
    document: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum VectorSource {
    Inline,
    Managed(String),
    Group { group: String, policy: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VectorRole {
    groups: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    verdict: String,
    findings: Vec<ExpectedFinding>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedFinding {
    rule: String,
    severity: String,
    document: usize,
    pointer: String,
}

impl VectorDocument {
    fn sourced(self) -> SourcedDocument {
        let source = match self.source {
            VectorSource::Inline => Source::Inline,
            VectorSource::Managed(arn) => Source::Managed(arn),
            VectorSource::Group { group, policy } => Source::Group { group, policy },
        };
        SourcedDocument { source, document: support::document(&self.document.to_string()) }
    }
}

impl VectorGrant {
    fn prepared(self) -> PreparedGrant {
        PreparedGrant::new(Grant {
            trigger: Trigger::Create,
            documents: self.documents.into_iter().map(VectorDocument::sourced).collect(),
            boundary: self.boundary.map(VectorDocument::sourced),
            role: self.role.map(|role| role_that_joins(role.groups)),
            ..Grant::bare(Vec::new(), 1_700_000_000_000)
        })
    }
}

fn role_that_joins(groups: Vec<String>) -> RoleContext {
    RoleContext {
        name: "tested".into(),
        path: None,
        account: None,
        partition: None,
        credential_type: "iam_user".into(),
        mount: "aws/".into(),
        tags: Vec::new(),
        max_ttl_seconds: None,
        assumes: Vec::new(),
        groups,
    }
}

fn vectors() -> Vec<(String, Vector)> {
    let folder = support::repository().join(VECTORS);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the vectors are there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a vector is readable");
            let vector = serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path.file_stem().expect("a name").to_string_lossy().into_owned(), vector)
        })
        .collect()
}

fn settings_text(settings: &Value) -> String {
    if settings.is_null() { String::new() } else { settings.to_string() }
}

fn seen(finding: &Finding) -> ExpectedFinding {
    let severity = serde_json::to_value(finding.severity).expect("a severity");
    let main = finding.at.first();
    ExpectedFinding {
        rule: finding.rule.clone(),
        severity: severity.as_str().expect("a word").to_owned(),
        document: main.map_or(usize::MAX, |at| at.document),
        pointer: main.map(|at| at.pointer.clone()).unwrap_or_default(),
    }
}

fn verdict_word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Warn => "warn",
        Verdict::Deny(_) => "deny",
        Verdict::Skip(_) => "skip",
    }
}

fn check_all(plugin: &Plugin) {
    let vectors = vectors();
    assert!(vectors.len() >= 40, "only {} vectors", vectors.len());
    let mut wrong = Vec::new();
    for (name, vector) in vectors {
        let settings = settings_text(&vector.settings);
        assert_eq!(plugin.check_settings(&settings), Ok(vec![]), "{name}");
        let evaluation = plugin.evaluate_blocking(&vector.grant.prepared(), &settings);
        let report = evaluation.result.unwrap_or_else(|failure| panic!("{name}: {failure}"));
        check_texts(&name, &report);
        let findings: Vec<ExpectedFinding> = report.findings.iter().map(seen).collect();
        if verdict_word(&report.verdict) != vector.expect.verdict
            || findings != vector.expect.findings
        {
            wrong.push(format!("{name} ({}): {report:#?}", vector.about));
        }
    }
    assert!(wrong.is_empty(), "{} vectors differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// What holds for every finding: a sentence for people, and what to do.
fn check_texts(name: &str, report: &Report) {
    for finding in &report.findings {
        assert!(!finding.message.is_empty() && !finding.message.ends_with('.'), "{name}");
        assert!(finding.message.len() < 300, "{name}: {}", finding.message);
        assert!(finding.remediation.is_some(), "{name}: {}", finding.rule);
        assert!(!finding.at.is_empty(), "{name}: {}", finding.rule);
    }
}

#[test]
fn the_committed_component_says_what_the_vectors_say() {
    check_all(&support::load(support::host(), Path::new(COMPONENT)));
}

#[test]
fn a_rebuilt_component_says_the_same() {
    #[expect(clippy::disallowed_methods, reason = "how the build hands the rebuilt component over")]
    let Some(rebuilt) = std::env::var_os("LEASEHOLD_REBUILT_PLUGIN") else {
        return;
    };
    check_all(&support::load(support::host(), Path::new(&rebuilt)));
}

#[test]
fn the_component_asks_for_nothing_but_the_log() {
    let plugin = support::load(support::host(), Path::new(COMPONENT));
    assert_eq!(
        plugin.imports(),
        ["leasehold:guardrail/types@1.0.0", "leasehold:guardrail/log@1.0.0"]
    );
    assert_eq!(plugin.manifest().name, "least-privilege");
    assert_eq!(plugin.manifest().rules.len(), 7);
    assert_eq!(plugin.manifest().rule("full-admin").expect("a rule").severity, Severity::Critical);
    let schema: Value = serde_json::from_str(plugin.settings_schema()).expect("JSON");
    assert_eq!(schema["type"], "object");
}

#[test]
fn settings_that_name_no_rule_are_an_issue_with_its_place() {
    let plugin = support::load(support::host(), Path::new(COMPONENT));
    let issues = plugin.check_settings(r#"{"rules_off":["full-admn"]}"#).expect("an answer");
    assert_eq!(issues.len(), 1);
    assert_eq!(issues[0].pointer, "/rules_off/0");
    assert_eq!(issues[0].message, "there is no rule `full-admn`");
}

#[test]
fn a_damaged_cache_file_is_compiled_again_and_replaced() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guardrail-damaged");
    std::fs::create_dir_all(&directory).expect("a folder");
    let cache = guardrail_host::CodeCache { directory: directory.clone(), mac_key: [1; 32] };
    let config = HostConfig { code_cache: Some(cache), ..HostConfig::default() };
    let host = Host::new(config).expect("a host");
    let first = support::load(&host, Path::new(SMALLER));
    let file = std::fs::read_dir(&directory)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.to_string_lossy().contains(first.digest()))
        .expect("compiled code was kept");
    let good = std::fs::read(&file).expect("readable");
    let mut damaged = good.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(&file, &damaged).expect("writable");

    let again = support::load(&host, Path::new(SMALLER));

    assert_eq!(again.manifest(), first.manifest());
    let replaced = std::fs::read(&file).expect("readable");
    assert_ne!(replaced, damaged);
    assert!(!std::fs::read_dir(&directory).expect("the folder").any(|entry| {
        entry.expect("an entry").path().extension().is_some_and(|extension| extension == "tmp")
    }));
}

#[test]
fn one_grant_serves_plugins_on_many_threads() {
    let plugin = support::load(support::host(), Path::new(COMPONENT));
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    let grant = PreparedGrant::new(Grant::bare(vec![Arc::clone(&support::document(text))], 0));
    std::thread::scope(|scope| {
        let runs: Vec<_> =
            (0..8).map(|_| scope.spawn(|| plugin.evaluate_blocking(&grant, ""))).collect();
        let mut evaluations = runs.into_iter().map(|run| run.join().expect("no panic"));
        let first = evaluations.next().expect("one");
        assert!(first.result.is_ok());
        assert!(evaluations.all(|other| other == first), "the same input gave another answer");
    });
}
