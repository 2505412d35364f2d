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

use super::actions::{ActionInput, Transition};
use super::dialogs::{DialogDecision, remember_turn_id};
use super::state::{Dialog, MAX_DIALOGS, ReplySlot, ScreenCursor, SmsDialog, Subscriber, TurnReply, TypedPrefix};
use super::turn::stay;
use super::{Effect, Flow, Input, StepContext};
use crate::core::attempt::LiveAttemptState;
use crate::core::menu::{Action, BACK_KEY, ListSource, MenuOption, OptionTarget, Outcome, Screen, ScreenKind};
use crate::core::messages::{Locale, TemplateArg};
use crate::core::policy::SecretsOverSms;
use crate::core::secret::Secret;
use crate::core::sms;
use crate::core::sms_keywords::Keyword;
use crate::core::time::Timestamp;

/// Within this a text answers the screen that was sent last.
pub const REPLY_WINDOW: Duration = Duration::from_hours(1);

/// Within this a text that answers nothing is shown where the person stands: for as long as the live value is kept.
pub const SESSION_WINDOW: Duration = Duration::from_hours(24);

/// After so many texts in a row that choose nothing a dialog is over: people ask for help then, and machines give up.
const MAX_INVALID: u8 = 4;

/// The most characters of an answer, as on the phone.
const MAX_SMS_ANSWER_LEN: usize = 180;

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
pub struct ReceivedSms<'a> {
    /// What it says, if that is a word; never one that is answered outside of the conversation.
    pub keyword: Keyword,
    /// The text itself; `None` when only a part of it is here.
    pub text: Option<&'a str>,
    /// When it was sent, as far as can be told.
    pub sent_at: Timestamp,
}

impl Flow {
    /// Decides what a text is, and takes it into the dialogs if it is to be stepped with. [`Verdict::Over`] is a text that
    /// neither begins nor answers anything; [`Verdict::Elsewhere`] one of somebody who is on the phone.
    pub fn admit_sms(
        state: &mut Subscriber,
        seat: &TextSeat<'_>,
        text: &ReceivedSms<'_>,
        now: Timestamp,
    ) -> DialogDecision {
        let own = |dialog: &Dialog| dialog.sms.is_some() && dialog.channel == seat.channel;
        let known = state.dialogs.iter().position(own);
        if let Some(dialog) = known.map(|at| &state.dialogs[at])
            && dialog.turn_ids.contains(&seat.turn)
        {
            return DialogDecision::Repeat(dialog.reply.clone());
        }
        let begins = text.keyword != Keyword::Other;
        let dialled = state.dialogs.first().filter(|_| state.in_dialog(now));
        if dialled.is_some_and(|dialog| !begins || text.sent_at < dialog.started_at) {
            return DialogDecision::Elsewhere;
        }
        let open = known.filter(|&at| is_open(&state.dialogs[at], seat, now));
        let fresh = open.filter(|&at| at == 0 && is_answerable(&state.dialogs[at], now));
        let input = match (text.keyword, open, fresh) {
            (Keyword::Language(locale), _, Some(_)) => Input::Language(locale),
            (Keyword::Other, _, Some(_)) => answer(state, text),
            (Keyword::Other, None, None) => return DialogDecision::Over,
            (Keyword::Language(_), None, None) if seat.stopped.is_some() => return DialogDecision::Over,
            (said, _, _) => {
                begin(state, seat, now);
                match said {
                    Keyword::Language(locale) => Input::Language(locale),
                    Keyword::Continue => Input::Continue,
                    _ => Input::Begin(Vec::new()),
                }
            }
        };
        take(state, seat, text.sent_at, now);
        DialogDecision::Step(input)
    }

    /// A person asked for a language by its name: the same screen in it, or where a dial begins if there is none.
    pub(super) fn set_language(
        &self,
        state: &mut Subscriber,
        locale: Locale,
        context: &StepContext<'_>,
        effects: &mut Vec<Effect>,
    ) -> Transition {
        state.locale = locale;
        if state.cursor.screen.is_empty() {
            return self.begin_dialog(state, context, effects);
        }
        Transition::Stay(None)
    }

    /// What is sent instead of a screen whose answer must not stand in a text; the id of its message.
    pub(super) fn sms_replacement(&self, state: &Subscriber, screen: &Screen) -> Option<&'static str> {
        state.dialogs.first()?.sms.as_ref()?;
        let answered = match screen.kind {
            ScreenKind::Input(_) => true,
            ScreenKind::List { source, .. } => matches!(source, ListSource::FieldChoices | ListSource::Accounts),
            // The warning is of what is typed on the phone: it is given there.
            ScreenKind::Choices => leads_to(screen, Action::AcceptWarning),
            ScreenKind::End => false,
        };
        let bank = state.session.as_ref().and_then(|session| session.institution.as_ref());
        match screen.kind {
            ScreenKind::Input(Action::EnterPin | Action::ChoosePin) => {
                (self.settings.policy.secrets_over_sms == SecretsOverSms::Deny).then_some("sms-own-code")
            }
            _ if answered => bank.is_none_or(|bank| !bank.sms_allowed).then_some("sms-dial"),
            _ => None,
        }
    }

    /// What a line of text does that would do something else on the phone; `None` where it does the same.
    pub(super) fn sms_line(
        &self,
        state: &mut Subscriber,
        screen: &Screen,
        typed: &str,
        context: &StepContext<'_>,
        effects: &mut Vec<Effect>,
    ) -> Option<Transition> {
        state.dialogs.first()?.sms.as_ref()?;
        if typed.chars().count() > MAX_SMS_ANSWER_LEN {
            return Some(stay("note-too-long"));
        }
        let own = screen.options.iter().find(|choice| choice.key.to_string() == typed);
        match (binding_option(screen), own) {
            (Some((_, action)), _)
                if state
                    .cursor
                    .confirmation_number
                    .is_some_and(|proof| proof.to_string() == typed) =>
            {
                Some(self.act(state, action, ActionInput::Nothing, context, effects))
            }
            (Some((binding, _)), Some(own)) if binding.key == own.key => Some(stay("note-choice")),
            // Whatever it was, it is not kept; only going back is a key.
            (_, own) if own.is_none_or(|own| own.key != BACK_KEY) && self.sms_replacement(state, screen).is_some() => {
                Some(stay("note-choice"))
            }
            _ => None,
        }
    }

    /// The key of a text for the screen's binding choice: a number of three digits that stands in this text only.
    pub(super) fn draw_confirmation_number(
        state: &mut Subscriber,
        screen: &Screen,
        context: &StepContext<'_>,
    ) -> Option<(char, u16)> {
        state.cursor.confirmation_number = None;
        state.dialogs.first()?.sms.as_ref()?;
        let (choice, _) = binding_option(screen)?;
        let drawn = context.ids.code.below(900);
        let proof = 100 + u16::try_from(drawn).unwrap_or_default();
        state.cursor.confirmation_number = Some(proof);
        Some((choice.key, proof))
    }

    /// The message that says by text what another says on a screen.
    pub(super) fn sms_wording<'a>(state: &Subscriber, id: &'a str) -> &'a str {
        let Some(by_text) = state.dialogs.first().and_then(|dialog| dialog.sms.as_ref()) else {
            return id;
        };
        match id {
            "left" => "sms-left",
            // Whoever wants no texts is not promised one, nor is anybody about what is never texted.
            "left-checking" if !by_text.opted_out && submission_awaited(state) => "sms-checking",
            id => id,
        }
    }

    /// Counts texts in a row that chose nothing, and ends the dialog when they are too many.
    pub(super) fn count_invalid_sms(&self, state: &mut Subscriber, missed: bool) -> bool {
        let Some(by_text) = state.dialogs.first_mut().and_then(|dialog| dialog.sms.as_mut()) else {
            return false;
        };
        by_text.invalid_in_a_row = if missed {
            by_text.invalid_in_a_row.saturating_add(1)
        } else {
            0
        };
        if by_text.invalid_in_a_row < MAX_INVALID {
            return false;
        }
        let dial = by_text.dial.clone();
        let text = self.sms_template(state.locale, "sms-lost", &dial);
        Self::set_reply(state, ReplySlot::Set(TurnReply { end: true, text }));
        true
    }

    /// Where a turn that would wait goes by text: nobody waits for a submission, its answer is a text of its own.
    pub(super) fn instead_of_waiting(state: &Subscriber) -> Option<Outcome> {
        state.dialogs.first()?.sms.as_ref()?;
        submission_awaited(state).then_some(Outcome::LeftChecking)
    }

    /// Something that is said by text outside of any screen; `dial` is what is dialled.
    pub fn sms_template(&self, locale: Locale, id: &str, dial: &str) -> String {
        self.sms_template_for(locale, id, &self.partner_name(), dial)
    }

    /// The same, on behalf of a business whose name is fit to be shown.
    pub(super) fn sms_template_for(&self, locale: Locale, id: &str, partner: &str, dial: &str) -> String {
        let args = [
            ("partner", TemplateArg::Text(partner.to_owned())),
            ("dial", TemplateArg::Text(dial.to_owned())),
        ];
        self.templates.format(locale, id, &args)
    }
}

fn leads_to(screen: &Screen, action: Action) -> bool {
    screen
        .options
        .iter()
        .any(|choice| choice.target == OptionTarget::Action(action))
}

/// The choice of a screen that binds the person.
pub(super) fn binding_option(screen: &Screen) -> Option<(&MenuOption, Action)> {
    screen.options.iter().find_map(|choice| match choice.target {
        OptionTarget::Action(action @ (Action::Consent | Action::Unlink)) => Some((choice, action)),
        _ => None,
    })
}

/// Whether something is to become of a submission yet.
fn submission_awaited(state: &Subscriber) -> bool {
    let attempt = state.session.as_ref().and_then(|session| session.attempt.as_ref());
    attempt.is_some_and(|attempt| attempt.in_flight() || attempt.state == LiveAttemptState::Unknown)
}

fn is_open(dialog: &Dialog, seat: &TextSeat<'_>, now: Timestamp) -> bool {
    let wanted = seat.stopped.is_none_or(|since| dialog.started_at > since);
    let shown = dialog.sms.as_ref().map(|by_text| by_text.shown_at);
    !dialog.closed && wanted && shown.is_some_and(|shown| now.since(shown) < SESSION_WINDOW)
}

fn is_answerable(dialog: &Dialog, now: Timestamp) -> bool {
    let shown = dialog.sms.as_ref().map(|by_text| by_text.shown_at);
    shown.is_some_and(|shown| now.since(shown) < REPLY_WINDOW)
}

/// The answer in a text, unless it was sent before the screen's time or is not here as a whole.
fn answer(state: &Subscriber, text: &ReceivedSms<'_>) -> Input {
    let by_text = state.dialogs.first().and_then(|dialog| dialog.sms.as_ref());
    let late = by_text.is_some_and(|by_text| text.sent_at < by_text.received_at);
    match text.text.filter(|_| !late) {
        // A blank at an end is the phone's, which puts one behind every word it knows.
        Some(line) => Input::Line(Secret::new(line.trim())),
        None => Input::Redisplay,
    }
}

/// A dialog that nobody has seen. What was taken in the one before is still known.
fn begin(state: &mut Subscriber, seat: &TextSeat<'_>, now: Timestamp) {
    let own = |dialog: &Dialog| dialog.sms.is_some() && dialog.channel == seat.channel;
    let before = state.dialogs.iter().position(own).map(|at| state.dialogs.remove(at));
    let heard_at = before
        .as_ref()
        .and_then(|dialog| Some(dialog.sms.as_ref()?.received_at));
    let dialog = Dialog {
        key: seat.key,
        channel: seat.channel.to_owned(),
        septets: sms::SINGLE_PART_SEPTETS,
        started_at: now,
        ends_at: now,
        // No network cuts it.
        interactive_until: None,
        typed_prefix: TypedPrefix {
            len: 0,
            digest: [0; 32],
        },
        reply: ReplySlot::Set(TurnReply {
            end: true,
            text: String::new(),
        }),
        closed: false,
        // No dialled one before it goes on: this is not another session for the same dial.
        used: true,
        unlocked: false,
        turn_ids: before.map(|dialog| dialog.turn_ids).unwrap_or_default(),
        sms: Some(SmsDialog {
            dial: seat.dial.to_owned(),
            received_at: heard_at.unwrap_or(Timestamp::from_millis(0)),
            shown_at: now,
            invalid_in_a_row: 0,
            opted_out: false,
        }),
    };
    state.dialogs.insert(0, dialog);
    state.dialogs.truncate(MAX_DIALOGS);
    state.cursor = ScreenCursor::default();
}

/// Takes a text into the dialog in charge.
fn take(state: &mut Subscriber, seat: &TextSeat<'_>, at: Timestamp, now: Timestamp) {
    let Some(dialog) = state.dialogs.first_mut() else {
        return;
    };
    remember_turn_id(dialog, Some(seat.turn));
    if let Some(by_text) = &mut dialog.sms {
        seat.dial.clone_into(&mut by_text.dial);
        by_text.received_at = by_text.received_at.max(at);
        by_text.shown_at = now;
        by_text.opted_out = seat.stopped.is_some();
    }
}
