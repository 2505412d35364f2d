//! What is right by itself and wrong beside the rest: secrets that are guessed easily or used twice, and how requests come.

use std::collections::BTreeMap;

use url::Url;

use super::section::Section;
use super::{ChannelConfig, Mode, ProvidersConfig, ServerConfig, SmsConfig};

/// Secrets of ours that contain one of these were taken from an example.
const PLACEHOLDERS: [&str; 8] = [
    "changeme",
    "change-me",
    "change_me",
    "replace-me",
    "replace_me",
    "placeholder",
    "your-secret",
    "your_secret",
];
/// The fewest different characters of a secret that somebody has drawn.
const MIN_DISTINCT: usize = 6;
/// What is this often again and again is no secret.
const LONGEST_REPEAT: usize = 8;
const DRAW: &str = "draw one with: openssl rand -hex 24";

/// Looks at a whole configuration, outside the sandbox.
pub(super) fn report(
    root: &Section<'_>,
    server: Option<&ServerConfig>,
    channels: &[ChannelConfig],
    sms: &[SmsConfig],
    providers: &ProvidersConfig,
) {
    if root.mode() == Mode::Sandbox {
        return;
    }
    let secrets = own_secrets(channels, sms, providers);
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (key, secret) in &secrets {
        if is_easy(secret) {
            root.report(key, "is easy to guess", DRAW);
        }
        match seen.insert(secret, key) {
            Some(other) if kind(other) == kind(key) => {
                root.report(key, format!("is the same as {other}: who has one URL has both"), DRAW);
            }
            Some(other) => root.warn(key, format!("is the same as {other}"), DRAW),
            None => {}
        }
    }
    for (place, channel) in channels.iter().enumerate() {
        if !sms.is_empty() && !sms.iter().any(|sms| sms.country == channel.country) {
            root.warn(
                &format!("channels[{place}].country"),
                "is no country of an [[sms]]: nobody there is sent a text, or offered what needs one",
                "add an [[sms]] for it; without one the next dial tells everything else",
            );
        }
    }
    if let Some(server) = server {
        report_transport(root, server, !sms.is_empty());
    }
}

/// Those that others call us with, by their keys.
fn own_secrets<'a>(
    channels: &'a [ChannelConfig],
    sms: &'a [SmsConfig],
    providers: &'a ProvidersConfig,
) -> Vec<(String, &'a str)> {
    let channels = channels.iter().enumerate();
    let channels = channels.map(|(place, channel)| (format!("channels[{place}].secret"), channel.secret.expose()));
    let sms = sms.iter().enumerate();
    let sms = sms.map(|(place, sms)| (format!("sms[{place}].secret"), sms.secret.expose()));
    let hooks = providers.0.iter().filter_map(|provider| {
        let secret = provider.keys.get("webhook_secret")?;
        Some((
            format!("providers.{}.webhook_secret", provider.registration.name),
            secret.expose(),
        ))
    });
    channels.chain(sms).chain(hooks).collect()
}

fn kind(key: &str) -> &str {
    key.split(['[', '.']).next().unwrap_or_default()
}

fn is_easy(secret: &str) -> bool {
    let mut distinct: Vec<_> = secret.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let small = secret.to_ascii_lowercase();
    let bytes = secret.as_bytes();
    let repeats = |length: usize| bytes.len() >= 2 * length && bytes.iter().zip(&bytes[length..]).all(|(a, b)| a == b);
    distinct.len() < MIN_DISTINCT
        || PLACEHOLDERS.iter().any(|word| small.contains(word))
        || (1..=LONGEST_REPEAT).any(repeats)
}

fn report_transport(root: &Section<'_>, server: &ServerConfig, texts: bool) {
    let ServerConfig {
        listen,
        public_url,
        trusted_proxies,
        tls,
    } = server;
    let https = public_url.as_ref().is_some_and(|url| url.scheme() == "https");
    if tls.is_none() && trusted_proxies.is_empty() {
        if !listen.ip().is_loopback() {
            root.warn(
                "server.listen",
                "is open to others, and nothing says who takes their TLS: whatever comes from elsewhere in clear is refused",
                "set [server.tls], or list your proxy in trusted_proxies and let it send X-Forwarded-Proto",
            );
        } else if https {
            root.warn(
                "server.trusted_proxies",
                "is empty, while something in front has to take the TLS of public_url: all callers look like one",
                "list your proxy, 127.0.0.1 if it is on this machine",
            );
        }
    }
    if trusted_proxies
        .to_strings()
        .iter()
        .any(|network| network.ends_with("/0"))
    {
        root.warn(
            "server.trusted_proxies",
            "trusts everybody: anybody can claim any address, and to have come over TLS",
            "list only the addresses of your proxies",
        );
    }
    match public_url.as_ref().map(Url::scheme) {
        None if texts => root.warn(
            "server.public_url",
            "is missing: no text can lead to a page, and gateways cannot be told where to report",
            "say the https URL under which this server is reached",
        ),
        Some("http") => root.warn(
            "server.public_url",
            "is not https, so it is good on this machine only",
            "say the https URL under which this server is reached",
        ),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::is_easy;

    /// What nobody has drawn is found, and what somebody has is let through.
    #[test]
    fn easy_secrets_are_found() {
        for easy in [
            "aaaaaaaaaaaaaaaa",
            "abababababababab",
            "secret12secret12",
            "channel-changeme-1",
            "1111222233334444",
        ] {
            assert!(is_easy(easy), "{easy}");
        }
        for drawn in [
            "0123456789abcdef-A_",
            "f3b1c8a07d5e4962b18c",
            "field-channel-secret-0001",
        ] {
            assert!(!is_easy(drawn), "{drawn}");
        }
    }
}
