//! Reminders of what people have left in the middle, over a clock that is wound: once, and only where nothing speaks against it.

use std::time::Duration;

use kiungo::core::dial_code::DialCode;
use kiungo::core::flow::ReminderSubject;
use kiungo::core::flow::reminder::REMIND_AFTER;
use kiungo::core::flow::session::{ConnectSession, ConsentGiven};
use kiungo::core::flow::state::{Dialog, ReplySlot, Subscriber, TurnReply, TypedPrefix};
use kiungo::core::flow::terms::{PartnerRef, RequestTerms};
use kiungo::core::ids::{ConnectSessionId, ConsentId, IntentId, MessageId};
use kiungo::core::messages::Locale;
use kiungo::core::msisdn::Msisdn;
use kiungo::core::scope::Scope;
use kiungo::core::seal::SubscriberTag;
use kiungo::core::sms::{MessageState, WithheldReason};
use kiungo::core::time::Timestamp;
use kiungo::records::{IntentState, JobType, SmsKind, SmsPreference};
use kiungo::sandbox::sms::RunningSms;
use kiungo::service::job::{JobHandler, JobOutcome};
use kiungo::service::job_list::JobHandlers;
use kiungo::service::live::LoadedValue;
use kiungo::service::reminders::{RemindAgreed, RemindAsked, Reminders};
use kiungo::service::sms::outbox::{OutgoingMessage, SendSms};

use super::service_kit::{ADA, SmsService, delivered_texts};
use crate::support::app_fixture::{CHANNEL, handlers};
use crate::support::intents;
use crate::support::records::{node, partner};

/// Somebody whose dialog was cut a moment ago.
struct AbsentPerson {
    post: SmsService,
    running: RunningSms,
    handlers: JobHandlers,
    tag: SubscriberTag,
}

impl AbsentPerson {
    async fn who(change: impl FnOnce(&mut Subscriber, Timestamp)) -> Self {
        let (post, running) = SmsService::with_stand_in().await;
        let number = Msisdn::parse(ADA, "NG").unwrap();
        let deps = &post.shared.deps;
        let (tag, now) = (deps.sealing.keyring.tag(&number), deps.clock.now());
        let mut state = Subscriber::new(number, Locale::En);
        state.dialogs.push(Dialog {
            key: [1; 32],
            channel: CHANNEL.0.to_owned(),
            septets: 156,
            idle: Duration::from_mins(1),
            looks: 0,
            started_at: now,
            ends_at: now,
            interactive_until: None,
            typed_prefix: TypedPrefix {
                len: 0,
                digest: [0; 32],
            },
            joins_lines: false,
            reply: ReplySlot::Set(TurnReply::ask(String::new())),
            closed: true,
            used: true,
            unlocked: false,
            turn_ids: Vec::new(),
            sms: None,
        });
        change(&mut state, now);
        assert!(post.shared.updater.live.swap(&tag, None, &state).await.unwrap());
        Self {
            handlers: handlers(&post.shared, post.outbox.clone()),
            post,
            running,
            tag,
        }
    }

    /// Has agreed, and no more.
    async fn who_agreed() -> (Self, ReminderSubject) {
        let consent = ConsentId::from_bytes([7; 16]);
        let left = Self::who(|state, now| {
            let given = ConsentGiven {
                id: consent,
                intent: IntentId::from_bytes([8; 16]),
                text: "Agree?".to_owned(),
                version: "1".to_owned(),
                locale: Locale::En,
                channel: CHANNEL.0.to_owned(),
                at: now,
                purpose: "a loan".to_owned(),
                purposes: None,
                days: 90,
                scope: Scope::default(),
            };
            state.session = Some(ConnectSession::new(ConnectSessionId::from_bytes([9; 16]), Some(given)));
        })
        .await;
        (left, ReminderSubject::Agreed(consent))
    }

    /// Is asked by an open intent of a partner, whose own SMS has gone out if it is `texted`.
    async fn who_was_asked(texted: bool) -> (Self, ReminderSubject) {
        let id = IntentId::from_bytes([6; 16]);
        let asking = partner(1);
        let left = Self::who(|state, _| {
            let business = PartnerRef {
                id: asking.id,
                name: asking.name.clone(),
            };
            state.terms = Some(RequestTerms {
                intent: Some(id),
                ..RequestTerms::open_offer(business, "a loan".to_owned(), 90)
            });
        })
        .await;
        intents::add(left.post.db.shared().as_ref(), asking.id, |new| {
            new.id = id;
            new.tag = Some(left.tag);
            new.expires_at = left.now().plus(Duration::from_hours(24));
        })
        .await;
        if texted {
            let invitation = OutgoingMessage {
                to: &Msisdn::parse(ADA, "NG").unwrap(),
                kind: SmsKind::Request,
                key: format!("intent:{id}"),
                text: "asked",
                route: None,
                valid_for: Duration::from_hours(1),
            };
            assert!(left.post.outbox.enqueue_for(asking.id, invitation).await.unwrap());
            assert_eq!(left.post.run_due().await, 1);
        }
        (left, ReminderSubject::Asked(id))
    }

    fn now(&self) -> Timestamp {
        self.post.shared.deps.clock.now()
    }

    fn reminders(&self) -> &Reminders {
        &self.handlers.reminders
    }

    /// Runs the reminder's job as a node does when it is due.
    async fn remind(&self, subject: ReminderSubject) -> JobOutcome {
        let outcome = match subject {
            ReminderSubject::Agreed(id) => JobHandler::<RemindAgreed>::run(self.reminders(), id).await,
            ReminderSubject::Asked(id) => JobHandler::<RemindAsked>::run(self.reminders(), id).await,
        };
        outcome.unwrap()
    }

    /// The reminder that is queued, if there is one.
    async fn queued(&self) -> Option<MessageId> {
        let now = self.now();
        let jobs = self
            .post
            .db
            .claim(&[SendSms::NAME], node(2), now, now, 9)
            .await
            .unwrap();
        jobs.into_iter().find_map(|job| job.kind.subject::<SendSms>())
    }

    async fn has_opted_out(&self) {
        let preference = SmsPreference {
            stopped: true,
            at: self.now(),
        };
        let kept_with = self.post.outbox.partner();
        self.post
            .db
            .put_sms_preference(kept_with, &self.tag, preference)
            .await
            .unwrap();
    }
}

/// A reminder is asked for when somebody agrees, is not sent before they have been away for ten minutes, and is sent once,
/// however often and by however many servers; the code in it is the one that works.
#[tokio::test]
async fn a_reminder_is_sent_once() {
    let (left, subject) = AbsentPerson::who_agreed().await;
    left.reminders().schedule(&left.tag, subject).await;
    let due = left.post.db.next_due(&[RemindAgreed::NAME]).await.unwrap();
    assert_eq!(due, Some(left.now().plus(REMIND_AFTER)));
    left.post.advance(Duration::from_mins(4));
    let early = left.remind(subject).await;
    assert_eq!(early, JobOutcome::RetryIn("dialog", Duration::from_mins(6)));
    left.post.advance(Duration::from_mins(6));
    tokio::join!(left.remind(subject), left.remind(subject));
    assert_eq!(left.post.run_due().await, 1);
    left.remind(subject).await;
    assert_eq!(left.post.run_due().await, 0);
    let LoadedValue::Subscriber(state) = left.post.shared.updater.live.load(&left.tag).await.unwrap().value else {
        panic!("nobody");
    };
    let code: DialCode = state.recovery.unwrap().code;
    let texts = delivered_texts(&left.running);
    let [text] = &texts[..] else { panic!("{texts:?}") };
    assert!(text.contains(&format!("*384*96*{code}#")), "{text}");
    assert!(text.contains("you began to link your bank account"), "{text}");
}

/// Nothing is sent to anyone who has opted out, is back before it could leave, or is not known any more.
#[tokio::test]
async fn a_reminder_is_withheld() {
    let (left, subject) = AbsentPerson::who_agreed().await;
    left.reminders().schedule(&left.tag, subject).await;
    left.has_opted_out().await;
    left.post.advance(REMIND_AFTER);
    left.remind(subject).await;
    assert_eq!(left.post.run_due().await, 1);

    let (back, subject) = AbsentPerson::who_agreed().await;
    back.reminders().schedule(&back.tag, subject).await;
    back.post.advance(REMIND_AFTER);
    back.remind(subject).await;
    let sms = back.queued().await.unwrap();
    let (live, ends_at) = (&back.post.shared.updater.live, back.now().plus(Duration::from_mins(3)));
    let dialled = live.update(&back.tag, |state| {
        state.dialogs[0].closed = false;
        state.dialogs[0].ends_at = ends_at;
        Some(())
    });
    dialled.await.unwrap();
    back.reminders().withhold_if_outdated(sms).await.unwrap();
    let withheld = MessageState::Withheld(WithheldReason::PersonDialed);
    assert_eq!(back.post.state(sms).await, withheld);

    // Nothing says who it was.
    let (lost, subject) = AbsentPerson::who_agreed().await;
    lost.post.advance(REMIND_AFTER);
    assert_eq!(lost.remind(subject).await, JobOutcome::Done);
    assert_eq!(lost.queued().await, None);
    for person in [&left, &back, &lost] {
        assert!(delivered_texts(&person.running).is_empty());
    }
}

/// Whom a partner's own SMS has asked is asked once more, for that partner; nobody else is: not whom it has not texted, not for
/// an intent that is over, not one who has opted out of the number that SMS come from.
#[tokio::test]
async fn a_request_is_repeated_only_where_it_was_texted() {
    for (texted, over, stopped, want) in [
        (true, false, false, true),
        (false, false, false, false),
        (true, true, false, false),
        (true, false, true, false),
    ] {
        let (left, subject) = AbsentPerson::who_was_asked(texted).await;
        let name = format!("{texted} {over} {stopped}");
        left.reminders().schedule(&left.tag, subject).await;
        if over {
            let ReminderSubject::Asked(id) = subject else {
                panic!("{subject:?}")
            };
            left.post.advance(Duration::from_hours(24));
            left.post.db.expire_intent(id, left.now()).await.unwrap();
            let scope = crate::support::events::whole_partner(partner(1).id);
            let intent = left.post.db.intent(&scope, id).await.unwrap().unwrap();
            assert_eq!(intent.state, IntentState::Expired);
        }
        if stopped {
            left.has_opted_out().await;
        }
        left.post.advance(REMIND_AFTER);
        left.remind(subject).await;
        left.remind(subject).await;
        assert_eq!(left.queued().await.is_some(), want, "{name}");
        let key = format!("reminder:asked:{}", IntentId::from_bytes([6; 16]));
        let row = left.post.db.message_about(partner(1).id, &key).await.unwrap();
        assert_eq!(row.map(|row| row.kind), want.then_some(SmsKind::Request), "{name}");
    }
}
