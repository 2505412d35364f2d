//! Who may call, and how often.
//!
//! A gateway is admitted to a channel by the channel's secret, and only from the channel's sources. Each turn then takes a
//! token of its channel and one of the node, before anything is read. When tokens run short, people who go on with a dialog
//! come before those who begin one: a part of every bucket is a reserve that a new dialog must leave. The tokens of a
//! person are in the person's own value. So a node keeps one bucket for each channel and one for itself, however many
//! people call.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use subtle::ConstantTimeEq;

use super::channel::Channel;
use crate::core::time::Timestamp;
use crate::core::token_bucket::{RateLimit, TokenBucket};

/// One part in so many of a burst is reserved for people who are in a dialog already.
const RESERVE: u32 = 4;

/// How many turns are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TurnRates {
    /// By this node.
    pub node: RateLimit,
    /// By this node on one channel.
    pub channel: RateLimit,
    /// Of one person, on all nodes.
    pub person: RateLimit,
}

/// Limits the turns of this node.
pub struct TurnLimiter {
    rates: TurnRates,
    buckets: Mutex<TurnBuckets>,
}

struct TurnBuckets {
    node: TokenBucket,
    channels: BTreeMap<String, TokenBucket>,
}

impl TurnLimiter {
    pub fn new(rates: TurnRates, channels: &[Arc<Channel>]) -> Self {
        let channels = channels
            .iter()
            .map(|channel| (channel.name.clone(), TokenBucket::default()));
        Self {
            rates,
            buckets: Mutex::new(TurnBuckets {
                node: TokenBucket::default(),
                channels: channels.collect(),
            }),
        }
    }

    /// Whether a turn on this channel may be served now; `new` when it begins a dialog.
    pub(super) fn try_admit(&self, channel: &Channel, new: bool, now: Timestamp) -> bool {
        let TurnRates { node, channel: of, .. } = self.rates;
        let reserve = |rate: RateLimit| if new { rate.burst / RESERVE } else { 0 };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let before = buckets.node;
        if !buckets.node.try_take(node, reserve(node), now) {
            return false;
        }
        let passes = buckets
            .channels
            .get_mut(&channel.name)
            .is_none_or(|bucket| bucket.try_take(of, reserve(of), now));
        if !passes {
            // A turn refused because of its channel costs the other channels nothing.
            buckets.node = before;
        }
        passes
    }

    /// How many turns one person may take.
    pub(super) fn subscriber_rate(&self) -> RateLimit {
        self.rates.person
    }
}

/// The channel with this name, if the caller knows its secret and calls from where its gateway does.
pub(super) fn authenticate_channel(
    channels: &[Arc<Channel>],
    name: &str,
    secret: &str,
    caller: Option<IpAddr>,
) -> Option<Arc<Channel>> {
    let channel = channels.iter().find(|channel| channel.name == name);
    // The comparison is made whether or not the channel exists, so that its duration reveals nothing.
    let expected = channel.map_or("", |channel| channel.secret.expose());
    let same: bool = expected.as_bytes().ct_eq(secret.as_bytes()).into();
    let channel = channel.filter(|_| same && !secret.is_empty())?;
    let welcome = channel.sources.is_empty() || caller.is_some_and(|caller| channel.sources.contains(caller));
    if !welcome {
        // Either the list of sources or of proxies is wrong, or somebody has the secret: the operator must see both.
        let caller = caller.map_or("unknown".to_owned(), |caller| caller.to_string());
        tracing::warn!(
            channel = channel.name,
            caller,
            "right secret from outside the channel's sources"
        );
    }
    welcome.then(|| channel.clone())
}
