//! Runs the effects of a step of the conversation.

mod opening;
mod rows;
pub mod runner;
mod submission;
