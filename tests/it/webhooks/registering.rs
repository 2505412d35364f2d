//! Where a partner may have webhooks sent to, as production sees it. (W5)

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use kiungo::ambient::OsRng;
use kiungo::core::access::Caller;
use kiungo::core::public_address::PublicAddressPolicy;
use kiungo::http_client::HttpClientOptions;
use kiungo::http_client::ssrf_safe::{Resolver, SsrfSafeClient};
use kiungo::service::partners::context::RequestContext;
use kiungo::service::partners::error::ApiError;
use kiungo::service::partners::webhook_endpoints::{NewEndpoint, WebhookEndpointApi};

use super::kit::Kit;
use crate::support::events::whole_partner;
use crate::support::records::partner;

const PRODUCTION: PublicAddressPolicy = PublicAddressPolicy { allow_loopback: false };

/// Knows some names.
struct Names(HashMap<&'static str, &'static [&'static str]>);

#[async_trait]
impl Resolver for Names {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let addresses = self.0.get(name).ok_or_else(|| io::Error::other("no such name"))?;
        Ok(addresses.iter().map(|address| address.parse().unwrap()).collect())
    }
}

/// Names that lead outside, inside, and to both.
fn names() -> Names {
    Names(HashMap::from([
        ("public.example.com", &["93.184.216.34", "2606:4700:4700::1111"][..]),
        ("loopback.example.com", &["127.0.0.1"]),
        ("private.example.com", &["10.1.2.3"]),
        ("metadata.example.com", &["169.254.169.254"]),
        ("both.example.com", &["93.184.216.34", "192.168.0.1"]),
        ("mapped.example.com", &["::ffff:10.0.0.1"]),
        ("nat64.example.com", &["64:ff9b::a00:1"]),
        ("6to4.example.com", &["2002:a00:1::"]),
        ("unique.example.com", &["fd00:ec2::254"]),
    ]))
}

/// In production nothing inside can be registered: no address, no odd spelling of one, this machine neither, and no name
/// that leads there, not even beside a public address. What leads nowhere yet can.
#[tokio::test]
async fn nothing_inside_can_be_registered() {
    let kit = Kit::new().await;
    let client = SsrfSafeClient::new(&HttpClientOptions::default(), PRODUCTION, Arc::new(names())).unwrap();
    let receivers = WebhookEndpointApi {
        records: kit.db.shared(),
        keyring: kit.keyring.clone(),
        outside: PRODUCTION,
        client: Arc::new(client),
        deps: kit.webhooks.deps.clone(),
    };
    let asked = RequestContext {
        caller: Caller::Partner(partner(1).id),
        scope: whole_partner(partner(1).id),
        rng: Arc::new(OsRng),
    };
    for (url, code) in [
        ("https://public.example.com/in", None),
        ("https://nobody-yet.example.com/in", None),
        ("https://loopback.example.com/in", Some("address_blocked")),
        ("https://private.example.com/in", Some("address_blocked")),
        ("https://metadata.example.com/in", Some("address_blocked")),
        ("https://both.example.com/in", Some("address_blocked")),
        ("https://mapped.example.com/in", Some("address_blocked")),
        ("https://nat64.example.com/in", Some("address_blocked")),
        ("https://6to4.example.com/in", Some("address_blocked")),
        ("https://unique.example.com/in", Some("address_blocked")),
        ("https://localhost/in", Some("host_not_public")),
        ("https://localhost./in", Some("host_not_public")),
        ("https://127.0.0.1/in", Some("host_not_public")),
        ("https://2130706433/in", Some("host_not_public")),
        ("https://017700000001/in", Some("host_not_public")),
        ("https://0x7f000001/in", Some("host_not_public")),
        ("https://127.1/in", Some("host_not_public")),
        ("https://[::1]/in", Some("host_not_public")),
        ("https://[::ffff:127.0.0.1]/in", Some("host_not_public")),
        ("https://[64:ff9b:1::7f00:1]/in", Some("host_not_public")),
        ("https://\u{ff11}\u{ff12}\u{ff17}.0.0.1/in", Some("not_a_url")),
        ("http://localhost/in", Some("not_https")),
        ("http://127.0.0.1:9000/in", Some("not_https")),
        ("https://ada:word@public.example.com/in", Some("not_plain")),
    ] {
        let new = NewEndpoint {
            url: url.to_owned(),
            kinds: Vec::new(),
        };
        let found = match receivers.create_endpoint(&asked, new).await {
            Ok(_) => None,
            Err(ApiError::Invalid(faults)) => Some(faults[0].code),
            Err(error) => panic!("{url}: {error}"),
        };
        assert_eq!(found, code, "{url}");
    }
    let made = kit
        .db
        .endpoints(&whole_partner(partner(1).id), None, 100)
        .await
        .unwrap();
    assert_eq!(made.len(), 1 + 2, "the kit's own, and the two that are public");
}
