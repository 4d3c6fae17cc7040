//! Turns `crates/iam-policy/data/escalation.txt` (the project's one list of escalations) into tables: the actions that
//! occur, sorted, and for each way the indices of its actions. Facts only; what they mean for a grant is in
//! `src/lib.rs`.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

const LIST: &str = "../../crates/iam-policy/data/escalation.txt";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={LIST}");
    println!("cargo::rerun-if-changed=build.rs");
    let text = std::fs::read_to_string(LIST)?;
    let ways: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let mut actions = BTreeMap::new();
    for way in &ways {
        let [_, needed, _, _] = way.as_slice() else {
            return Err(format!("not four columns: {way:?}").into());
        };
        for action in needed.split_whitespace() {
            actions.insert(action.to_ascii_lowercase(), action);
        }
    }
    let mut tables = String::from("/// Every action of the ways, sorted without regard to case.\n");
    writeln!(tables, "pub static ACTIONS: &[&str] = &{:?};", actions.values().collect::<Vec<_>>())?;
    writeln!(tables, "/// The ways: id, indices into `ACTIONS`, what they let one do.")?;
    writeln!(tables, "pub static WAYS: &[Way] = &[")?;
    for way in &ways {
        if let [id, needed, effect, _] = way.as_slice() {
            let indices: Vec<usize> = needed
                .split_whitespace()
                .filter_map(|one| actions.keys().position(|key| *key == one.to_ascii_lowercase()))
                .collect();
            writeln!(
                tables,
                "    Way {{ id: {id:?}, actions: &{indices:?}, effect: {effect:?} }},"
            )?;
        }
    }
    tables.push_str("];\n");
    std::fs::write(Path::new(&out_folder()?).join("ways.rs"), tables)?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "this is how cargo tells a build script its folder")]
fn out_folder() -> Result<String, std::env::VarError> {
    std::env::var("OUT_DIR")
}
