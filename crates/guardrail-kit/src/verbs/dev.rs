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
use crate::project::Project;
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

pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Stopped> {
    let project = Project::find(&arguments.dir)?;
    let mut turn = Turn { project: &project, setup: &arguments.setup };
    if !arguments.watch {
        return turn.take(out);
    }
    let never: fn() -> bool = || false;
    watch(&project, &mut |out: &mut dyn Write| turn.take_or_tell(out), &mut pause, never, out)
}

/// One build and one run of the vectors.
struct Turn<'a> {
    project: &'a Project,
    setup: &'a Setup,
}

impl Turn<'_> {
    fn take(&mut self, out: &mut dyn Write) -> Result<Exit, Stopped> {
        let stopwatch = Stopwatch::start();
        build::build(self.project, &Options::default(), out)?;
        writeln!(out, "built in {}", time_shown(stopwatch.elapsed()))?;
        test::run_once(&Target::of(Some(&self.project.dir))?, self.setup, out)
    }

    fn take_or_tell(&mut self, out: &mut dyn Write) -> Result<(), Stopped> {
        if let Err(stopped) = self.take(out) {
            writeln!(out, "{} {stopped}", self.setup.paint().bad("error:"))?;
        }
        Ok(())
    }
}

fn pause() {
    std::thread::sleep(BETWEEN_LOOKS);
}

/// Takes a turn, and another whenever files changed and have been still for one look: editors save in several steps.
fn watch(
    project: &Project,
    turn: &mut dyn FnMut(&mut dyn Write) -> Result<(), Stopped>,
    pause: &mut dyn FnMut(),
    ends: impl Fn() -> bool,
    out: &mut dyn Write,
) -> Result<Exit, Stopped> {
    let built = project.component_path();
    let look = || Snapshot::of(&project.dir, &built);
    // Taken before the turn: what is saved while it runs is a change.
    let mut seen = look();
    turn(out)?;
    loop {
        writeln!(out, "\nwaiting for a change in {} (Ctrl-C ends)", shown(&project.dir))?;
        out.flush()?;
        let mut last = seen.clone();
        let now = loop {
            pause();
            if ends() {
                return Ok(Exit::Good);
            }
            let now = look();
            if now != seen && now == last {
                break now;
            }
            last = now;
        };
        for path in now.changed_since(&seen) {
            writeln!(out, "changed {}", shown(path))?;
        }
        seen = now;
        turn(out)?;
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
        let mut turn = |out: &mut dyn Write| {
            turns.set(turns.get() + 1);
            Ok(writeln!(out, "turn {}", turns.get())?)
        };
        let mut out = Vec::new();

        let exit = watch(&project, &mut turn, &mut save, || looks.get() > 8, &mut out).unwrap();

        let told = String::from_utf8(out).unwrap();
        assert_eq!((exit, turns.get()), (Exit::Good, 2));
        let order = ["turn 1", "waiting for a change", "lib.rs", "turn 2", "waiting"];
        let mut rest = told.as_str();
        for part in order {
            rest = rest.split_once(part).unwrap_or_else(|| panic!("no {part} in {told}")).1;
        }
    }
}
