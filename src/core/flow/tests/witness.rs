//! What must hold whatever a person types and whatever becomes known when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::phone::Phone;
use crate::core::attempt::LiveAttemptState;
use crate::core::flow::state::{ReplySlot, TurnReply};
use crate::core::flow::{Effect, OpenSession};
use crate::core::gsm7;
use crate::core::ids::{AttemptId, ConnectSessionId};
use crate::core::labels;
use crate::core::linking::SubmissionStep;
use crate::core::messages::Locale;
use crate::core::time::Timestamp;

/// What must be true of what was seen so far.
#[derive(Default)]
pub struct Witness {
    /// How many lines were typed that are found nowhere else.
    pub canaries: u64,
    /// The last answers of all submissions that can be looked for.
    pub lasts: Vec<String>,
    /// Every attempt that was ever submitted: step, bank, when.
    pub attempts: BTreeMap<AttemptId, (SubmissionStep, String, Timestamp)>,
    /// Logins that were refused or are unknown.
    pub refused: BTreeSet<AttemptId>,
    /// Which bank and method a provider's session was opened for.
    pub opened_for: BTreeMap<String, (String, String)>,
    /// Sessions still to be opened.
    pub opens: Vec<OpenSession>,
    pub wrong_codes: BTreeMap<String, u32>,
    pub linked: BTreeSet<ConnectSessionId>,
    pub sessions: u32,
}

impl Witness {
    pub fn canary(&mut self) -> String {
        self.canaries += 1;
        format!("Zq7x{}y", self.canaries)
    }

    /// A line is typed at the field that stands on the screen, and nowhere else may it go.
    pub fn types(phone: &mut Phone, line: &str) {
        let asked = phone.answer().is_some() && phone.state.cursor.screen == "field";
        let asked = asked
            .then(|| {
                phone
                    .state
                    .session
                    .as_ref()
                    .and_then(|s| s.current_field())
                    .map(|f| f.name.clone())
            })
            .flatten();
        let shown = phone.says();
        // In whichever language it was shown: that may have changed since.
        let templates = &phone.flow.templates;
        let labels = |name: &String| {
            let label = name.to_uppercase();
            let said = |locale| labels::translate(templates, locale, &label);
            let said: Vec<_> = Locale::ALL.into_iter().filter_map(said).collect();
            said.into_iter().chain([label]).collect::<Vec<_>>()
        };
        // What is asked is what the screen says, unless something has changed under it since.
        let asked = asked.filter(|name| labels(name).iter().any(|label| shown.contains(label)));
        phone.types(line);
        if !line.starts_with("Zq7x") {
            return;
        }
        let kept = phone.state.session.iter().flat_map(|session| &session.answers);
        for (name, answer) in kept {
            assert!(
                answer.expose() != line || Some(name) == asked.as_ref(),
                "{line} answers {name}, asked was {asked:?}: {shown}"
            );
        }
        for effect in &phone.effects {
            if let Effect::Submit(submit) = effect {
                for (name, answer) in &submit.answers {
                    assert!(
                        answer.expose() != line || Some(name) == asked.as_ref(),
                        "{line} submitted as {name}: {shown}"
                    );
                }
            }
        }
    }

    /// Takes up what was asked for, and checks it.
    pub fn effects(&mut self, phone: &mut Phone, flight_before: Option<AttemptId>) {
        for effect in std::mem::take(&mut phone.effects) {
            match effect {
                Effect::OpenSession(open) => self.opens.push(*open),
                Effect::Unlink(_)
                | Effect::KeepSharing(_)
                | Effect::ResolveAttempt(_)
                | Effect::SendPageLink(_)
                | Effect::MoreAccounts(_)
                | Effect::SavePin(_)
                | Effect::SaveLanguage(_)
                | Effect::NoteUse(_)
                | Effect::RequestBankAlert(_)
                | Effect::Remind(_) => {}
                Effect::Submit(submit) => {
                    assert!(
                        submit.open.consent.is_some() || submit.open.renews.is_some(),
                        "no consent"
                    );
                    assert_eq!(flight_before, None, "two on their way");
                    let bank = submit.open.institution.id.clone();
                    if let Some(session) = &submit.provider_session {
                        let of = (bank.clone(), submit.open.method.clone());
                        assert_eq!(self.opened_for.get(&session.id), Some(&of), "a session of another bank");
                        if submit.step == SubmissionStep::Code {
                            assert!(
                                self.wrong_codes.get(&session.id).is_none_or(|wrong| *wrong < 3),
                                "a fourth code"
                            );
                        }
                    }
                    if submit.step == SubmissionStep::Login {
                        let health = phone.health.get(&submit.open.provider, &bank);
                        assert_eq!(
                            health.refusal_for(submit.open.session),
                            None,
                            "a login at a bank that is away"
                        );
                        self.may_log_in(&bank, phone.now);
                    }
                    self.lasts.extend(
                        submit
                            .answers
                            .last()
                            .map(|(_, last)| last.expose().to_owned())
                            .filter(|last| last.starts_with("Zq7x")),
                    );
                    let again = self.attempts.insert(submit.attempt, (submit.step, bank, phone.now));
                    assert!(again.is_none(), "submitted twice");
                }
            }
        }
    }

    pub fn may_log_in(&self, bank: &str, now: Timestamp) {
        for (window, most) in [(Duration::from_mins(15), 2), (Duration::from_hours(24), 5)] {
            let count = self
                .refused
                .iter()
                .filter_map(|id| self.attempts.get(id))
                .filter(|(_, of, at)| of == bank && now.since(*at) < window)
                .count();
            assert!(count < most, "a login after {count} refusals in {window:?}");
        }
    }

    /// What is true after anything.
    pub fn check(&mut self, phone: &Phone) {
        phone.check_screen();
        let value = phone.value();
        for last in &self.lasts {
            assert!(!value.contains(last.as_str()), "{last} is in the value");
        }
        if let Some(session) = &phone.state.session {
            if let Some(attempt) = &session.attempt
                && attempt.state == LiveAttemptState::Unknown
                && attempt.step == SubmissionStep::Login
            {
                self.refused.insert(attempt.id);
            }
            let told = ["linked", "linked-twice", "renewed", "news"].contains(&phone.state.cursor.screen.as_str());
            if told && phone.answer().is_some() {
                assert!(self.linked.contains(&session.id), "said before it was");
            }
        }
    }
}

impl Phone {
    /// Asserts that what is on the screen can be shown there and says what it means.
    pub fn check_screen(&self) {
        let Some(dialog) = self.state.dialogs.first() else {
            return;
        };
        let ReplySlot::Set(TurnReply { end, text, .. }) = &dialog.reply else {
            return;
        };
        let septets = gsm7::septets(text).unwrap_or_else(|| panic!("not in GSM-7: {text:?}"));
        assert!(septets <= dialog.septets, "{septets} septets: {text:?}");
        assert!(
            !text.trim().is_empty(),
            "an empty screen at {:?}",
            self.state.cursor.screen
        );
        assert!(!text.contains("{$") && !text.contains("{ $"), "{text:?}");
        let ids = self.flow.templates.ids(Locale::En);
        assert!(
            !text.lines().any(|line| ids.contains(&line) && line.contains('-')),
            "{text:?}"
        );
        assert!(!*end || dialog.closed, "an END that leaves its dialog open");
    }
}
