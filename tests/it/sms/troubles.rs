//! Gateways that are down, slow, or silent: nothing is sent twice, and nobody waits.

use std::sync::Arc;
use std::time::Duration;

use kiungo::core::ids::LinkId;
use kiungo::core::sms::{Failure, MessageState, Withheld};
use kiungo::records::{Allowance, JobKind};
use kiungo::sandbox::sms::{Delivery, Switches, Trouble};
use kiungo::service::jobs::{Jobs, Lanes, Verdict};
use kiungo::service::linking::Linking;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::kit::gateway;
use super::post::{PATIENCE, Parts, Post};
use crate::support::eventually;
use crate::support::limits::FOREVER;
use crate::support::parts::{bank_backs, erasing, hand_overs, webhooks};
use crate::support::records::{at, job, partner};

/// What goes wrong at the gateway, what becomes of the text, and whether it is tried again.
#[tokio::test]
async fn troubles_have_their_end() {
    let gateway_again = Verdict::Later("gateway", Some(Duration::from_secs(1)));
    for (trouble, verdict, stands, carried_out) in [
        (Trouble::Down, Verdict::Done, MessageState::Unknown, 0),
        (Trouble::Busy, gateway_again, MessageState::Queued, 0),
        (Trouble::Slow(300), Verdict::Done, MessageState::Accepted, 1),
        (Trouble::Hang, Verdict::Done, MessageState::Unknown, 1),
        (
            Trouble::BlackListed,
            Verdict::Done,
            MessageState::Failed(Failure::OptedOut),
            0,
        ),
    ] {
        let (post, running) = Post::real().await;
        let set = |trouble| {
            running.state.set(Switches {
                trouble,
                ..Switches::default()
            });
        };
        set(Some(trouble));
        let text = post.write("fact").await;
        assert_eq!(post.outbox.send(text).await, Ok(verdict), "{trouble:?}");
        assert_eq!(post.state(text).await, stands, "{trouble:?}");
        assert_eq!(running.state.sends(), (1, carried_out), "{trouble:?}");
        // The job runs again: only what was provably not sent is.
        set(None);
        assert_eq!(post.outbox.send(text).await, Ok(Verdict::Done));
        let (asked, taken) = running.state.sends();
        let again = u64::from(stands == MessageState::Queued);
        assert_eq!((asked, taken), (1 + again, carried_out + again), "{trouble:?}");
        if trouble == Trouble::BlackListed {
            let other = post.write("another").await;
            assert_eq!(post.outbox.send(other).await, Ok(Verdict::Done));
            assert_eq!(post.state(other).await, MessageState::Withheld(Withheld::OptedOut));
        }
    }
}

/// A gateway that is not there costs nothing but time; a text whose time is over is not sent any more.
#[tokio::test]
async fn a_gateway_that_is_away_is_waited_for() {
    let (post, running) = Post::real().await;
    let (text, url) = (post.write("fact").await, running.url());
    drop(running);
    for _ in 0..3 {
        assert_eq!(
            post.outbox.send(text).await,
            Ok(Verdict::Later("gateway", None)),
            "{url}"
        );
        assert_eq!(post.state(text).await, MessageState::Queued);
    }
    post.pass(Duration::from_hours(48));
    assert_eq!(post.outbox.send(text).await, Ok(Verdict::Done));
    assert_eq!(post.state(text).await, MessageState::Withheld(Withheld::Expired));
}

/// A server that died while sending leaves a text that may have gone; it is never sent again.
#[tokio::test]
async fn a_crash_amid_a_send_is_not_repeated() {
    let (post, running) = Post::real().await;
    let text = post.write("fact").await;
    let allowance = Allowance { most: 9, since: at(-1) };
    assert_eq!(post.db.begin_sending(text, allowance, at(0)).await.unwrap(), None);
    assert_eq!(post.outbox.send(text).await, Ok(Verdict::Done));
    assert_eq!(post.state(text).await, MessageState::Unknown);
    assert_eq!(running.state.sends(), (0, 0));
}

/// A text that a gateway takes and never delivers stays as it is; one person's texts of a day are counted.
#[tokio::test]
async fn nothing_comes_of_silence() {
    let (post, running) = Post::real().await;
    running.state.set(Switches {
        delivery: Delivery::Vanishes,
        ..Switches::default()
    });
    let mut last = None;
    for n in 0..11 {
        let text = post.write(&format!("fact {n}")).await;
        post.run_due().await;
        last = Some(post.state(text).await);
        assert_eq!(last == Some(MessageState::Accepted), n < 10);
    }
    assert_eq!(last, Some(MessageState::Withheld(Withheld::Cap)));
    assert_eq!(running.state.sends(), (10, 10));
    post.pass(Duration::from_hours(25));
    let text = post.write("tomorrow").await;
    post.run_due().await;
    assert_eq!(post.state(text).await, MessageState::Accepted);
}

/// While a gateway hangs with many texts, other work is done: nobody waits for a text.
#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_gateway_holds_nobody_up() {
    let gateway = Arc::new(Parts(Semaphore::new(0)));
    let post = Post::by(gateway.clone(), 1000).await;
    let mut written = Vec::new();
    for n in 0..40 {
        written.push(post.write(&format!("fact {n}")).await);
    }
    let shared = &post.shared;
    let jobs = Arc::new(Jobs {
        records: post.db.shared(),
        linking: Linking {
            records: post.db.shared(),
            providers: shared.providers.clone(),
            sealing: shared.sealing.clone(),
            newsroom: shared.newsroom.clone(),
            runtime: shared.runtime.clone(),
        },
        hand_overs: hand_overs(shared, post.outbox.clone()),
        erasing: erasing(shared),
        bank_backs: bank_backs(shared, post.outbox.clone()),
        retention: FOREVER,
        webhooks: webhooks(shared),
        lanes: Lanes::default(),
        runtime: shared.runtime.clone(),
        metrics: shared.metrics.clone(),
    });
    let stop = CancellationToken::new();
    let running = shared.runtime.handle.spawn(jobs.run(stop.clone()));
    eventually(PATIENCE, async || post.state(written[0]).await == MessageState::Sending).await;
    let other = JobKind::ReadAccounts(LinkId::from_bytes([9; 16]));
    post.db
        .enqueue(&job(partner(1).id, other, "read:9", at(0)))
        .await
        .unwrap();
    let done = "kiungo_jobs_total{kind=\"read_accounts\",outcome=\"given_up\"} 1";
    eventually(PATIENCE, async || shared.metrics.encode().unwrap().contains(done)).await;
    assert_eq!(post.state(written[0]).await, MessageState::Sending);
    gateway.0.add_permits(1000);
    stop.cancel();
    running.await.unwrap();
    shared.runtime.tasks.close();
    shared.runtime.tasks.wait().await;
    let mut accepted = 0;
    for id in written {
        accepted += usize::from(post.state(id).await == MessageState::Accepted);
    }
    // Those that found no place wait for their turn.
    assert!((16..=40).contains(&accepted), "{accepted}");
}

/// A gateway that does not report by itself is asked, ever more rarely, until it is known what became of the text; a text
/// of which nothing is heard for a day is left alone.
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

    let post = Post::by(gateway("hubtel", &server.uri()), 10).await;
    let text = post.write("fact 1").await;
    assert_eq!(post.run_due().await, 1);
    assert_eq!((post.state(text).await, asked().await), (MessageState::Accepted, 0));
    for times in 1..=3 {
        assert_eq!(post.run_due().await, 0, "asked too early");
        post.pass(Duration::from_secs(30 * (1 << times)));
        assert_eq!(post.run_due().await, 1);
        assert_eq!((post.state(text).await, asked().await), (MessageState::Accepted, times));
    }
    drop(sent);
    let delivered = Mock::given(method("GET"))
        .respond_with(answer(r#"{"status":"Delivered"}"#))
        .mount_as_scoped(&server)
        .await;
    post.pass(Duration::from_hours(1));
    assert_eq!(post.run_due().await, 1);
    assert_eq!(post.state(text).await, MessageState::Delivered);
    post.pass(Duration::from_hours(1));
    assert_eq!(post.run_due().await, 0);
    drop(delivered);

    // Nothing answers this question any more: after a day nobody asks it.
    let text = post.write("fact 2").await;
    assert_eq!(post.run_due().await, 1);
    post.pass(Duration::from_hours(25));
    assert_eq!(post.run_due().await, 1);
    assert_eq!(
        (post.state(text).await, post.run_due().await),
        (MessageState::Accepted, 0)
    );
}
