//! Lists what `leasehold plugin new` writes: the examples, as a table of path and bytes.
//! Decides nothing: what becomes of them is in `src/new`. What the examples have in common (the contract, the SDK, the
//! vectors) is linked into each of them, and is embedded once.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// From this crate's folder.
const EXAMPLES: &str = "../../plugins/examples";
/// What makes one of its folders a project; the others hold what they have in common.
const PROJECT: &str = "guardrail.toml";
/// What building an example in its place leaves behind.
const LEFT_FOLDERS: [&str; 6] =
    ["target", "build", "node_modules", ".venv", ".zig-cache", "__pycache__"];
/// As above.
const LEFT_FILES: [&str; 3] = ["wasm", "guardrail", "tmp"];

fn main() -> Result<(), Box<dyn Error>> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join(EXAMPLES);
    println!("cargo::rerun-if-changed={}", examples.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(&examples)? {
        let folder = entry?.path();
        if folder.join(PROJECT).is_file() {
            list(&folder, &mut files)?;
        }
    }
    files.sort();
    let mut contents: BTreeMap<PathBuf, usize> = BTreeMap::new();
    let mut table = String::from("static TEMPLATES: &[(&str, &[u8])] = &[\n");
    for file in &files {
        let next = contents.len();
        let content = *contents.entry(fs::canonicalize(file)?).or_insert(next);
        // With `/` on every system, as the table's readers expect.
        let path: Vec<_> =
            file.strip_prefix(&examples)?.iter().map(|part| part.to_string_lossy()).collect();
        writeln!(table, "    ({:?}, FILE_{content}),", path.join("/"))?;
    }
    table.push_str("];\n");
    for (file, content) in contents {
        println!("cargo::rerun-if-changed={}", file.display());
        writeln!(table, "const FILE_{content}: &[u8] = include_bytes!({file:?});")?;
    }
    fs::write(out_folder()?.join("files.rs"), table)?;
    Ok(())
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_left = |left: &[&str], part: Option<&std::ffi::OsStr>| {
            part.is_some_and(|part| left.iter().any(|one| part == *one))
        };
        if path.is_dir() {
            if !is_left(&LEFT_FOLDERS, path.file_name()) {
                list(&path, files)?;
            }
        } else if !is_left(&LEFT_FILES, path.extension()) {
            files.push(path);
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "this is how cargo tells a build script its folder")]
fn out_folder() -> Result<PathBuf, std::env::VarError> {
    Ok(PathBuf::from(std::env::var("OUT_DIR")?))
}
