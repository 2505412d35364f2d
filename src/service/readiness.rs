//! Whether this node can serve.

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::Readiness;
use crate::records::Records;
use crate::store::Store;

/// Looks at what every turn needs.
pub struct ReadinessChecks {
    /// Live values.
    pub store: Arc<dyn Store>,
    /// Durable truth.
    pub records: Arc<dyn Records>,
    /// Cancelled when the node is going down: it says so before it stops listening.
    pub stop: CancellationToken,
}

#[async_trait]
impl Readiness for ReadinessChecks {
    async fn checks(&self) -> Vec<(&'static str, Option<String>)> {
        let (store, records) = tokio::join!(self.store.ready(), self.records.check_ready());
        let stopping = self.stop.is_cancelled().then(|| "going down".to_owned());
        vec![
            ("store", store.err().map(|error| error.to_string())),
            ("records", records.err().map(|error| error.to_string())),
            ("node", stopping),
        ]
    }
}
