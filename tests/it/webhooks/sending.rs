//! When a webhook is sent, what it carries, and what comes of each answer.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use kiungo::core::webhook::{RETRY_DELAYS, SECRET_OVERLAP, SigningSecret, WebhookTiming, unix_seconds};
use kiungo::http_client::webhook::{DeliveryError, WebhookRequest, WebhookSender};
use kiungo::records::{DeliveryState, EndpointState};
use kiungo::service::job::JobOutcome;
use kiungo::service::webhooks::deliveries::WebhookDeliveries;
use tokio::sync::Notify;

use super::kit::{Answer, Kit, Scripted, asking, status};
use crate::support::events::{sealed, whole_partner};

/// Whether a receiver that knows these bytes takes the parcel, as the standard tells it to look.
fn verifies(webhook_request: &WebhookRequest, secret: &[u8]) -> bool {
    let signed = [
        format!("{}.{}.", webhook_request.id, unix_seconds(webhook_request.sent_at)).as_bytes(),
        webhook_request.body.as_slice(),
    ]
    .concat();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret).unwrap();
    mac.update(&signed);
    let wanted = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    webhook_request
        .signatures
        .split(' ')
        .any(|signature| signature == wanted)
}

/// A receiver that never takes anything is asked ten times, at the times promised and never earlier, with the same id and
/// the same bytes, each time signed for its own moment. Then it is over, and the endpoint, which has taken nothing all the
/// while, is sent nothing more.
#[tokio::test]
async fn the_whole_schedule() {
    let kit = Kit::new().await;
    let (id, begun) = (kit.happens().await, kit.now());
    let mut waited = Duration::ZERO;
    for (n, promised) in (1..).zip(RETRY_DELAYS) {
        let verdict = kit.sends(id, status(500)).await;
        let sent = kit.sent();
        assert_eq!(sent.len(), n);
        let last = sent.last().unwrap();
        assert_eq!(last.sent_at.since(begun), waited, "{promised:?}");
        assert_eq!((&last.id, &last.body), (&sent[0].id, &sent[0].body));
        assert!(verifies(last, kit.secret.as_bytes()), "try {n}");
        let found = kit.delivery(id).await;
        assert_eq!((usize::try_from(found.tries).unwrap(), found.status), (n, Some(500)));
        let Some(next) = RETRY_DELAYS.get(n) else {
            assert_eq!((verdict, found.state), (JobOutcome::Done, DeliveryState::Failed));
            break;
        };
        let JobOutcome::RetryIn("status", pause) = verdict else {
            panic!("{verdict:?}");
        };
        assert!(pause >= *next && pause <= *next + *next / 10, "{pause:?} for {next:?}");
        assert_eq!(found.due_at, Some(kit.now().plus(pause)));
        kit.clock.advance(pause);
        waited += pause;
    }
    let ended = kit.endpoint().await;
    assert_eq!(
        (ended.state, ended.reason.as_deref()),
        (EndpointState::Disabled, Some("failing"))
    );
    assert_eq!(kit.db.audit_count("webhook_endpoint.disabled").await, 1);
    // What was on its way meanwhile ends without being sent.
    let before = kit.sent().len();
    assert_eq!(kit.sends(id, status(200)).await, JobOutcome::Done);
    assert_eq!(kit.sent().len(), before);
}

/// An endpoint that took something while one webhook failed to the end goes on; the failed one can be sent again.
#[tokio::test]
async fn one_failure_is_not_the_end_of_an_endpoint() {
    let kit = Kit::new().await;
    let id = kit.happens().await;
    for _ in RETRY_DELAYS {
        if let JobOutcome::RetryIn(_, pause) = kit.sends(id, status(400)).await {
            kit.clock.advance(pause);
        }
        let other = kit.happens().await;
        assert_eq!(kit.sends(other, status(200)).await, JobOutcome::Done);
    }
    assert_eq!(kit.delivery(id).await.state, DeliveryState::Failed);
    assert_eq!(kit.endpoint().await.state, EndpointState::Enabled);
    assert_eq!(kit.db.audit_count("webhook_endpoint.disabled").await, 0);

    let event = kit.delivery(id).await.event;
    let audit_entry = kit.audit_entry();
    kit.db
        .replay(&whole_partner(audit_entry.partner), event, None, &audit_entry)
        .await
        .unwrap();
    assert_eq!(kit.sends(id, status(204)).await, JobOutcome::Done);
    let found = kit.delivery(id).await;
    assert_eq!(
        (found.state, found.tries, found.reason),
        (DeliveryState::Delivered, 1, None)
    );
    let sent = kit.sent();
    assert_eq!(sent.last().unwrap().id, sent[0].id);
}

/// What each answer leads to: only 2xx is a yes, a redirection is no, 410 ends the endpoint, and who asks for a pause gets
/// it where it is longer than ours. (W2)
#[tokio::test]
async fn every_answer_has_its_consequence() {
    const FIVE: Duration = Duration::from_secs(5);
    let kit = Kit::new().await;
    for taken in [status(200), status(202), status(204)] {
        let id = kit.happens().await;
        assert_eq!(kit.sends(id, taken).await, JobOutcome::Done);
        let found = kit.delivery(id).await;
        assert_eq!(
            (found.state, found.reason, found.tries),
            (DeliveryState::Delivered, None, 1)
        );
    }
    for (answer, reason, pause) in [
        (Ok(status(301)), "redirected", FIVE),
        (Ok(status(307)), "redirected", FIVE),
        (Ok(status(400)), "status", FIVE),
        (Ok(status(404)), "status", FIVE),
        (Ok(status(500)), "status", FIVE),
        (Ok(asking(429, 120)), "status", Duration::from_mins(2)),
        (Ok(asking(503, 7_200)), "status", Duration::from_hours(2)),
        (Ok(asking(503, 1)), "status", FIVE),
        (Err(DeliveryError::Timeout), "timeout", FIVE),
        (Err(DeliveryError::Blocked), "address_blocked", FIVE),
        (Err(DeliveryError::NameNotFound), "name_not_found", FIVE),
        (Err(DeliveryError::TlsFailed), "tls_failed", FIVE),
        (Err(DeliveryError::NoConnection), "no_connection", FIVE),
        (Err(DeliveryError::ConnectionLost), "connection_lost", FIVE),
    ] {
        let id = kit.happens().await;
        let JobOutcome::RetryIn(why, waits) = kit.meets(id, answer).await else {
            panic!("{answer:?} was taken");
        };
        assert_eq!(why, reason, "{answer:?}");
        assert!(waits >= pause && waits <= pause + pause / 10, "{answer:?}: {waits:?}");
        let found = kit.delivery(id).await;
        assert_eq!((found.state, found.tries), (DeliveryState::Pending, 1), "{answer:?}");
        assert_eq!(found.reason.as_deref(), Some(reason));
    }
    let id = kit.happens().await;
    assert_eq!(kit.sends(id, status(410)).await, JobOutcome::Done);
    let found = kit.delivery(id).await;
    assert_eq!(
        (found.state, found.reason.as_deref()),
        (DeliveryState::Failed, Some("gone"))
    );
    let ended = kit.endpoint().await;
    assert_eq!(
        (ended.state, ended.reason.as_deref()),
        (EndpointState::Disabled, Some("gone"))
    );
    assert_eq!(kit.db.audit_count("webhook_endpoint.disabled").await, 1);
}

/// A server that died after writing down a try, before putting off its job, does not send sooner than promised for it.
#[tokio::test]
async fn a_try_is_never_early() {
    let kit = Kit::new().await;
    let id = kit.happens().await;
    let JobOutcome::RetryIn(_, pause) = kit.sends(id, status(500)).await else {
        panic!("not postponed");
    };
    kit.clock.advance(Duration::from_secs(1));
    let left = pause.saturating_sub(Duration::from_secs(1));
    assert_eq!(
        kit.webhooks.deliver(id).await.unwrap(),
        JobOutcome::RetryIn("not yet", left)
    );
    assert_eq!(kit.sent().len(), 1);
    kit.clock.advance(left);
    assert_eq!(kit.sends(id, status(200)).await, JobOutcome::Done);
    // And what has been taken is not sent once more.
    assert_eq!(kit.sends(id, status(200)).await, JobOutcome::Done);
    assert_eq!(kit.sent().len(), 2);
}

/// Carries what it is given, and is never heard of again.
struct Dying {
    post: Arc<Scripted>,
    sent: Notify,
}

#[async_trait]
impl WebhookSender for Dying {
    async fn send(&self, webhook_request: WebhookRequest) -> Answer {
        self.post.send(webhook_request).await?;
        self.sent.notify_one();
        std::future::pending().await
    }
}

/// A server that dies after a webhook was taken and before that is written down has it sent again by anyone who comes next:
/// with the same id and the same bytes, so that the receiver knows it again. (W3)
#[tokio::test]
async fn a_crash_after_sending_repeats_the_same_id() {
    let kit = Kit::new().await;
    let id = kit.happens().await;
    let dying = Arc::new(Dying {
        post: kit.post.clone(),
        sent: Notify::new(),
    });
    let server = WebhookDeliveries {
        deps: kit.webhooks.deps.clone(),
        sender: dying.clone(),
        timing: WebhookTiming::default(),
    };
    for crash in 1..=2 {
        kit.post.answers.lock().unwrap().push_back(Ok(status(200)));
        tokio::select! {
            verdict = server.deliver(id) => panic!("{verdict:?}"),
            () = dying.sent.notified() => {}
        }
        let left = kit.delivery(id).await;
        assert_eq!((left.state, left.tries), (DeliveryState::Pending, 0), "crash {crash}");
    }
    kit.clock.advance(Duration::from_secs(20));
    assert_eq!(kit.sends(id, status(200)).await, JobOutcome::Done);
    let sent = kit.sent();
    assert_eq!(sent.len(), 3);
    for webhook_request in &sent {
        assert_eq!(
            (&webhook_request.id, &webhook_request.body),
            (&sent[0].id, &sent[0].body)
        );
        assert!(verifies(webhook_request, kit.secret.as_bytes()));
    }
    assert_eq!(kit.delivery(id).await.state, DeliveryState::Delivered);
}

/// While a secret is being replaced, receivers with the old one and receivers with the new one both verify every webhook;
/// before it there is one signature, and after it one. (W4)
#[tokio::test]
async fn both_secrets_verify_while_one_replaces_the_other() {
    let kit = Kit::new().await;
    let new = SigningSecret::from_bytes(&[9; 32]).unwrap();
    let last = || kit.sent().pop().unwrap();
    let sends = async || {
        let id = kit.happens().await;
        assert_eq!(kit.sends(id, status(200)).await, JobOutcome::Done);
        last()
    };
    let before = sends().await;
    assert!(verifies(&before, kit.secret.as_bytes()) && !verifies(&before, new.as_bytes()));
    assert_eq!(before.signatures.split(' ').count(), 1);

    let mut row = sealed(&kit.keyring, &kit.endpoint, &new);
    row.created_at = kit.now();
    let until = kit.now().plus(SECRET_OVERLAP);
    let rotated = kit
        .db
        .rotate_secret(&whole_partner(row.partner), &row, until, &kit.audit_entry())
        .await;
    assert_eq!(rotated.unwrap(), Some(until));
    for step in [Duration::ZERO, SECRET_OVERLAP.saturating_sub(Duration::from_secs(1))] {
        kit.clock.advance(step);
        let webhook_request = sends().await;
        assert!(verifies(&webhook_request, kit.secret.as_bytes()) && verifies(&webhook_request, new.as_bytes()));
        assert_eq!(webhook_request.signatures.split(' ').count(), 2);
    }
    kit.clock.advance(Duration::from_secs(1));
    let after = sends().await;
    assert!(!verifies(&after, kit.secret.as_bytes()) && verifies(&after, new.as_bytes()));
}

/// A secret that was moved or altered in the table signs nothing: nothing is sent, and it is tried again.
#[tokio::test]
async fn nothing_is_sent_unsigned() {
    let kit = Kit::new().await;
    let id = kit.happens().await;
    kit.db.execute("UPDATE webhook_secrets SET id = endpoint").await;
    assert_eq!(kit.sends(id, status(200)).await, JobOutcome::Retry("sealed"));
    assert!(kit.sent().is_empty());
    assert_eq!(kit.delivery(id).await.tries, 0);
}
