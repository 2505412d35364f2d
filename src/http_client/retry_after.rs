//! `Retry-After`, for everybody we call: providers, SMS gateways, webhook receivers.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use reqwest::header::{self, HeaderMap};

use crate::core::time::Timestamp;

/// The longest pause that is honoured.
const MAX: Duration = Duration::from_hours(24);

/// How long we are asked to wait, at most a day. A date is compared with the answer's own `Date`, so that no clocks have to
/// agree; where there is none, the moment at which the answer came stands in for it (RFC 9110 section 6.6.1).
pub(super) fn retry_after(headers: &HeaderMap, received_at: Timestamp) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let wanted = text(header::RETRY_AFTER)?;
    if !wanted.is_empty() && wanted.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are more than a day.
        return Some(wanted.parse().map_or(MAX, Duration::from_secs).min(MAX));
    }
    let until = http_date(wanted)?;
    let since = text(header::DATE).and_then(http_date);
    let since = since.or_else(|| DateTime::from_timestamp_millis(received_at.as_millis()))?;
    Some((until - since).to_std().unwrap_or_default().min(MAX))
}

/// A date in each of the three spellings that everybody must read (RFC 9110 section 5.6.7).
fn http_date(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(date) = DateTime::parse_from_rfc2822(text) {
        return Some(date.to_utc());
    }
    let obsolete = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    let mut read = obsolete
        .into_iter()
        .map(|format| NaiveDateTime::parse_from_str(text, format));
    read.find_map(Result::ok).map(|date| date.and_utc())
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    /// A pause is read in all spellings of the standard, with and without the date of the answer, and nobody can make us wait
    /// for ever.
    #[test]
    fn a_pause_is_seconds_or_a_date() {
        let date = "Wed, 21 Oct 2026 07:28:00 GMT";
        let received_at = DateTime::parse_from_rfc2822("Wed, 21 Oct 2026 07:26:00 GMT").unwrap();
        let received_at = Timestamp::from_millis(received_at.timestamp_millis());
        for (retry, date, want) in [
            ("120", None, Some(120)),
            (" 7 ", None, Some(7)),
            ("0", Some(date), Some(0)),
            ("999999999", None, Some(86_400)),
            ("99999999999999999999999", None, Some(86_400)),
            ("Wed, 21 Oct 2026 07:28:30 GMT", Some(date), Some(30)),
            ("Wed, 21 Oct 2026 07:27:30 GMT", Some(date), Some(0)),
            ("Wed, 21 Oct 2026 07:28:30 GMT", None, Some(150)),
            ("Wed, 21 Oct 2026 07:25:30 GMT", None, Some(0)),
            ("Wed, 21 Oct 2026 07:28:30 GMT", Some("yesterday"), Some(150)),
            ("Wednesday, 21-Oct-26 07:28:30 GMT", None, Some(150)),
            ("Wed Oct 21 07:28:30 2026", None, Some(150)),
            ("Wed Oct  7 07:28:30 2026", Some("Wed Oct  7 07:28:00 2026"), Some(30)),
            ("Wed, 21 Oct 2099 07:28:30 GMT", None, Some(86_400)),
            ("soon", None, None),
            ("-1", None, None),
            ("", None, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(retry));
            if let Some(date) = date {
                headers.insert(header::DATE, HeaderValue::from_static(date));
            }
            let found = retry_after(&headers, received_at);
            assert_eq!(found, want.map(Duration::from_secs), "{retry} {date:?}");
        }
    }
}
