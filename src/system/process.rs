//! What this process is, and what it may leave behind: no core dumps, files for its owner alone, no more rights than it
//! needs. Called once, before anything is opened; nothing else in the broker changes what the process is.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::fs::{Gid, Mode, Uid, chown};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, geteuid, getrlimit, set_dumpable_behavior, setrlimit, umask,
};

use super::{SystemError, accounts, refused};
use crate::config::{Config, RunsAs};

/// Takes away what the process does not need, and gives what is worth a warning. Where root has to become somebody it does
/// not come back: the program begins anew.
pub fn settle(config: &Config) -> Result<Vec<String>, SystemError> {
    let mut warnings = Vec::new();
    umask(Mode::RWXG | Mode::RWXO);
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        warnings.push(format!("core dumps cannot be switched off: {error}"));
    }
    raise_files();
    match &config.runs_as {
        Some(runs_as) if geteuid().is_root() => return Err(become_somebody(config, runs_as)),
        Some(runs_as) => warnings.push(format!(
            "`user` is `{}`, but this process was not started by root and stays who it is",
            runs_as.user
        )),
        None if geteuid().is_root() && config.dev.is_none() => {
            warnings.push("this process runs as root; set `user` in the configuration".to_owned());
        }
        None => {}
    }
    // Nobody but root attaches to it or reads its memory.
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        warnings.push(format!("other processes of this user can read its memory: {error}"));
    }
    Ok(warnings)
}

/// As many open files as the system lets it have: each connection is one.
fn raise_files() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let most = Rlimit { current: limit.maximum, maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, most) {
            tracing::debug!(%error, "the number of open files stays as it is");
        }
    }
}

/// Starts this program anew in the same process, as somebody else: no thread, no open file and no group of root's is
/// carried over. It comes back only where that cannot be.
fn become_somebody(config: &Config, runs_as: &RunsAs) -> SystemError {
    match somebody(config, runs_as) {
        Ok(mut again) => failed(runs_as)(again.exec()),
        Err(error) => error,
    }
}

/// This program and its arguments, as somebody else.
fn somebody(config: &Config, runs_as: &RunsAs) -> Result<Command, SystemError> {
    let user = accounts::user(&runs_as.user)?;
    let group = runs_as.group.as_deref().map_or(Ok(user.group), accounts::group)?;
    if user.id == 0 {
        return Err(failed(runs_as)(std::io::Error::other("that is root")));
    }
    give_data_dir(config, user.id, group)?;
    let program = std::env::current_exe().map_err(failed(runs_as))?;
    // Root's supplementary groups are left by the standard library where a user is named.
    let mut again = Command::new(program);
    again.args(std::env::args_os().skip(1)).uid(user.id).gid(group);
    Ok(again)
}

fn failed(runs_as: &RunsAs) -> impl FnOnce(std::io::Error) -> SystemError {
    refused(format!("become `{}`", runs_as.user))
}

/// Makes the data directory where there is none: its parent is often root's.
fn give_data_dir(config: &Config, user: u32, group: u32) -> Result<(), SystemError> {
    let Some(folder) = config.data_dir.as_ref().filter(|folder| !folder.exists()) else {
        return Ok(());
    };
    let failed = |action: &str| refused(format!("{action} `{}`", folder.display()));
    std::fs::create_dir_all(folder).map_err(failed("create"))?;
    chown(folder, Some(Uid::from_raw(user)), Some(Gid::from_raw(group)))
        .map_err(|error| failed("give away")(error.into()))
}
