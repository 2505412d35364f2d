//! The SMS that says that a consent ends soon.

use std::time::Duration;

use kiungo::core::flow::{Flow, FlowSettings};
use kiungo::core::msisdn::Msisdn;
use kiungo::records::{AnnounceEnd, Link};
use kiungo::service::flow_in_force::FlowInForce;
use kiungo::service::job::{JobHandler, JobOutcome};

use super::service_kit::{ADA, SmsService};
use crate::support::app_fixture::{CHANNEL, handlers};
use crate::support::flow::flow;
use crate::support::records::{RecordedPerson, at, begin, link, partner};

const DAY: i64 = 24 * 3_600 * 1_000;

/// Of a link that was used lately no code can make a long unused one: none is read for it.
#[tokio::test]
async fn a_link_in_use_needs_no_code_to_be_told() {
    let (mut post, _running) = SmsService::with_stand_in().await;
    let in_force = post.shared.updater.flow.get();
    let settings = &in_force.settings;
    let like = flow(
        settings.policy.clone(),
        post.shared.deps.sealing.keyring.clone(),
        settings.providers.clone(),
    );
    post.shared.updater.flow = FlowInForce::new(Flow {
        settings: FlowSettings {
            ask_login_after: Some(Duration::from_hours(180 * 24)),
            ..like.settings
        },
        ..like
    });
    let number = Msisdn::parse(ADA, "NG").unwrap();
    let sealing = &post.shared.deps.sealing;
    let person = RecordedPerson {
        partner: partner(1).id,
        tag: sealing.keyring.tag(&number),
    };
    let mut consent = person.consent();
    consent.msisdn = sealing.seal_msisdn(&person.tag, consent.id, &number).unwrap();
    CHANNEL.0.clone_into(&mut consent.channel);
    let attempt = person.attempt(&consent);
    begin(&*post.db, &consent, &attempt).await;
    let made = Link {
        until: at(200 * DAY),
        notice_from: at(100 * DAY),
        ..link(&attempt, 1)
    };
    post.db.complete_link(&made, &[]).await.unwrap();
    post.advance(Duration::from_hours(170 * 24));
    post.db.execute("ALTER TABLE subscriber_pins RENAME TO away").await;

    let ends = handlers(&post.shared, post.outbox.clone()).consent_end;
    let told = JobHandler::<AnnounceEnd>::run(&*ends, made.id).await;
    assert!(matches!(told, Ok(JobOutcome::Done)), "{told:?}");
    assert_eq!(post.db.count("SELECT COUNT(*) FROM messages").await, 1);
}
