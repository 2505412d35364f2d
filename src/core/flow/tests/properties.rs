//! Anything at all, in any order: what must hold whatever a person types and whatever becomes known when.

use std::time::Duration;

use proptest::prelude::*;

use super::fixtures::{away_bank, field, form, link, login_form, opened, session_of};
use super::phone::{Phone, cumulative, latest};
use super::random_events::{RandomEvent, account_list, attempt_result, random_event, some_wait};
use super::witness::Witness;
use crate::core::attempt::LiveAttemptState;
use crate::core::flow::state::ReplySlot;
use crate::core::flow::{AttemptResult, MoreAccountsResult, OpenResult, OpenSession, SessionEvent, SubscriberFacts};
use crate::core::health::{Health, HealthMap, Open};
use crate::core::ids::AttemptId;
use crate::core::linking::{Journey, ProviderSession, SessionKind, SubmissionStep};
use crate::core::messages::Locale;
use crate::core::next_step::{FailureClass, FieldKind};
use crate::core::time::Timestamp;

fn open_result(witness: &mut Witness, open: &OpenSession, result: u8, now: Timestamp) -> OpenResult {
    let form = match result {
        0 | 1 => Some(login_form()),
        2 => None,
        3 => Some(form(vec![
            field("email", FieldKind::Text),
            field("key", FieldKind::Secret),
        ])),
        4 => Some(form(vec![field("face", FieldKind::Unsupported)])),
        5 => return OpenResult::Unavailable(None),
        7..=10 => {
            return OpenResult::Waiting {
                session: session_of(&session_for(witness, open)),
                attempt: attempt_of(open),
                waiting: some_wait(result - 7, now),
            };
        }
        11 => {
            return OpenResult::Accounts {
                session: session_of(&session_for(witness, open)),
                list: account_list(2, true),
            };
        }
        12 => {
            return OpenResult::Granted {
                session: session_of(&session_for(witness, open)),
                attempt: attempt_of(open),
            };
        }
        13 => return OpenResult::Failed(FailureClass::Denied.into()),
        _ if open.renews.is_some() => return OpenResult::Renewed,
        _ => return OpenResult::Blocked,
    };
    opened(&session_for(witness, open), form)
}

/// The attempt that stands for an opened session: of the same one always the same.
fn attempt_of(open: &OpenSession) -> AttemptId {
    let mut id = *open.session.as_bytes();
    id[15] = 0xaa;
    AttemptId::from_bytes(id)
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
    let Some((id, step, before)) = phone
        .state
        .session
        .as_ref()
        .and_then(|s| s.attempt.as_ref())
        .map(|a| (a.id, a.step, a.state))
    else {
        return;
    };
    let id = if right { id } else { AttemptId::from_bytes([0xee; 16]) };
    let result = attempt_result(which, phone.now);
    let session = phone.state.session.as_ref().expect("a session").clone();
    let taken = phone.resolves(id, result.clone());
    assert!(right || !taken, "an event of nobody was taken");
    if !taken {
        return;
    }
    match result {
        // Nothing was typed here that the bank could have refused.
        _ if before == LiveAttemptState::Waiting && !matches!(result, AttemptResult::Linked(_)) => {
            if let AttemptResult::Failed(failure) = result
                && failure.class == FailureClass::WrongCode
                && let Some(provider) = &session.provider_session
            {
                *witness.wrong_codes.entry(provider.id.clone()).or_default() += 1;
            }
        }
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
            let result = open_result(witness, &open, result, phone.now);
            let renewed = matches!(result, OpenResult::Renewed);
            let session = open.session;
            if phone.applies(&SessionEvent::ProviderSessionOpened { session, result }) && renewed {
                witness.linked.insert(session);
            }
        }
        RandomEvent::MoreAccounts(which) => find_more_accounts(phone, which),
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

/// The provider was asked for more accounts.
fn find_more_accounts(phone: &mut Phone, which: u8) {
    let Some(session) = phone.state.session.as_ref().map(|session| session.id) else {
        return;
    };
    let result = match which {
        0 => MoreAccountsResult::Found(account_list(3, true)),
        1 => MoreAccountsResult::Found(account_list(0, false)),
        2 => MoreAccountsResult::Failed(FailureClass::Denied.into()),
        _ => MoreAccountsResult::Unavailable,
    };
    phone.applies(&SessionEvent::MoreAccounts { session, result });
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
        chosen: Vec::new(),
        id,
        expires_at: None,
        told_at: None,
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
    phone.opens_at_once = false;
    let mut witness = Witness::default();
    if known_links {
        phone.state.links = vec![link(1, "zenith:p", "Zenith Bank")];
    }
    phone
        .banks
        .push(away_bank("kuda", "Kuda", Journey::Browser, form(vec![])));
    phone.banks.push(away_bank(
        "opay",
        "Opay",
        Journey::Elsewhere,
        form(vec![field("user", FieldKind::Text)]),
    ));
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
    fn anything_from_a_login_on(bank in "[1-6]", events in prop::collection::vec(random_event(), 0..60)) {
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
