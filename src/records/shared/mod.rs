//! The records over SQL, written once for both databases.
//!
//! This folder is compiled twice, as a module of `sqlite` and as one of `postgres`: the names `Backend`, `Connection` and
//! `Row` are the types of the one or the other. So it reads like code for one database, and what is added here is there
//! for both. The backend gives it:
//!
//! * `writer` and `readers`, pools for single statements;
//! * `snapshot`, a transaction whose reads are all of the same moment;
//! * `write`, a transaction whose statements are done together or not at all. Others may write between its statements,
//!   so it may rest on the rows it has changed, and on nothing it has only read;
//! * `write_about`, a transaction that may also rest on what it reads of its subject, a person or an account's number:
//!   nobody else is in such a transaction about the same subject;
//! * `scrub_files`, which sees to it that nothing wiped can be read from the files, as far as the database lets us;
//! * `CLAIM`, the one statement that differs.

use sqlx::Row as _;

use super::{Backend, CLAIM, Connection, Row};
use crate::records::call::within;
use crate::records::{AuditEvent, Job, RecordsError, Result, sql, words};

mod attempts;
mod bank_wishes;
mod jobs;
mod links;
mod messages;
mod partners;
mod people;
mod pins;

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
    sqlx::query(sql::AUDIT)
        .bind(&event.partner.as_bytes()[..])
        .bind(event.tag.as_ref().map(|tag| &tag.as_bytes()[..]))
        .bind(event.kind)
        .bind(&event.detail)
        .bind(event.at.as_millis())
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
