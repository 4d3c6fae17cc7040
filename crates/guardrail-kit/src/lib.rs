//! The plugin author's kit: what `leasehold plugin …` does on the author's own machine, on the very host that the server
//! runs. It knows plugins as files and folders; it never knows the broker, its store or AWS.
//!
//! | file | holds |
//! |---|---|
//! | [`cli`] | the verbs, and their exit codes |
//! | `verbs` | one file a verb |
//! | `project` | a plugin project: the folder with `guardrail.toml` |
//! | `new` | new projects, from the templates |
//! | `build` | from a project to its component |
//! | `component` | a component from a file, loaded as the server loads it |
//! | [`package`] | a guardrail as one file, and who vouches for it |
//! | `files` | files that the verbs read and write |
//! | `cache` | the user's folder for compiled code |
//! | [`vector`] | a grant, settings, and what must come of them |
//! | `settings` | whether a guardrail takes settings |

mod build;
mod cache;
pub mod cli;
mod component;
mod files;
mod new;
pub mod package;
mod paint;
mod project;
mod settings;
pub mod vector;
mod verbs;
