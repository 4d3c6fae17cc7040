//! One file a verb: its arguments, and a `run` that writes to the place it is given and says how it ended.

pub(crate) mod bench;
pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod dev;
pub(crate) mod diff;
pub(crate) mod fuzz;
pub(crate) mod inspect;
pub(crate) mod keygen;
pub(crate) mod new;
pub(crate) mod package;
pub(crate) mod run;
pub(crate) mod sign;
pub(crate) mod test;
