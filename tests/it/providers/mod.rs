//! Providers, each against the known behaviour of its API.

mod conformance;
mod conformance_browser;
mod conformance_common;
mod conformance_elsewhere;
mod conformance_invented;
mod conformance_keypad;
mod conformance_mono;
mod conformance_player;
#[cfg(feature = "sandbox")]
mod conformance_sandbox;
mod http_client;
mod mono;
mod mono_failures;
mod mono_garbage;
mod mono_people;
mod mono_reads;
mod mono_replies;
mod mono_sparse;
mod mono_uncoded;
mod mono_webhooks;

use kiungo::core::secret::Secret;

/// Field names and answers, as in a submission.
fn typed(answers: &[(&str, &str)]) -> Vec<(String, Secret)> {
    let typed = answers.iter();
    typed
        .map(|(name, value)| ((*name).to_owned(), Secret::new(*value)))
        .collect()
}
