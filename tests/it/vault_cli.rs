//! The stock Vault CLI against the real binary: the transcripts of `tests/clients/vault-cli`, word for word, but for what is
//! made up anew each time. `LEASEHOLD_VAULT` names the CLI; `scripts/clients/vault-cli` builds it and runs this.
//! `UPDATE_DOCS=1` writes the answers into the transcripts.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::process::Process;
use crate::support::transcript::{self, Step};

/// The CLI, or `None` with a line that says so.
fn cli() -> Option<PathBuf> {
    let named = std::env::var_os("LEASEHOLD_VAULT").filter(|path| !path.is_empty());
    if named.is_none() {
        println!(
            "skipped: LEASEHOLD_VAULT is not set; scripts/clients/vault-cli builds the CLI and sets it"
        );
    }
    named.map(PathBuf::from)
}

/// Runs the commands in one shell, in a folder of its own, and gives what each printed, errors in their place.
fn run(steps: &[Step], cli: &Path, server: &Process) -> Vec<String> {
    let (dir, outputs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = |number: usize| outputs.path().join(number.to_string());
    let mut script = String::from("vault() { \"$CLI\" \"$@\"; }\n");
    for (number, step) in steps.iter().enumerate() {
        let file = file(number).display().to_string();
        writeln!(script, "{{ {}\n}} > {file} 2>&1", step.command).unwrap();
        writeln!(script, "code=$?; [ $code = 0 ] || echo \"[exit $code]\" >> {file}").unwrap();
    }
    let status = Command::new("bash")
        .args(["-c", &script])
        .env("CLI", cli)
        .env("VAULT_ADDR", &server.url)
        .env("VAULT_TOKEN", server.root_token.as_deref().unwrap_or_default())
        // Where the CLI keeps the token of a login.
        .env("HOME", dir.path())
        .env("LC_ALL", "C")
        // Unsealing takes up the guardrails, and a debug build compiles them: more than the CLI's minute.
        .env("VAULT_CLIENT_TIMEOUT", "10m")
        .env_remove("VAULT_NAMESPACE")
        .stdin(Stdio::null())
        .current_dir(dir.path())
        .status();
    assert!(status.is_ok(), "bash is needed");
    let dir = dir.path().display().to_string();
    let printed = |number| {
        let printed = std::fs::read(file(number)).unwrap();
        let printed = String::from_utf8_lossy(&printed).replace(&dir, "$PWD");
        masked(&printed.replace(&server.url, "http://127.0.0.1:8200"))
    };
    (0..steps.len()).map(printed).collect()
}

/// Puts `…` where something is made up anew each time, and rounds what time has gone by since.
fn masked(text: &str) -> String {
    let ends = |c: char| c.is_whitespace() || "\"'[](){},<>`".contains(c);
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c| !ends(c)) {
        let (between, from) = rest.split_at(at);
        let (word, after) = from.split_at(from.find(ends).unwrap_or(from.len()));
        shown.push_str(between);
        shown.push_str(&masked_word(word));
        rest = after;
    }
    shown.push_str(rest);
    // Columns are as wide as what stood in them, and empty ones leave blanks behind.
    let lines = shown.lines().map(|line| masked_line(line.trim_end()));
    lines.collect::<Vec<_>>().join("\n").replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

/// Members whose values have blanks in them, or depend on how busy the machine is.
fn masked_line(line: &str) -> String {
    for name in ["Install Time", "Encryption Count", "wrapping_token_creation_time:"] {
        if let Some(rest) = line.strip_prefix(name) {
            let blanks = rest.strip_suffix(rest.trim_start()).unwrap_or_default();
            return format!("{name}{blanks}…");
        }
    }
    line.to_owned()
}

fn masked_word(word: &str) -> String {
    if let Some(front) = word.strip_suffix(':').filter(|front| front.contains('/')) {
        return format!("{}:", masked_word(front));
    }
    for (head, most) in [("hvs.", 0), ("hvb.", 0), ("AKIA", 20), ("ASIA", 20), ("AIDA", 21)] {
        if word.starts_with(head) && (most == 0 || word.len() == most) {
            return format!("{head}…");
        }
    }
    for head in ["waited_ms:", "accessor:", "uuid:"] {
        if word.starts_with(head) {
            return format!("{head}…");
        }
    }
    if let Some((front, last)) = word.rsplit_once('/')
        && (is_id(last) || is_name(last))
    {
        return format!("{front}/…");
    }
    if let Some((front, last)) = word.rsplit_once(':')
        && is_random(last)
    {
        return format!("{front}:…");
    }
    let is_time = word.len() >= 20 && word.get(10..11) == Some("T") && word.ends_with('Z');
    if is_time || is_id(word) || is_name(word) || is_uuid(word) || is_random(word) {
        return "…".to_owned();
    }
    let accessor = word.rsplit_once('_').is_some_and(|(kind, hex)| {
        (kind == "aws" || kind.starts_with("auth_")) && hex.len() == 8 && is_hex(hex)
    });
    if accessor {
        return "…".to_owned();
    }
    // Some seconds later: a lease of half an hour has 29m58s when it is looked at.
    if let Some((minutes, seconds)) = word.strip_suffix('s').and_then(|text| text.split_once('m'))
        && let (Ok(minutes), Ok(50..60)) = (minutes.parse::<u32>(), seconds.parse::<u32>())
    {
        let minutes = minutes + 1;
        return if minutes == 60 { "1h".to_owned() } else { format!("{minutes}m") };
    }
    let is_second = word.len() == 10 && (word.starts_with("17") || word.starts_with("18"));
    if is_second && word.bytes().all(|c| c.is_ascii_digit()) {
        "…".to_owned()
    } else {
        word.to_owned()
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|c| c.is_ascii_hexdigit())
}

/// Accessors, and what lease ids end in.
fn is_id(text: &str) -> bool {
    (text.len() == 24 || text.len() == 20)
        && text.bytes().all(|c| c.is_ascii_alphanumeric())
        && is_drawn(text)
}

/// No word: one in sixty of what is drawn has no digit, and then it has capitals inside.
fn is_drawn(text: &str) -> bool {
    let has = |wanted: fn(&u8) -> bool| text.bytes().any(|c| wanted(&c));
    has(u8::is_ascii_digit) || (has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase))
}

/// Names of users and sessions.
fn is_name(text: &str) -> bool {
    text.starts_with("vault-") && text.len() > 30
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
}

/// Keys, digests, shares, session tokens.
fn is_random(text: &str) -> bool {
    text.len() >= 40
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"+/=_-".contains(&c))
        && is_drawn(text)
        && !text.contains("--")
}

/// Runs a transcript, and compares it or writes it.
fn transcribe(name: &str, cli: &Path, server: &Process) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/vault-cli").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    let steps = transcript::steps(&text);
    assert!(steps.len() > 40, "the commands were not found");
    let printed = run(&steps, cli, server);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, with_answers(&text, &steps, &printed)).unwrap();
        return;
    }
    let mut wrong = String::new();
    for (step, printed) in steps.iter().zip(&printed) {
        let (printed, promised) = (printed.trim(), step.printed.trim());
        if printed != promised {
            write!(
                wrong,
                "$ {}\n--- it printed\n{printed}\n--- and not\n{promised}\n\n",
                step.command
            )
            .unwrap();
        }
    }
    assert!(wrong.is_empty(), "{name}:\n{wrong}");
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

/// The same text with other answers.
fn with_answers(text: &str, steps: &[Step], printed: &[String]) -> String {
    let mut answers = steps.iter().zip(printed);
    let mut written = String::new();
    let mut inside = false;
    for line in text.lines() {
        let (begins, ends) = (line == "```console", inside && line == "```");
        inside = (inside || begins) && !ends;
        if inside && !begins {
            if line.starts_with("$ ") {
                let (step, printed) = answers.next().unwrap();
                let printed = printed.trim_matches('\n');
                let end = if printed.is_empty() { "" } else { "\n" };
                write!(written, "$ {}\n{printed}{end}", step.command).unwrap();
            }
            continue;
        }
        written.push_str(line);
        written.push('\n');
    }
    written
}

#[test]
fn the_vault_cli_prints_what_its_transcript_says_in_development_mode() {
    let Some(cli) = cli() else { return };
    transcribe("development.md", &cli, &Process::dev(&[]));
}

#[test]
fn the_vault_cli_initialises_unseals_and_rekeys_as_its_transcript_says() {
    let Some(cli) = cli() else { return };
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("leasehold.toml");
    let text = format!(
        "data_dir = {:?}\n\n[listener]\naddress = \"127.0.0.1:0\"\n",
        dir.path().join("data")
    );
    std::fs::write(&config, text).unwrap();
    let server = Process::start(&["server", "--config", config.to_str().unwrap()]);
    transcribe("operator.md", &cli, &server);
}

#[test]
fn what_is_made_up_anew_is_masked_and_nothing_else() {
    for (text, shown) in [
        ("lease_id    aws/creds/r/cgJ4TWKUV7ge8e9khrt7toCp", "lease_id    aws/creds/r/…"),
        ("accessor cgJTWKUVegechrttoCpABCdE", "accessor …"),
        ("token hvs.CAES-x_y", "token hvs.…"),
        ("  \"ttl\": \"29m59s\",  ", "  \"ttl\": \"30m\","),
        ("expire_time 2026-11-26T11:19:29.895Z", "expire_time …"),
        (
            "wrapping_token_creation_time:    2026-11-26 11:32:07.273 +0000 UTC",
            "wrapping_token_creation_time:    …",
        ),
        (
            "Error renewing aws/sts/r/4UuK42kfz2JChkkl8nccp73S: Error",
            "Error renewing aws/sts/r/…: Error",
        ),
        (
            "hash hmac-sha256:23f07b23ed5048e42f7298eeee389a393a94cc96d299d27e837c1b407f640d89",
            "hash hmac-sha256:…",
        ),
        ("accessor aws_5981b425", "accessor …"),
        ("id 2fc2fdc7-028c-4db0-b951-e408681e0d85", "id …"),
        ("creation_time 1795690157", "creation_time …"),
        ("[endpoints:[sts.example] waited_ms:62]", "[endpoints:[sts.example] waited_ms:…]"),
        (
            "----    -----------    aws_roles audit-non-hmac-request-keys",
            "----    -----------    aws_roles audit-non-hmac-request-keys",
        ),
        (
            "arn:aws:sts::1:federated-user/vault-1795690167-kcs9PraGPLHiVGuyfcvf",
            "arn:aws:sts::1:federated-user/…",
        ),
    ] {
        assert_eq!(masked(text), shown);
    }
}
