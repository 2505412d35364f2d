//! The sandbox's phones, in front of a callback with a fixed menu.

mod mishaps;
mod page;
mod pictures;
mod script;
mod terminal;
