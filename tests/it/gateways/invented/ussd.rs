//! Invented: USSD.
//!
//! A callback is a form with `session`, `line` and, only when the person has dialed, `msisdn`; `tx` and `ref` are wanted
//! back. Whether the dialog is new is not said. The header `x-token` holds the token that was agreed. `…/end` reports how a
//! dialog ended, without a number, and wants to read its own word again; `…/status` asks whether one is open. The answer is
//! lines of `name=value`; a screen that consists of options is wanted as a title and options. Screens have 120 septets and
//! no accents. The next callback of a dialog goes to the URL that the answer names.

use std::time::Duration;

use kiungo::core::msisdn::Msisdn;
use kiungo::core::screen_alphabet::ScreenAlphabet;
use kiungo::core::secret::Secret;
use kiungo::gateways::form::DecodedForm;
use kiungo::gateways::settings::{SettingError, SettingKind, SettingRequirement};
use kiungo::gateways::ussd_carrier::UssdCarrier;
use kiungo::gateways::{
    Caller, DialogEnd, DialogEndNotice, Echo, ParseError, RawRequest, UssdCallback, UssdGateway, UssdInput, UssdLimits,
    UssdRefusal, UssdReply, UssdRequest, UssdRequirements, UssdSetup, WireReply,
};

pub const REQUIREMENTS: UssdRequirements = UssdRequirements {
    settings: &[
        SettingRequirement::required("token", SettingKind::Secret, "set it as agreed, or set token_file"),
        SettingRequirement::optional("api_url", SettingKind::Url, "write an https URL"),
        SettingRequirement::optional(
            "mode",
            SettingKind::Choice(&["answer", "deliver", "bind"]),
            "say how screens travel",
        ),
    ],
    public_url: true,
    callback_paths: &["", "end", "status"],
};

/// The names of the fields that come back.
const ECHOED: [&str; 3] = ["session", "tx", "ref"];
const MAX_BYTES: usize = 256;

pub struct InventedUssd {
    pub(super) setup: UssdSetup,
}

impl InventedUssd {
    pub fn new(setup: UssdSetup) -> Result<Self, SettingError> {
        if setup.own.required_secret("token")?.expose().len() < 8 {
            return Err(SettingError {
                key: "token",
                problem: "is shorter than 8 characters",
                remedy: "ask the gateway for a longer one",
            });
        }
        Ok(Self { setup })
    }

    pub(super) fn mode(&self) -> &str {
        self.setup.own.plain("mode").unwrap_or("answer")
    }

    fn is_ours(&self, request: &RawRequest<'_>) -> bool {
        let token = self.setup.own.secret("token").map(|token| token.expose().as_bytes());
        let mut headers = request.headers.iter();
        headers.any(|(name, value)| name == "x-token" && Some(value.as_slice()) == token)
    }
}

impl UssdGateway for InventedUssd {
    fn name(&self) -> &'static str {
        "invented"
    }

    fn overhead(&self) -> u16 {
        0
    }

    fn limits(&self, _: Option<&str>) -> UssdLimits {
        UssdLimits {
            turn: Duration::from_secs(10),
            out_septets: 120,
            alphabet: ScreenAlphabet::Ascii,
            ..UssdLimits::default()
        }
    }

    fn names_dialogs_only(&self) -> bool {
        true
    }

    fn parse(&self, request: &RawRequest<'_>) -> Result<UssdRequest, UssdRefusal> {
        if !self.is_ours(request) {
            return Err(UssdRefusal::NotYours);
        }
        let parts = [request.query, request.body];
        let echo = echo(&parts);
        parse(request, &echo).map_err(|why| UssdRefusal::Misread { why, echo })
    }

    fn render(&self, reply: &UssdReply<'_>, echo: &Echo) -> WireReply {
        let mut lines: Vec<String> = echo
            .fields()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut say = |name: &str, value: &str| lines.push(format!("{name}={value}"));
        match reply {
            UssdReply::Continue { text, menu } => {
                let callback = self.setup.channel.callback.as_ref().map_or("", |url| url.expose());
                say(
                    "next",
                    &format!("{callback}?session={}", echo.get("session").unwrap_or_default()),
                );
                say("action", "ask");
                match menu {
                    None => say("text", text),
                    Some(menu) => {
                        say("title", menu.title);
                        menu.options
                            .iter()
                            .for_each(|(key, label)| say(&format!("option {key}"), label));
                    }
                }
            }
            UssdReply::End { text } => {
                say("action", "end");
                say("text", text);
            }
            UssdReply::Acknowledged(end) => say("noted", &format!("{end:?}")),
            UssdReply::Probed { open } => say("open", &open.to_string()),
            UssdReply::Taken => say("action", "taken"),
        }
        WireReply {
            status: 200,
            content_type: "text/plain; charset=utf-8",
            headers: Vec::new(),
            body: lines.join("\n").into_bytes(),
        }
    }

    fn carrier(&self) -> Option<&dyn UssdCarrier> {
        Some(self)
    }
}

/// What comes back even where the rest is not understood.
fn echo(parts: &[&[u8]]) -> Echo {
    let form = DecodedForm::find(parts, ECHOED);
    ECHOED
        .iter()
        .fold(Echo::default(), |echo, name| match form.optional(name, MAX_BYTES) {
            Ok(Some(value)) => echo.with(name, value),
            _ => echo,
        })
}

fn parse(request: &RawRequest<'_>, echo: &Echo) -> Result<UssdRequest, ParseError> {
    let form = DecodedForm::find(&[request.query, request.body], ["session", "msisdn", "line", "why"]);
    let (dialog, echo) = (form.token("session", MAX_BYTES)?, echo.clone());
    Ok(match request.tail {
        "" => UssdRequest::Turn(UssdCallback {
            dialog,
            caller: match form.optional("msisdn", MAX_BYTES)? {
                Some(number) => {
                    Caller::Number(Msisdn::parse(&number, request.country).map_err(|_| ParseError::Msisdn)?)
                }
                None => Caller::KnownDialog,
            },
            network: None,
            service_code: None,
            input: UssdInput::DialedOrLatest(form.required("line", MAX_BYTES).map(Secret::new)?),
            turn_id: None,
            echo,
        }),
        "end" => UssdRequest::DialogEnd(DialogEndNotice {
            dialog,
            caller: Caller::KnownDialog,
            end: match form.token("why", MAX_BYTES)?.as_str() {
                "left" => DialogEnd::Abandoned,
                "done" => DialogEnd::Finished,
                _ => DialogEnd::Failed,
            },
            echo,
        }),
        "status" => UssdRequest::Probe { dialog, echo },
        _ => return Err(ParseError::NotACallback),
    })
}
