//! One kept-alive connection that sends a request and waits for its answer: as little work as a client
//! can do, since it shares the cores with what is measured. Knows only answers that say their length.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use super::server::TOKEN;

/// A connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: String,
}

impl Connection {
    /// Connects, or not.
    pub fn open(address: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_nodelay(true).ok()?;
        Some(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a request to `path` below `/v1/` and reads the whole answer.
    pub fn send(&mut self, method: &str, path: &str, body: &str) -> Reply {
        let length = body.len();
        let head = format!(
            "{method} /v1/{path} HTTP/1.1\r\nHost: localhost\r\nX-Vault-Token: {TOKEN}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        self.stream.write_all(head.as_bytes()).unwrap();
        self.buffer.clear();
        loop {
            if let Some(reply) = whole(&self.buffer) {
                return reply;
            }
            let mut chunk = [0; 8192];
            let count = self.stream.read(&mut chunk).unwrap();
            assert!(count > 0, "{method} {path}: the connection was closed");
            self.buffer.extend_from_slice(&chunk[..count]);
        }
    }
}

/// The answer, once all of it is there.
fn whole(bytes: &[u8]) -> Option<Reply> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    (body.len() >= length.unwrap_or(0)).then(|| Reply { status, body: body.to_owned() })
}
