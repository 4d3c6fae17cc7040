//! A write of the role fields that are Leasehold's own and say how credentials are made and taken back:
//! merged like any other, checked in sentences. Pure. What they mean at issue: [`super::readiness`],
//! [`super::placement`], [`super::session_revocation`].

use iam_policy::quota::MANAGED_POLICIES_PER_USER;

use super::placement::{self, Placed};
use crate::model::{
    Canary, CredentialType, Delivery, Placement, Readiness, Role, SessionRevocation,
};

/// The most successes in a row that can be asked for: each is a round trip, and more of them prove
/// little more within the time that an issue waits.
const MOST_SUCCESSES: i64 = 10;

/// What was sent; `None` = not sent, empty or 0 = cleared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryChange {
    /// `wait`, `async` or `off`.
    pub readiness: Option<String>,
    /// How often in a row.
    pub readiness_successes: Option<i64>,
    /// An IAM action.
    pub readiness_canary: Option<String>,
    /// `inline`, `managed` or `auto`.
    pub placement: Option<String>,
    /// `tag` or `older`.
    pub session_revocation: Option<String>,
}

/// What of these fields is refused, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryRefused {
    /// A value that is none of the field's.
    #[error("{field} `{given}` is not known\nhelp: it is one of {known}")]
    Unknown {
        /// Which field.
        field: &'static str,
        /// What was sent.
        given: String,
        /// What it takes.
        known: &'static str,
    },
    /// A field of another credential type.
    #[error("{field} is for the credential type {kind} alone")]
    Misplaced {
        /// Which field.
        field: &'static str,
        /// Where it belongs.
        kind: &'static str,
    },
    /// Fewer than none, or more than an issue can wait for.
    #[error("readiness_successes of {0} is refused: 1 to {MOST_SUCCESSES} are waited for")]
    Successes(i64),
    /// The lease's own policy is one too many.
    #[error(
        "{0} policy_arns leave no room for the managed policy of the lease: a user can have \
         {MANAGED_POLICIES_PER_USER}\nhelp: name fewer, or write `placement=inline`"
    )]
    NoRoom(usize),
}

/// The fields as they would be after a write, unchecked; empty or 0 = not set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DeliveryDraft {
    readiness: String,
    successes: i64,
    canary: String,
    placement: String,
    session_revocation: String,
}

impl DeliveryDraft {
    /// What is stored, as a draft.
    pub(super) fn of(stored: &Delivery) -> Self {
        let text = |name: Option<&str>| name.unwrap_or_default().to_owned();
        Self {
            readiness: text(stored.readiness.map(Readiness::as_str)),
            successes: stored.readiness_successes.map_or(0, i64::from),
            canary: text(stored.readiness_canary.map(Canary::as_str)),
            placement: text(stored.placement.map(Placement::as_str)),
            session_revocation: text(stored.session_revocation.map(SessionRevocation::as_str)),
        }
    }

    /// With what was sent on top.
    pub(super) fn merged(self, sent: DeliveryChange) -> Self {
        Self {
            readiness: sent.readiness.unwrap_or(self.readiness),
            successes: sent.readiness_successes.unwrap_or(self.successes),
            canary: sent.readiness_canary.unwrap_or(self.canary),
            placement: sent.placement.unwrap_or(self.placement),
            session_revocation: sent.session_revocation.unwrap_or(self.session_revocation),
        }
    }

    /// By whose quota the role's document is counted; a value that is not known is refused elsewhere.
    pub(super) fn placement(&self) -> Placement {
        Placement::from_wire(&self.placement).unwrap_or_default()
    }

    /// What may be stored for a role of this type.
    pub(super) fn checked(self, kind: CredentialType) -> Result<Delivery, DeliveryRefused> {
        let delivery = Delivery {
            readiness: known(
                "readiness",
                &self.readiness,
                Readiness::from_wire,
                "wait, async, off",
            )?,
            readiness_successes: successes(self.successes)?,
            readiness_canary: known(
                "readiness_canary",
                &self.canary,
                Canary::from_wire,
                "iam:GetUser, iam:ListAttachedUserPolicies, iam:ListUserPolicies",
            )?,
            placement: known(
                "placement",
                &self.placement,
                Placement::from_wire,
                "inline, managed, auto",
            )?,
            session_revocation: known(
                "session_revocation",
                &self.session_revocation,
                SessionRevocation::from_wire,
                "tag, older",
            )?,
        };
        belongs(&delivery, kind)?;
        Ok(delivery)
    }
}

/// What can only be said once the document was read: whether the lease's own policy has a place.
pub(super) fn check_room(role: &Role) -> Result<(), DeliveryRefused> {
    let arns = role.policy_arns.as_ref().map_or(0, Vec::len);
    let document = Some(role.policy_document.as_str()).filter(|text| !text.is_empty());
    match placement::of(role, document) {
        Placed::Managed if arns >= MANAGED_POLICIES_PER_USER => Err(DeliveryRefused::NoRoom(arns)),
        Placed::Managed | Placed::Inline | Placed::Nowhere => Ok(()),
    }
}

fn known<T>(
    field: &'static str,
    given: &str,
    read: impl Fn(&str) -> Option<T>,
    known: &'static str,
) -> Result<Option<T>, DeliveryRefused> {
    if given.is_empty() {
        return Ok(None);
    }
    let refused = || DeliveryRefused::Unknown { field, given: given.to_owned(), known };
    read(given).map(Some).ok_or_else(refused)
}

fn successes(count: i64) -> Result<Option<u32>, DeliveryRefused> {
    match u32::try_from(count) {
        Ok(0) => Ok(None),
        Ok(small) if count <= MOST_SUCCESSES => Ok(Some(small)),
        Ok(_) | Err(_) => Err(DeliveryRefused::Successes(count)),
    }
}

/// A role of another type may say what it would do without saying anything.
fn belongs(delivery: &Delivery, kind: CredentialType) -> Result<(), DeliveryRefused> {
    let proves = matches!(delivery.readiness, Some(Readiness::Wait | Readiness::Async));
    let placed = delivery.placement.is_some_and(|placement| placement != Placement::Inline);
    let of_a_user = [
        ("readiness", proves),
        ("readiness_successes", delivery.readiness_successes.is_some()),
        ("readiness_canary", delivery.readiness_canary.is_some()),
        ("placement", placed),
    ];
    let misplaced = |field, kind: CredentialType| {
        Err(DeliveryRefused::Misplaced { field, kind: kind.as_str() })
    };
    if kind != CredentialType::IamUser
        && let Some((field, _)) = of_a_user.into_iter().find(|(_, set)| *set)
    {
        return misplaced(field, CredentialType::IamUser);
    }
    if kind != CredentialType::AssumedRole && delivery.session_revocation.is_some() {
        return misplaced("session_revocation", CredentialType::AssumedRole);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(change: DeliveryChange) -> DeliveryDraft {
        DeliveryDraft::default().merged(change)
    }

    fn told(change: DeliveryChange, kind: CredentialType) -> String {
        draft(change).checked(kind).unwrap_err().to_string()
    }

    #[test]
    fn what_is_sent_is_kept_and_what_is_cleared_is_gone() {
        let all = DeliveryChange {
            readiness: Some("async".into()),
            readiness_successes: Some(3),
            readiness_canary: Some("iam:GetUser".into()),
            placement: Some("auto".into()),
            session_revocation: None,
        };
        let stored = draft(all).checked(CredentialType::IamUser).unwrap();
        assert_eq!(stored.readiness, Some(Readiness::Async));
        assert_eq!(stored.readiness_successes, Some(3));
        assert_eq!(stored.placement, Some(Placement::Auto));

        let again = DeliveryDraft::of(&stored);
        assert_eq!(again.clone().checked(CredentialType::IamUser).unwrap(), stored);
        let cleared = DeliveryChange {
            readiness: Some(String::new()),
            readiness_successes: Some(0),
            ..DeliveryChange::default()
        };
        let left = again.merged(cleared).checked(CredentialType::IamUser).unwrap();
        assert_eq!((left.readiness, left.readiness_successes), (None, None));
        assert_eq!(left.readiness_canary, Some(Canary::GetUser));
    }

    #[test]
    fn a_value_that_is_not_known_is_told_with_those_that_are() {
        let change = DeliveryChange { readiness: Some("soon".into()), ..DeliveryChange::default() };
        assert_eq!(
            told(change, CredentialType::IamUser),
            "readiness `soon` is not known\nhelp: it is one of wait, async, off"
        );
        let change = DeliveryChange { readiness_successes: Some(11), ..DeliveryChange::default() };
        assert_eq!(
            told(change, CredentialType::IamUser),
            "readiness_successes of 11 is refused: 1 to 10 are waited for"
        );
    }

    #[test]
    fn a_field_of_another_type_is_refused_unless_it_says_nothing_new() {
        let wait = DeliveryChange { readiness: Some("wait".into()), ..DeliveryChange::default() };
        assert_eq!(
            told(wait, CredentialType::AssumedRole),
            "readiness is for the credential type iam_user alone"
        );
        let off = DeliveryChange {
            readiness: Some("off".into()),
            placement: Some("inline".into()),
            ..DeliveryChange::default()
        };
        assert!(draft(off).checked(CredentialType::SessionToken).is_ok());
        let tag = || DeliveryChange {
            session_revocation: Some("tag".into()),
            ..DeliveryChange::default()
        };
        for kind in
            [CredentialType::IamUser, CredentialType::FederationToken, CredentialType::SessionToken]
        {
            assert_eq!(
                told(tag(), kind),
                "session_revocation is for the credential type assumed_role alone"
            );
        }
        assert!(draft(tag()).checked(CredentialType::AssumedRole).is_ok());
    }
}
