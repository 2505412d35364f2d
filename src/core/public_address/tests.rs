//! Everything that must not be called, and what may be.

use super::*;

const PRODUCTION: PublicAddressPolicy = PublicAddressPolicy { allow_loopback: false };
const SANDBOX: PublicAddressPolicy = PublicAddressPolicy { allow_loopback: true };

/// First and last address of every range of the registries that leads nowhere on the internet.
const CLOSED: &[(&str, &str)] = &[
    ("0.0.0.0", "0.255.255.255"),
    ("10.0.0.0", "10.255.255.255"),
    ("100.64.0.0", "100.127.255.255"),
    ("169.254.0.0", "169.254.255.255"),
    ("172.16.0.0", "172.31.255.255"),
    ("192.0.0.0", "192.0.0.255"),
    ("192.0.2.0", "192.0.2.255"),
    ("192.88.99.0", "192.88.99.255"),
    ("192.168.0.0", "192.168.255.255"),
    ("198.18.0.0", "198.19.255.255"),
    ("198.51.100.0", "198.51.100.255"),
    ("203.0.113.0", "203.0.113.255"),
    ("224.0.0.0", "239.255.255.255"),
    ("240.0.0.0", "255.255.255.255"),
    // Compatible, mapped, translated: IPv4 in other words.
    ("::", "::"),
    ("::2", "::ffff:ffff"),
    ("::ffff:0.0.0.0", "::ffff:255.255.255.255"),
    ("::ffff:0:0:0", "::ffff:0:ffff:ffff"),
    ("64:ff9b::", "64:ff9b::ffff:ffff"),
    ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"),
    ("100::", "100::ffff:ffff:ffff:ffff"),
    ("100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff"),
    ("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff"),
    ("2001:10::", "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001:20::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001:1ff::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("4000::", "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
];

/// The neighbours of those ranges, and some that everybody knows.
const OPEN: &[&str] = &[
    "1.0.0.0",
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.3.0",
    "192.88.98.255",
    "192.88.100.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "2000::",
    "2001:200::",
    "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db9::",
    "2001:4860:4860::8888",
    "2003::",
    "2606:4700:4700::1111",
    "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "3fff:1000::",
    "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
];

/// Both ends of every closed range are closed, in the sandbox too; what stands beside them is open.
#[test]
fn addresses_of_the_registries() {
    for (first, last) in CLOSED {
        for text in [first, last] {
            let address = text.parse().unwrap();
            assert!(
                !PRODUCTION.allows_address(address) && !SANDBOX.allows_address(address),
                "{text}"
            );
        }
    }
    for text in OPEN {
        let address = text.parse().unwrap();
        assert!(
            PRODUCTION.allows_address(address) && SANDBOX.allows_address(address),
            "{text}"
        );
    }
}

/// Loopback is for the sandbox only; loopback that wears an IPv6 dress is for nobody.
#[test]
fn loopback_is_for_the_sandbox() {
    for text in ["127.0.0.0", "127.0.0.1", "127.255.255.255", "::1"] {
        let address = text.parse().unwrap();
        assert!(
            !PRODUCTION.allows_address(address) && SANDBOX.allows_address(address),
            "{text}"
        );
    }
    for text in ["::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"] {
        assert!(!SANDBOX.allows_address(text.parse().unwrap()), "{text}");
    }
}

/// What is no https URL of a public host is refused as it is given, whatever the spelling, in the sandbox as well.
#[test]
fn odd_spellings_are_refused() {
    for (text, want) in [
        ("", WebhookUrlError::NotAUrl),
        ("hooks.example.com/in", WebhookUrlError::NotAUrl),
        ("https://", WebhookUrlError::NotAUrl),
        ("https://hooks.example.com/a b", WebhookUrlError::NotAUrl),
        ("https://hooks.example.com\\@127.0.0.1/", WebhookUrlError::NotAUrl),
        ("https://hooks.exa\tmple.com/", WebhookUrlError::NotAUrl),
        ("https://b\u{fc}cher.example.com/", WebhookUrlError::NotAUrl),
        ("https://\u{ff11}\u{ff12}\u{ff17}.0.0.1/", WebhookUrlError::NotAUrl),
        ("https://\u{24db}ocalhost/", WebhookUrlError::NotAUrl),
        ("https://127\u{3002}0\u{3002}0\u{3002}1/", WebhookUrlError::NotAUrl),
        ("https://256.1.1.1/", WebhookUrlError::NotAUrl),
        ("ftp://hooks.example.com/", WebhookUrlError::NotHttps),
        ("file:///etc/passwd", WebhookUrlError::NotHttps),
        ("gopher://hooks.example.com/", WebhookUrlError::NotHttps),
        ("http://hooks.example.com/in", WebhookUrlError::NotHttps),
        ("http://169.254.169.254/latest/meta-data/", WebhookUrlError::NotHttps),
        ("http://127.0.0.1.example.com/", WebhookUrlError::NotHttps),
        ("http://localhost.example.com/", WebhookUrlError::NotHttps),
        ("https://ada:pass@hooks.example.com/", WebhookUrlError::ExtraParts),
        ("https://hooks.example.com@10.0.0.1/", WebhookUrlError::ExtraParts),
        ("https://@hooks.example.com/", WebhookUrlError::ExtraParts),
        ("https://hooks.example.com/#here", WebhookUrlError::ExtraParts),
        ("https://2130706433/", WebhookUrlError::Host),
        ("https://0x7f000001/", WebhookUrlError::Host),
        ("https://0x7f.0.0.1/", WebhookUrlError::Host),
        ("https://0177.0.0.1/", WebhookUrlError::Host),
        ("https://017700000001/", WebhookUrlError::Host),
        ("https://127.1/", WebhookUrlError::Host),
        ("https://127.0.1/", WebhookUrlError::Host),
        ("https://0/", WebhookUrlError::Host),
        ("https://127.0.0.1./", WebhookUrlError::Host),
        ("https://%6cocalhost/", WebhookUrlError::Host),
        ("https://localhost./", WebhookUrlError::Host),
        ("https://a.localhost/", WebhookUrlError::Host),
        ("https://hooks.example.com./", WebhookUrlError::Host),
        ("https://intranet/", WebhookUrlError::Host),
        ("https://printer.local/", WebhookUrlError::Host),
        ("https://metadata.google.internal/", WebhookUrlError::Host),
        ("https://hidden.onion/", WebhookUrlError::Host),
        ("https://8.8.8.8/", WebhookUrlError::Host),
        ("https://10.0.0.1/", WebhookUrlError::Host),
        ("https://[2606:4700:4700::1111]/", WebhookUrlError::Host),
        ("https://[::ffff:127.0.0.1]/", WebhookUrlError::Host),
        ("https://[0:0:0:0:0:0:0:1]/", WebhookUrlError::Host),
        ("https://[64:ff9b::7f00:1]/", WebhookUrlError::Host),
        ("https://hooks.example.com:25/", WebhookUrlError::Port),
        ("https://hooks.example.com:80/", WebhookUrlError::Port),
        ("https://hooks.example.com:0/", WebhookUrlError::Port),
        ("https://hooks.example.com:1023/", WebhookUrlError::Port),
    ] {
        for outside in [PRODUCTION, SANDBOX] {
            assert_eq!(outside.parse_url(text).err(), Some(want), "{text} {outside:?}");
        }
    }
    let long = format!("https://hooks.example.com/{}", "a".repeat(2048));
    assert_eq!(PRODUCTION.parse_url(&long), Err(WebhookUrlError::NotAUrl));
}

/// Public hosts are taken as they are; this machine in the sandbox only, with or without TLS.
#[test]
fn good_urls_are_taken() {
    for text in [
        "https://hooks.example.com",
        "https://HOOKS.example.com:443/in?partner=7",
        "https://hooks.example.com:8443/a/b",
        "https://xn--bcher-kva.example.com/",
        "https://localhost.example.com/",
        "https://10.0.0.1.example.com/@here",
    ] {
        assert!(
            PRODUCTION.parse_url(text).is_ok() && SANDBOX.parse_url(text).is_ok(),
            "{text}"
        );
    }
    for (text, production) in [
        ("http://127.0.0.1:9000/in", WebhookUrlError::NotHttps),
        ("http://localhost/in", WebhookUrlError::NotHttps),
        ("http://[::1]:9000/in", WebhookUrlError::NotHttps),
        ("https://127.0.0.1:9443/in", WebhookUrlError::Host),
        ("https://localhost:9443/in", WebhookUrlError::Host),
    ] {
        assert_eq!(PRODUCTION.parse_url(text), Err(production), "{text}");
        assert!(SANDBOX.parse_url(text).is_ok(), "{text}");
    }
}

/// What was stored is looked at once more before it is called: a bare address is weighed, and nothing goes out without
/// TLS, even if it was registered when this was a sandbox.
#[test]
fn a_stored_url_is_looked_at_again() {
    for (text, production, sandbox) in [
        ("https://hooks.example.com/", true, true),
        ("https://8.8.8.8/", true, true),
        ("https://10.0.0.1/", false, false),
        ("https://2130706433/", false, true),
        ("https://[::ffff:10.0.0.1]/", false, false),
        ("https://[64:ff9b::a00:1]/", false, false),
        ("http://127.0.0.1:9000/", false, true),
        ("http://hooks.example.com/", false, false),
    ] {
        let url = Url::parse(text).unwrap();
        let admitted = (PRODUCTION.allows_url(&url), SANDBOX.allows_url(&url));
        assert_eq!(admitted, (production, sandbox), "{text}");
    }
}
