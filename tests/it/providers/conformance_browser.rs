//! Journeys in a browser: a page that is made when it is opened, and what comes back from it.

use kiungo::core::next_step::{FailureClass, NextStep};
use kiungo::core::secret::Secret;
use kiungo::providers::{Access, Advance, PageRequest, ProviderError, ProviderSession, Returned, WebhookError};
use url::Url;

use super::conformance::{Login, Scenario, failed, granted, linked_read_and_ended, next_of};
use super::conformance_player::Player;
use crate::support::invented::hooks::OwnedRequest;
use crate::support::invented::person::Decision;

/// What institutions accept that are reached by a page.
pub struct Browser<'a> {
    pub login: Login<'a>,
    /// The person opens a page, decides, and their browser comes back with this.
    pub browse: &'a (dyn Fn(&Url, Decision) -> OwnedRequest + Sync),
    /// The time of everything that is open is up.
    pub end: &'a (dyn Fn() + Sync),
}

pub async fn browser_journeys(scenario: &Scenario<'_>, browser: &Browser<'_>) {
    a_page_leads_to_a_link(scenario, browser).await;
    a_browser_that_never_comes_back_is_found_out_about(scenario, browser).await;
    a_page_may_be_denied(scenario, browser).await;
    a_page_is_open_for_a_time(scenario, browser).await;
    strangers_get_no_page(scenario, browser).await;
    not_every_request_is_a_return(scenario);
}

/// What is asked for as the first thing: a page.
async fn opens(player: &mut Player<'_>, browser: &Browser<'_>) -> ProviderSession {
    let (session, step) = next_of(player.opens(browser.login).await);
    assert!(matches!(step, NextStep::OpenLink { .. }), "{step:?}");
    session
}

/// Makes a page and goes there; what comes back, read.
async fn visit(
    player: &mut Player<'_>,
    browser: &Browser<'_>,
    session: &ProviderSession,
    state: &str,
    decision: Decision,
) -> Returned {
    let back = Url::parse("https://pay.example/back/it").unwrap();
    let page = player.page(session, &Secret::new(state), &back).await.unwrap();
    assert_eq!(page.scheme(), "https");
    let request = (browser.browse)(&page, decision);
    assert_eq!(request.path, "/back/it");
    let returned = player.scenario.provider.returned(&request.as_request()).unwrap();
    assert_eq!(returned.state.expose(), state, "it finds the attempt");
    let secrets = [state, returned.data.expose()].map(str::to_owned);
    super::conformance::quiet(&secrets, &returned);
    returned
}

/// A page may be made again, as somebody who opens the link twice does; either leads to the grant, which stays the same
/// however often it is asked for.
async fn a_page_leads_to_a_link(scenario: &Scenario<'_>, browser: &Browser<'_>) {
    let mut player = Player::new(scenario);
    let session = opens(&mut player, browser).await;
    let back = Url::parse("https://pay.example/back/it").unwrap();
    let first = player.page(&session, &Secret::new("state-0"), &back).await;
    assert!(first.is_ok());
    let step = player.advances(&session, Advance::Poll).await;
    assert!(matches!(step, NextStep::OpenLink { .. }), "{step:?}");
    let returned = visit(&mut player, browser, &session, "state-1", Decision::Approve).await;
    let mut step = player.advances(&session, Advance::Returned(&returned.data)).await;
    if matches!(step, NextStep::Wait { .. }) {
        step = player.polls(&session).await;
    }
    let grant = granted(step);
    for again in [Advance::Returned(&returned.data), Advance::Poll] {
        let same = granted(player.advances(&session, again).await);
        assert_eq!(same.0.expose(), grant.0.expose(), "asking again changes nothing");
    }
    linked_read_and_ended(&mut player, grant, 1).await;
}

async fn a_browser_that_never_comes_back_is_found_out_about(scenario: &Scenario<'_>, browser: &Browser<'_>) {
    let mut player = Player::new(scenario);
    let session = opens(&mut player, browser).await;
    visit(&mut player, browser, &session, "state-1", Decision::Approve).await;
    let grant = granted(player.polls(&session).await);
    linked_read_and_ended(&mut player, grant, 1).await;
}

async fn a_page_may_be_denied(scenario: &Scenario<'_>, browser: &Browser<'_>) {
    let mut player = Player::new(scenario);
    let session = opens(&mut player, browser).await;
    let returned = visit(&mut player, browser, &session, "state-1", Decision::Deny).await;
    let step = player.advances(&session, Advance::Returned(&returned.data)).await;
    assert_eq!(failed(step), FailureClass::Denied);
    assert_eq!(
        failed(player.advances(&session, Advance::Poll).await),
        FailureClass::Denied
    );
}

async fn a_page_is_open_for_a_time(scenario: &Scenario<'_>, browser: &Browser<'_>) {
    let mut player = Player::new(scenario);
    let session = opens(&mut player, browser).await;
    let back = Url::parse("https://pay.example/back/it").unwrap();
    let page = player.page(&session, &Secret::new("state-1"), &back).await.unwrap();
    (browser.end)();
    let request = (browser.browse)(&page, Decision::Approve);
    let returned = scenario.provider.returned(&request.as_request()).unwrap();
    let step = player.advances(&session, Advance::Returned(&returned.data)).await;
    assert_eq!(failed(step), FailureClass::SessionExpired);
    let gone = player.page(&session, &Secret::new("state-2"), &back).await;
    assert!(
        matches!(gone, Err(ProviderError::NotFound | ProviderError::Refused(_))),
        "{gone:?}"
    );
}

async fn strangers_get_no_page(scenario: &Scenario<'_>, browser: &Browser<'_>) {
    let mut player = Player::new(scenario);
    let session = opens(&mut player, browser).await;
    let (wrong, state) = ((scenario.wrong_keys)(), Secret::new("state-1"));
    let access = Access {
        keys: &wrong,
        ..player.access()
    };
    let back = Url::parse("https://pay.example/back/it").unwrap();
    let page = PageRequest {
        state: &state,
        back: &back,
    };
    let made = scenario.provider.page(access, &session, page).await;
    assert!(matches!(made, Err(ProviderError::Refused(_))), "{made:?}");
    let advanced = scenario.provider.advance(access, &session, Advance::Poll).await;
    assert!(matches!(advanced, Err(ProviderError::Refused(_))), "{advanced:?}");
}

/// Anybody can open the address that browsers come back to.
fn not_every_request_is_a_return(scenario: &Scenario<'_>) {
    let request = OwnedRequest {
        method: "GET",
        path: "/back/it".to_owned(),
        query: "nothing=here".to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    let read = scenario.provider.returned(&request.as_request());
    assert_eq!(read.err(), Some(WebhookError::Malformed));
}
