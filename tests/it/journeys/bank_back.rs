//! A bank is away, and people want to be texted when it is back.

use std::time::Duration;

use kiungo::sandbox::bank::BankFailure;
use rstest::rstest;

use super::{to_banks, to_login};
use crate::support::aggregator::{Phone, UssdReply};
use crate::support::eventually;
use crate::support::sms_world::SmsWorld;
use crate::support::world::Setup;

/// Picks a bank, by the way that a dial offers.
async fn picked(phone: &mut Phone, bank: &str) -> UssdReply {
    let dialled = phone.dial().await;
    to_banks(phone, dialled).await;
    phone.say(bank).await
}

/// Three people have met this bank at the first server, which sends nobody there any more.
async fn shut(sms_world: &SmsWorld) {
    sms_world.world.switch(|switches| {
        switches.troubles = [("Providus Bank".to_owned(), BankFailure::Error)].into();
    });
    for person in 1..=3 {
        to_login(&mut sms_world.world.phone_at(0, &format!("+234803002000{person}"))).await;
    }
    let mut looking = sms_world.world.phone_at(0, "+2348030020009");
    eventually(Duration::from_secs(20), async || {
        picked(&mut looking, "providus")
            .await
            .text
            .contains("not answering now")
    })
    .await;
}

/// Two people ask, and go away. The bank is well again, and nobody tries it: each gets one text, from whichever server
/// looked, that says no more than what to dial; and is let in.
#[rstest]
#[case::memory(Setup::Memory)]
#[case::two_hosts(Setup::TwoHosts)]
#[tokio::test]
async fn whoever_asked_is_texted_once(#[case] setup: Setup) {
    let sms_world = SmsWorld::with(setup, |_| ()).await;
    shut(&sms_world).await;
    let numbers = ["+2348030020101", "+2348030020102"];
    for number in numbers {
        let mut phone = sms_world.world.phone_at(0, number);
        picked(&mut phone, "providus").await.asks("3 Text me when it is back");
        phone.say("3").await.ends("We will text you once, when it is back.");
    }
    let mut stopped = sms_world.world.phone_at(0, "+2348030020103");
    sms_world.gateway.state.send_from("+2348030020103", "STOP");
    sms_world.inbox("+2348030020103", 1).await;
    picked(&mut stopped, "providus").await.asks("3 Text me");
    stopped.say("3").await.ends("You told us to send no texts.");
    sms_world.world.switch(|switches| switches.troubles.clear());
    for number in numbers {
        let texts = sms_world.inbox(number, 1).await;
        assert_eq!(
            texts[0],
            "Sandbox Lender: the bank you asked for is back. To go on, dial *384*96#"
        );
    }
    sms_world.idle().await;
    assert_eq!(sms_world.gateway.state.counts(), (3, 3));
    for number in numbers {
        let mut phone = sms_world.world.phone_at(0, number);
        eventually(Duration::from_secs(20), async || {
            let mut shown = phone.dial().await;
            if shown.text.contains("Go on?") {
                shown = phone.say("1").await;
            }
            shown.text.contains("Providus Bank: Username")
        })
        .await;
    }
    sms_world.idle().await;
    assert_eq!(sms_world.gateway.state.counts(), (3, 3));
}
