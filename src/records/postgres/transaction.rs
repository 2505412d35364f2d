//! A transaction, and the connection it runs on.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{Executor as _, Postgres};

/// A transaction under way. Dropped before it was committed, it takes its connection with it: anyone who went away in the
/// middle may have left it waiting for an answer, or inside a transaction that the pool knows nothing of, and what the
/// next user of such a connection writes would be lost.
pub(super) struct PgTransaction {
    connection: PoolConnection<Postgres>,
    open: bool,
}

impl PgTransaction {
    /// Begins a transaction with this statement.
    pub(super) async fn begin(pool: &PgPool, statement: &'static str) -> sqlx::Result<Self> {
        let mut transaction = Self {
            connection: pool.acquire().await?,
            open: true,
        };
        transaction.execute(statement).await?;
        Ok(transaction)
    }

    /// Ends it: what it wrote is there, for good.
    pub(super) async fn commit(mut self) -> sqlx::Result<()> {
        self.execute("COMMIT").await?;
        self.open = false;
        Ok(())
    }
}

impl Deref for PgTransaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for PgTransaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Drop for PgTransaction {
    fn drop(&mut self) {
        if self.open {
            self.connection.close_on_drop();
        }
    }
}
