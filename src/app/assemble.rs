//! Puts the services together, from the configuration and what everything stands on.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{StartError, partner_id, partners, sms, webhooks};
use crate::config::{ChannelConfig, Config, ConfigSecret, MonoConfig};
use crate::core::flow::terms::{PartnerRef, RequestTerms};
use crate::core::flow::{Flow, FlowSettings};
use crate::core::menu::Menu;
use crate::core::messages::Templates;
use crate::core::pin::SubscriberPin;
use crate::core::seal::Keyring;
use crate::core::time::Clock;
use crate::gateways;
use crate::http::HttpState;
use crate::http_client::base_url::parse_base_url;
use crate::http_client::{HttpClient, HttpClientOptions};
use crate::providers::mono::{Mono, MonoSettings, UnlinkCall};
use crate::providers::{Credentials, Provider, ProviderRegistry};
use crate::records::{Partner, Records};
use crate::service::Channel;
use crate::service::admission::TurnLimiter;
use crate::service::catalogue::Catalogue;
use crate::service::data_subject::Eraser;
use crate::service::deps::Deps;
use crate::service::effects::EffectRunner;
use crate::service::facts_reader::FactsReader;
use crate::service::handover::HandoverQueue;
use crate::service::institution_health::InstitutionHealth;
use crate::service::jobs::{ActiveLanes, JobRunner};
use crate::service::linking::Linking;
use crate::service::live::LiveValues;
use crate::service::metrics::Metrics;
use crate::service::provider_webhooks::ProviderWebhookReceiver;
use crate::service::providers::{CustomerTemplate, Providers, save_partner};
use crate::service::readiness::ReadinessChecks;
use crate::service::resealing::Resealing;
use crate::service::retention::Retention;
use crate::service::sealing::Sealing;
use crate::service::session_updater::SessionUpdater;
use crate::service::sms::{SmsOutbox, SmsRoutes};
use crate::service::turn::{TurnHandle, TurnRunner};
use crate::service::wakeups::Wakeups;
use crate::service::webhooks::WebhookDeliveries;
use crate::store::Store;

/// How often the lists of institutions are read anew when no provider says.
const INSTITUTIONS_TTL: Duration = Duration::from_hours(1);

/// What everything else stands on.
pub(super) struct Base {
    pub(super) keyring: Arc<Keyring>,
    pub(super) store: Arc<dyn Store>,
    pub(super) records: Arc<dyn Records>,
    pub(super) runtime: Deps,
    pub(super) metrics: Arc<Metrics>,
    /// What the phone page works with, in the sandbox.
    #[cfg(feature = "sandbox")]
    pub(super) beside: Option<crate::sandbox::SandboxState>,
}

/// Puts the services together and starts what runs beside the requests.
pub(super) async fn assemble(
    config: &mut Config,
    base: &Base,
    leaving: &CancellationToken,
) -> Result<HttpState, StartError> {
    let runtime = &base.runtime;
    let lines = sms::sms_routes(config)?;
    let flow = Arc::new(flow(config, !lines.is_empty(), base.keyring.clone())?);
    let channels = channels(config)?;
    let countries = channels.iter().map(|channel| channel.country.clone()).collect();
    let partner = partner(config, runtime.clock.as_ref());
    let ttl = institutions_ttl(config);
    let providers = Arc::new(providers(config, base, &partner, countries).await?);
    let catalogue = Catalogue::new(
        providers.clone(),
        config.policy.rules.clone(),
        ttl,
        runtime.clock.clone(),
    );
    let wakes = Wakeups::default();
    let outbox = sms::outbox(base, partner.id, &lines);
    let desk = sms::handover_queue(base, partner.id, &lines);
    let tools = tools(base, providers, Arc::new(catalogue), &flow, &wakes, desk);
    let webhooks = webhooks::webhooks(base, config)?;
    let jobs = Arc::new(jobs(
        base,
        &tools,
        &outbox,
        (&channels, &lines),
        config.retention,
        webhooks,
    ));
    let turns = Arc::new(TurnRunner {
        flow,
        live: tools.live.clone(),
        facts: facts(base, &tools, config.policy.subscriber_pin),
        catalogue: tools.catalogue.clone(),
        attempts: Arc::new(attempts(base, &tools, &jobs)),
        keyring: base.keyring.clone(),
        runtime: runtime.clone(),
        wakes,
        shutdown: leaving.clone(),
        metrics: base.metrics.clone(),
        gate: TurnLimiter::new(config.limits.rates(), &channels),
        channels,
    });
    spawn_background_tasks(base, &tools, jobs, leaving);
    let api = partners::build_partner_api(config, base, &tools, &turns, &outbox).await?;
    Ok(HttpState {
        proxies: std::mem::take(&mut config.server.trusted_proxies),
        callbacks: Arc::new(TurnHandle(turns.clone())),
        hooks: Arc::new(hooks(base, &tools)),
        messages: Arc::new(sms::inbox(base, &turns, lines, outbox)),
        partners: Some(api),
        readiness: Arc::new(health(base, leaving)),
        metrics: base.metrics.clone(),
        runtime: runtime.handle.clone(),
        turn_tasks: runtime.tasks.clone(),
        #[cfg(feature = "sandbox")]
        sandbox: base.beside.clone().map(|beside| crate::sandbox::routes(turns, beside)),
    })
}

/// Starts what runs beside the requests.
fn spawn_background_tasks(base: &Base, tools: &Tools, jobs: Arc<JobRunner>, leaving: &CancellationToken) {
    let runtime = &base.runtime;
    let fresh = tools.catalogue.clone().keep_fresh();
    runtime.handle.spawn(leaving.clone().run_until_cancelled_owned(fresh));
    runtime.spawn(jobs.run(leaving.clone()));
    let resealing = Resealing {
        records: base.records.clone(),
        sealing: tools.sealing.clone(),
        metrics: base.metrics.clone(),
    };
    runtime.spawn(resealing.run(leaving.clone()));
}

/// What several services use.
pub(super) struct Tools {
    pub(super) providers: Arc<Providers>,
    pub(super) sealing: Sealing,
    pub(super) newsroom: SessionUpdater,
    pub(super) live: LiveValues,
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) health: Arc<InstitutionHealth>,
}

fn tools(
    base: &Base,
    providers: Arc<Providers>,
    catalogue: Arc<Catalogue>,
    flow: &Arc<Flow>,
    wakes: &Wakeups,
    desk: Option<HandoverQueue>,
) -> Tools {
    let entropy = &base.runtime.rng;
    let live = LiveValues::new(base.store.clone(), base.keyring.clone(), entropy.clone());
    Tools {
        providers,
        sealing: Sealing {
            keyring: base.keyring.clone(),
            rng: entropy.clone(),
        },
        newsroom: SessionUpdater {
            flow: flow.clone(),
            live: live.clone(),
            wakes: wakes.clone(),
            handovers: desk,
            runtime: base.runtime.clone(),
        },
        live,
        catalogue,
        health: Arc::new(InstitutionHealth::new(base.runtime.clock.clone(), base.metrics.clone())),
    }
}

fn jobs(
    base: &Base,
    tools: &Tools,
    outbox: &Arc<SmsOutbox>,
    (channels, lines): (&[Arc<Channel>], &SmsRoutes),
    retention: Retention,
    webhooks: WebhookDeliveries,
) -> JobRunner {
    let linking = Linking {
        records: base.records.clone(),
        providers: tools.providers.clone(),
        sealing: tools.sealing.clone(),
        newsroom: tools.newsroom.clone(),
        runtime: base.runtime.clone(),
    };
    JobRunner {
        records: base.records.clone(),
        linking,
        handover_messages: sms::handover_messages(
            base,
            &tools.newsroom,
            &tools.sealing,
            outbox.clone(),
            channels,
            lines,
        ),
        erasing: Eraser {
            records: base.records.clone(),
            live: tools.live.clone(),
            runtime: base.runtime.clone(),
        },
        bank_alerts: sms::bank_back_alerts(base, tools, outbox.clone(), channels, lines),
        retention,
        webhooks,
        lanes: ActiveLanes::default(),
        runtime: base.runtime.clone(),
        metrics: base.metrics.clone(),
    }
}

fn attempts(base: &Base, tools: &Tools, jobs: &Arc<JobRunner>) -> EffectRunner {
    EffectRunner {
        live: tools.live.clone(),
        records: base.records.clone(),
        providers: tools.providers.clone(),
        sealing: tools.sealing.clone(),
        newsroom: tools.newsroom.clone(),
        jobs: jobs.clone(),
        health: tools.health.clone(),
        catalogue: tools.catalogue.clone(),
        runtime: base.runtime.clone(),
        metrics: base.metrics.clone(),
    }
}

fn facts(base: &Base, tools: &Tools, pins: SubscriberPin) -> FactsReader {
    FactsReader {
        records: base.records.clone(),
        partner: tools.providers.partner(),
        pins: pins != SubscriberPin::Off,
        sealing: tools.sealing.clone(),
        runtime: base.runtime.clone(),
    }
}

fn health(base: &Base, leaving: &CancellationToken) -> ReadinessChecks {
    ReadinessChecks {
        store: base.store.clone(),
        records: base.records.clone(),
        stop: leaving.clone(),
    }
}

fn hooks(base: &Base, tools: &Tools) -> ProviderWebhookReceiver {
    ProviderWebhookReceiver {
        records: base.records.clone(),
        providers: tools.providers.clone(),
        sealing: tools.sealing.clone(),
        runtime: base.runtime.clone(),
    }
}

fn flow(config: &Config, texts: bool, keyring: Arc<Keyring>) -> Result<Flow, StartError> {
    let mono = config.providers.mono.as_ref();
    Ok(Flow {
        menu: Menu::embedded()?,
        templates: Templates::embedded()?,
        settings: FlowSettings {
            default_terms: default_request_terms(config),
            policy: config.policy.rules.clone(),
            subscriber_pin: config.policy.subscriber_pin,
            sms_enabled: texts,
            favourites: mono.map(|mono| mono.favourites.clone()).unwrap_or_default(),
            provider_timeout: mono.map_or(Duration::from_mins(1), |mono| mono.timeout),
            lease_margin: lease_margin(config),
        },
        keyring,
    })
}

/// What the operator's own business asks of whoever dials.
fn default_request_terms(config: &Config) -> RequestTerms {
    let business = PartnerRef {
        id: partner_id(&config.partner.name),
        name: config.partner.name.clone(),
    };
    RequestTerms::open_offer(business, config.partner.purpose.clone(), config.partner.data_days)
}

#[cfg(feature = "sandbox")]
fn lease_margin(config: &Config) -> Duration {
    config.sandbox.lease_margin
}

#[cfg(not(feature = "sandbox"))]
fn lease_margin(_: &Config) -> Duration {
    crate::core::flow::LEASE_MARGIN
}

fn channels(config: &mut Config) -> Result<Vec<Arc<Channel>>, StartError> {
    let channel = |channel: ChannelConfig| {
        let gateway = gateways::ussd_gateway(&channel.gateway).ok_or(StartError::UnknownGateway(channel.gateway))?;
        Ok(Arc::new(Channel {
            name: channel.name,
            gateway,
            service_code: channel.service_code,
            secret: channel.secret.into_inner(),
            country: channel.country,
            sources: channel.sources,
            agreement: channel.limit_overrides,
        }))
    };
    std::mem::take(&mut config.channels).into_iter().map(channel).collect()
}

fn institutions_ttl(config: &Config) -> Duration {
    let mono = config.providers.mono.as_ref();
    mono.map_or(INSTITUTIONS_TTL, |mono| mono.institutions_ttl)
}

fn partner(config: &Config, clock: &dyn Clock) -> Partner {
    Partner {
        id: partner_id(&config.partner.name),
        name: config.partner.name.clone(),
        purpose: config.partner.purpose.clone(),
        days: config.partner.data_days,
        walk_in: true,
        created_at: clock.now(),
    }
}

async fn providers(
    config: &mut Config,
    base: &Base,
    partner: &Partner,
    countries: Vec<String>,
) -> Result<Providers, StartError> {
    let client = HttpClient::new(&HttpClientOptions::default())?;
    let mut credentials = Vec::new();
    let mut registry: Vec<Arc<dyn Provider>> = Vec::new();
    let mut customer = CustomerTemplate {
        name: String::new(),
        email: String::new(),
    };
    if let Some(mono) = config.providers.mono.take() {
        customer = mono.customer.clone();
        let (provider, keys) = mono_provider(mono, client)?;
        registry.push(Arc::new(provider));
        credentials.push(("mono", keys));
    }
    let Base {
        keyring,
        records,
        runtime,
        ..
    } = base;
    save_partner(
        records.as_ref(),
        keyring,
        runtime.clock.as_ref(),
        runtime.rng.as_ref(),
        partner,
        &credentials,
    )
    .await?;
    let registry = ProviderRegistry::new(registry);
    Ok(Providers::new(
        registry,
        partner.id,
        records.clone(),
        keyring.clone(),
        customer,
        countries,
    ))
}

fn mono_provider(mono: MonoConfig, client: HttpClient) -> Result<(Mono, Credentials), StartError> {
    let mut settings = MonoSettings::new(parse_base_url(mono.base_url.as_str(), true)?, mono.dialect);
    settings.webhook_secret = mono.webhook_secret.map(ConfigSecret::into_inner);
    let open = mono.unpublished;
    if let Some(member) = open.unlink_member {
        settings.unlink = UnlinkCall::InBody(member);
    }
    settings.reauth_commit_path = open.renewal_path.unwrap_or(settings.reauth_commit_path);
    settings.exchange_reauth_code = open.renewal_code.unwrap_or(settings.exchange_reauth_code);
    settings.account_names_session = open.account_names_session.unwrap_or(settings.account_names_session);
    Ok((
        Mono::new(settings, client),
        Credentials {
            secret_key: mono.secret_key.into_inner(),
            app_id: mono.app_id,
        },
    ))
}
