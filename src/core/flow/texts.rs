//! A conversation by text: is this text the beginning of one, an answer to what we said last, or neither?
//!
//! A dialog of texts is a dialog as any other, under the same value and with the same screens, of which each is a text. What
//! differs is that nobody is there. An answer may come hours later, twice, or in the wrong order, and no network says when it
//! is over. So:
//!
//! * Whoever says so begins: LINK, CONTINUE, or a language. A number or a name never begins anything.
//! * It answers the screen we sent last if it comes within [`ANSWERS`] and was not sent before the text that led to that
//!   screen. Otherwise where the person stands is sent again, and nothing is chosen.
//! * The dialog begun last is in charge. While somebody is on the phone, a text that is no beginning, or was sent before they
//!   dialled, changes nothing.
//! * The sender of a text can be forged. What binds a person (to agree, to unlink) has no key of its own by text: it is chosen
//!   by a number that is drawn anew for each text of ours, and known only to whoever has got that.
//! * What must not stand in a text is not asked for by text: the person is told what to dial.

use std::time::Duration;

use super::act::{Given, Move};
use super::dialogs::{Verdict, take_turn};
use super::state::{Answer, ByText, Cursor, DIALOGS, Dialog, Seen, Slot, Subscriber};
use super::turn::stay;
use super::{Context, Effect, Flow, Input};
use crate::core::attempt::State;
use crate::core::menu::{Action, BACK_KEY, Choice, Go, Kind, Outcome, Screen, Source};
use crate::core::messages::{Arg, Locale};
use crate::core::policy::SecretsOverSms;
use crate::core::secret::Secret;
use crate::core::sms;
use crate::core::texted::Said;
use crate::core::time::Timestamp;

/// Within this a text answers the screen that was sent last.
pub const ANSWERS: Duration = Duration::from_hours(1);

/// Within this a text that answers nothing is shown where the person stands: for as long as the live value is kept.
pub const OPEN: Duration = Duration::from_hours(24);

/// After so many texts in a row that choose nothing a dialog is over: people ask for help then, and machines give up.
const MISSES: u8 = 4;

/// The most characters of an answer, as on the phone.
const LONGEST: usize = 180;

/// Who is texting, and by what.
pub struct TextSeat<'a> {
    /// Digest that names the dialog, if this text begins one.
    pub key: [u8; 32],
    /// The SMS gateway, as consents name it.
    pub channel: &'a str,
    /// What is dialled to go on with what is not for texts.
    pub dial: &'a str,
    /// Digest of the gateway's own id of this text.
    pub turn: u64,
    /// Since when the person has wanted no texts, if so: what was begun before is over.
    pub stopped: Option<Timestamp>,
}

/// One text.
pub struct Texted<'a> {
    /// What it says, if that is a word; never one that is answered outside of the conversation.
    pub said: Said,
    /// The text itself; `None` when only a part of it is here.
    pub whole: Option<&'a str>,
    /// When it was sent, as far as can be told.
    pub at: Timestamp,
}

impl Flow {
    /// Decides what a text is, and takes it into the dialogs if it is to be stepped with. [`Verdict::Over`] is a text that
    /// neither begins nor answers anything; [`Verdict::Elsewhere`] one of somebody who is on the phone.
    pub fn admit_text(state: &mut Subscriber, seat: &TextSeat<'_>, text: &Texted<'_>, now: Timestamp) -> Verdict {
        let own = |dialog: &Dialog| dialog.by_text.is_some() && dialog.channel == seat.channel;
        let known = state.dialogs.iter().position(own);
        if let Some(dialog) = known.map(|at| &state.dialogs[at])
            && dialog.turns.contains(&seat.turn)
        {
            return Verdict::Repeat(dialog.reply.clone());
        }
        let begins = text.said != Said::Other;
        let dialled = state.dialogs.first().filter(|_| state.in_dialog(now));
        if dialled.is_some_and(|dialog| !begins || text.at < dialog.started_at) {
            return Verdict::Elsewhere;
        }
        let open = known.filter(|&at| is_open(&state.dialogs[at], seat, now));
        let fresh = open.filter(|&at| at == 0 && is_fresh(&state.dialogs[at], now));
        let input = match (text.said, open, fresh) {
            (Said::Language(locale), _, Some(_)) => Input::Language(locale),
            (Said::Other, _, Some(_)) => answer(state, text),
            (Said::Other, None, None) => return Verdict::Over,
            (Said::Language(_), None, None) if seat.stopped.is_some() => return Verdict::Over,
            (said, _, _) => {
                begin(state, seat, now);
                match said {
                    Said::Language(locale) => Input::Language(locale),
                    Said::Continue => Input::Continue,
                    _ => Input::Begin(Vec::new()),
                }
            }
        };
        take(state, seat, text.at, now);
        Verdict::Step(input)
    }

    /// A person asked for a language by its name: the same screen in it, or where a dial begins if there is none.
    pub(super) fn speak(
        &self,
        state: &mut Subscriber,
        locale: Locale,
        context: &Context<'_>,
        effects: &mut Vec<Effect>,
    ) -> Move {
        state.locale = locale;
        if state.cursor.screen.is_empty() {
            return self.begin(state, context, effects);
        }
        Move::Stay(None)
    }

    /// What is sent instead of a screen whose answer must not stand in a text; the id of its message.
    pub(super) fn dialled_only(&self, state: &Subscriber, screen: &Screen) -> Option<&'static str> {
        state.dialogs.first()?.by_text.as_ref()?;
        let answered = match screen.kind {
            Kind::Input(_) => true,
            Kind::List { source, .. } => matches!(source, Source::FieldChoices | Source::Accounts),
            // The warning is of what is typed on the phone: it is given there.
            Kind::Choices => leads_to(screen, Action::AcceptWarning),
            Kind::End => false,
        };
        let bank = state.session.as_ref().and_then(|session| session.bank.as_ref());
        match screen.kind {
            Kind::Input(Action::EnterPin | Action::ChoosePin) => {
                (self.settings.policy.secrets_over_sms == SecretsOverSms::Deny).then_some("sms-own-code")
            }
            _ if answered => bank.is_none_or(|bank| !bank.text).then_some("sms-dial"),
            _ => None,
        }
    }

    /// What a line of text does that would do something else on the phone; `None` where it does the same.
    pub(super) fn text_line(
        &self,
        state: &mut Subscriber,
        screen: &Screen,
        typed: &str,
        context: &Context<'_>,
        effects: &mut Vec<Effect>,
    ) -> Option<Move> {
        state.dialogs.first()?.by_text.as_ref()?;
        if typed.chars().count() > LONGEST {
            return Some(stay("note-too-long"));
        }
        let own = screen.options.iter().find(|choice| choice.key.to_string() == typed);
        match (binding(screen), own) {
            (Some((_, action)), _) if state.cursor.proof.is_some_and(|proof| proof.to_string() == typed) => {
                Some(self.act(state, action, Given::Nothing, context, effects))
            }
            (Some((binding, _)), Some(own)) if binding.key == own.key => Some(stay("note-choice")),
            // Whatever it was, it is not kept; only going back is a key.
            (_, own) if own.is_none_or(|own| own.key != BACK_KEY) && self.dialled_only(state, screen).is_some() => {
                Some(stay("note-choice"))
            }
            _ => None,
        }
    }

    /// The key of a text for the screen's binding choice: a number of three digits that stands in this text only.
    pub(super) fn prove(state: &mut Subscriber, screen: &Screen, context: &Context<'_>) -> Option<(char, u16)> {
        state.cursor.proof = None;
        state.dialogs.first()?.by_text.as_ref()?;
        let (choice, _) = binding(screen)?;
        let drawn = context.fresh.code.below(900);
        let proof = 100 + u16::try_from(drawn).unwrap_or_default();
        state.cursor.proof = Some(proof);
        Some((choice.key, proof))
    }

    /// The message that says by text what another says on a screen.
    pub(super) fn worded<'a>(state: &Subscriber, id: &'a str) -> &'a str {
        let Some(by_text) = state.dialogs.first().and_then(|dialog| dialog.by_text.as_ref()) else {
            return id;
        };
        match id {
            "left" => "sms-left",
            // Whoever wants no texts is not promised one, nor is anybody about what is never texted.
            "left-checking" if !by_text.quiet && awaited(state) => "sms-checking",
            id => id,
        }
    }

    /// Counts texts in a row that chose nothing, and ends the dialog when they are too many.
    pub(super) fn count_miss(&self, state: &mut Subscriber, missed: bool) -> bool {
        let Some(by_text) = state.dialogs.first_mut().and_then(|dialog| dialog.by_text.as_mut()) else {
            return false;
        };
        by_text.misses = if missed { by_text.misses.saturating_add(1) } else { 0 };
        if by_text.misses < MISSES {
            return false;
        }
        let dial = by_text.dial.clone();
        let text = self.say(state.locale, "sms-lost", &dial);
        Self::set(state, Slot::Set(Answer { end: true, text }));
        true
    }

    /// Where a turn that would wait goes by text: nobody waits for a submission, its answer is a text of its own.
    pub(super) fn instead_of_waiting(state: &Subscriber) -> Option<Outcome> {
        state.dialogs.first()?.by_text.as_ref()?;
        awaited(state).then_some(Outcome::LeftChecking)
    }

    /// Something that is said by text outside of any screen; `dial` is what is dialled.
    pub fn say(&self, locale: Locale, id: &str, dial: &str) -> String {
        self.say_of(locale, id, &self.partner_name(), dial)
    }

    /// The same, on behalf of a business whose name is fit to be shown.
    pub(super) fn say_of(&self, locale: Locale, id: &str, partner: &str, dial: &str) -> String {
        let args = [
            ("partner", Arg::Text(partner.to_owned())),
            ("dial", Arg::Text(dial.to_owned())),
        ];
        self.texts.format(locale, id, &args)
    }
}

fn leads_to(screen: &Screen, action: Action) -> bool {
    screen.options.iter().any(|choice| choice.go == Go::Do(action))
}

/// The choice of a screen that binds the person.
pub(super) fn binding(screen: &Screen) -> Option<(&Choice, Action)> {
    screen.options.iter().find_map(|choice| match choice.go {
        Go::Do(action @ (Action::Consent | Action::Unlink)) => Some((choice, action)),
        _ => None,
    })
}

/// Whether something is to become of a submission yet.
fn awaited(state: &Subscriber) -> bool {
    let attempt = state.session.as_ref().and_then(|session| session.attempt.as_ref());
    attempt.is_some_and(|attempt| attempt.in_flight() || attempt.state == State::Unknown)
}

fn is_open(dialog: &Dialog, seat: &TextSeat<'_>, now: Timestamp) -> bool {
    let wanted = seat.stopped.is_none_or(|since| dialog.started_at > since);
    let shown = dialog.by_text.as_ref().map(|by_text| by_text.shown_at);
    !dialog.closed && wanted && shown.is_some_and(|shown| now.since(shown) < OPEN)
}

fn is_fresh(dialog: &Dialog, now: Timestamp) -> bool {
    let shown = dialog.by_text.as_ref().map(|by_text| by_text.shown_at);
    shown.is_some_and(|shown| now.since(shown) < ANSWERS)
}

/// The answer in a text, unless it was sent before the screen's time or is not here as a whole.
fn answer(state: &Subscriber, text: &Texted<'_>) -> Input {
    let by_text = state.dialogs.first().and_then(|dialog| dialog.by_text.as_ref());
    let late = by_text.is_some_and(|by_text| text.at < by_text.heard_at);
    match text.whole.filter(|_| !late) {
        // A blank at an end is the phone's, which puts one behind every word it knows.
        Some(line) => Input::Line(Secret::new(line.trim())),
        None => Input::Again,
    }
}

/// A dialog that nobody has seen. What was taken in the one before is still known.
fn begin(state: &mut Subscriber, seat: &TextSeat<'_>, now: Timestamp) {
    let own = |dialog: &Dialog| dialog.by_text.is_some() && dialog.channel == seat.channel;
    let before = state.dialogs.iter().position(own).map(|at| state.dialogs.remove(at));
    let heard_at = before
        .as_ref()
        .and_then(|dialog| Some(dialog.by_text.as_ref()?.heard_at));
    let dialog = Dialog {
        key: seat.key,
        channel: seat.channel.to_owned(),
        septets: sms::ONE_PART,
        started_at: now,
        ends_at: now,
        // No network cuts it.
        asks_until: None,
        seen: Seen {
            len: 0,
            digest: [0; 32],
        },
        reply: Slot::Set(Answer {
            end: true,
            text: String::new(),
        }),
        closed: false,
        // No dialled one before it goes on: this is not another session for the same dial.
        stepped: true,
        unlocked: false,
        turns: before.map(|dialog| dialog.turns).unwrap_or_default(),
        by_text: Some(ByText {
            dial: seat.dial.to_owned(),
            heard_at: heard_at.unwrap_or(Timestamp::from_millis(0)),
            shown_at: now,
            misses: 0,
            quiet: false,
        }),
    };
    state.dialogs.insert(0, dialog);
    state.dialogs.truncate(DIALOGS);
    state.cursor = Cursor::default();
}

/// Takes a text into the dialog in charge.
fn take(state: &mut Subscriber, seat: &TextSeat<'_>, at: Timestamp, now: Timestamp) {
    let Some(dialog) = state.dialogs.first_mut() else {
        return;
    };
    take_turn(dialog, Some(seat.turn));
    if let Some(by_text) = &mut dialog.by_text {
        seat.dial.clone_into(&mut by_text.dial);
        by_text.heard_at = by_text.heard_at.max(at);
        by_text.shown_at = now;
        by_text.quiet = seat.stopped.is_some();
    }
}
