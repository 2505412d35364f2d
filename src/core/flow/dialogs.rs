//! Is this callback new, a repeat, late, or in a dialog that is no longer in charge?
//!
//! Gateways repeat callbacks, also at once and on two nodes; they deliver late and out of order; some start several
//! sessions for one dial. A cumulative gateway sends everything typed so far, and the new line is that text minus what
//! was seen: never what follows the last `*`, which may be part of an answer. A gateway that sends only the latest line
//! cannot be told from a person who presses the same key twice, unless it numbers its turns: then a number that was seen
//! is a repeat, whatever the line.

use std::time::Duration;

use super::rules::Flow;
use super::session::ConnectSession;
use super::state::{Dialog, MAX_DIALOGS, ReplySlot, ScreenCursor, Subscriber, TurnReply, TypedPrefix};
use super::turn_context::{Input, TurnContext, TurnEvent};
use crate::core::secret::Secret;
use crate::core::time::Timestamp;

/// After this long a session id that comes again is a new dialog: gateways reuse them, and none lasts longer.
const REUSE_AFTER: Duration = Duration::from_mins(10);

/// So many of the gateway's numbers for turns are remembered: more than come within the half minute in which repeats do.
const MAX_TURN_IDS: usize = 12;

/// More segments than this behind a code are nobody's menu choices.
const MAX_SEGMENTS: usize = 8;

/// A text shorter than this is not taken for a dial string that has come again: it may be a choice.
const SHORTEST_CODE: usize = 3;

/// What to do with what came.
pub enum DialogDecision {
    /// Step with this; the dialog is now the first one and has taken the text in.
    Step(Input),
    /// Answer what is in this slot; nothing changes.
    Repeat(ReplySlot),
    /// The dialog is over, or an SMS neither begins nor answers anything: say so.
    Over,
    /// Another dialog of the same person is in charge: say so.
    Elsewhere,
}

/// Digests typed text under a key.
pub type DigestFn<'a> = &'a dyn Fn(&str) -> [u8; 32];

impl Flow {
    /// Decides what an event is, and takes it into the dialogs if it is to be stepped with.
    pub fn admit(
        state: &mut Subscriber,
        turn: &TurnContext<'_>,
        event: &TurnEvent,
        now: Timestamp,
        digest: DigestFn<'_>,
    ) -> DialogDecision {
        let typed = match event {
            TurnEvent::Sms(sms) => return state.admit_sms(turn, sms, now),
            TurnEvent::Begin { dialed } => Typed::Begin(dialed),
            TurnEvent::Latest(line) => Typed::Latest(line.expose()),
            TurnEvent::Cumulative(text) => Typed::Cumulative(text.expose()),
            TurnEvent::DialedOrLatest { dialed, line } => Typed::DialedOrLatest(dialed, line.expose()),
        };
        state.admit_ussd(turn, typed, now, digest)
    }
}

/// What came by USSD, to be looked at.
#[derive(Clone, Copy)]
enum Typed<'a> {
    Begin(&'a [String]),
    Latest(&'a str),
    Cumulative(&'a str),
    DialedOrLatest(&'a [String], &'a str),
}

impl Subscriber {
    fn admit_ussd(
        &mut self,
        turn: &TurnContext<'_>,
        typed: Typed<'_>,
        now: Timestamp,
        digest: DigestFn<'_>,
    ) -> DialogDecision {
        let known = self.dialogs.iter().position(|dialog| dialog.key == turn.key);
        let may_begin = matches!(typed, Typed::Begin(_) | Typed::DialedOrLatest(..));
        let reused = |dialog: &Dialog| may_begin && now.since(dialog.started_at) > REUSE_AFTER;
        let Some(index) = known.filter(|&index| !reused(&self.dialogs[index])) else {
            self.dialogs.retain(|dialog| dialog.key != turn.key);
            return DialogDecision::Step(self.begin_ussd(turn, typed, now, digest));
        };
        let dialog = &self.dialogs[index];
        let repeat = || DialogDecision::Repeat(dialog.reply.clone());
        if turn.turn_id.is_some_and(|id| dialog.turn_ids.contains(&id)) {
            return repeat();
        }
        let pending = matches!(dialog.reply, ReplySlot::Pending { .. });
        let (text, line) = match typed {
            Typed::Begin(_) => return repeat(),
            Typed::Latest(line) if pending && dialog.typed_prefix == typed_prefix(line, digest) => return repeat(),
            // What the dialog began with has come again, and nobody types a whole code.
            Typed::DialedOrLatest(_, text)
                if !dialog.used && text.len() >= SHORTEST_CODE && dialog.typed_prefix == typed_prefix(text, digest) =>
            {
                return repeat();
            }
            Typed::DialedOrLatest(_, line) if pending && dialog.typed_prefix == typed_prefix(line, digest) => {
                return repeat();
            }
            Typed::Latest(line) | Typed::DialedOrLatest(_, line) => (line, Some(line)),
            Typed::Cumulative(text) if text.len() <= dialog.typed_prefix.len => return repeat(),
            Typed::Cumulative(text) => (text, new_input(text, dialog.typed_prefix, digest)),
        };
        if dialog.closed {
            return DialogDecision::Over;
        }
        // Some networks start several sessions for one dial and go on with either: an older dialog may take over as long
        // as the newest has not been used.
        if index > 0 && (self.dialogs[0].used || self.awaits_reply()) {
            return DialogDecision::Elsewhere;
        }
        // What it shows is then not what the newest one shows: what was typed there is no answer to that.
        self.cursor.stale |= self.dialogs[0].reply != self.dialogs[index].reply;
        let mut dialog = self.dialogs.remove(index);
        dialog.typed_prefix = typed_prefix(text, digest);
        dialog.joins_lines |= matches!(typed, Typed::Cumulative(_));
        dialog.used = true;
        dialog.remember_turn_id(turn.turn_id);
        self.dialogs.insert(0, dialog);
        DialogDecision::Step(line.map_or(Input::Redisplay, |line| Input::Line(Secret::new(line))))
    }

    /// A new dialog. Text in its first callback was dialled behind the code, or typed into a dialog that was lost with the
    /// store: both are taken only as choices up to the first consent or secret.
    fn begin_ussd(&mut self, turn: &TurnContext<'_>, typed: Typed<'_>, now: Timestamp, digest: DigestFn<'_>) -> Input {
        let (segments, text) = match typed {
            Typed::Begin(dialed) => (secrets(dialed), ""),
            Typed::DialedOrLatest(dialed, text) => (secrets(dialed), text),
            Typed::Latest(text) => (Vec::new(), text),
            Typed::Cumulative(text) => (text.split('*').take(MAX_SEGMENTS).map(Secret::new).collect(), text),
        };
        self.insert_dialog(Dialog {
            ends_at: now.plus(turn.deadlines.dialog),
            interactive_until: Some(now.plus(turn.interactive_time)),
            typed_prefix: typed_prefix(text, digest),
            joins_lines: matches!(typed, Typed::Cumulative(_)),
            turn_ids: turn.turn_id.into_iter().collect(),
            ..Dialog::new(turn, now)
        });
        Input::Begin(segments)
    }

    /// Puts a new dialog in charge.
    pub(super) fn insert_dialog(&mut self, dialog: Dialog) {
        self.dialogs.insert(0, dialog);
        self.dialogs.truncate(MAX_DIALOGS);
        self.cursor = ScreenCursor::default();
    }

    /// The message for a callback of a dialog that is not in charge: where the person has gone on instead.
    pub fn elsewhere_message(&self) -> &'static str {
        if self.sms_dialog().is_some() {
            "elsewhere-by-text"
        } else {
            "elsewhere"
        }
    }

    /// Marks a dialog as over, as its gateway says. What was submitted goes on. A result that was only in the dialog's last
    /// reply is told again on the next dial, unless the gateway says that this reply was `delivered`: one that came too late
    /// for the gateway was shown to nobody. Returns whether anything has changed.
    pub fn mark_closed(&mut self, key: &[u8; 32], delivered: bool) -> bool {
        let open = |dialog: &&mut Dialog| dialog.key == *key && !dialog.closed;
        let closed = self.dialogs.iter_mut().find(open).map(|dialog| dialog.closed = true);
        let shown = |session: &&mut ConnectSession| !delivered && session.shown_in == Some(*key);
        let unseen = self.session.as_mut().filter(shown).map(|session| {
            session.shown = false;
            session.shown_in = None;
        });
        closed.or(unseen).is_some()
    }
}

impl Dialog {
    /// A dialog that has only begun, and that no network cuts.
    pub(super) fn new(turn: &TurnContext<'_>, now: Timestamp) -> Self {
        Self {
            key: turn.key,
            channel: turn.channel.to_owned(),
            septets: turn.septets,
            started_at: now,
            ends_at: now,
            interactive_until: None,
            idle: turn.deadlines.idle,
            typed_prefix: TypedPrefix {
                len: 0,
                digest: [0; 32],
            },
            joins_lines: false,
            reply: ReplySlot::Set(TurnReply::end(String::new())),
            closed: false,
            used: false,
            unlocked: false,
            looks: 0,
            turn_ids: Vec::new(),
            sms: None,
        }
    }

    /// Remembers the gateway's number of a turn that is taken.
    pub(super) fn remember_turn_id(&mut self, id: Option<u64>) {
        self.turn_ids.extend(id);
        let forgotten = self.turn_ids.len().saturating_sub(MAX_TURN_IDS);
        self.turn_ids.drain(..forgotten);
    }
}

fn secrets(segments: &[String]) -> Vec<Secret> {
    segments.iter().map(|segment| Secret::new(segment.as_str())).collect()
}

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
