//! `kiungo subscriber`: exports what is held about a number, and erases it.

use std::collections::BTreeMap;
use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::commands::{self, CommandError};
use crate::ambient::{OsRng, SystemClock};
use crate::config::{Config, keys};
use crate::core::ids::ErasureId;
use crate::core::msisdn::Msisdn;
use crate::core::seal::{Keyring, SubscriberTag};
use crate::core::time::Clock;
use crate::records::{Erasure, ErasureBlocker, ErasureState, Partner, Records, RecordsError};
use crate::service::data_subject::{begin_erasure, export};
use crate::service::sealing::Sealing;

/// How often the progress of an erasure is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(300);
/// After so many polls without progress, a hint says that a server must be running.
const POLLS_BEFORE_HINT: u32 = 20;
const LIST_LIMIT: u32 = 50;

/// What is done about one person.
#[derive(Debug, Subcommand)]
pub(super) enum SubscriberCommand {
    /// Print all that is held about a number, as JSON, opened: for the person who asks for it.
    #[command(after_help = NUMBER)]
    Export(SubscriberArgs),
    /// Erase all that is held about a number. Links are ended at their providers first.
    #[command(after_help = ERASE)]
    Erase {
        #[command(flatten)]
        args: SubscriberArgs,
        /// Do not ask whether it is meant.
        #[arg(long)]
        yes: bool,
        /// Do not wait until it is done.
        #[arg(long)]
        no_wait: bool,
    },
    /// List the newest erasures with how far they are.
    Erasures,
}

pub(super) const NUMBER: &str = "\
The number is asked for, or read from the first line of standard input. It is not an argument: arguments stay in the
history of the shell, and everybody on the machine sees them in the list of processes.";

const ERASE: &str = "\
The number is asked for, or read from the first line of standard input. It is not an argument: arguments stay in the
history of the shell, and everybody on the machine sees them in the list of processes. With the number on standard
input, --yes must say that it is meant.

A running server does the work, and goes on with it when this command is ended: it waits for logins under way, and for
providers to end the person's links, for as long as that takes. What they agreed to is kept without their number.";

/// Who is meant.
#[derive(Debug, Args)]
pub(super) struct SubscriberArgs {
    /// Only at this partner, by its name or id; at every partner when it is not given.
    #[arg(long, value_name = "PARTNER")]
    partner: Option<String>,
    /// How a number in national spelling is meant (ISO 3166-1, such as NG); the first channel's when it is not given.
    #[arg(long, value_name = "COUNTRY")]
    country: Option<String>,
}

pub(super) fn run(
    command: SubscriberCommand,
    config: &Config,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), CommandError> {
    match command {
        SubscriberCommand::Export(args) => {
            let number = ask_number(&args, config, err)?;
            commands::runtime()?.block_on(export_subscriber(config, &args, &number, out))
        }
        SubscriberCommand::Erase { args, yes, no_wait } => {
            let number = ask_number(&args, config, err)?;
            commands::runtime()?.block_on(async {
                let request = ErasureRequest::find(config, &args, &number).await?;
                if request.partners.is_empty() {
                    return Ok(writeln!(
                        out,
                        "The records hold nothing about this number. What an open dialog holds is gone within a day."
                    )?);
                }
                request.summary(out).await?;
                if !yes && !confirm(err)? {
                    return Err(CommandError::NotConfirmed);
                }
                let begun = request.begin(out).await?;
                if no_wait {
                    Ok(())
                } else {
                    request.follow(begun, out).await
                }
            })
        }
        SubscriberCommand::Erasures => commands::runtime()?.block_on(list(config, out)),
    }
}

/// Reads the number as it was typed, from the terminal or from a pipe.
pub(super) fn read_number(err: &mut dyn Write) -> Result<String, CommandError> {
    if io::stdin().is_terminal() {
        write!(err, "Number: ")?;
        err.flush()?;
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

fn ask_number(args: &SubscriberArgs, config: &Config, err: &mut dyn Write) -> Result<Msisdn, CommandError> {
    let number = read_number(err)?;
    let first = config.channels.first().map(|channel| channel.country.as_str());
    let country = args.country.as_deref().or(first).unwrap_or_default();
    Msisdn::parse(&number, country).map_err(|_| CommandError::InvalidPhoneNumber)
}

/// Asks for confirmation by a word typed in full.
fn confirm(err: &mut dyn Write) -> Result<bool, CommandError> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    write!(err, "This cannot be undone. Type \"erase\" to go on: ")?;
    err.flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim() == "erase")
}

/// The selected partners among those that hold anything about this subscriber.
async fn partners_holding(
    records: &dyn Records,
    args: &SubscriberArgs,
    tag: &SubscriberTag,
) -> Result<Vec<Partner>, RecordsError> {
    let mut partners = records.partners_holding(tag).await?;
    if let Some(named) = &args.partner {
        partners.retain(|partner| partner.name == *named || partner.id.to_string() == *named);
    }
    Ok(partners)
}

fn keyring(config: &Config) -> Result<Keyring, CommandError> {
    Ok(keys::load(&config.keys.dir, &config.keys.active)?)
}

async fn export_subscriber(
    config: &Config,
    args: &SubscriberArgs,
    number: &Msisdn,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let sealing = Sealing {
        keyring: Arc::new(keyring(config)?),
        rng: Arc::new(OsRng),
    };
    let records = commands::open_records(config).await?;
    let partners = partners_holding(records.as_ref(), args, &sealing.keyring.tag(number)).await?;
    let (by, now) = (export::ExportedBy::Operator, SystemClock.now());
    let export = export::export_subscriber_data(records.as_ref(), &sealing, &partners, number, by, now).await?;
    let text = serde_json::to_string_pretty(&export).map_err(io::Error::other)?;
    Ok(writeln!(out, "{text}")?)
}

/// A subscriber to erase, with the partners that hold anything about them.
struct ErasureRequest {
    records: Arc<dyn Records>,
    tag: SubscriberTag,
    partners: Vec<Partner>,
}

impl ErasureRequest {
    async fn find(config: &Config, args: &SubscriberArgs, number: &Msisdn) -> Result<Self, CommandError> {
        let (records, tag) = (commands::open_records(config).await?, keyring(config)?.tag(number));
        let partners = partners_holding(records.as_ref(), args, &tag).await?;
        Ok(Self { records, tag, partners })
    }

    /// Prints what would be erased.
    async fn summary(&self, out: &mut dyn Write) -> Result<(), CommandError> {
        for partner in &self.partners {
            let data = self.records.export(partner.id, &self.tag).await?;
            let links = data.links.iter().filter(|link| link.in_use()).count();
            writeln!(
                out,
                "{}: {} consents, {} attempts, {} links ({links} in use), {} texts",
                partner.name,
                data.consents.len(),
                data.attempts.len(),
                data.links.len(),
                data.messages.len()
            )?;
        }
        Ok(())
    }

    async fn begin(&self, out: &mut dyn Write) -> Result<BTreeMap<ErasureId, String>, CommandError> {
        let mut begun = BTreeMap::new();
        for Partner { id, name, .. } in &self.partners {
            let (records, tag) = (self.records.as_ref(), &self.tag);
            let erasure = begin_erasure(records, &SystemClock, &OsRng, *id, tag).await?;
            writeln!(out, "{name}: erasure {erasure} has begun")?;
            begun.insert(erasure, name.clone());
        }
        Ok(begun)
    }

    /// Prints progress until all are done.
    async fn follow(&self, begun: BTreeMap<ErasureId, String>, out: &mut dyn Write) -> Result<(), CommandError> {
        let mut printed = BTreeMap::new();
        let mut polls = 0;
        loop {
            let mut done = true;
            for (id, name) in &begun {
                let Some(erasure) = self.records.erasure(*id).await? else {
                    continue;
                };
                done &= erasure.state == ErasureState::Done;
                let now = progress(&erasure);
                if printed.insert(*id, now) != Some(now) && now != progress_begun() {
                    writeln!(out, "{name}: {now}")?;
                }
            }
            if done {
                return Ok(());
            }
            polls += 1;
            if polls == POLLS_BEFORE_HINT && printed.values().all(|now| *now == progress_begun()) {
                writeln!(out, "Nobody is at work on it yet: a server must be running.")?;
            }
            out.flush()?;
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

fn progress_begun() -> &'static str {
    "begun"
}

fn progress(erasure: &Erasure) -> &'static str {
    match (erasure.state, erasure.blocked_by) {
        (ErasureState::Done, _) => "erased",
        (_, Some(ErasureBlocker::Attempts)) => "waits for a login that is under way",
        (_, Some(ErasureBlocker::Links)) => "waits for a provider to end a link",
        (_, Some(ErasureBlocker::Work)) => "waits for work under way",
        (_, Some(ErasureBlocker::Store)) => "waits for the live store",
        (_, Some(ErasureBlocker::Readers)) => "waits for a reader of the records",
        (ErasureState::Redacted, None) => "the records are blank",
        (ErasureState::Begun, None) => progress_begun(),
    }
}

async fn list(config: &Config, out: &mut dyn Write) -> Result<(), CommandError> {
    let erasures = commands::open_records(config).await?.erasures(LIST_LIMIT).await?;
    if erasures.is_empty() {
        writeln!(out, "Nobody was erased yet.")?;
    }
    for erasure in erasures {
        let (id, partner) = (erasure.id, erasure.partner);
        let (begun, progress) = (commands::format_time(erasure.begun_at), progress(&erasure));
        writeln!(out, "{id}  {begun}  partner {partner}  {progress}")?;
    }
    Ok(())
}
