//! What the integration tests share: one host per test binary, its compiled code kept in the target folder, and
//! documents from JSON text. Holds no assertions.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use guardrail_host::{CodeCache, Host, HostConfig, Limits, Plugin};
use iam_policy::Document;

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The host of this test binary, with the default limits but for the time: on a busy machine the default net would
/// stop a guest before its fuel does, and what a test sees would depend on the neighbours.
pub(crate) fn host() -> &'static Host {
    static HOST: OnceLock<Host> = OnceLock::new();
    let wall_time = Limits::tops().wall_time;
    HOST.get_or_init(|| host_with(Limits { wall_time, ..Limits::default() }))
}

pub(crate) fn host_with(limits: Limits) -> Host {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guardrail-code");
    // Only tests read it: a fixed key does no harm.
    let code_cache = Some(CodeCache { directory, mac_key: [42; 32] });
    Host::new(HostConfig { limits, code_cache, ..HostConfig::default() }).expect("the host starts")
}

pub(crate) fn load(host: &Host, component: &Path) -> Plugin {
    let path = repository().join(component);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    host.load(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn document(text: &str) -> Arc<Document> {
    Arc::new(Document::parse(text).unwrap_or_else(|problems| panic!("{problems:?} in {text}")))
}
