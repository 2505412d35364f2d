//! Is this callback new, a repeat, late, or in a dialog that is no longer in charge?
//!
//! Gateways repeat callbacks, also at once and on two nodes; they deliver late and out of order; some start several
//! sessions for one dial. A cumulative gateway sends everything typed so far, and the new line is that text minus what
//! was seen: never what follows the last `*`, which may stand inside an answer. A gateway that sends only the latest line
//! cannot be told from a person who presses the same key twice, unless it numbers its turns: then a number that was seen
//! is a repeat, whatever the line.

use std::time::Duration;

use super::state::{ConnectSession, Dialog, MAX_DIALOGS, ReplySlot, ScreenCursor, Subscriber, TurnReply, TypedPrefix};
use super::{Flow, Input};
use crate::core::secret::Secret;
use crate::core::time::Timestamp;

/// After this long a session id that comes again is a new dialog: gateways recycle them, and none lasts longer.
const REUSE_AFTER: Duration = Duration::from_mins(10);

/// So many of the gateway's numbers for turns are remembered: more than come within the half minute in which repeats do.
const MAX_TURN_IDS: usize = 12;

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
    /// For how much of that a screen may ask something, see [`crate::core::budget::interactive_time`].
    pub asks: Duration,
    /// Digest of the gateway's own number for this callback, where it has one.
    pub turn: Option<u64>,
}

/// What to do with a callback.
pub enum DialogDecision {
    /// Step with this; the dialog is now the first one and has taken the text in.
    Step(Input),
    /// Answer what stands in this slot; nothing changes.
    Repeat(ReplySlot),
    /// The dialog is over: say so.
    Over,
    /// Another dialog of the same person is in charge: say so.
    Elsewhere,
}

/// Digests typed text under a key.
pub type DigestFn<'a> = &'a dyn Fn(&str) -> [u8; 32];

impl Flow {
    /// Decides what a callback is, and takes it into the dialogs if it is to be stepped with.
    pub fn admit(
        state: &mut Subscriber,
        seat: &Seat<'_>,
        typed: Typed<'_>,
        now: Timestamp,
        digest: DigestFn<'_>,
    ) -> DialogDecision {
        let key = seat.key;
        let known = state.dialogs.iter().position(|dialog| dialog.key == key);
        let recycled = |dialog: &Dialog| matches!(typed, Typed::Begin(_)) && now.since(dialog.started_at) > REUSE_AFTER;
        let Some(index) = known.filter(|&index| !recycled(&state.dialogs[index])) else {
            state.dialogs.retain(|dialog| dialog.key != key);
            return begin(state, seat, typed, now, digest);
        };
        let dialog = &state.dialogs[index];
        if seat.turn.is_some_and(|turn| dialog.turn_ids.contains(&turn)) {
            return DialogDecision::Repeat(dialog.reply.clone());
        }
        let line = match (typed, &dialog.reply) {
            (Typed::Begin(_), slot) => return DialogDecision::Repeat(slot.clone()),
            (Typed::Line(line), slot @ ReplySlot::Pending { .. })
                if dialog.typed_prefix == typed_prefix(line, digest) =>
            {
                return DialogDecision::Repeat(slot.clone());
            }
            (Typed::Line(line), _) => Some(line),
            (Typed::Whole(text), slot) if text.len() <= dialog.typed_prefix.len => {
                return DialogDecision::Repeat(slot.clone());
            }
            (Typed::Whole(text), _) => new_input(text, dialog.typed_prefix, digest),
        };
        if dialog.closed {
            return DialogDecision::Over;
        }
        // Some networks start several sessions for one dial and go on with either: an older dialog may take over as long
        // as the newest has not been used.
        if index > 0 && state.dialogs[0].used {
            return DialogDecision::Elsewhere;
        }
        if index > 0 && matches!(state.dialogs[0].reply, ReplySlot::Pending { .. }) {
            return DialogDecision::Elsewhere;
        }
        // What it shows is then not what the newest one shows: what was typed there is no answer to that.
        state.cursor.stale |= state.dialogs[0].reply != state.dialogs[index].reply;
        let mut dialog = state.dialogs.remove(index);
        dialog.typed_prefix = match typed {
            Typed::Begin(_) => dialog.typed_prefix,
            Typed::Line(text) | Typed::Whole(text) => typed_prefix(text, digest),
        };
        dialog.used = true;
        remember_turn_id(&mut dialog, seat.turn);
        state.dialogs.insert(0, dialog);
        DialogDecision::Step(line.map_or(Input::Redisplay, |line| Input::Line(Secret::new(line))))
    }

    /// The message for a callback of a dialog that is not in charge: where the person has gone on instead.
    pub fn elsewhere_message(state: &Subscriber) -> &'static str {
        let by_text = state.dialogs.first().is_some_and(|dialog| dialog.sms.is_some());
        if by_text { "elsewhere-by-text" } else { "elsewhere" }
    }

    /// Marks a dialog as over, as its gateway says. What was submitted goes on. A result that stood only in the dialog's
    /// last answer is told again on the next dial, unless the gateway says that this answer was `delivered`: one that came
    /// too late for the gateway was shown to nobody. Says whether anything has changed.
    pub fn mark_closed(state: &mut Subscriber, key: &[u8; 32], delivered: bool) -> bool {
        let open = |dialog: &&mut Dialog| dialog.key == *key && !dialog.closed;
        let closed = state.dialogs.iter_mut().find(open).map(|dialog| dialog.closed = true);
        let told = |session: &&mut ConnectSession| !delivered && session.shown_in == Some(*key);
        let untold = state.session.as_mut().filter(told).map(|session| {
            session.shown = false;
            session.shown_in = None;
        });
        closed.or(untold).is_some()
    }
}

/// Remembers the gateway's number of a turn that is taken.
pub(super) fn remember_turn_id(dialog: &mut Dialog, turn: Option<u64>) {
    dialog.turn_ids.extend(turn);
    let forgotten = dialog.turn_ids.len().saturating_sub(MAX_TURN_IDS);
    dialog.turn_ids.drain(..forgotten);
}

/// A dialog nobody has seen. Text in its first callback was dialled behind the code, or typed into a dialog that was
/// lost with the store: both are taken only as choices up to the first consent or secret.
fn begin(
    state: &mut Subscriber,
    seat: &Seat<'_>,
    typed: Typed<'_>,
    now: Timestamp,
    digest: DigestFn<'_>,
) -> DialogDecision {
    let (extras, seen) = match typed {
        Typed::Begin(extras) => (
            extras.iter().map(|extra| Secret::new(extra.as_str())).collect(),
            typed_prefix("", digest),
        ),
        Typed::Line(text) => (Vec::new(), typed_prefix(text, digest)),
        Typed::Whole(text) => (
            text.split('*').take(MAX_EXTRAS).map(Secret::new).collect(),
            typed_prefix(text, digest),
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
            interactive_until: Some(now.plus(seat.asks)),
            typed_prefix: seen,
            reply: ReplySlot::Set(TurnReply {
                end: true,
                text: String::new(),
            }),
            closed: false,
            used: false,
            unlocked: false,
            turn_ids: seat.turn.into_iter().collect(),
            sms: None,
        },
    );
    state.dialogs.truncate(MAX_DIALOGS);
    state.cursor = ScreenCursor::default();
    DialogDecision::Step(Input::Begin(extras))
}

/// More segments than this behind a code are nobody's menu choices.
const MAX_EXTRAS: usize = 8;

/// The line that `text` adds to what was seen; `None` when it does not continue it.
fn new_input<'a>(text: &'a str, before: TypedPrefix, digest: DigestFn<'_>) -> Option<&'a str> {
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

fn typed_prefix(text: &str, digest: DigestFn<'_>) -> TypedPrefix {
    TypedPrefix {
        len: text.len(),
        digest: digest(text),
    }
}
