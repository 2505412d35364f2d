//! Records are resealed under the active key while they are used.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kiungo::ambient::OsRng;
use kiungo::core::msisdn::Msisdn;
use kiungo::core::seal::key_id;
use kiungo::core::secret::Secret;
use kiungo::records::{AccountReading, Link, Records};
use kiungo::service::metrics::Metrics;
use kiungo::service::resealing::{Resealing, count_keys};
use kiungo::service::sealing::Sealing;

use super::harness::{Harness, NUMBER};
use crate::support::app_fixture::keyring;
use crate::support::records::unique_bytes;

/// The keys a pass has: the first is active.
fn resealing(records: &Arc<dyn Records>, keys: &[&str]) -> Resealing {
    Resealing {
        records: records.clone(),
        sealing: Sealing {
            keyring: Arc::new(keyring(keys)),
            rng: Arc::new(OsRng),
        },
        metrics: Arc::new(Metrics::new()),
    }
}

fn counts(of: &[(&str, u64)]) -> BTreeMap<String, u64> {
    of.iter().map(|(key, count)| ((*key).to_owned(), *count)).collect()
}

/// What a link holds opens under these keys.
async fn opens(records: &Arc<dyn Records>, link: &Link, sealing: &Sealing) {
    let link = records.link(link.id).await.unwrap().unwrap();
    let account = &link.accounts[0];
    let id = sealing.open_account(&link.tag, account.id, &account.account).unwrap();
    assert_eq!(id.expose(), "a1");
    let holder = sealing.open_holder(&link.tag, account.id, account.holder.as_deref().unwrap());
    assert_eq!(holder.unwrap().expose(), "Ada");
    let consent = records.consent(link.consent).await.unwrap().unwrap();
    let number = sealing.open_msisdn(&link.tag, consent.id, &consent.msisdn).unwrap();
    assert_eq!(number, Msisdn::parse(NUMBER, "NG").unwrap());
    let (attempt, _) = records.attempt(link.attempt).await.unwrap().unwrap();
    sealing
        .open_session(&link.tag, attempt.id, &attempt.provider_session)
        .unwrap();
}

/// A reading of an account, sealed under these keys.
fn reading(link: &Link, sealing: &Sealing) -> AccountReading {
    let holder = sealing.seal_holder(&link.tag, link.accounts[0].id, &Secret::new("Ada"));
    AccountReading {
        masked: "00a1".to_owned(),
        number_digest: unique_bytes(),
        holder: Some(holder.unwrap()),
        kind: None,
        currency: None,
    }
}

/// One pass puts everything under the active key, and everything opens without the old one. It is counted, and a second
/// pass finds nothing to do. Values under a missing key stay as they are, and are counted.
#[tokio::test(flavor = "multi_thread")]
async fn one_pass_seals_everything_anew() {
    let mut harness = Harness::new().await;
    let link = harness.linked().await;
    let records = harness.parts.deps.records.clone();
    let old = harness.parts.deps.sealing.clone();
    records
        .store_account_reading(link.accounts[0].id, &reading(&link, &old))
        .await
        .unwrap();
    // Of consent, attempt, account, holder, and the credentials of the one provider.
    let all = 5;
    assert_eq!(
        count_keys(records.as_ref(), |_| ()).await.unwrap(),
        counts(&[("k1", all)])
    );

    let without = resealing(&records, &["n2"]);
    assert_eq!(without.pass().await.unwrap(), counts(&[("k1", all), ("n2", 0)]));
    opens(&records, &link, &old).await;
    let with = resealing(&records, &["n2", "k1"]);
    assert_eq!(with.pass().await.unwrap(), counts(&[("n2", all)]));
    opens(&records, &link, &without.sealing).await;
    let before = records.link(link.id).await.unwrap();
    assert_eq!(with.pass().await.unwrap(), counts(&[("n2", all)]));
    assert_eq!(records.link(link.id).await.unwrap(), before);
    let shown = with.metrics.encode().unwrap();
    assert!(shown.contains(r#"kiungo_sealed_values{key="n2"} 5"#), "{shown}");
    assert!(!shown.contains(r#"key="k1""#), "{shown}");
}

/// While servers with the old and the new key go on writing the same rows, passes of both lose none of what they wrote:
/// at every moment the row opens, and when the old key is no longer used one pass is the last.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn passes_never_undo_what_is_written() {
    let mut harness = Harness::new().await;
    let link = harness.linked().await;
    let records = harness.parts.deps.records.clone();
    let (old, new) = (resealing(&records, &["k1", "n2"]), resealing(&records, &["n2", "k1"]));
    let over = AtomicBool::new(false);
    let write = async |sealing: &Sealing| {
        for _ in 0..60 {
            let reading = reading(&link, sealing);
            records
                .store_account_reading(link.accounts[0].id, &reading)
                .await
                .unwrap();
            opens(&records, &link, sealing).await;
        }
    };
    let writing = async {
        tokio::join!(write(&old.sealing), write(&new.sealing));
        over.store(true, Ordering::SeqCst);
    };
    let passing = async |resealing: &Resealing| {
        let mut passes = 0;
        while !over.load(Ordering::SeqCst) {
            resealing.pass().await.unwrap();
            passes += 1;
        }
        passes
    };
    let ((), first, second) = tokio::join!(writing, passing(&old), passing(&new));
    assert!(first > 2 && second > 2, "{first} and {second} passes");
    assert_eq!(new.pass().await.unwrap(), counts(&[("n2", 5)]));
    let last = records.link(link.id).await.unwrap().unwrap();
    assert_eq!(key_id(last.accounts[0].holder.as_deref().unwrap()), Some("n2"));
    opens(&records, &link, &resealing(&records, &["n2"]).sealing).await;
}
