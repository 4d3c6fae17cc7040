//! The real binary in a process of its own, started, stopped and killed for real.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::client::Client;

/// A running `leasehold server`.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Where it says that it listens.
    pub url: String,
    /// The root token it printed; development mode only.
    pub root_token: Option<String>,
    log: PathBuf,
}

/// Longest wait for a start; a debug build that compiles its guardrail for the first time takes some.
const PATIENCE: Duration = Duration::from_secs(120);

pub fn binary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_leasehold"))
}

impl Process {
    /// `server --dev` on a free port, with more arguments.
    pub fn dev(arguments: &[&str]) -> Self {
        Self::start(
            &[&["server", "--dev", "--dev-listen-address", "127.0.0.1:0"], arguments].concat(),
        )
    }

    /// Starts the binary and waits until it says where it listens.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_as(binary(), arguments)
    }

    /// The same with a command of the caller's own: other variables, or something around the binary.
    pub fn start_as(mut command: Command, arguments: &[&str]) -> Self {
        let log = tempfile::NamedTempFile::new().unwrap().into_temp_path().keep().unwrap();
        let mut child = command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                drop(sender.send(line));
            }
        });
        let (mut url, mut root_token) = (None, None);
        while url.is_none() || (arguments.contains(&"--dev") && root_token.is_none()) {
            let Ok(line) = receiver.recv_timeout(PATIENCE) else {
                drop(child.kill());
                panic!("the server did not start: {}", std::fs::read_to_string(&log).unwrap());
            };
            if let Some(rest) = line.trim().strip_prefix("Api Address:") {
                url = Some(rest.trim().to_owned());
            } else if let Some((_, rest)) = line.split_once(" listens on ") {
                url = Some(rest.trim().to_owned());
            } else if let Some(rest) = line.trim().strip_prefix("Root Token:") {
                root_token = Some(rest.trim().to_owned());
            }
        }
        Self { child, url: url.unwrap(), root_token, log }
    }

    /// A caller with the root token.
    pub fn root(&self) -> Client {
        Client::new(&self.url, self.root_token.as_deref())
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Its number in the system.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it was ended by `kill -9`, from whichever side; waits a moment for the system to say so.
    pub fn was_killed(&mut self) -> bool {
        let deadline = std::time::Instant::now() + Duration::from_secs(60);
        loop {
            match self.child.try_wait().unwrap() {
                Some(status) => return status.signal() == Some(9),
                None if std::time::Instant::now() > deadline => return false,
                None => std::thread::yield_now(),
            }
        }
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; gives the exit code.
    pub fn stop(mut self) -> Option<i32> {
        // The shell's own `kill`: the program of that name is in a package of its own.
        let kill = format!("kill {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_file(&self.log));
    }
}
