//! Compiled code on disk, so that a start does not compile again. A file is used only if its MAC holds: compiled
//! code runs with the host's rights, so a file that anyone else wrote, or that is damaged, is compiled again.
//! A cache that cannot be read or written costs time and a log line, never an answer.

use std::fs::{self, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use ring::{digest, hmac};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::engine::CodeCache;
use crate::load::hex;

/// Bytes of HMAC-SHA256 at the start of each file.
const MAC_BYTES: usize = 32;
/// Parts the MAC's input from that of any other use of the key.
const MAC_CONTEXT: &[u8] = b"guardrail-host code cache 1\0";

/// A cached component, or `None` when it must be compiled.
pub(crate) fn read(
    cache: &CodeCache,
    engine: &Engine,
    component_digest: &str,
) -> Option<Component> {
    let entry = Entry::new(cache, engine, component_digest);
    let file = match fs::read(&entry.path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::warn!(%error, file = %entry.path.display(), "compiled guardrail cannot be read");
            return None;
        }
    };
    let code = entry.verified(&file).or_else(|| {
        tracing::warn!(file = %entry.path.display(), "compiled guardrail has a wrong MAC: compiling again");
        None
    })?;
    match deserialize(engine, code) {
        Ok(component) => Some(component),
        Err(error) => {
            tracing::warn!(
                error = format!("{error:#}"),
                "compiled guardrail does not load: compiling again"
            );
            None
        }
    }
}

/// Keeps what was compiled: the code as wasmtime serialises it.
pub(crate) fn write(cache: &CodeCache, engine: &Engine, component_digest: &str, code: &[u8]) {
    let entry = Entry::new(cache, engine, component_digest);
    if let Err(error) = entry.store(&cache.directory, code) {
        tracing::warn!(%error, file = %entry.path.display(), "compiled guardrail cannot be kept");
    }
}

#[expect(
    unsafe_code,
    reason = "these bytes come from `Component::serialize` of an engine like this one: the MAC proves it, or they \
              were read from our own compiler's pipe"
)]
pub(crate) fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `code` was verified by `Entry::verified` under a key that only this installation has; it names the
    // component and the engine's settings, so it is what wasmtime serialised for exactly these. Or `compile::side`
    // read it from the pipe of a process that it started itself from our own program, which nobody else can write to.
    unsafe { Component::deserialize(engine, code) }
}

struct Entry {
    path: PathBuf,
    /// What the MAC binds the code to.
    identity: String,
    key: hmac::Key,
}

impl Entry {
    fn new(cache: &CodeCache, engine: &Engine, component_digest: &str) -> Self {
        let identity = format!("{component_digest}-{}", compatibility(engine));
        Self {
            path: cache.directory.join(format!("{identity}.cwasm")),
            identity,
            key: hmac::Key::new(hmac::HMAC_SHA256, &cache.mac_key),
        }
    }

    fn verified<'f>(&self, file: &'f [u8]) -> Option<&'f [u8]> {
        let (mac, code) = file.split_at_checked(MAC_BYTES)?;
        hmac::verify(&self.key, &self.mac_input(code), mac).ok()?;
        Some(code)
    }

    fn mac_input(&self, code: &[u8]) -> Vec<u8> {
        [MAC_CONTEXT, self.identity.as_bytes(), b"\0", code].concat()
    }

    /// Under another name first, so that nobody ever reads half a file.
    fn store(&self, directory: &Path, code: &[u8]) -> io::Result<()> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let unique = NEXT.fetch_add(1, Ordering::Relaxed);
        let temporary =
            directory.join(format!("{}.{}.{unique}.tmp", self.identity, std::process::id()));
        let mac = hmac::sign(&self.key, &self.mac_input(code));
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)
            .and_then(|mut file| {
                file.write_all(mac.as_ref())?;
                file.write_all(code)
            })
            .and_then(|()| fs::rename(&temporary, &self.path));
        if written.is_err()
            && let Err(error) = fs::remove_file(&temporary)
        {
            tracing::debug!(%error, file = %temporary.display(), "no left-over to remove");
        }
        written
    }
}

/// The engine's version and settings, as far as compiled code depends on them.
pub(crate) fn compatibility(engine: &Engine) -> String {
    let mut hasher = Sha256(digest::Context::new(&digest::SHA256));
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hex(hasher.0.finish().as_ref()).chars().take(32).collect()
}

/// The standard hashers may change between Rust versions; this one stays.
struct Sha256(digest::Context);

impl Hasher for Sha256 {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finish();
        digest.as_ref().iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(identity: &str, key: u8) -> Entry {
        Entry {
            path: PathBuf::new(),
            identity: identity.into(),
            key: hmac::Key::new(hmac::HMAC_SHA256, &[key; 32]),
        }
    }

    fn file(entry: &Entry, code: &[u8]) -> Vec<u8> {
        let mac = hmac::sign(&entry.key, &entry.mac_input(code));
        [mac.as_ref(), code].concat()
    }

    #[test]
    fn only_the_same_key_identity_and_bytes_verify() {
        let ours = entry("a-b", 1);
        let good = file(&ours, b"code");
        assert_eq!(ours.verified(&good), Some(&b"code"[..]));
        assert_eq!(entry("a-c", 1).verified(&good), None);
        assert_eq!(entry("a-b", 2).verified(&good), None);
        let mut changed = good.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(ours.verified(&changed), None);
        assert_eq!(ours.verified(&good[..10]), None);
    }

    #[test]
    fn the_compatibility_hash_is_stable() {
        let engine = Engine::default();
        assert_eq!(compatibility(&engine), compatibility(&engine.clone()));
        assert_eq!(compatibility(&engine).len(), 32);
    }
}
