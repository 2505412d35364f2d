//! Everything that must not be called, and what may be.

use super::*;

const PRODUCTION: Outside = Outside { loopback: false };
const SANDBOX: Outside = Outside { loopback: true };

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
            assert!(!PRODUCTION.admits(address) && !SANDBOX.admits(address), "{text}");
        }
    }
    for text in OPEN {
        let address = text.parse().unwrap();
        assert!(PRODUCTION.admits(address) && SANDBOX.admits(address), "{text}");
    }
}

/// Loopback is for the sandbox only; loopback that wears an IPv6 dress is for nobody.
#[test]
fn loopback_is_for_the_sandbox() {
    for text in ["127.0.0.0", "127.0.0.1", "127.255.255.255", "::1"] {
        let address = text.parse().unwrap();
        assert!(!PRODUCTION.admits(address) && SANDBOX.admits(address), "{text}");
    }
    for text in ["::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"] {
        assert!(!SANDBOX.admits(text.parse().unwrap()), "{text}");
    }
}

/// What is no https URL of a public host is refused as it is given, whatever the spelling, in the sandbox as well.
#[test]
fn odd_spellings_are_refused() {
    for (text, want) in [
        ("", UrlFault::NotAUrl),
        ("hooks.example.com/in", UrlFault::NotAUrl),
        ("https://", UrlFault::NotAUrl),
        ("https://hooks.example.com/a b", UrlFault::NotAUrl),
        ("https://hooks.example.com\\@127.0.0.1/", UrlFault::NotAUrl),
        ("https://hooks.exa\tmple.com/", UrlFault::NotAUrl),
        ("https://b\u{fc}cher.example.com/", UrlFault::NotAUrl),
        ("https://\u{ff11}\u{ff12}\u{ff17}.0.0.1/", UrlFault::NotAUrl),
        ("https://\u{24db}ocalhost/", UrlFault::NotAUrl),
        ("https://127\u{3002}0\u{3002}0\u{3002}1/", UrlFault::NotAUrl),
        ("https://256.1.1.1/", UrlFault::NotAUrl),
        ("ftp://hooks.example.com/", UrlFault::NotHttps),
        ("file:///etc/passwd", UrlFault::NotHttps),
        ("gopher://hooks.example.com/", UrlFault::NotHttps),
        ("http://hooks.example.com/in", UrlFault::NotHttps),
        ("http://169.254.169.254/latest/meta-data/", UrlFault::NotHttps),
        ("http://127.0.0.1.example.com/", UrlFault::NotHttps),
        ("http://localhost.example.com/", UrlFault::NotHttps),
        ("https://ada:pass@hooks.example.com/", UrlFault::Extra),
        ("https://hooks.example.com@10.0.0.1/", UrlFault::Extra),
        ("https://@hooks.example.com/", UrlFault::Extra),
        ("https://hooks.example.com/#here", UrlFault::Extra),
        ("https://2130706433/", UrlFault::Host),
        ("https://0x7f000001/", UrlFault::Host),
        ("https://0x7f.0.0.1/", UrlFault::Host),
        ("https://0177.0.0.1/", UrlFault::Host),
        ("https://017700000001/", UrlFault::Host),
        ("https://127.1/", UrlFault::Host),
        ("https://127.0.1/", UrlFault::Host),
        ("https://0/", UrlFault::Host),
        ("https://127.0.0.1./", UrlFault::Host),
        ("https://%6cocalhost/", UrlFault::Host),
        ("https://localhost./", UrlFault::Host),
        ("https://a.localhost/", UrlFault::Host),
        ("https://hooks.example.com./", UrlFault::Host),
        ("https://intranet/", UrlFault::Host),
        ("https://printer.local/", UrlFault::Host),
        ("https://metadata.google.internal/", UrlFault::Host),
        ("https://hidden.onion/", UrlFault::Host),
        ("https://8.8.8.8/", UrlFault::Host),
        ("https://10.0.0.1/", UrlFault::Host),
        ("https://[2606:4700:4700::1111]/", UrlFault::Host),
        ("https://[::ffff:127.0.0.1]/", UrlFault::Host),
        ("https://[0:0:0:0:0:0:0:1]/", UrlFault::Host),
        ("https://[64:ff9b::7f00:1]/", UrlFault::Host),
        ("https://hooks.example.com:25/", UrlFault::Port),
        ("https://hooks.example.com:80/", UrlFault::Port),
        ("https://hooks.example.com:0/", UrlFault::Port),
        ("https://hooks.example.com:1023/", UrlFault::Port),
    ] {
        for outside in [PRODUCTION, SANDBOX] {
            assert_eq!(outside.url(text).err(), Some(want), "{text} {outside:?}");
        }
    }
    let long = format!("https://hooks.example.com/{}", "a".repeat(2048));
    assert_eq!(PRODUCTION.url(&long), Err(UrlFault::NotAUrl));
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
        assert!(PRODUCTION.url(text).is_ok() && SANDBOX.url(text).is_ok(), "{text}");
    }
    for (text, production) in [
        ("http://127.0.0.1:9000/in", UrlFault::NotHttps),
        ("http://localhost/in", UrlFault::NotHttps),
        ("http://[::1]:9000/in", UrlFault::NotHttps),
        ("https://127.0.0.1:9443/in", UrlFault::Host),
        ("https://localhost:9443/in", UrlFault::Host),
    ] {
        assert_eq!(PRODUCTION.url(text), Err(production), "{text}");
        assert!(SANDBOX.url(text).is_ok(), "{text}");
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
        let admitted = (PRODUCTION.admits_url(&url), SANDBOX.admits_url(&url));
        assert_eq!(admitted, (production, sandbox), "{text}");
    }
}
