//! Journeys in the institution's own application: it is asked, and the person decides there.

use std::time::Duration;

use kiungo::core::next_step::{FailureClass, NextStep};
use kiungo::providers::{Access, Advance, ProviderError, ProviderSession};

use super::conformance::{Login, Scenario, failed, granted, linked_read_and_ended, next_of};
use super::conformance_player::Player;
use crate::support::invented::person::Decision;

/// What institutions accept that ask their application.
pub struct Elsewhere<'a> {
    pub login: Login<'a>,
    /// The person decides in the application about what shows this code.
    pub decide: &'a (dyn Fn(Option<&str>, Decision) + Sync),
    /// The time of everything that is open is up.
    pub end: &'a (dyn Fn() + Sync),
}

pub async fn elsewhere_journeys(scenario: &Scenario<'_>, elsewhere: &Elsewhere<'_>) {
    an_approval_leads_to_a_link(scenario, elsewhere).await;
    an_approval_may_be_denied(scenario, elsewhere).await;
    an_approval_is_open_for_a_time(scenario, elsewhere).await;
    strangers_find_nothing_out(scenario, elsewhere).await;
}

/// Opens a session; what the application shows.
async fn opens(player: &mut Player<'_>, elsewhere: &Elsewhere<'_>) -> (ProviderSession, Option<String>) {
    let (session, step) = next_of(player.opens(elsewhere.login).await);
    (session, binding(step))
}

#[track_caller]
fn binding(step: NextStep) -> Option<String> {
    let NextStep::ApproveElsewhere {
        binding, poll_every, ..
    } = step
    else {
        panic!("nothing is to be approved: {step:?}");
    };
    assert!(poll_every > Duration::ZERO, "it would be asked without a pause");
    binding
}

async fn an_approval_leads_to_a_link(scenario: &Scenario<'_>, elsewhere: &Elsewhere<'_>) {
    let mut player = Player::new(scenario);
    let (session, shown) = opens(&mut player, elsewhere).await;
    for _ in 0..2 {
        let pending = player.advances(&session, Advance::Poll).await;
        assert_eq!(binding(pending), shown, "the code stays the same");
    }
    (elsewhere.decide)(shown.as_deref(), Decision::Approve);
    let grant = granted(player.polls(&session).await);
    let same = granted(player.advances(&session, Advance::Poll).await);
    assert_eq!(same.0.expose(), grant.0.expose(), "asking again changes nothing");
    linked_read_and_ended(&mut player, grant, 1).await;
}

async fn an_approval_may_be_denied(scenario: &Scenario<'_>, elsewhere: &Elsewhere<'_>) {
    let mut player = Player::new(scenario);
    let (session, shown) = opens(&mut player, elsewhere).await;
    (elsewhere.decide)(shown.as_deref(), Decision::Deny);
    for _ in 0..2 {
        let step = player.polls(&session).await;
        assert_eq!(failed(step), FailureClass::Denied);
    }
}

async fn an_approval_is_open_for_a_time(scenario: &Scenario<'_>, elsewhere: &Elsewhere<'_>) {
    let mut player = Player::new(scenario);
    let (session, _) = opens(&mut player, elsewhere).await;
    (elsewhere.end)();
    let step = player.polls(&session).await;
    assert_eq!(failed(step), FailureClass::SessionExpired);
}

async fn strangers_find_nothing_out(scenario: &Scenario<'_>, elsewhere: &Elsewhere<'_>) {
    let mut player = Player::new(scenario);
    let (session, _) = opens(&mut player, elsewhere).await;
    let wrong = (scenario.wrong_keys)();
    let access = Access {
        keys: &wrong,
        ..player.access()
    };
    let advanced = scenario.provider.advance(access, &session, Advance::Poll).await;
    assert!(matches!(advanced, Err(ProviderError::Refused(_))), "{advanced:?}");
}
