//! `leasehold plugin dev [DIR] [--watch]`: builds a project and runs its vectors, again at each save where that is wanted.
//! A build that fails or a vector that differs ends nothing: the next save may cure it. Ends with Ctrl-C.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::build::{self, Options};
use crate::cli::{Exit, Stopped};
use crate::component::Setup;
use crate::figures::{Stopwatch, shown as time_shown};
use crate::project::{Project, ProjectError};
use crate::target::{Target, shown};
use crate::verbs::test;
use crate::watch::Snapshot;

/// A look at a project of a hundred files takes a millisecond; nobody notices a fifth of a second.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// What to build and test.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The project's folder, or one inside it
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Do it again whenever a file is saved
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    setup: Setup,
}

/// The project as its `guardrail.toml` has it now, or what is wrong with that.
type ReadAgain = Result<Project, ProjectError>;

pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Stopped> {
    let project = Project::find(&arguments.dir)?;
    let setup = &arguments.setup;
    if !arguments.watch {
        return turn(project, setup, out);
    }
    let mut told = |project: Result<Project, ProjectError>,
                    out: &mut dyn Write|
     -> Result<(), Stopped> {
        let taken = project.map_err(Stopped::from).and_then(|project| turn(project, setup, out));
        if let Err(stopped) = taken {
            writeln!(out, "{} {stopped}", setup.paint().bad("error:"))?;
        }
        Ok(())
    };
    let never: fn() -> bool = || false;
    watch(project, &mut told, &mut pause, never, out)
}

/// One build and one run of the vectors.
fn turn(project: Project, setup: &Setup, out: &mut dyn Write) -> Result<Exit, Stopped> {
    let stopwatch = Stopwatch::start();
    let options = Options { component: None, loading: setup.loading.clone() };
    build::build(&project, &options, out)?;
    writeln!(out, "built in {}", time_shown(stopwatch.elapsed()))?;
    test::run_once(&Target::of_project(project), setup, out)
}

fn pause() {
    std::thread::sleep(BETWEEN_LOOKS);
}

/// Takes a turn, and another whenever files changed and have been still for one look: editors save in several steps.
/// Each turn is given the project as its `guardrail.toml` has it then.
fn watch(
    project: Project,
    turn: &mut dyn FnMut(ReadAgain, &mut dyn Write) -> Result<(), Stopped>,
    pause: &mut dyn FnMut(),
    ends: impl Fn() -> bool,
    out: &mut dyn Write,
) -> Result<Exit, Stopped> {
    let dir = project.dir.clone();
    let mut built = project.component_path();
    // Taken before the turn: what is saved while it runs is a change.
    let mut seen = Snapshot::of(&dir, &built);
    turn(Ok(project), out)?;
    loop {
        writeln!(out, "\nwaiting for a change in {} (Ctrl-C ends)", shown(&dir))?;
        out.flush()?;
        let mut last = seen.clone();
        let now = loop {
            pause();
            if ends() {
                return Ok(Exit::Good);
            }
            let now = Snapshot::of(&dir, &built);
            if now != seen && now == last {
                break now;
            }
            last = now;
        };
        for path in now.changed_since(&seen) {
            writeln!(out, "changed {}", shown(path))?;
        }
        let project = Project::at(&dir);
        seen = match &project {
            Ok(project) if project.component_path() != built => {
                built = project.component_path();
                Snapshot::of(&dir, &built)
            }
            Ok(_) | Err(_) => now,
        };
        turn(project, out)?;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;

    use super::*;

    #[test]
    fn a_save_leads_to_one_more_turn_when_the_files_are_still() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = "[plugin]\nname = \"no-users\"\nlanguage = \"rust\"\n";
        fs::write(folder.path().join("guardrail.toml"), manifest).unwrap();
        let project = Project::find(folder.path()).unwrap();
        let source = folder.path().join("lib.rs");
        let looks = Cell::new(0_u32);
        let turns = Cell::new(0_u32);
        let mut save = || {
            looks.set(looks.get() + 1);
            // Two steps of one save, then silence.
            if looks.get() == 2 || looks.get() == 3 {
                fs::write(&source, "x".repeat(usize::try_from(looks.get()).unwrap())).unwrap();
            }
        };
        let mut turn = |_, out: &mut dyn Write| {
            turns.set(turns.get() + 1);
            Ok(writeln!(out, "turn {}", turns.get())?)
        };
        let mut out = Vec::new();

        let exit = watch(project, &mut turn, &mut save, || looks.get() > 8, &mut out).unwrap();

        let told = String::from_utf8(out).unwrap();
        assert_eq!((exit, turns.get()), (Exit::Good, 2));
        let order = ["turn 1", "waiting for a change", "lib.rs", "turn 2", "waiting"];
        let mut rest = told.as_str();
        for part in order {
            rest = rest.split_once(part).unwrap_or_else(|| panic!("no {part} in {told}")).1;
        }
    }

    #[test]
    fn a_changed_guardrail_toml_counts_from_the_next_turn_on() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("guardrail.toml");
        let texts = [
            "[plugin]\nname = \"no-users\"\nlanguage = \"rust\"\n",
            "[plugin]\nname = \"no-users\"\n",
            "[plugin]\nname = \"no-users\"\nlanguage = \"c\"\ncomponent = \"out.bin\"\n[test]\nfuel_max = 7\n",
        ];
        let mut saves = texts.iter().skip(1);
        fs::write(&file, texts[0]).unwrap();
        let project = Project::find(folder.path()).unwrap();
        let looks = Cell::new(0_u32);
        let mut save = || {
            looks.set(looks.get() + 1);
            if looks.get() % 3 == 1
                && let Some(text) = saves.next()
            {
                fs::write(&file, text).unwrap();
            }
        };
        let mut turns = Vec::new();
        let mut turn = |project: ReadAgain, _: &mut dyn Write| {
            turns.push(project.map(|project| {
                // What is built is no change, under whatever name.
                fs::write(project.component_path(), project.language.as_str()).unwrap();
                (project.language.as_str(), project.fuel_max)
            }));
            Ok(())
        };

        watch(project, &mut turn, &mut save, || looks.get() > 12, &mut Vec::new()).unwrap();

        assert!(matches!(turns[1], Err(ProjectError::Broken { .. })), "{turns:?}");
        let good: Vec<_> = turns.iter().flatten().collect();
        assert_eq!(good, [&("rust", None), &("c", Some(7))]);
        assert_eq!(turns.len(), 3);
    }
}
