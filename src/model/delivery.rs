//! How a role's credentials are made and taken back beyond what Vault knows: whether keys are proven
//! before they are handed out, where the document goes, how sessions are cut off. Stored with the
//! role; written and checked in [`crate::engine::delivery`].

use serde::{Deserialize, Serialize};

/// Whether the keys of a fresh user are seen to work before they are handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// The reply waits for it, up to a limit.
    #[default]
    Wait,
    /// The reply comes at once; the lease says later when they were seen to work.
    Async,
    /// Nobody looks.
    Off,
}

/// Where the document of a user's role goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// Into the user, as Vault does.
    #[default]
    Inline,
    /// Into a managed policy of the lease's own.
    Managed,
    /// Into the user where it fits, else into a managed policy.
    Auto,
}

/// How sessions of an assumed role are revoked before AWS ends them: an inline policy on the role denies
/// everything to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionRevocation {
    /// To the sessions that carry the lease's tag.
    Tag,
    /// To all sessions of the role that began before now.
    Older,
}

/// A call that a fresh key makes beside `GetCallerIdentity`, to see that its policies have spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Canary {
    /// `GetUser` of the user itself.
    #[serde(rename = "iam:GetUser")]
    GetUser,
    /// `ListAttachedUserPolicies` of the user itself.
    #[serde(rename = "iam:ListAttachedUserPolicies")]
    ListAttachedUserPolicies,
    /// `ListUserPolicies` of the user itself.
    #[serde(rename = "iam:ListUserPolicies")]
    ListUserPolicies,
}

/// What a role says about all this; what it never said is not in its JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Delivery {
    /// `None` = [`Readiness::default`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness: Option<Readiness>,
    /// How often in a row each STS endpoint must know the key; 1 to 10, `None` = once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness_successes: Option<u32>,
    /// What else the key must be able to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness_canary: Option<Canary>,
    /// `None` = [`Placement::default`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    /// `None` = AWS ends sessions by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_revocation: Option<SessionRevocation>,
}

impl Readiness {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Async => "async",
            Self::Off => "off",
        }
    }

    /// Reads the name on the wire.
    pub fn from_wire(text: &str) -> Option<Self> {
        [Self::Wait, Self::Async, Self::Off].into_iter().find(|one| one.as_str() == text)
    }
}

impl Placement {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Managed => "managed",
            Self::Auto => "auto",
        }
    }

    /// Reads the name on the wire.
    pub fn from_wire(text: &str) -> Option<Self> {
        [Self::Inline, Self::Managed, Self::Auto].into_iter().find(|one| one.as_str() == text)
    }
}

impl SessionRevocation {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::Older => "older",
        }
    }

    /// Reads the name on the wire.
    pub fn from_wire(text: &str) -> Option<Self> {
        [Self::Tag, Self::Older].into_iter().find(|one| one.as_str() == text)
    }
}

impl Canary {
    /// The name on the wire: the IAM action.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GetUser => "iam:GetUser",
            Self::ListAttachedUserPolicies => "iam:ListAttachedUserPolicies",
            Self::ListUserPolicies => "iam:ListUserPolicies",
        }
    }

    /// Reads the name on the wire.
    pub fn from_wire(text: &str) -> Option<Self> {
        [Self::GetUser, Self::ListAttachedUserPolicies, Self::ListUserPolicies]
            .into_iter()
            .find(|one| one.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_on_the_wire_are_those_in_the_json() {
        let all = Delivery {
            readiness: Readiness::from_wire("async"),
            readiness_successes: Some(2),
            readiness_canary: Canary::from_wire("iam:GetUser"),
            placement: Placement::from_wire("auto"),
            session_revocation: SessionRevocation::from_wire("older"),
        };
        let json = serde_json::to_value(&all).unwrap();
        let wanted = serde_json::json!({ "readiness": "async", "readiness_successes": 2,
            "readiness_canary": "iam:GetUser", "placement": "auto", "session_revocation": "older" });
        assert_eq!(json, wanted);
        assert_eq!(serde_json::from_value::<Delivery>(json).unwrap(), all);
    }

    #[test]
    fn what_was_never_said_is_not_there() {
        assert_eq!(serde_json::to_string(&Delivery::default()).unwrap(), "{}");
        assert_eq!(serde_json::from_str::<Delivery>("{}").unwrap(), Delivery::default());
    }
}
