//! A person is erased: links first, at the provider, then everything that is known here; whatever fails in between.

use kiungo::ambient::{OsRng, SystemClock};
use kiungo::core::ids::ErasureId;
use kiungo::core::time::Clock;
use kiungo::providers::ProviderError;
use kiungo::records::{AttemptState, ErasureBlocker, ErasureState, JobKind, LinkState, Redaction, SubscriberData};
use kiungo::service::data_subject::begin_erasure;
use kiungo::service::data_subject::export::{ExportedBy, export_subscriber_data};
use kiungo::service::live::LoadedValue;
use serde_json::Value;

use super::harness::{Harness, MINUTE, NUMBER, account, ago};
use crate::support::records::{RecordedPerson, job, node, partner};

impl Harness {
    /// Asks for the erasure of the one person.
    async fn to_erase(&self) -> ErasureId {
        let (partner, tag) = (self.person.partner, &self.person.tag);
        let records = self.parts.jobs.records.as_ref();
        begin_erasure(records, &SystemClock, &OsRng, partner, tag)
            .await
            .unwrap()
    }

    /// Runs the erasure's job once, and says how far it is.
    async fn erases(&self, id: ErasureId) -> (ErasureState, Option<ErasureBlocker>) {
        let ran = self.parts.jobs.run_now(&format!("erase:{id}")).await;
        let erasure = self.parts.jobs.records.erasure(id).await.unwrap().unwrap();
        assert!(ran || erasure.state == ErasureState::Done);
        (erasure.state, erasure.blocked_by)
    }

    async fn held(&self, who: RecordedPerson) -> SubscriberData {
        self.parts.jobs.records.export(who.partner, &who.tag).await.unwrap()
    }

    /// Nothing is held about the one person, and there is something under the pseudonym.
    async fn is_erased(&mut self, id: ErasureId) {
        let erasure = self.parts.jobs.records.erasure(id).await.unwrap().unwrap();
        assert_eq!((erasure.state, erasure.tag), (ErasureState::Done, None));
        assert_eq!(self.held(self.person).await, SubscriberData::default());
        let blank = RecordedPerson {
            tag: erasure.pseudonym,
            ..self.person
        };
        assert!(!self.held(blank).await.attempts.is_empty());
        assert_eq!(self.parts.records.audit_count("subscriber.erased").await, 1);
        let live = self.parts.jobs.erasing.live.load(&self.person.tag).await.unwrap();
        assert!(matches!(live.value, LoadedValue::Nothing));
        let shown = self.types(&["2"]).await;
        assert!(!shown.contains("First Bank"), "{shown}");
    }
}

/// A link is ended at its provider before anything is blanked. What is live goes, too: whoever dials next is new.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_with_a_link_is_erased() {
    let mut bench = Harness::new().await;
    let link = bench.linked().await;
    let shown = bench.types(&["2"]).await;
    assert!(shown.contains("First Bank"), "{shown}");
    let id = bench.to_erase().await;
    assert_eq!(bench.to_erase().await, id);
    assert_eq!(
        bench.erases(id).await,
        (ErasureState::Begun, Some(ErasureBlocker::Links))
    );
    assert!(bench.unlinked().is_empty());
    assert!(bench.parts.jobs.run_now(&format!("unlink:{}", link.id)).await);
    assert_eq!(bench.erases(id).await, (ErasureState::Done, None));
    assert_eq!(bench.unlinked(), ["a1"]);
    bench.is_erased(id).await;
}

/// A provider that does not take the end of a link is asked for as long as it takes, also after the job that tells it was
/// given up; nothing is blanked meanwhile, and what is waited for is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_cannot_be_ended_is_tried_on() {
    let mut bench = Harness::new().await;
    let link = bench.linked().await;
    bench.parts.bank.script().unreadable = Some(ProviderError::Unavailable("away", None));
    let id = bench.to_erase().await;
    assert_eq!(
        bench.erases(id).await,
        (ErasureState::Begun, Some(ErasureBlocker::Links))
    );
    let key = format!("unlink:{}", link.id);
    let records = bench.parts.jobs.records.clone();
    let taken = records.claim_key(&key, node(9), ago(0), ago(0)).await.unwrap().unwrap();
    records.give_up(taken.id, node(9), "test").await.unwrap();
    // Tried so often that any other job would be given up.
    for _ in 0..400 {
        let held = records.claim_key(&format!("erase:{id}"), node(9), ago(0), ago(0)).await;
        records
            .postpone(held.unwrap().unwrap().id, node(9), ago(0), "test")
            .await
            .unwrap();
    }
    assert_eq!(
        bench.erases(id).await,
        (ErasureState::Begun, Some(ErasureBlocker::Links))
    );
    assert_eq!(bench.held(bench.person).await.links[0].state, LinkState::Removing);
    assert_eq!(bench.parts.records.audit_count("job.given_up").await, 0);
    bench.parts.bank.script().unreadable = None;
    assert!(bench.parts.jobs.run_now(&key).await, "the job was not opened again");
    assert_eq!(bench.erases(id).await, (ErasureState::Done, None));
    bench.is_erased(id).await;
}

/// The server may end after every step: the job of another begins at the start and comes to the same end.
#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_survives_a_crash_after_every_step() {
    for step in 0..5 {
        let mut bench = Harness::new().await;
        let link = bench.linked().await;
        bench.dials().await;
        let id = bench.to_erase().await;
        let records = bench.parts.jobs.records.clone();
        let erasure = records.erasure(id).await.unwrap().unwrap();
        let key = format!("unlink:{}", link.id);
        let unlink = job(link.partner, JobKind::Unlink(link.id), &key, ago(0));
        if step >= 1 {
            let to = LinkState::Removing;
            assert!(records.move_link(link.id, to, &[unlink], ago(0)).await.unwrap());
        }
        if step >= 2 {
            assert!(bench.parts.jobs.run_now(&key).await);
        }
        if step >= 3 {
            assert_eq!(records.redact(&erasure, ago(0)).await.unwrap(), Redaction::Redacted);
        }
        if step >= 4 {
            bench.parts.jobs.erasing.live.remove(&bench.person.tag).await.unwrap();
        }
        if bench.erases(id).await.0 != ErasureState::Done {
            assert!(step < 2, "{step}");
            assert!(bench.parts.jobs.run_now(&key).await);
            assert_eq!(bench.erases(id).await, (ErasureState::Done, None), "{step}");
        }
        assert_eq!(bench.unlinked(), ["a1"], "{step}");
        bench.is_erased(id).await;
    }
}

/// A login that nothing was found of in its time is looked for once more, for afterwards nobody could recognise what it
/// linked; what is found is ended like any link.
#[tokio::test(flavor = "multi_thread")]
async fn a_lapsed_login_is_looked_for_once_more() {
    let mut bench = Harness::new().await;
    let attempt = bench.begun(16 * MINUTE, |_| ()).await;
    let records = bench.parts.jobs.records.clone();
    for state in [AttemptState::Sending, AttemptState::Unknown, AttemptState::Lapsed] {
        assert!(records.move_attempt(attempt.id, state, ago(0)).await.unwrap());
    }
    bench.parts.bank.script().accounts = vec![account("a7")];
    let id = bench.to_erase().await;
    // It is linked only now, so its end is asked for by the second look.
    assert_eq!(
        bench.erases(id).await,
        (ErasureState::Begun, Some(ErasureBlocker::Links))
    );
    assert_eq!(
        bench.erases(id).await,
        (ErasureState::Begun, Some(ErasureBlocker::Links))
    );
    let link = bench.link_of(&attempt).await.unwrap();
    assert!(bench.parts.jobs.run_now(&format!("unlink:{}", link.id)).await);
    assert_eq!(bench.erases(id).await, (ErasureState::Done, None));
    assert_eq!(bench.unlinked(), ["a7"]);
    bench.is_erased(id).await;
}

/// Whoever asks is told what a partner holds about them: their number, what they agreed to, what is linked; nothing of
/// what another partner holds.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_told() {
    let mut bench = Harness::new().await;
    let link = bench.linked().await;
    let linking = &bench.parts.jobs.linking;
    let number = kiungo::core::msisdn::Msisdn::parse(NUMBER, "NG").unwrap();
    let now = SystemClock.now();
    let told = async |partners: &[kiungo::records::Partner]| {
        let told = export_subscriber_data(
            linking.records.as_ref(),
            &linking.sealing,
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
