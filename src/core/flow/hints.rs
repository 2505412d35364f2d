//! What stands below a screen's text where there is room for it: how to fill it in, and whom to call.

use super::session::ConnectSession;
use super::step::Step;
use crate::core::gsm7;
use crate::core::menu::Outcome;
use crate::core::messages::TemplateArg;
use crate::core::screen::{ScreenDraft, ScreenPage, lay_out};

/// Septets that the help of a field may take.
const MAX_FIELD_HELP: usize = 80;

/// Septets that what a bank calls its code keeps where the page has no room for more.
const SHORT_FIELD: usize = 24;

/// What is to be shown, and the page of it that is.
type Laid = (ScreenDraft, ScreenPage);

impl Step<'_> {
    /// The screen with what helps to fill it in, where that is on one page with it. What the bank calls its code is cut
    /// before the way back to it is left out: without that nobody gets at the code.
    pub(super) fn with_hints(&self, mut screen: Laid, args: &[(&'static str, TemplateArg)], septets: usize) -> Laid {
        let below = |screen: &Laid, text: &str, hint: &str| {
            let text = format!("{text}\n{hint}");
            let hinted = ScreenDraft {
                text,
                ..screen.0.clone()
            };
            let page = lay_out(&hinted, self.state.cursor.page, septets);
            (!page.has_more).then_some((hinted, page))
        };
        if let Some(hint) = self.code_hint(args) {
            let field = args.iter().find_map(|(name, value)| match value {
                TemplateArg::Text(field) if *name == "field" => Some(field.as_str()),
                _ => None,
            });
            let field = field.filter(|field| !field.is_empty());
            let cut = field.map(|field| screen.0.text.replacen(field, &gsm7::clean_words(field, SHORT_FIELD), 1));
            let texts = [Some(screen.0.text.clone()), cut];
            let hinted = texts.iter().flatten().find_map(|text| below(&screen, text, &hint));
            screen = hinted.unwrap_or(screen);
        }
        for help in [self.time_hint(), self.field_help(), self.help_line()]
            .into_iter()
            .flatten()
        {
            let helped = below(&screen, &screen.0.text, &help);
            screen = helped.unwrap_or(screen);
        }
        screen
    }

    /// How a person who must read a message meanwhile comes back: it hides behind the dialog on most phones.
    fn code_hint(&self, args: &[(&'static str, TemplateArg)]) -> Option<String> {
        let session = self.state.session.as_ref()?;
        let asked = self.state.cursor.screen == self.flow.menu.outcome(Outcome::Ask);
        // Who texts has the message at hand.
        let on_phone = self.state.sms_dialog().is_none();
        (asked && on_phone && session.asks_later_code())
            .then(|| self.flow.templates.format(self.state.locale, "note-by-sms", args))
    }

    /// What the provider says about filling in the field on the screen, where there is room for it.
    fn field_help(&self) -> Option<String> {
        // By SMS the bank's own words are not repeated.
        let session = self
            .state
            .session
            .as_ref()
            .filter(|_| self.state.sms_dialog().is_none())?;
        let asked = [Outcome::Ask, Outcome::AskChoice].map(|outcome| self.flow.menu.outcome(outcome));
        let help = session.current_field()?.help.as_deref()?;
        let help = gsm7::clean_words(help, MAX_FIELD_HELP);
        (asked.contains(&self.state.cursor.screen.as_str()) && !help.is_empty()).then_some(help)
    }

    /// Whom to call, where somebody may be stuck: their bank has refused twice, or they leave.
    pub(super) fn help_line(&self) -> Option<String> {
        let on = |outcome| self.state.cursor.screen == self.flow.menu.outcome(outcome);
        let session = self.state.session.as_ref();
        let refused_twice = || session.is_some_and(|session| self.refusals_at_bank(session) >= 2);
        let stuck = on(Outcome::Left) || on(Outcome::Limited) || (on(Outcome::Refused) && refused_twice());
        let contact = self.flow.contact(self.state).filter(|_| stuck);
        self.flow.call_for_help(self.state.locale, contact)
    }

    /// How many logins at the session's bank have failed lately.
    fn refusals_at_bank(&self, session: &ConnectSession) -> usize {
        let bank = session.institution.as_ref().map(|bank| bank.provider_id.as_str());
        let refused = self.state.refusals.iter();
        refused
            .filter(|refusal| Some(refusal.institution.as_str()) == bank)
            .count()
    }
}
