//! Anything at all, in any order: what must hold whatever a person types and whatever becomes known when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::fixtures::{field, form, link, login_form, opened};
use super::phone::{Phone, cumulative, latest};
use super::random_events::{RandomEvent, attempt_result, random_event};
use crate::core::attempt::LiveAttemptState;
use crate::core::flow::state::ReplySlot;
use crate::core::flow::{AttemptResult, Effect, OpenResult, OpenSession, SessionEvent, SubscriberFacts};
use crate::core::health::{Health, HealthMap, Open};
use crate::core::ids::{AttemptId, ConnectSessionId};
use crate::core::linking::{ProviderSession, SessionKind, SubmissionStep};
use crate::core::messages::Locale;
use crate::core::next_step::{FailureClass, FieldKind};
use crate::core::time::Timestamp;

/// What must be true of what was seen so far.
#[derive(Default)]
struct Witness {
    /// How many lines were typed that are found nowhere else.
    canaries: u64,
    /// The last answers of all submissions that can be looked for.
    lasts: Vec<String>,
    /// Every attempt that was ever submitted: step, bank, when.
    attempts: BTreeMap<AttemptId, (SubmissionStep, String, Timestamp)>,
    /// Logins that were refused or are unknown.
    refused: BTreeSet<AttemptId>,
    /// Which bank and method a provider's session was opened for.
    opened_for: BTreeMap<String, (String, String)>,
    /// Sessions still to be opened.
    opens: Vec<OpenSession>,
    wrong_codes: BTreeMap<String, u32>,
    linked: BTreeSet<ConnectSessionId>,
    sessions: u32,
}

impl Witness {
    fn canary(&mut self) -> String {
        self.canaries += 1;
        format!("Zq7x{}y", self.canaries)
    }

    /// A line is typed at the field that stands on the screen, and nowhere else may it go.
    fn types(phone: &mut Phone, line: &str) {
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
        let label = asked.as_ref().map(|name| name.to_uppercase());
        // What is asked is what the screen says, unless something has changed under it since.
        let asked = asked.filter(|_| label.is_some_and(|label| shown.contains(&label)));
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
    fn effects(&mut self, phone: &mut Phone, flight_before: Option<AttemptId>) {
        for effect in std::mem::take(&mut phone.effects) {
            match effect {
                Effect::OpenSession(open) => self.opens.push(*open),
                Effect::Unlink(_)
                | Effect::ResolveAttempt(_)
                | Effect::SendPageLink(_)
                | Effect::MoreAccounts(_)
                | Effect::SavePin(_)
                | Effect::RequestBankAlert(_) => {}
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

    fn may_log_in(&self, bank: &str, now: Timestamp) {
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
    fn check(&mut self, phone: &Phone) {
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

fn open_result(witness: &mut Witness, open: &OpenSession, result: u8) -> OpenResult {
    let form = match result {
        0 | 1 => Some(login_form()),
        2 => None,
        3 => Some(form(vec![
            field("email", FieldKind::Text),
            field("key", FieldKind::Secret),
        ])),
        4 => Some(form(vec![field("face", FieldKind::Unsupported)])),
        5 => return OpenResult::Unavailable(None),
        _ if open.renews.is_some() => return OpenResult::Renewed,
        _ => return OpenResult::Blocked,
    };
    opened(&session_for(witness, open), form)
}

/// A new provider's session for what is to be opened.
fn session_for(witness: &mut Witness, open: &OpenSession) -> String {
    witness.sessions += 1;
    let id = format!("session-{}", witness.sessions);
    witness
        .opened_for
        .insert(id.clone(), (open.institution.id.clone(), open.method.clone()));
    id
}

/// Tells the result of the present attempt (or of one nobody knows), and what the witness learns from it.
fn resolve_attempt(phone: &mut Phone, witness: &mut Witness, which: u8, right: bool) {
    let Some((id, step)) = phone
        .state
        .session
        .as_ref()
        .and_then(|s| s.attempt.as_ref())
        .map(|a| (a.id, a.step))
    else {
        return;
    };
    let id = if right { id } else { AttemptId::from_bytes([0xee; 16]) };
    let result = attempt_result(which);
    let session = phone.state.session.as_ref().expect("a session").clone();
    let taken = phone.resolves(id, result.clone());
    assert!(right || !taken, "an event of nobody was taken");
    if !taken {
        return;
    }
    match result {
        AttemptResult::Failed(failure) if failure.class == FailureClass::Refused && step == SubmissionStep::Login => {
            witness.refused.insert(id);
        }
        AttemptResult::Failed(failure) => {
            witness.refused.remove(&id);
            if failure.class == FailureClass::WrongCode
                && let Some(provider) = &session.provider_session
            {
                *witness.wrong_codes.entry(provider.id.clone()).or_default() += 1;
            }
        }
        AttemptResult::Linked(_) => {
            witness.refused.remove(&id);
            witness.linked.insert(session.id);
        }
        AttemptResult::Unknown | AttemptResult::Lapsed => {}
        _ => {
            witness.refused.remove(&id);
        }
    }
}

fn happen(phone: &mut Phone, witness: &mut Witness, what: RandomEvent) {
    let links = phone.state.links.clone();
    let known = SubscriberFacts {
        links,
        ..SubscriberFacts::default()
    };
    match what {
        RandomEvent::Dial(extras) => {
            let extras: Vec<&str> = extras.iter().map(String::as_str).collect();
            phone.dial_known(&known, &extras);
        }
        RandomEvent::Type(line) => Witness::types(phone, &line),
        RandomEvent::Canary => {
            let canary = witness.canary();
            Witness::types(phone, &canary);
        }
        RandomEvent::Repeat => {
            let before = phone.value();
            phone.begins_again();
            assert!(phone.dialog == 0 || phone.state.dialogs.is_empty() || phone.value() == before || phone.shown > 0);
        }
        RandomEvent::Mismatch => {
            let odd = format!("~{}", "z".repeat(4_000));
            phone.callback(phone.dialog, cumulative(&odd), Some(&known));
            // From here on the gateway's text is another: the person dials again.
            phone.dial_known(&known, &[]);
        }
        RandomEvent::Older(by) => {
            let older = phone.dialog.saturating_sub(by % 3);
            phone.callback(older, latest("1"), Some(&known));
            phone.dial_known(&known, &[]);
        }
        RandomEvent::Passes(seconds) => phone.passes(Duration::from_secs(seconds)),
        RandomEvent::Sent => mark_sent(phone, witness),
        RandomEvent::Result(which, right) => resolve_attempt(phone, witness, which, right),
        RandomEvent::Opened(which, result) if !witness.opens.is_empty() => {
            let open = witness.opens.swap_remove(usize::from(which) % witness.opens.len());
            let result = open_result(witness, &open, result);
            let renewed = matches!(result, OpenResult::Renewed);
            let session = open.session;
            if phone.applies(&SessionEvent::ProviderSessionOpened { session, result }) && renewed {
                witness.linked.insert(session);
            }
        }
        RandomEvent::Unlinked => {
            phone.applies(&SessionEvent::Unlinked(link(1, "", "").id));
        }
        RandomEvent::Looks(one, how) => looks(phone, one, how),
        RandomEvent::Poll(last) => {
            phone.polls(last);
        }
        RandomEvent::Close => {
            phone.state.mark_closed(&[phone.dialog; 32], false);
        }
        RandomEvent::Language(at) => phone.state.locale = Locale::ALL[at],
        RandomEvent::Opened(..) => {}
    }
}

/// Zenith, or everything, looks so from now on.
fn looks(phone: &mut Phone, one: bool, how: u8) {
    let session = phone.state.session.as_ref().map(|session| session.id);
    let shut = |trial| Open {
        until: phone.now.plus(Duration::from_secs(90)),
        probe: trial,
    };
    let health = match how {
        0 => Health::Slow,
        1 => Health::Down(shut(None)),
        2 => Health::Busy(shut(None)),
        3 => Health::Down(shut(session)),
        _ => Health::Healthy,
    };
    phone.health = HealthMap::default();
    phone.health.insert("mono", one.then_some("zenith:p"), health);
}

/// The owner marks the attempt as sent, in the session that it has or opens.
fn mark_sent(phone: &mut Phone, witness: &mut Witness) {
    let now = phone.now;
    let Some(session) = &mut phone.state.session else {
        return;
    };
    let Some(attempt) = &mut session.attempt else { return };
    if attempt
        .apply(crate::core::attempt::AttemptEvent::Send(Phone::node()), now)
        .is_err()
        || session.provider_session.is_some()
    {
        return;
    }
    witness.sessions += 1;
    let id = format!("session-{}", witness.sessions);
    let bank = session.institution.as_ref().expect("a bank");
    let method = bank.picked_method().map(|method| method.id.clone()).unwrap_or_default();
    witness.opened_for.insert(id.clone(), (bank.id.clone(), method));
    session.provider_session = Some(ProviderSession {
        id,
        expires_at: None,
        form: None,
        kind: SessionKind::Link,
    });
}

fn flight(phone: &Phone) -> Option<AttemptId> {
    let attempt = phone.state.session.as_ref()?.attempt.as_ref()?;
    (attempt.in_flight() && phone.now <= attempt.lease_until || attempt.state == LiveAttemptState::Granted)
        .then_some(attempt.id)
}

fn play(events: Vec<RandomEvent>, known_links: bool) {
    let mut phone = Phone::new();
    let mut witness = Witness::default();
    if known_links {
        phone.state.links = vec![link(1, "zenith:p", "Zenith Bank")];
    }
    phone.dial();
    for what in events {
        let before = flight(&phone);
        happen(&mut phone, &mut witness, what);
        witness.effects(&mut phone, before);
        witness.check(&phone);
        let slot = phone.state.dialogs.first().map(|dialog| dialog.reply.clone());
        assert!(matches!(slot, Some(ReplySlot::Set(_) | ReplySlot::Pending { .. })));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    /// Whatever happens in whatever order, from the start.
    #[test]
    fn anything_at_all(events in prop::collection::vec(random_event(), 0..60)) {
        play(events, false);
    }

    /// The same from the middle of a login, where most can go wrong.
    #[test]
    fn anything_from_a_login_on(bank in "[1-4]", events in prop::collection::vec(random_event(), 0..60)) {
        let mut all = vec![RandomEvent::Type("1".to_owned()), RandomEvent::Type(bank)];
        all.extend(events);
        play(all, false);
    }

    /// The same with something linked that can be renewed and unlinked.
    #[test]
    fn anything_with_a_link(events in prop::collection::vec(random_event(), 0..60)) {
        let mut all: Vec<_> = ["2", "1", "1"].map(|key| RandomEvent::Type(key.to_owned())).into();
        all.extend(events);
        play(all, true);
    }
}
