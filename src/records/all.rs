//! Everything that records can do, under one name.

use super::{
    AccessRecords, AttemptRecords, BankWishRecords, EntityRecords, EventRecords, IntentRecords, JobRecords,
    LinkRecords, MessageRecords, OutcomeRecords, PartnerRecords, PeopleRecords, PinRecords, RepeatRecords,
    RequestRecords, RoleRecords, SealedRecords, UpkeepRecords, UserRecords,
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
    BankWishRecords,
    EntityRecords,
    EventRecords,
    IntentRecords,
    JobRecords,
    LinkRecords,
    MessageRecords,
    OutcomeRecords,
    PartnerRecords,
    PeopleRecords,
    PinRecords,
    RepeatRecords,
    RequestRecords,
    RoleRecords,
    SealedRecords,
    UpkeepRecords,
    UserRecords,
);
