//! The `token_*` fields that roles and users share (contract 3.3): merged and checked, pure. What becomes
//! of them at a login: [`super::login`].

use super::MethodError;
use crate::model::{Network, RoleKind, TokenParams};

/// A change of them; `None` = not sent. Seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParamsChange {
    /// `token_ttl`.
    pub ttl: Option<u64>,
    /// `token_max_ttl`.
    pub max_ttl: Option<u64>,
    /// `token_policies`.
    pub policies: Option<Vec<String>>,
    /// `token_bound_cidrs`.
    pub bound_cidrs: Option<Vec<String>>,
    /// `token_explicit_max_ttl`.
    pub explicit_max_ttl: Option<u64>,
    /// `token_no_default_policy`.
    pub no_default_policy: Option<bool>,
    /// `token_num_uses`.
    pub num_uses: Option<i64>,
    /// `token_period`.
    pub period: Option<u64>,
    /// `token_type`.
    pub token_type: Option<String>,
}

/// `stored` after a change.
pub(super) fn changed(
    stored: TokenParams,
    change: ParamsChange,
) -> Result<TokenParams, MethodError> {
    let params = TokenParams {
        ttl: change.ttl.unwrap_or(stored.ttl),
        max_ttl: change.max_ttl.unwrap_or(stored.max_ttl),
        policies: change.policies.map_or(stored.policies, |sent| policy_names(&sent)),
        bound_cidrs: networks("token_bound_cidrs", change.bound_cidrs)?
            .unwrap_or(stored.bound_cidrs),
        explicit_max_ttl: change.explicit_max_ttl.unwrap_or(stored.explicit_max_ttl),
        no_default_policy: change.no_default_policy.unwrap_or(stored.no_default_policy),
        num_uses: change.num_uses.unwrap_or(stored.num_uses),
        period: change.period.unwrap_or(stored.period),
        token_type: match change.token_type {
            None if stored.token_type.is_empty() => "default".to_owned(),
            None => stored.token_type,
            Some(sent) => token_type(sent)?,
        },
    };
    if params.num_uses < 0 {
        return Err(MethodError::Negative("token_num_uses"));
    }
    if params.ttl > 0 && params.max_ttl > 0 && params.ttl > params.max_ttl {
        return Err(MethodError::TtlAboveMax);
    }
    check_batch(&params)?;
    Ok(params)
}

fn token_type(sent: String) -> Result<String, MethodError> {
    match sent.as_str() {
        "" | "default" => Ok("default".to_owned()),
        word if RoleKind::from_word(word).is_some() => Ok(sent),
        _ => Err(MethodError::TokenType(sent)),
    }
}

/// What a batch token cannot be, since nothing of it is stored.
fn check_batch(params: &TokenParams) -> Result<(), MethodError> {
    if !matches!(params.token_type.as_str(), "batch" | "default-batch") {
        return Ok(());
    }
    if params.period > 0 {
        return Err(MethodError::Batch("periodic tokens"));
    }
    if params.num_uses > 0 {
        return Err(MethodError::Batch("tokens with limited use count"));
    }
    Ok(())
}

/// Lower case, without blanks and doubles, sorted.
pub(in crate::auth) fn policy_names(sent: &[String]) -> Vec<String> {
    let mut names: Vec<String> = sent
        .iter()
        .map(|name| name.trim().to_lowercase())
        .filter(|name| !name.is_empty())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The networks of a field; empty items count for nothing.
pub(in crate::auth) fn networks(
    field: &'static str,
    sent: Option<Vec<String>>,
) -> Result<Option<Vec<Network>>, MethodError> {
    let read = |text: &String| {
        text.trim().parse().map_err(|_bad| MethodError::BadNetwork { field, sent: text.clone() })
    };
    sent.map(|sent| sent.iter().filter(|text| !text.trim().is_empty()).map(read).collect())
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(change: ParamsChange) -> String {
        changed(TokenParams::default(), change).unwrap_err().to_string()
    }

    #[test]
    fn what_is_not_sent_stays() {
        let first = ParamsChange {
            ttl: Some(60),
            policies: Some(vec!["B ".into(), "a".into(), String::new(), "b".into()]),
            bound_cidrs: Some(vec!["10.0.0.0/8".into(), "127.0.0.1".into()]),
            ..ParamsChange::default()
        };
        let stored = changed(TokenParams::default(), first).unwrap();
        assert_eq!(stored.policies, ["a", "b"]);
        assert_eq!((stored.ttl, stored.token_type.as_str()), (60, "default"));
        assert_eq!(stored.bound_cidrs.len(), 2);
        let same = changed(stored.clone(), ParamsChange::default()).unwrap();
        assert_eq!(same, stored);
        let cleared = ParamsChange { bound_cidrs: Some(Vec::new()), ..ParamsChange::default() };
        assert!(changed(stored, cleared).unwrap().bound_cidrs.is_empty());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let change = ParamsChange::default;
        assert_eq!(
            told(ParamsChange { ttl: Some(61), max_ttl: Some(60), ..change() }),
            "'token_ttl' cannot be greater than 'token_max_ttl'"
        );
        assert_eq!(
            told(ParamsChange { num_uses: Some(-1), ..change() }),
            "'token_num_uses' cannot be negative"
        );
        assert_eq!(
            told(ParamsChange { token_type: Some("other".into()), ..change() }),
            "invalid 'token_type' value \"other\""
        );
        let batch = || ParamsChange { token_type: Some("batch".into()), ..change() };
        assert_eq!(changed(TokenParams::default(), batch()).unwrap().token_type, "batch");
        assert_eq!(
            told(ParamsChange { period: Some(60), ..batch() }),
            "'token_type' cannot be 'batch' or 'default_batch' when set to generate periodic tokens"
        );
        assert_eq!(
            told(ParamsChange { num_uses: Some(1), ..batch() }),
            "'token_type' cannot be 'batch' or 'default_batch' when set to generate tokens with limited use count"
        );
        assert_eq!(
            told(ParamsChange { bound_cidrs: Some(vec!["here".into()]), ..change() }),
            "error parsing address \"here\" of `token_bound_cidrs`"
        );
    }
}
