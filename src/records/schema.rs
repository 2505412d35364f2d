//! The tables, by migrations that both databases run at start.
//!
//! They are written in what SQLite and PostgreSQL have in common, but for one word: bytes are a BLOB here and a BYTEA
//! there.

use std::borrow::Cow;

use sqlx::migrate::{Migration, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr as _};

/// The migrations as SQLite reads them. A database that a newer server has migrated further is fine: migrations only add.
pub(super) fn migrations() -> Migrator {
    let mut migrations = sqlx::migrate!("src/records/migrations");
    migrations.set_ignore_missing(true);
    // Each backend keeps others out in its own way.
    migrations.set_locking(false);
    migrations
}

/// The same migrations as PostgreSQL reads them, under the same checksums.
pub(super) fn migrations_for_postgres() -> Migrator {
    let mut migrations = migrations();
    let translated = |migration: &Migration| Migration {
        sql: AssertSqlSafe(migration.sql.as_str().replace("BLOB", "BYTEA")).into_sql_str(),
        ..migration.clone()
    };
    migrations.migrations = Cow::Owned(migrations.iter().map(translated).collect());
    migrations
}
