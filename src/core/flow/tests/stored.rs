//! Live values as they are written, and as earlier and later versions write them.

use serde_json::{Value, json};

use super::phone::Phone;
use crate::core::flow::state::Subscriber;
use crate::core::flow::stored::{FormatError, NAMED_MESSAGE_PACK, decode, encode};

fn packed(state: &Value) -> Vec<u8> {
    let named = rmp_serde::to_vec_named(&json!({ "revision": 7, "state": state })).unwrap();
    [&[NAMED_MESSAGE_PACK], named.as_slice()].concat()
}

fn read(bytes: &[u8]) -> Subscriber {
    *decode(bytes).unwrap()
}

/// A node of a later version may write fields that this one does not know, and one of an earlier version leaves out those that
/// it does not know: neither locks anybody out.
#[test]
fn other_versions_are_understood() {
    let least = json!({ "msisdn": "+2348031234567", "locale": "en", "cursor": { "screen": "" },
        "turn_bucket": { "taken": 0, "at": 0 } });
    let mut later = least.clone();
    later["of_a_later_version"] = json!({ "nobody": ["knows", 1, null] });
    let known = read(&packed(&least));
    assert_eq!(known.revision, 7);
    assert!(read(&packed(&later)) == known);
}

/// The values of before were JSON, with all fields and with bytes as numbers.
#[test]
fn json_is_read() {
    let phone = Phone::linked();
    let json = serde_json::to_value(&phone.state).unwrap();
    let mut old = json.clone();
    old["revision"] = json!(7);
    for absent in ["recovery", "requests", "pin", "last_institution"] {
        old[absent] = Value::Null;
    }
    old["session"]["shown_in"] = json!(vec![7; 32]);
    let state = read(old.to_string().as_bytes());
    assert_eq!((state.revision, state.session.unwrap().shown_in), (7, Some([7; 32])));
    assert!(state.dialogs == phone.state.dialogs);
}

/// Bytes that nobody here has written are refused, also those that only begin well.
#[test]
fn other_bytes_are_refused() {
    let whole = encode(&Phone::linked().state, 7).unwrap();
    for bytes in [
        &[][..],
        b"{",
        b"{}",
        b"x",
        &[NAMED_MESSAGE_PACK],
        &[2],
        &whole[..whole.len() / 2],
    ] {
        assert!(matches!(decode(bytes), Err(FormatError)), "{bytes:?}");
    }
}

/// In the middle of the list of banks a value is as small as its screen and what was agreed to let it be.
#[test]
fn a_value_is_small() {
    let phone = Phone::at_banks();
    assert!(phone.says().contains("Choose"), "{}", phone.says());
    let bytes = encode(&phone.state, 7).unwrap();
    assert!(bytes.len() <= 1_200, "{} bytes", bytes.len());
}
