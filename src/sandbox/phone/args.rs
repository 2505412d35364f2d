//! The command line of `kiungo phone`.

use std::path::PathBuf;

use super::callback_client::DEFAULT_URL;
use super::dialect::DIALECTS;
use super::handset::Sim;

/// What `kiungo phone --help` says below the options.
pub const HELP: &str = "\
At the prompt, a line is what the person types. Lines that begin with / are for the phone:
  /dial [CODE]   dial the code, or CODE with more segments: /dial *384*96*1#
  /redial        dial again what was dialled last, in a new session
  /cancel        hang up; the aggregator reports the dialog as incomplete
  /help          these lines
  /quit          switch the phone off

Scripts (--script FILE) are journeys as plain text, one step a line:
  # comment              note TEXT                 say TEXT in the transcript
  number +2348030000001  network 62130             the SIM
  code *384*96#          dial [CODE]               the service code; dial it, or CODE
  press KEYS             type TEXT                 send keys; send text that is not shown
  expect [CON|END] TEXT  expect-not TEXT           what the screen must and must not contain
  poll KEYS until [CON|END] TEXT [within 60s]      press again and again until it does
  cancel                 redial                    hang up; dial again
  sms TEXT               expect-sms TEXT           text the short code; a text that comes must contain this
  sms {number}           dial {code}               what the text just expected says to text, or to dial
  wait 10m                                         wind the sandbox's clock (s, m, h)
Texts are compared as they stand. Put a text in double quotes when it begins or ends with a blank, or with CON
or END. Every screen is also held to the dialect, the deadline and the septets of the network.";

/// Options of `kiungo phone`: a terminal that dials the sandbox like a person with a phone.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct PhoneArgs {
    /// The callback to dial, on this machine.
    #[arg(long, default_value = DEFAULT_URL)]
    pub url: String,
    /// The number that calls, in international form.
    #[arg(long, default_value = "+2348030000001")]
    pub number: String,
    /// The network's code, such as 62130 for MTN Nigeria.
    #[arg(long, default_value = "62130")]
    pub network: String,
    /// The service code.
    #[arg(long, default_value = "*384*96#")]
    pub code: String,
    /// The gateway to speak as, by its name in the configuration of the channel that is called.
    #[arg(long, value_name = "NAME", default_value = "africastalking", value_parser = parse_gateway)]
    pub gateway: &'static str,
    /// Play the journey in this file instead of reading the keyboard.
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    /// Let a person take as long as they like: dialogs are not cut when nobody types.
    #[arg(long)]
    pub patient: bool,
}

fn parse_gateway(name: &str) -> Result<&'static str, String> {
    let known = DIALECTS.iter().map(|dialect| dialect.gateway());
    known.clone().find(|known| *known == name).ok_or_else(|| {
        let known: Vec<_> = known.collect();
        format!("the phone does not speak that; it speaks: {}", known.join(", "))
    })
}

impl PhoneArgs {
    /// The SIM these options describe.
    pub fn sim(&self) -> Sim {
        Sim {
            number: self.number.clone(),
            network: self.network.clone(),
            code: self.code.clone(),
        }
    }
}
