//! How many screens it takes to the first secret, at every institution of the sandbox.

use kiungo::sandbox::bank::institutions::StandInInstitution;
use kiungo::sandbox::bank::nigeria::INSTITUTIONS;

use crate::support::aggregator::{Phone, UssdReply};
use crate::support::world::{Setup, World};

/// The most screens from the list, the one that asks for the secret among them.
const BY_LIST: usize = 4;

/// The most by search; a name that several have is picked from a list.
const BY_SEARCH: usize = 5;

/// The key of an institution among those listed.
fn key_of(screen: &UssdReply, name: &str) -> Option<String> {
    let mut lines = screen.text.lines().filter_map(|line| line.split_once(' '));
    let key = lines.find(|(_, label)| *label == name)?.0;
    Some(key.to_owned())
}

/// Answers until a secret is asked. Says how many questions there were before it, and whether the warning was among them.
async fn to_the_secret(phone: &mut Phone, mut screen: UssdReply) -> (usize, bool) {
    let (mut questions, mut warned) = (0, false);
    loop {
        warned |= screen.text.contains("your phone company can read it");
        let asked = screen.text.to_lowercase();
        let asked = asked.rsplit_once(": ").map_or("", |(_, asked)| asked);
        if ["password", "pin", "code"].iter().any(|secret| asked.contains(secret)) && !asked.contains("\n1 ") {
            return (questions, warned);
        }
        questions += 1;
        assert!(questions < 4, "{screen:?}");
        let answer = if asked.contains("1 pin") { "1" } else { "08030009999" };
        screen = phone.say(answer).await;
    }
}

/// From the dial to the first secret it takes four screens at the most by the list and five by search, whatever the bank and
/// however many ways it has: agree, choose, type. What a bank asks besides one name comes on top: those screens are the
/// bank's. The warning is on one of them.
#[tokio::test]
async fn the_first_secret_is_few_screens_away() {
    let world = World::with(Setup::Memory, |options| {
        options.policy = "secrets_over_ussd = \"warn\"".to_owned();
    })
    .await;
    let mut by_list = 0;
    for (n, institution) in INSTITUTIONS.iter().enumerate() {
        let StandInInstitution { name, business, .. } = institution;
        // What a keypad cannot answer is not offered.
        if *name == "First Bank" {
            continue;
        }
        let label = if *business && *name == "Moniepoint" {
            "Moniepoint Business"
        } else {
            *name
        };
        let mut phone = world.phone(&format!("+23480300080{n:02}"));
        phone.dial().await.asks("It cannot move money");
        phone.say("1").await.asks("Choose your bank");
        let mut screen = phone.say(name).await;
        let mut screens = 3;
        if let Some(key) = key_of(&screen, label) {
            screen = phone.say(&key).await;
            screens += 1;
        }
        let (questions, warned) = to_the_secret(&mut phone, screen).await;
        screens += questions - questions.saturating_sub(1);
        assert!(
            screens <= BY_SEARCH && warned,
            "{label} by search: {screens}, warned: {warned}"
        );

        let mut phone = world.phone(&format!("+23480300081{n:02}"));
        phone.dial().await.asks("It cannot move money");
        let list = phone.say("1").await;
        let Some(key) = key_of(&list, label) else { continue };
        by_list += 1;
        let screen = phone.say(&key).await;
        let (questions, warned) = to_the_secret(&mut phone, screen).await;
        let screens = 3 + questions - questions.saturating_sub(1);
        assert!(
            screens <= BY_LIST && warned,
            "{label} by the list: {screens}, warned: {warned}"
        );
    }
    assert!(by_list >= 4, "{by_list} on the first page");
}
