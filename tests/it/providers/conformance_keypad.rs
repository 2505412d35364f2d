//! Journeys on the phone's keys: a login, a code, accounts to choose.

use kiungo::core::next_step::{AccountChoice, FailureClass, Grant, NextStep};
use kiungo::providers::{Advance, ProviderSession, SessionKind, SubmissionStep};

use super::conformance::{Login, Scenario, failed, granted, linked_read_and_ended};
use super::conformance_player::Player;

/// Field names and answers.
pub type Answers<'a> = &'a [(&'a str, &'a str)];

/// What institutions accept that ask for everything on the phone.
pub struct Keypad<'a> {
    /// Where a code is asked for after the login; whether accounts are to be chosen after that is the provider's affair.
    pub login: Login<'a>,
    /// Answers that are right, and some that are wrong.
    pub answers: [Answers<'a>; 2],
    /// A code that is right, and one that is wrong.
    pub code: [Answers<'a>; 2],
    /// Where several accounts may be chosen at once, if anywhere, with answers that are right.
    pub several: Option<(Login<'a>, Answers<'a>)>,
}

pub async fn keypad_journeys(scenario: &Scenario<'_>, keypad: &Keypad<'_>) {
    a_no_is_a_no(scenario, keypad).await;
    strangers_log_nobody_in(scenario, keypad).await;
    let mut player = Player::new(scenario);
    let session = player.opens_form(keypad.login).await;
    let grant = code_and_one_account(&mut player, keypad, &session).await;
    linked_read_and_ended(&mut player, grant, 1).await;
    if let Some((login, answers)) = keypad.several {
        several_are_chosen(scenario, login, answers).await;
    }
}

async fn a_no_is_a_no(scenario: &Scenario<'_>, keypad: &Keypad<'_>) {
    let mut player = Player::new(scenario);
    let institution = player.institution(keypad.login).await;
    let mut methods = institution.methods.iter();
    assert!(methods.any(|it| it.id == keypad.login.1 && it.form.fits_keypad()));
    let session = player.opens_form(keypad.login).await;
    assert_eq!(session.kind, SessionKind::Link);
    let wrong = player.submits(&session, SubmissionStep::Login, keypad.answers[1]).await;
    assert_eq!(failed(wrong), FailureClass::Refused);
    let session = player.opens_form(keypad.login).await;
    let asked = player.submits(&session, SubmissionStep::Login, keypad.answers[0]).await;
    assert!(matches!(asked, NextStep::Prompt(_)), "{asked:?}");
    let wrong = player.submits(&session, SubmissionStep::Code, keypad.code[1]).await;
    assert_eq!(failed(wrong), FailureClass::WrongCode);
}

/// Keys that are not accepted are our fault, and what was typed was not wrong.
async fn strangers_log_nobody_in(scenario: &Scenario<'_>, keypad: &Keypad<'_>) {
    let mut player = Player::new(scenario);
    let session = player.opens_form(keypad.login).await;
    let (wrong, answers) = ((scenario.wrong_keys)(), super::typed(keypad.answers[0]));
    let refused = player
        .try_submit(&wrong, &session, SubmissionStep::Login, &answers)
        .await;
    assert_eq!(failed(refused.unwrap().value.step), FailureClass::Misconfigured);
}

/// Continues from a correct login until there is a grant, in at most six steps.
async fn code_and_one_account(player: &mut Player<'_>, keypad: &Keypad<'_>, session: &ProviderSession) -> Grant {
    let mut next = player.submits(session, SubmissionStep::Login, keypad.answers[0]).await;
    for _ in 0..6 {
        next = match next {
            NextStep::Done(grant) => return grant,
            NextStep::Prompt(form) => {
                assert!(form.fits_keypad());
                for (name, _) in keypad.code[0] {
                    assert!(
                        form.fields.iter().any(|field| field.name == *name),
                        "{name} was not asked"
                    );
                }
                player.submits(session, SubmissionStep::Code, keypad.code[0]).await
            }
            NextStep::ChooseAccounts { accounts, .. } => {
                show_little(&accounts);
                player.chooses(session, &[&accounts[0].key]).await
            }
            other => panic!("{other:?}"),
        };
    }
    panic!("no end after six steps");
}

fn show_little(accounts: &[AccountChoice]) {
    for account in accounts {
        let shown = account.masked.chars().count();
        assert!(shown <= 4, "more is shown than the last digits");
    }
}

/// Several accounts may be chosen at once; where there are more of another kind, those may be chosen instead.
async fn several_are_chosen(scenario: &Scenario<'_>, login: Login<'_>, answers: Answers<'_>) {
    let mut player = Player::new(scenario);
    let session = player.opens_form(login).await;
    let NextStep::ChooseAccounts { accounts, many, more } =
        player.submits(&session, SubmissionStep::Login, answers).await
    else {
        panic!("there is nothing to choose");
    };
    assert!(many && accounts.len() > 1, "several may be chosen");
    show_little(&accounts);
    if let Some(more) = more {
        // Twice: to show them may be repeated.
        let asked = player.advances(&session, Advance::More(&more)).await;
        let again = player.advances(&session, Advance::More(&more)).await;
        let [others, same] = [asked, again].map(|step| match step {
            NextStep::ChooseAccounts { accounts, .. } => accounts,
            other => panic!("{other:?}"),
        });
        assert_eq!(others, same);
        assert!(others.iter().all(|other| !accounts.contains(other)), "they are others");
        show_little(&others);
        let grant = granted(player.chooses(&session, &[&others[0].key]).await);
        linked_read_and_ended(&mut player, grant, 1).await;
    }
    let session = player.opens_form(login).await;
    player.submits(&session, SubmissionStep::Login, answers).await;
    let keys: Vec<_> = accounts.iter().map(|account| account.key.as_str()).collect();
    let grant = granted(player.chooses(&session, &keys).await);
    linked_read_and_ended(&mut player, grant, keys.len()).await;
}
