//! What makes Kiungo work on a laptop with no account anywhere: stand-ins and phones.

pub mod phone;
