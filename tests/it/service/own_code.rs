//! A person's own code, chosen while the records are slow to take it.

use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Executor as _};

use super::harness::{Harness, ago};
use crate::support::eventually;
use kiungo::service::facts_reader::FactsQuery;

/// The code counts from the moment it was chosen: a dial before it is written down asks for it, and so does one after.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_counts_before_it_is_written() {
    let mut harness = Harness::new().await;
    harness.linked().await;
    // The news of the link is heard, and that is written down.
    harness.types(&["0"]).await;
    harness.settled().await;
    // Somebody writes to the file and takes their time: reading goes on, writing waits.
    let file = harness.parts.records.folder.path().join("deep/er/records.db");
    let mut slow = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    slow.execute("BEGIN IMMEDIATE").await.unwrap();
    let shown = harness.types(&["2", "1", "3", "4821", "4821"]).await;
    assert!(
        shown.starts_with("CON Your code is set.\nYour linked accounts"),
        "{shown}"
    );
    let (person, records) = (harness.person, harness.parts.deps.records.clone());
    let written = async || {
        let facts = records.history(person.partner, &person.tag, ago(0), true).await;
        facts.unwrap().pin.is_some()
    };
    assert!(!written().await);
    for _ in 0..2 {
        let shown = harness.types(&["2"]).await;
        assert!(
            shown.starts_with("CON Type the 4 digits you chose here, not your bank PIN."),
            "{shown}"
        );
    }
    assert!(!written().await);
    slow.execute("ROLLBACK").await.unwrap();
    eventually(Duration::from_secs(20), async || {
        written().await && harness.parts.tasks.is_empty()
    })
    .await;
    let shown = harness.types(&["2", "4821"]).await;
    assert!(shown.starts_with("CON Your linked accounts"), "{shown}");
}

/// Where people may have no code, none is read: one that stands in the records is not asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_not_read_where_there_are_none() {
    let mut harness = Harness::new().await;
    harness.linked().await;
    harness.types(&["2", "1", "3", "4821", "4821"]).await;
    let facts = &harness.parts.service.0.facts;
    let without = kiungo::service::facts_reader::FactsReader {
        pins: false,
        ..facts.clone()
    };
    let tag = harness.person.tag;
    eventually(Duration::from_secs(20), async || {
        facts.load(&tag, &FactsQuery::default()).await.unwrap().pin.is_some()
    })
    .await;
    let known = without.load(&tag, &FactsQuery::default()).await.unwrap();
    assert!(known.pin.is_none() && known.links.len() == 1);
}
