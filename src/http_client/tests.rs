//! What the client understands of an answer by itself.

use super::*;

/// A pause is read in both spellings of the standard, and nobody can make us wait for ever.
#[test]
fn a_pause_is_seconds_or_a_date() {
    let date = "Wed, 21 Oct 2026 07:28:00 GMT";
    for (retry, date, want) in [
        ("120", None, Some(120)),
        (" 7 ", None, Some(7)),
        ("999999999", None, Some(86_400)),
        ("Wed, 21 Oct 2026 07:28:30 GMT", Some(date), Some(30)),
        ("Wed, 21 Oct 2026 07:27:30 GMT", Some(date), Some(0)),
        ("Wed, 21 Oct 2026 07:28:30 GMT", None, None),
        ("soon", None, None),
        ("-1", None, None),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(retry));
        if let Some(date) = date {
            headers.insert(header::DATE, HeaderValue::from_static(date));
        }
        assert_eq!(retry_after(&headers), want.map(Duration::from_secs), "{retry}");
    }
}
