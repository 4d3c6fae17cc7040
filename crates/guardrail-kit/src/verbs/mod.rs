//! One file a verb: its arguments, and a `run` that writes to the place it is given and says how it ended.

pub(crate) mod build;
pub(crate) mod inspect;
pub(crate) mod keygen;
pub(crate) mod new;
pub(crate) mod package;
pub(crate) mod sign;
