//! Where the records are: a file, or a database server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;

use super::postgres::{self, PostgresRecords};
use super::sqlite::SqliteRecords;
use super::{Records, RecordsError, Result};

/// A valid address. It may hold a password, so it is never shown.
pub struct DatabaseUrl(Kind);

enum Kind {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

impl DatabaseUrl {
    /// Reads `sqlite:PATH`, such as `sqlite:data/kiungo.db`, or
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=MODE`, of which the password, the port and what follows the
    /// question mark may be left out.
    ///
    /// # Errors
    /// With what is wrong with it, to follow the name of what holds it. The address is not repeated.
    pub fn parse(url: &str) -> std::result::Result<Self, &'static str> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            return Ok(Self(Kind::Postgres(Box::new(postgres::options(url)?))));
        }
        let path = url
            .strip_prefix("sqlite:")
            .ok_or("begins with neither sqlite: nor postgres://")?;
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.starts_with(':') || path.contains(['?', '\0']) {
            return Err("does not name a file, without options, after sqlite:");
        }
        Ok(Self(Kind::Sqlite(Path::new(path).to_owned())))
    }

    /// Opens the records there.
    ///
    /// # Errors
    /// When they cannot be opened.
    pub async fn open(self) -> Result<Arc<dyn Records>> {
        Ok(match self.0 {
            Kind::Sqlite(path) => Arc::new(SqliteRecords::open(&path).await?),
            Kind::Postgres(options) => Arc::new(PostgresRecords::open(*options).await?),
        })
    }
}

/// Opens the records at an address, see [`DatabaseUrl::parse`].
///
/// # Errors
/// When the address is not valid (it is never repeated in the message, since it may hold a password), or the records
/// cannot be opened.
pub async fn connect(url: &str) -> Result<Arc<dyn Records>> {
    let url = DatabaseUrl::parse(url).map_err(|why| RecordsError::new(format!("their address {why}")))?;
    url.open().await
}
