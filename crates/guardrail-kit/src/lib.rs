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
//! | `target`, `subject` | what a verb works on: a component; something to judge |
//! | `suite` | the vectors of a folder, run, with what they show of the rules |
//! | `show`, `excerpt` | an evaluation as an author reads it, with the line of the file under each place |
//! | `inspection` | what is wrong with a component beyond what the host refuses |
//! | `measure`, `policies` | what a component needs; documents of a wanted size |
//! | `fuzz` | made-up grants and settings, and what must not happen with them |
//! | `watch` | whether the files of a project changed |
//! | `sarif` | places in files, for code scanning |
//! | `settings` | whether a guardrail takes settings |

mod build;
mod cache;
pub mod cli;
mod component;
mod excerpt;
mod figures;
mod files;
mod fuzz;
mod inspection;
mod measure;
mod new;
pub mod package;
mod paint;
mod policies;
mod project;
mod sarif;
mod section;
mod settings;
mod show;
mod subject;
mod suite;
mod target;
pub mod vector;
mod verbs;
mod watch;
