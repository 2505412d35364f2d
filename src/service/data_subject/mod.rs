//! Data subjects' rights: access to what is held about them, and erasure.

pub mod export;

mod erasure;

pub use self::erasure::{Erase, Eraser, begin_erasure};
