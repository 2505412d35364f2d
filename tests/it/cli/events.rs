//! `kiungo events`, as operators call it, beside a server that is not running.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use kiungo::core::events::EventKind;
use kiungo::records::{Delivery, DeliveryResult, DeliveryState, LinkState, Records, WebhookEndpoint, connect};

use super::{kiungo, text};
use crate::support::events::{endpoint, events_of, register, secret, whole_partner};
use crate::support::records::{at, partner, person};

/// What the sandbox keeps in this folder, with partners 1 and 2.
async fn records(data: &Path) -> Arc<dyn Records> {
    let url = format!("sqlite:{}", data.join("kiungo.db").display());
    let records = connect(&url).await.unwrap();
    for n in [1, 2] {
        records.put_partner(&partner(n)).await.unwrap();
    }
    records
}

/// What a command prints, which succeeds.
#[track_caller]
fn says(data: &Path, args: &[&str]) -> String {
    let done = run(data, args);
    assert!(done.status.success(), "{args:?}: {}", text(&done.stderr));
    text(&done.stdout)
}

fn run(data: &Path, args: &[&str]) -> std::process::Output {
    kiungo(&[&["events"], args, &["--data", data.to_str().unwrap()]].concat(), &[])
}

async fn deliveries(db: &dyn Records, n: u8) -> Vec<Delivery> {
    let partner = partner(n).id;
    let mut found = Vec::new();
    for event in events_of(db, partner).await {
        found.extend(db.deliveries(&whole_partner(partner), event.id).await.unwrap());
    }
    found
}

/// The first of partner 1's deliveries was refused three times, the second is taken.
async fn try_them(db: &dyn Records) {
    let refused = DeliveryResult {
        state: DeliveryState::Pending,
        tries: 3,
        status: Some(503),
        reason: Some("status"),
        due_at: Some(at(9_000)),
    };
    let taken = DeliveryResult {
        state: DeliveryState::Delivered,
        status: Some(200),
        reason: None,
        due_at: None,
        ..refused
    };
    for (delivery, tried) in deliveries(db, 1).await.iter().zip([refused, taken]) {
        db.record_delivery_result(delivery.id, &tried, at(3_000)).await.unwrap();
    }
}

/// Events are printed oldest first with how far they are, of whom and of the kind that is asked for, and no others.
#[tokio::test]
async fn tail_prints_what_partners_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    let db = records(data).await;
    let mine = endpoint(partner(1).id);
    register(&*db, &mine, &secret(&mine, 0)).await;
    let link = person(1, 1).linked(&*db, 1, LinkState::Active).await;
    db.move_link(link.id, LinkState::ReauthRequired, &[], at(2_000))
        .await
        .unwrap();
    person(2, 1).linked(&*db, 1, LinkState::Active).await;
    let events = events_of(&*db, mine.partner).await;
    for event in &events {
        db.publish(event.id, at(2_000)).await.unwrap();
    }
    try_them(&*db).await;
    let since = "2026-05-28T20:26:40Z";
    let all = says(data, &["tail", "--since", since]);
    let lines: Vec<_> = all.lines().collect();
    assert_eq!(lines.len(), 3, "{all}");
    for (line, event, ends) in [
        (
            lines.iter().find(|line| line.contains("Partner 1")).unwrap(),
            &events[0],
            "pending after 3 tries (status 503)",
        ),
        (&lines[2], &events[1], "delivered"),
    ] {
        let (id, kind, sequence) = (event.id, event.kind.as_str(), event.sequence);
        assert!(line.starts_with("2026-05-28 20:26:4"), "{line}");
        assert!(line.contains(&format!("{id}  {kind}")), "{line}");
        assert!(
            line.contains(&format!("{} #{sequence}  Partner 1  {ends}", link.id)),
            "{line}"
        );
    }
    let other = lines.iter().find(|line| line.contains("Partner 2")).unwrap();
    assert!(other.ends_with("for no endpoint"), "{other}");
    let id = partner(2).id.to_string();
    for (more, count) in [
        (&["--since", since, "--partner", "Partner 1"][..], 2),
        (&["--since", since, "--partner", &id], 1),
        (&["--since", since, "--kind", "link.created"], 2),
        (&["--since", since, "--kind", "link.removed"], 0),
        (&["--since", "2026-05-28T20:26:41Z"], 1),
    ] {
        let said = says(data, &[&["tail"], more].concat());
        assert_eq!(said.lines().count(), count, "{more:?}: {said}");
    }
}

/// Ended with the test.
struct Following(Child);

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Anyone who follows sees an event when it comes, and once more when it has moved.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_follows_sees_what_comes() {
    let dir = tempfile::tempdir().unwrap();
    let db = records(dir.path()).await;
    let mine = endpoint(partner(1).id);
    register(&*db, &mine, &secret(&mine, 0)).await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_kiungo"));
    command.args([
        "events",
        "tail",
        "--follow",
        "--since",
        "2026-05-28T20:26:40Z",
        "--kind",
        "link.updated",
        "--data",
    ]);
    let child = command
        .arg(dir.path())
        .env_clear()
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut following = Following(child);
    let mut lines = BufReader::new(following.0.stdout.take().unwrap()).lines();
    let mut next = move || lines.next().unwrap().unwrap();
    let link = person(1, 1).linked(&*db, 1, LinkState::Active).await;
    // The clock of a server may be ahead.
    let soon = kiungo::core::time::Clock::now(&kiungo::ambient::SystemClock).plus(std::time::Duration::from_mins(5));
    db.move_link(link.id, LinkState::ReauthRequired, &[], soon)
        .await
        .unwrap();
    db.move_link(link.id, LinkState::Active, &[], soon).await.unwrap();
    let line = next();
    assert!(
        line.contains(&format!("{} #3", link.id)) && line.ends_with("for no endpoint"),
        "{line}"
    );
    let event = events_of(&*db, mine.partner)
        .await
        .into_iter()
        .find(|event| event.kind == EventKind::LinkUpdated);
    db.publish(event.unwrap().id, soon).await.unwrap();
    let again = next();
    assert!(
        again.contains(&format!("{} #3", link.id)) && again.ends_with("pending"),
        "{again}"
    );
}

/// One event, or all of a span, are sent once more to who wants them or is named; it is said how many, and to nobody when
/// nobody wants them.
#[tokio::test]
async fn replay_sends_once_more() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    let db = records(data).await;
    let all = endpoint(partner(1).id);
    let removed = WebhookEndpoint {
        kinds: vec![EventKind::LinkRemoved],
        ..endpoint(partner(1).id)
    };
    for endpoint in [&all, &removed] {
        register(&*db, endpoint, &secret(endpoint, 0)).await;
    }
    let link = person(1, 1).linked(&*db, 1, LinkState::Active).await;
    db.move_link(link.id, LinkState::Removing, &[], at(2_000))
        .await
        .unwrap();
    person(2, 1).linked(&*db, 1, LinkState::Active).await;
    let event = events_of(&*db, all.partner).await[0].id.to_string();
    let (from, to) = ("2026-05-28T20:26:40Z", "2026-05-28T20:26:43Z");
    let named = removed.id.to_string();
    for (args, said) in [
        (vec![event.as_str()], "1 webhooks, of 1 events to 1 endpoints.\n"),
        (
            vec![&event, "--endpoint", &named],
            "1 webhooks, of 1 events to 1 endpoints.\n",
        ),
        (
            vec!["--from", from, "--to", to],
            "3 webhooks, of 2 events to 2 endpoints.\nLeft out: 1 events that no enabled endpoint is for.\n",
        ),
        (
            vec!["--from", from, "--to", to, "--partner", "Partner 1"],
            "3 webhooks, of 2 events to 2 endpoints.\n",
        ),
        (
            vec!["--from", from, "--to", to, "--kind", "link.removed"],
            "2 webhooks, of 1 events to 2 endpoints.\n",
        ),
        (
            vec!["--from", from, "--to", to, "--endpoint", &named],
            "2 webhooks, of 2 events to 1 endpoints.\nLeft out: 1 events that no enabled endpoint is for.\n",
        ),
        (
            vec!["--from", "1s", "--to", "0s"],
            "0 webhooks, of 0 events to 0 endpoints.\n",
        ),
    ] {
        assert_eq!(
            says(data, &[&["replay"], &args[..]].concat()),
            format!("Sent once more: {said}"),
            "{args:?}"
        );
    }
    let found = deliveries(&*db, 1).await;
    assert_eq!(found.len(), 4);
    assert!(found.iter().all(|one| one.state == DeliveryState::Pending), "{found:?}");
}

/// What cannot be done is refused with what to say instead.
#[tokio::test]
async fn mistakes_are_explained() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    let db = records(data).await;
    person(1, 1).linked(&*db, 1, LinkState::Active).await;
    let event = events_of(&*db, partner(1).id).await[0].id.to_string();
    let named = endpoint(partner(1).id).id.to_string();
    let (from, to) = ("2026-05-28T20:26:40Z", "2026-05-28T20:26:43Z");
    for (args, why) in [
        (&["tail", "--partner", "Nobody"][..], "there is no partner"),
        (&["tail", "--since", "yesterday"], "is no moment"),
        (&["tail", "--kind", "link.made"], "connect_session.failed"),
        (&["replay"], "EVENT"),
        (&["replay", "x"], "is no event's id"),
        (&["replay", &named], "is no event's id"),
        (&["replay", &event, "--endpoint", "x"], "is not an endpoint's id"),
        (&["replay", "--from", from], "--to"),
        (&["replay", &event, "--from", from, "--to", to], "cannot be used with"),
    ] {
        let refused = run(data, args);
        assert!(
            !refused.status.success() && text(&refused.stderr).contains(why),
            "{refused:?}"
        );
    }
    let help = says(data, &["replay", "--help"]);
    assert!(
        help.contains("Examples:") && help.contains("A running server"),
        "{help}"
    );
}
