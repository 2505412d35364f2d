//! The configuration in force, as TOML with every secret redacted: it can be pasted back as a file once the secrets are
//! filled in. Each section says how it is serialized, beside how it is read. The URLs that gateways and providers must be
//! told come first, as comments.

use std::fmt;

use super::Config;
use crate::gateways::sms::REPORTS_PATH;

/// A path of this server that a gateway or a provider calls: what an operator registers there.
pub struct CallbackUrl {
    /// The channel, SMS gateway or provider, by its name in the configuration.
    pub channel: String,
    /// What is sent there.
    pub purpose: &'static str,
    /// Below the public URL, with `(secret)` in place of the secret.
    pub path: String,
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(base) = self.public_base_url() {
            for CallbackUrl { channel, purpose, path } in self.callback_urls() {
                writeln!(f, "# {purpose} of {channel}: {base}{path}")?;
            }
        }
        f.write_str(&toml::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl Config {
    /// Everything that calls this server: USSD channels, SMS gateways, providers.
    pub fn callback_urls(&self) -> Vec<CallbackUrl> {
        let ussd = self.channels.iter().flat_map(|channel| {
            channel.callback_paths.iter().map(|path| CallbackUrl {
                channel: channel.name.clone(),
                purpose: "gateway",
                path: format!("/ussd/{}/(secret)/{path}", channel.name)
                    .trim_end_matches('/')
                    .to_owned(),
            })
        });
        let sms = self.sms.iter().flat_map(|sms| {
            let paths = sms.registration.0.requirements.callback_paths;
            paths.iter().map(|path| CallbackUrl {
                channel: sms.name.clone(),
                purpose: if *path == REPORTS_PATH {
                    "delivery reports"
                } else {
                    "incoming SMS"
                },
                path: format!("/sms/{}/(secret)/{path}", sms.name)
                    .trim_end_matches('/')
                    .to_owned(),
            })
        });
        let providers = self.providers.0.iter().map(|provider| CallbackUrl {
            channel: provider.registration.name.to_owned(),
            purpose: "webhooks",
            path: format!("/hooks/{}", provider.registration.name),
        });
        ussd.chain(sms).chain(providers).collect()
    }

    /// The public URL, without a trailing slash.
    pub fn public_base_url(&self) -> Option<String> {
        self.server.public_base_url()
    }
}
