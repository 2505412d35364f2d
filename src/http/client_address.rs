//! The address of the client that sent a request.
//!
//! Without a proxy it is the peer of the connection. Behind a proxy the peer is the proxy, and the client is in
//! `X-Forwarded-For`, to which every proxy on the way appends, at the right, the address it was called from. Anybody can
//! send that header, so it is read only if the peer is a trusted proxy, from the right, and only as far as trusted proxies
//! vouch for it: the first address that is not one of theirs is the client, and everything left of it may be invented.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::HttpRequest;
use actix_web::http::header::HeaderValue;

use crate::service::networks::Networks;

const FORWARDED: &str = "x-forwarded-for";

/// The address of the client; `None` if a trusted proxy does not say, or says something that is not an address.
pub(super) fn client_address(request: &HttpRequest, proxies: &Networks) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    if !proxies.contains(peer) {
        return Some(peer);
    }
    // Several headers are one list, in their order.
    let lines: Vec<_> = request
        .headers()
        .get_all(FORWARDED)
        .map(HeaderValue::as_bytes)
        .collect();
    rightmost_untrusted(&lines, proxies)
}

/// Says once that requests come through a proxy that is not trusted: all of its clients are then one client to us.
#[derive(Default)]
pub(super) struct ProxyWarning(AtomicBool);

impl ProxyWarning {
    /// Looks at a request.
    pub(super) fn look(&self, request: &HttpRequest, proxies: &Networks) {
        let forwarded = || {
            [FORWARDED, "forwarded"]
                .iter()
                .any(|name| request.headers().contains_key(*name))
        };
        if self.0.load(Ordering::Relaxed) || !forwarded() {
            return;
        }
        let Some(peer) = request.peer_addr().map(|peer| peer.ip().to_canonical()) else {
            return;
        };
        if !proxies.contains(peer) && !self.0.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                %peer,
                "a request says that it was forwarded, and its sender is not in [server] trusted_proxies: if that is your \
                 proxy, list it there, or all of its clients count as one; if it is not, somebody made it up"
            );
        }
    }
}

fn rightmost_untrusted(lines: &[&[u8]], proxies: &Networks) -> Option<IpAddr> {
    let entries = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    for entry in entries {
        let address = parse_address(std::str::from_utf8(entry).ok()?.trim())?;
        if !proxies.contains(address) {
            return Some(address);
        }
    }
    None
}

/// An address; some proxies append a port, or put brackets around an IPv6 address.
fn parse_address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|entry| entry.strip_suffix(']'));
    let alone = bare.unwrap_or(entry).parse::<IpAddr>().ok();
    let address = alone.or_else(|| Some(entry.parse::<SocketAddr>().ok()?.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    /// The header is trusted from trusted proxies only, from the right, and only as far as they vouch for it.
    #[test]
    fn only_trusted_proxies_are_believed() {
        let proxies = Networks::parse(&["10.0.0.0/8".to_owned(), "2001:db8::/32".to_owned()]).unwrap();
        for (peer, lines, want) in [
            // No proxy.
            ("203.0.113.5:1", &[][..], Some("203.0.113.5")),
            ("[::ffff:203.0.113.5]:1", &[], Some("203.0.113.5")),
            // The client claims it itself.
            ("203.0.113.5:1", &["192.0.2.7"], Some("203.0.113.5")),
            ("203.0.113.5:1", &["192.0.2.7, 10.0.0.1"], Some("203.0.113.5")),
            // One proxy, then two.
            ("10.0.0.1:1", &["192.0.2.7"], Some("192.0.2.7")),
            ("10.0.0.1:1", &["192.0.2.7, 10.1.1.1"], Some("192.0.2.7")),
            ("10.0.0.1:1", &["192.0.2.7", "10.1.1.1"], Some("192.0.2.7")),
            ("[::ffff:10.0.0.1]:1", &["192.0.2.7"], Some("192.0.2.7")),
            ("[2001:db8::1]:1", &["192.0.2.7"], Some("192.0.2.7")),
            // Everything left of the client may be the client's invention.
            ("10.0.0.1:1", &["192.0.2.7, 203.0.113.5"], Some("203.0.113.5")),
            (
                "10.0.0.1:1",
                &["192.0.2.7", "203.0.113.5, 10.1.1.1"],
                Some("203.0.113.5"),
            ),
            ("10.0.0.1:1", &["rubbish, 203.0.113.5"], Some("203.0.113.5")),
            // Formats of some proxies.
            ("10.0.0.1:1", &["192.0.2.7:4711"], Some("192.0.2.7")),
            ("10.0.0.1:1", &["[2001:db9::7]:4711"], Some("2001:db9::7")),
            ("10.0.0.1:1", &["[2001:db9::7]"], Some("2001:db9::7")),
            ("10.0.0.1:1", &["::ffff:192.0.2.7"], Some("192.0.2.7")),
            // Unknown.
            ("10.0.0.1:1", &[], None),
            ("10.0.0.1:1", &[""], None),
            ("10.0.0.1:1", &["unknown"], None),
            ("10.0.0.1:1", &["192.0.2.7, "], None),
            ("10.0.0.1:1", &["192.0.2.7, rubbish, 10.1.1.1"], None),
            ("10.0.0.1:1", &["10.1.1.1"], None),
        ] {
            let request = TestRequest::default().peer_addr(peer.parse().unwrap());
            let request = lines
                .iter()
                .fold(request, |request, line| request.append_header((FORWARDED, *line)));
            let found = client_address(&request.to_http_request(), &proxies);
            assert_eq!(found, want.map(|want| want.parse().unwrap()), "{peer} {lines:?}");
        }
        assert_eq!(
            client_address(&TestRequest::default().to_http_request(), &proxies),
            None
        );
    }
}
