//! Texts that a bank is back: each person one, when that is seen, or none.

use std::sync::Arc;
use std::time::Duration;

use kiungo::core::flow::state::{ConnectSession, Subscriber};
use kiungo::core::flow::{OpenSession, TextWhenBack};
use kiungo::core::ids::ConnectSessionId;
use kiungo::core::linking::{ProviderSession, SessionKind};
use kiungo::core::menu::Outcome;
use kiungo::core::messages::Locale;
use kiungo::core::msisdn::Msisdn;
use kiungo::providers::{Institution, ProviderError, SubmitError};
use kiungo::records::{AttemptState, JobKind, Wish};
use kiungo::sandbox::sms::Running;
use kiungo::service::bank_back::BankBacks;
use kiungo::service::bank_health::BankHealth;
use kiungo::service::jobs::Verdict;
use kiungo::service::partner::CallError;

use super::post::{ADA, Post};
use crate::support::parts::{CHANNEL, bank_backs};
use crate::support::records::{Person, node, partner};

const BOLA: &str = "+2348030000002";
/// Longer than the first rest of a bank that has failed three times, and than any.
const REST: Duration = Duration::from_secs(31);
const LONG_REST: Duration = Duration::from_secs(121);

/// A bank, whoever wants to know that it is back, and two servers that look.
struct Waiting {
    post: Post,
    running: Running,
    nodes: [BankBacks; 2],
}

fn there(session: u8) -> OpenSession {
    OpenSession {
        partner: None,
        session: ConnectSessionId::from_bytes([session; 16]),
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
    }
}

const BROKEN: ProviderError = ProviderError::Unavailable("a server error", None);

impl Waiting {
    /// The first server has met this three times.
    async fn after(meets: fn(&BankHealth, &OpenSession)) -> Self {
        let (mut post, running) = Post::real().await;
        post.shared.catalogue.refresh().await;
        let one = bank_backs(&post.shared, post.outbox.clone());
        let clock = post.shared.runtime.clock.clone();
        post.shared.health = Arc::new(BankHealth::new(clock, post.shared.metrics.clone()));
        let two = bank_backs(&post.shared, post.outbox.clone());
        (0..3).for_each(|who| meets(&one.health, &there(who)));
        let nodes = [one, two];
        Self { post, running, nodes }
    }

    async fn no_session_opens() -> Self {
        Self::after(|health, open| health.opened(open, &Err::<(), _>(CallError::Provider(BROKEN)))).await
    }

    async fn no_login_is_answered() -> Self {
        Self::after(|health, open| {
            health.submitted(open, &Err(SubmitError::Unknown("no answer in time")), Duration::ZERO);
        })
        .await
    }

    fn person(&self, number: &str) -> Person {
        Person {
            partner: partner(1).id,
            tag: self.post.shared.keyring.tag(&Msisdn::parse(number, "NG").unwrap()),
        }
    }

    /// Somebody asks, at the first server.
    async fn asks(&self, number: &str) {
        let asked = TextWhenBack {
            open: there(9),
            locale: Locale::En,
            channel: CHANNEL.0.to_owned(),
        };
        let number = Msisdn::parse(number, "NG").unwrap();
        self.nodes[0]
            .ask(&self.person(number.as_str()).tag, &number, &asked)
            .await;
    }

    /// Does what is due, at one of the servers: how often it was looked, and how many texts were handed over.
    async fn runs(&self, server: usize) -> (usize, usize) {
        let (mut looks, mut sends) = (0, 0);
        let (db, me) = (&self.post.db, node(u8::try_from(server).unwrap()));
        loop {
            let now = self.post.shared.runtime.clock.now();
            let jobs = db.claim(me, now, now.plus(REST), 9).await.unwrap();
            if jobs.is_empty() {
                return (looks, sends);
            }
            for job in jobs {
                let verdict = match job.kind {
                    JobKind::BankBack(watch) => {
                        looks += 1;
                        self.nodes[server].look(watch).await.unwrap()
                    }
                    JobKind::SendSms(id) => {
                        sends += 1;
                        self.nodes[server].review(id).await.unwrap();
                        self.post.outbox.send(id).await.unwrap()
                    }
                    _ => Verdict::Done,
                };
                match verdict {
                    Verdict::Done => db.finish(job.id, me).await.unwrap(),
                    Verdict::Later(reason, pause) => {
                        let due = now.plus(pause.unwrap_or_default().max(Duration::from_secs(1)));
                        db.postpone(job.id, me, due, reason).await.unwrap();
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    fn texts(&self, number: &str) -> Vec<String> {
        let texts = self.running.state.inbox(number);
        texts.into_iter().map(|text| text.text).collect()
    }

    /// How many texts both have got; each says what it must and no more.
    fn told(&self) -> (usize, usize) {
        let read = |number| {
            let texts = self.texts(number);
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
    async fn takes_login_of(&self, number: &str) {
        let now = self.post.shared.runtime.clock.now();
        let at_the_bank = |attempt: &mut kiungo::records::Attempt| {
            "b1:p".clone_into(&mut attempt.institution);
            attempt.created_at = now;
        };
        let person = self.person(number);
        person.tried(&*self.post.db, AttemptState::Accepted, at_the_bank).await;
    }

    /// This person has picked the bank, and a session is open.
    async fn is_there(&self, number: &str) {
        let number = Msisdn::parse(number, "NG").unwrap();
        let mut state = Subscriber::new(number.clone(), Locale::En);
        let mut session = ConnectSession::new(ConnectSessionId::from_bytes([7; 16]), None);
        session.stage = Outcome::Ask;
        let institution = there(7).institution;
        session.bank = Some(kiungo::core::flow::state::Bank {
            id: institution.id,
            provider: "mono".to_owned(),
            provider_id: institution.provider_id,
            name: institution.name,
            methods: Vec::new(),
            method: None,
            warn: false,
            deny: false,
            text: false,
            timeout: None,
        });
        session.provider_session = Some(ProviderSession {
            id: "s1".to_owned(),
            expires_at: None,
            form: None,
            kind: SessionKind::Link,
        });
        state.session = Some(session);
        let live = &self.nodes[0].newsroom.live;
        assert!(
            live.swap(&self.post.shared.keyring.tag(&number), None, &state)
                .await
                .unwrap()
        );
    }
}

/// Where sessions could not be opened, one that opens shows that the bank is back: it is tried when the rest is over and
/// not before, by one call, and everybody is told, once.
#[tokio::test]
async fn a_session_that_opens_is_seen() {
    let waiting = Waiting::no_session_opens().await;
    waiting.asks(ADA).await;
    waiting.asks(BOLA).await;
    waiting.asks(ADA).await;
    assert_eq!(waiting.runs(0).await, (0, 0), "it rests");
    waiting.post.pass(REST);
    waiting.post.bank.script().unopened = Some(BROKEN);
    assert_eq!(waiting.runs(0).await, (1, 0));
    assert_eq!(waiting.post.bank.script().opens, 1);
    waiting.post.pass(REST);
    waiting.runs(0).await;
    assert_eq!(waiting.post.bank.script().opens, 1, "it rests for longer");
    waiting.post.pass(LONG_REST);
    waiting.post.bank.script().unopened = None;
    assert_eq!(waiting.runs(0).await, (1, 2));
    assert_eq!(waiting.post.bank.script().opens, 2);
    assert!(waiting.nodes[0].health.look().of("mono", "b1:p") == kiungo::core::health::Health::Slow);
    waiting.post.pass(Duration::from_hours(1));
    assert_eq!(waiting.runs(1).await, (0, 0));
    assert_eq!(waiting.told(), (1, 1));
}

/// Where logins met nothing, no session is opened and nobody is told, until somebody's login was taken: before, after their
/// own wish it counts, and on whichever server it was.
#[tokio::test]
async fn a_login_that_is_taken_is_seen() {
    let waiting = Waiting::no_login_is_answered().await;
    waiting.takes_login_of("+2348030000009").await;
    waiting.post.pass(Duration::from_millis(1));
    waiting.asks(ADA).await;
    waiting.asks(BOLA).await;
    for server in [0, 1, 0, 1] {
        waiting.post.pass(LONG_REST);
        assert_eq!(waiting.runs(server).await, (1, 0));
    }
    assert_eq!(waiting.post.bank.script().opens, 0);
    waiting.takes_login_of("+2348030000009").await;
    waiting.post.pass(LONG_REST);
    assert_eq!(waiting.runs(1).await, (1, 2));
    assert_eq!(waiting.told(), (1, 1));
}

/// Two servers that look at once, a server that dies after it has looked, and the next one: one text a person.
#[tokio::test(flavor = "multi_thread")]
async fn two_servers_write_one_text() {
    let waiting = Waiting::no_session_opens().await;
    waiting.asks(ADA).await;
    waiting.asks(BOLA).await;
    waiting.post.pass(REST);
    let now = waiting.post.shared.runtime.clock.now();
    let jobs = waiting.post.db.claim(node(7), now, now.plus(REST), 9).await.unwrap();
    let [JobKind::BankBack(watch)] = jobs.iter().map(|job| job.kind.clone()).collect::<Vec<_>>()[..] else {
        panic!("{jobs:?}");
    };
    let [one, two] = &waiting.nodes;
    let (first, second) = tokio::join!(one.look(watch), two.look(watch));
    assert_eq!((first.unwrap(), second.unwrap()), (Verdict::Done, Verdict::Done));
    assert_eq!(waiting.runs(0).await, (0, 2));
    // The job was never marked as done: its lease ends, and another takes it.
    waiting.post.pass(LONG_REST);
    assert_eq!(waiting.runs(1).await, (1, 0));
    assert_eq!(waiting.told(), (1, 1));
}

/// Who has been let in by the bank meanwhile gets no text, before it is written or before it is sent; others do.
#[tokio::test]
async fn who_knows_is_not_told() {
    for (logs_in, written) in [(true, false), (false, false), (true, true), (false, true)] {
        let waiting = Waiting::no_session_opens().await;
        waiting.asks(ADA).await;
        waiting.asks(BOLA).await;
        waiting.post.pass(REST);
        if written {
            let now = waiting.post.shared.runtime.clock.now();
            let jobs = waiting.post.db.claim(node(0), now, now, 9).await.unwrap();
            let JobKind::BankBack(watch) = jobs[0].kind else {
                panic!("{jobs:?}")
            };
            assert_eq!(waiting.nodes[0].look(watch).await.unwrap(), Verdict::Done);
        }
        if logs_in {
            waiting.takes_login_of(ADA).await;
        } else {
            waiting.is_there(ADA).await;
        }
        waiting.runs(0).await;
        assert_eq!(waiting.told(), (0, 1), "{logs_in} {written}");
    }
}

/// Who has said STOP gets none, and no wish is kept; who says it after asking gets none either.
#[tokio::test]
async fn who_wants_no_texts_gets_none() {
    for before in [true, false] {
        let waiting = Waiting::no_session_opens().await;
        let (ada, now) = (waiting.person(ADA), waiting.post.shared.runtime.clock.now());
        if !before {
            waiting.asks(ADA).await;
        }
        let stop = Wish { stopped: true, at: now };
        waiting.post.db.put_wish(ada.partner, &ada.tag, stop).await.unwrap();
        if before {
            waiting.asks(ADA).await;
        }
        waiting.post.pass(REST);
        let looks = usize::from(!before);
        assert_eq!(waiting.runs(0).await, (looks, looks));
        assert_eq!(waiting.told(), (0, 0));
    }
}

/// A bank that is not back within a day is not spoken of, and is looked at rarely after an hour.
#[tokio::test]
async fn after_a_day_nothing_is_said() {
    let waiting = Waiting::no_session_opens().await;
    waiting.post.bank.script().unopened = Some(BROKEN);
    waiting.asks(ADA).await;
    let mut looks = 0;
    for minute in 1..=24 * 60 {
        waiting.post.pass(Duration::from_mins(1));
        let (looked, sent) = waiting.runs(0).await;
        assert_eq!(sent, 0);
        looks += if minute > 60 { looked } else { 0 };
    }
    assert!((60..=140).contains(&looks), "{looks}");
    waiting.post.bank.script().unopened = None;
    waiting.post.pass(Duration::from_hours(1));
    waiting.runs(0).await;
    waiting.post.pass(Duration::from_hours(1));
    assert_eq!(waiting.runs(0).await, (0, 0), "it is still looked at");
    assert_eq!(waiting.told(), (0, 0));
}
