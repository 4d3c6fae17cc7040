//! Which addresses may be asked: those of the internet, and those of networks that the configuration names. Looked at
//! where a name has just become an address, so that no name leads to another one between the look and the connection.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::model::Network;

/// Every address of a name is one that may not be asked.
#[derive(Debug, thiserror::Error)]
#[error("no address that may be asked")]
pub(super) struct Refused;

/// Finds the addresses of a name that may be asked.
pub(super) struct Reach {
    pub(super) private: Arc<[Network]>,
}

impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reach").field("private", &self.private).finish()
    }
}

impl Resolver for Reach {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = DefaultResolver::default().resolve(uri, config, timeout)?;
        let mut reached = self.empty();
        for address in &found {
            if may_be_asked(address.ip(), &self.private) {
                reached.push(*address);
            }
        }
        if reached.is_empty() { Err(ureq::Error::Other(Box::new(Refused))) } else { Ok(reached) }
    }
}

pub(super) fn may_be_asked(address: IpAddr, private: &[Network]) -> bool {
    is_public(address) || private.iter().any(|network| network.holds(address))
}

/// Whether it can be somebody on the internet (the IANA registries of special-purpose addresses, RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(own) => {
            let [a, b, c, _] = own.octets();
            let special = own.is_private()
                || own.is_loopback()
                || own.is_link_local()
                || own.is_documentation()
                // "this network", multicast and what is reserved, broadcast with it
                || a == 0
                || a >= 224
                // shared by carriers (RFC 6598), protocol assignments, benchmarks (RFC 2544)
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (b == 18 || b == 19));
            !special
        }
        IpAddr::V6(own) => {
            let [a, b, ..] = own.segments();
            // Global unicast is 2000::/3; in it, what carries an IPv4 address (Teredo, 6to4) and documentation.
            let special = (a == 0x2001 && (b == 0 || b == 0xdb8)) || a == 0x2002 || a == 0x3fff;
            (0x2000..0x4000).contains(&a) && !special
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_on_the_internet_is_not_asked() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.0.8",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "fe80::1",
            "fd00:ec2::254",
            "ff02::1",
            "2002:7f00:1::",
            "2001:db8::1",
        ] {
            assert!(!may_be_asked(address.parse().unwrap(), &[]), "{address}");
        }
        for address in ["140.82.112.3", "::ffff:140.82.112.3", "2606:50c0:8000::153", "100.128.0.1"]
        {
            assert!(may_be_asked(address.parse().unwrap(), &[]), "{address}");
        }
    }

    #[test]
    fn a_network_that_is_named_is_asked_and_its_neighbour_is_not() {
        let named = ["10.96.0.0/12".parse().unwrap(), "::1".parse().unwrap()];
        for (address, asked) in
            [("10.96.0.1", true), ("::ffff:10.96.0.1", true), ("10.1.0.1", false), ("::1", true)]
        {
            assert_eq!(may_be_asked(address.parse().unwrap(), &named), asked, "{address}");
        }
    }
}
