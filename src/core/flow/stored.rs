//! How a live value is written before it is sealed: a byte that says which format follows, then `MessagePack` with the
//! names of fields.
//!
//! Names, so that nodes of two versions can read each other's values during a rolling deploy: an unknown field is passed over, and
//! one that is not there has its default. Fields with their default are not written at all. A format that differs in more than its
//! fields gets another first byte, and must be readable for one release before it is written. Values that begin with `{` are JSON, as
//! all of them were once; the versions that wrote them do not read this format, see OPERATIONS.md on upgrading.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::state::Subscriber;

/// The first byte of a value that is written now.
pub(super) const NAMED_MESSAGE_PACK: u8 = 1;

/// Most values are smaller, in bytes. What a larger one leaves behind while it grows is wiped when it is freed, as everything is.
const CAPACITY: usize = 2048;

/// It is in no format that is known here, or has no form in the one that is written. Says nothing of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormatError;

#[derive(Serialize)]
struct Written<'a> {
    revision: u64,
    state: &'a Subscriber,
}

#[derive(Deserialize)]
struct Read {
    revision: u64,
    state: Box<Subscriber>,
}

/// The bytes of a state, as of this revision.
///
/// # Errors
/// When the state has no form in the format.
pub fn encode(state: &Subscriber, revision: u64) -> Result<Zeroizing<Vec<u8>>, FormatError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(CAPACITY));
    bytes.push(NAMED_MESSAGE_PACK);
    let mut format = rmp_serde::Serializer::new(&mut *bytes).with_struct_map();
    let written = Written { revision, state }.serialize(&mut format);
    written.map(|()| bytes).map_err(|_| FormatError)
}

/// The state in these bytes, with its revision.
///
/// # Errors
/// When they are in no format that is known here.
pub fn decode(bytes: &[u8]) -> Result<Box<Subscriber>, FormatError> {
    match bytes.split_first() {
        Some((&NAMED_MESSAGE_PACK, packed)) => {
            let Read { revision, mut state } = rmp_serde::from_slice(packed).map_err(|_| FormatError)?;
            state.revision = revision;
            Ok(state)
        }
        Some((b'{', _)) => serde_json::from_slice(bytes).map_err(|_| FormatError),
        _ => Err(FormatError),
    }
}
