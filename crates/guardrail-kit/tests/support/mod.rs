//! What integration tests share: a host whose compiled code is kept in the target folder, and the components of the
//! repository. Holds no assertions.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use guardrail_host::{CodeCache, Host, HostConfig, Limits, Plugin};

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The host of this test binary. With more time than the server gives: other tests run beside it.
pub(crate) fn host() -> &'static Host {
    static HOST: OnceLock<Host> = OnceLock::new();
    HOST.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guardrail-code");
        // Only tests read it: a fixed key does no harm.
        let code_cache = Some(CodeCache { directory, mac_key: [42; 32] });
        let limits = Limits { wall_time: Duration::from_secs(2), ..Limits::default() };
        Host::new(HostConfig { limits, code_cache, ..HostConfig::default() })
            .expect("the host starts")
    })
}

pub(crate) fn load(component: &Path) -> Plugin {
    let bytes =
        std::fs::read(component).unwrap_or_else(|error| panic!("{}: {error}", component.display()));
    host().load(&bytes).unwrap_or_else(|error| panic!("{}: {error}", component.display()))
}
