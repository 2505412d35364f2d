//! The Mono stand-in answers as documented, and every switch does what it says.

mod calls;
mod linking;
mod switches;
mod webhooks;
