//! Live values: load, open, change, seal, compare-and-set.
//!
//! A value is bound to its subscriber and to its version, so neither another person's blob nor another version's opens in
//! its place.

use std::sync::Arc;
use std::time::Duration;

use super::seen_revisions::SeenRevisions;
use crate::core::flow::forget::Remainder;
use crate::core::flow::state::Subscriber;
use crate::core::flow::stored;
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
    seen: Arc<SeenRevisions>,
}

pub struct LoadedSubscriber {
    /// Which write it was; `None` when there is no value.
    pub version: Option<Version>,
    pub value: LoadedValue,
    /// The highest revision that this process has seen of it.
    seen: u64,
}

impl LoadedSubscriber {
    /// Whether this process has seen a newer value: the store has lost writes, or somebody has put an old one back.
    pub fn is_rolled_back(&self) -> bool {
        matches!(&self.value, LoadedValue::Subscriber(state) if state.revision < self.seen)
    }
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
        Self {
            store,
            keyring,
            rng,
            seen: Arc::default(),
        }
    }

    /// Reads a subscriber's value.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn load(&self, tag: &SubscriberTag) -> Result<LoadedSubscriber, StoreError> {
        // Before the value is read: what is written meanwhile makes it no older.
        let seen = self.seen.highest(tag);
        let Some(VersionedValue { version, bytes }) = self.store.load(tag).await? else {
            return Ok(LoadedSubscriber {
                version: None,
                value: LoadedValue::Nothing,
                seen,
            });
        };
        let found = match self.keyring.open(&seal_context(tag, &version.0.to_be_bytes()), &bytes) {
            Ok(plain) => match stored::decode(&plain) {
                Ok(state) => LoadedValue::Subscriber(state),
                Err(stored::FormatError) => LoadedValue::Unreadable(SealError::Broken),
            },
            Err(error) => LoadedValue::Unreadable(error),
        };
        if let LoadedValue::Subscriber(state) = &found {
            self.seen.note(tag, state.revision);
        }
        Ok(LoadedSubscriber {
            version: Some(version),
            value: found,
            seen,
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
        self.write(tag, expected, state, state.revision + 1).await
    }

    async fn write(
        &self,
        tag: &SubscriberTag,
        expected: Option<Version>,
        state: &Subscriber,
        revision: u64,
    ) -> Result<bool, LiveError> {
        let mut version = [0; 8];
        self.rng.fill(&mut version);
        let plain = stored::encode(state, revision).map_err(|_| LiveError::Seal)?;
        let bytes = self
            .keyring
            .seal(&seal_context(tag, &version), &plain, self.rng.as_ref())
            .map_err(|_| LiveError::Seal)?;
        let next = VersionedValue {
            version: Version(u64::from_be_bytes(version)),
            bytes,
        };
        let won = swap_or_confirm(self.store.as_ref(), tag, expected, &next, TTL).await? == SwapResult::Won;
        if won {
            self.seen.note(tag, revision);
        }
        Ok(won)
    }

    /// What was typed is not taken as an answer to an older screen: from the next write on the value is no older than others.
    pub fn raise_revision(&self, tag: &SubscriberTag, state: &mut Subscriber) {
        state.revision = state.revision.max(self.seen.highest(tag));
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
            // However many events meet an old value, it stays older than what was seen, until a turn has seen to it.
            let step = u64::from(!loaded.is_rolled_back());
            let LoadedValue::Subscriber(mut state) = loaded.value else {
                return Ok(None);
            };
            let Some(done) = change(&mut state) else {
                return Ok(None);
            };
            let revision = state.revision + step;
            if self.write(tag, loaded.version, &state, revision).await? {
                return Ok(Some(done));
            }
        }
        Err(LiveError::Contended)
    }

    /// Takes out of a subscriber's value what `change` takes out, even if others write in between, and removes what nothing is
    /// left of: nothing of it can be read any more, and their next turn finds nothing, as after a day. So is one that does not
    /// open.
    ///
    /// # Errors
    /// When the store is not available or others keep writing.
    pub async fn prune(
        &self,
        tag: &SubscriberTag,
        mut change: impl FnMut(&mut Subscriber) -> Remainder,
    ) -> Result<(), LiveError> {
        for _ in 0..MAX_ROUNDS {
            let LoadedSubscriber { version, value, .. } = self.load(tag).await?;
            let Some(present) = version else {
                return Ok(());
            };
            let written = match value {
                LoadedValue::Subscriber(mut state) => match change(&mut state) {
                    Remainder::Untouched => return Ok(()),
                    Remainder::Others => self.swap(tag, version, &state).await?,
                    Remainder::Nothing => self.remove(tag, present).await?,
                },
                LoadedValue::Nothing | LoadedValue::Unreadable(_) => self.remove(tag, present).await?,
            };
            if written {
                return Ok(());
            }
        }
        Err(LiveError::Contended)
    }

    /// Removes a value if it is still this one. Returns whether it was.
    async fn remove(&self, tag: &SubscriberTag, present: Version) -> Result<bool, LiveError> {
        let mut version = [0; 8];
        self.rng.fill(&mut version);
        let nothing = VersionedValue {
            version: Version(u64::from_be_bytes(version)),
            bytes: Vec::new(),
        };
        let swapped = swap_or_confirm(self.store.as_ref(), tag, Some(present), &nothing, GONE).await?;
        let won = swapped == SwapResult::Won;
        if won {
            self.seen.forget(tag);
        }
        Ok(won)
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
