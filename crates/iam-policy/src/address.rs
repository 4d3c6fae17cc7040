//! Address ranges (CIDR) as IAM's address operators read them: no prefix is one address, host bits are ignored.
//! IPv4 and IPv6 never match each other; nothing is looked up.
//! Used by [`crate::semantics`] and [`crate::decide`].

use std::net::IpAddr;

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    address: IpAddr,
    prefix: u32,
}

impl Range {
    /// Reads `203.0.113.0/24`, `2001:db8::/32` or a bare address.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits = bits_of(address);
        let prefix = match prefix {
            None => bits,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok()?
            }
            Some(_) => return None,
        };
        if prefix <= bits { Some(Self { address, prefix }) } else { None }
    }

    /// Whether every address of `other` is in this range.
    pub(crate) fn contains(&self, other: &Self) -> bool {
        bits_of(self.address) == bits_of(other.address)
            && self.prefix <= other.prefix
            && network(self.address, self.prefix) == network(other.address, self.prefix)
    }

    /// Whether bits are set after the prefix, which say nothing.
    pub(crate) fn has_host_bits(&self) -> bool {
        network(self.address, self.prefix) != number(self.address)
    }

    /// Whether the range lies in the private or local addresses, which never reach AWS's public endpoints.
    pub(crate) fn is_private(&self) -> bool {
        PRIVATE.iter().filter_map(|text| Self::parse(text)).any(|private| private.contains(self))
    }
}

/// RFC 1918, RFC 6598, RFC 3927, RFC 1122 (loopback); RFC 4193, RFC 4291 for IPv6.
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

fn bits_of(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The address as a number, aligned to the left.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)).wrapping_shl(96),
        IpAddr::V6(address) => u128::from(address),
    }
}

fn network(address: IpAddr, prefix: u32) -> u128 {
    let mask = match prefix {
        0 => 0,
        bits => u128::MAX.wrapping_shl(128_u32.saturating_sub(bits)),
    };
    number(address) & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> Range {
        Range::parse(text).unwrap()
    }

    #[test]
    fn ranges_contain_what_lies_in_them() {
        assert!(range("203.0.113.0/24").contains(&range("203.0.113.7")));
        assert!(range("0.0.0.0/0").contains(&range("10.0.0.0/8")));
        assert!(!range("203.0.113.0/24").contains(&range("203.0.0.0/16")));
        assert!(!range("::/0").contains(&range("10.0.0.1")));
        assert!(range("2001:db8::/32").contains(&range("2001:db8:1::1")));
    }

    #[test]
    fn only_addresses_are_read() {
        for text in ["300.1.1.1/24", "10.0.0.0/33", "10.0.0", "10.0.0.0/", "10.0.0.0/+8", "x"] {
            assert_eq!(Range::parse(text), None, "{text}");
        }
    }

    #[test]
    fn host_bits_and_private_ranges_are_seen() {
        assert!(range("203.0.113.7/24").has_host_bits());
        assert!(!range("203.0.113.7").has_host_bits());
        assert!(range("192.168.0.0/16").is_private());
        assert!(!range("0.0.0.0/0").is_private());
    }
}
