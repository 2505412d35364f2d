//! Everything that records can do, under one name.

use super::{
    AccessRecords, AttemptRecords, BankAlertRecords, DataSubjectRecords, EntityRecords, EventRecords,
    IdempotencyRecords, IntentRecords, JobRecords, LinkRecords, LinkViewRecords, MessageRecords, PartnerRecords,
    PinRecords, RequestRecords, RoleRecords, SealedRecords, UpkeepRecords, UserRecords,
};

/// Gives one name to several traits, each once.
macro_rules! all {
    ($($part:ident),+ $(,)?) => {
        /// All of it.
        pub trait Records: $($part +)+ Send + Sync {}

        impl<T: $($part +)+ Send + Sync> Records for T {}
    };
}

all!(
    AccessRecords,
    AttemptRecords,
    BankAlertRecords,
    EntityRecords,
    EventRecords,
    IntentRecords,
    JobRecords,
    LinkRecords,
    MessageRecords,
    LinkViewRecords,
    PartnerRecords,
    DataSubjectRecords,
    PinRecords,
    IdempotencyRecords,
    RequestRecords,
    RoleRecords,
    SealedRecords,
    UpkeepRecords,
    UserRecords,
);
