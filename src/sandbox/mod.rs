//! What makes Kiungo work on a laptop with no account anywhere: stand-ins for what is not ours, and phones.
//!
//! Nothing here is called by the product: the real clients talk to a stand-in over real HTTP, as they would to the
//! original, and the phones call the same callbacks as an aggregator.

pub mod mono;
pub mod phone;
