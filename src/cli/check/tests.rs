//! `leasehold check` as it is used: files in, text and exit code out.

use std::fs;
use std::sync::LazyLock;

use tempfile::TempDir;

use super::*;
use crate::gate::Mode;

const CLEAN: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}"#;
const S3_STAR: &str = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": \"s3:*\",\n      \"Resource\": \"*\"\n    }\n  ]\n}\n";
const ADMIN_ARN: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const ADMIN: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

static GATE: LazyLock<Gate> =
    LazyLock::new(|| Gate::new(GateConfig::for_tests(Mode::Enforce)).unwrap());

struct Checked {
    exit: Exit,
    out: String,
    err: String,
}

impl Checked {
    fn results(&self) -> serde_json::Value {
        let value: serde_json::Value = serde_json::from_str(&self.out).unwrap();
        assert_eq!(value.as_object().unwrap().len(), 1);
        value["results"].clone()
    }
}

fn check(
    folder: &TempDir,
    files: &[(&str, &str)],
    change: impl Fn(&mut CheckArguments),
) -> Checked {
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let paths = files.iter().map(|(name, _)| folder.path().join(name)).collect();
    let mut arguments =
        CheckArguments { files: paths, format: Format::Human, config: None, policies: None };
    change(&mut arguments);
    run_with(&GATE, &arguments, "")
}

fn run_with(gate: &Gate, arguments: &CheckArguments, stdin: &str) -> Checked {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let session = Session { gate, arguments, colour: false, now: Timestamp::from_millis(1) };
    let exit = session.run(&mut stdin.as_bytes(), &mut out, &mut err);
    Checked { exit, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

fn json(arguments: &mut CheckArguments) {
    arguments.format = Format::Json;
}

fn one(text: &str) -> Checked {
    check(&TempDir::new().unwrap(), &[("p.json", text)], json)
}

#[test]
fn a_clean_document_is_allowed_without_findings() {
    let checked = one(CLEAN);
    assert_eq!((checked.exit, checked.err.as_str()), (Exit::Clean, ""));
    let results = checked.results();
    assert_eq!(results[0]["verdict"], "allow");
    assert_eq!(results[0]["findings"], serde_json::json!([]));
    assert!(results[0]["path"].as_str().unwrap().ends_with("p.json"));
}

#[test]
fn people_see_the_place_in_the_source() {
    let folder = TempDir::new().unwrap();
    let checked = check(&folder, &[("p.json", S3_STAR)], |_| {});
    assert_eq!(checked.exit, Exit::Blocked);
    let out = checked.out.replace(&format!("{}/", folder.path().display()), "");
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with("p.json:6:17: error: `s3:*`"), "{out}");
    assert!(lines[0].ends_with("[least-privilege/service-wildcard]"), "{out}");
    assert_eq!(lines[1], "  6 |       \"Action\": \"s3:*\",");
    assert_eq!(lines[2], "    |                 ^");
    assert!(lines[3].starts_with("  help: "), "{out}");
    assert!(lines.last().unwrap().starts_with("p.json: blocked, "), "{out}");
}

#[test]
fn programs_get_every_member_of_a_finding() {
    let results = one(S3_STAR).results();
    assert_eq!(results[0]["verdict"], "deny");
    let finding = &results[0]["findings"][0];
    assert_eq!(finding["pointer"], "/Statement/0/Action");
    assert_eq!((finding["line"].as_u64(), finding["column"].as_u64()), (Some(6), Some(17)));
    for member in ["rule", "severity", "message", "remediation"] {
        assert!(finding[member].is_string(), "{member}: {finding}");
    }
}

#[test]
fn what_is_no_policy_is_denied_and_what_is_too_large_is_warned_of() {
    for text in ["", "nonsense", "[]", "{}", "{\"Statement\": 1}"] {
        let checked = one(text);
        assert_eq!(checked.exit, Exit::Blocked, "{text}");
        assert_eq!(checked.results()[0]["verdict"], "deny");
        assert_ne!(checked.results()[0]["findings"], serde_json::json!([]));
    }
    let large = CLEAN.replace("b/*", &"b".repeat(2_048));
    let checked = one(&large);
    assert_eq!(checked.exit, Exit::Findings);
    assert_eq!(checked.results()[0]["verdict"], "allow");
    assert_eq!(checked.results()[0]["findings"][0]["rule"], "quota/inline-policy");
}

#[test]
fn the_placement_of_a_role_says_how_long_its_document_may_be() {
    let of = |placement: &str, characters: usize| {
        let document = CLEAN.replace("b/*", &"b".repeat(characters));
        let role = serde_json::json!({ "policy_document": document, "placement": placement });
        let checked = one(&role.to_string());
        (checked.exit, checked.results()[0]["findings"][0]["rule"].clone())
    };
    assert_eq!(of("inline", 2_048), (Exit::Blocked, "quota/inline-policy".into()));
    assert_eq!(of("auto", 2_048).0, Exit::Clean);
    assert_eq!(of("managed", 6_144), (Exit::Blocked, "quota/managed-policy".into()));
    assert_eq!(of("elsewhere", 1), (Exit::Blocked, "role/invalid-field".into()));
}

#[test]
fn a_document_in_a_role_has_its_places_in_the_file() {
    let as_text = serde_json::json!({ "credential_type": "iam_user", "policy_document": S3_STAR });
    for role in [format!("{{\n \"policy_document\": {S3_STAR}}}"), format!("\n{as_text}")] {
        let checked = one(&role);
        assert_eq!(checked.exit, Exit::Blocked);
        let finding = &checked.results()[0]["findings"][0];
        let (line, column) =
            (finding["line"].as_u64().unwrap(), finding["column"].as_u64().unwrap());
        let source = role.lines().nth(usize::try_from(line).unwrap() - 1).unwrap();
        let there: String = source.chars().skip(usize::try_from(column).unwrap() - 1).collect();
        assert!(there.starts_with("\"s3:*") || there.starts_with("\\\"s3:*"), "{there}");
        assert_eq!(finding["pointer"], "/Statement/0/Action");
    }
}

#[test]
fn a_legacy_parameter_is_not_taken_for_nothing() {
    let role = serde_json::json!({ "credential_type": "iam_user", "policy": S3_STAR });
    let checked = one(&role.to_string());
    assert_ne!(checked.exit, Exit::Clean);
    let finding = &checked.results()[0]["findings"][0];
    assert_eq!(
        (&finding["rule"], &finding["pointer"]),
        (&"role/invalid-field".into(), &"/policy".into())
    );
}

#[test]
fn a_managed_policy_without_a_text_could_not_be_checked() {
    let role = serde_json::json!({ "credential_type": "iam_user", "policy_arns": [ADMIN_ARN] })
        .to_string();
    let checked = one(&role);
    assert_eq!(checked.exit, Exit::Unchecked);
    let results = checked.results();
    assert_eq!(results[0]["verdict"], "deny");
    assert_eq!(results[0]["findings"][0]["rule"], UNREADABLE);
    assert_eq!(results[0]["findings"][0]["source"], ADMIN_ARN);

    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("AdministratorAccess.json"), ADMIN).unwrap();
    let with_texts = |arguments: &mut CheckArguments| {
        arguments.policies = Some(folder.path().to_owned());
        arguments.format = Format::Json;
    };
    let checked = check(&folder, &[("role.json", &role)], with_texts);
    assert_eq!(checked.exit, Exit::Blocked);
    assert_eq!(checked.results()[0]["findings"][0]["rule"], "least-privilege/full-admin");
}

#[test]
fn the_policies_of_a_group_are_read_from_its_folder() {
    let folder = TempDir::new().unwrap();
    let group = folder.path().join("groups/ops");
    fs::create_dir_all(&group).unwrap();
    fs::write(group.join("all.json"), ADMIN).unwrap();
    let role = r#"{"iam_groups": "ops"}"#;
    let checked = check(&folder, &[("role.json", role)], |arguments| {
        arguments.policies = Some(folder.path().to_owned());
        arguments.format = Format::Json;
    });
    assert_eq!(checked.exit, Exit::Blocked);
    assert_eq!(checked.results()[0]["findings"][0]["source"], "ops/all");
    assert_eq!(one(role).exit, Exit::Unchecked);
}

#[test]
fn several_files_are_summed_up_and_the_worst_counts() {
    let folder = TempDir::new().unwrap();
    let files = [("a.json", CLEAN), ("b.json", S3_STAR)];
    let checked = check(&folder, &files, |arguments| {
        arguments.files.push(folder.path().join("absent.json"));
    });
    assert_eq!(checked.exit, Exit::Blocked);
    assert!(
        checked.out.ends_with("3 files: 1 blocked, 1 could not be checked, 1 clean\n"),
        "{}",
        checked.out
    );
    let alone = check(&folder, &[], |arguments| {
        arguments.files.push(folder.path().join("absent.json"));
        json(arguments);
    });
    assert_eq!(alone.exit, Exit::Unchecked);
    assert_eq!(alone.results()[0]["findings"][0]["rule"], "check/unreadable-file");
}

#[test]
fn a_dash_reads_standard_input() {
    let arguments = CheckArguments {
        files: vec!["-".into()],
        format: Format::Json,
        config: None,
        policies: None,
    };
    let checked = run_with(&GATE, &arguments, CLEAN);
    assert_eq!(checked.exit, Exit::Clean);
    assert_eq!(checked.results()[0]["path"], "-");
}

#[test]
fn a_configuration_may_only_warn() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("leasehold.toml");
    fs::write(&file, "[guardrails]\nmode = \"warn\"\n").unwrap();
    let config = gate_config(Some(&file)).unwrap();
    assert_eq!((config.default_mode, config.modes.len()), (Mode::Warn, 0));
    assert_eq!(gate_config(None).unwrap().default_mode, Mode::Enforce);

    let gate = Gate::new(GateConfig::for_tests(config.default_mode)).unwrap();
    let policy = folder.path().join("p.json");
    fs::write(&policy, S3_STAR).unwrap();
    let arguments = CheckArguments {
        files: vec![policy],
        format: Format::Json,
        config: Some(file),
        policies: None,
    };
    let checked = run_with(&gate, &arguments, "");
    assert_eq!(checked.exit, Exit::Findings);
    assert_eq!(checked.results()[0]["verdict"], "allow");
}

#[test]
fn a_configuration_that_cannot_be_read_stops_the_check() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("leasehold.toml");
    fs::write(&file, "[guardrails]\nmode = \"loud\"\n").unwrap();
    let arguments = CheckArguments {
        files: vec!["-".into()],
        format: Format::Json,
        config: Some(file),
        policies: None,
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    assert_eq!(run(&arguments, &mut out, &mut err), Exit::Unchecked);
    assert_eq!(out, b"");
    assert!(String::from_utf8(err).unwrap().starts_with("error: "));
}

#[test]
fn no_text_of_a_file_can_steer_a_terminal() {
    let text = CLEAN.replace("s3:GetObject", "s3:\u{9b}31mGet\u{202e}");
    let checked = check(&TempDir::new().unwrap(), &[("p.json", &text)], |_| {});
    assert_eq!(checked.exit, Exit::Blocked);
    assert!(!checked.out.contains(['\u{9b}', '\u{202e}', '\u{1b}']), "{:?}", checked.out);
}
