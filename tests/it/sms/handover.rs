//! What is texted about a submission, over a store that a test breaks: once, to who does not know.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use kiungo::core::attempt::{LiveAttempt, LiveAttemptState};
use kiungo::core::flow::session::{ConnectSession, LinkSummary};
use kiungo::core::flow::state::{Dialog, ReplySlot, Subscriber, TurnReply, TypedPrefix};
use kiungo::core::flow::{AttemptResult, SessionEvent};
use kiungo::core::ids::LinkId;
use kiungo::core::menu::Outcome;
use kiungo::core::messages::Locale;
use kiungo::core::msisdn::Msisdn;
use kiungo::core::next_step::{Failure, FailureClass, Field, FieldKind, Form};
use kiungo::core::seal::SubscriberTag;
use kiungo::core::sms::{MessageState, WithheldReason};
use kiungo::core::time::Timestamp;
use kiungo::records::{Attempt, AttemptState, Link, LinkCompletion, LinkState};
use kiungo::sandbox::sms::RunningSms;
use kiungo::service::handover::HandoverMessages;
use kiungo::service::handover_queue::HandOver;
use kiungo::service::handover_queue::HandoverQueue;
use kiungo::service::job::JobOutcome;
use kiungo::service::live::{LiveValues, LoadedValue};
use kiungo::service::sms::outbox::SendSms;
use kiungo::store::memory::MemoryStore;
use kiungo::store::{IndexKey, Store, StoreError, SwapResult, Version, VersionedValue};

use super::service_kit::{ADA, SmsService, delivered_texts};
use crate::support::app_fixture::{CHANNEL, handlers};
use crate::support::records::{RecordedPerson, TYPES, at, begin, link, node, partner};

/// A store that reads, but writes only while it is let.
struct SwitchableStore {
    inner: MemoryStore,
    writes: AtomicBool,
}

#[async_trait]
impl Store for SwitchableStore {
    async fn load(&self, tag: &SubscriberTag) -> Result<Option<VersionedValue>, StoreError> {
        self.inner.load(tag).await
    }

    async fn swap(
        &self,
        tag: &SubscriberTag,
        old: Option<Version>,
        next: &VersionedValue,
        ttl: Duration,
    ) -> Result<SwapResult, StoreError> {
        if !self.writes.load(Ordering::SeqCst) {
            return Err(StoreError("timeout".to_owned()));
        }
        self.inner.swap(tag, old, next, ttl).await
    }

    async fn set_index(&self, name: &IndexKey, tag: &SubscriberTag, ttl: Duration) -> Result<(), StoreError> {
        self.inner.set_index(name, tag, ttl).await
    }

    async fn look_up(&self, name: &IndexKey) -> Result<Option<SubscriberTag>, StoreError> {
        self.inner.look_up(name).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.inner.ready().await
    }
}

/// Somebody who has submitted, and the services that text them.
struct AbsentPerson {
    post: SmsService,
    running: RunningSms,
    store: Arc<SwitchableStore>,
    handovers: Arc<HandoverMessages>,
    attempt: Attempt,
}

impl AbsentPerson {
    /// Somebody whose dialog is over, or ends at this moment, in milliseconds from the beginning.
    async fn since_dialog_end(ends_at: Option<i64>) -> Self {
        let away = Self::with_lost_answer().await;
        let number = Msisdn::parse(ADA, "NG").unwrap();
        let mut state = Subscriber::new(number, Locale::En);
        state.dialogs.push(Dialog {
            key: [1; 32],
            channel: CHANNEL.0.to_owned(),
            septets: 156,
            started_at: at(0),
            ends_at: at(ends_at.unwrap_or_default()),
            interactive_until: None,
            idle: Duration::ZERO,
            typed_prefix: TypedPrefix {
                len: 0,
                digest: [0; 32],
            },
            joins_lines: false,
            reply: ReplySlot::Set(TurnReply {
                end: ends_at.is_none(),
                text: String::new(),
                option_lines: 0,
            }),
            closed: ends_at.is_none(),
            used: true,
            unlocked: false,
            looks: 0,
            turn_ids: Vec::new(),
            sms: None,
        });
        let mut session = ConnectSession::new(away.attempt.session, None);
        session.stage = Outcome::Checking;
        session.attempt = Some(LiveAttempt {
            id: away.attempt.id,
            step: away.attempt.step,
            state: LiveAttemptState::Sent,
            owner: node(1),
            begun_at: at(0),
            lease_until: at(60_000),
        });
        state.session = Some(session);
        let live = &away.handovers.updater.live;
        assert!(live.swap(&away.attempt.tag, None, &state).await.unwrap());
        away
    }

    /// Somebody whom the live store does not know.
    async fn with_lost_answer() -> Self {
        let (mut post, running) = SmsService::with_stand_in().await;
        let store = Arc::new(SwitchableStore {
            inner: MemoryStore::new(post.shared.deps.clock.clone()),
            writes: AtomicBool::new(true),
        });
        let (records, deps) = (post.db.shared(), post.shared.deps.clone());
        let keyring = deps.sealing.keyring.clone();
        post.shared.updater.live = LiveValues::new(store.clone(), keyring, deps.rng.clone());
        post.shared.updater.handovers = Some(HandoverQueue {
            deps,
            partner: partner(1).id,
        });
        let number = Msisdn::parse(ADA, "NG").unwrap();
        let person = RecordedPerson {
            partner: partner(1).id,
            tag: post.shared.deps.sealing.keyring.tag(&number),
        };
        let mut consent = person.consent();
        consent.msisdn = post
            .shared
            .deps
            .sealing
            .seal_msisdn(&person.tag, consent.id, &number)
            .unwrap();
        CHANNEL.0.clone_into(&mut consent.channel);
        let attempt = person.attempt(&consent);
        begin(&*records, &consent, &attempt).await;
        Self {
            handovers: handlers(&post.shared, post.outbox.clone()).handovers,
            post,
            running,
            store,
            attempt,
        }
    }

    /// Something became of it, as any server tells it.
    async fn apply_result(&self, attempt_result: AttemptResult) -> bool {
        let id = self.attempt.id;
        let news = SessionEvent::AttemptResolved {
            id,
            result: attempt_result,
        };
        self.handovers.updater.apply(&self.attempt.tag, &news).await
    }

    async fn write_sms(&self) -> JobOutcome {
        self.handovers.write(self.attempt.id).await.unwrap()
    }

    /// Runs what is due, except that a bank is asked; how many texts were asked for, and how many sent.
    async fn run_due(&self) -> (usize, usize) {
        let (mut asked, mut sent) = (0, 0);
        loop {
            let now = self.post.shared.deps.clock.now();
            let until = now.plus(Duration::from_mins(1));
            let jobs = self.post.db.claim(TYPES, node(1), now, until, 9).await.unwrap();
            if jobs.is_empty() {
                return (asked, sent);
            }
            for job in jobs {
                let verdict = if let Some(id) = job.kind.subject::<HandOver>() {
                    asked += 1;
                    self.handovers.write(id).await.unwrap()
                } else if let Some(id) = job.kind.subject::<SendSms>() {
                    sent += 1;
                    self.handovers.send(id).await.unwrap()
                } else {
                    JobOutcome::Done
                };
                match verdict {
                    JobOutcome::RetryAfter(reason, pause) => {
                        let due = now.plus(pause.unwrap_or_default());
                        self.post.db.postpone(job.id, node(1), due, reason).await.unwrap();
                    }
                    JobOutcome::Done => self.post.db.finish(job.id, node(1)).await.unwrap(),
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    async fn state(&self) -> Subscriber {
        let live = &self.handovers.updater.live;
        let LoadedValue::Subscriber(state) = live.load(&self.attempt.tag).await.unwrap().value else {
            panic!("nobody");
        };
        *state
    }

    /// They have dialled, and it stood on the screen.
    async fn learns_result(&self) {
        let live = &self.handovers.updater.live;
        let told = live.update(&self.attempt.tag, |state| {
            state.session.as_mut()?.shown = true;
            Some(())
        });
        assert_eq!(told.await.unwrap(), Some(()));
    }
}

fn prompt() -> AttemptResult {
    AttemptResult::Prompt(Form {
        title: None,
        fields: vec![Field::new("otp", "OTP", FieldKind::Digits)],
    })
}

fn failed(class: FailureClass, pause: Option<u64>) -> AttemptResult {
    AttemptResult::Failed(Failure {
        retry_after: pause.map(Duration::from_secs),
        ..class.into()
    })
}

fn linked() -> AttemptResult {
    AttemptResult::Linked(LinkSummary {
        partner: None,
        id: LinkId::from_bytes([5; 16]),
        institution_name: "First Bank".to_owned(),
        institution_id: "bank-1".to_owned(),
        provider_institution: "first".to_owned(),
        provider: "mono".to_owned(),
        masked: Some("4321".to_owned()),
        duplicate: false,
        until: Timestamp::from_millis(1_790_000_000_000),
        needs_login: false,
        used_at: Timestamp::from_millis(1_780_000_000_000),
    })
}

/// Whatever became of it is texted once, by however many servers, however often it is told; and what is not an answer is
/// not. The text names neither bank nor account, and the code in it is the one that works.
#[tokio::test]
async fn every_answer_is_texted_once() {
    for (attempt_result, want) in [
        (linked(), Some("your account is linked")),
        (prompt(), Some("your bank asks one more thing")),
        (failed(FailureClass::Refused, None), Some("no account was linked")),
        (failed(FailureClass::Busy, Some(90)), Some("no account was linked")),
        (AttemptResult::NotSent, Some("no account was linked")),
        (AttemptResult::Lapsed, Some("no account was linked")),
        (AttemptResult::Unknown, None),
        (AttemptResult::Granted, None),
    ] {
        let name = format!("{attempt_result:?}");
        let away = AbsentPerson::since_dialog_end(None).await;
        assert!(away.apply_result(attempt_result.clone()).await, "{name}");
        assert!(!away.apply_result(attempt_result).await || want.is_none(), "{name}");
        tokio::join!(away.write_sms(), away.write_sms());
        let asked = usize::from(want.is_some());
        assert_eq!(away.run_due().await, (asked, asked), "{name}");
        let texts = delivered_texts(&away.running);
        assert_eq!(texts.len(), asked, "{name}: {texts:?}");
        for text in texts {
            assert!(text.contains(want.unwrap()), "{name}: {text}");
            assert!(!text.contains("First Bank") && !text.contains("4321"), "{text}");
            let recovery = away.state().await.recovery;
            assert_eq!(recovery.is_none(), want == Some("your account is linked"), "{text}");
            if let Some(recovery) = recovery {
                assert!(text.contains(&format!("*384*96*{}#", recovery.code)), "{text}");
            }
        }
    }
}

/// A link that shows after nothing could be confirmed is another answer, and is texted too.
#[tokio::test]
async fn a_late_link_is_texted_after_all() {
    let away = AbsentPerson::since_dialog_end(None).await;
    away.apply_result(AttemptResult::Lapsed).await;
    away.run_due().await;
    away.apply_result(linked()).await;
    away.run_due().await;
    let texts = delivered_texts(&away.running);
    assert!(matches!(&texts[..], [no, yes] if no.contains("no account was linked") && yes.contains("is linked")));
}

/// A server that dies between writing the text and remembering it does both again: one text, whose code works.
#[tokio::test]
async fn nothing_is_lost_between_two_writes() {
    let away = AbsentPerson::since_dialog_end(None).await;
    away.apply_result(prompt()).await;
    away.store.writes.store(false, Ordering::SeqCst);
    assert_eq!(away.write_sms().await, JobOutcome::Retry("store"));
    assert!(away.state().await.recovery.is_none());
    away.post.advance(Duration::from_secs(30));
    away.store.writes.store(true, Ordering::SeqCst);
    assert_eq!(away.run_due().await, (1, 1));
    let code = away.state().await.recovery.unwrap().code.to_string();
    let texts = delivered_texts(&away.running);
    assert!(matches!(&texts[..], [text] if text.contains(&code)), "{texts:?}");
}

/// While a dialog may be on nothing is texted; at its end who still does not know is, and nobody else.
#[tokio::test]
async fn a_dialog_is_waited_for() {
    for told in [false, true] {
        let away = AbsentPerson::since_dialog_end(Some(120_000)).await;
        away.apply_result(failed(FailureClass::Refused, None)).await;
        assert_eq!(away.run_due().await, (1, 0));
        away.post.advance(Duration::from_millis(119_999));
        assert_eq!(away.run_due().await, (0, 0));
        if told {
            away.learns_result().await;
        }
        away.post.advance(Duration::from_millis(1));
        assert_eq!(away.run_due().await, (1, usize::from(!told)));
        assert_eq!(delivered_texts(&away.running).len(), usize::from(!told));
    }
}

/// What has become known before the text leaves is not texted any more, nor what is not true any more.
#[tokio::test]
async fn old_news_are_not_sent() {
    for overtaken in [false, true] {
        let away = AbsentPerson::since_dialog_end(None).await;
        away.apply_result(AttemptResult::Lapsed).await;
        assert_eq!(away.write_sms().await, JobOutcome::Done);
        let now: Timestamp = away.post.shared.deps.clock.now();
        let jobs = away.post.db.claim(TYPES, node(2), now, now, 9).await.unwrap();
        let text = jobs.into_iter().find_map(|job| job.kind.subject::<SendSms>());
        if overtaken {
            away.apply_result(linked()).await;
        } else {
            away.learns_result().await;
        }
        assert_eq!(away.handovers.send(text.unwrap()).await.unwrap(), JobOutcome::Done);
        let state = away.post.state(text.unwrap()).await;
        assert_eq!(state, MessageState::Withheld(WithheldReason::PersonDialed));
        assert!(delivered_texts(&away.running).is_empty());
    }
}

/// Who is linked, or is so no more, is told although the live store has lost them, once; of anything else the next dial tells.
/// Of a link that was never in use nobody was told, and there is nothing to take back.
#[tokio::test]
async fn a_link_is_told_without_the_store() {
    for (end, made, count) in [
        (AttemptState::Linked, Some(LinkState::Active), 1),
        (AttemptState::Undone, Some(LinkState::Active), 1),
        (AttemptState::Undone, Some(LinkState::Verifying), 0),
        (AttemptState::Refused, None, 0),
    ] {
        let away = AbsentPerson::with_lost_answer().await;
        let now = away.post.shared.deps.clock.now();
        if let Some(state) = made {
            let made = Link {
                state,
                ..link(&away.attempt, 1)
            };
            let written = away.post.db.complete_link(&made, &[]).await.unwrap();
            assert!(matches!(written, LinkCompletion::Written(_)));
            let undoing = end == AttemptState::Undone;
            assert!(!undoing || away.post.db.undo_link(&made, end, &[], now).await.unwrap());
        } else {
            assert!(away.post.db.move_attempt(away.attempt.id, end, now).await.unwrap());
        }
        for _ in 0..2 {
            assert_eq!(away.write_sms().await, JobOutcome::Done);
        }
        assert_eq!(away.run_due().await, (0, count));
        let texts = delivered_texts(&away.running);
        assert_eq!(texts.len(), count);
        assert!(texts.iter().all(|text| text.ends_with("dial *384*96#")), "{texts:?}");
    }
}
