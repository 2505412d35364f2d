//! `kiungo channels`: the short codes, and what is done with their gateways by hand.

use std::io::Write;

use clap::Subcommand;

use super::commands::{CommandError, runtime};
use super::data_subject::{NUMBER, read_number};
use crate::app::channels::{push, subscriptions};
use crate::config::Config;
use crate::gateways::ussd_carrier::{Subscription, SubscriptionCommand, UssdCarrier};

#[derive(Debug, Subcommand)]
pub(super) enum ChannelsCommand {
    /// The channels of the configuration, one a line; with a name, what is subscribed at its gateway now.
    List {
        /// The channel, of a gateway with set-up calls.
        channel: Option<String>,
    },
    /// Have a channel's callbacks sent to us, where its gateway wants to be told by a call.
    Subscribe { channel: String },
    /// Have them sent no longer.
    Unsubscribe {
        channel: String,
        /// The subscription's id, as `list` prints it.
        id: String,
    },
    /// Begin a dialog with somebody: their phone shows the first screen, as if they had dialed. Only where the gateway can.
    #[command(after_help = NUMBER)]
    Push { channel: String },
}

pub(super) fn run(
    command: &ChannelsCommand,
    config: Config,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), CommandError> {
    let (channel, call) = match command {
        ChannelsCommand::List { channel: None } => return list(&config, out),
        ChannelsCommand::Push { channel } => {
            let number = read_number(err)?;
            runtime()?.block_on(push(config, channel, &number))?;
            writeln!(out, "The gateway has taken it.")?;
            return Ok(());
        }
        ChannelsCommand::List { channel: Some(channel) } => (channel, SubscriptionCommand::List),
        ChannelsCommand::Subscribe { channel } => (channel, SubscriptionCommand::Subscribe),
        ChannelsCommand::Unsubscribe { channel, id } => (channel, SubscriptionCommand::Unsubscribe(id)),
    };
    let found = runtime()?.block_on(subscriptions(&config, channel, call))?;
    if found.is_empty() {
        writeln!(out, "Nothing is subscribed.")?;
    }
    for Subscription { id, service_code } in found {
        writeln!(out, "{id}  {service_code}")?;
    }
    Ok(())
}

fn list(config: &Config, out: &mut dyn Write) -> Result<(), CommandError> {
    for channel in &config.channels {
        let abilities = channel
            .adapter
            .0
            .carrier()
            .map(UssdCarrier::abilities)
            .unwrap_or_default();
        let can = [
            ("screens by calls of ours", abilities.delivers),
            ("a kept connection", abilities.binds),
            ("subscribe", abilities.subscribes),
            ("push", abilities.push.is_some()),
        ];
        let can: Vec<_> = can.iter().filter(|(_, able)| *able).map(|(word, _)| *word).collect();
        let (name, gateway, code) = (&channel.name, &channel.gateway, &channel.service_code);
        writeln!(out, "{name}  {gateway}  {code}  {}", can.join(", "))?;
    }
    Ok(())
}
