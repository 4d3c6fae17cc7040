//! Why a `jwt` mount refused something. The texts are Vault's where it has them (contract 3.4). What is wrong with a
//! token is told to whoever sent it; where the keys come from, and why they did not come, is only logged.

use crate::auth::jose::JoseError;
use crate::model::go_text::quote;
use crate::outbound::OutboundError;

/// What is wrong with a token whose claims can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// Signed by a key that is believed, for somebody else.
    #[error("invalid issuer (iss) claim")]
    Issuer,
    /// Another subject.
    #[error("invalid subject (sub) claim")]
    Subject,
    /// Other audiences.
    #[error("invalid audience (aud) claim: audience claim does not match any expected audience")]
    Audience,
    /// No time at all.
    #[error("no issued at (iat), not before (nbf), or expiration time (exp) claims in token")]
    Timeless,
    /// Something else where a time belongs; holds the claim.
    #[error("the `{0}` claim is not a number")]
    NoTime(&'static str),
    /// Too early.
    #[error("invalid not before (nbf) claim: token not yet valid")]
    NotYet,
    /// Too late.
    #[error("invalid expiration time (exp) claim: token is expired")]
    Expired,
    /// Made later than now.
    #[error("invalid issued at (iat) claim: token issued in the future")]
    FromTheFuture,
    /// Neither `auth_time` nor `iat`, where a role limits the age.
    #[error("neither an `auth_time` nor an `iat` claim, which the role's `max_age` needs")]
    NoAge,
    /// Older than the role lets.
    #[error("the login that the token stands for is older than the role's `max_age`")]
    TooOld,
}

/// Why nothing was configured, written or let in.
#[derive(Debug, thiserror::Error)]
pub enum JwtError {
    /// None or several sources of keys.
    #[error(
        "exactly one of 'jwt_validation_pubkeys', 'jwks_url' or 'oidc_discovery_url' must be set"
    )]
    OneSource,
    /// A field of what is not offered; holds its name.
    #[error(
        "`{0}` is not offered: machines log in by `jwt`, people by `userpass`\nhelp: leave it out"
    )]
    NotOffered(&'static str),
    /// The login by browser.
    #[error(
        "the login of people by browser is not offered\nhelp: machines log in by POST `login`, people by an auth method of type `userpass`"
    )]
    NoBrowser,
    /// No algorithm that is taken.
    #[error("Invalid supported algorithm: {0}")]
    Algorithm(String),
    /// A static key that is none.
    #[error("error parsing public key: {0}")]
    BadKey(JoseError),
    /// Certificates that are none; holds the field.
    #[error("error checking {field}: {cause}")]
    BadCertificates {
        /// The field.
        field: &'static str,
        /// What is wrong.
        cause: OutboundError,
    },
    /// The discovery document or its keys did not come; holds why.
    #[error("error checking oidc discovery URL: {0}")]
    Discovery(String),
    /// The keys did not come; holds why.
    #[error("error checking jwks URL: {0}")]
    Jwks(String),

    /// No such type of roles.
    #[error("invalid 'role_type': {0}")]
    RoleType(String),
    /// A role for browsers.
    #[error(
        "roles of 'role_type' oidc are not offered: they are for the login of people by browser\nhelp: send role_type=jwt"
    )]
    BrowserRole,
    /// No such comparison.
    #[error("invalid 'bound_claims_type': {0}")]
    ClaimsType(String),
    /// A bound claim that nothing can be; holds its name.
    #[error("the bound claim {} is not a string, bool, number or list of them", quote(.0))]
    BoundClaim(String),
    /// Bound claims that are no object.
    #[error("'bound_claims' must be a JSON object")]
    ClaimsNoObject,
    /// A glob that is no text; holds the claim's name.
    #[error("claim is not a string: {}", quote(.0))]
    GlobNoText(String),
    /// Metadata that is ours.
    #[error("metadata key {} is reserved and may not be a mapping destination", quote(.0))]
    Reserved(String),
    /// Two claims for one piece of metadata.
    #[error("multiple keys are mapped to metadata key {}", quote(.0))]
    MappedTwice(String),
    /// Nobody would be somebody.
    #[error("a user claim must be defined on the role")]
    NoUserClaim,
    /// A pointer that is none.
    #[error("'user_claim' must begin with a slash where 'user_claim_json_pointer' is set")]
    NoPointer,
    /// Whatever the issuer signs would be let in.
    #[error("must have at least one bound constraint when creating/updating a role")]
    Unbound,
    /// A leeway that is no duration; holds the field.
    #[error("`{0}` is no number of seconds")]
    Leeway(&'static str),

    /// Nothing is believed yet.
    #[error("could not load configuration")]
    NoConfig,
    /// No role was named.
    #[error("missing role")]
    RoleMissing,
    /// No such role.
    #[error("role {} could not be found", quote(.0))]
    NoRole(String),
    /// No token was sent.
    #[error("missing token")]
    TokenMissing,
    /// The keys did not come.
    #[error("error validating token: the issuer's keys cannot be fetched at the moment")]
    NoKeys,
    /// The token or its signature.
    #[error("error validating token: {0}")]
    Signature(#[from] JoseError),
    /// Its claims.
    #[error("error validating token: {0}")]
    Token(#[from] TokenFault),
    /// Audiences, where the role has none.
    #[error("audience claim found in JWT but no audiences bound to the role")]
    AudienceUnbound,
    /// Nobody; holds the claim.
    #[error("claim {} not found in token", quote(.0))]
    NoClaim(String),
    /// Somebody who is no text; holds the claim.
    #[error("claim {} could not be converted to string", quote(.0))]
    ClaimNoText(String),
    /// Metadata that is no text; holds the claim.
    #[error("error converting claim '{0}' to string")]
    MetadataNoText(String),
    /// Holds the claim.
    #[error("failed to fetch groups: {} claim not found in token", quote(.0))]
    NoGroups(String),
    /// Holds the claim.
    #[error("failed to fetch groups: {} claim could not be converted to string list", quote(.0))]
    GroupsNoList(String),
    /// Holds the claim.
    #[error("a value in the groups claim {} could not be parsed as string", quote(.0))]
    GroupNoText(String),
    /// A bound claim is not there.
    #[error("error validating claims: claim {} is missing", quote(.0))]
    ClaimMissing(String),
    /// A bound claim is something else.
    #[error("error validating claims: claim {} is not a string, bool, int or list", quote(.0))]
    ClaimNoList(String),
    /// A bound claim says something else.
    #[error(
        "error validating claims: claim {} does not match any associated bound claim values",
        quote(.0)
    )]
    ClaimDiffers(String),
}
