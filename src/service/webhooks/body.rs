//! The body of a webhook.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::core::time::Timestamp;
use crate::records::PartnerEvent;

/// The JSON of an event: the same bytes on every try.
pub(super) fn encode(event: &PartnerEvent) -> Vec<u8> {
    let (kind, at, data) = (event.kind.as_str(), rfc3339(event.at), &event.data);
    format!(r#"{{"type":"{kind}","timestamp":"{at}","data":{data}}}"#).into_bytes()
}

/// A time in RFC 3339, in UTC with milliseconds.
fn rfc3339(at: Timestamp) -> String {
    DateTime::<Utc>::from_timestamp_millis(at.as_millis())
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::events::EventKind;
    use crate::core::ids::{EventId, PartnerId};

    /// What partners' programs read stays as it is, byte by byte.
    #[test]
    fn a_webhook_is_small_and_flat() {
        let event = PartnerEvent {
            id: EventId::from_bytes([1; 16]),
            partner: PartnerId::from_bytes([2; 16]),
            entity: None,
            created_by: None,
            kind: EventKind::LinkCreated,
            subject: [3; 16],
            sequence: 1,
            data: r#"{"link_id":"03030303-0303-0303-0303-030303030303","sequence":1}"#.to_owned(),
            at: Timestamp::from_millis(1_780_000_000_007),
        };
        assert_eq!(
            String::from_utf8(encode(&event)).unwrap(),
            concat!(
                r#"{"type":"link.created","timestamp":"2026-05-28T20:26:40.007Z","#,
                r#""data":{"link_id":"03030303-0303-0303-0303-030303030303","sequence":1}}"#
            )
        );
    }
}
