//! `kiungo partners`: who may call the API, and with which keys.

use std::io::Write;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::commands::{self, CommandError};
use super::eligibility::{self, PartnerEligibility};
use crate::ambient::{OsRng, SystemClock};
use crate::app::{api_environment, partner_id};
use crate::config::Config;
use crate::core::api_key::ApiKeyKind;
use crate::core::purpose::Purpose;
use crate::core::screen_text::{self, ScreenTextFault};
use crate::core::secret::Secret;
use crate::core::time::{Clock as _, Timestamp};
use crate::records::{AuditEntry, Partner, PartnerChange, PartnerKey, Records};
use crate::service::partners::provisioning::KeyProvisioner;

/// Partners of the records that the configuration names. A running server knows of every change at once.
#[derive(Debug, Subcommand)]
pub(super) enum PartnersCommand {
    /// Add a partner, and print its id and first keys: this once.
    #[command(after_help = ADD)]
    Add(NewPartner),
    /// Every partner with its keys: their last four characters, since when they open, and until when.
    List,
    /// Offer a partner to anybody who dials the plain code, or end that. A partner can end it itself, and not begin it.
    WalkIns {
        /// The partner, by its name or id.
        partner: String,
        /// From now on it is offered.
        #[arg(long, required_unless_present = "end")]
        offer: bool,
        /// From now on it is not.
        #[arg(long, conflicts_with = "offer")]
        end: bool,
    },
    /// State that a partner may reach real banks through a provider, in its place: without that no live key is taken from it.
    #[command(after_help = ELIGIBLE)]
    Eligible(PartnerEligibility),
    /// Make a partner a new secret key, and print it: this once. The one before goes on opening for a while.
    #[command(after_help = ROTATE)]
    Rotate {
        /// The partner, by its name or id.
        partner: String,
        /// For how many hours the key before opens, too.
        #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..=720))]
        keep: u16,
        /// End the key before, and every token of the partner, now: somebody may have them.
        #[arg(long, conflicts_with = "keep")]
        stolen: bool,
        /// Make a new publishable key instead.
        #[arg(long)]
        publishable: bool,
    },
}

const ADD: &str = "\
Example:
  kiungo partners add \"Duka Credit\" --purpose \"loan decisions\" --config kiungo.toml

Hand the three lines over by a safe way; keys are kept as digests, so nobody can print them again. The partner then hands in its
own keys at a provider: PUT /v1/provider-credentials/{provider}, see docs/PARTNERS.md. Its name and purpose are shown to
people in the consent.";

const ELIGIBLE: &str = "\
Example:
  kiungo partners eligible \"Duka Credit\" --provider mono --registered --licence own --trading-six-months \\
      --agreement-signed-on 2026-01-31 --stated-by \"Ada Obi\" --config kiungo.toml

A partner can state the same by itself: PUT /v1/eligibility/{provider}. Each statement takes the place of the one before, and is
in the partner's audit trail with the name and the moment.";

const ROTATE: &str = "\
At most two keys of a kind open at a time: the new one, and for the time that is said the one before. A key that was on its way
out already is over. With --stolen nothing old opens any more, and the partner must get new tokens.";

/// A partner to be.
#[derive(Debug, Args)]
pub(super) struct NewPartner {
    /// As people know it; at most 30 characters, for it stands on a phone's screen.
    #[arg(value_parser = parse_name)]
    name: String,
    /// What the data are for, in a few words; at most 40 characters.
    #[arg(long, value_parser = parse_purpose)]
    purpose: String,
    /// For how many days people agree, where an intent does not say.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=730))]
    days: u16,
    /// Offer it to anybody who dials the plain code.
    #[arg(long)]
    walk_in: bool,
    /// The telephone number that people can call for help.
    #[arg(long, value_parser = parse_contact)]
    contact: Option<String>,
}

/// Parses a telephone number, as people will read it.
fn parse_contact(text: &str) -> Result<String, String> {
    screen_text::contact(text).map_err(ScreenTextFault::remedy)
}

/// Parses a name for a phone's screen, where it stands in the middle of our sentences.
fn parse_name(text: &str) -> Result<String, String> {
    if screen_text::readable(text).contains(['"', '!', '?', ':', ';', '\u{a1}', '\u{bf}']) {
        return Err("a name, not sentences: leave out quotation marks and ! ? : ;".to_owned());
    }
    screen_text::partner_name(text).map_err(ScreenTextFault::remedy)
}

/// Parses a purpose, as people will read it.
fn parse_purpose(text: &str) -> Result<String, String> {
    screen_text::purpose(text).map_err(ScreenTextFault::remedy)
}

pub(super) fn run(command: PartnersCommand, config: &Config, out: &mut dyn Write) -> Result<(), CommandError> {
    commands::runtime()?.block_on(async {
        let records = commands::open_records(config).await?;
        let records = records.as_ref();
        match command {
            PartnersCommand::Add(new) => add(new, config, records, out).await,
            PartnersCommand::List => list(records, out).await,
            PartnersCommand::WalkIns { partner, offer, .. } => offer_walk_ins(&partner, offer, records, out).await,
            PartnersCommand::Eligible(stated) => {
                let partner = find(&stated.partner, records).await?;
                eligibility::state(partner, stated, config, records, out).await
            }
            PartnersCommand::Rotate {
                partner,
                keep,
                stolen,
                publishable,
            } => {
                let hours = if stolen { 0 } else { keep };
                let kind = if publishable {
                    ApiKeyKind::Publishable
                } else {
                    ApiKeyKind::Secret
                };
                rotate(&partner, kind, Duration::from_hours(hours.into()), config, records, out).await
            }
        }
    })
}

fn provisioner<'a>(config: &Config, records: &'a dyn Records) -> KeyProvisioner<'a> {
    KeyProvisioner {
        records,
        clock: &SystemClock,
        rng: &OsRng,
        environment: api_environment(config.mode),
    }
}

async fn add(new: NewPartner, config: &Config, records: &dyn Records, out: &mut dyn Write) -> Result<(), CommandError> {
    let known = records.partners().await?.into_iter().map(|partner| partner.name);
    let mut known = known.chain([config.partner.name.clone()]);
    // One of exactly this name is found below.
    if let Some(alike) = known.find(|name| *name != new.name && screen_text::is_same_name(name, &new.name)) {
        return Err(CommandError::PartnerLookalike(new.name, alike));
    }
    let partner = Partner {
        // The id follows from the name, as for the partner of the configuration.
        id: partner_id(&new.name),
        name: new.name,
        purpose: Purpose::Text(new.purpose),
        days: new.days,
        walk_in: new.walk_in,
        contact: new.contact,
        created_at: SystemClock.now(),
    };
    let keys = provisioner(config, records).add_partner(&partner).await?;
    let keys = keys.ok_or_else(|| CommandError::PartnerExists(partner.name.clone()))?;
    writeln!(out, "client_id        {}", partner.id)?;
    writeln!(out, "client_secret    {}", keys.secret.expose())?;
    writeln!(out, "publishable_key  {}", keys.publishable.expose())?;
    Ok(())
}

async fn rotate(
    named: &str,
    kind: ApiKeyKind,
    keep: Duration,
    config: &Config,
    records: &dyn Records,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let partner = find(named, records).await?;
    let next = provisioner(config, records).rotate_key(partner.id, kind, keep).await?;
    let word = match kind {
        ApiKeyKind::Publishable => "publishable_key ",
        ApiKeyKind::Secret | ApiKeyKind::Token => "client_secret   ",
    };
    writeln!(out, "client_id        {}", partner.id)?;
    writeln!(out, "{word} {}", Secret::expose(&next.key))?;
    if keep.is_zero() {
        writeln!(out, "The key before and all tokens are over.")?;
    } else {
        writeln!(out, "The key before opens until {}.", commands::format_time(next.until))?;
    }
    Ok(())
}

async fn find(named: &str, records: &dyn Records) -> Result<Partner, CommandError> {
    let mut partners = records.partners().await?.into_iter();
    let partner = partners.find(|partner| partner.name == named || partner.id.to_string() == named);
    partner.ok_or_else(|| CommandError::PartnerNotFound(named.to_owned()))
}

async fn offer_walk_ins(
    named: &str,
    offer: bool,
    records: &dyn Records,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let partner = find(named, records).await?;
    let change = PartnerChange {
        walk_in: Some(offer),
        ..PartnerChange::default()
    };
    let kind = if offer {
        "partner.offered"
    } else {
        "partner.offer_ended"
    };
    let audit = AuditEntry::new(partner.id, kind, partner.id.to_string(), SystemClock.now());
    records.change_partner(&change, &audit).await?;
    let words = if offer { "is offered" } else { "is not offered" };
    writeln!(out, "{} {words} to anybody who dials the plain code.", partner.name)?;
    Ok(())
}

async fn list(records: &dyn Records, out: &mut dyn Write) -> Result<(), CommandError> {
    let partners = records.partners().await?;
    if partners.is_empty() {
        writeln!(out, "There is no partner yet: kiungo partners add")?;
    }
    let now = SystemClock.now();
    for partner in partners {
        let walk_in = if partner.walk_in {
            ", offered to anybody who dials"
        } else {
            ""
        };
        let (id, name, since) = (partner.id, &partner.name, commands::format_time(partner.created_at));
        writeln!(out, "{id}  {name}, since {since}{walk_in}")?;
        for key in records.keys(partner.id).await? {
            writeln!(out, "    {}", key_line(&key, now))?;
        }
        eligibility::list(partner.id, records, out).await?;
    }
    Ok(())
}

fn key_line(key: &PartnerKey, now: Timestamp) -> String {
    let kind = match key.kind {
        ApiKeyKind::Secret => "secret",
        ApiKeyKind::Publishable => "publishable",
        ApiKeyKind::Token => "token",
    };
    let (hint, since) = (&key.hint, commands::format_time(key.created_at));
    let until = match key.until {
        None => String::new(),
        Some(until) if until <= now => format!(", over since {}", commands::format_time(until)),
        Some(until) => format!(", until {}", commands::format_time(until)),
    };
    format!("{kind:<11} ..{hint}  since {since}{until}")
}
