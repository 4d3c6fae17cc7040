//! Builds Rust: cargo for wasm32-unknown-unknown, with rustup's target where it is installed, else with Debian's Rust
//! for WebAssembly. The paths of this machine are kept out, so that the same source gives the same bytes anywhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Missing, Steps};
use crate::cli::Stopped;
use crate::project::Project;

const TARGET: &str = "wasm32-unknown-unknown";
/// What `apt-get install rustc-web cargo-web rust-web-src lld-19` gives.
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LINKER: &str = "/usr/bin/wasm-ld-19";
const INSTALL: &str = "`rustup target add wasm32-unknown-unknown`, or on Debian `apt-get install rustc-web cargo-web \
                       rust-web-src lld-19`";

/// Runs cargo and makes what it leaves into a component.
pub(crate) fn component(project: &Project, steps: &mut Steps<'_>) -> Result<Vec<u8>, Stopped> {
    let mut cargo = toolchain(&project.dir)?;
    cargo.args(["--release", "--target", TARGET, "--package", &project.name]);
    cargo.arg("--config").arg(remapping(&project.dir)?);
    // Flags of the environment would stand in the place of these.
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    steps.run(&mut cargo, INSTALL)?;
    let file = format!("{}.wasm", project.name.replace('-', "_"));
    let core = target_folder(&project.dir).join(TARGET).join("release").join(file);
    let module = fs::read(&core).map_err(|error| {
        format!(
            "`{}`: {error}\nhelp: the package of `Cargo.toml` is named `{}` and has `crate-type = [\"cdylib\"]`",
            core.display(),
            project.name
        )
    })?;
    Ok(componentize::encode(&module, None)?)
}

/// `cargo build` by whichever toolchain this machine has.
fn toolchain(dir: &Path) -> Result<Command, Missing> {
    if has_target(dir) {
        let mut cargo = Command::new("cargo");
        cargo.arg("build");
        return Ok(cargo);
    }
    let there = |path: &&str| Path::new(path).exists();
    if [DEBIAN_CARGO, DEBIAN_RUSTC, DEBIAN_LINKER].iter().all(there) {
        let mut cargo = Command::new(DEBIAN_CARGO);
        cargo
            .args(["build", "-Zbuild-std=std,panic_abort"])
            // Debian's stable compiler builds the standard library from its source package.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTC", DEBIAN_RUSTC)
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", DEBIAN_LINKER);
        return Ok(cargo);
    }
    Err(Missing { what: format!("a Rust toolchain for {TARGET}"), help: INSTALL.to_owned() })
}

/// Whether the `rustc` of the path has the target's standard library.
fn has_target(dir: &Path) -> bool {
    let asked = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(dir)
        .output();
    let Ok(asked) = asked else { return false };
    let folder = PathBuf::from(String::from_utf8_lossy(&asked.stdout).trim());
    let is_std = |entry: fs::DirEntry| entry.file_name().to_string_lossy().starts_with("libstd-");
    asked.status.success()
        && fs::read_dir(folder)
            .is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(is_std)))
}

/// Flags that put neutral names in the place of this machine's folders, as cargo's `--config` takes them.
fn remapping(dir: &Path) -> Result<String, Stopped> {
    let flag = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let flags = [flag(dir, "."), flag(&cargo_home(), "cargo")];
    // A list of strings is the same in JSON and in TOML.
    Ok(format!("target.{TARGET}.rustflags={}", serde_json::to_string(&flags)?))
}

/// Where cargo builds.
#[expect(clippy::disallowed_methods, reason = "cargo itself takes its folder from the environment")]
fn target_folder(dir: &Path) -> PathBuf {
    dir.join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// Where cargo keeps the sources of crates.
#[expect(clippy::disallowed_methods, reason = "where cargo is at home is known to the environment")]
fn cargo_home() -> PathBuf {
    if let Some(home) = std::env::var_os("CARGO_HOME") {
        return home.into();
    }
    PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cargo")
}
