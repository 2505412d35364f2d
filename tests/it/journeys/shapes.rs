//! A provider of which nothing was known when this was built links accounts by every shape of a journey: on the keypad, in a
//! browser, in an application, and by two of them. Each begins at one node and goes on at another, by a redial, a text or a
//! page; each is the same on memory and SQLite.

use std::time::Duration;

use kiungo::records::{AttemptState, LinkState};
use reqwest::Method;
use rstest::rstest;

use crate::support::aggregator::{Phone, UssdReply};
use crate::support::eventually;
use crate::support::invented::branches::{BORN_TYPED, Branch, CODE, PASSWORD};
use crate::support::invented::person::Decision;
use crate::support::invented::world::{InventedWorld, PUBLIC};
use crate::support::sms_world::code_in;
use crate::support::world::Setup;

pub const ASHA: &str = "+2348030011001";
/// What stands on the screen while a page is to be opened.
pub const PAGE_SHOWN: &str = "To log in to Umoja Online, open the";
pub const PATIENCE: Duration = Duration::from_mins(1);

/// From dialling to what the bank asks first.
pub async fn to_bank(phone: &mut Phone, branch: Branch) -> UssdReply {
    phone.dial().await.asks("It cannot move money");
    phone.say("1").await.asks("Choose your bank");
    let found = phone.say(branch.id()).await;
    // What begins without a question, by a text or in an app, is picked from the list.
    if found.text.contains(&format!("1 {}", branch.title())) {
        return phone.say("1").await;
    }
    found
}

/// What is shown now, or soon: a busy machine is slower than a turn.
pub async fn soon(phone: &mut Phone, reply: UssdReply, text: &str) -> UssdReply {
    if reply.text.contains(text) {
        return reply;
    }
    reply.asks("1 Check again");
    phone.until("1", text).await
}

/// Logs in where a form is asked for.
pub async fn log_in(phone: &mut Phone, branch: Branch) -> UssdReply {
    to_bank(phone, branch).await.asks("Member number");
    phone.say("600100").await.asks("Day of birth");
    phone.say(BORN_TYPED).await.asks("Password");
    phone.say(PASSWORD).await
}

/// The code that a screen shows, and the bank's application, too.
#[track_caller]
pub fn binding(reply: &UssdReply) -> String {
    let words: Vec<_> = reply.text.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "Code");
    let code = at.and_then(|at| words.get(at + 1));
    let code = code.unwrap_or_else(|| panic!("no code in {reply:?}"));
    code.trim_end_matches('.').to_owned()
}

/// The address in a text.
#[track_caller]
pub fn link_in(text: &str) -> String {
    let mut words = text.split_whitespace();
    let link = words.find(|word| word.starts_with(PUBLIC));
    link.unwrap_or_else(|| panic!("no link in {text}")).to_owned()
}

/// There is one link, of so many accounts, with its consent and its attempt; the provider was asked once for each.
pub async fn linked_once(world: &InventedWorld, accounts: usize) {
    eventually(PATIENCE, async || {
        let links = world.links().await;
        links.len() == 1 && links[0].accounts.iter().all(|account| account.masked.is_some())
    })
    .await;
    let link = &world.links().await[0];
    assert_eq!((link.state, link.accounts.len()), (LinkState::Active, accounts));
    let (attempt, grant) = world.records.attempt(link.attempt).await.unwrap().unwrap();
    assert_eq!((attempt.state, grant.is_some()), (AttemptState::Linked, false));
    let consent = world.records.consent(attempt.consent).await.unwrap();
    assert!(consent.is_some_and(|consent| consent.text.contains("Sandbox Lender")));
    let bank = world.bank.state();
    assert_eq!((bank.links.len(), bank.persons.len()), (1, 1));
    let mut sessions = bank.sessions.iter();
    assert!(sessions.any(|session| session.phone.as_deref() == Some(ASHA)));
}

/// Everything is typed on the phone; the code is typed after a redial at another node.
#[rstest]
#[case::one_node(Setup::Memory)]
#[case::two_hosts(Setup::TwoHosts)]
#[tokio::test(flavor = "multi_thread")]
async fn by_keypad(#[case] setup: Setup) {
    let world = InventedWorld::start(setup).await;
    let mut phone = world.phone_at(0, ASHA);
    let reply = log_in(&mut phone, Branch::Savings).await;
    soon(&mut phone, reply, "Umoja Savings: Umoja has sent you a code").await;
    phone.hang_up().await;
    let mut phone = world.phone_at(1, ASHA);
    phone.dial().await.asks("Umoja Savings: Umoja has sent you a code");
    let reply = phone.say(CODE).await;
    soon(&mut phone, reply, "Done! Umoja Savings ").await;
    linked_once(&world, 1).await;
    world.assert_absent(&[PASSWORD, CODE, BORN_TYPED]).await;
}

/// Several accounts are chosen at once.
#[rstest]
#[case::one_node(Setup::Memory)]
#[case::two_hosts(Setup::TwoHosts)]
#[tokio::test(flavor = "multi_thread")]
async fn several_accounts_by_keypad(#[case] setup: Setup) {
    let world = InventedWorld::start(setup).await;
    let mut phone = world.phone_at(0, ASHA);
    let reply = log_in(&mut phone, Branch::Chama).await;
    soon(&mut phone, reply, "Umoja Chama: which?").await;
    phone.hang_up().await;
    let mut phone = world.phone_at(1, ASHA);
    phone.dial().await.asks("Umoja Chama: which?");
    let reply = phone.say("1,2").await;
    soon(&mut phone, reply, "Done!").await;
    linked_once(&world, 2).await;
    world.assert_absent(&[PASSWORD, BORN_TYPED]).await;
}

/// Accounts that are not shown at first are shown when they are asked for.
#[rstest]
#[case::one_node(Setup::Memory)]
#[case::two_hosts(Setup::TwoHosts)]
#[tokio::test(flavor = "multi_thread")]
async fn more_accounts_by_keypad(#[case] setup: Setup) {
    let world = InventedWorld::start(setup).await;
    let mut phone = world.phone_at(0, ASHA);
    let reply = log_in(&mut phone, Branch::Chama).await;
    let shown = soon(&mut phone, reply, "Umoja Chama: which?").await;
    let more = shown.text.lines().find(|line| line.ends_with("More accounts"));
    let key = more.and_then(|line| line.split(' ').next());
    let others = phone.say(key.unwrap_or_else(|| panic!("{shown:?}"))).await;
    let others = soon(&mut phone, others, "Group").await;
    others.lacks("Savings ..").lacks("More accounts");
    let reply = phone.say("1").await;
    soon(&mut phone, reply, "Done!").await;
    linked_once(&world, 1).await;
}

/// Nothing is typed: a text leads to a page, the page to the bank, and the bank back. A redial at another node shows what is
/// waited for, and a text tells what became of it.
#[rstest]
#[case::one_node(Setup::Memory)]
#[case::two_hosts(Setup::TwoHosts)]
#[tokio::test(flavor = "multi_thread")]
async fn by_browser(#[case] setup: Setup) {
    let world = InventedWorld::start(setup).await;
    world.bank.state().slow = 1;
    let mut phone = world.phone_at(0, ASHA);
    let reply = to_bank(&mut phone, Branch::Online).await;
    soon(&mut phone, reply, PAGE_SHOWN).await;
    phone.hang_up().await;
    let link = link_in(&world.told(ASHA, PUBLIC).await);
    assert!(link.starts_with(&format!("{PUBLIC}/go/")), "{link}");
    let mut phone = world.phone_at(1, ASHA);
    phone.dial().await.asks(PAGE_SHOWN);
    phone.say("0").await.ends("");
    let page = world.to_the_bank(0, &link).await;
    // The link is good once.
    let again = world.browser(0, Method::POST, &link).await;
    assert_ne!(again.status(), 303);
    let back = world.bank.browse(&page, Decision::Approve);
    for _ in 0..2 {
        // A browser that reloads changes nothing.
        let returned = world.browser(1, Method::GET, back.as_str()).await;
        assert!(returned.status().is_success() || returned.status().is_client_error());
    }
    world.told(ASHA, "your account is linked.").await;
    linked_once(&world, 1).await;
    world
        .phone_at(0, ASHA)
        .dial()
        .await
        .asks("is linked for Sandbox Lender");
    let token = link.strip_prefix(&format!("{PUBLIC}/go/")).unwrap().to_owned();
    world.assert_absent(&[&token]).await;
}

/// Nothing is typed: the application is asked, which shows the same code as the phone. A redial at another node shows it
/// again, and a text tells what became of it.
#[rstest]
#[case::one_node(Setup::Memory)]
#[case::two_hosts(Setup::TwoHosts)]
#[tokio::test(flavor = "multi_thread")]
async fn elsewhere(#[case] setup: Setup) {
    let world = InventedWorld::start(setup).await;
    let mut phone = world.phone_at(0, ASHA);
    let reply = to_bank(&mut phone, Branch::App).await;
    let shown = soon(&mut phone, reply, "Approve in the Umoja App app").await;
    phone.hang_up().await;
    let mut phone = world.phone_at(1, ASHA);
    let again = phone.dial().await;
    again.asks("Approve in the Umoja App app");
    assert_eq!(binding(&again), binding(&shown));
    phone.say("0").await.ends("");
    world.bank.answer_in_app(&binding(&shown), Decision::Approve);
    world.told(ASHA, "your account is linked.").await;
    linked_once(&world, 1).await;
    world
        .phone_at(0, ASHA)
        .dial()
        .await
        .asks("is linked for Sandbox Lender");
    world.assert_absent(&[]).await;
}

/// A login on the phone, an approval in the application, and a code on the phone after it, asked for by a text.
#[rstest]
#[case::one_node(Setup::Memory)]
#[case::two_hosts(Setup::TwoHosts)]
#[tokio::test(flavor = "multi_thread")]
async fn by_keypad_and_elsewhere(#[case] setup: Setup) {
    let world = InventedWorld::start(setup).await;
    let mut phone = world.phone_at(0, ASHA);
    let reply = log_in(&mut phone, Branch::Trust).await;
    let shown = soon(&mut phone, reply, "Approve in the Umoja Trust app").await;
    phone.say("0").await.ends("");
    world.bank.answer_in_app(&binding(&shown), Decision::Approve);
    let asked = world.told(ASHA, "your bank asks one more thing.").await;
    let mut phone = world.phone_at(1, ASHA);
    phone
        .dial_with(&code_in(&asked))
        .await
        .asks("Umoja Trust: Umoja has sent you a code");
    let reply = phone.say(CODE).await;
    soon(&mut phone, reply, "Done! Umoja Trust ").await;
    linked_once(&world, 1).await;
    world.assert_absent(&[PASSWORD, CODE, BORN_TYPED]).await;
}
