//! Connections that gateways want kept open: one task for each such channel, on one node at a time.
//!
//! The lease is in the records, so that two nodes never both answer for a short code, and another node takes over when the
//! holder dies (its lease ends) or drains (it lets go). The holder extends its lease long before the end; if it cannot, it
//! stops before anybody else may begin.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::channel::Channel;
use super::deps::Deps;
use super::turn::TurnRunner;
use super::turn::ussd::ChannelTurns;

/// How long a node that died keeps others from taking over.
const LEASE: Duration = Duration::from_secs(30);
/// How often the holder extends its lease, and how often the others ask for it.
const RENEW_EVERY: Duration = Duration::from_secs(8);
/// What is under way when a connection is closed gets this long: the longest turn, and the way back.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(6);

/// Keeps one channel's connection.
pub struct BindKeeper {
    pub deps: Deps,
    pub turns: Arc<TurnRunner>,
    pub channel: Arc<Channel>,
    /// How often to look at the lease; tests look more often.
    pub every: Duration,
}

impl BindKeeper {
    /// One for each channel whose gateway wants a connection.
    pub fn for_channels(turns: &Arc<TurnRunner>) -> Vec<Self> {
        let bound = turns.channels.iter().filter(|channel| channel.abilities().binds);
        bound
            .map(|channel| Self {
                deps: turns.runtime.clone(),
                turns: turns.clone(),
                channel: channel.clone(),
                every: RENEW_EVERY,
            })
            .collect()
    }

    fn lease(&self) -> String {
        format!("bind:{}", self.channel.name)
    }

    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if self.take().await {
                self.hold(&stop).await;
            }
            self.pause(&stop).await;
        }
    }

    async fn pause(&self, stop: &CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(self.every) => {}
        }
    }

    /// Whether this node holds the lease now.
    async fn take(&self) -> bool {
        let now = self.deps.clock.now();
        let records = &self.deps.records;
        match records
            .take_lease(&self.lease(), self.deps.node, now, now.plus(LEASE))
            .await
        {
            Ok(held) => held,
            Err(error) => {
                tracing::warn!(channel = self.channel.name, %error, "lease of a connection not taken");
                false
            }
        }
    }

    /// Keeps the connection for as long as this node holds the lease.
    async fn hold(&self, stop: &CancellationToken) {
        let Some(carrier) = self.channel.gateway.carrier() else {
            return;
        };
        tracing::info!(
            channel = self.channel.name,
            "connection to the gateway is kept by this node"
        );
        let close = stop.child_token();
        let turns = Arc::new(ChannelTurns {
            turns: self.turns.clone(),
            channel: self.channel.clone(),
        });
        let mut running = std::pin::pin!(carrier.run(turns, close.clone()));
        let ended = tokio::select! {
            () = &mut running => true,
            () = self.renew(stop) => false,
        };
        close.cancel();
        if !ended && tokio::time::timeout(CLOSE_TIMEOUT, running).await.is_err() {
            tracing::warn!(
                channel = self.channel.name,
                "connection to the gateway cut while it was closing"
            );
        }
        if let Err(error) = self.deps.records.release_lease(&self.lease(), self.deps.node).await {
            tracing::warn!(channel = self.channel.name, %error, "lease of a connection not released");
        }
        tracing::info!(
            channel = self.channel.name,
            "connection to the gateway is no longer kept by this node"
        );
    }

    /// Extends the lease until that fails or the node stops. A failure leaves time to close the connection before the lease
    /// ends.
    async fn renew(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            self.pause(stop).await;
            if stop.is_cancelled() || !self.take().await {
                return;
            }
        }
    }
}
