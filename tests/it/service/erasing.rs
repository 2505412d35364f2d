//! Erasing a person: links first, at the provider, then everything stored here, whatever fails in between.

use kiungo::ambient::{OsRng, SystemClock};
use kiungo::core::flow::forget::Remainder;
use kiungo::core::ids::ErasureId;
use kiungo::core::time::Clock;
use kiungo::providers::ProviderError;
use kiungo::records::{AttemptState, ErasureBlocker, ErasureState, JobType as _, LinkState, Redaction, SubscriberData};
use kiungo::service::data_subject::Erase;
use kiungo::service::data_subject::begin_erasure;
use kiungo::service::data_subject::export::{ExportedBy, export_subscriber_data};
use kiungo::service::linking::unlink::Unlink;
use kiungo::service::live::LoadedValue;
use serde_json::Value;

use super::harness::{Harness, MINUTE, NUMBER, account, ago};
use crate::support::records::{RecordedPerson, job, node, partner};

impl Harness {
    /// Asks for the erasure of the one person.
    async fn to_erase(&self) -> ErasureId {
        let (partner, tag) = (self.person.partner, &self.person.tag);
        let records = self.parts.deps.records.as_ref();
        begin_erasure(records, &SystemClock, &OsRng, partner, tag)
            .await
            .unwrap()
    }

    /// Runs the erasure's job once, and says how far it is.
    async fn erases(&self, id: ErasureId) -> (ErasureState, Option<ErasureBlocker>) {
        let ran = self.parts.jobs.run_now::<Erase>(id).await;
        let erasure = self.parts.deps.records.erasure(id).await.unwrap().unwrap();
        assert!(ran || erasure.state == ErasureState::Done);
        (erasure.state, erasure.blocked_by)
    }

    async fn held(&self, who: RecordedPerson) -> SubscriberData {
        self.parts.deps.records.export(who.partner, &who.tag).await.unwrap()
    }

    /// Nothing is stored about the person, and their rows are under the pseudonym.
    async fn is_erased(&mut self, id: ErasureId) {
        let erasure = self.parts.deps.records.erasure(id).await.unwrap().unwrap();
        assert_eq!((erasure.state, erasure.tag), (ErasureState::Done, None));
        assert_eq!(self.held(self.person).await, SubscriberData::default());
        let blank = RecordedPerson {
            tag: erasure.pseudonym,
            ..self.person
        };
        assert!(!self.held(blank).await.attempts.is_empty());
        assert_eq!(self.parts.records.audit_count("subscriber.erased").await, 1);
        let live = self.parts.service.0.live.load(&self.person.tag).await.unwrap();
        assert!(matches!(live.value, LoadedValue::Nothing));
        let shown = self.types(&["2"]).await;
        assert!(!shown.contains("First Bank"), "{shown}");
    }
}

/// A link is ended at its provider before anything is redacted. The live value is removed too: the next dial is a new person's.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_with_a_link_is_erased() {
    let mut harness = Harness::new().await;
    let link = harness.linked().await;
    let shown = harness.types(&["2"]).await;
    assert!(shown.contains("First Bank"), "{shown}");
    let id = harness.to_erase().await;
    assert_eq!(harness.to_erase().await, id);
    assert_eq!(
        harness.erases(id).await,
        (ErasureState::Begun, Some(ErasureBlocker::Links))
    );
    assert!(harness.unlinked().is_empty());
    assert!(harness.parts.jobs.run_now::<Unlink>(link.id).await);
    assert_eq!(harness.erases(id).await, (ErasureState::Done, None));
    assert_eq!(harness.unlinked(), ["a1"]);
    harness.is_erased(id).await;
}

/// A provider that does not accept the end of a link is asked for as long as it takes, also after the unlink job was given
/// up; nothing is redacted meanwhile, and the erasure says what blocks it.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_cannot_be_ended_is_tried_on() {
    let mut harness = Harness::new().await;
    let link = harness.linked().await;
    harness.parts.bank.script().unreadable = Some(ProviderError::Unavailable("away", None));
    let id = harness.to_erase().await;
    assert_eq!(
        harness.erases(id).await,
        (ErasureState::Begun, Some(ErasureBlocker::Links))
    );
    let key = Unlink::key(link.id);
    let records = harness.parts.deps.records.clone();
    let taken = records.claim_key(&key, node(9), ago(0), ago(0)).await.unwrap().unwrap();
    records.give_up(taken.id, node(9), "test").await.unwrap();
    // Tried so often that any other job would be given up.
    for _ in 0..400 {
        let held = records.claim_key(&Erase::key(id), node(9), ago(0), ago(0)).await;
        records
            .postpone(held.unwrap().unwrap().id, node(9), ago(0), "test")
            .await
            .unwrap();
    }
    assert_eq!(
        harness.erases(id).await,
        (ErasureState::Begun, Some(ErasureBlocker::Links))
    );
    assert_eq!(harness.held(harness.person).await.links[0].state, LinkState::Removing);
    assert_eq!(harness.parts.records.audit_count("job.given_up").await, 0);
    harness.parts.bank.script().unreadable = None;
    assert!(harness.parts.jobs.run_key(&key).await, "the job was not opened again");
    assert_eq!(harness.erases(id).await, (ErasureState::Done, None));
    harness.is_erased(id).await;
}

/// The server may die after every step: the job starts again on another and comes to the same end.
#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_survives_a_crash_after_every_step() {
    for step in 0..5 {
        let mut harness = Harness::new().await;
        let link = harness.linked().await;
        harness.dials().await;
        let id = harness.to_erase().await;
        let records = harness.parts.deps.records.clone();
        let erasure = records.erasure(id).await.unwrap().unwrap();
        let key = Unlink::key(link.id);
        let unlink = job(link.partner, Unlink::of(link.id), &key, ago(0));
        if step >= 1 {
            let to = LinkState::Removing;
            assert!(records.move_link(link.id, to, &[unlink], ago(0)).await.unwrap());
        }
        if step >= 2 {
            assert!(harness.parts.jobs.run_key(&key).await);
        }
        if step >= 3 {
            assert_eq!(records.redact(&erasure, ago(0)).await.unwrap(), Redaction::Redacted);
        }
        if step >= 4 {
            let live = &harness.parts.service.0.live;
            live.prune(&harness.person.tag, |_| Remainder::Nothing).await.unwrap();
        }
        if harness.erases(id).await.0 != ErasureState::Done {
            assert!(step < 2, "{step}");
            assert!(harness.parts.jobs.run_key(&key).await);
            assert_eq!(harness.erases(id).await, (ErasureState::Done, None), "{step}");
        }
        assert_eq!(harness.unlinked(), ["a1"], "{step}");
        harness.is_erased(id).await;
    }
}

/// A lapsed attempt is searched for once more, because afterwards nobody could recognise what it linked; what is found is
/// ended like any link.
#[tokio::test(flavor = "multi_thread")]
async fn a_lapsed_login_is_looked_for_once_more() {
    let mut harness = Harness::new().await;
    let attempt = harness.begun(16 * MINUTE, |_| ()).await;
    let records = harness.parts.deps.records.clone();
    for state in [AttemptState::Sending, AttemptState::Unknown, AttemptState::Lapsed] {
        assert!(records.move_attempt(attempt.id, state, ago(0)).await.unwrap());
    }
    harness.parts.bank.script().accounts = vec![account("a7")];
    let id = harness.to_erase().await;
    // It is linked only now, so its end is asked for by the second look.
    assert_eq!(
        harness.erases(id).await,
        (ErasureState::Begun, Some(ErasureBlocker::Links))
    );
    assert_eq!(
        harness.erases(id).await,
        (ErasureState::Begun, Some(ErasureBlocker::Links))
    );
    let link = harness.link_of(&attempt).await.unwrap();
    assert!(harness.parts.jobs.run_now::<Unlink>(link.id).await);
    assert_eq!(harness.erases(id).await, (ErasureState::Done, None));
    assert_eq!(harness.unlinked(), ["a7"]);
    harness.is_erased(id).await;
}

/// An export shows what a partner holds about the person: number, consents, links; nothing that another partner holds.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_told() {
    let mut harness = Harness::new().await;
    let link = harness.linked().await;
    let deps = &harness.parts.deps;
    let number = kiungo::core::msisdn::Msisdn::parse(NUMBER, "NG").unwrap();
    let now = SystemClock.now();
    let told = async |partners: &[kiungo::records::Partner]| {
        let told = export_subscriber_data(
            deps.records.as_ref(),
            &deps.sealing,
            partners,
            &number,
            ExportedBy::Operator,
            now,
        )
        .await;
        serde_json::to_value(told.unwrap()).unwrap()
    };
    let mine = told(&[partner(1)]).await;
    let held = &mine["partners"][0];
    assert_eq!(mine["msisdn"], NUMBER);
    assert_eq!(
        (&held["partner"], &held["consents"][0]["msisdn"]),
        (&"Partner 1".into(), &NUMBER.into())
    );
    assert!(
        held["consents"][0]["text"]
            .as_str()
            .unwrap()
            .contains("Partner 1 may see")
    );
    assert_eq!(held["links"][0]["id"], link.id.to_string());
    assert_eq!(
        (&held["links"][0]["state"], &held["attempts"][0]["outcome"]),
        (&"active".into(), &"linked".into())
    );
    assert_eq!(held["links"][0]["accounts"][0]["ends_in"], "00a1");
    let theirs = told(&[partner(2)]).await;
    let lists = ["consents", "links", "attempts", "texts", "requests"];
    assert!(
        lists
            .iter()
            .all(|list| theirs["partners"][0][list] == Value::Array(Vec::new())),
        "{theirs}"
    );
}
