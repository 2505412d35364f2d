//! Runs the effects of a step of the conversation.

mod opening;
pub mod runner;
mod submission;
