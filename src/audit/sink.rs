//! Where the lines of a device end up: a file, standard output, syslog, a socket. Blocking, on the device's own thread;
//! a write is whole or it failed. What is written and how often is tried is [`super::device`]'s.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::net::{TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::options::{Options, SocketKind, Target};
use super::tail::Tail;

/// Severity `info` (RFC 5424, table 2).
const SYSLOG_INFO: u8 = 6;

/// An open device.
#[derive(Debug)]
pub(super) enum Sink {
    File(FileSink),
    Stdout,
    Nowhere,
    Syslog { path: PathBuf, header: String, socket: Option<UnixDatagram> },
    Socket { address: String, kind: SocketKind, timeout: Duration, stream: Option<Stream> },
}

#[derive(Debug)]
pub(super) struct FileSink {
    path: PathBuf,
    mode: Option<u32>,
    file: Option<File>,
    /// The last write may have left half a line.
    torn: bool,
}

#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Udp(UdpSocket),
    Unix(UnixStream),
}

impl Sink {
    /// Not opened yet: the first write does.
    pub(super) fn new(options: &Options) -> Self {
        match &options.target {
            Target::Stdout => Self::Stdout,
            Target::Nowhere => Self::Nowhere,
            Target::File { path, mode } => {
                Self::File(FileSink { path: path.clone(), mode: *mode, file: None, torn: false })
            }
            Target::Syslog { path, facility, tag } => {
                let priority = facility.saturating_mul(8).saturating_add(SYSLOG_INFO);
                let header = format!("<{priority}>{tag}[{}]: ", std::process::id());
                Self::Syslog { path: path.clone(), header, socket: None }
            }
            Target::Socket { address, kind, timeout } => Self::Socket {
                address: address.clone(),
                kind: *kind,
                timeout: *timeout,
                stream: None,
            },
        }
    }

    /// Opens what can be opened, so that a mistake shows at once.
    pub(super) fn open(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.open().map(drop),
            Self::Stdout | Self::Nowhere => Ok(()),
            Self::Syslog { path, socket, .. } => syslog(path, socket).map(drop),
            Self::Socket { address, kind, timeout, stream } => {
                connected(address, *kind, *timeout, stream).map(drop)
            }
        }
    }

    /// Opens a file anew at the next write: somebody moved it away.
    pub(super) fn reopen(&mut self) {
        if let Self::File(sink) = self {
            sink.file = None;
        }
    }

    /// The lines that are there already, the last one first, where there is something to read back.
    pub(super) fn tail(&self) -> io::Result<Option<Tail>> {
        match self {
            Self::File(sink) => Tail::of(&sink.path),
            Self::Stdout | Self::Nowhere | Self::Syslog { .. } | Self::Socket { .. } => Ok(None),
        }
    }

    /// Writes whole lines, each with its line break. How many went out before something went wrong; of a file nobody
    /// can say.
    pub(super) fn write(&mut self, lines: &[String]) -> (usize, io::Result<()>) {
        match self {
            Self::Nowhere => (lines.len(), Ok(())),
            Self::Stdout => {
                let mut out = io::stdout().lock();
                let written = each(lines, |line| out.write_all(line.as_bytes()));
                let flushed = out.flush();
                (written.0, written.1.and(flushed))
            }
            Self::File(sink) => match sink.write(lines) {
                Ok(()) => (lines.len(), Ok(())),
                failed => (0, failed),
            },
            Self::Syslog { path, header, socket } => {
                let sent = each(lines, |line| {
                    let text = format!("{header}{}", line.trim_end_matches('\n'));
                    syslog(path, socket)?.send(text.as_bytes()).map(drop)
                });
                if sent.1.is_err() {
                    *socket = None;
                }
                sent
            }
            Self::Socket { address, kind, timeout, stream } => {
                let mut deliver = |line: &String| {
                    let was_open = stream.is_some();
                    let mut once = || connected(address, *kind, *timeout, stream)?.send(line);
                    match once() {
                        // Whoever listened may have begun anew.
                        Err(error) if was_open && !is_too_long(&error) => {
                            *stream = None;
                            connected(address, *kind, *timeout, stream)?.send(line)
                        }
                        done => done,
                    }
                };
                let sent = each(lines, &mut deliver);
                if sent.1.is_err() {
                    *stream = None;
                }
                sent
            }
        }
    }
}

/// Whether it was one line that could not go, and not the place that takes none.
pub(super) fn is_too_long(error: &io::Error) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::MSGSIZE)
}

fn each(
    lines: &[String],
    mut write: impl FnMut(&String) -> io::Result<()>,
) -> (usize, io::Result<()>) {
    for (at, line) in lines.iter().enumerate() {
        if let Err(error) = write(line) {
            return (at, Err(error));
        }
    }
    (lines.len(), Ok(()))
}

impl FileSink {
    fn open(&mut self) -> io::Result<&mut File> {
        let file = match self.file.take() {
            Some(open) => open,
            None => self.opened()?,
        };
        Ok(self.file.insert(file))
    }

    fn opened(&mut self) -> io::Result<File> {
        let there = std::fs::metadata(&self.path).map(|there| there.file_type());
        let is_new = there.is_err();
        // Opening a pipe waits for whoever reads it, and a folder is no file.
        if there.is_ok_and(|kind| !kind.is_file() && !kind.is_char_device()) {
            return Err(refused("it is not a file"));
        }
        let mut options = OpenOptions::new();
        // Vault's mode for a file that it makes.
        options.append(true).create(true).mode(self.mode.unwrap_or(0o600));
        let file = options.open(&self.path)?;
        let kind = file.metadata()?.file_type();
        if let Some(mode) = self.mode.filter(|_| kind.is_file() && !is_new) {
            file.set_permissions(std::fs::Permissions::from_mode(mode))?;
        }
        if kind.is_file() && file.metadata()?.permissions().mode() & 0o111 != 0 {
            return Err(refused("it is executable, and entries would be run"));
        }
        self.torn = kind.is_file() && ends_torn(&self.path)?;
        Ok(file)
    }

    fn write(&mut self, lines: &[String]) -> io::Result<()> {
        self.open()?;
        let head = if self.torn { "\n" } else { "" };
        let text = format!("{head}{}", lines.concat());
        let written = self.open()?.write_all(text.as_bytes());
        self.torn = written.is_err();
        written
    }
}

impl Stream {
    fn send(&mut self, line: &str) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.write_all(line.as_bytes()),
            Self::Unix(stream) => stream.write_all(line.as_bytes()),
            Self::Udp(socket) => socket.send(line.as_bytes()).map(drop),
        }
    }
}

fn syslog<'a>(
    path: &Path,
    socket: &'a mut Option<UnixDatagram>,
) -> io::Result<&'a mut UnixDatagram> {
    if socket.is_none() {
        let fresh = UnixDatagram::unbound()?;
        fresh.connect(path)?;
        *socket = Some(fresh);
    }
    socket.as_mut().ok_or_else(gone)
}

fn connected<'a>(
    address: &str,
    kind: SocketKind,
    timeout: Duration,
    stream: &'a mut Option<Stream>,
) -> io::Result<&'a mut Stream> {
    if stream.is_none() {
        *stream = Some(match kind {
            SocketKind::Unix => {
                let stream = UnixStream::connect(address)?;
                stream.set_write_timeout(Some(timeout))?;
                Stream::Unix(stream)
            }
            SocketKind::Tcp => {
                let to = address.to_socket_addrs()?.next().ok_or_else(gone)?;
                let stream = TcpStream::connect_timeout(&to, timeout)?;
                stream.set_write_timeout(Some(timeout))?;
                Stream::Tcp(stream)
            }
            SocketKind::Udp => {
                let to = address.to_socket_addrs()?.next().ok_or_else(gone)?;
                let own = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                let socket = UdpSocket::bind(own)?;
                socket.connect(to)?;
                Stream::Udp(socket)
            }
        });
    }
    stream.as_mut().ok_or_else(gone)
}

fn refused(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "there is nothing at that address")
}

/// Whether a file ends in half a line.
fn ends_torn(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &Path) -> Sink {
        Sink::File(FileSink { path: path.to_owned(), mode: None, file: None, torn: false })
    }

    fn write(sink: &mut Sink, line: &str) {
        sink.write(&[line.to_owned()]).1.unwrap();
    }

    #[test]
    fn a_file_is_ours_alone_and_is_added_to() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        let mut sink = file(&path);
        write(&mut sink, "one\n");
        write(&mut file(&path), "two\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(sink.tail().unwrap().unwrap().next().unwrap().unwrap().text, "two");
    }

    #[test]
    fn half_a_line_is_ended_before_the_next_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        std::fs::write(&path, "whole\nhal").unwrap();
        let mut sink = file(&path);
        write(&mut sink, "next\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "whole\nhal\nnext\n");
    }

    #[test]
    fn what_could_be_run_or_read_from_its_other_end_is_no_audit_file() {
        let dir = tempfile::tempdir().unwrap();
        let hook = dir.path().join("hook.sh");
        std::fs::write(&hook, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
        let refused = file(&hook).open().unwrap_err().to_string();
        assert!(refused.contains("executable"), "{refused}");
        assert_eq!(std::fs::read_to_string(&hook).unwrap(), "#!/bin/sh\n");
        let mut cleared =
            Sink::File(FileSink { path: hook.clone(), mode: Some(0o600), file: None, torn: false });
        cleared.open().unwrap();
        let pipe = dir.path().join("pipe");
        std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(file(&pipe).open().is_err(), "and nobody waits for a reader");
        assert!(file(dir.path()).open().is_err());
    }

    #[test]
    fn a_line_that_is_too_long_for_a_datagram_fails_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let _receiver = UnixDatagram::bind(&path).unwrap();
        let mut sink = Sink::Syslog { path, header: String::new(), socket: None };
        let lines = ["one\n".to_owned(), "x".repeat(8 << 20), "three\n".to_owned()];
        let (sent, failed) = sink.write(&lines);
        assert_eq!(sent, 1);
        assert!(is_too_long(&failed.unwrap_err()));
        assert_eq!(sink.write(&lines[2..]).0, 1);
    }

    #[test]
    fn a_file_that_was_moved_away_is_made_anew_after_a_word() {
        let dir = tempfile::tempdir().unwrap();
        let (path, old) = (dir.path().join("audit.log"), dir.path().join("audit.log.1"));
        let mut sink = file(&path);
        write(&mut sink, "one\n");
        std::fs::rename(&path, &old).unwrap();
        write(&mut sink, "two\n");
        sink.reopen();
        write(&mut sink, "three\n");
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "one\ntwo\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");
    }

    #[test]
    fn a_socket_that_went_away_is_looked_for_again() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut sink = Sink::Socket {
            address,
            kind: SocketKind::Tcp,
            timeout: Duration::from_secs(2),
            stream: None,
        };
        write(&mut sink, "one\n");
        let (mut first, _) = listener.accept().unwrap();
        let mut read = [0; 4];
        first.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"one\n");
        drop(first);
        listener.set_nonblocking(true).unwrap();
        // The first writes after it went may still be taken by the kernel.
        let mut second = loop {
            write(&mut sink, "two\n");
            if let Ok((second, _)) = listener.accept() {
                break second;
            }
        };
        second.set_nonblocking(false).unwrap();
        second.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"two\n");
    }

    #[test]
    fn syslog_gets_a_line_with_its_priority_and_tag() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let receiver = UnixDatagram::bind(&path).unwrap();
        let header = "<38>leasehold[7]: ".to_owned();
        let mut sink = Sink::Syslog { path, header, socket: None };
        write(&mut sink, "{}\n");
        let mut buffer = [0; 64];
        let length = receiver.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"<38>leasehold[7]: {}");
    }
}
