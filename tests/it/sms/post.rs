//! Everything that texts need: records, services, and a gateway, the real one or one that a test plays.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use kiungo::ambient::OsEntropy;
use kiungo::core::ids::MessageId;
use kiungo::core::msisdn::Msisdn;
use kiungo::core::secret::Secret;
use kiungo::core::sms::{DeliveryState, MessageState};
use kiungo::core::time::{Clock, Timestamp};
use kiungo::gateways::RawRequest;
use kiungo::records::{JobKind, MessageKind};
use kiungo::sandbox::sms::{Running, SmsStandIn, StandInSettings};
use kiungo::service::admission::Rates;
use kiungo::service::jobs::Verdict;
use kiungo::service::messages::{Inbox, Line, Lines, Note, Outbox};
use kiungo::service::{Messages, OwnedRequest};
use kiungo::sms::{
    Capabilities, DeliveryReport, Heard, HookError, IncomingKind, IncomingSms, OutgoingSms, Part, ReportKind,
    SendError, Sent, SmsGateway,
};
use kiungo::store::memory::MemoryStore;
use tokio::sync::Semaphore;

use super::kit::{KEY, gateway_with};
use crate::support::limits::PLENTY;
use crate::support::one_bank::OneBank;
use crate::support::parts::{Around, Shared, answers, shared};
use crate::support::records::{Backend, Fixture, at, node, partner};

/// The one person.
pub const ADA: &str = "+2348030000001";
/// Long enough for anything here on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A clock that stands until it is moved.
pub struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Everything that texts need.
pub struct Post {
    pub bank: Arc<OneBank>,
    pub db: Fixture,
    pub shared: Shared,
    clock: Arc<Hand>,
    line: Arc<Line>,
    pub outbox: Arc<Outbox>,
    inbox: Inbox,
}

impl Post {
    /// By this gateway, with this cap.
    pub async fn by(gateway: Arc<dyn SmsGateway>, daily_cap: u32) -> Self {
        Self::limited(gateway, daily_cap, PLENTY).await
    }

    /// The same, with so many turns a person.
    async fn limited(gateway: Arc<dyn SmsGateway>, daily_cap: u32, rates: Rates) -> Self {
        let db = Backend::Sqlite.fresh().await;
        let clock = Arc::new(Hand(AtomicI64::new(at(0).as_millis())));
        let bank = OneBank::ready("mono");
        let shared = shared(
            Arc::new(MemoryStore::new(clock.clone())),
            db.shared(),
            Around {
                banks: vec![bank.clone()],
                clock: clock.clone(),
                ..Around::default()
            },
        )
        .await;
        let line = Arc::new(Line {
            name: "ng".to_owned(),
            gateway,
            sender: None,
            secret: Secret::new("secret"),
            country: "NG".to_owned(),
            daily_cap,
        });
        let (records, keyring, lines) = (db.shared(), shared.keyring.clone(), Lines::new(vec![line.clone()]));
        let outbox = Arc::new(Outbox::new(
            records.clone(),
            keyring.clone(),
            partner(1).id,
            lines.clone(),
            shared.runtime.clone(),
        ));
        let inbox = Inbox {
            records,
            keyring,
            lines,
            handler: Arc::new(answers(&shared, rates).await),
            outbox: outbox.clone(),
            runtime: shared.runtime.clone(),
        };
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

    /// By the real gateway, which talks to a stand-in.
    pub async fn real() -> (Self, Running) {
        Self::really(10, PLENTY).await
    }

    /// The same, with this cap and so many turns a person.
    pub async fn really(daily_cap: u32, rates: Rates) -> (Self, Running) {
        let settings = StandInSettings {
            username: "umoja".to_owned(),
            key: Secret::new(KEY),
            number: "38496".to_owned(),
        };
        let clock = Arc::new(Hand(AtomicI64::new(at(0).as_millis())));
        let running = SmsStandIn::start(settings, clock, Arc::new(OsEntropy)).unwrap();
        let gateway = gateway_with("africastalking", &running.url(), |settings| {
            settings.timeout = Duration::from_secs(2);
        });
        (Self::limited(gateway, daily_cap, rates).await, running)
    }

    pub fn pass(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap();
        self.clock.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// Writes a text about this fact.
    pub async fn write(&self, fact: &str) -> MessageId {
        let note = Note {
            to: &Msisdn::parse(ADA, "NG").unwrap(),
            kind: MessageKind::HandOver,
            key: fact.to_owned(),
            text: "Zq7: your bank is linked.",
            by: None,
            within: Duration::from_hours(48),
        };
        let (message, job) = self.outbox.draft(note).unwrap();
        assert!(self.db.keep_message(&message, &[job]).await.unwrap());
        message.id
    }

    pub async fn state(&self, id: MessageId) -> MessageState {
        self.db.message(id).await.unwrap().unwrap().state
    }

    /// Runs what is due, once each.
    pub async fn run_due(&self) -> usize {
        let now = self.clock.now();
        let jobs = self
            .db
            .claim(node(1), now, now.plus(Duration::from_secs(90)), 100)
            .await
            .unwrap();
        let count = jobs.len();
        for job in jobs {
            let verdict = match job.kind {
                JobKind::SendSms(id) => self.outbox.send(id).await.unwrap(),
                JobKind::AskReport(id) => self.outbox.ask_report(id).await.unwrap(),
                other => panic!("{other:?}"),
            };
            match (verdict, job.kind) {
                (Verdict::Done, _) => self.db.finish(job.id, node(1)).await.unwrap(),
                (Verdict::Later(why, Some(pause)), JobKind::AskReport(_)) => {
                    let again = self.clock.now().plus(pause);
                    self.db.postpone(job.id, node(1), again, why).await.unwrap();
                }
                other => panic!("{other:?}"),
            }
        }
        count
    }

    /// The gateway calls with this form; the status of our answer.
    pub async fn call(&self, tail: &str, form: &str) -> u16 {
        let request = OwnedRequest {
            method: "POST".to_owned(),
            tail: tail.to_owned(),
            query: Vec::new().into(),
            headers: Vec::new(),
            body: Some(form.as_bytes().to_vec().into()),
        };
        self.inbox.hear(self.line.clone(), request).await.status
    }

    /// Somebody sends a text; `date` is what the gateway says, if it does.
    pub async fn text(&self, id: &str, text: &str, date: &str) -> u16 {
        let form = format!("id={id}&from=%2B2348030000001&to=38496&text={text}&date={date}");
        self.call("", &form).await
    }
}

/// The person's texts, oldest first.
pub fn texts(running: &Running) -> Vec<String> {
    running.state.inbox(ADA).into_iter().map(|text| text.text).collect()
}

/// A gateway that hands parts on one by one, and takes texts when it is let.
pub struct Parts(pub Semaphore);

#[async_trait]
impl SmsGateway for Parts {
    fn name(&self) -> &'static str {
        "parts"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            most_parts: 1,
            senders: &[],
            reports: ReportKind::Called,
            carries_reference: false,
            incoming: IncomingKind::Parts,
        }
    }

    async fn send(&self, _: &OutgoingSms) -> Result<Sent, SendError> {
        self.0.acquire().await.unwrap().forget();
        Ok(Sent {
            message_id: "G1".to_owned(),
            cost: None,
        })
    }

    /// `id part text`, or `id` of a text that was delivered.
    fn hear(&self, request: &RawRequest<'_>) -> Result<Vec<Heard>, HookError> {
        let body = std::str::from_utf8(request.body).unwrap();
        let mut words = body.splitn(3, ' ').map(str::to_owned);
        let message_id = words.next().unwrap();
        let (Some(part), Some(text)) = (words.next(), words.next()) else {
            return Ok(vec![Heard::Report(DeliveryReport {
                message_id,
                reference: None,
                state: DeliveryState::Delivered,
            })]);
        };
        Ok(vec![Heard::Incoming(IncomingSms {
            message_id,
            from: Msisdn::parse(ADA, "NG").unwrap(),
            to: "38496".to_owned(),
            text: Secret::new(text),
            part: Some(Part {
                reference: "r".to_owned(),
                part: part.parse().unwrap(),
                of: 3,
            }),
            received_at: None,
        })])
    }
}
