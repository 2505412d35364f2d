//! What happens: turns, attempts, jobs, linking. Names traits, never an implementation.
//!
//! This file and the `mod.rs` of every folder below only declare. No file imports one that imports it, directly or through
//! others: what everybody names (`deps.rs`, `job.rs`, `callbacks.rs`, `channel.rs`) imports nobody above it.

pub mod admission;
pub mod bank_alerts;
pub mod callbacks;
pub mod catalogue;
pub mod channel;
pub mod consent_end;
pub mod data_subject;
pub mod database_clock;
pub mod deps;
pub mod effects;
pub mod facts_reader;
pub mod flow_in_force;
pub mod handover;
pub mod handover_queue;
pub mod institution_health;
pub mod intent_expiry;
pub mod job;
mod job_lanes;
pub mod job_list;
pub mod job_runner;
pub mod linking;
pub mod live;
pub mod metrics;
pub mod networks;
pub mod page_links;
pub mod pages;
pub mod partners;
pub mod provider_access;
pub mod provider_webhooks;
pub mod providers;
pub mod readiness;
pub mod reminders;
pub mod resealing;
pub mod retention;
pub mod sealing;
mod seen_revisions;
pub mod session_updater;
pub mod sms;
pub mod sms_inbox;
pub mod sms_responder;
pub mod sms_sending;
pub mod strangers;
mod told;
pub mod turn;
pub mod ussd_binds;
pub mod wakeups;
pub mod webhooks;
