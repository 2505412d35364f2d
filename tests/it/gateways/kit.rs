//! The kit for testing a USSD gateway: raw request in, expected callback out; reply in, wire format out.
//!
//! A gateway's test file is a table of [`RequestRow`]s and one of [`ReplyRow`]s. On every row the kit also checks what must
//! not be printed: the `Debug` output of what was parsed, and both outputs of an error, may contain neither the number, nor
//! what was typed, nor any other text that the row calls [`RequestRow::hidden`].

use kiungo::core::flow::state::TurnReply;
use kiungo::core::msisdn::Msisdn;
use kiungo::core::secret::Secret;
use kiungo::gateways::{
    Caller, DialogEnd, Echo, ParseError, RawRequest, UssdCallback, UssdGateway, UssdInput, UssdLimits, UssdRefusal,
    UssdReply, UssdRequest, UssdSetup, WireReply, ussd_gateway,
};

/// The shortest typed text that is searched for in outputs; a shorter one, such as a menu choice, may occur by chance.
const MIN_LEAK_BYTES: usize = 4;

/// One request and its expected meaning.
pub struct RequestRow {
    /// What the row shows, for the message when it fails.
    pub name: &'static str,
    pub method: &'static str,
    /// The path below the callback's.
    pub tail: &'static str,
    pub query: Vec<u8>,
    pub headers: &'static [(&'static str, &'static str)],
    pub body: Vec<u8>,
    pub country: &'static str,
    /// Further texts that no output may contain.
    pub hidden: Vec<String>,
    pub want: ExpectedRequest,
}

impl Default for RequestRow {
    fn default() -> Self {
        Self {
            name: "",
            method: "POST",
            tail: "",
            query: Vec::new(),
            headers: &[("content-type", "application/x-www-form-urlencoded")],
            body: Vec::new(),
            country: "KE",
            hidden: Vec::new(),
            want: ExpectedRequest::Refused(ParseError::NotACallback),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedRequest {
    /// A person is waiting for a screen.
    Turn(ExpectedCallback),
    Notice {
        /// The gateway's id of the dialog.
        dialog: String,
        /// In E.164, if the notice has it.
        msisdn: Option<String>,
        closed: DialogEnd,
    },
    Probe {
        /// The gateway's id of the dialog.
        dialog: String,
    },
    /// Misread: a screen ends the dialog.
    Refused(ParseError),
    /// Not the gateway's: the uniform 404.
    NotYours,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpectedCallback {
    /// The gateway's id of the dialog.
    pub dialog: String,
    /// In E.164; empty if only the dialog is named.
    pub msisdn: String,
    pub network: Option<String>,
    pub service_code: Option<String>,
    pub did: ExpectedInput,
    /// The gateway's id of the turn.
    pub turn_id: Option<String>,
    pub echo: Echo,
}

/// The input with its secrets exposed, to be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedInput {
    /// Dialed these segments after the service code.
    Begin(Vec<String>),
    /// Dialed this whole string.
    DialString(String),
    /// Typed this line.
    Line(String),
    /// Typed something; this is everything so far.
    Whole(String),
    /// Typed this, or dialed it.
    DialedOrLine(String),
}

impl Default for ExpectedInput {
    fn default() -> Self {
        Self::Begin(Vec::new())
    }
}

/// One reply and its wire format.
pub struct ReplyRow {
    /// `None` acknowledges a notice.
    pub reply: Option<TurnReply>,
    /// What the callback asked to be echoed.
    pub echo: Echo,
    pub content_type: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: &'static str,
}

/// The gateway with this name in the registry, on a channel that says nothing.
pub fn gateway(name: &str) -> Box<dyn UssdGateway> {
    let gateway = ussd_gateway(name, UssdSetup::default()).unwrap_or_else(|| panic!("{name} is not registered"));
    let gateway = gateway.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(gateway.name(), name);
    gateway
}

/// Parses one row, and fails if any output leaks.
pub fn parse(gateway: &dyn UssdGateway, row: &RequestRow) -> ExpectedRequest {
    let headers: Vec<(String, Vec<u8>)> = row
        .headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
        .collect();
    let parsed = gateway.parse(&RawRequest {
        method: row.method,
        tail: row.tail,
        query: &row.query,
        headers: &headers,
        body: &row.body,
        country: row.country,
    });
    let printed = match &parsed {
        Ok(parsed) => format!("{parsed:?} {parsed:#?}"),
        Err(error @ UssdRefusal::Misread { why, .. }) => format!("{why} {error:?}"),
        Err(error) => format!("{error:?}"),
    };
    let got = to_expected(parsed);
    for secret in leaked_secrets(row, &got) {
        assert!(
            !printed.contains(&secret),
            "{}: what was parsed prints a secret",
            row.name
        );
    }
    got
}

pub fn check_requests(gateway: &dyn UssdGateway, rows: &[RequestRow]) {
    for row in rows {
        let got = parse(gateway, row);
        assert_eq!(got, row.want, "{}", row.name);
    }
}

/// Checks all replies: each is a 200, and the gateway's own prefix is no longer than its overhead.
pub fn check_replies(gateway: &dyn UssdGateway, rows: &[ReplyRow]) {
    for row in rows {
        let reply = row.reply.as_ref();
        let reply = reply.map_or(UssdReply::Acknowledged(DialogEnd::Finished), UssdReply::from);
        let wire = gateway.render(&reply, &row.echo);
        let name = row.body;
        assert_eq!(wire.status, 200, "{name:?}");
        assert_eq!(String::from_utf8(wire.body).unwrap(), row.body);
        assert_eq!(wire.content_type, row.content_type, "{name:?}");
        assert_eq!(wire.headers, row.headers, "{name:?}");
    }
}

/// Checks the limits on each network, and that none exceeds what USSD can carry.
pub fn check_limits(gateway: &dyn UssdGateway, rows: &[(Option<&str>, UssdLimits)]) {
    for (network, want) in rows {
        let limits = gateway.limits(*network);
        assert_eq!(limits, *want, "{network:?}");
        assert!(limits.out_septets <= 182, "{network:?}: 160 octets hold 182 septets");
        assert!(
            limits.out_septets > gateway.overhead() + 60,
            "{network:?}: no room for a page"
        );
    }
}

fn to_expected(parsed: Result<UssdRequest, UssdRefusal>) -> ExpectedRequest {
    let number = |caller: &Caller| match caller {
        Caller::Number(msisdn) => Some(msisdn.as_str().to_owned()),
        Caller::KnownDialog => None,
    };
    let text = |typed: &Secret| typed.expose().to_owned();
    match parsed {
        Ok(UssdRequest::Turn(callback)) => ExpectedRequest::Turn(ExpectedCallback {
            dialog: callback.dialog,
            msisdn: number(&callback.caller).unwrap_or_default(),
            network: callback.network,
            service_code: callback.service_code,
            did: match &callback.input {
                UssdInput::Dialed(dialed) if dialed.expose().is_empty() => ExpectedInput::Begin(Vec::new()),
                UssdInput::Dialed(dialed) => ExpectedInput::DialString(text(dialed)),
                UssdInput::DialedBehindCode(extras) => {
                    ExpectedInput::Begin(extras.expose().split('*').map(str::to_owned).collect())
                }
                UssdInput::Latest(line) => ExpectedInput::Line(text(line)),
                UssdInput::Cumulative(whole) => ExpectedInput::Whole(text(whole)),
                UssdInput::DialedOrLatest(line) => ExpectedInput::DialedOrLine(text(line)),
            },
            turn_id: callback.turn_id,
            echo: callback.echo,
        }),
        Ok(UssdRequest::DialogEnd(notice)) => ExpectedRequest::Notice {
            dialog: notice.dialog,
            msisdn: number(&notice.caller),
            closed: notice.end,
        },
        Ok(UssdRequest::Probe { dialog, .. }) => ExpectedRequest::Probe { dialog },
        Err(UssdRefusal::Misread { why, .. }) => ExpectedRequest::Refused(why),
        Err(UssdRefusal::NotYours) => ExpectedRequest::NotYours,
    }
}

/// What no output of this row may contain: the number and its end, everything typed, and what the row names.
fn leaked_secrets(row: &RequestRow, got: &ExpectedRequest) -> Vec<String> {
    let mut secrets = row.hidden.clone();
    let msisdn = match got {
        ExpectedRequest::Turn(turn) => {
            match &turn.did {
                ExpectedInput::Begin(segments) => secrets.extend(segments.iter().cloned()),
                ExpectedInput::DialString(text)
                | ExpectedInput::Line(text)
                | ExpectedInput::Whole(text)
                | ExpectedInput::DialedOrLine(text) => {
                    secrets.push(text.clone());
                    secrets.extend(text.split('*').map(str::to_owned));
                }
            }
            Some(&turn.msisdn).filter(|msisdn| !msisdn.is_empty())
        }
        ExpectedRequest::Notice { msisdn, .. } => msisdn.as_ref(),
        ExpectedRequest::Probe { .. } | ExpectedRequest::Refused(_) | ExpectedRequest::NotYours => None,
    };
    if let Some(msisdn) = msisdn {
        secrets.push(msisdn.trim_start_matches('+').to_owned());
        secrets.push(msisdn[msisdn.len() - 6..].to_owned());
    }
    secrets.retain(|secret| secret.chars().count() >= MIN_LEAK_BYTES);
    secrets
}

/// A gateway that puts a secret into a field that is printed.
struct LeakyGateway;

impl UssdGateway for LeakyGateway {
    fn name(&self) -> &'static str {
        "leaky"
    }

    fn overhead(&self) -> u16 {
        0
    }

    fn limits(&self, _network: Option<&str>) -> UssdLimits {
        UssdLimits::default()
    }

    fn parse(&self, request: &RawRequest<'_>) -> Result<UssdRequest, UssdRefusal> {
        let typed = String::from_utf8_lossy(request.body).into_owned();
        Ok(UssdRequest::Turn(UssdCallback {
            dialog: "1".to_owned(),
            caller: Caller::Number(Msisdn::parse("+254711000001", request.country).unwrap()),
            network: Some(typed.clone()),
            service_code: None,
            input: UssdInput::Latest(Secret::new(typed)),
            turn_id: None,
            echo: Echo::default(),
        }))
    }

    fn render(&self, _: &UssdReply<'_>, _: &Echo) -> WireReply {
        WireReply {
            status: 200,
            content_type: "text/plain",
            headers: Vec::new(),
            body: Vec::new(),
        }
    }
}

/// The kit itself notices a leak, of what was typed and of the number.
#[test]
fn leaks_are_noticed() {
    for typed in ["pa55word", "254711000001", "000001"] {
        let row = RequestRow {
            name: "leaky",
            body: typed.as_bytes().to_vec(),
            ..RequestRow::default()
        };
        let noticed = std::panic::catch_unwind(|| parse(&LeakyGateway, &row)).is_err();
        assert!(noticed, "{typed}");
    }
}
