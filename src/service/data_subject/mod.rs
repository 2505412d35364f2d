//! People's own rights: to be told what is held about them, and to be forgotten.

pub mod export;

mod erasure;

pub use self::erasure::{Eraser, begin_erasure};
