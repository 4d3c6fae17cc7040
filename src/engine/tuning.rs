//! What a mount's settings may be, and what they amount to with the server's own (contract 2.1).
//! Pure: texts in, [`MountTuning`] out. Writing it is [`super::mounts`]'.

use std::collections::BTreeMap;

use super::mounts::MountError;
use super::{Engine, EngineSettings};
use crate::model::{MountTuning, duration};

/// The settings of a mount as they were sent, at enabling under `config`, at tuning side by side.
/// `None` = not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TuneFields {
    /// A duration, `system` or empty; at tuning `0` = inherit.
    pub default_lease_ttl: Option<String>,
    /// The same for the maximum.
    pub max_lease_ttl: Option<String>,
    /// Kept and shown.
    pub force_no_cache: Option<bool>,
    /// `""`, `hidden` or `unauth`.
    pub listing_visibility: Option<String>,
    /// Kept and shown.
    pub audit_non_hmac_request_keys: Option<Vec<String>>,
    /// Kept and shown.
    pub audit_non_hmac_response_keys: Option<Vec<String>>,
    /// Kept and shown.
    pub passthrough_request_headers: Option<Vec<String>>,
    /// Kept and shown.
    pub allowed_response_headers: Option<Vec<String>>,
}

/// A change of a mount's settings (contract 2.1, tune).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TuneChange {
    /// Free text.
    pub description: Option<String>,
    /// Merged into the mount's options.
    pub options: Option<BTreeMap<String, String>>,
    /// The settings.
    pub fields: TuneFields,
}

/// What a mount's TTLs are in effect, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EffectiveTuning {
    /// How long a lease lasts where nothing else says.
    pub default_lease_ttl: u64,
    /// How long it can last at most.
    pub max_lease_ttl: u64,
}

impl Engine {
    /// The settings of a new mount that is no engine's: an auth method's, which follow the same rules.
    pub fn new_tuning(&self, sent: TuneFields) -> Result<MountTuning, MountError> {
        of_new_mount(sent, &self.parts.settings)
    }

    /// Such settings after a change.
    pub fn changed_tuning(
        stored: &MountTuning,
        sent: TuneFields,
    ) -> Result<MountTuning, MountError> {
        changed(stored, sent)
    }
}

/// What the configured values amount to: 0 inherits from the server, and a default never exceeds the
/// maximum.
pub(super) fn effective(tuning: &MountTuning, server: &EngineSettings) -> EffectiveTuning {
    let or = |own: u64, inherited: u64| if own == 0 { inherited } else { own };
    let max_lease_ttl = or(tuning.max_lease_ttl, server.max_lease_ttl.as_secs());
    let default_lease_ttl = or(tuning.default_lease_ttl, server.default_lease_ttl.as_secs());
    EffectiveTuning { default_lease_ttl: default_lease_ttl.min(max_lease_ttl), max_lease_ttl }
}

/// The settings of a new mount.
pub(super) fn of_new_mount(
    sent: TuneFields,
    server: &EngineSettings,
) -> Result<MountTuning, MountError> {
    let read = |text: &Option<String>| match text.as_deref() {
        None | Some("" | "system") => Ok(0),
        Some(text) => seconds(text),
    };
    let default_lease_ttl = read(&sent.default_lease_ttl).map_err(|cause| {
        let text = sent.default_lease_ttl.clone().unwrap_or_default();
        MountError::BadDefaultTtl { text, cause }
    })?;
    let max_lease_ttl = read(&sent.max_lease_ttl).map_err(|cause| {
        let text = sent.max_lease_ttl.clone().unwrap_or_default();
        MountError::BadMaxTtl { text, cause }
    })?;
    if max_lease_ttl != 0 && default_lease_ttl > max_lease_ttl {
        return Err(MountError::DefaultAboveMax);
    }
    let server_max = server.max_lease_ttl.as_secs();
    if max_lease_ttl == 0 && default_lease_ttl > server_max {
        return Err(MountError::DefaultAboveServerMax(server_max));
    }
    let mut tuning = MountTuning { default_lease_ttl, max_lease_ttl, ..MountTuning::default() };
    keep_the_rest(&mut tuning, sent)?;
    Ok(tuning)
}

/// `tuning` after a change: empty keeps, `system` and `0` inherit.
pub(super) fn changed(tuning: &MountTuning, sent: TuneFields) -> Result<MountTuning, MountError> {
    let read = |text: &Option<String>, stored: u64| match text.as_deref() {
        None | Some("") => Ok(stored),
        Some("system") => Ok(0),
        Some(text) => seconds(text).map_err(MountError::BadTtl),
    };
    let mut tuning = tuning.clone();
    tuning.default_lease_ttl = read(&sent.default_lease_ttl, tuning.default_lease_ttl)?;
    tuning.max_lease_ttl = read(&sent.max_lease_ttl, tuning.max_lease_ttl)?;
    let (default, max) = (tuning.default_lease_ttl, tuning.max_lease_ttl);
    if default != 0 && max != 0 && max < default {
        return Err(MountError::MaxBelowDefault { max, default });
    }
    keep_the_rest(&mut tuning, sent)?;
    Ok(tuning)
}

fn keep_the_rest(tuning: &mut MountTuning, sent: TuneFields) -> Result<(), MountError> {
    if let Some(visibility) = &sent.listing_visibility
        && !matches!(visibility.as_str(), "" | "hidden" | "unauth")
    {
        return Err(MountError::BadVisibility(visibility.clone()));
    }
    let keep = |kept: &mut Option<Vec<String>>, sent: Option<Vec<String>>| {
        if sent.is_some() {
            *kept = sent;
        }
    };
    tuning.force_no_cache = sent.force_no_cache.unwrap_or(tuning.force_no_cache);
    if sent.listing_visibility.is_some() {
        tuning.listing_visibility = sent.listing_visibility;
    }
    keep(&mut tuning.audit_non_hmac_request_keys, sent.audit_non_hmac_request_keys);
    keep(&mut tuning.audit_non_hmac_response_keys, sent.audit_non_hmac_response_keys);
    keep(&mut tuning.passthrough_request_headers, sent.passthrough_request_headers);
    keep(&mut tuning.allowed_response_headers, sent.allowed_response_headers);
    Ok(())
}

fn seconds(text: &str) -> Result<u64, String> {
    let seconds = duration::parse_seconds(text)?;
    u64::try_from(seconds).map_err(|_negative| format!("cannot provide negative value '{text}'"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn server() -> EngineSettings {
        EngineSettings {
            default_lease_ttl: Duration::from_hours(768),
            max_lease_ttl: Duration::from_hours(768),
            ..EngineSettings::new("b".into())
        }
    }

    fn ttls(default: &str, max: &str) -> TuneFields {
        TuneFields {
            default_lease_ttl: Some(default.into()),
            max_lease_ttl: Some(max.into()),
            ..TuneFields::default()
        }
    }

    #[test]
    fn a_new_mount_inherits_what_it_does_not_say() {
        for inherits in ["", "0s", "0", "system"] {
            let tuning = of_new_mount(ttls(inherits, inherits), &server()).unwrap();
            assert_eq!(tuning, MountTuning::default());
        }
        let tuned = effective(&MountTuning::default(), &server());
        assert_eq!((tuned.default_lease_ttl, tuned.max_lease_ttl), (2_764_800, 2_764_800));
    }

    #[test]
    fn a_new_mounts_ttls_are_checked_as_the_contract_says() {
        let told = |default: &str, max: &str| {
            of_new_mount(ttls(default, max), &server()).unwrap_err().to_string()
        };
        assert_eq!(
            told("abc", ""),
            "unable to parse default TTL of abc: time: invalid duration \"abc\""
        );
        assert_eq!(
            told("", "-5"),
            "unable to parse max TTL of -5: cannot provide negative value '-5'"
        );
        assert_eq!(told("2h", "1h"), "given default lease TTL greater than given max lease TTL");
        assert_eq!(
            told("1000h", ""),
            "given default lease TTL greater than system max lease TTL of 2764800"
        );
        let above = of_new_mount(ttls("900h", "1000h"), &server()).unwrap();
        assert_eq!(above.max_lease_ttl, 3_600_000);
    }

    #[test]
    fn tuning_keeps_inherits_and_refuses() {
        let tuned = changed(&MountTuning::default(), ttls("30m", "1h")).unwrap();
        assert_eq!((tuned.default_lease_ttl, tuned.max_lease_ttl), (1800, 3600));
        let kept = changed(&tuned, ttls("", "")).unwrap();
        assert_eq!(kept, tuned);
        let inherited = changed(&tuned, ttls("", "system")).unwrap();
        assert_eq!((inherited.default_lease_ttl, inherited.max_lease_ttl), (1800, 0));
        let zeroed = changed(&tuned, ttls("0", "")).unwrap();
        assert_eq!((zeroed.default_lease_ttl, zeroed.max_lease_ttl), (0, 3600));
        assert_eq!(
            changed(&tuned, ttls("2h", "1h")).unwrap_err().to_string(),
            "backend max lease TTL of 3600 would be less than backend default lease TTL of 7200"
        );
        assert_eq!(
            changed(&tuned, ttls("abc", "")).unwrap_err().to_string(),
            "time: invalid duration \"abc\""
        );
    }

    #[test]
    fn a_default_above_the_maximum_is_cut_in_effect() {
        let tuning = MountTuning { max_lease_ttl: 60, ..MountTuning::default() };
        let tuned = effective(&tuning, &server());
        assert_eq!((tuned.default_lease_ttl, tuned.max_lease_ttl), (60, 60));
    }

    #[test]
    fn an_unknown_visibility_is_refused() {
        let sent = TuneFields { listing_visibility: Some("x".into()), ..TuneFields::default() };
        assert_eq!(
            changed(&MountTuning::default(), sent).unwrap_err().to_string(),
            "invalid listing_visibility x"
        );
    }
}
