//! The verbs of `leasehold plugin` on the components of the repository: what they print, how they end, what they write.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed expectation fails the test"
)]

mod packages;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use clap::Parser;
use guardrail_kit::cli::{Exit, PluginCommand};
use serde_json::{Value, json};

#[derive(Parser)]
struct CommandLine {
    #[command(subcommand)]
    command: PluginCommand,
}

/// What a verb did.
struct Ran {
    exit: Exit,
    out: String,
    err: String,
}

/// Runs a verb as `leasehold plugin` does, with compiled code kept in the target folder.
fn plugin(arguments: &[&str]) -> Ran {
    bare(&[arguments, &["--color", "never", "--code-cache", text(code_cache())]].concat())
}

/// Where other tests keep compiled code too, under the key that they have: what one has compiled all have.
fn code_cache() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guardrail-code");
        fs::create_dir_all(&folder).expect("a folder");
        let mut key = OpenOptions::new();
        let key = key.write(true).create(true).truncate(true).mode(0o600);
        let mut key = key.open(folder.join("mac.key")).expect("a file");
        key.write_all(&[42; 32]).expect("written");
        folder
    })
}

/// Runs a verb that takes neither a colour nor a folder for compiled code.
fn bare(arguments: &[&str]) -> Ran {
    let line = ["plugin"].iter().chain(arguments).copied();
    let command = CommandLine::try_parse_from(line).unwrap_or_else(|error| panic!("{error}"));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = command.command.run(&mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ran { exit, out: text(out), err: text(err) }
}

impl Ran {
    #[track_caller]
    fn ended(self, exit: Exit) -> Self {
        assert_eq!(self.exit, exit, "out:\n{}\nerr:\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    fn tells(self, parts: &[&str]) -> Self {
        for part in parts {
            let all = format!("{}{}", self.out, self.err);
            assert!(all.contains(part), "no `{part}` in:\n{all}");
        }
        self
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn least_privilege() -> PathBuf {
    repository().join("plugins/least-privilege/least-privilege.wasm")
}

fn hostile() -> PathBuf {
    repository().join("plugins/fixtures/hostile/hostile.wasm")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

/// A folder with a component and files, as an author has it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(component: &Path) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        let name = component.file_name().expect("a name");
        fs::copy(component, folder.0.path().join(name)).expect("copied");
        folder
    }

    fn write(self, name: &str, content: &str) -> Self {
        let path = self.at(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, content).expect("written");
        self
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn path(&self) -> &str {
        text(self.0.path())
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).expect("readable")
    }
}

const DOCUMENT: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    { "Effect": "Allow", "Action": "s3:*", "Resource": "*" }
  ]
}
"#;

/// A vector of the document above, indented as people do.
fn vector(settings: &Value, expect: &str) -> String {
    format!(
        "{{\n  \"about\": \"all of S3\",\n  \"settings\": {settings},\n  \"grant\": {{\n    \"documents\": [\n      {{ \"document\": {} }}\n    ]\n  }},\n  \"expect\": {expect}\n}}\n",
        DOCUMENT.trim_end()
    )
}

const RIGHT: &str = r#"{ "verdict": "deny", "findings": [
    { "rule": "service-wildcard", "severity": "high", "document": 0, "pointer": "/Statement/0/Action" }
  ] }"#;

/// What the guest that misbehaves by settings says without any.
const RIGHT_OF_HOSTILE: &str = r#"{ "verdict": "pass", "findings": [] }"#;

#[test]
fn the_vectors_of_a_shipped_guardrail_pass_and_show_all_of_its_rules() {
    let folder = repository().join("plugins/least-privilege");
    let ran = plugin(&["test", text(&folder), "--case", "service-wildcard"]).ended(Exit::Good);
    assert!(!ran.out.contains("rules shown") && !ran.out.contains("full-admin"), "{}", ran.out);
    let ran = plugin(&["test", text(&folder)]).ended(Exit::Good);
    assert!(!ran.out.contains("FAIL") && !ran.out.contains("no case finds it"), "{}", ran.out);
    ran.tells(&[
        "least-privilege 1.",
        "  ok    full-admin ",
        " fuel ",
        "rules shown: ",
        " 0 failed",
    ]);
}

#[test]
fn what_differs_is_shown_with_its_place_in_the_vector() {
    let folder = Folder::with(&least_privilege())
        .write("tests/right.json", &vector(&json!({}), RIGHT))
        .write("tests/wrong.json", &vector(&json!({}), r#"{ "verdict": "pass", "findings": [] }"#))
        .write("tests/broken.json", "{");
    let (junit, sarif) = (folder.at("junit.xml"), folder.at("out.sarif"));
    plugin(&["test", folder.path(), "--junit", text(&junit), "--sarif", text(&sarif)])
        .ended(Exit::Bad)
        .tells(&[
            "ok    right",
            "FAIL  wrong",
            "        all of S3\n",
            "        verdict\n          expected  pass\n          actual    deny: ",
            "          actual    high service-wildcard at document 0 `/Statement/0/Action`: ",
            "wrong.json:9:36\n",
            "     9 |     { \"Effect\": \"Allow\", \"Action\": \"s3:*\", \"Resource\": \"*\" }\n",
            "^^^^^^ document 0 `/Statement/0/Action`\n",
            "FAIL  broken",
            "  ! full-admin: no case finds it",
            "  ! service-wildcard: no case shows what it lets pass in the same service",
            "3 cases: 1 passed, 2 failed",
            "help: `leasehold plugin test --update`",
        ]);
    let junit = fs::read_to_string(junit).expect("written");
    assert!(
        junit.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites "),
        "{junit}"
    );
    for part in [
        r#"<testsuite name="least-privilege" tests="3" failures="1" errors="1" time=""#,
        r#"<testcase name="right" classname="least-privilege" file=""#,
        r#"<failure message="verdict: expected pass, got deny: "#,
        r#"<error message="vector: "#,
        "</testsuites>\n",
    ] {
        assert!(junit.contains(part), "no {part} in {junit}");
    }
    check_sarif(&fs::read_to_string(sarif).expect("written"));
}

fn check_sarif(log: &str) {
    let log: Value = serde_json::from_str(log).expect("JSON");
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let results = run["results"].as_array().expect("results");
    assert_eq!(results.len(), 3);
    for result in results {
        let index = result["ruleIndex"].as_u64().and_then(|index| usize::try_from(index).ok());
        let rule = &run["tool"]["driver"]["rules"][index.expect("an index")];
        assert_eq!(rule["id"], result["ruleId"]);
        assert_eq!(result["level"], "error");
    }
    let finding = results.iter().find(|result| result["ruleId"] == "vector/finding");
    let place = &finding.expect("one")["locations"][0]["physicalLocation"];
    assert_eq!(
        place["region"],
        json!({"startLine": 9, "startColumn": 36, "endLine": 9, "endColumn": 42})
    );
    assert!(place["artifactLocation"]["uri"].as_str().expect("a URI").ends_with("/wrong.json"));
}

#[test]
fn an_update_takes_the_answer_and_leaves_the_rest_of_the_vector() {
    let expect = r#"{ "verdict": "pass", "message": "?", "findings": [] }"#;
    let before = vector(&json!({}), expect);
    let folder = Folder::with(&least_privilege()).write("tests/a.json", &before);
    plugin(&["test", folder.path(), "--update"]).ended(Exit::Good).tells(&[
        "updated ",
        "a.json",
        "1 passed, 0 failed",
    ]);
    let after = folder.read("tests/a.json");
    let kept = before.split_once(expect).expect("there").0;
    assert!(after.starts_with(kept), "{after}");
    let value: Value = serde_json::from_str(&after).expect("JSON");
    assert_eq!(value["expect"]["verdict"], "deny");
    assert!(value["expect"]["message"].as_str().expect("a line").len() > 10);
    assert_eq!(value["expect"]["findings"][0]["rule"], "service-wildcard");
    assert_eq!(value["expect"]["findings"][0].get("message"), None);
    assert!(after.contains("\n    \"findings\": [\n      {\n"), "{after}");
}

#[test]
fn a_crash_is_no_expectation_whatever_is_updated() {
    let text = vector(&json!({"does": "panic"}), r#"{"verdict": "pass"}"#);
    let folder = Folder::with(&hostile()).write("tests/a.json", &text);
    plugin(&["test", folder.path(), "--update"])
        .ended(Exit::Bad)
        .tells(&["actual    trap: the guardrail crashed: panicked at ", "log error: panicked at"]);
    assert_eq!(folder.read("tests/a.json"), text);
    let expected = vector(&json!({"does": "panic"}), r#"{"verdict": "trap"}"#);
    plugin(&["test", folder.write("tests/a.json", &expected).path()]).ended(Exit::Good);
}

#[test]
fn fuel_settings_and_messages_are_part_of_what_is_expected() {
    let folder = Folder::with(&hostile())
        .write(
            "guardrail.toml",
            "[plugin]\nname = \"hostile\"\nlanguage = \"rust\"\n[test]\nfuel_max = 10\n",
        )
        .write(
            "tests/own.json",
            &vector(&json!({}), r#"{"verdict": "any", "fuel_max": 100000000}"#),
        )
        .write("tests/project.json", &vector(&json!({}), r#"{"verdict": "any"}"#))
        .write(
            "tests/refused.json",
            &vector(&json!({"does": "refuse-settings"}), r#"{"verdict": "any"}"#),
        )
        .write(
            "tests/schema.json",
            &vector(&json!({"does": 1}), r#"{"verdict": "failure/settings"}"#),
        )
        .write(
            "tests/said.json",
            &vector(
                &json!({"does": "ugly-deny"}),
                r#"{"verdict": "deny", "message": "yes", "fuel_max": 100000000}"#,
            ),
        );
    let ran = plugin(&["test", folder.path(), "--json"]).ended(Exit::Bad);
    let run: Value = serde_json::from_str(&ran.out).expect("JSON");
    let of = |name: &str| {
        let cases = run["cases"].as_array().expect("cases");
        let case = cases.iter().find(|case| case["name"] == name).expect("the case");
        let whats = case["differences"].as_array().expect("a list").iter();
        whats.map(|one| one["what"].as_str().expect("a word").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of("own"), Vec::<String>::new());
    assert_eq!(of("project"), ["fuel"]);
    assert_eq!(of("refused"), ["settings", "fuel"]);
    assert_eq!(of("schema"), ["fuel"]);
    assert_eq!(of("said"), ["message"]);
    assert_eq!((&run["passed"], &run["failed"]), (&json!(1), &json!(4)));
    assert_eq!(run["rules"], json!([{"rule": "declared", "found": 0, "let_pass": 0}]));
}

#[test]
fn a_component_is_looked_over() {
    plugin(&["check", text(&least_privilege())]).ended(Exit::Good).tells(&[
        "least-privilege 1.",
        "digest    sha256:",
        "of 24.0 MiB",
        "imports   ",
        "rule      full-admin                       critical",
        "source    ",
        "trial       2.0 KiB: ",
    ]);
    plugin(&["check", text(&hostile())]).ended(Exit::Good).tells(&[
        "imports   catalogue@1.0.0, log@1.0.0",
        "warning: the rule `declared` is documented nowhere\nhelp: give it a docs URL",
        "warning: its settings schema lets unknown members pass",
        "warning: the setting `does` has neither a title nor a description",
        "3 problems",
    ]);
}

#[test]
fn what_is_no_component_is_refused_with_the_way_out() {
    let folder = Folder::with(&hostile()).write("core.wasm", "\0asm\x01\0\0\0");
    plugin(&["check", text(&folder.at("core.wasm"))])
        .ended(Exit::Bad)
        .tells(&["core.wasm is refused\nerror: this is a WebAssembly core module", "help: "]);
    plugin(&["check", text(&folder.at("none.wasm"))]).ended(Exit::Failed).tells(&["is not there"]);
    plugin(&["test", text(&folder.at("hostile.wasm"))])
        .ended(Exit::Failed)
        .tells(&["error: there are no vectors: ", "help: plugins/README.md#vectors"]);
    let folder = folder.write("tests/a.json", &vector(&json!({}), RIGHT_OF_HOSTILE));
    plugin(&["test", text(&folder.at("hostile.wasm")), "--case", "b"])
        .ended(Exit::Failed)
        .tells(&["error: no vector in `", "tests` has `b` in its name"]);
}

#[test]
fn one_document_is_judged_and_shown() {
    let folder = Folder::with(&least_privilege()).write("policy.json", DOCUMENT);
    let (document, component) = (folder.at("policy.json"), folder.at("least-privilege.wasm"));
    let run = ["run", text(&document), "--component", text(&component)];
    let sarif = folder.at("policy.sarif");
    plugin(&[&run[..], &["--sarif", text(&sarif)]].concat()).ended(Exit::Good).tells(&[
        "deny: ",
        "\nhigh service-wildcard: ",
        "policy.json:4:36\n",
        "^^^^^^ document 0 `/Statement/0/Action`",
        "       help: ",
        "fuel ",
        " of 200,000,000 (",
        " of 250 ms   memory ",
    ]);
    let log: Value =
        serde_json::from_str(&fs::read_to_string(sarif).expect("there")).expect("JSON");
    assert_eq!(log["runs"][0]["tool"]["driver"]["name"], "least-privilege");
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "service-wildcard");

    let off = folder.write(
        "off.json",
        r#"{"rules_off": ["service-wildcard", "write-on-any-resource", "privilege-escalation"]}"#,
    );
    let settings = off.at("off.json");
    plugin(&[&run[..], &["--settings", text(&settings)]].concat())
        .ended(Exit::Good)
        .tells(&["pass\n"]);
    let wrong = off.write("off.json", r#"{"rules_of": []}"#);
    plugin(&[&run[..], &["--settings", text(&settings)]].concat())
        .ended(Exit::Failed)
        .tells(&["error: the guardrail refuses these settings:\n  `"]);
    drop(wrong);
}

#[test]
fn a_failure_and_a_vector_that_differs_end_a_run_badly() {
    let folder = Folder::with(&hostile())
        .write("policy.json", DOCUMENT)
        .write("settings.json", r#"{"does": "loop"}"#)
        .write("wrong.json", r#"{"does": 1}"#)
        .write("vector.json", &vector(&json!({"does": "ugly-deny"}), r#"{"verdict": "pass"}"#))
        .write("bad.json", "{\n  \"Statement\": []\n}");
    let at = |name: &str| text(&folder.at(name)).to_owned();
    let run = |arguments: &[&str]| {
        plugin(&[&["run", "--component", &at("hostile.wasm")], arguments].concat())
    };
    run(&[&at("policy.json"), "--settings", &at("settings.json")])
        .ended(Exit::Bad)
        .tells(&["limit/fuel: it used all its fuel", "fuel 200,000,000 of 200,000,000 (100.0 %)"]);
    let ran = run(&[&at("policy.json"), "--settings", &at("settings.json"), "--json"]);
    let answer: Value = serde_json::from_str(&ran.ended(Exit::Bad).out).expect("JSON");
    assert_eq!(answer["failure"]["code"], "limit/fuel");
    run(&[&at("vector.json")]).ended(Exit::Bad).tells(&[
        "deny: no ERROR forged line [2J\n",
        "differs: verdict: expected pass, got deny: ",
    ]);
    // Those that are put in the place of the vector's own are checked as they are for a document.
    run(&[&at("vector.json"), "--settings", &at("wrong.json")])
        .ended(Exit::Failed)
        .tells(&["error: the guardrail refuses these settings:\n  `/does`"]);
    run(&[&at("bad.json")])
        .ended(Exit::Failed)
        .tells(&["is no policy document that the host would take:"]);
}

#[test]
fn work_is_measured_and_more_of_it_is_told() {
    let (cheap, dear) = (hostile(), least_privilege());
    plugin(&["bench", text(&dear), "--sizes", "2,6", "--runs", "3"]).ended(Exit::Good).tells(&[
        "  document statements           fuel   limit        p50        p99     memory  answer\n",
        "   2.",
        "   6.",
        " findings\n",
        "times the document, ",
    ]);
    let same = ["bench", text(&dear), "--compare", text(&dear), "--sizes", "2", "--runs", "2"];
    plugin(&[&same[..], &["--max-regress", "0"]].concat()).ended(Exit::Good).tells(&["+0.0 %"]);
    let worse = ["bench", text(&dear), "--compare", text(&cheap), "--sizes", "2", "--runs", "2"];
    plugin(&worse).ended(Exit::Good);
    plugin(&[&worse[..], &["--max-regress", "5", "--regress-on", "fuel"]].concat())
        .ended(Exit::Bad)
        .tells(&["worse: more fuel on 2.", " %, and 5 % is allowed\n"]);
}

#[test]
fn a_component_that_fails_is_worse_even_than_one_that_failed_before() {
    // Without settings it has no policy to judge by.
    let rego = repository().join("plugins/rego/rego.wasm");
    let same = ["bench", text(&rego), "--compare", text(&rego), "--sizes", "2", "--runs", "2"];
    plugin(&same).ended(Exit::Bad).tells(&["worse: it fails on 2.", ": failure/settings: "]);
}

#[test]
fn what_nothing_is_more_than_is_no_bound_of_a_bench() {
    for percent in ["nan", "inf", "-inf", "five"] {
        let bound = format!("--max-regress={percent}");
        let line = ["plugin", "bench", "a.wasm", "--compare", "b.wasm", &bound];
        let refused = CommandLine::try_parse_from(line).map(|_| ()).expect_err(percent);
        assert!(refused.to_string().contains("--max-regress"), "{refused}");
    }
}

#[test]
fn a_shipped_guardrail_copes_with_made_up_grants() {
    let component = least_privilege();
    let run = || plugin(&["fuzz", text(&component), "--cases", "150", "--seed", "5"]);
    let ran = run().ended(Exit::Good).tells(&[
        "seed 5\n150 cases in ",
        "  answers         deny ",
        "  refused before  ",
        " settings\n",
        "nothing went wrong",
    ]);
    let without_time =
        |out: &str| out.lines().filter(|line| !line.contains(" in ")).collect::<String>();
    assert_eq!(without_time(&ran.out), without_time(&run().out));
}

#[test]
fn what_fuzzing_finds_is_left_behind_small() {
    let folder = Folder::with(&hostile()).write("settings.json", r#"{"does": "panic"}"#);
    let (component, settings) = (folder.at("hostile.wasm"), folder.at("settings.json"));
    let fuzz = ["fuzz", text(&component), "--settings", text(&settings), "--seed", "1"];
    let ran = plugin(&fuzz).ended(Exit::Bad).tells(&[
        "wrong: trap while it judges: the guardrail crashed: panicked at ",
        "of seed 1)\nthe smallest case that does it is `",
        "help: `leasehold plugin run ",
    ]);
    let tests = fs::read_dir(folder.at("tests")).expect("the folder");
    let files: Vec<PathBuf> = tests.map(|entry| entry.expect("an entry").path()).collect();
    assert_eq!(files.len(), 1, "{}", ran.out);
    let found: Value =
        serde_json::from_str(&fs::read_to_string(&files[0]).expect("readable")).expect("JSON");
    assert_eq!(found["settings"], json!({"does": "panic"}));
    assert_eq!(found["grant"], json!({"documents": []}), "as small as it can be");
    plugin(&["run", text(&files[0]), "--component", text(&component)])
        .ended(Exit::Bad)
        .tells(&["trap: the guardrail crashed"]);
    plugin(&["test", folder.path()]).ended(Exit::Bad).tells(&["FAIL  fuzz-trap-1-"]);
}

#[test]
fn two_components_are_told_apart_by_what_they_say() {
    let folder = Folder::with(&least_privilege()).write("policy.json", DOCUMENT);
    let (document, old, new) = (folder.at("policy.json"), hostile(), least_privilege());
    plugin(&["diff", text(&old), text(&new), text(&document)]).ended(Exit::Bad).tells(&[
        "--- hostile 1.0.0 sha256:",
        "+++ least-privilege 1.",
        "  - rule declared\n",
        "  + rule full-admin (critical)\n",
        "  - import leasehold:guardrail/catalogue@1.0.0\n",
        "  ~ the settings schema is another",
        "policy.json\n  - pass\n  + deny: ",
        "  + high service-wildcard: ",
        "1 of 1 answers differ, 1 of them in their verdict",
    ]);
    let vectors = repository().join("plugins/least-privilege/vectors");
    plugin(&["diff", text(&new), text(&new), text(&vectors)])
        .ended(Exit::Good)
        .tells(&["0 of ", "answers differ, 0 of them in their verdict"]);
}

#[test]
fn a_project_is_built_and_tested_in_one_go() {
    let built = hostile();
    let manifest = format!(
        "[plugin]\nname = \"hostile\"\nlanguage = \"c\"\n[build]\ncommand = [\"cp\", {}, \"made.wasm\"]\noutput = \"made.wasm\"\n",
        json!(text(&built))
    );
    let folder = Folder(tempfile::tempdir().expect("a folder"))
        .write("guardrail.toml", &manifest)
        .write("tests/a.json", &vector(&json!({}), r#"{"verdict": "pass"}"#));
    plugin(&["test", folder.path()])
        .ended(Exit::Failed)
        .tells(&["hostile.wasm` is not there\nhelp: `leasehold plugin build` makes it"]);
    plugin(&["dev", folder.path()]).ended(Exit::Good).tells(&[
        "+ cp ",
        "built in ",
        "  ok    a  ",
        "1 case: 1 passed, 0 failed",
    ]);
    let wrong = folder.write("tests/a.json", &vector(&json!({}), r#"{"verdict": "deny"}"#));
    plugin(&["dev", wrong.path()]).ended(Exit::Bad).tells(&["FAIL  a", "actual    pass"]);
}

#[test]
fn a_new_project_says_every_step_that_comes_next() {
    let parent = tempfile::tempdir().expect("a folder");
    let venv = "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && ";
    for (language, first) in [
        ("rust", ""),
        ("js", "npm install && "),
        ("python", venv),
        ("go", ""),
        ("c", venv),
        ("rego", ""),
    ] {
        let name = format!("in-{language}");
        let next = format!("/{name} && {first}leasehold plugin build && leasehold plugin test\n");
        bare(&["new", &name, "--lang", language, "--parent", text(parent.path())])
            .ended(Exit::Good)
            .tells(&["made ", "next: cd ", &next]);
    }
}
