//! The configuration in force as TOML, with every secret hidden.

use std::fmt;
use std::time::Duration;

use toml::{Table, Value};
use url::Url;

use super::retention::in_days;
use super::{
    ApiConfig, ChannelConfig, Config, LogFormat, MonoApiVersion, MonoConfig, RecordsConfig, SmsConfig, StoreConfig,
};
use crate::core::pin::SubscriberPin;
use crate::core::policy::{Policy, SecretsOverSms, SecretsOverUssd};
use crate::gateways::limit_overrides::LimitOverrides;
use crate::service::admission::TurnRates;

const HIDDEN: &str = "(set)";

/// What is in force. Can be pasted back as a file once the secrets are filled in.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::from_iter([
            pair("server", self.server()),
            pair("store", Table::from_iter([pair("url", self.store_url())])),
            pair("records", Table::from_iter([pair("url", self.records_url())])),
            pair("keys", self.keys()),
            pair(
                "retention",
                Table::from_iter(in_days(&self.retention).map(|(key, days)| pair(key, days))),
            ),
            pair("limits", limits(self.limits)),
            pair("api", api(self.api)),
            pair("policy", policy(&self.policy, self.subscriber_pin)),
            pair("partner", self.partner()),
            pair("channels", self.channels.iter().map(channel).collect::<Vec<_>>()),
            pair(
                "providers",
                self.providers
                    .mono
                    .iter()
                    .map(|found| pair("mono", mono(found)))
                    .collect::<Table>(),
            ),
            pair("log", self.log()),
        ]);
        for (base, (who, path)) in self.public_base_url().iter().cycle().zip(self.callback_urls()) {
            writeln!(f, "# {who}: {base}{path}")?;
        }
        if !self.sms.is_empty() {
            table.extend([pair("sms", self.sms.iter().map(sms).collect::<Vec<_>>())]);
        }
        f.write_str(&toml::to_string(&table).map_err(|_| fmt::Error)?)
    }
}

impl Config {
    /// Who calls this server, and at which path of it, without secrets: what an operator sets up at gateways and
    /// providers.
    pub fn callback_urls(&self) -> Vec<(String, String)> {
        let channels = self.channels.iter().map(|channel| {
            let name = &channel.name;
            (format!("gateway of {name}"), format!("/ussd/{name}/(secret)"))
        });
        let mono = self.providers.mono.iter();
        let mono = mono.map(|_| ("webhooks of mono".to_owned(), "/hooks/mono".to_owned()));
        channels.chain(mono).collect()
    }

    /// The public URL, for paths to be put behind.
    pub fn public_base_url(&self) -> Option<String> {
        let url = self.server.public_url.as_ref()?;
        Some(url.as_str().trim_end_matches('/').to_owned())
    }

    fn server(&self) -> Table {
        let mut table = Table::from_iter([pair("listen", self.server.listen.to_string())]);
        table.extend(
            self.server
                .public_url
                .iter()
                .map(|url| pair("public_url", url.as_str())),
        );
        table.extend([pair("trusted_proxies", self.server.trusted_proxies.to_strings())]);
        table
    }

    fn store_url(&self) -> String {
        match &self.store {
            StoreConfig::Memory => "memory:".to_owned(),
            StoreConfig::Redis(url) => Url::parse(url.expose()).map_or_else(|_| HIDDEN.to_owned(), without_password),
        }
    }

    fn records_url(&self) -> String {
        match &self.records {
            RecordsConfig::Sqlite(path) => format!("sqlite:{}", path.display()),
            RecordsConfig::Postgres(url) => {
                Url::parse(url.expose()).map_or_else(|_| HIDDEN.to_owned(), hidden_password)
            }
        }
    }

    fn keys(&self) -> Table {
        Table::from_iter([
            pair("dir", self.keys.dir.display().to_string()),
            pair("active", self.keys.active.as_str()),
        ])
    }

    fn partner(&self) -> Table {
        Table::from_iter([
            pair("name", self.partner.name.as_str()),
            pair("purpose", self.partner.purpose.as_str()),
            pair("data_days", i64::from(self.partner.data_days)),
        ])
    }

    fn log(&self) -> Table {
        let format = match self.log.format {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        };
        Table::from_iter([pair("format", format), pair("level", self.log.level.as_str())])
    }
}

fn pair(key: &str, value: impl Into<Value>) -> (String, Value) {
    (key.to_owned(), value.into())
}

/// A query is left out, too: managed services put credentials there.
fn without_password(mut url: Url) -> String {
    url.set_query(None);
    hidden_password(url)
}

fn hidden_password(mut url: Url) -> String {
    if url.password().is_some() && url.set_password(Some("hidden")).is_err() {
        return HIDDEN.to_owned();
    }
    url.to_string()
}

fn word(rule: SecretsOverUssd) -> &'static str {
    match rule {
        SecretsOverUssd::Allow => "allow",
        SecretsOverUssd::Warn => "warn",
        SecretsOverUssd::Deny => "deny",
    }
}

fn texted(rule: SecretsOverSms) -> &'static str {
    match rule {
        SecretsOverSms::Allow => "allow",
        SecretsOverSms::Deny => "deny",
    }
}

fn policy(policy: &Policy, subscriber_pin: SubscriberPin) -> Table {
    let exceptions: Vec<_> = policy
        .overrides
        .iter()
        .map(|rule| {
            let named = [
                ("country", &rule.country),
                ("provider", &rule.provider),
                ("institution", &rule.institution),
            ];
            let mut table: Table = named
                .into_iter()
                .filter_map(|(key, value)| Some(pair(key, value.as_deref()?)))
                .collect();
            table.extend(rule.secrets_over_ussd.map(|rule| pair("secrets_over_ussd", word(rule))));
            table.extend(rule.secrets_over_sms.map(|rule| pair("secrets_over_sms", texted(rule))));
            table
        })
        .collect();
    let mut table = Table::from_iter([
        pair("secrets_over_ussd", word(policy.secrets_over_ussd)),
        pair("secrets_over_sms", texted(policy.secrets_over_sms)),
        pair("card_and_pin", policy.card_and_pin),
        pair("subscriber_pin", super::policy::pin_word(subscriber_pin)),
    ]);
    if !exceptions.is_empty() {
        table.extend([pair("overrides", exceptions)]);
    }
    table
}

fn limits(rates: TurnRates) -> Table {
    Table::from_iter([
        pair("turns_per_second", i64::from(rates.node.per_minute / 60)),
        pair("burst", i64::from(rates.node.burst)),
        pair("channel_turns_per_second", i64::from(rates.channel.per_minute / 60)),
        pair("person_turns_per_minute", i64::from(rates.person.per_minute)),
    ])
}

fn api(api: ApiConfig) -> Table {
    let lifetime = i64::try_from(api.token_lifetime.as_secs()).unwrap_or(i64::MAX);
    Table::from_iter([
        pair("token_lifetime_s", lifetime),
        pair("requests_per_second", i64::from(api.rate.per_minute / 60)),
        pair("burst", i64::from(api.rate.burst)),
    ])
}

fn channel(channel: &ChannelConfig) -> Table {
    let mut table = Table::from_iter([
        pair("name", channel.name.as_str()),
        pair("kind", "ussd"),
        pair("gateway", channel.gateway.as_str()),
        pair("service_code", channel.service_code.as_str()),
        pair("secret", HIDDEN),
        pair("country", channel.country.as_str()),
        pair("sources", channel.sources.to_strings()),
    ]);
    let agreement = &channel.limit_overrides;
    table.extend(agreed(agreement.all_networks));
    let networks = agreement.networks.iter().map(|(code, own)| {
        let mut table = Table::from_iter([pair("code", code.as_str())]);
        table.extend(agreed(*own));
        table
    });
    let networks: Vec<_> = networks.collect();
    if !networks.is_empty() {
        table.extend([pair("networks", networks)]);
    }
    table
}

fn agreed(agreed: LimitOverrides) -> impl Iterator<Item = (String, Value)> {
    let seconds = |time: Option<Duration>| time.and_then(|time| i64::try_from(time.as_secs()).ok());
    let found = [
        ("turn", seconds(agreed.turn)),
        ("dialog", seconds(agreed.dialog)),
        ("idle", seconds(agreed.idle)),
        ("out_septets", agreed.out_septets.map(i64::from)),
    ];
    found.into_iter().filter_map(|(key, value)| Some(pair(key, value?)))
}

fn sms(sms: &SmsConfig) -> Table {
    let mut table = Table::from_iter([
        pair("name", sms.name.as_str()),
        pair("gateway", sms.gateway.as_str()),
        pair("base_url", sms.base_url.as_str()),
        pair("api_key", HIDDEN),
        pair("secret", HIDDEN),
        pair("country", sms.country.as_str()),
        pair("daily_cap", i64::from(sms.daily_cap)),
    ]);
    let options = [
        ("username", &sms.username),
        ("route", &sms.route),
        ("sender", &sms.sender),
    ];
    let given = options
        .into_iter()
        .filter_map(|(key, value)| Some(pair(key, value.as_deref()?)));
    table.extend(given);
    table.extend(sms.signing_key.iter().map(|_| pair("signing_key", HIDDEN)));
    table
}

fn mono(mono: &MonoConfig) -> Table {
    let customer = [
        pair("name", mono.customer.name.as_str()),
        pair("email", mono.customer.email.as_str()),
    ];
    let dialect = match mono.dialect {
        MonoApiVersion::V2 => "v2",
        MonoApiVersion::V1 => "v1",
    };
    let ttl = i64::try_from(mono.institutions_ttl.as_secs()).unwrap_or(i64::MAX);
    let mut table = Table::from_iter([
        pair("base_url", mono.base_url.as_str()),
        pair("secret_key", HIDDEN),
        pair("dialect", dialect),
        pair("customer", Table::from_iter(customer)),
        pair("institutions_ttl", ttl),
        pair("timeout", i64::try_from(mono.timeout.as_secs()).unwrap_or(i64::MAX)),
        pair("favourites", mono.favourites.clone()),
    ]);
    let open = &mono.unpublished;
    let mut found = Table::new();
    found.extend(
        open.unlink_member
            .iter()
            .map(|name| pair("unlink_member", name.as_str())),
    );
    found.extend(open.renewal_path.iter().map(|path| pair("renewal_path", path.as_str())));
    found.extend(open.renewal_code.map(|is| pair("renewal_code", is)));
    found.extend(
        open.account_names_session
            .map(|does| pair("account_names_session", does)),
    );
    if !found.is_empty() {
        table.extend([pair("unpublished", found)]);
    }
    table.extend(mono.app_id.iter().map(|id| pair("app_id", id.as_str())));
    table.extend(mono.webhook_secret.iter().map(|_| pair("webhook_secret", HIDDEN)));
    table
}
