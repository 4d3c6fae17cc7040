//! Networks: an address, or an address and the length of its prefix. Host bits are ignored, as IAM ignores them; an
//! IPv4 network never holds an IPv6 one.

use std::net::IpAddr;

/// A network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    /// The address, left-aligned in 128 bits.
    bits: u128,
    prefix: u32,
    is_v6: bool,
}

/// Networks that are not routed on the Internet (RFC 1918, RFC 6598, RFC 3927, RFC 1122, RFC 4193, RFC 4291).
const PRIVATE: [&str; 9] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];

impl Network {
    /// Reads `192.0.2.0/24` or `2001:db8::1`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let (bits, most, is_v6) = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, 32, false),
            IpAddr::V6(address) => (u128::from(address), 128, true),
        };
        let prefix = prefix.unwrap_or(most);
        (prefix <= most).then(|| Self { bits: bits & mask(prefix), prefix, is_v6 })
    }

    /// Whether all of `other` is in it.
    pub(crate) fn holds(&self, other: &Self) -> bool {
        self.is_v6 == other.is_v6
            && self.prefix <= other.prefix
            && other.bits & mask(self.prefix) == self.bits
    }

    /// Whether it is every address of its family.
    pub(crate) fn is_everything(&self) -> bool {
        self.prefix == 0
    }

    /// Whether no address of it is seen on the Internet.
    pub(crate) fn is_private(&self) -> bool {
        PRIVATE.iter().filter_map(|one| Self::parse(one)).any(|private| private.holds(self))
    }
}

fn mask(prefix: u32) -> u128 {
    u128::MAX.checked_shl(128_u32.saturating_sub(prefix)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::parse(text).unwrap()
    }

    #[test]
    fn a_network_holds_what_is_in_it() {
        assert!(network("203.0.113.0/24").holds(&network("203.0.113.7")));
        assert!(network("203.0.113.99/24").holds(&network("203.0.113.0/25")));
        assert!(!network("203.0.113.0/25").holds(&network("203.0.113.0/24")));
        assert!(network("0.0.0.0/0").holds(&network("192.0.2.1")));
        assert!(!network("0.0.0.0/0").holds(&network("2001:db8::1")));
        assert!(network("2001:db8::/32").holds(&network("2001:db8:1::/48")));
    }

    #[test]
    fn private_and_everything_are_told_apart() {
        assert!(network("10.1.0.0/16").is_private() && network("fd00::/8").is_private());
        assert!(!network("8.0.0.0/6").is_private() && !network("203.0.113.0/24").is_private());
        assert!(network("0.0.0.0/0").is_everything() && network("::/0").is_everything());
    }

    #[test]
    fn what_is_no_network_is_not_read() {
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "300.1.1.1/24", "10.0.0.0/x"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
