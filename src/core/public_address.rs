//! Where webhooks may go: to addresses of the public internet and nowhere else, however they are spelt.
//!
//! A partner names the URL, so it must not lead to what only this machine can reach: itself, its network, the metadata
//! service of a cloud. A name is checked twice. Its spelling is checked when the URL is given. What it resolves to is checked
//! whenever something is sent, and the connection is made to the very address that was checked.
//!
//! Of IPv4, everything is allowed that the registry of special-purpose addresses (IANA, RFC 6890) does not list. IPv6 is the
//! other way round: only `2000::/3` is allocated, so everything else is blocked, including addresses that wrap an IPv4
//! address (mapped, NAT64). Within `2000::/3`, reserved ranges and those that wrap IPv4 addresses (6to4, Teredo) are blocked,
//! too.

use ::core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use url::{Host, Url};

/// IPv4 ranges that lead to nobody on the internet, or to everybody at once.
const BLOCKED_V4: [Ipv4Net; 16] = [
    v4([0, 0, 0, 0], 8),          // this network
    v4([10, 0, 0, 0], 8),         // private
    v4([100, 64, 0, 0], 10),      // shared by customers of one carrier
    v4([127, 0, 0, 0], 8),        // loopback
    v4([169, 254, 0, 0], 16),     // link-local, where clouds keep their metadata
    v4([172, 16, 0, 0], 12),      // private
    v4([192, 0, 0, 0], 24),       // protocol assignments
    v4([192, 0, 2, 0], 24),       // documentation
    v4([192, 88, 99, 0], 24),     // relays of 6to4
    v4([192, 168, 0, 0], 16),     // private
    v4([198, 18, 0, 0], 15),      // benchmarks
    v4([198, 51, 100, 0], 24),    // documentation
    v4([203, 0, 113, 0], 24),     // documentation
    v4([224, 0, 0, 0], 4),        // multicast
    v4([240, 0, 0, 0], 4),        // reserved
    v4([255, 255, 255, 255], 32), // broadcast
];

/// The only allocated part of IPv6.
const GLOBAL_UNICAST_V6: Ipv6Net = v6([0x2000, 0, 0], 3);

/// Parts of it that lead to nobody, or back into IPv4.
const BLOCKED_V6: [Ipv6Net; 4] = [
    v6([0x2001, 0, 0], 23),     // protocol assignments: Teredo, benchmarks, ORCHID
    v6([0x2001, 0xdb8, 0], 32), // documentation
    v6([0x2002, 0, 0], 16),     // 6to4
    v6([0x3fff, 0, 0], 20),     // documentation
];

/// Nobody on the internet has a name under these.
const BLOCKED_DOMAINS: [&str; 8] = [
    "localhost",
    "local",
    "internal",
    "lan",
    "home.arpa",
    "invalid",
    "test",
    "onion",
];

const MAX_URL_BYTES: usize = 2048;

/// The only port below 1024 that is allowed: the others belong to other services.
const HTTPS_PORT: u16 = 443;

const FIRST_UNPRIVILEGED_PORT: u16 = 1024;

const fn v4(address: [u8; 4], prefix: u8) -> Ipv4Net {
    let [a, b, c, d] = address;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(begin: [u16; 3], prefix: u8) -> Ipv6Net {
    let [a, b, c] = begin;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicAddressPolicy {
    /// Also allow loopback addresses, without TLS: in the sandbox.
    pub allow_loopback: bool,
}

/// Why a URL is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookUrlError {
    /// Not a URL, too long, or with characters that URL parsers treat differently.
    #[error("is not a URL of printable ASCII characters, at most 2048 of them")]
    NotAUrl,
    #[error("must be https")]
    NotHttps,
    #[error("must have no user, password or fragment")]
    ExtraParts,
    /// An address instead of a name, a name that nobody on the internet has, or either in a non-canonical spelling.
    #[error("must name a host of the public internet, by its full name")]
    Host,
    #[error("must use port 443, or one from 1024")]
    Port,
}

impl PublicAddressPolicy {
    pub fn allows_address(self, address: IpAddr) -> bool {
        if address.is_loopback() {
            return self.allow_loopback;
        }
        match address {
            IpAddr::V4(address) => !BLOCKED_V4.iter().any(|range| range.contains(&address)),
            IpAddr::V6(address) => {
                GLOBAL_UNICAST_V6.contains(&address) && !BLOCKED_V6.iter().any(|range| range.contains(&address))
            }
        }
    }

    /// Parses the URL of a webhook receiver.
    ///
    /// # Errors
    /// With the first thing that is wrong with it.
    pub fn parse_url(self, text: &str) -> Result<Url, WebhookUrlError> {
        let plain = text.len() <= MAX_URL_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let url = Url::parse(text)
            .ok()
            .filter(|_| plain)
            .ok_or(WebhookUrlError::NotAUrl)?;
        if !self.allows_scheme(&url) {
            return Err(WebhookUrlError::NotHttps);
        }
        if authority(text).contains('@') || url.fragment().is_some() {
            return Err(WebhookUrlError::ExtraParts);
        }
        if !self.allows_host(&url) || !is_canonical_host(&url, text) {
            return Err(WebhookUrlError::Host);
        }
        let port = url.port_or_known_default().unwrap_or_default();
        if port != HTTPS_PORT && port < FIRST_UNPRIVILEGED_PORT && !self.is_allowed_loopback(&url) {
            return Err(WebhookUrlError::Port);
        }
        Ok(url)
    }

    /// Whether a URL's scheme and host are allowed, as far as can be told without resolving its name.
    pub fn allows_url(self, url: &Url) -> bool {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) => None,
            None => return false,
        };
        self.allows_scheme(url) && address.is_none_or(|address| self.allows_address(address))
    }

    fn allows_scheme(self, url: &Url) -> bool {
        url.scheme() == "https" || url.scheme() == "http" && self.is_allowed_loopback(url)
    }

    /// Whether the host is a loopback address, and those are allowed.
    fn is_allowed_loopback(self, url: &Url) -> bool {
        self.allow_loopback
            && match url.host() {
                Some(Host::Domain(name)) => name == "localhost",
                Some(Host::Ipv4(address)) => address.is_loopback(),
                Some(Host::Ipv6(address)) => address.is_loopback(),
                None => false,
            }
    }

    /// Whether the host is a name that somebody on the internet may have. Certificates are for names, so bare addresses are
    /// not accepted, not even public ones.
    fn allows_host(self, url: &Url) -> bool {
        if self.is_allowed_loopback(url) {
            return true;
        }
        let Some(Host::Domain(name)) = url.host() else {
            return false;
        };
        let under = |domain: &&str| {
            let rest = name.strip_suffix(*domain);
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        name.contains('.') && !name.ends_with('.') && !name.starts_with('.') && !BLOCKED_DOMAINS.iter().any(under)
    }
}

/// User, host and port as they are written.
fn authority(text: &str) -> &str {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Whether the host was written as it is parsed. `0x7f.1`, `2130706433` and `%6cocalhost` are disguises, and anyone who uses
/// them means to be overlooked.
fn is_canonical_host(url: &Url, text: &str) -> bool {
    let written = authority(text);
    let port = url.port().map(|port| format!(":{port}"));
    let written = port
        .as_ref()
        .and_then(|port| written.strip_suffix(port.as_str()))
        .unwrap_or(written);
    // Parsing drops the scheme's default port.
    let written = written.strip_suffix(":443").unwrap_or(written);
    url.host_str().is_some_and(|host| host.eq_ignore_ascii_case(written))
}

#[cfg(test)]
mod tests;
