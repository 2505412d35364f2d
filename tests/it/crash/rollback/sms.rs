//! The same by SMS, where the operator lets secrets be texted: the value goes back while a texted password is submitted, its
//! SMS is delivered three times, and a 1 is texted behind it.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::iter;
use kiungo::sandbox::sms::SmsSwitches;

use crate::crash::checker::{all_see_the_truth, settles};
use crate::crash::person::{Login, Person};
use crate::crash::secrets::nothing_secret_is_kept;
use crate::support::eventually;
use crate::support::recorder::Back;
use crate::support::sms_world::{SmsWorld, number_in};
use crate::support::soak;
use crate::support::world::Setup;

const PATIENCE: Duration = Duration::from_mins(1);
/// People under way at once.
const AT_ONCE: usize = 15;
/// How often each SMS is delivered.
const COPIES: u8 = 3;
/// After how many writes of a submission the value goes back.
const WRITES: [usize; 4] = [1, 2, 3, 4];

/// Texts, and waits until an SMS with these words has come.
async fn texts(world: &SmsWorld, person: &Person, text: &str, words: &str) -> String {
    world.gateway.state.send_from(&person.number, text);
    let found = || {
        let inbox = world.gateway.state.inbox(&person.number).into_iter();
        inbox.map(|sms| sms.text).find(|text| text.contains(words))
    };
    eventually(PATIENCE, async || found().is_some()).await;
    let found = found().unwrap();
    person.story.tell(format!("texts {text:?}: {found:?}"));
    found
}

/// From the first SMS to the password and what follows it.
async fn lives(world: &SmsWorld, person: &mut Person, writes: usize, back: Back) {
    let recorder = world.world.recorder.as_ref().unwrap();
    let tag = person.tag(&world.world.keyring());
    person
        .story
        .tell(format!("the value goes back after write {writes}: {back:?}"));
    let welcome = texts(world, person, "LINK", "asks to see your bank account").await;
    texts(world, person, &number_in(&welcome), "Choose your bank").await;
    texts(world, person, "1", "Username").await;
    let username = person.username.clone();
    texts(world, person, &username, "Password").await;
    let fired = recorder.arm(&tag, writes, back);
    let password = person.password();
    world.gateway.state.send_from(&person.number, &password);
    let went_back = tokio::time::timeout(PATIENCE, fired).await;
    assert!(
        went_back.is_ok_and(|fired| fired.is_ok()),
        "less was written:\n{}",
        person.story
    );
    world.gateway.state.send_from(&person.number, "1");
}

/// A texted password reaches the bank once, a 1 behind it never, and the next dial tells the truth.
#[tokio::test(flavor = "multi_thread")]
async fn values_go_back_while_a_password_is_texted() {
    let texting = SmsWorld::with(Setup::TwoNodes, |options| {
        options.policy.push_str("\nsecrets_over_sms = \"allow\"");
        options.timeout = 2;
        options.level = "info";
        options.recorder = true;
    })
    .await;
    texting.gateway.state.set_switches(SmsSwitches {
        incoming_copies: COPIES,
        ..SmsSwitches::default()
    });
    let plans = (0..soak::number(1, 5))
        .flat_map(|_| WRITES)
        .flat_map(|writes| Back::ALL.map(|back| (writes, back)));
    let plans: Vec<_> = plans.collect();
    let mut people: Vec<_> = (0..plans.len())
        .map(|n| Person::who_logs_in(600_000 + n, Login::Granted))
        .collect();
    iter(people.iter_mut().zip(&plans))
        .for_each_concurrent(AT_ONCE, async |(person, (writes, back))| {
            lives(&texting, person, *writes, *back).await;
        })
        .await;
    texting.idle().await;
    let (world, line) = (&texting.world, texting.world.line().patient());
    let call_log = || world.call_log();
    for person in &mut people {
        person.redial(&line, &call_log).await.expect("the servers are there");
    }
    settles(world, &mut people, &line, "by SMS").await;
    all_see_the_truth(world, &people, &line, "by SMS").await;
    nothing_secret_is_kept(world, &people);
}
