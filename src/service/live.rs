//! Live values: load, open, change, seal, compare-and-set.
//!
//! A value is bound to its subscriber and to its version, so neither another person's blob nor another version's opens in
//! its place.

use std::sync::Arc;
use std::time::Duration;

use super::sealing::json;
use crate::core::flow::state::Subscriber;
use crate::core::seal::{Keyring, Place, SealError, Tag};
use crate::core::time::Entropy;
use crate::store::{Store, StoreError, Stored, Swap, Version, swap_settled};

/// How long a value lives after its last change: sessions may be continued for a day.
const TTL: Duration = Duration::from_hours(24);

/// As short as a store can let a value live.
const GONE: Duration = Duration::from_millis(1);

/// How often a change is tried again when somebody else wrote in between.
const ROUNDS: usize = 16;

/// Live values of subscribers.
#[derive(Clone)]
pub struct Live {
    store: Arc<dyn Store>,
    keyring: Arc<Keyring>,
    entropy: Arc<dyn Entropy>,
}

/// A value as it was found.
pub struct Loaded {
    /// Which write it was; `None` when there was none.
    pub version: Option<Version>,
    /// What it held.
    pub found: Found,
}

/// What a key held.
pub enum Found {
    /// Nothing.
    Nothing,
    /// A subscriber.
    Subscriber(Box<Subscriber>),
    /// Something that does not open here: altered, moved, or sealed under a key we do not have.
    Broken(SealError),
}

/// Why a change was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    /// The store is not available.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Others kept writing in between.
    #[error("the value kept changing")]
    Contended,
    /// The value could not be sealed.
    #[error("the value could not be sealed")]
    Seal,
}

impl Live {
    /// Live values in this store, sealed under this ring.
    pub fn new(store: Arc<dyn Store>, keyring: Arc<Keyring>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            store,
            keyring,
            entropy,
        }
    }

    /// Reads a subscriber's value.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn load(&self, tag: &Tag) -> Result<Loaded, StoreError> {
        let Some(Stored { version, bytes }) = self.store.load(tag).await? else {
            return Ok(Loaded {
                version: None,
                found: Found::Nothing,
            });
        };
        let found = match self.keyring.open(&place(tag, &version.0.to_be_bytes()), &bytes) {
            Ok(plain) => serde_json::from_slice(&plain).map_or(Found::Broken(SealError::Broken), |state| {
                Found::Subscriber(Box::new(state))
            }),
            Err(error) => Found::Broken(error),
        };
        Ok(Loaded {
            version: Some(version),
            found,
        })
    }

    /// Writes a value if the one that was loaded is still there. Says whether it was.
    ///
    /// # Errors
    /// When the store is not available and it cannot be told whether the value was written.
    pub async fn swap(&self, tag: &Tag, expected: Option<Version>, state: &Subscriber) -> Result<bool, LiveError> {
        let mut version = [0; 8];
        self.entropy.fill(&mut version);
        let plain = json(state).map_err(|_| LiveError::Seal)?;
        let bytes = self
            .keyring
            .seal(&place(tag, &version), &plain, self.entropy.as_ref())
            .map_err(|_| LiveError::Seal)?;
        let next = Stored {
            version: Version(u64::from_be_bytes(version)),
            bytes,
        };
        Ok(swap_settled(self.store.as_ref(), tag, expected, &next, TTL).await? == Swap::Won)
    }

    /// Changes a subscriber's value: `change` is given the present state, as often as somebody else writes in between, and
    /// says with `None` that there is nothing to change. Nobody of that tag: nothing happens.
    ///
    /// # Errors
    /// When the store is not available or others keep writing.
    pub async fn change<T>(
        &self,
        tag: &Tag,
        mut change: impl FnMut(&mut Subscriber) -> Option<T>,
    ) -> Result<Option<T>, LiveError> {
        for _ in 0..ROUNDS {
            let loaded = self.load(tag).await?;
            let Found::Subscriber(mut state) = loaded.found else {
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

    /// Removes a subscriber's value, whoever else writes in between: nothing of it can be read any more. Their next turn
    /// finds nothing, as after a day.
    ///
    /// # Errors
    /// When the store is not available or others keep writing.
    pub async fn remove(&self, tag: &Tag) -> Result<(), LiveError> {
        for _ in 0..ROUNDS {
            let Some(present) = self.store.load(tag).await? else {
                return Ok(());
            };
            let mut version = [0; 8];
            self.entropy.fill(&mut version);
            let nothing = Stored {
                version: Version(u64::from_be_bytes(version)),
                bytes: Vec::new(),
            };
            if swap_settled(self.store.as_ref(), tag, Some(present.version), &nothing, GONE).await? == Swap::Won {
                return Ok(());
            }
        }
        Err(LiveError::Contended)
    }
}

fn place<'a>(tag: &'a Tag, version: &'a [u8]) -> Place<'a> {
    Place {
        purpose: "live",
        subject: tag.as_bytes(),
        record: version,
        field: "subscriber",
    }
}
