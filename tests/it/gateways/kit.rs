//! The kit for testing a gateway: raw request in, normal form out; reply in, wire form out.
//!
//! A gateway's test file is a table of [`Row`]s and one of [`ReplyRow`]s. On every row the kit also looks for what must
//! not be printed: the `Debug` output of what was parsed, and both outputs of a refusal, may hold neither the number, nor
//! what was typed, nor any other text that the row calls [`Row::hidden`].

use kiungo::core::flow::state::TurnReply;
use kiungo::core::flow::turn_context::TurnEvent;
use kiungo::core::msisdn::Msisdn;
use kiungo::core::secret::Secret;
use kiungo::gateways::{
    DialogEnd, ParseError, RawRequest, UssdCallback, UssdGateway, UssdLimits, UssdRequest, WireReply, ussd_gateway,
};

/// The shortest typed text that is looked for in outputs; a shorter one, such as a menu choice, is there by chance.
const MIN_LEAK_BYTES: usize = 4;

/// One request and what it means.
pub struct RequestRow {
    /// What the row shows, for the message when it fails.
    pub name: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// What follows the callback's path.
    pub tail: &'static str,
    /// The query string.
    pub query: Vec<u8>,
    /// Header names and values.
    pub headers: &'static [(&'static str, &'static str)],
    /// The body.
    pub body: Vec<u8>,
    /// The channel's country.
    pub country: &'static str,
    /// Further texts that no output may hold.
    pub hidden: Vec<String>,
    /// What the request means.
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

/// The normal form of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedRequest {
    /// A person waits for a screen.
    Turn(ExpectedCallback),
    /// Only told.
    Notice {
        /// The gateway's name for the dialog.
        dialog: String,
        /// The number in E.164, where the notice has one.
        msisdn: Option<String>,
        /// How the dialog ended.
        closed: DialogEnd,
    },
    /// Not understood.
    Refused(ParseError),
}

/// The normal form of a callback.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpectedCallback {
    /// The gateway's name for the dialog.
    pub dialog: String,
    /// The number in E.164.
    pub msisdn: String,
    /// The network's code.
    pub network: Option<String>,
    /// The code that was dialled.
    pub service_code: Option<String>,
    /// What the person did.
    pub did: ExpectedInput,
    /// The gateway's number of the turn.
    pub turn_id: Option<String>,
    /// What the reply must carry back.
    pub echo: Vec<(String, String)>,
}

/// [`Event`] with its secrets laid open, to be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedInput {
    /// Dialled these segments after the service code.
    Begin(Vec<String>),
    /// Typed this line.
    Line(String),
    /// Typed something, and this is the whole of it so far.
    Whole(String),
}

impl Default for ExpectedInput {
    fn default() -> Self {
        Self::Begin(Vec::new())
    }
}

/// One reply and its form on the wire.
pub struct ReplyRow {
    /// What is to be shown; none acknowledges a notice.
    pub reply: Option<TurnReply>,
    /// What the callback asked to have back.
    pub echo: Vec<(String, String)>,
    /// The `Content-Type`.
    pub content_type: &'static str,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: &'static str,
}

/// The gateway with this name, as the configuration finds it.
pub fn gateway(name: &str) -> Box<dyn UssdGateway> {
    let gateway = ussd_gateway(name).unwrap_or_else(|| panic!("{name} is not registered"));
    assert_eq!(gateway.name(), name);
    assert!(
        kiungo::gateways::USSD_GATEWAYS
            .iter()
            .any(|gateway| gateway.name == name),
        "{name} is not in the list of names"
    );
    gateway
}

/// Parses one row, and fails if any output gives away what it must not.
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
        Err(error) => format!("{error} {error:?}"),
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

/// Checks all rows.
pub fn check_requests(gateway: &dyn UssdGateway, rows: &[RequestRow]) {
    for row in rows {
        let got = parse(gateway, row);
        assert_eq!(got, row.want, "{}", row.name);
    }
}

/// Checks all replies: each is a 200 in the dialect, and its own characters are no more than the overhead says.
pub fn check_replies(gateway: &dyn UssdGateway, rows: &[ReplyRow]) {
    for row in rows {
        let wire = gateway.render(row.reply.as_ref(), &row.echo);
        let name = row.body;
        assert_eq!(wire.status, 200, "{name:?}");
        assert_eq!(String::from_utf8(wire.body).unwrap(), row.body);
        assert_eq!(wire.content_type, row.content_type, "{name:?}");
        assert_eq!(wire.headers, row.headers, "{name:?}");
    }
}

/// Checks the limits on each network, and that no network's are beyond what USSD can carry.
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

fn to_expected(parsed: Result<UssdRequest, ParseError>) -> ExpectedRequest {
    let number = |msisdn: &Msisdn| msisdn.as_str().to_owned();
    match parsed {
        Ok(UssdRequest::Turn(callback)) => ExpectedRequest::Turn(ExpectedCallback {
            dialog: callback.dialog,
            msisdn: number(&callback.msisdn),
            network: callback.network,
            service_code: callback.service_code,
            did: match callback.input {
                TurnEvent::Begin { dialed: dialled } => ExpectedInput::Begin(dialled),
                TurnEvent::Latest(line) => ExpectedInput::Line(line.expose().to_owned()),
                TurnEvent::Cumulative(text) => ExpectedInput::Whole(text.expose().to_owned()),
                TurnEvent::Sms(_) => panic!("an SMS from a gateway of USSD"),
            },
            turn_id: callback.turn_id,
            echo: callback.echo,
        }),
        Ok(UssdRequest::DialogEnd(notice)) => ExpectedRequest::Notice {
            dialog: notice.dialog,
            msisdn: notice.msisdn.as_ref().map(number),
            closed: notice.end,
        },
        Err(error) => ExpectedRequest::Refused(error),
    }
}

/// What no output of this row may hold: the number and its end, everything typed, and what the row names itself.
fn leaked_secrets(row: &RequestRow, got: &ExpectedRequest) -> Vec<String> {
    let mut secrets = row.hidden.clone();
    let msisdn = match got {
        ExpectedRequest::Turn(turn) => {
            match &turn.did {
                ExpectedInput::Begin(segments) => secrets.extend(segments.iter().cloned()),
                ExpectedInput::Line(text) | ExpectedInput::Whole(text) => {
                    secrets.push(text.clone());
                    secrets.extend(text.split('*').map(str::to_owned));
                }
            }
            Some(&turn.msisdn)
        }
        ExpectedRequest::Notice { msisdn, .. } => msisdn.as_ref(),
        ExpectedRequest::Refused(_) => None,
    };
    if let Some(msisdn) = msisdn {
        secrets.push(msisdn.trim_start_matches('+').to_owned());
        secrets.push(msisdn[msisdn.len() - 6..].to_owned());
    }
    secrets.retain(|secret| secret.chars().count() >= MIN_LEAK_BYTES);
    secrets
}

/// A gateway that puts what it should not into a field that is printed.
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

    fn parse(&self, request: &RawRequest<'_>) -> Result<UssdRequest, ParseError> {
        let typed = String::from_utf8_lossy(request.body).into_owned();
        Ok(UssdRequest::Turn(UssdCallback {
            dialog: "1".to_owned(),
            msisdn: Msisdn::parse("+254711000001", request.country).unwrap(),
            network: Some(typed.clone()),
            service_code: None,
            input: TurnEvent::Latest(Secret::new(typed)),
            turn_id: None,
            echo: Vec::new(),
        }))
    }

    fn render(&self, _reply: Option<&TurnReply>, _echo: &[(String, String)]) -> WireReply {
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
