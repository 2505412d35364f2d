//! The screen for a state.

use super::accounts::MORE_ACCOUNTS;
use super::offers::Offer;
use super::recovery::dial_string;
use super::rules::Flow;
use super::session::LinkSummary;
use super::state::{Subscriber, TurnReply};
use super::step::Step;
use super::waiting::AccountList;
use super::wording::display_name;
use crate::core::health::Health;
use crate::core::menu::{Action, ListSource, OptionTarget, Outcome, Screen, ScreenKind};
use crate::core::messages::TemplateArg;
use crate::core::next_step::FieldKind;
use crate::core::screen::{DraftOptions, KeyOption, ScreenDraft, needed_entries};
use crate::core::sms::TWO_PART_SEPTETS;

/// The page of a dialog nobody knows the size of.
const DEFAULT_SEPTETS: usize = 136;

/// An entry of a list: the key behind it, and what it says.
type ListEntry = (String, String);

impl Step<'_> {
    /// The screen that the cursor is on. Where it would ask something that there is no time left to answer in this dialog,
    /// it is an end that says so: that is read, and a cut by the network is not. It does not count as shown.
    pub(super) fn render_reply(&mut self) -> TurnReply {
        let interactive_until = self.state.dialogs.first().and_then(|dialog| dialog.interactive_until);
        let screen = self.flow.menu.screen(&self.state.cursor.screen);
        let asks = screen.is_some_and(|screen| !matches!(screen.kind, ScreenKind::End));
        if asks && interactive_until.is_some_and(|until| self.context.now > until) {
            return TurnReply::end(self.last_words("expired"));
        }
        self.render_screen()
    }

    /// One of the answers of last resort.
    fn last_words(&self, id: &str) -> String {
        self.flow.last_resort(self.state.locale, id, &self.state.channel())
    }

    /// Renders the screen that the cursor is on, and remembers what its numbers mean.
    fn render_screen(&mut self) -> TurnReply {
        let Some(screen) = self.flow.menu.screen(&self.state.cursor.screen) else {
            return TurnReply::end(self.last_words("sorry"));
        };
        let instead = self.said_instead(screen);
        let mut args = self.args();
        args.push(self.dial_arg(instead));
        let id = instead.unwrap_or_else(|| self.screen_wording(&screen.text));
        let mut text = self.flow.templates.format(self.state.locale, id, &args);
        self.state.cursor.consent_text = screen.binds().then(|| text.clone());
        if self.state.sms_dialog().is_some() {
            text = capitalized(text, &self.text("your-bank"));
        }
        // What is said instead of a screen says all there is to say.
        let note = self.take_note(screen, args.clone()).filter(|_| instead.is_none());
        let mut above = note.as_deref();
        if let Some(note) = above.filter(|_| self.state.sms_dialog().is_some()) {
            text = format!("{note}\n{text}");
            above = None;
        }
        let entries = match &screen.kind {
            ScreenKind::List { source, .. } if instead.is_none() => self.entries(*source),
            _ => Vec::new(),
        };
        let confirmation = self.draw_confirmation_number(screen);
        let septets = self.page_septets(confirmation.is_some());
        let draft = |named| self.draft(screen, &text, &entries, confirmation, named);
        let mut draft = self.with_languages(screen, draft, above, septets);
        if instead.is_some() {
            draft.options = DraftOptions::Fixed(Vec::new());
        }
        let drawn = self.compose(
            screen,
            &draft,
            above,
            (septets, Some(args).filter(|_| instead.is_none())),
        );
        self.state.cursor.page = drawn.number;
        self.state.cursor.has_more = drawn.has_more;
        self.state.cursor.stale = false;
        let (keys, from): (Vec<_>, _) = match draft.options {
            // Those of the pages before have been shown as well.
            DraftOptions::Fixed(options) => (options.iter().map(|option| option.key.to_string()).collect(), 0),
            DraftOptions::Numbered(_) => (entries.into_iter().map(|(key, _)| key).collect(), drawn.shown.start),
        };
        self.state.cursor.shown = keys.into_iter().take(drawn.shown.end).skip(from).collect();
        let end = matches!(screen.kind, ScreenKind::End);
        self.mark_shown();
        TurnReply {
            end,
            text: drawn.text,
            option_lines: if only_options(screen.kind) {
                drawn.option_lines
            } else {
                0
            },
        }
    }

    /// What an SMS says in the place of the screen. What was texted at a question may be a secret, and is still on the phone.
    fn said_instead(&self, screen: &Screen) -> Option<&'static str> {
        let question = matches!(screen.kind, ScreenKind::Input(_) | ScreenKind::Choices);
        let texted = question && self.state.cursor.notice.is_some();
        let instead = self.sms_replacement(screen)?;
        Some(if texted && instead == "sms-dial" {
            "sms-delete"
        } else {
            instead
        })
    }

    /// What a page holds. What to reply stands at the end of what is agreed to by SMS: where that takes two parts, asking for
    /// the second would cost the person an SMS, and us no less.
    fn page_septets(&self, confirms_by_sms: bool) -> usize {
        let dialog = self.state.dialogs.first();
        if confirms_by_sms {
            TWO_PART_SEPTETS
        } else {
            dialog.map_or(DEFAULT_SEPTETS, |dialog| dialog.septets)
        }
    }

    /// A result on the screen has been shown, unless the person has hung up.
    fn mark_shown(&mut self) {
        let Some(dialog) = self.state.dialogs.first().filter(|dialog| !dialog.closed) else {
            return;
        };
        let Some(session) = &mut self.state.session else { return };
        let shown = [session.stage, Outcome::NewLink].map(|outcome| self.flow.menu.outcome(outcome));
        if shown.contains(&self.state.cursor.screen.as_str()) && !session.shown {
            session.shown = true;
            session.shown_in = Some(dialog.key);
        }
    }

    /// What is to be fitted into pages. The option to confirm is said as what to reply, in the last line of the text; that for
    /// the language names at most so many.
    fn draft(
        &self,
        screen: &Screen,
        text: &str,
        entries: &[ListEntry],
        confirmation: Option<(char, u32)>,
        named: usize,
    ) -> ScreenDraft {
        let mut text = text.to_owned();
        let mut options = Vec::new();
        let languages = [("languages", TemplateArg::Text(self.language_names(named)))];
        for choice in screen.options.iter().filter(|choice| self.is_available(choice)) {
            let label = self.option_label(choice, &languages);
            // By SMS nobody's accounts are shown, and the consent has no room for what leads nowhere.
            if confirmation.is_some() && choice.target == OptionTarget::Action(Action::ShowLinks) {
                continue;
            }
            match confirmation {
                Some((key, number)) if key == choice.key => {
                    let code = [("code", TemplateArg::Text(number.to_string()))];
                    let agree = self.flow.templates.format(self.state.locale, "sms-agree", &code);
                    text = format!("{text}\n{agree}");
                }
                _ => options.push(KeyOption { key: choice.key, label }),
            }
        }
        let more = self.text("more");
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

    /// What is said to be dialled: the service code, or by SMS straight back to where the person is.
    fn dial_arg(&mut self, instead: Option<&str>) -> (&'static str, TemplateArg) {
        let Some(sms) = self.state.sms_dialog() else {
            let codes = &self.flow.settings.service_codes;
            let dial = codes.of(Some(&self.state.channel())).to_owned();
            return ("dial", TemplateArg::Text(dial));
        };
        let mut dial = sms.dial.clone();
        if matches!(instead, Some("sms-dial" | "sms-delete")) {
            dial = dial_string(&dial, self.renew_recovery_code());
        }
        ("dial", TemplateArg::Text(dial))
    }

    fn entries(&self, source: ListSource) -> Vec<ListEntry> {
        let session = self.state.session.as_ref();
        match source {
            ListSource::Languages => self
                .languages()
                .iter()
                .map(|locale| (locale.tag().to_owned(), locale.own_name().to_owned()))
                .collect(),
            ListSource::Partners => self.partner_entries(),
            ListSource::Banks => self.institution_entries(),
            ListSource::Methods => session
                .and_then(|session| session.institution.as_ref())
                .iter()
                .flat_map(|institution| institution.methods.iter().enumerate())
                .map(|(at, method)| (at.to_string(), self.known_label(&method.name)))
                .collect(),
            ListSource::FieldChoices => match session.and_then(|s| s.current_field()).map(|field| &field.kind) {
                Some(FieldKind::OneOf(choices)) => choices
                    .iter()
                    .map(|choice| (choice.value.clone(), self.known_label(&choice.label)))
                    .collect(),
                _ => Vec::new(),
            },
            ListSource::Accounts => session
                .iter()
                .flat_map(|session| self.account_entries(&session.accounts))
                .collect(),
            ListSource::Links => self
                .state
                .links
                .iter()
                .map(|link| (link.id.to_string(), self.link_label(link)))
                .collect(),
        }
    }

    /// What a link is called among others, and whether it needs a new login.
    fn link_label(&self, link: &LinkSummary) -> String {
        let masked = link.masked.as_deref();
        let masked = masked.map_or(String::new(), |masked| format!(" ..{masked}"));
        let name = format!("{}{masked}", display_name(&link.institution_name));
        if !link.needs_login {
            return name;
        }
        let args = [("bank", TemplateArg::Text(name))];
        self.flow.templates.format(self.state.locale, "bank-needs-login", &args)
    }

    /// The accounts, and behind them the way to more.
    fn account_entries(&self, list: &AccountList) -> Vec<ListEntry> {
        let accounts = list.accounts.iter();
        let own = accounts.map(|account| {
            let digits = Some(&account.masked).filter(|masked| !masked.is_empty());
            let digits = digits.map_or(String::new(), |masked| format!(" ..{masked}"));
            (account.key.clone(), account.label.clone() + &digits)
        });
        let more = list
            .more
            .iter()
            .map(|_| (MORE_ACCOUNTS.to_owned(), self.text("more-accounts")));
        own.chain(more).collect()
    }

    /// The institutions: what was searched for, or all with the person's last one and the favourites first. No more of them
    /// than the page can need.
    fn institution_entries(&self) -> Vec<ListEntry> {
        let Some(offers) = self.context.offers else {
            return Vec::new();
        };
        let locale = self.state.locale;
        let only = self.flow.terms(self.state).institution.as_deref();
        let wanted = |at: &usize| only.is_none_or(|only| only == offers.entry(*at, locale).0);
        let entry = |at: usize| {
            let (key, name) = offers.entry(at, locale);
            let Offer { provider, institution } = &offers[at];
            let word = match self.context.health.get(provider, &institution.id) {
                Health::Healthy => return (key.to_owned(), name.to_owned()),
                Health::Slow => "bank-slow",
                Health::Down(_) | Health::Busy(_) => "bank-away",
            };
            let bank = [("bank", TemplateArg::Text(name.to_owned()))];
            (key.to_owned(), self.flow.templates.format(locale, word, &bank))
        };
        let needed = needed_entries(self.state.cursor.page);
        if let Some(query) = &self.state.cursor.query {
            let found = offers.search(query, &self.flow.bank_names).found.into_iter();
            return found.filter(wanted).take(needed).map(entry).collect();
        }
        // Which bank somebody has is not shown to others who use the phone, nor to those who read an SMS.
        let last = self.state.last_institution.as_deref().filter(|_| {
            let locked = self.pin_gate(Outcome::Links) != Outcome::Links;
            !locked && self.state.sms_dialog().is_none()
        });
        let is_last = |at: &&usize| last == Some(offers[**at].institution.id.as_str());
        let order = offers.order().iter();
        let first = order.clone().filter(is_last);
        let rest = order.filter(|at| !is_last(at));
        first
            .chain(rest)
            .copied()
            .filter(wanted)
            .take(needed)
            .map(entry)
            .collect()
    }

    /// Whether the text that is agreed to is other than what was shown: the words have been changed meanwhile.
    pub(super) fn consent_text_changed(&self) -> bool {
        let cursor = &self.state.cursor;
        let shown = cursor.consent_text.as_ref().zip(self.flow.menu.screen(&cursor.screen));
        shown.is_some_and(|(shown, screen)| {
            let id = self.screen_wording(&screen.text);
            *shown != self.flow.templates.format(self.state.locale, id, &self.args())
        })
    }

    /// A message without values, in the person's language.
    pub(super) fn text(&self, id: &str) -> String {
        self.flow.templates.format(self.state.locale, id, &[])
    }
}

impl Flow {
    /// Whether the list of institutions is on the screen, or its absence: then a list that is only late is worth waiting for.
    pub fn shows_institutions(&self, state: &Subscriber) -> bool {
        let screen = &state.cursor.screen;
        let kind = self.menu.screen(screen).map(|screen| &screen.kind);
        let list = matches!(
            kind,
            Some(ScreenKind::List {
                source: ListSource::Banks,
                ..
            })
        );
        let absence = [Outcome::NoBanks, Outcome::NoWay].map(|absent| self.menu.outcome(absent));
        list || absence.contains(&screen.as_str())
    }
}

/// A text that begins with the word for somebody's bank, as a sentence begins.
fn capitalized(text: String, word: &str) -> String {
    let first = text.chars().next().filter(|_| text.starts_with(word));
    match first {
        Some(first) => first.to_uppercase().chain(text.chars().skip(1)).collect(),
        None => text,
    }
}

/// Whether nothing but the options on the screen can be answered: banks are also searched for by name.
fn only_options(kind: ScreenKind) -> bool {
    match kind {
        ScreenKind::Choices => true,
        ScreenKind::List { source, .. } => source != ListSource::Banks,
        ScreenKind::Input(_) | ScreenKind::End => false,
    }
}
