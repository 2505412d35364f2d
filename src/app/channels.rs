//! What an operator does with one channel from the command line: set-up calls at its gateway, and dialogs that begin with us.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::assemble::turns_only;
use super::{StartError, StartOptions, open_deps};
use crate::ambient::{OsRng, SystemClock};
use crate::config::{ChannelConfig, Config, StoreConfig};
use crate::core::msisdn::Msisdn;
use crate::gateways::ussd_carrier::{CarrierError, Subscription, SubscriptionCommand};
use crate::http_client::{HttpClient, HttpClientError, HttpClientOptions};
use crate::service::database_clock::DatabaseClock;

/// Why nothing was done with a channel.
#[derive(Debug, thiserror::Error)]
pub enum ChannelCommandError {
    #[error("there is no channel {0:?}; `kiungo channels list` prints their names")]
    UnknownChannel(String),
    #[error("that is not a phone number that can be served; write it as +234…")]
    InvalidPhoneNumber,
    #[error("a dialog that begins here is known to the servers only over Redis: set [store] url")]
    MemoryStore,
    #[error("the gateway {0}: {1}")]
    Carrier(String, #[source] CarrierError),
    #[error(transparent)]
    HttpClient(#[from] HttpClientError),
    #[error(transparent)]
    Start(#[from] StartError),
}

fn find<'a>(config: &'a Config, name: &str) -> Result<&'a ChannelConfig, ChannelCommandError> {
    let found = config.channels.iter().find(|channel| channel.name == name);
    found.ok_or_else(|| ChannelCommandError::UnknownChannel(name.to_owned()))
}

/// Makes a set-up call at the gateway of a channel.
///
/// # Errors
/// When the gateway has no such calls, or did not do it.
pub async fn subscriptions(
    config: &Config,
    channel: &str,
    command: SubscriptionCommand<'_>,
) -> Result<Vec<Subscription>, ChannelCommandError> {
    let channel = find(config, channel)?;
    let failed = |error| ChannelCommandError::Carrier(channel.gateway.clone(), error);
    let carrier = channel.adapter.0.carrier();
    let carrier = carrier.filter(|carrier| carrier.abilities().subscribes);
    let carrier = carrier.ok_or_else(|| failed(CarrierError::NotPossible))?;
    let http = HttpClient::new(&HttpClientOptions::default())?;
    carrier.subscriptions(&http, command).await.map_err(failed)
}

/// Begins a dialog with somebody on a channel, over the store and the records that the servers work on.
///
/// # Errors
/// When the gateway cannot do that, or did not.
pub async fn push(mut config: Config, channel: &str, number: &str) -> Result<(), ChannelCommandError> {
    let (name, gateway, to) = {
        let channel = find(&config, channel)?;
        let to = Msisdn::parse(number, &channel.country).map_err(|_| ChannelCommandError::InvalidPhoneNumber)?;
        (channel.name.clone(), channel.gateway.clone(), to)
    };
    let failed = |error| ChannelCommandError::Carrier(gateway.clone(), error);
    let pushes = find(&config, channel)?.adapter.0.carrier();
    if pushes.and_then(|carrier| carrier.abilities().push).is_none() {
        return Err(failed(CarrierError::NotPossible));
    }
    if matches!(config.store, StoreConfig::Memory) {
        return Err(ChannelCommandError::MemoryStore);
    }
    let clock = Arc::new(DatabaseClock::new(Arc::new(SystemClock)));
    let deps = open_deps(&config, clock.clone(), Arc::new(OsRng), StartOptions::default()).await?;
    clock
        .measure(deps.records.as_ref())
        .await
        .map_err(StartError::Records)?;
    let turns = turns_only(&mut config, &deps, &CancellationToken::new()).await?;
    turns.catalogue.refresh().await;
    let served = turns.channels.iter().find(|served| served.name == name);
    let served = served.ok_or_else(|| ChannelCommandError::UnknownChannel(name.clone()))?;
    let pushed = turns.push(served, &to).await.map_err(failed);
    deps.tasks.close();
    deps.tasks.wait().await;
    pushed
}
