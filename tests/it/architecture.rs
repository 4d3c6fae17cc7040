//! The layering as a test: who may use whom, and which crate is known where. A breach fails with a
//! sentence. The same table stands in words in `docs/ARCHITECTURE.md`.

use std::fs;
use std::path::{Path, PathBuf};

/// Each module of the broker and the modules of the broker that it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("clock", &["model"]),
    ("random", &[]),
    ("metrics", &[]),
    ("seal", &["model", "random"]),
    ("store", &["model"]),
    ("gate", &["model", "metrics"]),
    ("aws", &["model", "clock", "gate", "metrics"]),
    ("audit", &["model", "random", "seal", "store"]),
    ("leases", &["model", "clock", "random", "metrics", "aws", "store"]),
    ("outbound", &["model"]),
    ("auth", &["model", "clock", "random", "seal", "store", "leases", "outbound"]),
    (
        "engine",
        &["model", "clock", "random", "metrics", "seal", "store", "leases", "aws", "gate", "auth"],
    ),
    (
        "http",
        &[
            "model", "clock", "random", "metrics", "seal", "store", "leases", "aws", "gate",
            "auth", "audit", "engine", "config", "system", "custody",
        ],
    ),
    (
        "custody",
        &[
            "model", "clock", "random", "seal", "store", "leases", "aws", "auth", "audit",
            "engine", "config",
        ],
    ),
    ("config", &["model", "gate", "engine"]),
    ("system", &["config", "model"]),
    ("telemetry", &["config"]),
    ("fail_points", &["store"]),
    (
        "app",
        &[
            "model",
            "clock",
            "random",
            "metrics",
            "seal",
            "store",
            "leases",
            "aws",
            "gate",
            "auth",
            "audit",
            "engine",
            "http",
            "config",
            "custody",
            "fail_points",
            "outbound",
        ],
    ),
    (
        "cli",
        &[
            "model",
            "clock",
            "gate",
            "seal",
            "store",
            "audit",
            "http",
            "config",
            "telemetry",
            "app",
            "random",
            "system",
        ],
    ),
];

/// Each fenced name and the places, by the beginning of their path, that may say it.
const FENCES: &[(&str, &[&str])] = &[
    ("actix_web::", &["src/http/", "src/app"]),
    ("aws_sdk_", &["src/aws/sdk", "src/aws/classify.rs"]),
    ("aws_config::", &["src/aws/sdk"]),
    ("rusqlite::", &["src/store/sqlite/"]),
    ("wasmtime::", &["crates/guardrail-host/"]),
    ("jsonschema::", &["src/gate/schema"]),
    ("prometheus::", &["src/metrics/"]),
    (
        ".expose()",
        &[
            "src/http/envelope.rs",
            "src/aws/sdk",
            "src/seal/",
            "src/model/secret.rs",
            "src/cli/server.rs",
            "src/outbound/https.rs",
            "src/auth/jose/",
            "src/auth/methods/kubernetes/review.rs",
        ],
    ),
    ("jsonwebtoken::", &["src/auth/jose/"]),
    ("SystemTime::now", &["src/clock.rs"]),
    ("VettedGrant {", &["src/gate/"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Every source file of the broker: its path from the root, and its text.
fn broker() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(&path).unwrap())
    };
    sources(&root.join("src")).into_iter().map(read).collect()
}

/// The code without its comments and without the unit tests at the bottom of the file.
fn code(text: &str) -> String {
    let above = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let uncommented = |line: &&str| !line.trim_start().starts_with("//");
    above.lines().filter(uncommented).collect::<Vec<_>>().join("\n")
}

/// The modules of the broker that `text` names by `crate::…`, in either form of import.
fn used(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for part in text.split("crate::").skip(1) {
        let inner = part.strip_prefix('{').map_or(part, |list| list.split('}').next().unwrap());
        let pieces: Vec<&str> =
            if part.starts_with('{') { inner.split(',').collect() } else { vec![inner] };
        for piece in pieces {
            let name: String = piece
                .trim()
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            names.push(name);
        }
    }
    names
}

#[test]
fn no_module_uses_one_above_it() {
    let mut breaches = Vec::new();
    for (path, text) in broker() {
        let module = path.trim_start_matches("src/").split(['/', '.']).next().unwrap().to_owned();
        if matches!(module.as_str(), "lib" | "main") {
            continue;
        }
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
            breaches.push(format!("{path}: module `{module}` has no row in the table of layers"));
            continue;
        };
        for name in used(&code(&text)) {
            let known = MAY_USE.iter().any(|(module, _)| *module == name);
            if known && name != module && !allowed.contains(&name.as_str()) {
                breaches.push(format!("{path}: `{module}` may not use `{name}`"));
            }
        }
    }
    assert!(breaches.is_empty(), "the layering is broken:\n{}", breaches.join("\n"));
}

#[test]
fn what_is_fenced_stays_inside_its_fence() {
    let mut breaches = Vec::new();
    for (path, text) in broker() {
        let code = code(&text);
        for (word, places) in FENCES {
            if code.contains(word) && !places.iter().any(|place| path.starts_with(place)) {
                breaches
                    .push(format!("{path}: says `{word}`, which belongs to {}", places.join(", ")));
            }
        }
    }
    assert!(breaches.is_empty(), "a fence is broken:\n{}", breaches.join("\n"));
}

/// What compares secrets as if they were nothing, in a source; there are no others that could, since what a secret holds is
/// exposed inside its fence alone.
fn hasty_comparisons(code: &str) -> Vec<String> {
    let lines = code.lines().filter(|line| {
        let compares = line.contains("==") || line.contains("!=") || line.contains("matches!");
        let told = line.contains(".is_empty()") || line.contains(".len()");
        line.contains(".expose()") && compares && !told
    });
    lines.map(|line| line.trim().to_owned()).collect()
}

#[test]
fn secrets_are_compared_in_constant_time_or_not_at_all() {
    let mut breaches = Vec::new();
    for (path, text) in broker() {
        let code = code(&text);
        for line in hasty_comparisons(&code) {
            breaches.push(format!("{path}: `{line}` stops at the first byte that differs"));
        }
        if path != "src/model/secret.rs" {
            continue;
        }
        // Every secret is declared here.
        if code.lines().any(|line| line.contains("derive(") && line.contains("Eq")) {
            breaches
                .push(format!("{path}: a derived comparison stops at the first byte that differs"));
        }
        let ways = code.matches("fn eq(&self").count();
        assert_eq!(
            (ways, code.matches(".ct_eq(").count()),
            (2, 2),
            "{path}: how they are compared"
        );
    }
    // Tokens and secret ids are found by a keyed digest, and that one is compared once more.
    for (path, what) in [
        ("src/auth/mod.rs", "same_digest(&token.digest, digest)"),
        ("src/auth/methods/approle/secret_ids.rs", "stored.digest.0.as_bytes().ct_eq("),
        ("src/seal/password.rs", "hash.ct_eq(&self.hash)"),
    ] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        assert!(code(&text).contains(what), "{path}: no longer says `{what}`");
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for_and_is_not_too_long() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut breaches = Vec::new();
    for folder in ["src", "crates", "tests/it", "benches"] {
        for path in sources(&root.join(folder)) {
            let text = fs::read_to_string(&path).unwrap();
            let name = path.strip_prefix(root).unwrap().display();
            if !text.starts_with("//!") {
                breaches.push(format!("{name}: does not open with a module doc"));
            }
            // 400 lines with its unit tests is what `STYLE.md`'s models keep nine in ten files under.
            let tests = path.components().any(|part| part.as_os_str() == "tests")
                || path.ends_with("tests.rs");
            let lines = text.split("#[cfg(test)]\nmod tests {").next().unwrap().lines().count();
            if lines > if tests { 600 } else { 400 } {
                breaches.push(format!("{name}: {lines} lines above its tests; is it one thing?"));
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn a_planted_breach_is_found() {
    assert_eq!(used("use crate::engine::Engine;"), ["engine"]);
    assert_eq!(
        hasty_comparisons("if a.expose() == b {}\nif a.expose().is_empty() == b {}").len(),
        1
    );
    assert_eq!(used("use crate::{auth, http::error};"), ["auth", "http"]);
    assert!(
        !code("// rusqlite\nfn f() {}\n#[cfg(test)]\nmod tests { rusqlite }").contains("rusqlite")
    );
}
