//! The guardrail components that ship with the broker: name and bytes, one line each. Which of them are bound, and in
//! what mode, is said by the configuration and by what was written under `sys/guardrails`. Sources: `plugins/`.

use std::sync::LazyLock;

use ring::digest::{SHA256, digest};

use crate::model::PluginDigest;

/// Name and component.
pub const SHIPPED: &[(&str, &[u8])] = &[
    ("least-privilege", include_bytes!("../../plugins/least-privilege/least-privilege.wasm")),
    (
        "no-privilege-escalation",
        include_bytes!("../../plugins/no-privilege-escalation/no-privilege-escalation.wasm"),
    ),
    ("deny-list", include_bytes!("../../plugins/deny-list/deny-list.wasm")),
    ("boundary-required", include_bytes!("../../plugins/boundary-required/boundary-required.wasm")),
    ("tags-and-names", include_bytes!("../../plugins/tags-and-names/tags-and-names.wasm")),
    ("ttl-limits", include_bytes!("../../plugins/ttl-limits/ttl-limits.wasm")),
    (
        "mfa-or-source-conditions",
        include_bytes!("../../plugins/mfa-or-source-conditions/mfa-or-source-conditions.wasm"),
    ),
];

/// Bound where the configuration says nothing of them.
pub(super) const BOUND_BY_DEFAULT: &[&str] = &["least-privilege"];

static DIGESTS: LazyLock<Vec<PluginDigest>> = LazyLock::new(|| {
    SHIPPED.iter().filter_map(|(_, component)| component_digest(component)).collect()
});

/// The component of this name.
pub fn shipped(name: &str) -> Option<&'static [u8]> {
    SHIPPED.iter().find(|(own, _)| *own == name).map(|(_, component)| *component)
}

/// The digest of the component of this name.
pub fn shipped_digest(name: &str) -> Option<&'static PluginDigest> {
    let at = SHIPPED.iter().position(|(own, _)| *own == name)?;
    DIGESTS.get(at)
}

/// The component of this digest, with its name.
pub fn shipped_by_digest(digest: &PluginDigest) -> Option<(&'static str, &'static [u8])> {
    let at = DIGESTS.iter().position(|own| own == digest)?;
    SHIPPED.get(at).copied()
}

/// SHA-256 of a component's bytes, as plugins are named by it.
pub fn component_digest(component: &[u8]) -> Option<PluginDigest> {
    let bytes = digest(&SHA256, component);
    let digits = bytes.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    let hex: String = digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect();
    // 64 hex digits, so it is always one.
    PluginDigest::of_hex(&hex).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_component_is_found_by_its_name_and_by_its_digest() {
        assert_eq!(DIGESTS.len(), SHIPPED.len());
        for (name, component) in SHIPPED {
            let digest = shipped_digest(name).unwrap();
            assert_eq!(shipped(name), Some(*component));
            assert_eq!(shipped_by_digest(digest), Some((*name, *component)));
        }
        assert!(BOUND_BY_DEFAULT.iter().all(|name| shipped(name).is_some()));
        assert_eq!(shipped("absent"), None);
    }
}
