//! What becomes of links after they were made by a provider that keeps people, whose access changes with every use, and that
//! ends whole links.

use kiungo::ambient::SystemClock;
use kiungo::core::time::Clock as _;
use kiungo::records::LinkState;
use rstest::rstest;

use super::shapes::{ASHA, PATIENCE, binding, linked_once, soon, to_bank};
use crate::support::eventually;
use crate::support::invented::branches::Branch;
use crate::support::invented::hooks::HookEvent;
use crate::support::invented::person::Decision;
use crate::support::invented::world::InventedWorld;
use crate::support::world::Setup;

/// Links an account by the application, all at one node.
async fn link_by_app(world: &InventedWorld, node: usize) {
    let before = world.links().await.len();
    let mut phone = world.phone_at(node, ASHA);
    let reply = to_bank(&mut phone, Branch::App).await;
    let shown = soon(&mut phone, reply, "Approve in the").await;
    world.bank.answer_in_app(&binding(&shown), Decision::Approve);
    phone.until("1", "Done! Umoja App ").await;
    eventually(PATIENCE, async || {
        let links = world.links().await;
        links.len() == before + 1 && links[0].accounts.iter().all(|account| account.masked.is_some())
    })
    .await;
}

/// Sends a webhook that tells one thing to a node; the status and the body of the answer.
async fn tell(
    world: &InventedWorld,
    node: usize,
    id: &str,
    (about, what): (&'static str, &'static str),
) -> (u16, String) {
    let event = {
        let bank = world.bank.state();
        let link = bank.links.last().unwrap();
        let subject = match about {
            "link" => link.handle.clone(),
            "person" => bank.persons[link.person].handle.clone(),
            "session" => link.session.clone(),
            _ => link.accounts[0].id.clone(),
        };
        HookEvent {
            id: id.to_owned(),
            at: SystemClock.now().as_millis(),
            about,
            subject,
            what,
        }
    };
    world.tell(node, event).await
}

/// The provider makes a person once, and every later link of theirs is under the same one.
#[rstest]
#[case::one_node(Setup::Memory)]
#[case::two_hosts(Setup::TwoHosts)]
#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_made_once(#[case] setup: Setup) {
    let world = InventedWorld::start(setup).await;
    link_by_app(&world, 0).await;
    link_by_app(&world, 1).await;
    let bank = world.bank.state();
    assert_eq!((bank.persons.len(), bank.links.len()), (1, 2));
}

/// A link's token is good once. What replaced it is what the next use is made with, at whichever node.
#[rstest]
#[case::one_node(Setup::Memory)]
#[case::two_hosts(Setup::TwoHosts)]
#[tokio::test(flavor = "multi_thread")]
async fn access_that_was_replaced_is_stored(#[case] setup: Setup) {
    let world = InventedWorld::start(setup).await;
    link_by_app(&world, 0).await;
    let refreshed = || world.bank.state().links[0].refreshed;
    for turn in 1..4 {
        let before = refreshed();
        let answer = tell(&world, turn, &format!("updated {turn}"), ("link", "updated")).await;
        assert_eq!(answer, (202, "taken: 1".to_owned()), "the provider's own answer");
        eventually(PATIENCE, async || refreshed() > before).await;
    }
    linked_once(&world, 1).await;
    world.assert_absent(&[]).await;
}

/// An event names an account, the link or the person: the link that it is about needs a new login. Told twice, it is one.
#[rstest]
#[case::account("account")]
#[case::link("link")]
#[case::person("person")]
#[tokio::test(flavor = "multi_thread")]
async fn events_find_their_link(#[case] about: &'static str) {
    let world = InventedWorld::start(Setup::TwoHosts).await;
    link_by_app(&world, 0).await;
    for node in 0..2 {
        let answer = tell(&world, node, "once", (about, "reauth_required")).await;
        assert_eq!(answer.0, 202);
    }
    eventually(PATIENCE, async || {
        world.links().await[0].state == LinkState::ReauthRequired
    })
    .await;
    tell(&world, 1, "then", (about, "reauthorised")).await;
    eventually(PATIENCE, async || world.links().await[0].state == LinkState::Active).await;
    // What was told before, told late, changes nothing.
    assert_eq!(tell(&world, 0, "once", (about, "reauth_required")).await.0, 202);
    assert_eq!(world.links().await[0].state, LinkState::Active);
}

/// A webhook that was not signed for us changes nothing and is refused.
#[tokio::test(flavor = "multi_thread")]
async fn forged_events_are_refused() {
    let world = InventedWorld::start(Setup::Memory).await;
    link_by_app(&world, 0).await;
    let key = world.bank.state().clients[0].hook_key.clone();
    world.bank.state().clients[0].hook_key = "another-key-of-somebody-0123456789".to_owned();
    let answer = tell(&world, 0, "forged", ("link", "reauth_required")).await;
    assert!((400..500).contains(&answer.0), "{answer:?}");
    assert_eq!(world.links().await[0].state, LinkState::Active);
    world.bank.state().clients[0].hook_key = key;
}

/// A person ends a link on the phone: the whole link is ended at the provider, which cannot end less.
#[rstest]
#[case::one_node(Setup::Memory)]
#[case::two_hosts(Setup::TwoHosts)]
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_link_is_ended(#[case] setup: Setup) {
    let world = InventedWorld::start(setup).await;
    link_by_app(&world, 0).await;
    let mut phone = world.phone_at(1, ASHA);
    phone.dial().await.asks("It cannot move money");
    phone.say("2").await.asks("1 Umoja App ..");
    phone.say_all(&["1", "2", "1"]).await.ends("is unlinked.");
    eventually(PATIENCE, async || world.bank.state().links[0].ended).await;
    eventually(PATIENCE, async || world.links().await[0].state == LinkState::Removed).await;
}
