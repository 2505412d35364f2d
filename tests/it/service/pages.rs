//! From the link in an SMS to the bank's page and back, on two nodes: each ticket once, no answer that tells a stranger
//! anything, and nothing readable left behind.

use std::time::Duration;

use kiungo::core::messages::Locale;
use kiungo::core::secret::Secret;
use kiungo::core::time::Clock as _;
use kiungo::providers::{ProviderError, ProviderRequest};
use kiungo::records::{Attempt, AttemptState, JobType as _, TicketPurpose};
use kiungo::service::callbacks::{OpenedPage, PersonPage, PersonPages as _};
use kiungo::service::linking::advance::AdvanceNow;
use kiungo::service::page_links::PageLinks;
use rstest::rstest;

use crate::support::app_fixture::PUBLIC_URL;
use crate::support::hook_bank::{HookWorld, NAME, WAIT};
use crate::support::records::{Backend, person};
use crate::support::{files_below, hex};

/// What the link to an attempt holds.
async fn token(world: &HookWorld, attempt: &Attempt, nth: u32) -> Secret {
    let url = world.nodes[0]
        .pages
        .links
        .issue(attempt.id, nth)
        .await
        .unwrap()
        .unwrap();
    Secret::new(url.expose().strip_prefix(&format!("{PUBLIC_URL}/go/")).unwrap())
}

async fn show(world: &HookWorld, node: usize, token: &Secret) -> PersonPage {
    world.nodes[node].pages.show(token, Locale::En).await
}

/// Where the button leads, or the page that it shows.
async fn open(world: &HookWorld, node: usize, token: &Secret) -> Result<String, PersonPage> {
    match world.nodes[node].pages.open(token, Locale::En).await {
        OpenedPage::Redirect(url) => Ok(url.expose().to_owned()),
        OpenedPage::Page(page) => Err(page),
    }
}

async fn come_back(world: &HookWorld, node: usize, query: &str, form: &str) -> PersonPage {
    let request = ProviderRequest {
        method: if form.is_empty() { "GET" } else { "POST" },
        path: "/back/hookbank",
        tail: "",
        query,
        headers: &[],
        body: form.as_bytes(),
    };
    let page = world.nodes[node].pages.returned(NAME, &request, Locale::En).await;
    page.expect("a provider")
}

/// The last `state` that the provider made a page with.
fn last_state(world: &HookWorld) -> String {
    world.bank.script().asked.last().unwrap().0.clone()
}

/// The key of the job that goes on with what came back with this state.
fn returned_key(world: &HookWorld, attempt: &Attempt, state: &str) -> String {
    let digest = world
        .deps()
        .sealing
        .ticket_digest(TicketPurpose::State, &Secret::new(state));
    format!("{}:{}", AdvanceNow::key(attempt.id), hex(&digest[..8]))
}

/// The page for everything that leads nowhere.
async fn over(world: &HookWorld) -> PersonPage {
    let page = show(world, 0, &Secret::new("nobody-wrote-this")).await;
    assert_eq!((page.status, page.title.as_str()), (404, "This page is over"));
    assert!(page.text.contains("Dial") && page.button.is_none());
    page
}

/// A link shows its page as often as anyone looks, and leads to the bank once, whichever node it is pressed on; what comes
/// back is stored once, sealed, with the job that goes on from there.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_link_leads_to_the_bank_and_back_once(#[case] backend: Backend) {
    let world = HookWorld::new(backend).await;
    let attempt = world.waiting(&person(1, 1), "s1", "en").await;
    let (link, again) = (token(&world, &attempt, 1).await, token(&world, &attempt, 1).await);
    assert_eq!(
        link.expose(),
        again.expose(),
        "a job that runs twice sends another link"
    );
    assert_ne!(link.expose(), token(&world, &attempt, 2).await.expose());
    for node in [0, 1, 0] {
        let page = show(&world, node, &link).await;
        assert_eq!((page.status, page.button.as_deref()), (200, Some("Continue")));
    }
    assert!(
        world.bank.script().asked.is_empty(),
        "a page was made before anybody asked for it"
    );

    let (one, other) = tokio::join!(open(&world, 0, &link), open(&world, 1, &link));
    let opened: Vec<_> = [one, other].into_iter().collect();
    let urls: Vec<_> = opened.iter().flatten().collect();
    let [url] = &urls[..] else { panic!("{opened:?}") };
    let state = url
        .strip_prefix("https://bank.example.com/s1?state=")
        .unwrap()
        .to_owned();
    let asked = std::mem::take(&mut world.bank.script().asked);
    assert!(asked.contains(&(state.clone(), format!("{PUBLIC_URL}/back/{NAME}"))));
    let over = over(&world).await;
    assert!(
        opened
            .iter()
            .all(|opened| opened.as_ref().err().is_none_or(|page| *page == over))
    );
    for node in [0, 1] {
        assert_eq!(show(&world, node, &link).await, over);
        assert_eq!(open(&world, node, &link).await, Err(over.clone()));
    }

    let data = format!("code=Zq7c0debr0ught&state={state}");
    let (one, other) = tokio::join!(come_back(&world, 0, &data, ""), come_back(&world, 1, "", &data));
    let back = [one, other];
    assert_eq!(
        back.iter().filter(|page| page.title == "Return to your phone").count(),
        1
    );
    assert_eq!(back.iter().filter(|page| **page == over).count(), 1);
    let (found, _) = world.records.attempt(attempt.id).await.unwrap().unwrap();
    let opened = world
        .deps()
        .sealing
        .open_returned(&found.tag, found.id, &found.returned.unwrap());
    assert_eq!(opened.unwrap().expose(), data);
    assert!(world.has_job(&returned_key(&world, &attempt, &state)).await);
    // A loser's page was made with a state that leads nowhere.
    for (other, _) in asked.iter().filter(|(other, _)| *other != state) {
        assert_eq!(come_back(&world, 0, &format!("state={other}"), "").await, over);
    }
}

/// Links that nobody wrote, that were used, whose time is over, whose attempt waits no more and those of another kind: one
/// page, to anyone who looks, presses or comes back.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn what_leads_nowhere_is_one_page(#[case] backend: Backend) {
    let world = HookWorld::new(backend).await;
    let over = over(&world).await;
    let attempt = world.waiting(&person(1, 1), "s1", "fr").await;
    let used = token(&world, &attempt, 1).await;
    assert!(open(&world, 0, &used).await.is_ok());
    let state = last_state(&world);
    let ended = world.waiting(&person(1, 2), "s2", "fr").await;
    let of_ended = token(&world, &ended, 1).await;
    let moved = world
        .records
        .move_attempt(ended.id, AttemptState::Refused, world.clock.now());
    assert!(moved.await.unwrap());
    assert!(world.nodes[0].pages.links.issue(ended.id, 2).await.unwrap().is_none());
    let good = token(&world, &attempt, 2).await;
    for link in [&used, &of_ended, &Secret::new(state.as_str()), &Secret::new("")] {
        assert_eq!(show(&world, 1, link).await, over);
        assert_eq!(open(&world, 1, link).await, Err(over.clone()));
    }
    let token = good.expose();
    for query in [
        format!("state={token}"),
        "state=nobody-wrote-this".to_owned(),
        "code=1".to_owned(),
    ] {
        assert_eq!(come_back(&world, 1, &query, "").await, over, "{query}");
    }
    assert_eq!(show(&world, 0, &good).await.status, 200);

    world.clock.advance(WAIT);
    assert_eq!(show(&world, 0, &good).await, over);
    assert_eq!(open(&world, 0, &good).await, Err(over.clone()));
    assert_eq!(come_back(&world, 0, &format!("state={state}"), "").await, over);
    let (found, _) = world.records.attempt(attempt.id).await.unwrap().unwrap();
    assert_eq!(found.returned, None);
    let nobody = world.nodes[0].pages.returned_empty("nobody", Locale::En);
    assert_eq!(nobody, None);
}

/// A page that cannot be made now leaves the link good, and says so; one that will never be made does not. A provider cannot
/// send a browser anywhere but to the web.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_cannot_be_made(#[case] backend: Backend) {
    let world = HookWorld::new(backend).await;
    let over = over(&world).await;
    let attempt = world.waiting(&person(1, 1), "s1", "sw").await;
    let link = token(&world, &attempt, 1).await;
    for (page, status) in [
        (Err(ProviderError::Unavailable("down", None)), 503),
        (Err(ProviderError::RateLimited(Some(Duration::from_secs(1)))), 503),
        (Ok("javascript:alert(1)"), 503),
        (Ok("data:text/html,1"), 503),
        (Err(ProviderError::NotFound), 404),
        (Err(ProviderError::Refused("over")), 404),
    ] {
        world.bank.script().pages.push_back(page);
        let page = open(&world, 0, &link).await.unwrap_err();
        assert_eq!((page.status, page.button.is_some()), (status, status == 503));
        if status == 404 {
            assert_eq!(page, over);
        }
        assert_eq!(show(&world, 1, &link).await.status, 200);
    }
    assert!(open(&world, 1, &link).await.is_ok());
}

/// A person who is known reads their own language, whatever their browser asks for.
#[tokio::test(flavor = "multi_thread")]
async fn pages_speak_the_language_of_the_consent() {
    let world = HookWorld::new(Backend::Sqlite).await;
    for (n, (locale, go, back)) in [
        ("fr", "Continuer vers votre banque", "Revenez à votre téléphone"),
        ("sw", "Endelea kwenye benki yako", "Rudi kwenye simu yako"),
        ("xx", "Continue to your bank", "Return to your phone"),
    ]
    .into_iter()
    .enumerate()
    {
        let who = person(1, u8::try_from(n).unwrap() + 1);
        let attempt = world.waiting(&who, &format!("s{n}"), locale).await;
        let link = token(&world, &attempt, 1).await;
        assert_eq!(show(&world, 0, &link).await.title, go);
        open(&world, 0, &link).await.unwrap();
        let page = come_back(&world, 1, &format!("state={}", last_state(&world)), "").await;
        assert_eq!(page.title, back);
    }
}

/// Somebody who comes back after their attempt was settled another way, by a webhook or another node, is sent to their phone
/// all the same; what they bring is not kept.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn coming_back_late_is_no_harm(#[case] backend: Backend) {
    let world = HookWorld::new(backend).await;
    let attempt = world.waiting(&person(1, 1), "s1", "en").await;
    open(&world, 0, &token(&world, &attempt, 1).await).await.unwrap();
    let state = last_state(&world);
    let moved = world
        .records
        .move_attempt(attempt.id, AttemptState::Refused, world.clock.now());
    assert!(moved.await.unwrap());
    let page = come_back(&world, 1, &format!("state={state}"), "").await;
    assert_eq!((page.status, page.title.as_str()), (200, "Return to your phone"));
    let (found, _) = world.records.attempt(attempt.id).await.unwrap().unwrap();
    assert_eq!(found.returned, None);
    assert!(!world.has_job(&returned_key(&world, &attempt, &state)).await);
}

/// Where nobody can be sent to a browser there are no links; in a sandbox they lead to where it listens, unless it is told a
/// public URL.
#[tokio::test(flavor = "multi_thread")]
async fn links_need_an_address() {
    let world = HookWorld::new(Backend::Sqlite).await;
    let attempt = world.waiting(&person(1, 1), "s1", "en").await;
    let url = "https://k.example.com/kiungo/".parse().unwrap();
    for (public, want) in [
        (None, "http://127.0.0.1:8080/go/"),
        (Some(&url), "https://k.example.com/kiungo/go/"),
    ] {
        let links = PageLinks::new(world.deps().clone(), public);
        assert_eq!(links.is_available(), public.is_some());
        let issued = links.issue(attempt.id, 1).await.unwrap();
        assert_eq!(issued.is_some(), public.is_some());
        links.listen_at("http://127.0.0.1:8080");
        let issued = links.issue(attempt.id, 1).await.unwrap().unwrap();
        let token = issued.expose().strip_prefix(want).unwrap();
        // 128 bits, in letters that survive an SMS.
        assert!(
            token.len() == 26 && token.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            "{token}"
        );
    }
}

/// Of a link, a `state` and what came back nothing can be read in the records' files.
#[tokio::test(flavor = "multi_thread")]
async fn tickets_cannot_be_read_in_the_records() {
    let world = HookWorld::new(Backend::Sqlite).await;
    let attempt = world.waiting(&person(1, 1), "s1", "en").await;
    let link = token(&world, &attempt, 1).await;
    open(&world, 0, &link).await.unwrap();
    let state = last_state(&world);
    let data = format!("state={state}&code=Zq7c0debr0ught");
    assert_eq!(come_back(&world, 0, &data, "").await.status, 200);
    let (mut found, secrets) = (false, [link.expose(), &state, "Zq7c0debr0ught"]);
    for file in files_below(world.records.folder.path()) {
        let bytes = std::fs::read(&file).unwrap();
        let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        // The search finds what is there.
        found |= holds("First Bank");
        for secret in secrets {
            assert!(!holds(secret), "{}", file.display());
        }
    }
    assert!(found);
}
