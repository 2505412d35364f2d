//! SMS gateways that are down, slow, or silent: nothing is sent twice, and nobody waits.

use std::sync::Arc;
use std::time::Duration;

use kiungo::core::ids::LinkId;
use kiungo::core::sms::{MessageState, SmsFailureReason, WithheldReason};
use kiungo::records::{AnnounceEnd, ExpireLink, JobType as _, LinkState, SmsLimit};
use kiungo::sandbox::sms::{SmsDelivery, SmsFailure, SmsSwitches};
use kiungo::service::job::{JobHandler, JobOutcome};
use kiungo::service::job_runner::JobRunner;
use kiungo::service::linking::read_accounts::ReadAccounts;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::kit::gateway;
use super::service_kit::{PartwiseGateway, SmsService, WAIT};
use crate::support::app_fixture::handlers;
use crate::support::eventually;
use crate::support::limits::FOREVER;
use crate::support::records::{DAYS, at, job, partner, person};

/// What goes wrong at the gateway, the message's state, and whether it is tried again.
#[tokio::test]
async fn troubles_have_their_end() {
    let gateway_again = JobOutcome::RetryAfter("gateway", Some(Duration::from_secs(1)));
    for (trouble, verdict, stands, carried_out) in [
        (SmsFailure::Down, JobOutcome::Done, MessageState::Unknown, 0),
        (SmsFailure::Busy, gateway_again, MessageState::Queued, 0),
        (SmsFailure::Slow(300), JobOutcome::Done, MessageState::Accepted, 1),
        (SmsFailure::Hang, JobOutcome::Done, MessageState::Unknown, 1),
        (
            SmsFailure::BlackListed,
            JobOutcome::Done,
            MessageState::Failed(SmsFailureReason::OptedOut),
            0,
        ),
    ] {
        let (post, running) = SmsService::with_stand_in().await;
        let set = |trouble| {
            running.state.set_switches(SmsSwitches {
                trouble,
                ..SmsSwitches::default()
            });
        };
        set(Some(trouble));
        let text = post.queue_sms("fact").await;
        assert_eq!(post.outbox.send(text).await, Ok(verdict), "{trouble:?}");
        assert_eq!(post.state(text).await, stands, "{trouble:?}");
        assert_eq!(running.state.counts(), (1, carried_out), "{trouble:?}");
        // The job runs again: only what was provably not sent is.
        set(None);
        assert_eq!(post.outbox.send(text).await, Ok(JobOutcome::Done));
        let (asked, taken) = running.state.counts();
        let again = u64::from(stands == MessageState::Queued);
        assert_eq!((asked, taken), (1 + again, carried_out + again), "{trouble:?}");
        if trouble == SmsFailure::BlackListed {
            let other = post.queue_sms("another").await;
            assert_eq!(post.outbox.send(other).await, Ok(JobOutcome::Done));
            assert_eq!(
                post.state(other).await,
                MessageState::Withheld(WithheldReason::OptedOut)
            );
        }
    }
}

/// If a gateway is unreachable, messages only wait; an expired message is no longer sent.
#[tokio::test]
async fn a_gateway_that_is_away_is_waited_for() {
    let (post, running) = SmsService::with_stand_in().await;
    let (text, url) = (post.queue_sms("fact").await, running.url());
    drop(running);
    for _ in 0..3 {
        assert_eq!(
            post.outbox.send(text).await,
            Ok(JobOutcome::RetryAfter("gateway", None)),
            "{url}"
        );
        assert_eq!(post.state(text).await, MessageState::Queued);
    }
    post.advance(Duration::from_hours(48));
    assert_eq!(post.outbox.send(text).await, Ok(JobOutcome::Done));
    assert_eq!(post.state(text).await, MessageState::Withheld(WithheldReason::Expired));
}

/// If a server died while sending, the message may have been sent; it is never sent again.
#[tokio::test]
async fn a_crash_amid_a_send_is_not_repeated() {
    let (post, running) = SmsService::with_stand_in().await;
    let text = post.queue_sms("fact").await;
    let allowance = SmsLimit {
        max: 9,
        since: at(-1),
        invitations: kiungo::service::sms::outbox::INVITATION_CAPS,
    };
    assert_eq!(post.db.begin_sending(text, allowance, at(0)).await.unwrap(), None);
    assert_eq!(post.outbox.send(text).await, Ok(JobOutcome::Done));
    assert_eq!(post.state(text).await, MessageState::Unknown);
    assert_eq!(running.state.counts(), (0, 0));
}

/// A message that a gateway accepts and never delivers keeps its state; one person's messages of a day are counted.
#[tokio::test]
async fn nothing_comes_of_silence() {
    let (post, running) = SmsService::with_stand_in().await;
    running.state.set_switches(SmsSwitches {
        delivery: SmsDelivery::Vanishes,
        ..SmsSwitches::default()
    });
    let mut last = None;
    for n in 0..11 {
        let text = post.queue_sms(&format!("fact {n}")).await;
        post.run_due().await;
        last = Some(post.state(text).await);
        assert_eq!(last == Some(MessageState::Accepted), n < 10);
    }
    assert_eq!(last, Some(MessageState::Withheld(WithheldReason::DailyCap)));
    assert_eq!(running.state.counts(), (10, 10));
    post.advance(Duration::from_hours(25));
    let text = post.queue_sms("tomorrow").await;
    post.run_due().await;
    assert_eq!(post.state(text).await, MessageState::Accepted);
}

/// While a gateway hangs with many messages, other work is done: nobody waits for an SMS.
#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_gateway_holds_nobody_up() {
    let gateway = Arc::new(PartwiseGateway(Semaphore::new(0)));
    let post = SmsService::with_gateway(gateway.clone(), 1000).await;
    let mut written = Vec::new();
    for n in 0..40 {
        written.push(post.queue_sms(&format!("fact {n}")).await);
    }
    let shared = &post.shared;
    let handlers = handlers(shared, post.outbox.clone());
    let jobs = Arc::new(JobRunner::new(shared.deps.clone(), handlers.all(), FOREVER));
    let stop = CancellationToken::new();
    let running = shared.deps.handle.spawn(jobs.run(stop.clone()));
    eventually(WAIT, async || post.state(written[0]).await == MessageState::Sending).await;
    let other = ReadAccounts::of(LinkId::from_bytes([9; 16]));
    post.db
        .enqueue(&job(partner(1).id, other, "read:9", at(0)))
        .await
        .unwrap();
    let done = "kiungo_jobs_total{kind=\"read_accounts\",outcome=\"given_up\"} 1";
    eventually(WAIT, async || shared.deps.metrics.encode().unwrap().contains(done)).await;
    assert_eq!(post.state(written[0]).await, MessageState::Sending);
    gateway.0.add_permits(1000);
    stop.cancel();
    running.await.unwrap();
    shared.deps.tasks.close();
    shared.deps.tasks.wait().await;
    let mut accepted = 0;
    for id in written {
        accepted += usize::from(post.state(id).await == MessageState::Accepted);
    }
    // Those that found no place wait for their turn.
    assert!((16..=40).contains(&accepted), "{accepted}");
}

/// A gateway that does not report by itself is polled, less and less often, until the message's state is final; after a day
/// without news it is no longer polled.
#[tokio::test]
async fn a_gateway_that_must_be_asked_is_asked() {
    let server = MockServer::start().await;
    let answer = |body: &str| ResponseTemplate::new(200).set_body_raw(body.as_bytes().to_vec(), "application/json");
    let taken = r#"{"status":0,"messageId":"H1"}"#;
    Mock::given(method("POST"))
        .respond_with(answer(taken))
        .mount(&server)
        .await;
    let sent = Mock::given(method("GET"))
        .respond_with(answer(r#"{"status":"Sent"}"#))
        .mount_as_scoped(&server)
        .await;
    let asked = async || {
        let requests = server.received_requests().await.unwrap();
        requests.iter().filter(|request| request.method == "GET").count()
    };

    let post = SmsService::with_gateway(gateway("hubtel", &server.uri()), 10).await;
    let text = post.queue_sms("fact 1").await;
    assert_eq!(post.run_due().await, 1);
    assert_eq!((post.state(text).await, asked().await), (MessageState::Accepted, 0));
    for times in 1..=3 {
        assert_eq!(post.run_due().await, 0, "asked too early");
        post.advance(Duration::from_secs(30 * (1 << times)));
        assert_eq!(post.run_due().await, 1);
        assert_eq!((post.state(text).await, asked().await), (MessageState::Sent, times));
    }
    drop(sent);
    let delivered = Mock::given(method("GET"))
        .respond_with(answer(r#"{"status":"Delivered"}"#))
        .mount_as_scoped(&server)
        .await;
    post.advance(Duration::from_hours(1));
    assert_eq!(post.run_due().await, 1);
    assert_eq!(post.state(text).await, MessageState::Delivered);
    post.advance(Duration::from_hours(1));
    assert_eq!(post.run_due().await, 0);
    drop(delivered);

    // The gateway no longer answers: after a day it is no longer polled.
    let text = post.queue_sms("fact 2").await;
    assert_eq!(post.run_due().await, 1);
    post.advance(Duration::from_hours(25));
    assert_eq!(post.run_due().await, 1);
    assert_eq!(
        (post.state(text).await, post.run_due().await),
        (MessageState::Accepted, 0)
    );
}

/// A consent whose SMS cannot be written, because the number in it does not open, ends all the same: the partner is told
/// before and then, and the provider is to end its access.
#[tokio::test]
async fn a_consent_ends_without_its_sms() {
    let (post, running) = SmsService::with_stand_in().await;
    let link = person(1, 7).linked(&*post.db, 1, LinkState::Active).await;
    let ends = handlers(&post.shared, post.outbox.clone()).consent_end;
    let day = Duration::from_hours(24);
    post.advance(day * (u32::from(DAYS) - 3));
    let announced = JobHandler::<AnnounceEnd>::run(&*ends, link.id).await;
    assert_eq!(announced.unwrap(), JobOutcome::Done);
    let expiring = "SELECT COUNT(*) FROM events WHERE kind = 'link.expiring'";
    assert_eq!(post.db.count(expiring).await, 1);
    post.advance(day * 4);
    let ended = JobHandler::<ExpireLink>::run(&*ends, link.id).await;
    assert_eq!(ended.unwrap(), JobOutcome::Done);
    let state = post.db.link(link.id).await.unwrap().unwrap().state;
    assert_eq!(state, LinkState::Expired);
    for (what, count) in [
        ("SELECT COUNT(*) FROM events WHERE kind = 'link.expired'", 1),
        ("SELECT COUNT(*) FROM jobs WHERE kind = 'unlink'", 1),
        ("SELECT COUNT(*) FROM messages", 0),
    ] {
        assert_eq!(post.db.count(what).await, count, "{what}");
    }
    assert_eq!(running.state.counts(), (0, 0));
}
