//! Live values: load, open, change, seal, compare-and-set.
//!
//! A value is bound to its subscriber and to its version, so neither another person's blob nor another version's opens in
//! its place.

use std::sync::Arc;
use std::time::Duration;

use super::sealing::wiped_json;
use crate::core::flow::state::Subscriber;
use crate::core::seal::{Keyring, SealContext, SealError, SubscriberTag};
use crate::core::time::Rng;
use crate::store::{Store, StoreError, SwapResult, Version, VersionedValue, swap_or_confirm};

/// How long a value lives after its last change: sessions may be continued for a day.
const TTL: Duration = Duration::from_hours(24);

/// As short as a store can let a value live.
const GONE: Duration = Duration::from_millis(1);

/// How often a change is tried again when somebody else wrote in between.
const MAX_ROUNDS: usize = 16;

#[derive(Clone)]
pub struct LiveValues {
    store: Arc<dyn Store>,
    keyring: Arc<Keyring>,
    rng: Arc<dyn Rng>,
}

pub struct LoadedSubscriber {
    /// Which write it was; `None` when there is no value.
    pub version: Option<Version>,
    pub value: LoadedValue,
}

pub enum LoadedValue {
    Nothing,
    Subscriber(Box<Subscriber>),
    /// Something that does not open here: altered, moved, or sealed under a key we do not have.
    Unreadable(SealError),
}

/// Why a change was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the value kept changing")]
    Contended,
    #[error("the value could not be sealed")]
    Seal,
}

impl LiveValues {
    pub fn new(store: Arc<dyn Store>, keyring: Arc<Keyring>, rng: Arc<dyn Rng>) -> Self {
        Self { store, keyring, rng }
    }

    /// Reads a subscriber's value.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn load(&self, tag: &SubscriberTag) -> Result<LoadedSubscriber, StoreError> {
        let Some(VersionedValue { version, bytes }) = self.store.load(tag).await? else {
            return Ok(LoadedSubscriber {
                version: None,
                value: LoadedValue::Nothing,
            });
        };
        let found = match self.keyring.open(&seal_context(tag, &version.0.to_be_bytes()), &bytes) {
            Ok(plain) => serde_json::from_slice(&plain).map_or(LoadedValue::Unreadable(SealError::Broken), |state| {
                LoadedValue::Subscriber(Box::new(state))
            }),
            Err(error) => LoadedValue::Unreadable(error),
        };
        Ok(LoadedSubscriber {
            version: Some(version),
            value: found,
        })
    }

    /// Writes a value if the one that was loaded is still there. Returns whether it was.
    ///
    /// # Errors
    /// When the store is not available and it cannot be told whether the value was written.
    pub async fn swap(
        &self,
        tag: &SubscriberTag,
        expected: Option<Version>,
        state: &Subscriber,
    ) -> Result<bool, LiveError> {
        let mut version = [0; 8];
        self.rng.fill(&mut version);
        let plain = wiped_json(state).map_err(|_| LiveError::Seal)?;
        let bytes = self
            .keyring
            .seal(&seal_context(tag, &version), &plain, self.rng.as_ref())
            .map_err(|_| LiveError::Seal)?;
        let next = VersionedValue {
            version: Version(u64::from_be_bytes(version)),
            bytes,
        };
        Ok(swap_or_confirm(self.store.as_ref(), tag, expected, &next, TTL).await? == SwapResult::Won)
    }

    /// Changes a subscriber's value: `change` is given the present state, as often as somebody else writes in between, and
    /// returns `None` when there is nothing to change. No-op when the subscriber has no value.
    ///
    /// # Errors
    /// When the store is not available or others keep writing.
    pub async fn update<T>(
        &self,
        tag: &SubscriberTag,
        mut change: impl FnMut(&mut Subscriber) -> Option<T>,
    ) -> Result<Option<T>, LiveError> {
        for _ in 0..MAX_ROUNDS {
            let loaded = self.load(tag).await?;
            let LoadedValue::Subscriber(mut state) = loaded.value else {
                return Ok(None);
            };
            let Some(done) = change(&mut state) else {
                return Ok(None);
            };
            if self.swap(tag, loaded.version, &state).await? {
                return Ok(Some(done));
            }
        }
        Err(LiveError::Contended)
    }

    /// Removes a subscriber's value, even if others write in between: nothing of it can be read any more. Their next turn
    /// finds nothing, as after a day.
    ///
    /// # Errors
    /// When the store is not available or others keep writing.
    pub async fn remove(&self, tag: &SubscriberTag) -> Result<(), LiveError> {
        for _ in 0..MAX_ROUNDS {
            let Some(present) = self.store.load(tag).await? else {
                return Ok(());
            };
            let mut version = [0; 8];
            self.rng.fill(&mut version);
            let nothing = VersionedValue {
                version: Version(u64::from_be_bytes(version)),
                bytes: Vec::new(),
            };
            if swap_or_confirm(self.store.as_ref(), tag, Some(present.version), &nothing, GONE).await?
                == SwapResult::Won
            {
                return Ok(());
            }
        }
        Err(LiveError::Contended)
    }
}

fn seal_context<'a>(tag: &'a SubscriberTag, version: &'a [u8]) -> SealContext<'a> {
    SealContext {
        purpose: "live",
        subject: tag.as_bytes(),
        record: version,
        field: "subscriber",
    }
}
