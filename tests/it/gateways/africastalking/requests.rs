//! Callbacks in: what was typed, by whom, and what is refused.

use kiungo::gateways::ParseError;

use super::{HEAD, SESSION, refused, turn, typed, whole};
use crate::gateways::kit::{self, ExpectedCallback, ExpectedInput, ExpectedRequest, RequestRow};

/// A callback with this body.
fn form(name: &'static str, body: impl Into<Vec<u8>>, want: ExpectedRequest) -> RequestRow {
    let hidden = vec!["0711000001".to_owned(), "254711000001".to_owned(), "s3cret".to_owned()];
    RequestRow {
        name,
        body: body.into(),
        hidden,
        want,
        ..RequestRow::default()
    }
}

/// What a person types arrives exactly as it was typed, or not at all.
#[test]
fn typed_text_is_exact_or_refused() {
    let encoding = || refused(ParseError::Encoding);
    kit::check_requests(
        &*kit::gateway("africastalking"),
        &[
            typed(
                "just dialled",
                "",
                ExpectedRequest::Turn(turn(ExpectedInput::Begin(vec![]))),
            ),
            typed("first choice", "1", whole("1")),
            typed("cumulative", "1%2A2%2A4444", whole("1*2*4444")),
            typed("star not encoded", "1*2*4444", whole("1*2*4444")),
            typed("star and hash in a password", "1*p%2A%23w*", whole("1*p*#w*")),
            typed("password with a plus and a blank", "1*a%2Bb+c%20d", whole("1*a+b c d")),
            typed("percent is decoded once", "1*100%2525", whole("1*100%25")),
            typed("ampersand and equals", "1*a%26text%3Db", whole("1*a&text=b")),
            typed("NUL", "1*%00abcd", whole("1*\0abcd")),
            typed(
                "ESC and line breaks",
                "%1B%5B31m%0D%0Aabcd",
                whole("\u{1b}[31m\r\nabcd"),
            ),
            typed("emoji", "%F0%9F%98%80pass", whole("😀pass")),
            typed(
                "zero-width joiner, right-to-left mark",
                "%E2%80%8D%E2%80%8Fword",
                whole("\u{200d}\u{200f}word"),
            ),
            typed(
                "full-width digits are left to the conversation",
                "%EF%BC%91%EF%BC%92",
                whole("１２"),
            ),
            typed("raw UTF-8", "1*ọ̀rẹ́", whole("1*ọ̀rẹ́")),
            typed("500 characters", "x".repeat(500), whole(&"x".repeat(500))),
            typed("as long as is taken", "x".repeat(4096), whole(&"x".repeat(4096))),
            typed("one more", "x".repeat(4097), refused(ParseError::TooLong)),
            typed(
                "encoded, as long as is taken",
                "%78".repeat(4096),
                whole(&"x".repeat(4096)),
            ),
            typed("16 KiB", "x".repeat(16 * 1024), refused(ParseError::TooLong)),
            typed("100,000 stars", "*".repeat(100_000), refused(ParseError::TooLong)),
            typed("encoded stars", "%2A".repeat(100_000), refused(ParseError::TooLong)),
            typed("byte that is no UTF-8", b"1*pass\xffword", encoding()),
            typed("the same encoded", "1*pass%FFword", encoding()),
            typed("overlong slash", "1*%C0%AF", encoding()),
            typed("overlong NUL", "1*%C0%80", encoding()),
            typed("lone surrogate", "1*%ED%A0%80", encoding()),
            typed("beyond Unicode", "1*%F4%90%80%80", encoding()),
            typed("cut character", "1*%E1%BB", encoding()),
            typed("Latin-1, whatever the charset says", "1*%E9t%E9", encoding()),
            typed("broken escape", "1*pass%2", encoding()),
            typed("escape that is none", "1*100%zz", encoding()),
            typed("not an escape", "%u0041", encoding()),
        ],
    );
}

fn field(name: &'static str) -> ExpectedRequest {
    refused(ParseError::Field(name))
}

/// The session's field, alone.
fn session() -> String {
    format!("sessionId={SESSION}")
}

/// The number's field, alone.
const NUMBER: &str = "phoneNumber=%2B254711000001";

/// Required fields must be there; the others may be missing, empty, in any order and next to unknown fields.
#[test]
fn fields_are_there() {
    let begin = || ExpectedRequest::Turn(turn(ExpectedInput::Begin(vec![])));
    let bare = ExpectedCallback {
        network: None,
        service_code: None,
        ..turn(ExpectedInput::Whole("1".to_owned()))
    };
    let (session, number) = (session(), NUMBER);
    kit::check_requests(
        &*kit::gateway("africastalking"),
        &[
            form(
                "only what is needed",
                format!("{session}&{number}&text=1"),
                ExpectedRequest::Turn(bare.clone()),
            ),
            form(
                "empty network and code",
                format!("{session}&{number}&networkCode=&serviceCode=&text=1"),
                ExpectedRequest::Turn(bare),
            ),
            form(
                "other order, more fields",
                format!("extra=%&text=&x&{}", &HEAD[..HEAD.len() - 6]),
                begin(),
            ),
            form("nothing", "", field("sessionId")),
            form("no session", format!("{number}&text=1"), field("sessionId")),
            form(
                "empty session",
                format!("sessionId=&{number}&text=1"),
                field("sessionId"),
            ),
            form(
                "line break in the session",
                format!("sessionId=a%0Ab&{number}&text=1"),
                field("sessionId"),
            ),
            form("no number", format!("{session}&text=s3cret"), field("phoneNumber")),
            form("no text", format!("{session}&{number}"), field("text")),
            form("names are exact", format!("{session}&{number}&Text=1"), field("text")),
            form(
                "array names are other names",
                format!("{session}&{number}&text[]=1"),
                field("text"),
            ),
            form(
                "JSON",
                format!("{{\"sessionId\":\"{SESSION}\",\"text\":\"s3cret\"}}"),
                field("sessionId"),
            ),
        ],
    );
}

/// A field given twice is refused by name: it is unknown which of the two was meant.
#[test]
fn fields_are_there_once() {
    let (session, number) = (session(), NUMBER);
    kit::check_requests(
        &*kit::gateway("africastalking"),
        &[
            form("text twice", format!("{HEAD}s3cret&text=s3cret"), field("text")),
            form(
                "text twice, once disguised",
                format!("{HEAD}1&%74ext=s3cret"),
                field("text"),
            ),
            form("number twice", format!("{HEAD}1&{number}"), field("phoneNumber")),
            form("session twice", format!("{HEAD}1&{session}"), field("sessionId")),
            form(
                "network twice",
                format!("{HEAD}1&networkCode=63903"),
                field("networkCode"),
            ),
            form(
                "code twice",
                format!("{HEAD}1&serviceCode=s3cret"),
                field("serviceCode"),
            ),
        ],
    );
}

/// A field that cannot be decoded, or is too long, is refused rather than altered or truncated.
#[test]
fn fields_are_readable() {
    let (session, number) = (session(), NUMBER);
    kit::check_requests(
        &*kit::gateway("africastalking"),
        &[
            form(
                "session not UTF-8",
                format!("sessionId=%FF&{number}&text=1"),
                refused(ParseError::Encoding),
            ),
            form(
                "number not UTF-8",
                format!("{session}&phoneNumber=%FF&text=1"),
                refused(ParseError::Encoding),
            ),
            form(
                "network not UTF-8",
                format!("{session}&{number}&networkCode=%C0%AF&text=1"),
                refused(ParseError::Encoding),
            ),
            form(
                "long session",
                format!("sessionId={}&{number}&text=1", "a".repeat(129)),
                refused(ParseError::TooLong),
            ),
        ],
    );
}

/// Method and content type do not matter.
#[test]
fn any_method_any_content_type() {
    let query = format!("{HEAD}1*s3cret").into_bytes();
    let rows = [
        RequestRow {
            name: "GET",
            method: "GET",
            query: query.clone(),
            headers: &[],
            ..RequestRow::default()
        },
        RequestRow {
            name: "POST with a query",
            query: query.clone(),
            ..RequestRow::default()
        },
        RequestRow {
            name: "PUT",
            method: "PUT",
            body: query.clone(),
            ..RequestRow::default()
        },
        RequestRow {
            name: "no content type",
            headers: &[],
            body: query.clone(),
            ..RequestRow::default()
        },
        RequestRow {
            name: "another content type",
            headers: &[("content-type", "application/json; charset=latin1")],
            body: query.clone(),
            ..RequestRow::default()
        },
        RequestRow {
            name: "our own query besides",
            query: b"env=prod".to_vec(),
            body: query.clone(),
            ..RequestRow::default()
        },
    ]
    .map(|row| RequestRow {
        want: whole("1*s3cret"),
        ..row
    });
    let gateway = kit::gateway("africastalking");
    kit::check_requests(&*gateway, &rows);
    let both = RequestRow {
        name: "in query and body",
        query: query.clone(),
        body: query,
        want: refused(ParseError::Field("sessionId")),
        ..RequestRow::default()
    };
    kit::check_requests(&*gateway, &[both]);
}

/// However the number is written, it is one person or nobody.
#[test]
fn numbers_are_one_person() {
    let gateway = kit::gateway("africastalking");
    let with =
        |spelling: &str, want: ExpectedRequest| form("a number", HEAD.replace("%2B254711000001", spelling) + "1", want);
    for spelling in [
        "%2B254711000001",
        "+254711000001",
        "%20254711000001",
        "254711000001",
        "0711000001",
        "00254711000001",
        "tel%3A%2B254711000001",
        "%2B254+711-000-001",
        "%EF%BC%8B254711000001",
    ] {
        kit::check_requests(&*gateway, &[with(spelling, whole("1"))]);
    }
    for spelling in [
        "",
        "%2B",
        "%2B254202012345",
        "384",
        "%2B2547110000011111",
        "%2B25471100000I",
        "anonymous",
        "%00",
    ] {
        kit::check_requests(&*gateway, &[with(spelling, refused(ParseError::Msisdn))]);
    }
    let long = with(&"1".repeat(65), refused(ParseError::TooLong));
    kit::check_requests(&*gateway, &[long]);
}
