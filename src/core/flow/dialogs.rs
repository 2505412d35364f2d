//! Is this callback new, a repeat, late, or in a dialog that is no longer in charge?
//!
//! Gateways repeat callbacks, also at once and on two nodes; they deliver late and out of order; some start several
//! sessions for one dial. A cumulative gateway sends everything typed so far, and the new line is that text minus what
//! was seen: never what follows the last `*`, which may stand inside an answer. A gateway that sends only the latest line
//! cannot be told from a person who presses the same key twice, unless it numbers its turns: then a number that was seen
//! is a repeat, whatever the line.

use std::time::Duration;

use super::state::{Answer, ConnectSession, Cursor, DIALOGS, Dialog, Seen, Slot, Subscriber};
use super::{Flow, Input};
use crate::core::secret::Secret;
use crate::core::time::Timestamp;

/// After this long a session id that comes again is a new dialog: gateways recycle them, and none lasts longer.
const RECYCLED: Duration = Duration::from_mins(10);

/// So many of the gateway's numbers for turns are remembered: more than come within the half minute in which repeats do.
const TURNS: usize = 12;

/// What a person typed, as the gateway hands it on.
#[derive(Clone, Copy)]
pub enum Typed<'a> {
    /// Dialled, with these segments after the code.
    Begin(&'a [String]),
    /// Only the latest line. Without [`Seat::turn`] the same line again is another key press, once the first is answered.
    Line(&'a str),
    /// All lines so far, joined by `*`.
    Whole(&'a str),
}

/// The dialog a callback belongs to.
pub struct Seat<'a> {
    /// Digest of the gateway's own name for it.
    pub key: [u8; 32],
    /// The channel it came on.
    pub channel: &'a str,
    /// Septets of one page on it, the dialect's own taken off.
    pub septets: usize,
    /// How long the network lets a dialog last.
    pub lasts: Duration,
    /// For how much of that a screen may ask something, see [`crate::core::budget::asks_for`].
    pub asks: Duration,
    /// Digest of the gateway's own number for this callback, where it has one.
    pub turn: Option<u64>,
}

/// What to do with a callback.
pub enum Verdict {
    /// Step with this; the dialog is now the first one and has taken the text in.
    Step(Input),
    /// Answer what stands in this slot; nothing changes.
    Repeat(Slot),
    /// The dialog is over: say so.
    Over,
    /// Another dialog of the same person is in charge: say so.
    Elsewhere,
}

/// Digests typed text under a key.
pub type Digest<'a> = &'a dyn Fn(&str) -> [u8; 32];

impl Flow {
    /// Decides what a callback is, and takes it into the dialogs if it is to be stepped with.
    pub fn admit(
        state: &mut Subscriber,
        seat: &Seat<'_>,
        typed: Typed<'_>,
        now: Timestamp,
        digest: Digest<'_>,
    ) -> Verdict {
        let key = seat.key;
        let known = state.dialogs.iter().position(|dialog| dialog.key == key);
        let recycled = |dialog: &Dialog| matches!(typed, Typed::Begin(_)) && now.since(dialog.started_at) > RECYCLED;
        let Some(index) = known.filter(|&index| !recycled(&state.dialogs[index])) else {
            state.dialogs.retain(|dialog| dialog.key != key);
            return begin(state, seat, typed, now, digest);
        };
        let dialog = &state.dialogs[index];
        if seat.turn.is_some_and(|turn| dialog.turns.contains(&turn)) {
            return Verdict::Repeat(dialog.reply.clone());
        }
        let line = match (typed, &dialog.reply) {
            (Typed::Begin(_), slot) => return Verdict::Repeat(slot.clone()),
            (Typed::Line(line), slot @ Slot::Pending { .. }) if dialog.seen == seen(line, digest) => {
                return Verdict::Repeat(slot.clone());
            }
            (Typed::Line(line), _) => Some(line),
            (Typed::Whole(text), slot) if text.len() <= dialog.seen.len => return Verdict::Repeat(slot.clone()),
            (Typed::Whole(text), _) => after(text, dialog.seen, digest),
        };
        if dialog.closed {
            return Verdict::Over;
        }
        // Some networks start several sessions for one dial and go on with either: an older dialog may take over as long
        // as the newest has not been used.
        if index > 0 && state.dialogs[0].stepped {
            return Verdict::Elsewhere;
        }
        if index > 0 && matches!(state.dialogs[0].reply, Slot::Pending { .. }) {
            return Verdict::Elsewhere;
        }
        // What it shows is then not what the newest one shows: what was typed there is no answer to that.
        state.cursor.moved |= state.dialogs[0].reply != state.dialogs[index].reply;
        let mut dialog = state.dialogs.remove(index);
        dialog.seen = match typed {
            Typed::Begin(_) => dialog.seen,
            Typed::Line(text) | Typed::Whole(text) => seen(text, digest),
        };
        dialog.stepped = true;
        take_turn(&mut dialog, seat.turn);
        state.dialogs.insert(0, dialog);
        Verdict::Step(line.map_or(Input::Again, |line| Input::Line(Secret::new(line))))
    }

    /// The message for a callback of a dialog that is not in charge: where the person has gone on instead.
    pub fn elsewhere(state: &Subscriber) -> &'static str {
        let by_text = state.dialogs.first().is_some_and(|dialog| dialog.by_text.is_some());
        if by_text { "elsewhere-by-text" } else { "elsewhere" }
    }

    /// Marks a dialog as over, as its gateway says. What was submitted goes on. A result that stood only in the dialog's
    /// last answer is told again on the next dial, unless the gateway says that this answer was `delivered`: one that came
    /// too late for the gateway was shown to nobody. Says whether anything has changed.
    pub fn close(state: &mut Subscriber, key: &[u8; 32], delivered: bool) -> bool {
        let open = |dialog: &&mut Dialog| dialog.key == *key && !dialog.closed;
        let closed = state.dialogs.iter_mut().find(open).map(|dialog| dialog.closed = true);
        let told = |session: &&mut ConnectSession| !delivered && session.told_in == Some(*key);
        let untold = state.session.as_mut().filter(told).map(|session| {
            session.told = false;
            session.told_in = None;
        });
        closed.or(untold).is_some()
    }
}

/// Remembers the gateway's number of a turn that is taken.
pub(super) fn take_turn(dialog: &mut Dialog, turn: Option<u64>) {
    dialog.turns.extend(turn);
    let forgotten = dialog.turns.len().saturating_sub(TURNS);
    dialog.turns.drain(..forgotten);
}

/// A dialog nobody has seen. Text in its first callback was dialled behind the code, or typed into a dialog that was
/// lost with the store: both are taken only as choices up to the first consent or secret.
fn begin(state: &mut Subscriber, seat: &Seat<'_>, typed: Typed<'_>, now: Timestamp, digest: Digest<'_>) -> Verdict {
    let (extras, seen) = match typed {
        Typed::Begin(extras) => (
            extras.iter().map(|extra| Secret::new(extra.as_str())).collect(),
            seen("", digest),
        ),
        Typed::Line(text) => (Vec::new(), seen(text, digest)),
        Typed::Whole(text) => (
            text.split('*').take(MOST_EXTRAS).map(Secret::new).collect(),
            seen(text, digest),
        ),
    };
    state.dialogs.insert(
        0,
        Dialog {
            key: seat.key,
            channel: seat.channel.to_owned(),
            septets: seat.septets,
            started_at: now,
            ends_at: now.plus(seat.lasts),
            asks_until: Some(now.plus(seat.asks)),
            seen,
            reply: Slot::Set(Answer {
                end: true,
                text: String::new(),
            }),
            closed: false,
            stepped: false,
            unlocked: false,
            turns: seat.turn.into_iter().collect(),
            by_text: None,
        },
    );
    state.dialogs.truncate(DIALOGS);
    state.cursor = Cursor::default();
    Verdict::Step(Input::Begin(extras))
}

/// More segments than this behind a code are nobody's menu choices.
const MOST_EXTRAS: usize = 8;

/// The line that `text` adds to what was seen; `None` when it does not continue it.
fn after<'a>(text: &'a str, before: Seen, digest: Digest<'_>) -> Option<&'a str> {
    let (prefix, line) = text.split_at_checked(before.len)?;
    if digest(prefix) != before.digest {
        return None;
    }
    if before.len == 0 {
        Some(line)
    } else {
        line.strip_prefix('*')
    }
}

fn seen(text: &str, digest: Digest<'_>) -> Seen {
    Seen {
        len: text.len(),
        digest: digest(text),
    }
}
