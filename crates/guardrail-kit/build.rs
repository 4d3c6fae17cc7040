//! Lists what `leasehold plugin new` writes: the templates, the SDK and the contract, as tables of path and bytes.
//! Decides nothing: what goes where is in `src/new`.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Constant, and the folder from this crate's.
const TABLES: [(&str, &str); 3] = [
    ("TEMPLATES", "src/new/templates"),
    ("SDK", "../../plugins/sdk"),
    ("WIT", "../../plugins/wit"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tables = String::new();
    for (name, folder) in TABLES {
        println!("cargo::rerun-if-changed={folder}");
        let root = here.join(folder);
        let mut files = Vec::new();
        list(&root, &mut files)?;
        files.sort();
        writeln!(tables, "static {name}: &[(&str, &[u8])] = &[")?;
        for file in &files {
            println!("cargo::rerun-if-changed={}", file.display());
            // With `/` on every system, as the table's readers expect.
            let relative: Vec<_> =
                file.strip_prefix(&root)?.iter().map(|part| part.to_string_lossy()).collect();
            writeln!(tables, "    ({:?}, include_bytes!({file:?})),", relative.join("/"))?;
        }
        tables.push_str("];\n");
    }
    fs::write(out_folder()?.join("files.rs"), tables)?;
    Ok(())
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if !path.is_dir() {
            files.push(path);
        } else if !path.ends_with("target") {
            list(&path, files)?;
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "this is how cargo tells a build script its folder")]
fn out_folder() -> Result<PathBuf, std::env::VarError> {
    Ok(PathBuf::from(std::env::var("OUT_DIR")?))
}
