//! The records over SQL, written once for both databases.
//!
//! This folder is compiled twice, as a module of `sqlite` and as one of `postgres`: the names `Backend`, `Connection`,
//! `Row` and `Kind` are the types of the one or the other. So it reads like code for one database, and what is added here is there
//! for both. The backend gives it:
//!
//! * `writer` and `readers`, pools for single statements;
//! * `snapshot`, a transaction whose reads are all of the same moment;
//! * `write`, a transaction whose statements are done together or not at all. Others may write between its statements,
//!   so it may rest on the rows it has changed, and on nothing it has only read;
//! * `write_about`, a transaction that may also rest on what it reads of its subject, a person or an account's number:
//!   nobody else is in such a transaction about the same subject;
//! * `scrub_files`, which sees to it that nothing wiped can be read from the files, as far as the database lets us;
//! * `CLAIM` and `CLAIM_IN`, the one statement that differs, for jobs of no lane and of one.

use sqlx::Row as _;

use super::{Backend, CLAIM, CLAIM_IN, Connection, Kind, Row};
use crate::core::access::TenantScope;
use crate::core::ids::PartnerId;
use crate::core::page::{PageCursor, PageRequest};
use crate::records::call::within;
use crate::records::{AuditEvent, Job, JobLane, RecordsError, Result, sql, words};

mod access;
mod attempts;
mod audit;
mod bank_wishes;
mod endpoints;
mod entities;
mod events;
mod happening;
mod intents;
mod jobs;
mod links;
mod messages;
mod outcomes;
mod partners;
mod people;
mod pins;
mod repeats;
mod requests;
mod roles;
mod sealed;
mod upkeep;
mod users;
mod verifying;

/// A statement on its way to the database.
type Query<'q> = sqlx::query::Query<'q, Kind, <Kind as sqlx::Database>::Arguments>;

/// A statement about the rows that a caller may touch, with `$1` to `$3` bound: partner, entity, user.
fn reaching<'q>(statement: &'static str, reach: &'q TenantScope) -> Query<'q> {
    sqlx::query(statement)
        .bind(&reach.partner.as_bytes()[..])
        .bind(reach.entity.as_ref().map(|entity| &entity.as_bytes()[..]))
        .bind(reach.own.as_ref().map(|user| &user.as_bytes()[..]))
}

/// Binds `$4` to `$6`: after which moment and id, and how many rows. One more than fits the page, to know of the next.
fn paged<'q>(query: Query<'q>, page: &PageRequest) -> Query<'q> {
    let after = page.after.unwrap_or(PageCursor::START);
    query
        .bind(after.at.as_millis())
        .bind(after.id.to_vec())
        .bind(i64::from(page.limit) + 1)
}

/// The id in a column that may hold none.
fn maybe<Id>(row: &Row, column: &str, id: impl FnOnce([u8; 16]) -> Id) -> Result<Option<Id>> {
    let bytes: Option<Vec<u8>> = row.try_get(column)?;
    bytes.map(|bytes| sized(&bytes, column).map(id)).transpose()
}

/// Adds a job unless its key is taken.
async fn add_job(connection: &mut Connection, job: &Job) -> Result<()> {
    let (kind, subject) = words::job_columns(&job.kind);
    sqlx::query(sql::ENQUEUE)
        .bind(&job.id.as_bytes()[..])
        .bind(&job.partner.as_bytes()[..])
        .bind(kind)
        .bind(&subject[..])
        .bind(&job.key)
        .bind(job.due_at.as_millis())
        .bind(i64::from(job.tries))
        .execute(connection)
        .await?;
    Ok(())
}

/// Adds a security event.
async fn add_audit(connection: &mut Connection, event: &AuditEvent) -> Result<()> {
    let line = audit::Line {
        partner: event.partner,
        tag: event.tag,
        entity: None,
        user: None,
        kind: event.kind,
        detail: &event.detail,
        at: event.at,
    };
    line.written().execute(connection).await?;
    Ok(())
}

/// Adds a job of a lane unless its key is taken.
async fn add_job_in(connection: &mut Connection, lane: JobLane, job: &Job) -> Result<()> {
    let (kind, subject) = words::job_columns(&job.kind);
    sqlx::query(sql::ENQUEUE_IN)
        .bind(&job.id.as_bytes()[..])
        .bind(&job.partner.as_bytes()[..])
        .bind(kind)
        .bind(&subject[..])
        .bind(&job.key)
        .bind(job.due_at.as_millis())
        .bind(i64::from(job.tries))
        .bind(&lane.as_bytes()[..])
        .execute(connection)
        .await?;
    Ok(())
}

/// Bytes of a known length: an id, a tag, a digest.
fn fixed<const N: usize>(row: &Row, column: &str) -> Result<[u8; N]> {
    sized(&row.try_get::<Vec<u8>, _>(column)?, column)
}

fn sized<const N: usize>(bytes: &[u8], column: &str) -> Result<[u8; N]> {
    bytes
        .try_into()
        .map_err(|_| RecordsError(format!("{column} is not {N} bytes long")))
}

/// The subject of [`Backend::write_about`] for what a partner decides of its own: keys, roles, entities, users.
fn of_partner(partner: PartnerId) -> [u8; 32] {
    let mut subject = [0; 32];
    subject[..16].copy_from_slice(partner.as_bytes());
    subject
}
