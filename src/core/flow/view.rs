//! The screen for a state.

use std::time::Duration;

use super::links::selected_link;
use super::offers;
use super::recovery::dial_string;
use super::requesters;
use super::state::{ConnectSession, Subscriber, TurnReply};
use super::{Flow, Offer, StepContext};
use crate::core::attempt;
use crate::core::gsm7;
use crate::core::health::Health;
use crate::core::linking::SubmissionStep;
use crate::core::menu::{ListSource, Outcome, Screen, ScreenKind};
use crate::core::messages::{Locale, TemplateArg};
use crate::core::next_step::FieldKind;
use crate::core::screen::{DraftOptions, KeyOption, ScreenDraft, lay_out};
use crate::core::search;

/// Septets a name from outside may take in a sentence.
pub(super) const MAX_NAME: usize = 22;
/// Septets a bank's name for a field may take.
const MAX_FIELD_LABEL: usize = 40;

/// The page of a dialog nobody knows the size of.
const DEFAULT_SEPTETS: usize = 136;

/// An entry of a list: the key behind it, and what it says.
type Entry = (String, String);

impl Flow {
    /// The screen that the cursor is on. Where it would ask something that there is no time left to answer in this dialog,
    /// it is an end that says so: that is read, and a cut by the network is not. Nothing is told by it.
    pub(super) fn render_reply(&self, state: &mut Subscriber, context: &StepContext<'_>) -> TurnReply {
        let asks_until = state.dialogs.first().and_then(|dialog| dialog.interactive_until);
        let screen = self.menu.screen(&state.cursor.screen);
        let asks = screen.is_some_and(|screen| !matches!(screen.kind, ScreenKind::End));
        if asks && asks_until.is_some_and(|until| context.now > until) {
            return TurnReply {
                end: true,
                text: self.templates.format(state.locale, "expired", &[]),
            };
        }
        self.render_screen(state, context)
    }

    /// Renders the screen that the cursor is on, and remembers what its numbers mean.
    fn render_screen(&self, state: &mut Subscriber, context: &StepContext<'_>) -> TurnReply {
        let Some(screen) = self.menu.screen(&state.cursor.screen) else {
            return TurnReply {
                end: true,
                text: self.templates.format(state.locale, "sorry", &[]),
            };
        };
        let instead = self.sms_replacement(state, screen);
        let mut args = self.args(state, context);
        args.extend(Self::dial_arg(state, instead, context));
        let args: Vec<_> = args.iter().map(|(name, arg)| (*name, arg.clone())).collect();
        let id = instead.unwrap_or(Self::sms_wording(state, &screen.text));
        let mut text = self.templates.format(state.locale, id, &args);
        // What is said instead of a screen says all there is to say.
        if let Some(note) = state.cursor.notice.take().filter(|_| instead.is_none()) {
            let numbered = note
                .number
                .map(|n| [("left", TemplateArg::Number(n)), ("length", TemplateArg::Number(n))]);
            let args: Vec<_> = args.iter().cloned().chain(numbered.into_iter().flatten()).collect();
            text = format!("{}\n{text}", self.templates.format(state.locale, &note.id, &args));
        }
        let entries = match &screen.kind {
            ScreenKind::List { source, .. } if instead.is_none() => self.entries(state, *source, context),
            _ => Vec::new(),
        };
        let proof = Self::draw_confirmation_number(state, screen, context);
        let septets = state.dialogs.first().map_or(DEFAULT_SEPTETS, |dialog| dialog.septets);
        let mut draft = self.draft(state.locale, screen, text, &entries, proof);
        if instead.is_some() {
            draft.options = DraftOptions::Fixed(Vec::new());
        }
        let mut drawn = lay_out(&draft, state.cursor.page, septets);
        if let Some(hint) = self.hint(state).filter(|_| instead.is_none()) {
            let text = format!("{}\n{hint}", draft.text);
            let hinted = ScreenDraft { text, ..draft.clone() };
            let with = lay_out(&hinted, state.cursor.page, septets);
            if !with.has_more {
                (draft, drawn) = (hinted, with);
            }
        }
        state.cursor.page = drawn.number;
        state.cursor.has_more = drawn.has_more;
        state.cursor.stale = false;
        let keys: Vec<_> = match draft.options {
            DraftOptions::Fixed(options) => options.iter().map(|option| option.key.to_string()).collect(),
            DraftOptions::Numbered(_) => entries.into_iter().map(|(key, _)| key).collect(),
        };
        state.cursor.shown = keys.into_iter().take(drawn.shown.end).skip(drawn.shown.start).collect();
        let end = matches!(screen.kind, ScreenKind::End);
        self.mark_shown(state);
        TurnReply { end, text: drawn.text }
    }

    /// How a person who must read a message meanwhile comes back: it hides behind the dialog on most phones. Said where
    /// there is room for it.
    fn hint(&self, state: &Subscriber) -> Option<String> {
        let session = state.session.as_ref()?;
        let code = session.step == SubmissionStep::Code && session.current_field()?.kind == FieldKind::Digits;
        let asked = state.cursor.screen == self.menu.outcome(Outcome::Ask);
        (code && asked && session.wrong_codes == 0).then(|| self.templates.format(state.locale, "note-by-sms", &[]))
    }

    /// A result that stands on the screen has been told, unless the person has hung up.
    fn mark_shown(&self, state: &mut Subscriber) {
        let Some(dialog) = state.dialogs.first().filter(|dialog| !dialog.closed) else {
            return;
        };
        let Some(session) = &mut state.session else { return };
        let shown = [session.stage, Outcome::News].map(|outcome| self.menu.outcome(outcome));
        if shown.contains(&state.cursor.screen.as_str()) && !session.shown {
            session.shown = true;
            session.shown_in = Some(dialog.key);
        }
    }

    /// What is to be fitted into pages. A choice with a `proof` stands under that number, as the text's last line.
    fn draft(
        &self,
        locale: Locale,
        screen: &Screen,
        mut text: String,
        entries: &[Entry],
        proof: Option<(char, u16)>,
    ) -> ScreenDraft {
        let mut options = Vec::new();
        for choice in screen.options.iter().filter(|choice| self.is_available(choice)) {
            let label = self.templates.format(locale, &choice.label, &[]);
            match proof {
                Some((key, proof)) if key == choice.key => text = format!("{text}\n{proof} {label}"),
                _ => options.push(KeyOption { key: choice.key, label }),
            }
        }
        let more = self.templates.format(locale, "more", &[]);
        if matches!(screen.kind, ScreenKind::List { .. }) {
            let labels = entries.iter().map(|(_, label)| label.clone()).collect();
            return ScreenDraft {
                text,
                options: DraftOptions::Numbered(labels),
                tail: options,
                more,
            };
        }
        let (tail, options) = options.into_iter().partition(|option| option.key == '0');
        ScreenDraft {
            text,
            options: DraftOptions::Fixed(options),
            tail,
            more,
        }
    }

    /// What a text says is to be dialled: the service code, or straight back to where the person is.
    fn dial_arg(
        state: &mut Subscriber,
        instead: Option<&str>,
        context: &StepContext<'_>,
    ) -> Option<(&'static str, TemplateArg)> {
        let by_text = state.dialogs.first()?.sms.as_ref()?;
        let mut dial = by_text.dial.clone();
        if instead == Some("sms-dial") {
            dial = dial_string(&dial, Self::issue_recovery_code(state, context));
        }
        Some(("dial", TemplateArg::Text(dial)))
    }

    /// Everything a message may want to know.
    fn args(&self, state: &Subscriber, context: &StepContext<'_>) -> Vec<(&'static str, TemplateArg)> {
        let session = state.session.as_ref();
        let result = session.and_then(|session| session.result.as_ref());
        let link = selected_link(state).or(result);
        let bank = session
            .and_then(|s| s.institution.as_ref())
            .map(|bank| bank.name.as_str());
        let on_link = matches!(
            state.cursor.screen.as_str(),
            "link" | "unlink" | "unlinked" | "asked-again"
        );
        let name = if on_link {
            link.map(|link| link.institution_name.as_str()).or(bank)
        } else {
            bank.or(link.map(|l| l.institution_name.as_str()))
        };
        let shown = if on_link { selected_link(state) } else { result.or(link) };
        let account = shown
            .and_then(|link| link.masked.as_deref())
            .map_or(String::new(), |masked| format!("..{masked}"));
        let field = session.map_or(String::new(), field_label);
        let waited = session
            .and_then(|s| s.attempt.as_ref())
            .map_or(0, |a| context.now.since(a.begun_at).as_secs());
        let minutes = session
            .and_then(|session| wait_left(state, session, context))
            .map_or(1, |wait| wait.as_secs().div_ceil(60).max(1));
        let pin_wait = state.pin.as_ref().and_then(|pin| pin.wait_left(context.now));
        let minutes = pin_wait
            .filter(|_| state.cursor.screen == self.menu.outcome(Outcome::PinLocked))
            .map_or(minutes, |wait| wait.as_secs().div_ceil(60).max(1));
        let mut args = self.consent_args(state.locale, self.terms(state)).to_vec();
        if let Some(partner) = shown.and_then(|link| link.partner.as_ref()) {
            args.retain(|(name, _)| *name != "partner");
            args.push(("partner", TemplateArg::Text(requesters::display_name(&partner.name))));
        }
        args.extend([
            (
                "bank",
                TemplateArg::Text(gsm7::clean_name(name.unwrap_or_default(), MAX_NAME)),
            ),
            ("field", TemplateArg::Text(field)),
            ("account", TemplateArg::Text(account)),
            (
                "seconds",
                TemplateArg::Number(i64::try_from(waited).unwrap_or(i64::MAX)),
            ),
            (
                "minutes",
                TemplateArg::Number(i64::try_from(minutes).unwrap_or(i64::MAX)),
            ),
        ]);
        args
    }

    fn entries(&self, state: &Subscriber, source: ListSource, context: &StepContext<'_>) -> Vec<Entry> {
        let session = state.session.as_ref();
        match source {
            ListSource::Languages => Locale::ALL
                .iter()
                .map(|locale| (locale.tag().to_owned(), locale.own_name().to_owned()))
                .collect(),
            ListSource::Partners => Self::partner_entries(state),
            ListSource::Banks => self.institution_entries(state, context),
            ListSource::Methods => session
                .and_then(|s| s.institution.as_ref())
                .map(|bank| {
                    bank.methods
                        .iter()
                        .enumerate()
                        .map(|(n, m)| (n.to_string(), m.name.clone()))
                        .collect()
                })
                .unwrap_or_default(),
            ListSource::FieldChoices => match session.and_then(|s| s.current_field()).map(|field| &field.kind) {
                Some(FieldKind::OneOf(choices)) => choices
                    .iter()
                    .map(|choice| (choice.value.clone(), choice.label.clone()))
                    .collect(),
                _ => Vec::new(),
            },
            ListSource::Accounts => session
                .map(|s| {
                    s.accounts
                        .iter()
                        .map(|a| (a.key.clone(), format!("{} ..{}", a.label, a.masked)))
                        .collect()
                })
                .unwrap_or_default(),
            ListSource::Links => state
                .links
                .iter()
                .map(|link| {
                    let masked = link
                        .masked
                        .as_deref()
                        .map_or(String::new(), |masked| format!(" ..{masked}"));
                    (
                        link.id.to_string(),
                        format!("{}{masked}", gsm7::clean_name(&link.institution_name, MAX_NAME)),
                    )
                })
                .collect(),
        }
    }

    /// Whether the state stands on the list of institutions, or on its absence: then a list that is only late is worth
    /// waiting for.
    pub fn shows_institutions(&self, state: &Subscriber) -> bool {
        let screen = &state.cursor.screen;
        let list = self.menu.screen(screen).map(|screen| &screen.kind);
        let banks = matches!(
            list,
            Some(ScreenKind::List {
                source: ListSource::Banks,
                ..
            })
        );
        banks || screen == self.menu.outcome(Outcome::NoBanks)
    }

    /// The institutions: what was searched for, or all with the person's last one and the favourites first.
    fn institution_entries(&self, state: &Subscriber, context: &StepContext<'_>) -> Vec<Entry> {
        let offers = context.offers.unwrap_or_default();
        let labels = offers::labels(offers, &self.templates.format(state.locale, "business", &[]));
        let only = self.terms(state).institution.as_deref();
        let wanted = |index: &usize| {
            let Offer { provider, institution } = &offers[*index];
            only.is_none_or(|only| only == offers::offer_key(provider, &institution.id))
        };
        let entry = |index: usize| {
            let Offer { provider, institution } = &offers[index];
            let name = labels[index].clone();
            let word = match context.health.get(provider, &institution.id) {
                Health::Healthy => return (offers::offer_key(provider, &institution.id), name),
                Health::Slow => "bank-slow",
                Health::Down(_) | Health::Busy(_) => "bank-away",
            };
            let label = self
                .templates
                .format(state.locale, word, &[("bank", TemplateArg::Text(name))]);
            (offers::offer_key(provider, &institution.id), label)
        };
        if let Some(query) = &state.cursor.query {
            return search::find(query, offers.iter().map(|o| o.institution.name.as_str()))
                .into_iter()
                .filter(wanted)
                .map(entry)
                .collect();
        }
        // Which bank somebody has is not shown to others who use the phone.
        let locked = self.pin_gate(state, Outcome::Links) == Outcome::EnterPin;
        let rank = |index: &usize| {
            let institution = &offers[*index].institution;
            if !locked && state.last_institution.as_ref() == Some(&institution.id) {
                return (0, 0);
            }
            let favourite = self
                .settings
                .favourites
                .iter()
                .position(|name| name.eq_ignore_ascii_case(&institution.name));
            favourite.map_or((2, 0), |place| (1, place))
        };
        let mut order: Vec<_> = (0..offers.len()).collect();
        order.sort_by_key(rank);
        order.into_iter().filter(wanted).map(entry).collect()
    }

    /// The words for a situation in which no state could be had.
    pub fn last_resort(&self, locale: Locale, id: &str) -> String {
        self.templates.format(locale, id, &[])
    }
}

/// How long the session's person has to wait: for a pause that the bank asked for, or because of refused logins.
fn wait_left(state: &Subscriber, session: &ConnectSession, context: &StepContext<'_>) -> Option<Duration> {
    if session.stage == Outcome::BankBusy {
        return Some(session.busy_until?.since(context.now));
    }
    attempt::login_wait(&state.refusals, &session.institution.as_ref()?.id, context.now)
}

/// What to call the field being asked. A form of a single field, such as one for a code, is only understood with its
/// title: one bank asks in the label ("first pet?"), another warns in it ("do not share").
fn field_label(session: &ConnectSession) -> String {
    let Some(field) = session.current_field() else {
        return String::new();
    };
    let label = gsm7::clean_name(&field.label, MAX_FIELD_LABEL);
    let title = session
        .form
        .as_ref()
        .filter(|form| session.step == SubmissionStep::Code && form.fields.len() == 1);
    match title
        .and_then(|form| form.title.as_deref())
        .map(|title| gsm7::clean_name(title, MAX_FIELD_LABEL))
    {
        Some(title) if !title.is_empty() && title != label => {
            format!("{}. {label}", title.trim_end_matches(['.', ':', '?', ' ']))
        }
        _ => label,
    }
}
