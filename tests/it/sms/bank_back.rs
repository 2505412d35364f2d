//! Texts that a bank is back: each person one, when that is seen, or none.

use std::sync::Arc;
use std::time::Duration;

use kiungo::core::flow::session::ConnectSession;
use kiungo::core::flow::state::Subscriber;
use kiungo::core::flow::{BankAlertRequest, OpenSession};
use kiungo::core::ids::{ConnectSessionId, SeriesId};
use kiungo::core::linking::{ProviderSession, SessionKind};
use kiungo::core::menu::Outcome;
use kiungo::core::messages::Locale;
use kiungo::core::msisdn::Msisdn;
use kiungo::providers::{Institution, ProviderError, SubmitError};
use kiungo::records::{AttemptState, SmsPreference};
use kiungo::sandbox::sms::RunningSms;
use kiungo::service::bank_alerts::BankAlerts;
use kiungo::service::bank_alerts::BankBack;
use kiungo::service::institution_health::InstitutionHealth;
use kiungo::service::job::JobOutcome;
use kiungo::service::providers::ProviderCallError;
use kiungo::service::sms::outbox::SendSms;

use super::service_kit::{ADA, SmsService};
use crate::support::app_fixture::{CHANNEL, handlers};
use crate::support::records::{RecordedPerson, TYPES, node, partner};

const BOLA: &str = "+2348030000002";
/// Longer than the first rest of a bank that has failed three times, and than any.
const OPEN_TIME: Duration = Duration::from_secs(31);
const LONG_OPEN_TIME: Duration = Duration::from_secs(121);

/// A bank, anyone who wants to know that it is back, and two servers that look.
struct WaitingPeople {
    post: SmsService,
    running: RunningSms,
    nodes: [Arc<BankAlerts>; 2],
}

fn open_session_spec(session: u8) -> OpenSession {
    OpenSession {
        partner: None,
        session: ConnectSessionId::from_bytes([session; 16]),
        series: SeriesId::from_bytes([session; 16]),
        provider: "mono".to_owned(),
        institution: Institution {
            id: "b1:p".to_owned(),
            provider_id: "b1".to_owned(),
            name: "Savanna Bank".to_owned(),
            country: None,
            business: false,
            methods: Vec::new(),
            timeout: None,
        },
        method: String::new(),
        renews: None,
        consent: None,
    }
}

const BROKEN: ProviderError = ProviderError::Unavailable("a server error", None);

impl WaitingPeople {
    /// The first server has met this three times.
    async fn after_failures(meets: fn(&InstitutionHealth, &OpenSession)) -> Self {
        let (mut post, running) = SmsService::with_stand_in().await;
        post.shared.catalogue.refresh().await;
        let one = handlers(&post.shared, post.outbox.clone()).bank_alerts;
        let clock = post.shared.deps.clock.clone();
        post.shared.health = Arc::new(InstitutionHealth::new(clock, post.shared.deps.metrics.clone()));
        let two = handlers(&post.shared, post.outbox.clone()).bank_alerts;
        (0..3).for_each(|who| meets(&one.health, &open_session_spec(who)));
        let nodes = [one, two];
        Self { post, running, nodes }
    }

    async fn no_session_opens() -> Self {
        Self::after_failures(|health, open| {
            health.record_open(open, &Err::<(), _>(ProviderCallError::Provider(BROKEN)));
        })
        .await
    }

    async fn no_login_is_answered() -> Self {
        Self::after_failures(|health, open| {
            health.record_submit(open, Err(SubmitError::Unknown("no answer in time")), Duration::ZERO);
        })
        .await
    }

    fn person(&self, number: &str) -> RecordedPerson {
        RecordedPerson {
            partner: partner(1).id,
            tag: self
                .post
                .shared
                .deps
                .sealing
                .keyring
                .tag(&Msisdn::parse(number, "NG").unwrap()),
        }
    }

    /// Somebody asks, at the first server.
    async fn asks_for_alert(&self, number: &str) {
        let asked = BankAlertRequest {
            open: open_session_spec(9),
            locale: Locale::En,
            channel: CHANNEL.0.to_owned(),
        };
        let number = Msisdn::parse(number, "NG").unwrap();
        self.nodes[0]
            .subscribe(&self.person(number.as_str()).tag, &number, &asked)
            .await;
    }

    /// Does what is due, at one of the servers: how often it was looked, and how many texts were handed over.
    async fn run_due_jobs(&self, server: usize) -> (usize, usize) {
        let (mut looks, mut sends) = (0, 0);
        let (db, me) = (&self.post.db, node(u8::try_from(server).unwrap()));
        loop {
            let now = self.post.shared.deps.clock.now();
            let jobs = db.claim(TYPES, me, now, now.plus(OPEN_TIME), 9).await.unwrap();
            if jobs.is_empty() {
                return (looks, sends);
            }
            for job in jobs {
                let verdict = if let Some(watch) = job.kind.subject::<BankBack>() {
                    looks += 1;
                    self.nodes[server].check(watch).await.unwrap()
                } else if let Some(id) = job.kind.subject::<SendSms>() {
                    sends += 1;
                    self.nodes[server].withhold_if_outdated(id).await.unwrap();
                    self.post.outbox.send(id).await.unwrap()
                } else {
                    JobOutcome::Done
                };
                match verdict {
                    JobOutcome::Done => db.finish(job.id, me).await.unwrap(),
                    JobOutcome::RetryAfter(reason, pause) => {
                        let due = now.plus(pause.unwrap_or_default().max(Duration::from_secs(1)));
                        db.postpone(job.id, me, due, reason).await.unwrap();
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    fn sms_of(&self, number: &str) -> Vec<String> {
        let texts = self.running.state.inbox(number);
        texts.into_iter().map(|text| text.text).collect()
    }

    /// How many texts both have got; each says what it must and no more.
    fn alert_counts(&self) -> (usize, usize) {
        let read = |number| {
            let texts = self.sms_of(number);
            for text in &texts {
                assert_eq!(
                    text,
                    "Umoja Credit: the bank you asked for is back. To go on, dial *384*96#"
                );
            }
            texts.len()
        };
        (read(ADA), read(BOLA))
    }

    /// The bank takes a login of this person now.
    async fn logs_in(&self, number: &str) {
        let now = self.post.shared.deps.clock.now();
        let at_the_bank = |attempt: &mut kiungo::records::Attempt| {
            "b1:p".clone_into(&mut attempt.institution);
            attempt.created_at = now;
        };
        let person = self.person(number);
        person
            .attempted(&*self.post.db, AttemptState::Accepted, at_the_bank)
            .await;
    }

    /// This person has picked the bank, and a session is open.
    async fn opens_session(&self, number: &str) {
        let number = Msisdn::parse(number, "NG").unwrap();
        let mut state = Subscriber::new(number.clone(), Locale::En);
        let mut session = ConnectSession::new(ConnectSessionId::from_bytes([7; 16]), None);
        session.stage = Outcome::Ask;
        let institution = open_session_spec(7).institution;
        session.institution = Some(kiungo::core::flow::session::ChosenInstitution {
            id: institution.id,
            provider: "mono".to_owned(),
            provider_id: institution.provider_id,
            name: institution.name,
            methods: Vec::new(),
            method: None,
            warn: false,
            deny: false,
            sms_allowed: false,
            timeout: None,
        });
        session.provider_session = Some(ProviderSession {
            chosen: Vec::new(),
            id: "s1".to_owned(),
            expires_at: None,
            told_at: None,
            form: None,
            kind: SessionKind::Link,
        });
        state.session = Some(session);
        let live = &self.nodes[0].updater.live;
        assert!(
            live.swap(&self.post.shared.deps.sealing.keyring.tag(&number), None, &state)
                .await
                .unwrap()
        );
    }
}

/// Where sessions could not be opened, one that opens shows that the bank is back: it is tried when the rest is over and
/// not before, by one call, and everybody is told, once.
#[tokio::test]
async fn a_session_that_opens_is_seen() {
    let waiting = WaitingPeople::no_session_opens().await;
    waiting.asks_for_alert(ADA).await;
    waiting.asks_for_alert(BOLA).await;
    waiting.asks_for_alert(ADA).await;
    assert_eq!(waiting.run_due_jobs(0).await, (0, 0), "it rests");
    waiting.post.advance(OPEN_TIME);
    waiting.post.bank.script().unopened = Some(BROKEN);
    assert_eq!(waiting.run_due_jobs(0).await, (1, 0));
    assert_eq!(waiting.post.bank.script().opens, 1);
    waiting.post.advance(OPEN_TIME);
    waiting.run_due_jobs(0).await;
    assert_eq!(waiting.post.bank.script().opens, 1, "it rests for longer");
    waiting.post.advance(LONG_OPEN_TIME);
    waiting.post.bank.script().unopened = None;
    assert_eq!(waiting.run_due_jobs(0).await, (1, 2));
    assert_eq!(waiting.post.bank.script().opens, 2);
    assert!(waiting.nodes[0].health.snapshot().get("mono", "b1:p") == kiungo::core::health::Health::Slow);
    waiting.post.advance(Duration::from_hours(1));
    assert_eq!(waiting.run_due_jobs(1).await, (0, 0));
    assert_eq!(waiting.alert_counts(), (1, 1));
}

/// Where logins met nothing, no session is opened and nobody is told, until somebody's login was taken: before, after their
/// own wish it counts, and on whichever server it was.
#[tokio::test]
async fn a_login_that_is_taken_is_seen() {
    let waiting = WaitingPeople::no_login_is_answered().await;
    waiting.logs_in("+2348030000009").await;
    waiting.post.advance(Duration::from_millis(1));
    waiting.asks_for_alert(ADA).await;
    waiting.asks_for_alert(BOLA).await;
    for server in [0, 1, 0, 1] {
        waiting.post.advance(LONG_OPEN_TIME);
        assert_eq!(waiting.run_due_jobs(server).await, (1, 0));
    }
    assert_eq!(waiting.post.bank.script().opens, 0);
    waiting.logs_in("+2348030000009").await;
    waiting.post.advance(LONG_OPEN_TIME);
    assert_eq!(waiting.run_due_jobs(1).await, (1, 2));
    assert_eq!(waiting.alert_counts(), (1, 1));
}

/// Two servers that look at once, a server that dies after it has looked, and the next one: one text a person.
#[tokio::test(flavor = "multi_thread")]
async fn two_servers_write_one_text() {
    let waiting = WaitingPeople::no_session_opens().await;
    waiting.asks_for_alert(ADA).await;
    waiting.asks_for_alert(BOLA).await;
    waiting.post.advance(OPEN_TIME);
    let now = waiting.post.shared.deps.clock.now();
    let jobs = waiting
        .post
        .db
        .claim(TYPES, node(7), now, now.plus(OPEN_TIME), 9)
        .await
        .unwrap();
    let watches: Vec<_> = jobs.iter().map(|job| job.kind.subject::<BankBack>()).collect();
    let [Some(watch)] = watches[..] else {
        panic!("{jobs:?}");
    };
    let [one, two] = &waiting.nodes;
    let (first, second) = tokio::join!(one.check(watch), two.check(watch));
    assert_eq!((first.unwrap(), second.unwrap()), (JobOutcome::Done, JobOutcome::Done));
    assert_eq!(waiting.run_due_jobs(0).await, (0, 2));
    // The job was never marked as done: its lease ends, and another takes it.
    waiting.post.advance(LONG_OPEN_TIME);
    assert_eq!(waiting.run_due_jobs(1).await, (1, 0));
    assert_eq!(waiting.alert_counts(), (1, 1));
}

/// Who has been let in by the bank meanwhile gets no text, before it is written or before it is sent; others do.
#[tokio::test]
async fn who_knows_is_not_told() {
    for (logs_in, written) in [(true, false), (false, false), (true, true), (false, true)] {
        let waiting = WaitingPeople::no_session_opens().await;
        waiting.asks_for_alert(ADA).await;
        waiting.asks_for_alert(BOLA).await;
        waiting.post.advance(OPEN_TIME);
        if written {
            let now = waiting.post.shared.deps.clock.now();
            let jobs = waiting.post.db.claim(TYPES, node(0), now, now, 9).await.unwrap();
            let Some(watch) = jobs[0].kind.subject::<BankBack>() else {
                panic!("{jobs:?}")
            };
            assert_eq!(waiting.nodes[0].check(watch).await.unwrap(), JobOutcome::Done);
        }
        if logs_in {
            waiting.logs_in(ADA).await;
        } else {
            waiting.opens_session(ADA).await;
        }
        waiting.run_due_jobs(0).await;
        assert_eq!(waiting.alert_counts(), (0, 1), "{logs_in} {written}");
    }
}

/// Who has said STOP gets none, and no wish is kept; who says it after asking gets none either.
#[tokio::test]
async fn who_wants_no_texts_gets_none() {
    for before in [true, false] {
        let waiting = WaitingPeople::no_session_opens().await;
        let (ada, now) = (waiting.person(ADA), waiting.post.shared.deps.clock.now());
        if !before {
            waiting.asks_for_alert(ADA).await;
        }
        let stop = SmsPreference { stopped: true, at: now };
        waiting
            .post
            .db
            .put_sms_preference(ada.partner, &ada.tag, stop)
            .await
            .unwrap();
        if before {
            waiting.asks_for_alert(ADA).await;
        }
        waiting.post.advance(OPEN_TIME);
        let looks = usize::from(!before);
        assert_eq!(waiting.run_due_jobs(0).await, (looks, looks));
        assert_eq!(waiting.alert_counts(), (0, 0));
    }
}

/// A bank that is not back within a day is not spoken of, and is looked at rarely after an hour.
#[tokio::test]
async fn after_a_day_nothing_is_said() {
    let waiting = WaitingPeople::no_session_opens().await;
    waiting.post.bank.script().unopened = Some(BROKEN);
    waiting.asks_for_alert(ADA).await;
    let mut looks = 0;
    for minute in 1..=24 * 60 {
        waiting.post.advance(Duration::from_mins(1));
        let (looked, sent) = waiting.run_due_jobs(0).await;
        assert_eq!(sent, 0);
        looks += if minute > 60 { looked } else { 0 };
    }
    assert!((60..=140).contains(&looks), "{looks}");
    waiting.post.bank.script().unopened = None;
    waiting.post.advance(Duration::from_hours(1));
    waiting.run_due_jobs(0).await;
    waiting.post.advance(Duration::from_hours(1));
    assert_eq!(waiting.run_due_jobs(0).await, (0, 0), "it is still looked at");
    assert_eq!(waiting.alert_counts(), (0, 0));
}
