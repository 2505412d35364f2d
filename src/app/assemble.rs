//! Puts the services together, from the configuration and what everything stands on.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::conversation::flow;
use super::menu_dir::MenuReload;
use super::{ReadyProvider, StartError, menu_dir, partner_id, partners, sms, webhooks};
use crate::ambient::SystemClock;
use crate::certificate::ServerCertificate;
use crate::config::{ChannelConfig, Config, Mode, ProviderConfig};
use crate::core::menu::MenuFile;
use crate::core::pin::SubscriberPin;
use crate::core::time::Clock;
use crate::http::{HttpState, Transport};
use crate::http_client::{HttpClient, HttpClientOptions};
use crate::providers::offer::LinkingWays;
use crate::providers::{Provider, ProviderKeys, ProviderRegistry};
use crate::records::Partner;
use crate::service::admission::TurnLimiter;
use crate::service::catalogue::Catalogue;
use crate::service::channel::Channel;
use crate::service::database_clock::DatabaseClock;
use crate::service::deps::Deps;
use crate::service::effects::runner::EffectRunner;
use crate::service::facts_reader::FactsReader;
use crate::service::flow_in_force::FlowInForce;
use crate::service::handover_queue::HandoverQueue;
use crate::service::institution_health::InstitutionHealth;
use crate::service::job_list::{JobDeps, JobHandlers};
use crate::service::job_runner::JobRunner;
use crate::service::live::LiveValues;
use crate::service::page_links::PageLinks;
use crate::service::pages::BrowserPages;
use crate::service::partners::eligibility::state_configured;
use crate::service::provider_webhooks::receiver::ProviderWebhookReceiver;
use crate::service::providers::{Providers, save_partner};
use crate::service::readiness::{LinkingNote, ReadinessChecks};
use crate::service::resealing::Resealing;
use crate::service::session_updater::SessionUpdater;
use crate::service::sms::outbox::SmsOutbox;
use crate::service::sms::routes::SmsRoutes;
use crate::service::sms_inbox::SmsInbox;
use crate::service::sms_responder::SmsResponder;
use crate::service::turn::{TurnHandle, TurnRunner};
use crate::service::ussd_binds::BindKeeper;
use crate::service::wakeups::Wakeups;

/// A server that takes requests, and what is changed while it does.
pub(super) struct Assembled {
    pub(super) http: HttpState,
    pub(super) menu: Option<MenuReload>,
}

/// Puts the services together and starts what runs beside the requests.
pub(super) async fn assemble(
    config: &mut Config,
    ready_providers: Vec<ReadyProvider>,
    deps: &Deps,
    links: &Arc<PageLinks>,
    database_clock: &Arc<DatabaseClock>,
    draining: &CancellationToken,
    #[cfg(feature = "sandbox")] sandbox: Option<crate::sandbox::SandboxState>,
) -> Result<Assembled, StartError> {
    let configured_ways = configured_ways(config, &ready_providers);
    let (pages, screens) = (config.page_countries(), menu_dir::screens(config));
    let routes = sms::sms_routes(config)?;
    let channels = channels(config);
    let services = services(config, ready_providers, deps, links, &channels, &routes, pages).await?;
    let jobs = Arc::new(JobRunner::new(deps.clone(), services.handlers.all(), config.retention));
    let turns = turn_runner(config, deps, &services, &jobs, channels, draining)?;
    spawn_background_tasks(deps, &services, jobs, draining);
    let (records, metrics) = (deps.records.clone(), deps.metrics.clone());
    deps.spawn(database_clock.clone().keep(records, metrics, draining.clone()));
    for keeper in BindKeeper::for_channels(&turns) {
        deps.spawn(keeper.run(draining.clone()));
    }
    let api = partners::build_partner_api(config, deps, &services, &turns).await?;
    let flow = services.shared.updater.flow.clone();
    let http = HttpState {
        proxies: std::mem::take(&mut config.server.trusted_proxies),
        transport: transport(config)?,
        callbacks: Arc::new(TurnHandle(turns.clone())),
        hooks: Arc::new(ProviderWebhookReceiver::new(
            deps.clone(),
            services.shared.providers.clone(),
        )),
        pages: Arc::new(BrowserPages {
            deps: deps.clone(),
            providers: services.shared.providers.clone(),
            flow: flow.clone(),
            links: links.clone(),
        }),
        messages: Arc::new(SmsInbox {
            deps: deps.clone(),
            routes,
            responder: SmsResponder(turns.clone()),
            outbox: services.handlers.outbox.clone(),
        }),
        partners: Some(api),
        readiness: Arc::new(ReadinessChecks::new(
            deps.clone(),
            database_clock.clone(),
            draining.clone(),
            LinkingNote {
                catalogue: services.shared.catalogue.clone(),
                configured: configured_ways,
            },
        )),
        metrics: deps.metrics.clone(),
        runtime: deps.handle.clone(),
        turn_tasks: deps.tasks.clone(),
        #[cfg(feature = "sandbox")]
        sandbox: sandbox.map(|state| crate::sandbox::routes(turns, state)),
    };
    let menu = MenuReload::new(screens, services.menu_files, flow, deps.metrics.clone());
    Ok(Assembled { http, menu })
}

/// What people type is not taken in clear from elsewhere. The sandbox is on this machine.
fn transport(config: &Config) -> Result<Transport, StartError> {
    let open = |files| ServerCertificate::open(files, Arc::new(SystemClock)).map(Arc::new);
    let certificate = config.server.tls.clone().map(open).transpose();
    Ok(Transport {
        certificate: certificate.map_err(StartError::Certificate)?,
        refuse_plain: config.mode == Mode::Production,
    })
}

/// Which ways to link the configuration leaves; says so loudly where it leaves nobody any.
fn configured_ways(config: &Config, ready_providers: &[ReadyProvider]) -> Vec<LinkingWays> {
    // What a provider from elsewhere offers is seen when its list is read.
    if !ready_providers.is_empty() {
        return Vec::new();
    }
    let ways = config.linking_ways();
    for ways in ways.iter().filter(|ways| ways.nobody_can_link()) {
        tracing::error!("{ways}");
    }
    ways
}

/// Turns without what runs beside them, for one that is taken from the command line.
pub(super) async fn turns_only(
    config: &mut Config,
    deps: &Deps,
    draining: &CancellationToken,
) -> Result<Arc<TurnRunner>, StartError> {
    let pages = config.page_countries();
    let routes = sms::sms_routes(config)?;
    let channels = channels(config);
    let links = Arc::new(PageLinks::new(deps.clone(), config.server.public_url.as_ref()));
    let services = services(config, Vec::new(), deps, &links, &channels, &routes, pages).await?;
    let jobs = Arc::new(JobRunner::new(deps.clone(), services.handlers.all(), config.retention));
    turn_runner(config, deps, &services, &jobs, channels, draining)
}

fn turn_runner(
    config: &Config,
    deps: &Deps,
    services: &Services,
    jobs: &Arc<JobRunner>,
    channels: Vec<Arc<Channel>>,
    draining: &CancellationToken,
) -> Result<Arc<TurnRunner>, StartError> {
    let updater = &services.shared.updater;
    let facts = FactsReader {
        records: deps.records.clone(),
        partner: services.shared.providers.partner(),
        pins: config.policy.subscriber_pin != SubscriberPin::Off,
        sealing: deps.sealing.clone(),
        runtime: deps.clone(),
    };
    Ok(Arc::new(TurnRunner {
        flow: updater.flow.clone(),
        live: updater.live.clone(),
        facts: facts.clone(),
        catalogue: services.shared.catalogue.clone(),
        attempts: Arc::new(services.effects(jobs, facts)),
        keyring: deps.sealing.keyring.clone(),
        runtime: deps.clone(),
        wakes: updater.wakes.clone(),
        shutdown: draining.clone(),
        metrics: deps.metrics.clone(),
        gate: TurnLimiter::new(config.limits.rates(), &channels),
        http: HttpClient::new(&HttpClientOptions::default())?,
        channels,
    }))
}

fn spawn_background_tasks(deps: &Deps, services: &Services, jobs: Arc<JobRunner>, draining: &CancellationToken) {
    let fresh = services.shared.catalogue.clone().keep_fresh();
    deps.handle.spawn(draining.clone().run_until_cancelled_owned(fresh));
    deps.spawn(jobs.run(draining.clone()));
    let resealing = Resealing {
        records: deps.records.clone(),
        sealing: deps.sealing.clone(),
        metrics: deps.metrics.clone(),
    };
    deps.spawn(resealing.run(draining.clone()));
    let strangers = deps.strangers.clone().run(deps.records.clone(), deps.clock.clone());
    deps.handle.spawn(draining.clone().run_until_cancelled_owned(strangers));
}

/// What turns, jobs and the partner API share.
pub(super) struct Services {
    pub(super) shared: JobDeps,
    pub(super) handlers: JobHandlers,
    menu_files: Vec<MenuFile>,
}

impl Services {
    fn effects(&self, jobs: &Arc<JobRunner>, facts: FactsReader) -> EffectRunner {
        let JobDeps {
            deps,
            providers,
            catalogue,
            health,
            updater,
            ..
        } = &self.shared;
        EffectRunner {
            deps: deps.clone(),
            providers: providers.clone(),
            updater: updater.clone(),
            facts,
            jobs: jobs.clone(),
            linking: self.handlers.linking.clone(),
            bank_alerts: self.handlers.bank_alerts.clone(),
            consent_end: self.handlers.consent_end.clone(),
            reminders: self.handlers.reminders.clone(),
            page_texts: self.handlers.page_texts.clone(),
            health: health.clone(),
            catalogue: catalogue.clone(),
        }
    }
}

async fn services(
    config: &mut Config,
    ready_providers: Vec<ReadyProvider>,
    deps: &Deps,
    links: &Arc<PageLinks>,
    channels: &[Arc<Channel>],
    routes: &SmsRoutes,
    pages: BTreeSet<String>,
) -> Result<Services, StartError> {
    let countries = channels.iter().map(|channel| channel.country.clone()).collect();
    let partner = partner(config, deps.clock.as_ref());
    let keyring = &deps.sealing.keyring;
    let providers = Arc::new(providers(config, ready_providers, deps, &partner, countries).await?);
    let (words, menu_files) = menu_dir::open(config)?;
    let codes = sms::service_codes(channels, routes);
    let flow = flow(config, words, &providers, (routes, codes.clone()), keyring.clone())?;
    let flow = FlowInForce::new(flow);
    let catalogue = Catalogue::new(providers.clone(), flow.clone(), deps.clock.clone());
    let catalogue = catalogue.offering_pages_in(pages);
    let health = InstitutionHealth::new(deps.clock.clone(), deps.metrics.clone());
    let updater = SessionUpdater {
        flow,
        live: LiveValues::new(deps.store.clone(), keyring.clone(), deps.rng.clone()),
        wakes: Wakeups::default(),
        handovers: (!routes.is_empty()).then(|| HandoverQueue {
            deps: deps.clone(),
            partner: partner.id,
        }),
        runtime: deps.clone(),
    };
    let shared = JobDeps {
        deps: deps.clone(),
        providers,
        catalogue: Arc::new(catalogue),
        health: Arc::new(health),
        updater,
        outbox: Arc::new(
            SmsOutbox::new(deps.clone(), partner.id, routes.clone()).with_caps(config.limits.invitation_caps()),
        ),
        service_codes: codes,
        webhooks: Arc::new(webhooks::deliveries(deps, config)?),
        pages: links.clone(),
    };
    let handlers = JobHandlers::new(&shared);
    Ok(Services {
        shared,
        handlers,
        menu_files,
    })
}

fn channels(config: &mut Config) -> Vec<Arc<Channel>> {
    let channel = |channel: ChannelConfig| {
        Arc::new(Channel {
            name: channel.name,
            gateway: channel.adapter.0,
            service_code: channel.service_code,
            secret: channel.secret.into_inner(),
            country: channel.country,
            sources: channel.sources,
            agreement: channel.limit_overrides,
        })
    };
    std::mem::take(&mut config.channels).into_iter().map(channel).collect()
}

fn partner(config: &Config, clock: &dyn Clock) -> Partner {
    Partner {
        id: partner_id(&config.partner.name),
        name: config.partner.name.clone(),
        purpose: config.partner.purpose(),
        days: config.partner.data_days,
        contact: config.partner.contact.clone(),
        walk_in: true,
        created_at: clock.now(),
    }
}

type BuiltProvider = (Arc<dyn Provider>, (&'static str, ProviderKeys));

/// Those of the configuration, with the operator's keys there.
pub(super) fn build_providers(config: &mut Config) -> Result<Vec<BuiltProvider>, StartError> {
    let client = HttpClient::new(&HttpClientOptions::default())?;
    let configured = std::mem::take(&mut config.providers.0).into_iter();
    let built = configured.map(
        |ProviderConfig {
             registration,
             setup,
             keys,
             ..
         }| {
            let provider = (registration.build)(setup, client.clone())?;
            Ok((provider, (registration.name, keys)))
        },
    );
    built.collect()
}

async fn providers(
    config: &mut Config,
    ready_providers: Vec<ReadyProvider>,
    deps: &Deps,
    partner: &Partner,
    countries: Vec<String>,
) -> Result<Providers, StartError> {
    let configured = config.providers.0.iter_mut();
    let stated = configured.filter_map(|provider| Some((provider.registration.name, provider.eligibility.take()?)));
    let stated: Vec<_> = stated.collect();
    let built = build_providers(config)?;
    let (mut registry, mut credentials): (Vec<_>, Vec<_>) = built.into_iter().unzip();
    for ReadyProvider { provider, keys } in ready_providers {
        credentials.push((provider.name(), keys));
        registry.push(provider);
    }
    save_partner(deps, partner, &credentials).await?;
    for (provider, statement) in stated {
        state_configured(deps.records.as_ref(), partner.id, provider, statement, deps.clock.now()).await?;
    }
    let registry = ProviderRegistry::new(registry);
    Ok(Providers::new(deps, registry, partner.id, countries))
}
