//! Whether a body is one that can be read as it came.
//!
//! Nothing here unpacks a body: what a few packed bytes unfold to has no bound. And all text is UTF-8.

use actix_web::HttpResponse;
use actix_web::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};

/// The one content coding that is read: none.
pub(super) const CODINGS: &str = "identity";

/// Character sets that are UTF-8, or a part of it.
const UTF8: [&str; 5] = ["utf-8", "utf8", "us-ascii", "ascii", "unicode-1-1-utf-8"];
/// Character sets whose ASCII is ASCII. Gateways name them by habit.
const ASCII_SUPERSETS: [&str; 6] = [
    "iso-8859-1",
    "latin1",
    "iso_8859-1",
    "iso-8859-15",
    "windows-1252",
    "cp1252",
];

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undecodable {
    /// It has a content coding.
    Coding,
    /// It is written in another character set.
    Charset,
}

/// Whether `body` can be read as these headers describe it.
pub(super) fn check(headers: &HeaderMap, body: &[u8]) -> Result<(), Undecodable> {
    if body.is_empty() {
        return Ok(());
    }
    let codings = headers.get_all(CONTENT_ENCODING).map(HeaderValue::as_bytes);
    let mut codings = codings.flat_map(|value| value.split(|byte| *byte == b','));
    if !codings.all(|coding| coding.trim_ascii().is_empty() || coding.trim_ascii().eq_ignore_ascii_case(b"identity")) {
        return Err(Undecodable::Coding);
    }
    let Some(charset) = charset(headers) else {
        return Ok(());
    };
    let is_one_of = |known: &[&str]| known.iter().any(|known| charset.eq_ignore_ascii_case(known));
    if is_one_of(&UTF8) || (is_one_of(&ASCII_SUPERSETS) && body.is_ascii()) {
        Ok(())
    } else {
        Err(Undecodable::Charset)
    }
}

/// The character set that a content type names.
fn charset(headers: &HeaderMap) -> Option<String> {
    let declared = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let mut parameters = declared
        .split(';')
        .skip(1)
        .filter_map(|parameter| parameter.split_once('='));
    let (_, value) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(value.trim().trim_matches('"').to_owned())
}

/// The answer to a caller that is not told more.
pub(super) fn refusal(why: Undecodable) -> HttpResponse {
    let mut response = HttpResponse::UnsupportedMediaType();
    if why == Undecodable::Coding {
        response.insert_header((ACCEPT_ENCODING, CODINGS));
    }
    response.finish()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    /// A body is read as it came or not at all; without a body nothing has to be read.
    #[test]
    fn bodies_are_read_as_they_came() {
        let ascii: &[u8] = b"{}";
        let (coding, charset) = (Err(Undecodable::Coding), Err(Undecodable::Charset));
        for (name, value, body, want) in [
            ("content-encoding", "identity", ascii, Ok(())),
            ("content-encoding", "", ascii, Ok(())),
            ("content-encoding", "gzip", ascii, coding),
            ("content-encoding", "GZIP", ascii, coding),
            ("content-encoding", "identity, br", ascii, coding),
            ("content-encoding", "aes128gcm", ascii, coding),
            ("content-encoding", "gzip", b"", Ok(())),
            ("content-type", "application/json", b"\xff", Ok(())),
            (
                "content-type",
                "application/json; charset=utf-8",
                "\u{e9}".as_bytes(),
                Ok(()),
            ),
            ("content-type", "application/json;Charset=\"UTF8\"", ascii, Ok(())),
            (
                "content-type",
                "text/plain; format=flowed; charset = us-ascii ",
                ascii,
                Ok(()),
            ),
            ("content-type", "text/plain; charset=ISO-8859-1", ascii, Ok(())),
            ("content-type", "text/plain; charset=ISO-8859-1", b"\xe9", charset),
            ("content-type", "application/json; charset=utf-16", ascii, charset),
            ("content-type", "application/json; charset=utf-7", ascii, charset),
            ("content-type", "application/json; charset=utf-16", b"", Ok(())),
        ] {
            let request = TestRequest::default().insert_header((name, value)).to_http_request();
            assert_eq!(check(request.headers(), body), want, "{name}: {value}");
        }
    }
}
