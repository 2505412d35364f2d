//! The command line: what it says, and which part of the server each command calls.

mod channels;
mod check;
mod commands;
mod data_subject;
mod eligibility;
mod events;
mod keys;
mod partners;
mod serve;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use self::channels::ChannelsCommand;
use self::commands::CommandError;
use self::data_subject::SubscriberCommand;
use self::events::EventsCommand;
use self::partners::PartnersCommand;
use crate::ambient::OsRng;
use crate::config::{self, Config, ConfigErrors, DATA_DIR, keys as key_files};

/// Links bank accounts from any phone by dialling a short code.
#[derive(Debug, Parser)]
#[command(name = "kiungo", version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    options: GlobalOptions,
    #[command(subcommand)]
    command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  kiungo                                     start the sandbox: no account, no configuration, a phone in the browser
  kiungo serve --config kiungo.toml          serve for real
  kiungo phone                               dial the sandbox from this terminal
  kiungo load --seconds 30                   see how many people the sandbox can answer at once
  kiungo menu graph                          draw the conversation as Mermaid
  kiungo links list --config kiungo.toml     see what is linked
  kiungo subscriber export --config kiungo.toml  tell a person what is held about them
  kiungo partners add NAME --purpose WHAT --config kiungo.toml  let a partner's server in
  kiungo events tail --follow --config kiungo.toml  see what partners are told, and how far it is
  kiungo channels list --config kiungo.toml  see the short codes, and what their gateways can do
  kiungo config check --config kiungo.toml   tell everything that is wrong with a configuration
  kiungo config show                         what the sandbox runs with when there is no file
  kiungo keys new --dir /etc/kiungo/keys     make the first keys, or the next one to rotate to

Any setting can be given as a variable: KIUNGO_SERVER__LISTEN=127.0.0.1:9000 stands for listen in [server].";

#[derive(Clone, Debug, Args)]
struct GlobalOptions {
    /// The configuration file; KIUNGO_CONFIG is used when it is not given. Without either, the sandbox's settings.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the sandbox keeps its files.
    #[arg(long, global = true, value_name = "DIR", default_value = DATA_DIR)]
    data: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer gateways, providers and partners. What `kiungo` alone does.
    Serve,
    /// Be a phone in this terminal: dial the sandbox, or play a journey from a file.
    #[cfg(feature = "sandbox")]
    Phone(crate::sandbox::phone::args::PhoneArgs),
    /// Be many phones at once: drive turns against a callback, and tell how many and how fast.
    #[cfg(feature = "sandbox")]
    Load(crate::sandbox::load::args::LoadArgs),
    /// Look at the conversation.
    #[command(subcommand)]
    Menu(MenuCommand),
    /// Look at what is linked.
    #[command(subcommand)]
    Links(LinksCommand),
    /// What is held about a person: tell it, or erase it.
    #[command(subcommand)]
    Subscriber(SubscriberCommand),
    /// Who may call the API: add partners, and make them keys.
    #[command(subcommand)]
    Partners(PartnersCommand),
    /// What partners are told: look at it, or have it told again.
    #[command(subcommand)]
    Events(EventsCommand),
    /// The short codes: look at them, and set them up at their gateways.
    #[command(subcommand)]
    Channels(ChannelsCommand),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Make the keys that seal everything personal.
    #[command(subcommand)]
    Keys(KeysCommand),
}

#[derive(Debug, Subcommand)]
enum MenuCommand {
    /// Prove that every screen can be reached and left, and fits the smallest page of the configured channels in every
    /// language. Tells file, line and what to do.
    Check {
        /// A directory whose words are laid over those built in, instead of dir in [menu].
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Print the conversation as a Mermaid flowchart: from dial to linked when nothing goes wrong.
    Graph {
        /// Every screen and every move.
        #[arg(long)]
        full: bool,
    },
}

#[derive(Debug, Subcommand)]
enum LinksCommand {
    /// The newest links, one a line. Account numbers are masked; account ids are not shown.
    List {
        /// How many.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// One link with its accounts and the consent it rests on.
    Show {
        /// The link's id, as `list` prints it.
        id: String,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Tell everything that is wrong with it at once, and what should be mended; nothing is started.
    #[command(after_help = "\
Everything that `kiungo serve` would refuse is a fault, apart from what only the network can tell. What it would run with, and
an attacker would like, is a warning.

Exit codes: 0 no faults, perhaps warnings; 1 faults, or warnings with --strict; 2 the command line is wrong.")]
    Check {
        /// Take warnings for faults.
        #[arg(long)]
        strict: bool,
    },
    /// Print what is in force, from file and variables, with every secret hidden.
    Show,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Write a fresh key, and the tag key if there are no keys yet. Existing keys are never touched.
    #[command(after_help = "\
To rotate: run this, copy the new file to every server, restart them all, then set keys.active to the new id and
restart again. The servers then seal the records again; `kiungo keys status` tells when nothing stands under the old key
any more, and a day later its file may go. Back up tag.key: it names people, and nothing can replace it.")]
    New {
        /// The directory; that of the configuration when it is not given.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// How many values in the records stand under which key. A key under which none stands may go, if no server seals with
    /// it any more, and not before a day is over: open dialogs are sealed, too.
    Status,
}

/// Why a command did not do what it says.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    #[error(transparent)]
    Keys(#[from] key_files::KeysError),
    #[error("cannot write the answer: {0}")]
    Output(#[from] io::Error),
    #[error(transparent)]
    Command(#[from] CommandError),
}

/// Does what the command line says, with `env` as the environment; answers go to `out`, faults to `err`.
pub fn run(cli: Cli, env: &[(String, String)], out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
    let options = cli.options;
    let done = match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => load(options.clone(), env)
            .map_err(CliError::from)
            .and_then(|config| Ok(serve::serve(config, &|| load(options.clone(), env), out)?)),
        #[cfg(feature = "sandbox")]
        Command::Phone(args) => commands::phone(&args).map_err(CliError::from),
        #[cfg(feature = "sandbox")]
        Command::Load(args) => commands::load(&args, out, err).map_err(CliError::from),
        Command::Menu(MenuCommand::Check { dir }) => load(options, env)
            .map_err(CliError::from)
            .and_then(|config| Ok(commands::menu_check(&config, dir.as_deref(), out)?)),
        Command::Menu(MenuCommand::Graph { full }) => commands::menu_graph(full, out).map_err(CliError::from),
        Command::Links(command) => load(options, env).map_err(CliError::from).and_then(|config| {
            Ok(match command {
                LinksCommand::List { limit } => commands::links_list(&config, limit, out),
                LinksCommand::Show { id } => commands::links_show(&config, &id, out),
            }?)
        }),
        Command::Subscriber(command) => load(options, env)
            .map_err(CliError::from)
            .and_then(|config| Ok(data_subject::run(command, &config, out, err)?)),
        Command::Partners(command) => load(options, env)
            .map_err(CliError::from)
            .and_then(|config| Ok(partners::run(command, &config, out)?)),
        Command::Events(command) => load(options, env)
            .map_err(CliError::from)
            .and_then(|config| Ok(events::run(command, &config, out)?)),
        Command::Channels(command) => load(options, env)
            .map_err(CliError::from)
            .and_then(|config| Ok(channels::run(&command, config, out, err)?)),
        Command::Config(command) => config_command(&command, options, env, out),
        Command::Keys(KeysCommand::New { dir }) => new_keys(dir, options, env, out),
        Command::Keys(KeysCommand::Status) => load(options, env)
            .map_err(CliError::from)
            .and_then(|config| Ok(keys::status(&config, out, err)?)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when even this fails.
            let _ = writeln!(err, "{error}");
            ExitCode::FAILURE
        }
    }
}

fn load(options: GlobalOptions, env: &[(String, String)]) -> Result<Config, ConfigErrors> {
    match config::config_file(options.config, env) {
        None if cfg!(feature = "sandbox") => Config::sandbox(&options.data, env),
        file => Config::load(file.as_deref(), env),
    }
}

fn config_command(
    command: &ConfigCommand,
    options: GlobalOptions,
    env: &[(String, String)],
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let config = load(options, env)?;
    match command {
        ConfigCommand::Check { strict } => return Ok(check::check(config, *strict, out)?),
        ConfigCommand::Show => write!(out, "{config}")?,
    }
    Ok(())
}

fn new_keys(
    dir: Option<PathBuf>,
    options: GlobalOptions,
    env: &[(String, String)],
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let dir = match dir {
        Some(dir) => dir,
        None => load(options, env)?.keys.dir,
    };
    let made = key_files::generate(&dir, &OsRng)?;
    let (id, dir) = (made.id, dir.display());
    if made.first {
        writeln!(
            out,
            "Wrote {dir}/{id}.key and {dir}/tag.key. Back up tag.key now: nothing can replace it."
        )?;
    } else {
        writeln!(
            out,
            "Wrote {dir}/{id}.key. Copy it to every server before any of them seals with it."
        )?;
    }
    writeln!(out, "To seal with it: [keys] active = \"{id}\"")?;
    Ok(())
}
