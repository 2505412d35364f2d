//! The records over SQL, written once for both databases.
//!
//! This file and the `sql` files that it names are compiled twice, as modules of `sqlite` and of `postgres`: the names
//! `Backend`, `Connection`, `Row` and `Db` are the types of the one or the other. So they read like code for one database,
//! and what is added here is there for both. The backend gives them:
//!
//! * `writer` and `readers`, pools for single statements;
//! * `snapshot`, a transaction whose reads are all of the same moment;
//! * `write`, a transaction whose statements are done together or not at all. Others may write between its statements,
//!   so it may rest on the rows it has changed, and on nothing it has only read;
//! * `write_about`, a transaction that may also rest on what it reads of its subject, a person or an account's number:
//!   nobody else is in such a transaction about the same subject;
//! * `checkpoint`, which sees to it that nothing wiped can be read from the files, as far as the database lets us;
//! * `distrust_connections`, called after a failure of the connection, and `check_file`, which looks whether what is open is still what it was;
//! * `read_clock`, the time that all nodes can agree on;
//! * `claim`, the one statement that differs.
//!
//! `transaction` and `transaction_about` run a closure in one of these and commit when it succeeds. A transaction that
//! must undo what it wrote and still answer uses `write` and does not commit.

use std::future::Future;

use sqlx::{Database, FromRow, query_as};

use super::{Backend, Connection, Db, Row, claim};
use crate::core::access::TenantScope;
use crate::core::ids::PartnerId;
use crate::core::page::{PageCursor, PageRequest, Paged};
use crate::core::time::Timestamp;
use crate::records::Result;
use crate::records::timeout::with_timeout;

#[path = "access/sql.rs"]
mod access;
#[path = "attempts/sql.rs"]
mod attempts;
#[path = "audit/sql.rs"]
mod audit;
#[path = "bank_alerts/sql.rs"]
mod bank_alerts;
#[path = "data_subject/sql.rs"]
mod data_subject;
#[path = "eligibility/sql.rs"]
mod eligibility;
#[path = "links/ending.rs"]
mod ending;
#[path = "events/endpoints.rs"]
mod endpoints;
#[path = "organization/entities.rs"]
mod entities;
#[path = "events/sql.rs"]
mod events;
#[path = "exchanges/sql.rs"]
mod exchanges;
#[path = "data_subject/export.rs"]
mod export;
#[path = "idempotency/sql.rs"]
mod idempotency;
#[path = "intents/sql.rs"]
mod intents;
#[path = "jobs/sql.rs"]
mod jobs;
#[path = "languages/sql.rs"]
mod languages;
#[path = "leases/sql.rs"]
mod leases;
#[path = "links/access.rs"]
mod link_access;
#[path = "links/views.rs"]
mod link_views;
#[path = "links/sql.rs"]
mod links;
#[path = "messages/sql.rs"]
mod messages;
#[path = "attempts/obstacles.rs"]
mod obstacles;
#[path = "events/outbox.rs"]
mod outbox;
#[path = "partners/sql.rs"]
mod partners;
#[path = "intents/pending.rs"]
mod pending;
#[path = "pins/sql.rs"]
mod pins;
#[path = "provider_events/sql.rs"]
mod provider_events;
#[path = "provider_persons/sql.rs"]
mod provider_persons;
#[path = "returns/sql.rs"]
mod returns;
#[path = "organization/rights.rs"]
mod rights;
#[path = "organization/roles.rs"]
mod roles;
#[path = "sealed/sql.rs"]
mod sealed;
#[path = "pins/settings.rs"]
mod settings;
#[path = "sms_proofs/sql.rs"]
mod sms_proofs;
#[path = "upkeep/sql.rs"]
mod upkeep;
#[path = "organization/users.rs"]
mod users;
#[path = "links/verification.rs"]
mod verification;
#[path = "attempts/waiting.rs"]
mod waiting;

/// A statement on its way to the database.
type Query<'q> = sqlx::query::Query<'q, Db, <Db as Database>::Arguments>;
/// The same, where its rows are read as `T`.
type Select<'q, T> = sqlx::query::QueryAs<'q, Db, T, <Db as Database>::Arguments>;

/// What every row type is.
trait FromAnyRow: for<'r> FromRow<'r, Row> + Send + Unpin {}

impl<T: for<'r> FromRow<'r, Row> + Send + Unpin> FromAnyRow for T {}

impl Backend {
    /// Cuts `work` off when it takes too long. After a failure that says something of the connection those that are open may
    /// be replaced.
    async fn call<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let done = with_timeout(work).await;
        if done.as_ref().is_err_and(|error| error.of_connection) {
            self.distrust_connections();
        }
        done
    }

    /// Runs one statement; says how many rows it wrote.
    async fn execute(&self, statement: Query<'_>) -> Result<u64> {
        self.call(async { Ok(statement.execute(&self.writer).await?.rows_affected()) })
            .await
    }

    /// The row that a statement finds, if it finds one.
    async fn fetch<T: FromAnyRow>(&self, statement: Select<'_, T>) -> Result<Option<T>> {
        self.call(async { Ok(statement.fetch_optional(&self.readers).await?) })
            .await
    }

    /// All rows that a statement finds.
    async fn fetch_all<T: FromAnyRow>(&self, statement: Select<'_, T>) -> Result<Vec<T>> {
        self.call(async { Ok(statement.fetch_all(&self.readers).await?) }).await
    }

    /// A page of the rows that a statement finds, of which `key` is the moment and the id. The statement takes three more
    /// parameters: after which moment and id, and how many rows.
    async fn fetch_page<T: FromAnyRow>(
        &self,
        statement: Select<'_, T>,
        page: &PageRequest,
        key: impl Fn(&T) -> (Timestamp, [u8; 16]),
    ) -> Result<Paged<T>> {
        let after = page.after.unwrap_or(PageCursor::START);
        // One more than fits the page, to know of the next.
        let statement = statement
            .bind(after.at)
            .bind(after.id.to_vec())
            .bind(i64::from(page.limit) + 1);
        let rows = self.fetch_all(statement).await?;
        Ok(page_of(rows, page, key))
    }

    /// Runs `work` in a transaction and commits it.
    async fn transaction<T>(&self, work: impl AsyncFnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        self.call(async {
            let mut transaction = self.write().await?;
            let done = work(&mut transaction).await?;
            transaction.commit().await?;
            Ok(done)
        })
        .await
    }

    /// Runs `work` in a transaction about a subject, and commits it.
    async fn transaction_about<T>(
        &self,
        subject: &[u8; 32],
        work: impl AsyncFnOnce(&mut Connection) -> Result<T>,
    ) -> Result<T> {
        self.call(async {
            let mut transaction = self.write_about(subject).await?;
            let done = work(&mut transaction).await?;
            transaction.commit().await?;
            Ok(done)
        })
        .await
    }
}

/// The rows that a caller may touch: `$1` is the partner, `$2` the entity or nothing, `$3` the user or nothing.
macro_rules! in_scope {
    () => {
        "partner = $1 AND ($2 IS NULL OR entity = $2) AND ($3 IS NULL OR created_by = $3)"
    };
}
use in_scope;

/// Newest first, by the three parameters from `$4` on that [`Backend::fetch_page`] binds.
macro_rules! newest_from_4 {
    () => {
        "AND (created_at < $4 OR (created_at = $4 AND id < $5)) ORDER BY created_at DESC, id DESC LIMIT $6"
    };
}
use newest_from_4;

/// A statement about the rows that a caller may touch, with `$1` to `$3` bound: partner, entity, user.
fn scoped<'q>(statement: &'static str, scope: &TenantScope) -> Query<'q> {
    let statement = sqlx::query(statement).bind(scope.partner);
    statement.bind(scope.entity).bind(scope.own)
}

/// The same, whose rows are read as `T`.
fn select_scoped<'q, T: FromAnyRow>(statement: &'static str, scope: &TenantScope) -> Select<'q, T> {
    let statement = query_as(statement).bind(scope.partner);
    statement.bind(scope.entity).bind(scope.own)
}

/// A page of up to one row more than it may have.
fn page_of<T>(rows: Vec<T>, page: &PageRequest, key: impl Fn(&T) -> (Timestamp, [u8; 16])) -> Paged<T> {
    Paged::from_rows(rows, page, |row| {
        let (at, id) = key(row);
        PageCursor { at, id }
    })
}

/// All that a partner has.
fn whole_partner(partner: PartnerId) -> TenantScope {
    TenantScope {
        partner,
        entity: None,
        own: None,
    }
}

/// The subject of [`Backend::transaction_about`] for what a partner decides of its own: keys, roles, entities, users.
fn partner_subject(partner: PartnerId) -> [u8; 32] {
    let mut subject = [0; 32];
    subject[..16].copy_from_slice(partner.as_bytes());
    subject
}
