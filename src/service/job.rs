//! What a job is: a type that names its rows ([`JobType`]), a handler that runs them, and how one run ends.
//!
//! Declaring a job takes one file, with its type and its handler, and one line in `service/job_list.rs`.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::providers::ProviderCallError;
use crate::core::seal::SealError;
use crate::providers::ProviderError;
use crate::records::{JobType, RecordsError};
use crate::store::StoreError;

/// How one run of a job ended. Reasons are stable words of ours: they are kept in the job's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobOutcome {
    Done,
    /// Run it again after the backoff.
    Retry(&'static str),
    /// Run it again after the backoff, and not before this pause, where one is asked for.
    RetryAfter(&'static str, Option<Duration>),
    /// Run it again after exactly this pause.
    RetryIn(&'static str, Duration),
    /// It can never be done.
    GiveUp(&'static str),
}

/// Why a job is to be run again.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    #[error(transparent)]
    Records(#[from] RecordsError),
    #[error(transparent)]
    Call(#[from] ProviderCallError),
    #[error(transparent)]
    Store(StoreError),
    #[error("a sealed field does not open")]
    Sealed,
    #[error("somebody else has gone on with it")]
    Overtaken,
}

impl JobError {
    /// Whether the provider says that asking again will not help.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Call(ProviderCallError::ConsentEnded) => true,
            Self::Call(ProviderCallError::Provider(error)) => !error.retryable(),
            _ => false,
        }
    }

    /// The word that is kept in the job's row.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Records(_) => "records",
            Self::Call(_) => "provider",
            Self::Store(_) => "store",
            Self::Sealed => "sealed",
            Self::Overtaken => "overtaken",
        }
    }
}

impl From<SealError> for JobError {
    fn from(_: SealError) -> Self {
        Self::Sealed
    }
}

impl From<ProviderError> for JobError {
    fn from(error: ProviderError) -> Self {
        Self::Call(ProviderCallError::Provider(error))
    }
}

/// Runs jobs of one type. Every run may be the second: the node before may have died after any step.
#[async_trait]
pub trait JobHandler<J: JobType>: Send + Sync {
    /// Whether it is never given up, because somebody has a right to it.
    const ENDLESS: bool = false;
    /// Whether it takes one of the runner's slots. What waits for a gateway has a limit of its own instead.
    const TAKES_SLOT: bool = true;

    /// # Errors
    /// When it is to be run again.
    async fn run(&self, subject: J::Subject) -> Result<JobOutcome, JobError>;

    /// What follows when nobody will run it again.
    ///
    /// # Errors
    /// When the records are not available.
    async fn on_given_up(&self, _subject: J::Subject) -> Result<(), RecordsError> {
        Ok(())
    }
}

/// One registered type with its handler, as the runner sees it.
pub struct RegisteredJob {
    pub name: &'static str,
    pub endless: bool,
    pub takes_slot: bool,
    handler: Box<dyn ErasedHandler>,
}

impl RegisteredJob {
    /// # Errors
    /// See [`JobHandler::run`].
    pub async fn run(&self, subject: [u8; 16]) -> Result<JobOutcome, JobError> {
        self.handler.run(subject).await
    }

    /// The subject's id as it is written in audit entries.
    pub fn subject_text(&self, subject: [u8; 16]) -> String {
        self.handler.subject_text(subject)
    }

    /// # Errors
    /// See [`JobHandler::on_given_up`].
    pub async fn on_given_up(&self, subject: [u8; 16]) -> Result<(), RecordsError> {
        self.handler.on_given_up(subject).await
    }
}

/// All types that this process runs.
#[derive(Default)]
pub struct JobSet(BTreeMap<&'static str, RegisteredJob>);

impl JobSet {
    /// Adds a type and who runs it.
    #[must_use]
    pub fn with<J: JobType, H: JobHandler<J> + 'static>(mut self, handler: &Arc<H>) -> Self {
        let registered = RegisteredJob {
            name: J::NAME,
            endless: H::ENDLESS,
            takes_slot: H::TAKES_SLOT,
            handler: Box::new(Typed::<J, H>(handler.clone(), PhantomData)),
        };
        self.0.insert(J::NAME, registered);
        self
    }

    pub fn get(&self, name: &str) -> Option<&RegisteredJob> {
        self.0.get(name)
    }

    /// The names of all types, for the records: jobs of other types are left alone.
    pub fn names(&self) -> Vec<&'static str> {
        self.0.keys().copied().collect()
    }
}

/// A handler without its types.
#[async_trait]
trait ErasedHandler: Send + Sync {
    async fn run(&self, subject: [u8; 16]) -> Result<JobOutcome, JobError>;
    async fn on_given_up(&self, subject: [u8; 16]) -> Result<(), RecordsError>;
    fn subject_text(&self, subject: [u8; 16]) -> String;
}

struct Typed<J, H>(Arc<H>, PhantomData<fn() -> J>);

#[async_trait]
impl<J: JobType, H: JobHandler<J>> ErasedHandler for Typed<J, H> {
    async fn run(&self, subject: [u8; 16]) -> Result<JobOutcome, JobError> {
        self.0.run(subject.into()).await
    }

    async fn on_given_up(&self, subject: [u8; 16]) -> Result<(), RecordsError> {
        self.0.on_given_up(subject.into()).await
    }

    fn subject_text(&self, subject: [u8; 16]) -> String {
        J::Subject::from(subject).to_string()
    }
}
