//! People's own rights: to be told what is held about them, and to be forgotten.

pub mod export;

mod erasing;

pub use self::erasing::{Erasing, begin_erasure};
