//! `kiungo partners eligible`: what the operator states in a partner's place, before live keys are taken from it.

use std::io::Write;

use clap::Args;

use super::commands::{self, CommandError};
use crate::ambient::SystemClock;
use crate::app::partner_id;
use crate::config::Config;
use crate::core::eligibility::EligibilityStatement;
use crate::core::ids::PartnerId;
use crate::core::time::Clock as _;
use crate::providers::PROVIDERS;
use crate::records::{Partner, Records, StatementSource};
use crate::service::partners::eligibility;

/// What is stated of a partner.
#[derive(Debug, Args)]
pub(super) struct PartnerEligibility {
    /// The partner, by its name or id.
    pub(super) partner: String,
    /// The provider that asks, such as mono.
    #[arg(long)]
    provider: String,
    /// The business is registered.
    #[arg(long)]
    registered: bool,
    /// Whose licence it works under: own, or partner for a licensed partner's.
    #[arg(long, value_name = "own|partner")]
    licence: Option<String>,
    /// The licensed partner's name.
    #[arg(long, value_name = "NAME")]
    licensed_partner: Option<String>,
    /// It has traded for six months at least.
    #[arg(long)]
    trading_six_months: bool,
    /// The day on which it signed the provider's data agreement, such as 2026-01-31.
    #[arg(long, value_name = "DAY")]
    agreement_signed_on: Option<String>,
    /// The person who states this.
    #[arg(long, value_name = "NAME")]
    stated_by: Option<String>,
}

fn providers_that_ask() -> impl Iterator<Item = &'static str> {
    PROVIDERS
        .iter()
        .filter(|provider| provider.asks_eligibility)
        .map(|provider| provider.name)
}

pub(super) async fn state(
    partner: Partner,
    args: PartnerEligibility,
    config: &Config,
    records: &dyn Records,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    if partner.id == partner_id(&config.partner.name) {
        return Err(CommandError::ConfiguredPartner(partner.name));
    }
    let Some(provider) = providers_that_ask().find(|name| *name == args.provider) else {
        let names: Vec<_> = providers_that_ask().collect();
        return Err(CommandError::AsksNothing(args.provider, names.join(", ")));
    };
    let now = SystemClock.now();
    let statement = EligibilityStatement {
        registered: args.registered.then_some(true),
        licence: args.licence,
        licensed_partner: args.licensed_partner,
        trading_six_months: args.trading_six_months.then_some(true),
        agreement_signed_on: args.agreement_signed_on,
        stated_by: args.stated_by,
    };
    let statement = statement.check(now).map_err(CommandError::NotEligible)?;
    let source = StatementSource::CommandLine;
    let stored = eligibility::state(records, partner.id, provider, statement, source, now).await?;
    let (name, by) = (&partner.name, &stored.statement.stated_by);
    writeln!(out, "{name} may set live keys at {provider}, as stated by {by}.")?;
    Ok(())
}

/// A line for each provider that a partner has made a statement for.
pub(super) async fn list(partner: PartnerId, records: &dyn Records, out: &mut dyn Write) -> Result<(), CommandError> {
    for provider in providers_that_ask() {
        let Some(stored) = records.eligibility(partner, provider).await? else {
            continue;
        };
        let (by, at) = (&stored.statement.stated_by, commands::format_time(stored.stated_at));
        writeln!(
            out,
            "    eligible at {provider}, as stated by {by}, {at} ({})",
            stored.source.as_str()
        )?;
    }
    Ok(())
}
