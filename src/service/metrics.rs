//! Metrics. Labels are words from our own source, so that nothing personal can get in and the number of series is
//! bounded. The one exception is the ids of institutions, from their provider's list: only of those that were ever not
//! healthy, and of no more than their health is kept of.

mod labels;
mod outcomes;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use self::labels::{
    CallLabels, GatewayLabels, HeldBackLabels, InstitutionLabels, JobLabels, OutcomeLabels, ProviderLabels,
    RouteLabels, ScreenLabels, SealedLabels, StorageLabels, StrangerLabels, WebhookLabels,
};
pub use self::outcomes::{ProviderOutcome, Storage, TurnOutcome};
use crate::core::health::HealthLevel;

/// Upper bounds in seconds. Dense up to 4 s, where a turn must be over, with one bucket beyond it to see those that are not.
const TURN_BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0];
/// Upper bounds in seconds. Bank logins take tens of seconds.
const PROVIDER_BUCKETS: [f64; 9] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

type ProviderSeconds = Family<ProviderLabels, Histogram, fn() -> Histogram>;

/// All counters of this process. Shared; counting takes no lock worth speaking of.
pub struct Metrics {
    registry: Registry,
    turns: Family<OutcomeLabels, Counter>,
    turn_seconds: Histogram,
    turns_open: Gauge,
    screens: Family<ScreenLabels, Counter>,
    screens_given_up: Family<GatewayLabels, Counter>,
    sms_unreadable: Family<GatewayLabels, Counter>,
    invitations_refused: Family<OutcomeLabels, Counter>,
    sms_without_route: Counter,
    menu_reloads: Family<OutcomeLabels, Counter>,
    provider_calls: Family<CallLabels, Counter>,
    provider_seconds: ProviderSeconds,
    provider_webhooks: Family<WebhookLabels, Counter>,
    session_mismatches: Family<ProviderLabels, Counter>,
    health: Family<InstitutionLabels, Gauge>,
    held_back: Family<HeldBackLabels, Counter>,
    jobs: Family<JobLabels, Counter>,
    storage_errors: Family<StorageLabels, Counter>,
    requests: Family<RouteLabels, Counter>,
    strangers: Family<StrangerLabels, Counter>,
    sealed: Family<SealedLabels, Gauge>,
    log_lines_dropped: Counter,
    clock_ahead: Gauge<f64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    pub fn new() -> Self {
        let provider_histogram: fn() -> Histogram = || Histogram::new(PROVIDER_BUCKETS);
        let mut metrics = Self {
            registry: Registry::with_prefix("kiungo"),
            turns: Family::default(),
            turn_seconds: Histogram::new(TURN_BUCKETS),
            turns_open: Gauge::default(),
            screens: Family::default(),
            screens_given_up: Family::default(),
            sms_unreadable: Family::default(),
            invitations_refused: Family::default(),
            sms_without_route: Counter::default(),
            menu_reloads: Family::default(),
            provider_calls: Family::default(),
            provider_seconds: Family::new_with_constructor(provider_histogram),
            provider_webhooks: Family::default(),
            session_mismatches: Family::default(),
            health: Family::default(),
            held_back: Family::default(),
            jobs: Family::default(),
            storage_errors: Family::default(),
            requests: Family::default(),
            strangers: Family::default(),
            sealed: Family::default(),
            log_lines_dropped: Counter::default(),
            clock_ahead: Gauge::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("turns", "Turns, by how they ended", self.turns.clone());
        registry.register("turn_seconds", "How long turns took", self.turn_seconds.clone());
        registry.register("turns_open", "Turns being answered now", self.turns_open.clone());
        registry.register(
            "screens",
            "Screens shown: where people are, and where they stop",
            self.screens.clone(),
        );
        registry.register(
            "screens_given_up",
            "Screens that a gateway did not take in calls of ours",
            self.screens_given_up.clone(),
        );
        registry.register(
            "sms_unreadable",
            "Incoming SMS and delivery reports dropped because nobody can read them",
            self.sms_unreadable.clone(),
        );
        registry.register(
            "invitations_refused",
            "Invitations by SMS that partners asked for and that were not sent, by why",
            self.invitations_refused.clone(),
        );
        registry.register(
            "sms_without_route",
            "SMS that were not sent because no route is for their number's country",
            self.sms_without_route.clone(),
        );
        registry.register(
            "menu_reloads",
            "Reloads of the operator's words, by what became of them",
            self.menu_reloads.clone(),
        );
        self.register_calls();
    }

    /// What is counted of calls, to providers and to us, and of what goes on behind them.
    fn register_calls(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "provider_calls",
            "Calls to providers, by how they ended",
            self.provider_calls.clone(),
        );
        registry.register(
            "provider_seconds",
            "How long calls to providers took",
            self.provider_seconds.clone(),
        );
        registry.register(
            "provider_webhooks",
            "Authentic webhooks of providers, by what became of them",
            self.provider_webhooks.clone(),
        );
        registry.register(
            "session_mismatches",
            "Accounts that name another session",
            self.session_mismatches.clone(),
        );
        registry.register(
            "institution_health",
            "Institutions that were ever unwell: 0 healthy, 1 slow, 2 busy, 3 down",
            self.health.clone(),
        );
        registry.register(
            "held_back",
            "Calls to providers not made because of health",
            self.held_back.clone(),
        );
        registry.register("jobs", "Tries at jobs, by how they ended", self.jobs.clone());
        registry.register("keeper_errors", "Store or records failed", self.storage_errors.clone());
        registry.register("requests", "HTTP requests, by route and status", self.requests.clone());
        registry.register("strangers", "Wrong keys, tokens and secrets", self.strangers.clone());
        registry.register(
            "sealed_values",
            "Sealed values in the records, by the key they stand under",
            self.sealed.clone(),
        );
        registry.register(
            "log_lines_dropped",
            "Log lines lost because nobody read them fast enough",
            self.log_lines_dropped.clone(),
        );
        registry.register(
            "clock_ahead_seconds",
            "How far this machine's clock is ahead of the database's, or behind it when negative",
            self.clock_ahead.clone(),
        );
    }

    pub fn clock_ahead(&self, millis: i64) {
        let bounded = millis.clamp(i64::from(i32::MIN), i64::from(i32::MAX));
        let millis = i32::try_from(bounded).unwrap_or_default();
        self.clock_ahead.set(f64::from(millis) / 1000.0);
    }

    /// Sets how many values in the records are sealed under each key.
    pub fn set_sealed_values(&self, counts: &BTreeMap<String, u64>) {
        self.sealed.clear();
        for (key, count) in counts {
            let labels = SealedLabels { key: key.clone() };
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            self.sealed.get_or_create(&labels).set(count);
        }
    }

    /// Counts a turn and how long it took.
    pub fn turn(&self, outcome: TurnOutcome, took: Duration) {
        let outcome = outcome.as_str();
        self.turns.get_or_create(&OutcomeLabels { outcome }).inc();
        self.turn_seconds.observe(took.as_secs_f64());
    }

    /// Counts a turn as open until what this returns is dropped.
    pub fn open_turn(&self) -> OpenTurn {
        self.turns_open.inc();
        OpenTurn(self.turns_open.clone())
    }

    /// Counts a screen by its name in the menu.
    pub fn screen(&self, screen: &str) {
        let screen = screen.to_owned();
        self.screens.get_or_create(&ScreenLabels { screen }).inc();
    }

    /// Counts a screen that could not be delivered by the gateway with this name.
    pub fn screen_given_up(&self, gateway: &'static str) {
        self.screens_given_up.get_or_create(&GatewayLabels { gateway }).inc();
    }

    /// Counts an SMS or a report from the gateway with this name that nobody can read.
    pub fn sms_unreadable(&self, gateway: &'static str) {
        self.sms_unreadable.get_or_create(&GatewayLabels { gateway }).inc();
    }

    /// Counts a call to a provider; `call` is a word such as `submit`.
    pub fn provider_call(&self, provider: &'static str, call: &'static str, outcome: ProviderOutcome, took: Duration) {
        let labels = CallLabels {
            provider,
            call,
            outcome: outcome.as_str(),
        };
        self.provider_calls.get_or_create(&labels).inc();
        let seconds = self.provider_seconds.get_or_create(&ProviderLabels { provider });
        seconds.observe(took.as_secs_f64());
    }

    /// Counts an authentic webhook; `outcome` is a word such as `ignored`.
    pub fn provider_webhook(&self, provider: &'static str, outcome: &'static str) {
        let labels = WebhookLabels { provider, outcome };
        self.provider_webhooks.get_or_create(&labels).inc();
    }

    /// Counts an account that named another session than its own, which was not believed.
    pub fn session_mismatch(&self, provider: &'static str) {
        self.session_mismatches
            .get_or_create(&ProviderLabels { provider })
            .inc();
    }

    /// Sets the health of an institution, or with `all` of its provider.
    pub fn set_institution_health(&self, provider: &str, institution: &str, level: HealthLevel) {
        let labels = InstitutionLabels {
            provider: provider.to_owned(),
            institution: institution.to_owned(),
        };
        self.health.get_or_create(&labels).set(level as i64);
    }

    /// Counts a call that was not made because of the health of the institution or its provider.
    pub fn held_back(&self, provider: &str, level: HealthLevel) {
        let labels = HeldBackLabels {
            provider: provider.to_owned(),
            health: level.as_str(),
        };
        self.held_back.get_or_create(&labels).inc();
    }

    /// Counts a partner's invitation that is not sent: `no_route` or `daily_cap` when asked for, `withheld` when queued.
    pub fn invitation_refused(&self, outcome: &'static str) {
        self.invitations_refused.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// Counts an SMS that is not sent because no route is for its number's country.
    pub fn sms_without_route(&self) {
        self.sms_without_route.inc();
    }

    /// Counts a reload of the operator's words: `replaced`, `unchanged` or `refused`.
    pub fn menu_reload(&self, outcome: &'static str) {
        self.menu_reloads.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// Counts a run of a job; `kind` is a name such as `redeem`, `outcome` is `done`, `postponed` or `given_up`.
    pub fn job(&self, kind: &'static str, outcome: &'static str) {
        self.jobs.get_or_create(&JobLabels { kind, outcome }).inc();
    }

    /// Counts a failure of the store or the records.
    pub fn storage_error(&self, storage: Storage) {
        let keeper = storage.as_str();
        self.storage_errors.get_or_create(&StorageLabels { keeper }).inc();
    }

    /// Counts an HTTP request by the pattern of its route.
    pub fn request(&self, route: &'static str, status: u16) {
        self.requests.get_or_create(&RouteLabels { route, status }).inc();
    }

    /// Counts a request with a wrong key, token or secret.
    pub fn stranger(&self, tried: &'static str) {
        self.strangers.get_or_create(&StrangerLabels { tried }).inc();
    }

    /// The counter of log lines that were dropped.
    pub fn log_lines_dropped(&self) -> Counter {
        self.log_lines_dropped.clone()
    }

    /// All of it in the OpenMetrics text format.
    ///
    /// # Errors
    /// When a value cannot be written as text; not in practice.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// A turn that is being answered.
#[derive(Debug)]
pub struct OpenTurn(Gauge);

impl Drop for OpenTurn {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every counter comes out under its name with its labels: dashboards and alerts are built on them.
    #[test]
    fn what_is_counted_comes_out() {
        let metrics = Metrics::new();
        metrics.turn(TurnOutcome::Pending, Duration::from_millis(300));
        metrics.screen("consent");
        metrics.sms_unreadable("twilio");
        metrics.sms_without_route();
        metrics.menu_reload("refused");
        metrics.provider_call("mono", "submit", ProviderOutcome::Unknown, Duration::from_secs(40));
        metrics.set_institution_health("mono", "b1:p", HealthLevel::Down);
        metrics.held_back("mono", HealthLevel::Busy);
        metrics.job("redeem", "given_up");
        metrics.storage_error(Storage::Store);
        metrics.request("/ussd/{channel}/{secret}", 200);
        metrics.log_lines_dropped().inc_by(3);
        let open = metrics.open_turn();
        let text = metrics.encode().unwrap();
        for line in [
            r#"kiungo_turns_total{outcome="pending"} 1"#,
            r#"kiungo_turn_seconds_bucket{le="0.25"} 0"#,
            r#"kiungo_turn_seconds_bucket{le="0.5"} 1"#,
            "kiungo_turns_open 1",
            r#"kiungo_screens_total{screen="consent"} 1"#,
            r#"kiungo_sms_unreadable_total{gateway="twilio"} 1"#,
            "kiungo_sms_without_route_total 1",
            r#"kiungo_menu_reloads_total{outcome="refused"} 1"#,
            r#"kiungo_provider_calls_total{provider="mono",call="submit",outcome="unknown"} 1"#,
            r#"kiungo_provider_seconds_bucket{le="60.0",provider="mono"} 1"#,
            r#"kiungo_institution_health{provider="mono",institution="b1:p"} 3"#,
            r#"kiungo_held_back_total{provider="mono",health="busy"} 1"#,
            r#"kiungo_jobs_total{kind="redeem",outcome="given_up"} 1"#,
            r#"kiungo_keeper_errors_total{keeper="store"} 1"#,
            r#"kiungo_requests_total{route="/ussd/{channel}/{secret}",status="200"} 1"#,
            "kiungo_log_lines_dropped_total 3",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} not in\n{text}");
        }
        drop(open);
        assert!(metrics.encode().unwrap().contains("kiungo_turns_open 0"));
    }
}
