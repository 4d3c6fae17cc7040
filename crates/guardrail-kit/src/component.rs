//! A component from a file, loaded as the server loads it, with compiled code kept between runs. The kit's host gives a
//! guest more time than the server does, since fuel is the contract and an author's machine may be busy.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use guardrail_host::{Host, HostConfig, Limits, Plugin};

use crate::cache;
use crate::cli::Stopped;
use crate::package::Artifact;
use crate::paint::{Colour, Paint};

/// What all verbs that load a component have in common.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Loading {
    /// Folder for compiled code, so that the next run need not compile [default: the user's cache folder]
    #[arg(long, value_name = "DIR", env = "LEASEHOLD_CODE_CACHE")]
    code_cache: Option<PathBuf>,
}

/// What the verbs that run a component have in common.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Setup {
    #[command(flatten)]
    pub(crate) loading: Loading,
    /// When to colour the output
    #[arg(long, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
}

impl Setup {
    /// How to print.
    pub(crate) fn paint(&self) -> Paint {
        self.color.paint()
    }

    /// A host as the server has it, but for the wall time.
    pub(crate) fn host(&self) -> Result<Host, Stopped> {
        self.loading.host()
    }

    /// Reads and loads a component.
    pub(crate) fn load(&self, path: &Path) -> Result<Plugin, Stopped> {
        load_on(&self.host()?, path)
    }
}

impl Loading {
    /// A host as the server has it, but for the wall time.
    pub(crate) fn host(&self) -> Result<Host, Stopped> {
        let limits = Limits { wall_time: Limits::tops().wall_time, ..Limits::default() };
        // A folder that was named must work; the user's own is a convenience.
        let code_cache = match &self.code_cache {
            Some(folder) => Some(
                cache::open(folder).map_err(|error| format!("`{}`: {error}", folder.display()))?,
            ),
            None => cache::user_folder().and_then(|folder| cache::open(&folder).ok()),
        };
        Ok(Host::new(HostConfig { limits, code_cache, ..HostConfig::default() })?)
    }

    /// Reads and loads a component; gives what the file holds beside it too.
    pub(crate) fn open(&self, path: &Path) -> Result<(Plugin, Artifact), Stopped> {
        open_on(&self.host()?, path)
    }
}

/// Reads a component, or a package with one, and loads it on a host that is there already.
pub(crate) fn load_on(host: &Host, path: &Path) -> Result<Plugin, Stopped> {
    open_on(host, path).map(|(plugin, _)| plugin)
}

fn open_on(host: &Host, path: &Path) -> Result<(Plugin, Artifact), Stopped> {
    let named = |error: &dyn std::fmt::Display| format!("`{}`: {error}", path.display());
    let artifact = Artifact::read(&read(path)?).map_err(|error| named(&error))?;
    let plugin = host.load(artifact.component()).map_err(|error| named(&error))?;
    if let Some(package) = artifact.package() {
        package.fits(&plugin).map_err(|error| named(&error))?;
    }
    Ok((plugin, artifact))
}

/// The bytes of a component.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Stopped> {
    fs::read(path).map_err(|error| format!("`{}`: {error}", path.display()).into())
}
