//! Incoming messages and delivery reports: processed once, in whatever order they come.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use kiungo::core::sms::{MessageState, WithheldReason};
use kiungo::core::time::Timestamp;
use kiungo::records::SmsLimit;
use tokio::sync::Semaphore;

use super::kit::{CALLBACK, NOWHERE, gateway, twilio_signature};
use super::service_kit::{ADA, PartwiseGateway, SmsService, WAIT, delivered_texts};
use crate::support::eventually;
use crate::support::logs::Logs;
use crate::support::records::{TYPES, at, node};

/// A message that comes several times, at once and later, is answered once; and what it asks for is stored.
#[tokio::test]
async fn duplicates_are_taken_once() {
    let (post, running) = SmsService::with_stand_in().await;
    let together = futures_util::future::join_all((0..8).map(|_| post.send_incoming("m1", "STOP", ""))).await;
    assert_eq!(together, [200; 8]);
    assert_eq!(post.run_due().await, 1);
    post.advance(Duration::from_hours(12));
    assert_eq!(post.send_incoming("m1", "STOP", "").await, 200);
    assert_eq!(post.run_due().await, 0);
    assert_eq!(
        delivered_texts(&running),
        ["You will get no more texts from Umoja Credit. Text START to get them again."]
    );

    let told = post.queue_sms("fact 1").await;
    assert_eq!(post.run_due().await, 1);
    assert_eq!(post.state(told).await, MessageState::Withheld(WithheldReason::OptedOut));
    assert_eq!(post.send_incoming("m2", "hello", "").await, 200);
    assert_eq!(post.run_due().await, 0);
    post.advance(Duration::from_secs(1));
    assert_eq!(post.send_incoming("m3", "start", "").await, 200);
    // Again, after START: it was said before.
    assert_eq!(post.send_incoming("m1", "STOP", "").await, 200);
    let told = post.queue_sms("fact 2").await;
    assert_eq!(post.run_due().await, 2);
    assert_eq!(post.state(told).await, MessageState::Accepted);
    assert_eq!(delivered_texts(&running).len(), 3);
}

/// Of STOP and START the one sent last counts, whichever came last, a day late or from a clock that is ahead.
#[tokio::test]
async fn reordered_texts_end_alike() {
    let (post, _running) = SmsService::with_stand_in().await;
    let stopped = async || post.stopped().await;
    assert_eq!(stopped().await, None);
    // at(0) is 2026-05-28 20:26:40.
    post.send_incoming("m1", "START", "2026-05-28T20:00:10Z").await;
    post.send_incoming("m2", "STOP", "2026-05-28T20:00:05Z").await;
    assert_eq!(stopped().await, Some(false));
    // What is not so is not said, but what is.
    assert_eq!(post.db.count("SELECT COUNT(*) FROM messages").await, 2);
    post.send_incoming("m3", "STOP", "2026-05-28T20:00:15Z").await;
    assert_eq!(stopped().await, Some(true));
    post.advance(Duration::from_hours(24));
    post.send_incoming("m4", "START", "2026-05-28T20:00:12Z").await;
    assert_eq!(stopped().await, Some(true));
    post.send_incoming("m5", "START", "2030-01-01T00:00:00Z").await;
    assert_eq!(stopped().await, Some(false));
    post.advance(Duration::from_secs(1));
    post.send_incoming("m6", "STOP", "").await;
    assert_eq!(stopped().await, Some(true));
}

/// A STOP or START that comes after a later one changes nothing, and is answered with what holds: once, however many come, and
/// in no other message's place.
#[tokio::test]
async fn what_comes_too_late_is_told_what_holds() {
    const STOPPED: &str = "You will get no more texts from Umoja Credit. Text START to get them again.";
    let (post, running) = SmsService::with_stand_in().await;
    let told = async || {
        let before = delivered_texts(&running).len();
        post.run_due().await;
        delivered_texts(&running).split_off(before)
    };
    // at(0) is 2026-05-28 20:26:40.
    post.send_incoming("m1", "STOP", "2026-05-28T20:00:05Z").await;
    assert_eq!(told().await, [STOPPED]);
    post.send_incoming("m2", "START", "2026-05-28T20:00:10Z").await;
    assert_eq!(told().await.len(), 1);
    for (n, text) in ["STOP", "stop", "unsubscribe"].into_iter().enumerate() {
        post.send_incoming(&format!("late{n}"), text, "2026-05-28T20:00:07Z")
            .await;
        // The gateway brings it again.
        post.send_incoming(&format!("late{n}"), text, "2026-05-28T20:00:07Z")
            .await;
        assert_eq!(post.stopped().await, Some(false), "{text}");
        let told = told().await;
        assert_eq!(told.len(), usize::from(n == 0), "{text}: {told:?}");
        assert!(
            told.iter()
                .all(|told| told.starts_with("You will get texts from Umoja Credit again.")),
            "{told:?}"
        );
    }
    post.send_incoming("m3", "STOP", "2026-05-28T20:00:15Z").await;
    assert_eq!(told().await, [STOPPED]);
    for n in 0..3 {
        post.send_incoming(&format!("later{n}"), "START", "2026-05-28T20:00:12Z")
            .await;
        assert_eq!(post.stopped().await, Some(true));
        assert_eq!(told().await, [STOPPED][..usize::from(n == 0)]);
    }
    // However late it comes, a STOP that nothing was said after counts.
    post.send_incoming("m4", "START", "2026-05-28T20:00:20Z").await;
    assert_eq!(told().await.len(), 1);
    post.advance(Duration::from_hours(72));
    post.send_incoming("m5", "STOP", "2026-05-28T20:00:21Z").await;
    assert_eq!(
        (told().await, post.stopped().await),
        (vec![STOPPED.to_owned()], Some(true))
    );
}

/// Of a long message in parts only the first can be a command, whatever the order; the others are not answered.
#[tokio::test]
async fn parts_are_one_text() {
    let post = SmsService::with_gateway(Arc::new(PartwiseGateway(Semaphore::new(99))), 10).await;
    for part in ["m3 3 STOP", "m2 2 STOP", "m1 1 hello", "m1 1 hello", "m2 2 STOP"] {
        assert_eq!(post.send_callback("", part).await, 200);
    }
    assert_eq!(post.run_due().await, 1);
    assert_eq!(post.stopped().await, None);
    // What nobody asks of a later part is not read for it.
    post.db.execute("ALTER TABLE sms_preferences RENAME TO away").await;
    assert_eq!(post.send_callback("", "m4 2 STOP").await, 200);
    assert_ne!(post.send_callback("", "m5 1 hello").await, 200);
}

/// A report that overtakes the gateway's answer is not lost, and one that comes a day late still counts.
#[tokio::test]
async fn reports_come_when_they_come() {
    let gateway = Arc::new(PartwiseGateway(Semaphore::new(0)));
    let post = SmsService::with_gateway(gateway.clone(), 10).await;
    let text = post.queue_sms("fact").await;
    let overtaking = async {
        eventually(WAIT, async || post.state(text).await == MessageState::Sending).await;
        assert_eq!(post.send_callback("reports", "G1").await, 200);
        assert_eq!(post.state(text).await, MessageState::Sending);
        gateway.0.add_permits(1);
    };
    tokio::join!(post.run_due(), overtaking);
    assert_eq!(post.state(text).await, MessageState::Delivered);

    let (post, running) = SmsService::with_stand_in().await;
    let text = post.queue_sms("fact").await;
    post.run_due().await;
    let id = running.state.inbox(ADA)[0].id.clone();
    post.advance(Duration::from_hours(24));
    for (status, want) in [
        ("Success", MessageState::Delivered),
        ("Sent", MessageState::Delivered),
        ("Failed", MessageState::Delivered),
    ] {
        assert_eq!(
            post.send_callback("reports", &format!("id={id}&status={status}")).await,
            200
        );
        assert_eq!(post.state(text).await, want);
    }
    // Nothing of the message is kept, and nothing ever was in clear.
    let file = fs::read(post.db.url.strip_prefix("sqlite:").unwrap()).unwrap();
    let log = fs::read(format!("{}-wal", post.db.url.strip_prefix("sqlite:").unwrap())).unwrap_or_default();
    let all = String::from_utf8_lossy(&[file, log].concat()).into_owned();
    assert!(all.contains("Partner 1") && !all.contains("Zq7") && !all.contains("8030000001"));
}

/// Bytes that are no text, and line ends that JSON does not allow, spoil the entry they stand in and not the STOP beside it; of
/// a text that holds some no more is heard than an opt-out.
#[tokio::test]
async fn odd_bytes_spoil_nothing_beside_them() {
    for odd in [
        &b"caf\xe9"[..],
        b"\xc0\x80",
        b"\xed\xa0\xbd\xed\xb8\x80",
        b"two\nlines\there",
    ] {
        let post = SmsService::with_gateway(gateway("infobip", NOWHERE), 10).await;
        let entry = |id: &str, from: &str, text: &[u8]| {
            let head = format!(r#"{{"messageId":"{id}","from":"{from}","text":""#);
            [head.as_bytes(), text, b"\"}"].concat()
        };
        let (odd, stop) = (entry("a", "2348030000009", odd), entry("b", "2348030000001", b"STOP"));
        let body = [b"{\"results\":[", &odd[..], b",", &stop[..], b"]}"].concat();
        assert_eq!(post.send_bytes("", &body).await, 200);
        assert_eq!(post.stopped().await, Some(true));
    }
}

/// One entry that nobody can read is acknowledged, dropped and counted, and spoils nothing: the STOP beside it counts, and so
/// does the report. A callback registered with a slash at its end is the same callback.
#[tokio::test]
async fn what_nobody_can_read_spoils_nothing() {
    let logs = Logs::capture();
    let post = SmsService::with_gateway(gateway("infobip", NOWHERE), 10).await;
    let text = |id: &str, from: &str, text: &str| {
        format!(r#"{{"messageId":"{id}","from":"{from}","to":"38496","text":{text}}}"#)
    };
    for (n, tail) in ["", "/"].into_iter().enumerate() {
        let entries = [
            text(&format!("a{n}"), "38496", r#""Your bundle is used up""#),
            text(&format!("b{n}"), "2348030000009", "null"),
            text(
                &format!("c{n}"),
                "2348030000001",
                if n == 0 { r#""STOP""# } else { r#""START""# },
            ),
        ];
        let body = format!(r#"{{"results":[{}]}}"#, entries.join(","));
        assert_eq!(post.send_callback(tail, &body).await, 200);
        assert_eq!(post.stopped().await, Some(n == 0));
        post.advance(Duration::from_secs(1));
    }
    // Of many in one callback there is one line.
    let told = logs.text().matches("callback has entries that cannot be read").count();
    assert_eq!(told, 2, "{}", logs.text());
    let metrics = post.shared.deps.metrics.encode().unwrap();
    assert!(
        metrics.contains(r#"kiungo_sms_unreadable_total{gateway="infobip"} 4"#),
        "{metrics}"
    );
    let text = post.queue_sms("fact").await;
    let state = MessageState::Unknown;
    assert!(
        post.db
            .begin_sending(
                text,
                SmsLimit {
                    max: 9,
                    since: Timestamp::from_millis(0),
                    invitations: kiungo::service::sms::outbox::INVITATION_CAPS,
                },
                at(0)
            )
            .await
            .unwrap()
            .is_none()
    );
    assert!(post.db.move_message(text, state, at(0)).await.unwrap());
    let report = |id: &str, group: &str| format!(r#"{{"messageId":"{id}","status":{{"groupName":"{group}"}}}}"#);
    let entries = [
        report("of-another", "ACCEPTED"),
        report("of-another", "ODD"),
        report(&text.to_string(), "DELIVERED"),
    ];
    let body = format!(r#"{{"results":[{}]}}"#, entries.join(","));
    assert_eq!(post.send_callback("reports/", &body).await, 200);
    assert_eq!(post.state(text).await, MessageState::Delivered);
}

/// What Twilio has recognized and answered by itself is noted and not answered again; what it has not is answered by us.
#[tokio::test]
async fn what_twilio_has_handled_is_noted_and_not_answered() {
    let post = SmsService::with_gateway(gateway("twilio", NOWHERE), 10).await;
    for (n, (text, handled, stopped, answered)) in [
        ("HELP", Some("HELP"), None, false),
        ("cancel", Some("STOP"), Some(true), false),
        ("LINK", None, Some(true), true),
        ("YES", Some("START"), Some(false), false),
        ("HELP", None, Some(false), true),
    ]
    .into_iter()
    .enumerate()
    {
        let sid = format!("SM{n}");
        let mut fields = vec![
            ("Body", text),
            ("From", ADA),
            ("MessageSid", &sid),
            ("To", "+15005550006"),
        ];
        fields.extend(handled.map(|word| ("OptOutType", word)));
        fields.sort_unstable();
        let joined: String = fields.iter().flat_map(|(name, value)| [*name, *value]).collect();
        let signature = twilio_signature(&format!("{CALLBACK}{joined}"));
        let form = serde_urlencoded::to_string(&fields).unwrap();
        let header = Some(("x-twilio-signature", signature.as_str()));
        assert_eq!(post.send_with_header("", &form, header).await, 200, "{text}");
        assert_eq!(post.stopped().await, stopped, "{text}");
        let now = post.shared.deps.clock.now();
        let due = post
            .db
            .claim(TYPES, node(1), now, now.plus(Duration::from_hours(99)), 9)
            .await
            .unwrap();
        assert_eq!(due.len(), usize::from(answered), "{text} {handled:?}");
        post.advance(Duration::from_secs(1));
    }
}
