//! The built binary as a process of its own: started on a data directory, its memory and its CPU read
//! from `/proc`. It never prints; requests are [`super::http`]'s.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::http::Connection;

/// The root token of every benchmark.
pub const TOKEN: &str = "root";

/// A server that is stopped, gently, when this is dropped.
#[derive(Debug)]
pub struct Server {
    pub process: Child,
    pub address: SocketAddr,
    /// From the start of the process to the first healthy answer.
    pub ready: Duration,
}

impl Server {
    /// Starts `leasehold server --dev` on `data_dir` and waits until it serves.
    pub fn start(data_dir: &Path) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let started = Instant::now();
        let process = Command::new(env!("CARGO_BIN_EXE_leasehold"))
            .args(["server", "--dev", "--log-level", "warn", "--dev-root-token-id", TOKEN])
            .args(["--dev-listen-address", &address.to_string(), "--data-dir"])
            .arg(data_dir)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        wait_for(address);
        Self { process, address, ready: started.elapsed() }
    }

    /// A connection to it.
    pub fn connect(&self) -> Connection {
        Connection::open(self.address).unwrap()
    }

    /// Sends one request that must succeed.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let reply = self.connect().send(method, path, body);
        assert!(matches!(reply.status, 200 | 204), "{method} {path}: {}", reply.body);
        reply.body
    }

    /// Resident memory in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches("kB").trim().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.process.wait().unwrap();
    }
}

fn wait_for(address: SocketAddr) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while Connection::open(address).map(|mut to| to.send("GET", "sys/health", "").status)
        != Some(200)
    {
        assert!(Instant::now() < deadline, "the server does not start");
        std::thread::sleep(Duration::from_millis(1));
    }
}
