//! What the commands do that need more than the configuration.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::runtime::{Builder, Runtime};

use crate::app::StartError;
use crate::app::menu_dir::{self, MenuDirError};
use crate::config::Config;
use crate::core::eligibility::EligibilityFault;
use crate::core::ids::LinkId;
use crate::core::menu::{self, Menu, MenuError};
use crate::core::time::Timestamp;
use crate::records::{self, Link, LinkState, Records, RecordsError};
use crate::telemetry::TelemetryError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The server did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// What `kiungo serve` would refuse of a configuration that is right by itself.
    #[error("{}", faults_text(.0))]
    NotServed(Vec<StartError>),
    /// They have been printed.
    #[error("warnings count as faults here")]
    Warnings,
    /// Nothing was done with a channel.
    #[error(transparent)]
    Channel(#[from] crate::app::channels::ChannelCommandError),
    /// Logging could not be set up.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The menu built in is broken.
    #[error(transparent)]
    Menu(#[from] MenuError),
    /// The operator's words cannot be read.
    #[error(transparent)]
    Words(#[from] MenuDirError),
    /// The check of the menu found something; it has been printed.
    #[error("the menu is not in order")]
    MenuFindings,
    /// The records cannot be read.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// An id that is none.
    #[error("{0:?} is not a link's id; `kiungo links list` prints them")]
    InvalidLinkId(String),
    /// No such event.
    #[error("{0:?} is no event's id; `kiungo events tail` prints them")]
    InvalidEventId(String),
    /// An id that is none.
    #[error("{0:?} is not an endpoint's id")]
    InvalidEndpointId(String),
    /// A moment in other words.
    #[error("{0:?} is no moment: say a time such as 2026-11-01T08:00:00Z, or how long ago, such as 45s, 30m, 2h or 7d")]
    InvalidTime(String),
    /// What was typed as a number.
    #[error("that is not a phone number that can be served; write it as +234…, or say --country")]
    InvalidPhoneNumber,
    /// Nobody said that it is meant.
    #[error("nothing was erased: type what is asked for, or say --yes")]
    NotConfirmed,
    /// What is held cannot be told.
    #[error(transparent)]
    Export(#[from] crate::service::data_subject::export::ExportError),
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] crate::config::keys::KeysError),
    /// A partner by this name is there.
    #[error("there is a partner {0:?} already; `kiungo partners rotate` makes it a new key")]
    PartnerExists(String),
    /// A partner that people would take for it is there.
    #[error(
        "people would read {0:?} as the partner {1:?} that is there already; give it a name that can be told apart"
    )]
    PartnerLookalike(String, String),
    /// No such partner.
    #[error("there is no partner {0:?}; `kiungo partners list` prints their names and ids")]
    PartnerNotFound(String),
    /// What the configuration states is stated there.
    #[error("{0:?} is the partner of the configuration: write [providers.NAME.eligibility] there")]
    ConfiguredPartner(String),
    /// No provider of this name wants a statement.
    #[error("{0:?} is no provider that asks whether its clients are eligible; there are: {1}")]
    AsksNothing(String, String),
    /// What is stated does not make a partner eligible.
    #[error("nothing is kept, for the partner is not eligible by this:{}", eligibility_text(.0))]
    NotEligible(Vec<EligibilityFault>),
    /// No such link.
    #[error("there is no link with this id")]
    LinkNotFound,
    /// Something of the operating system.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The terminal phone.
    #[cfg(feature = "sandbox")]
    #[error(transparent)]
    Phone(#[from] crate::sandbox::phone::terminal::PhoneError),
    /// The load generator, or the turns that failed while it ran.
    #[cfg(feature = "sandbox")]
    #[error(transparent)]
    Load(#[from] crate::sandbox::load::LoadError),
    /// The terminal phone's line.
    #[cfg(feature = "sandbox")]
    #[error(transparent)]
    Line(#[from] crate::sandbox::phone::callback_client::CallbackError),
}

fn faults_text(faults: &[StartError]) -> String {
    let lines: Vec<_> = faults.iter().map(|fault| format!("\n  {fault}")).collect();
    let plural = if faults.len() == 1 { "" } else { "s" };
    format!(
        "the configuration has {} fault{plural}:{}",
        faults.len(),
        lines.concat()
    )
}

fn eligibility_text(faults: &[EligibilityFault]) -> String {
    let line = |fault: &EligibilityFault| {
        let option = fault.field.replace('_', "-");
        format!("\n  --{option} {}: {}", fault.problem, fault.remedy)
    };
    faults.iter().map(line).collect()
}

pub(super) fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build()
}

/// Is a phone in this terminal.
#[cfg(feature = "sandbox")]
pub(super) fn phone(args: &crate::sandbox::phone::args::PhoneArgs) -> Result<(), CommandError> {
    use crate::ambient::{OsRng, SystemClock};
    use crate::sandbox::phone::{
        callback_client::HttpCallbackClient,
        dialect::{AfricasTalkingDialect, dialect},
        handset::HandsetDeps,
        terminal,
    };
    let line = HttpCallbackClient::new(&args.url)?;
    let around = HandsetDeps {
        client: &line,
        clock: &SystemClock,
        rng: &OsRng,
        dialect: dialect(args.gateway).unwrap_or(&AfricasTalkingDialect),
        limits: None,
    };
    let input = tokio::io::BufReader::new(tokio::io::stdin());
    runtime()?.block_on(terminal::run(args, around, input, io::stdout()))?;
    Ok(())
}

/// Dials on behalf of many people, and prints what it measured.
#[cfg(feature = "sandbox")]
pub(super) fn load(
    args: &crate::sandbox::load::args::LoadArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), CommandError> {
    // On one thread: what is measured has the same processors.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(crate::sandbox::load::run(args, &crate::ambient::OsRng, out, err))?)
}

/// Checks the menu with the words of a directory, or else of the configured one, laid over those built in: at the smallest
/// page of the configured channels and at the smallest there is.
pub(super) fn menu_check(config: &Config, dir: Option<&Path>, out: &mut dyn Write) -> Result<(), CommandError> {
    let menu = Menu::embedded()?;
    let texts = menu_dir::words(dir.or(config.menu.dir.as_deref()))?.templates;
    let pages = menu_dir::pages(config);
    let (report, good) = menu::check_report(&menu, &texts, &pages, &menu::SampleValues::worst_case());
    writeln!(out, "{}", report.trim_end())?;
    if good { Ok(()) } else { Err(CommandError::MenuFindings) }
}

/// Prints the built-in menu as Mermaid: the happy path, or everything.
pub(super) fn menu_graph(full: bool, out: &mut dyn Write) -> Result<(), CommandError> {
    let (menu, texts) = (Menu::embedded()?, menu_dir::words(None)?.templates);
    let draw = if full {
        menu::graph::full
    } else {
        menu::graph::happy_path
    };
    Ok(out.write_all(draw(&menu, &texts).as_bytes())?)
}

/// Lists the newest links of the configuration's partner.
pub(super) fn links_list(config: &Config, limit: u32, out: &mut dyn Write) -> Result<(), CommandError> {
    let partner = crate::app::partner_id(&config.partner.name);
    let links = runtime()?.block_on(async { open_records(config).await?.links(partner, None, limit).await })?;
    if links.is_empty() {
        writeln!(out, "Nothing is linked yet.")?;
    }
    for link in links {
        writeln!(
            out,
            "{}  {}  {:<17}  {}",
            link.id,
            format_time(link.created_at),
            link_state_text(link.state),
            accounts_text(&link)
        )?;
    }
    Ok(())
}

/// Shows one link.
pub(super) fn links_show(config: &Config, id: &str, out: &mut dyn Write) -> Result<(), CommandError> {
    let parsed = LinkId::parse(id).map_err(|_| CommandError::InvalidLinkId(id.to_owned()))?;
    let (link, consent) = runtime()?.block_on(async {
        let records = open_records(config).await?;
        let link = records.link(parsed).await?.ok_or(CommandError::LinkNotFound)?;
        let consent = records.consent(link.consent).await?;
        Ok::<_, CommandError>((link, consent))
    })?;
    writeln!(out, "Link         {}", link.id)?;
    writeln!(out, "State        {}", link_state_text(link.state))?;
    writeln!(out, "Institution  {} (by {})", link.institution_name, link.provider)?;
    writeln!(out, "Accounts     {}", accounts_text(&link))?;
    writeln!(out, "Linked       {}", format_time(link.created_at))?;
    writeln!(out, "Until        {}", format_time(link.until))?;
    if let Some(consent) = consent {
        writeln!(
            out,
            "Agreed       {} on channel {}, in {:?}",
            format_time(consent.agreed_at),
            consent.channel,
            consent.locale
        )?;
        writeln!(out, "To           {:?} (version {})", consent.text, consent.version)?;
    }
    Ok(())
}

pub(super) async fn open_records(config: &Config) -> records::Result<Arc<dyn Records>> {
    records::connect(config.records.address().expose()).await
}

fn accounts_text(link: &Link) -> String {
    let account = |account: &records::LinkedAccount| {
        let masked = account
            .masked
            .as_deref()
            .map_or("number not read yet".to_owned(), |digits| format!("..{digits}"));
        account
            .currency
            .as_deref()
            .map_or(masked.clone(), |currency| format!("{masked} {currency}"))
    };
    let accounts: Vec<_> = link.accounts.iter().map(account).collect();
    format!("{} {}", link.institution_name, accounts.join(", "))
}

fn link_state_text(state: LinkState) -> &'static str {
    match state {
        LinkState::Verifying => "being compared with what was expected",
        LinkState::Active => "active",
        LinkState::ReauthRequired => "must log in again",
        LinkState::Removing => "being unlinked",
        LinkState::Removed => "unlinked",
        LinkState::Expired => "expired",
    }
}

pub(super) fn format_time(at: Timestamp) -> String {
    DateTime::<Utc>::from_timestamp_millis(at.as_millis()).map_or_else(
        || at.as_millis().to_string(),
        |at| at.format("%Y-%m-%d %H:%M:%SZ").to_string(),
    )
}
