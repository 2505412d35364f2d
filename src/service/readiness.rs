//! Whether this node can serve.

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::callbacks::Readiness;
use super::deps::Deps;

pub struct ReadinessChecks {
    pub deps: Deps,
    /// Cancelled when the node is going down: it says so before it stops listening.
    pub stop: CancellationToken,
}

#[async_trait]
impl Readiness for ReadinessChecks {
    async fn checks(&self) -> Vec<(&'static str, Option<String>)> {
        let (store, records) = tokio::join!(self.deps.store.ready(), self.deps.records.check_ready());
        let stopping = self.stop.is_cancelled().then(|| "going down".to_owned());
        vec![
            ("store", store.err().map(|error| error.to_string())),
            ("records", records.err().map(|error| error.to_string())),
            ("node", stopping),
        ]
    }
}
