//! Providers, each against what its API is known to say.

mod conformance;
mod http_client;
mod mono;
mod mono_failures;
mod mono_garbage;
mod mono_reads;
mod mono_replies;
mod mono_uncoded;
mod mono_webhooks;
