//! From a grant to a durable link, and from silence to the truth.
//!
//! Everything here may run twice: what a grant was exchanged for is stored at once, and where that was lost, exchanging it
//! again finds it used and looks the account up instead; a link is written once per attempt, unlinking what is gone is done. "Linked" is said only after the row is there.

pub mod advance;
pub mod confirm_unlinked;
pub mod exchanged;
mod foreign;
pub mod linker;
pub mod page_text;
pub mod read_accounts;
pub mod redeem;
mod rejection;
mod renewal;
mod rows;
mod search;
pub mod settle;
pub mod unlink;
mod verification;
