//! The stand-ins do what they promise.

mod mono_standin;
