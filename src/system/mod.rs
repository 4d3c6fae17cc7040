//! What the broker asks of the operating system beside files and sockets: who it is, what it may leave behind, and who else
//! can touch what it keeps. The first two are done once, by `leasehold server`, before anything is opened. It knows nothing
//! of credentials.

pub mod accounts;
pub mod files;
pub mod host;
pub mod process;

/// Why the process does not go on.
#[derive(Debug, thiserror::Error)]
pub enum SystemError {
    /// A user or a group that there is not.
    #[error("there is no {kind} `{name}`\nhelp: name one of {file}, or its number")]
    NoAccount {
        /// `user` or `group`.
        kind: &'static str,
        /// As it was asked for.
        name: String,
        /// Where they are listed.
        file: &'static str,
    },
    /// The system refused.
    #[error("cannot {action}: {source}")]
    Refused {
        /// What was to be done.
        action: String,
        /// Why not.
        source: std::io::Error,
    },
    /// Something can be changed by others.
    #[error("{what} `{}` can be changed by others than its owner (mode {mode:04o})\nhelp: chmod {help} {}", path.display(), path.display())]
    Exposed {
        /// What it is.
        what: &'static str,
        /// Where.
        path: std::path::PathBuf,
        /// Its mode.
        mode: u32,
        /// What `chmod` takes.
        help: &'static str,
    },
}

/// Makes the cause of an action's failure an error of ours.
fn refused(action: impl Into<String>) -> impl FnOnce(std::io::Error) -> SystemError {
    move |source| SystemError::Refused { action: action.into(), source }
}
