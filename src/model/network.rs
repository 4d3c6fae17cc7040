//! A network that a token, a role or a secret id is bound to: an address, or one with a prefix length.
//! An IPv4 address that came in over an IPv6 socket is the IPv4 address it is. Who is bound to what is
//! decided in [`crate::auth`].

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::InvalidName;

/// Addresses with a common beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network(IpNet);

impl Network {
    /// Whether the address is one of its.
    pub fn holds(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// Whether all of `other`'s addresses are its.
    pub fn covers(&self, other: &Self) -> bool {
        self.0.contains(&other.0)
    }

    /// Whether somebody at `address` may come in: without networks everybody may, and with some nobody
    /// whose address is not known.
    pub fn admit(networks: &[Self], address: Option<IpAddr>) -> bool {
        networks.is_empty()
            || address.is_some_and(|address| networks.iter().any(|one| one.holds(address)))
    }
}

impl FromStr for Network {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let network = text.parse().or_else(|_none| text.parse::<IpAddr>().map(IpNet::from));
        network
            .map(|network| Self(network.trunc()))
            .map_err(|_neither| InvalidName { kind: "address or network", given: text.to_owned() })
    }
}

impl TryFrom<String> for Network {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

/// A single address is shown without a length, as Vault does.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            write!(f, "{}", self.0.addr())
        } else {
            write!(f, "{}", self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_holds_its_addresses_whatever_socket_they_came_over() {
        let ten = network("10.0.0.0/8");
        for (address, held) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("11.0.0.1", false),
            ("::10.1.2.3", false),
            ("fe80::1", false),
        ] {
            assert_eq!(ten.holds(address.parse().unwrap()), held, "{address}");
        }
    }

    #[test]
    fn without_networks_all_may_come_and_with_some_nobody_unknown() {
        let some = [network("10.0.0.0/8"), network("::1")];
        assert!(Network::admit(&[], None));
        assert!(!Network::admit(&some, None));
        assert!(Network::admit(&some, "::1".parse().ok()));
        assert!(!Network::admit(&some, "::2".parse().ok()));
    }

    #[test]
    fn it_reads_and_shows_addresses_and_networks() {
        for (text, shown) in
            [("10.1.2.3", "10.1.2.3"), ("10.1.2.3/32", "10.1.2.3"), ("10.9.9.9/8", "10.0.0.0/8")]
        {
            assert_eq!(network(text).to_string(), shown);
        }
        for bad in ["", "10.0.0.0/33", "example.com", "10.0.0"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
        assert!(network("10.0.0.0/8").covers(&network("10.3.0.0/16")));
        assert!(!network("10.3.0.0/16").covers(&network("10.0.0.0/8")));
    }
}
