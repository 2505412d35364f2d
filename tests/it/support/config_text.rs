//! A configuration with every section that a server needs, for tests to change.

use std::path::Path;

/// One that is good, at places that need not exist.
pub const GOOD: &str = r#"
[server]
listen = "127.0.0.1:0"
public_url = "https://link.example.com"

[store]
url = "redis://:redis-pass-word@10.0.0.5:6379/0"

[records]
url = "sqlite:/var/lib/kiungo/kiungo.db"

[keys]
dir = "/etc/kiungo/keys"
active = "k2"

[policy]
secrets_over_ussd = "deny"
card_and_pin = true
subscriber_pin = "required"
ask_login_after_days = 90

[[policy.overrides]]
country = "NG"
provider = "mono"
secrets_over_ussd = "warn"

[partner]
name = "Duka Credit"
purpose = "a loan decision"

[[channels]]
name = "ng-main"
kind = "ussd"
gateway = "africastalking"
service_code = "*384*96#"
secret = "0123456789abcdef-A_"
country = "NG"

[providers.mono]
secret_key = "live_sk_1234567890"
customer = { name = "Duka {ref}", email = "kiungo+{ref}@duka.example" }
favourites = ["Zenith Bank", "GTBank"]

[providers.mono.eligibility]
registered = true
licence = "own"
trading_six_months = true
agreement_signed_on = 2024-01-31
stated_by = "Ada Obi"
"#;

/// One that a server of its own runs with, beside its keys in `keys` below this folder; in memory but for the records.
pub fn runnable(dir: &Path) -> String {
    let dir = dir.display();
    replaced(
        GOOD,
        &[
            ("public_url = \"https://link.example.com\"\n", ""),
            ("redis://:redis-pass-word@10.0.0.5:6379/0", "memory:"),
            ("/var/lib/kiungo/kiungo.db", &format!("{dir}/kiungo.db")),
            ("/etc/kiungo/keys", &format!("{dir}/keys")),
            ("\"k2\"", "\"k1\""),
            ("\"required\"", "\"optional\""),
        ],
    )
}

/// A text with each of these in place of what stands there.
///
/// # Panics
/// When something does not stand there.
pub fn replaced(text: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from:?} is not in the text");
        text.replacen(from, to, 1)
    })
}
