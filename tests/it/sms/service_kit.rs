//! Everything that SMS needs: records, services, and a gateway, the real one or a test double.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use kiungo::ambient::OsRng;
use kiungo::core::ids::MessageId;
use kiungo::core::msisdn::Msisdn;
use kiungo::core::secret::Secret;
use kiungo::core::sms::{MessageState, SmsDeliveryState};
use kiungo::core::time::{Clock, Timestamp};
use kiungo::gateways::RawRequest;
use kiungo::gateways::sms::{
    DeliveryReport, IncomingSms, OutgoingSms, ReportMode, SentSms, SmsCallback, SmsCallbackError, SmsCapabilities,
    SmsGateway, SmsPart, SmsSendError,
};
use kiungo::records::SmsKind;
use kiungo::sandbox::sms::{RunningSms, SmsStandIn, SmsStandInSettings};
use kiungo::service::admission::TurnRates;
use kiungo::service::callbacks::{IncomingRequest, SmsCallbacks};
use kiungo::service::job::JobOutcome;
use kiungo::service::sms::outbox::AskReport;
use kiungo::service::sms::outbox::SendSms;
use kiungo::service::sms::outbox::{OutgoingMessage, SmsOutbox};
use kiungo::service::sms::routes::{SmsRoute, SmsRoutes};
use kiungo::service::sms_inbox::SmsInbox;
use kiungo::store::memory::MemoryStore;
use tokio::sync::Semaphore;

use super::kit::{KEY, gateway_with};
use crate::support::app_fixture::{AppOptions, SharedDeps, responder, shared};
use crate::support::limits::PLENTY;
use crate::support::one_bank::OneBank;
use crate::support::records::{Backend, Fixture, TYPES, at, node, partner};

/// The one person.
pub const ADA: &str = "+2348030000001";
/// Long enough for anything here on a busy machine.
pub const WAIT: Duration = Duration::from_secs(20);

/// A clock that only the test moves.
pub struct WindableClock(AtomicI64);

impl Clock for WindableClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

pub struct SmsService {
    pub bank: Arc<OneBank>,
    pub db: Fixture,
    pub shared: SharedDeps,
    clock: Arc<WindableClock>,
    line: Arc<SmsRoute>,
    pub outbox: Arc<SmsOutbox>,
    inbox: SmsInbox,
}

impl SmsService {
    /// With this gateway and daily cap.
    pub async fn with_gateway(gateway: Arc<dyn SmsGateway>, daily_cap: u32) -> Self {
        Self::with_rates(gateway, daily_cap, PLENTY).await
    }

    /// The same, with these rate limits.
    async fn with_rates(gateway: Arc<dyn SmsGateway>, daily_cap: u32, rates: TurnRates) -> Self {
        let db = Backend::Sqlite.create().await;
        let clock = Arc::new(WindableClock(AtomicI64::new(at(0).as_millis())));
        let bank = OneBank::ready("mono");
        let line = Arc::new(SmsRoute {
            name: "ng".to_owned(),
            gateway,
            sender: None,
            secret: Secret::new("secret"),
            country: "NG".to_owned(),
            daily_cap,
        });
        let (shared, outbox, inbox) = put_together(&db, &clock, &bank, &line, rates).await;
        Self {
            bank,
            db,
            shared,
            clock,
            line,
            outbox,
            inbox,
        }
    }

    /// With the real gateway, which talks to a stand-in.
    pub async fn with_stand_in() -> (Self, RunningSms) {
        Self::with_stand_in_limits(10, PLENTY).await
    }

    /// The same, with this daily cap and these rate limits.
    pub async fn with_stand_in_limits(daily_cap: u32, rates: TurnRates) -> (Self, RunningSms) {
        let settings = SmsStandInSettings {
            username: "umoja".to_owned(),
            key: Secret::new(KEY),
            number: "38496".to_owned(),
        };
        let clock = Arc::new(WindableClock(AtomicI64::new(at(0).as_millis())));
        let running = SmsStandIn::start(settings, clock, Arc::new(OsRng)).unwrap();
        let gateway = gateway_with("africastalking", &running.url(), |settings| {
            settings.timeout = Duration::from_secs(2);
        });
        (Self::with_rates(gateway, daily_cap, rates).await, running)
    }

    /// The store has lost everything; the records are what they were.
    pub async fn lose_store(&mut self) {
        let parts = put_together(&self.db, &self.clock, &self.bank, &self.line, PLENTY).await;
        (self.shared, self.outbox, self.inbox) = parts;
    }

    /// From now on by these routes; callbacks come by the first.
    pub async fn route_by(&mut self, routes: Vec<SmsRoute>) {
        let routes: Vec<_> = routes.into_iter().map(Arc::new).collect();
        self.line = routes[0].clone();
        let (deps, routes) = (self.shared.deps.clone(), SmsRoutes::new(routes));
        self.outbox = Arc::new(SmsOutbox::new(deps.clone(), partner(1).id, routes.clone()));
        self.inbox = SmsInbox {
            deps,
            routes,
            responder: responder(&self.shared, PLENTY).await,
            outbox: self.outbox.clone(),
        };
    }

    pub fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap();
        self.clock.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// Queues a message about this fact.
    pub async fn queue_sms(&self, fact: &str) -> MessageId {
        self.queue_for(ADA, fact).await
    }

    /// The same for another number.
    pub async fn queue_for(&self, number: &str, fact: &str) -> MessageId {
        let note = OutgoingMessage {
            to: &Msisdn::parse(number, "NG").unwrap(),
            kind: SmsKind::HandOver,
            key: fact.to_owned(),
            text: "Zq7: your bank is linked.",
            route: None,
            valid_for: Duration::from_hours(48),
        };
        let (message, job) = self.outbox.draft(note).unwrap();
        assert!(self.db.add_message(&message, &[job]).await.unwrap());
        message.id
    }

    /// The route as it is, for another country.
    pub fn route_for(&self, country: &str) -> SmsRoute {
        let route = &self.line;
        SmsRoute {
            name: route.name.clone(),
            gateway: route.gateway.clone(),
            sender: route.sender.clone(),
            secret: Secret::new(route.secret.expose()),
            country: country.to_owned(),
            daily_cap: route.daily_cap,
        }
    }

    pub async fn state(&self, id: MessageId) -> MessageState {
        self.db.message(id).await.unwrap().unwrap().state
    }

    /// Runs all due jobs, once each.
    pub async fn run_due(&self) -> usize {
        let now = self.clock.now();
        let jobs = self
            .db
            .claim(TYPES, node(1), now, now.plus(Duration::from_secs(90)), 100)
            .await
            .unwrap();
        let count = jobs.len();
        for job in jobs {
            let asks = job.kind.subject::<AskReport>();
            let outcome = match (job.kind.subject::<SendSms>(), asks) {
                (Some(id), _) => self.outbox.send(id).await.unwrap(),
                (None, Some(id)) => self.outbox.poll_report(id).await.unwrap(),
                (None, None) => panic!("{:?}", job.kind),
            };
            match outcome {
                JobOutcome::Done => self.db.finish(job.id, node(1)).await.unwrap(),
                JobOutcome::RetryAfter(why, Some(pause)) if asks.is_some() => {
                    let again = self.clock.now().plus(pause);
                    self.db.postpone(job.id, node(1), again, why).await.unwrap();
                }
                other => panic!("{other:?}"),
            }
        }
        count
    }

    /// Sends a callback with this form; returns the status of our answer.
    pub async fn send_callback(&self, tail: &str, form: &str) -> u16 {
        self.send_with_header(tail, form, None).await
    }

    /// The same, of bytes that may be no text.
    pub async fn send_bytes(&self, tail: &str, body: &[u8]) -> u16 {
        self.send(tail, body, None).await
    }

    /// The same, with a header.
    pub async fn send_with_header(&self, tail: &str, form: &str, header: Option<(&str, &str)>) -> u16 {
        self.send(tail, form.as_bytes(), header).await
    }

    async fn send(&self, tail: &str, body: &[u8], header: Option<(&str, &str)>) -> u16 {
        let headers = header.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        let request = IncomingRequest {
            method: "POST".to_owned(),
            tail: tail.to_owned(),
            query: Vec::new().into(),
            headers: headers.into_iter().collect(),
            body: Some(body.to_vec().into()),
        };
        self.inbox.receive(self.line.clone(), request).await.status
    }

    /// Sends an incoming message; `date` is what the gateway sends, if anything.
    pub async fn send_incoming(&self, id: &str, text: &str, date: &str) -> u16 {
        let form = format!("id={id}&from=%2B2348030000001&to=38496&text={text}&date={date}");
        self.send_callback("", &form).await
    }
}

/// The services over these records and a new store.
async fn put_together(
    db: &Fixture,
    clock: &Arc<WindableClock>,
    bank: &Arc<OneBank>,
    line: &Arc<SmsRoute>,
    rates: TurnRates,
) -> (SharedDeps, Arc<SmsOutbox>, SmsInbox) {
    let options = AppOptions {
        banks: vec![bank.clone()],
        clock: clock.clone(),
        ..AppOptions::default()
    };
    let shared = shared(Arc::new(MemoryStore::new(clock.clone())), db.shared(), options).await;
    let (deps, routes) = (shared.deps.clone(), SmsRoutes::new(vec![line.clone()]));
    let outbox = Arc::new(SmsOutbox::new(deps.clone(), partner(1).id, routes.clone()));
    let inbox = SmsInbox {
        deps,
        routes,
        responder: responder(&shared, rates).await,
        outbox: outbox.clone(),
    };
    (shared, outbox, inbox)
}

impl SmsService {
    /// Whether the person has opted out; `None` if they never said.
    pub async fn stopped(&self) -> Option<bool> {
        let tag = self.shared.deps.sealing.keyring.tag(&Msisdn::parse(ADA, "NG").unwrap());
        let wish = self.db.sms_preference(partner(1).id, &tag).await.unwrap();
        wish.map(|wish| wish.stopped)
    }
}

/// The person's messages, oldest first.
pub fn delivered_texts(running: &RunningSms) -> Vec<String> {
    running.state.inbox(ADA).into_iter().map(|text| text.text).collect()
}

/// A gateway that forwards parts one by one, and accepts messages when the test lets it.
pub struct PartwiseGateway(pub Semaphore);

#[async_trait]
impl SmsGateway for PartwiseGateway {
    fn name(&self) -> &'static str {
        "parts"
    }

    fn capabilities(&self) -> SmsCapabilities {
        SmsCapabilities {
            max_parts: 1,
            reports: ReportMode::Pushed,
        }
    }

    async fn send(&self, _: &OutgoingSms) -> Result<SentSms, SmsSendError> {
        self.0.acquire().await.unwrap().forget();
        Ok(SentSms {
            message_id: "G1".to_owned(),
            cost: None,
        })
    }

    /// `id part text`, or `id` of a delivered message.
    fn parse_callback(&self, request: &RawRequest<'_>) -> Result<Vec<SmsCallback>, SmsCallbackError> {
        let body = std::str::from_utf8(request.body).unwrap();
        let mut words = body.splitn(3, ' ').map(str::to_owned);
        let message_id = words.next().unwrap();
        let (Some(part), Some(text)) = (words.next(), words.next()) else {
            return Ok(vec![SmsCallback::Report(DeliveryReport {
                message_id,
                reference: None,
                state: SmsDeliveryState::Delivered,
            })]);
        };
        Ok(vec![SmsCallback::Incoming(IncomingSms {
            message_id,
            from: Msisdn::parse(ADA, "NG").unwrap(),
            to: "38496".to_owned(),
            text: Secret::new(text),
            handled: None,
            part: Some(SmsPart {
                reference: "r".to_owned(),
                part: part.parse().unwrap(),
                parts: 3,
            }),
            received_at: None,
        })])
    }
}
