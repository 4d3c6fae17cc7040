//! The patterns of paths that [`super::routes`] is written in: pure, six kinds, at most one part of the
//! path captured. A pattern never looks at the method.

use crate::model::RoleName;

/// Which paths a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    Exact(&'static str),
    Listed(&'static str),
    Named(&'static str),
    Under(&'static str),
    Between(&'static str, &'static str),
    Maybe(&'static str),
}

/// This path alone.
pub(super) const fn exact(path: &'static str) -> Pattern {
    Pattern::Exact(path)
}

/// This path, with or without a slash behind it.
pub(super) const fn listed(path: &'static str) -> Pattern {
    Pattern::Listed(path)
}

/// This prefix and a name.
pub(super) const fn named(prefix: &'static str) -> Pattern {
    Pattern::Named(prefix)
}

/// This prefix and anything behind it.
pub(super) const fn under(prefix: &'static str) -> Pattern {
    Pattern::Under(prefix)
}

/// Anything between the two.
pub(super) const fn between(prefix: &'static str, suffix: &'static str) -> Pattern {
    Pattern::Between(prefix, suffix)
}

/// This path alone, or a slash and anything behind it.
pub(super) const fn maybe(path: &'static str) -> Pattern {
    Pattern::Maybe(path)
}

impl Pattern {
    /// What the pattern captures from `path`, if it takes it.
    pub(super) fn captures<'p>(&self, path: &'p str) -> Option<&'p str> {
        match self {
            Self::Exact(own) => (path == *own).then_some(""),
            Self::Listed(own) => matches!(path.strip_prefix(own)?, "" | "/").then_some(""),
            Self::Named(prefix) => {
                path.strip_prefix(prefix).filter(|name| name.parse::<RoleName>().is_ok())
            }
            Self::Under(prefix) => path.strip_prefix(prefix).filter(|rest| !rest.is_empty()),
            Self::Between(prefix, suffix) => {
                let inner = path.strip_prefix(prefix)?.strip_suffix(suffix)?;
                (!inner.is_empty()).then_some(inner)
            }
            Self::Maybe(own) => match path.strip_prefix(own)? {
                "" => Some(""),
                rest => rest.strip_prefix('/'),
            },
        }
    }

    /// As it is shown to people.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Exact(own) | Self::Listed(own) => (*own).to_owned(),
            Self::Named(prefix) => format!("{prefix}:name"),
            Self::Under(prefix) => format!("{prefix}:path"),
            Self::Between(prefix, suffix) => format!("{prefix}:path{suffix}"),
            Self::Maybe(own) => format!("{own}[/:path]"),
        }
    }
}
