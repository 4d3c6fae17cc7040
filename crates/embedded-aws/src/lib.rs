//! An AWS that lives in the process: IAM and STS over the AWS Query protocol, and as much of KMS (`kms`) as a broker uses, given to the real
//! SDK clients as their HTTP client. For development and tests; it must be as strict as AWS wherever
//! a broker or its user could notice, and it must never open a socket. Why it exists: ADR 0001.
//!
//! The map: [`EmbeddedAws`] (`handle`) is the door for programs, `connector` the door for the SDK (`neighbours` for
//! several accounts at once), `wire` the one for a server; all end in `service`, which authenticates (`caller`, `signature`, `authorize` with `context`) and dispatches to
//! `iam/*` and `sts`. Those read `form`, check with `validate`, change `state` (made of `entities`), answer with `xml`
//! and `page`, refuse with [`AwsError`]. `journal` keeps the state in a file. [`faults`] breaks the
//! connection on purpose.

mod authorize;
mod caller;
mod connector;
mod context;
mod documents;
mod entities;
mod error;
pub mod faults;
mod form;
mod handle;
mod iam;
mod journal;
mod kms;
mod managed;
mod neighbours;
mod page;
mod service;
mod signature;
mod state;
mod sts;
mod validate;
mod view;
mod wire;
mod xml;

pub use error::AwsError;
pub use form::Parameters;
pub use handle::{Clock, EmbeddedAws, Options, RecordedCall};
pub use journal::JournalError;
pub use view::{GroupView, KeyView, UserView};
pub use wire::{WireAnswer, WireRequest};

/// The account that everything lives in, unless [`Options::account`] names another: the one that
/// AWS's own documentation uses in examples.
pub const DEFAULT_ACCOUNT: &str = "123456789012";

/// The IAM user that the keys of `config/root` belong to. It is there from the start, holds
/// `AdministratorAccess`, and is left out of [`EmbeddedAws::users`].
pub const ADMIN_USER: &str = "account-admin";
