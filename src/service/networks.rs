//! Lists of networks: who may call a channel, and which proxies are trusted.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use serde::{Serialize, Serializer};

/// Networks, each as an address and the length of its prefix. IPv4 and IPv6 are distinct; an IPv4 address
/// that is written as IPv6 (`::ffff:192.0.2.1`, as a listener for both shows it) counts as IPv4.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Reads networks such as `192.0.2.0/24` and single addresses.
    ///
    /// # Errors
    /// Says which one is wrong and why.
    pub fn parse(texts: &[String]) -> Result<Self, String> {
        texts.iter().map(|text| read(text)).collect::<Result<_, _>>().map(Self)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an address is in one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Each as it is written in the configuration.
    pub fn to_strings(&self) -> Vec<String> {
        self.0.iter().map(IpNet::to_string).collect()
    }
}

impl Serialize for Networks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.to_strings())
    }
}

fn read(text: &str) -> Result<IpNet, String> {
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text
            .parse::<IpNet>()
            .map_err(|_| format!("holds {text:?}, which is no network"))?,
    };
    if network.trunc() != network {
        let meant = network.trunc();
        return Err(format!("holds {text:?}, which has bits behind its prefix: {meant}?"));
    }
    if network.addr().to_canonical() != network.addr() {
        return Err(format!("holds {text:?}, which is IPv4 written as IPv6"));
    }
    Ok(network)
}

/// One IPv6 host usually controls the whole /64 around its address.
pub fn ip_prefix(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(texts: &[&str]) -> Result<Networks, String> {
        let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
        Networks::parse(&texts)
    }

    /// An address is in a network by its prefix, in its own family, however a listener for both families shows it.
    #[test]
    fn addresses_are_found() {
        let found = networks(&["192.0.2.0/24", "198.51.100.7", "2001:db8::/32"]).unwrap();
        for (address, want) in [
            ("192.0.2.0", true),
            ("192.0.2.255", true),
            ("192.0.3.0", false),
            ("::ffff:192.0.2.9", true),
            ("::192.0.2.9", false),
            ("198.51.100.7", true),
            ("198.51.100.8", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::1", false),
        ] {
            assert_eq!(found.contains(address.parse().unwrap()), want, "{address}");
        }
        assert!(!networks(&[]).unwrap().contains("192.0.2.1".parse().unwrap()));
        assert!(
            networks(&["0.0.0.0/0"])
                .unwrap()
                .contains("203.0.113.5".parse().unwrap())
        );
        assert!(!networks(&["0.0.0.0/0"]).unwrap().contains("::1".parse().unwrap()));
    }

    /// What would admit or exclude more than was meant is refused with its text.
    #[test]
    fn slips_are_refused() {
        for (text, told) in [
            ("192.0.2.1/24", "192.0.2.0/24?"),
            ("192.0.2.0/33", "no network"),
            ("example.com", "no network"),
            ("", "no network"),
            ("::ffff:192.0.2.0/120", "IPv4 written as IPv6"),
        ] {
            let error = networks(&["10.0.0.0/8", text]).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
