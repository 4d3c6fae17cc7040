//! The other end of a compiling process: starts it with nothing but three pipes, waits no longer than its order
//! allows, and names how it ended. Believes nothing it says before it ended well, and never leaves it running.
//! What happens inside is in `child`.

use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use wasmtime::Engine;

use super::child::{EXIT_COMPILED, EXIT_MEMORY, EXIT_REFUSED};
use super::order::Order;
use super::{COMPILE_SUBCOMMAND, CompileError};
use crate::cache::compatibility;
use crate::report::one_line;

/// What Rust's runtime writes before it gives up for want of memory.
const OUT_OF_MEMORY: &str = "memory allocation of";
/// More than any word of the compiler's.
const PROBLEM_BYTES: u64 = 16 << 10;

/// What a compiling process left.
struct Ended {
    /// `None` when it was stopped since it took too long on the clock.
    status: Option<ExitStatus>,
    code: Vec<u8>,
    problems: Vec<u8>,
}

/// Compiles in a process of its own.
pub(super) fn compile(
    program: &Path,
    order: &Order,
    component: &[u8],
    engine: &Engine,
) -> Result<Vec<u8>, CompileError> {
    let child = start(program, order).map_err(CompileError::Start)?;
    let ended = converse(child, component, order.memory_bytes, order.patience())
        .map_err(CompileError::Start)?;
    let problems = String::from_utf8_lossy(&ended.problems);
    let Some(status) = ended.status else {
        return Err(CompileError::TooLong { limit: order.cpu_time() });
    };
    if status.code() == Some(i32::from(EXIT_COMPILED)) {
        return checked(ended.code, engine);
    }
    Err(stopped(status, &problems, order))
}

fn start(program: &Path, order: &Order) -> io::Result<Child> {
    Command::new(program)
        .arg(COMPILE_SUBCOMMAND)
        .arg(order.to_string())
        .env_clear()
        // The allocator of our programs would take a gibibyte at once, before it is needed.
        .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

/// Hands the component over and takes what comes back, `most` bytes of it, until the process has closed both its pipes.
fn converse(
    mut child: Child,
    component: &[u8],
    most: u64,
    patience: Duration,
) -> io::Result<Ended> {
    let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (closed, all_closed) = mpsc::channel();
    let also_closed = closed.clone();
    thread::scope(|scope| {
        let talk = || {
            thread::Builder::new().spawn_scoped(scope, move || {
                if let Some(mut pipe) = input {
                    // One that ended early does not read to the end.
                    drop(pipe.write_all(component));
                }
            })?;
            let code =
                thread::Builder::new().spawn_scoped(scope, move || read(output, most, &closed))?;
            let problems = thread::Builder::new()
                .spawn_scoped(scope, move || read(errors, PROBLEM_BYTES, &also_closed))?;
            Ok::<_, io::Error>((code, problems))
        };
        let talking = talk();
        let in_time = talking.is_ok() && wait(&all_closed, patience);
        // Harmless to one that has ended. One that closed its pipes and goes on has nothing more to say.
        let killed = child.kill();
        let status = child.wait()?;
        killed?;
        let (code, problems) = talking?;
        Ok(Ended {
            status: in_time.then_some(status),
            code: code.join().unwrap_or_default(),
            problems: problems.join().unwrap_or_default(),
        })
    })
}

/// Whether both pipes were closed before either wait was over.
fn wait(closed: &mpsc::Receiver<()>, patience: Duration) -> bool {
    [(); 2].iter().all(|()| closed.recv_timeout(patience).is_ok())
}

/// Reads to the end, and keeps the first `most` bytes.
fn read(pipe: Option<impl Read>, most: u64, closed: &mpsc::Sender<()>) -> Vec<u8> {
    let mut kept = Vec::new();
    if let Some(mut pipe) = pipe {
        let read = pipe.by_ref().take(most).read_to_end(&mut kept);
        if let Err(error) = read.and_then(|_| io::copy(&mut pipe, &mut io::sink())) {
            tracing::warn!(%error, "what the guardrail compiler says cannot be read");
        }
    }
    if closed.send(()).is_err() {
        tracing::debug!("nobody waits any more for a guardrail compiler that took too long");
    }
    kept
}

/// The code, if it was made by an engine like this one.
fn checked(mut said: Vec<u8>, engine: &Engine) -> Result<Vec<u8>, CompileError> {
    let ours = compatibility(engine);
    if !said.starts_with(ours.as_bytes()) {
        return Err(CompileError::OtherBuild);
    }
    said.drain(..ours.len());
    Ok(said)
}

fn stopped(status: ExitStatus, problems: &str, order: &Order) -> CompileError {
    let too_much = CompileError::TooMuchMemory { limit_bytes: order.memory_bytes };
    let told = one_line(problems.trim(), 1_024);
    match (status.code(), status.signal()) {
        (Some(code), _) if code == i32::from(EXIT_REFUSED) => CompileError::Refused(told),
        (Some(code), _) if code == i32::from(EXIT_MEMORY) => too_much,
        (_, Some(signal))
            if signal == Signal::ABORT.as_raw() && problems.contains(OUT_OF_MEMORY) =>
        {
            too_much
        }
        (_, Some(signal)) if signal == Signal::XCPU.as_raw() => {
            CompileError::TooLong { limit: order.cpu_time() }
        }
        (Some(_), _) if told.is_empty() => CompileError::Crashed(status.to_string()),
        (_, Some(_)) => CompileError::Crashed(format!("{status} {told}").trim().to_owned()),
        (Some(_) | None, _) => CompileError::Crashed(told),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Child {
        let pipe = Stdio::piped;
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", script]).stdin(pipe()).stdout(pipe()).stderr(pipe()).spawn().unwrap()
    }

    #[test]
    fn one_that_does_not_end_is_ended() {
        let child = shell("exec sleep 1000");
        let id = child.id();
        let ended = converse(child, b"", 100, Duration::from_millis(20)).unwrap();
        assert!(ended.status.is_none());
        assert!(!Path::new(&format!("/proc/{id}")).exists(), "it still runs");
    }

    #[test]
    fn one_that_closes_its_pipes_and_goes_on_is_ended() {
        let child = shell("exec >&- 2>&-; exec sleep 1000");
        let ended = converse(child, b"", 100, Duration::from_mins(1)).unwrap();
        assert_eq!(ended.status.unwrap().signal(), Some(Signal::KILL.as_raw()));
    }

    #[test]
    fn what_it_says_is_kept_up_to_its_length_and_all_of_it_is_read() {
        let child = shell("cat; yes | head -c 1000000; yes no | head -c 1000000 >&2; exit 7");
        let ended = converse(child, b"component", 20, Duration::from_mins(1)).unwrap();
        assert_eq!(ended.status.unwrap().code(), Some(7));
        assert_eq!(ended.code, b"componenty\ny\ny\ny\ny\ny");
        assert_eq!(u64::try_from(ended.problems.len()).unwrap(), PROBLEM_BYTES);
    }

    #[test]
    fn one_that_does_not_read_is_no_problem() {
        let ended =
            converse(shell("echo done"), &vec![0; 1 << 20], 20, Duration::from_mins(1)).unwrap();
        assert_eq!(ended.code, b"done\n");
    }

    #[test]
    fn how_it_ended_is_named() {
        let order: Order = "3,1048576,fuel".parse().unwrap();
        let name = |script: &str, problems: &str| {
            let mut child = shell(script);
            stopped(child.wait().unwrap(), problems, &order).to_string()
        };
        assert_eq!(name("exit 3", "bad opcode\n"), "bad opcode");
        assert!(name("exit 4", "").starts_with("compiling it took more than 1 MiB of memory"));
        assert!(
            name("kill -XCPU $$", "").starts_with("compiling it took more than 3 s of processor")
        );
        let lost = "memory allocation of 80 bytes failed";
        assert!(name("kill -ABRT $$", lost).starts_with("compiling it took more than 1 MiB"));
        assert!(name("kill -ABRT $$", "overflowed its stack").ends_with("overflowed its stack"));
        assert!(name("kill -KILL $$", "").starts_with("the compiler crashed on it: signal: 9"));
        assert_eq!(name("exit 101", "panicked"), "the compiler crashed on it: panicked");
    }
}
