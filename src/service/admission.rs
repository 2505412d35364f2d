//! Who may call: the channel's secret, and the networks its gateway calls from.

use std::net::IpAddr;
use std::sync::Arc;

use subtle::ConstantTimeEq;

use super::Channel;

/// The channel with this name, if the caller knows its secret and calls from where its gateway does.
pub(super) fn admit(
    channels: &[Arc<Channel>],
    name: &str,
    secret: &str,
    caller: Option<IpAddr>,
) -> Option<Arc<Channel>> {
    let channel = channels.iter().find(|channel| channel.name == name);
    // The comparison is made whether or not the channel exists, so that its time tells nothing.
    let expected = channel.map_or("", |channel| channel.secret.expose());
    let same: bool = expected.as_bytes().ct_eq(secret.as_bytes()).into();
    let channel = channel.filter(|_| same && !secret.is_empty())?;
    let welcome = channel.sources.is_empty() || caller.is_some_and(|caller| channel.sources.contains(caller));
    if !welcome {
        // Either the operator's list or proxies are not right, or somebody has the secret: both must be seen.
        let caller = caller.map_or("unknown".to_owned(), |caller| caller.to_string());
        tracing::warn!(
            channel = channel.name,
            caller,
            "the secret came from outside the channel's sources"
        );
    }
    welcome.then(|| channel.clone())
}
