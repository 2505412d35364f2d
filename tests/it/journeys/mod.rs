//! Whole journeys against the real program: what a person sees, what reaches the bank, and what is left in the files.

mod bank_back;
mod banks;
mod clock;
mod clocks;
mod consent_end;
mod crash;
mod crowd;
mod data_subjects;
mod dials;
mod drain;
mod duplicates;
mod floods;
mod frozen;
mod health;
mod linking;
mod long_unused;
mod lost;
mod new_login;
mod postgres;
mod providers;
mod random_walk;
mod redis;
mod requests;
mod rotation;
mod screens;
mod scripts;
mod shapes;
mod shapes_after;
mod shapes_trouble;
mod sms;
mod strangers;
mod twins;
mod typing;

use kiungo::sandbox::bank::SubmitOutcome;
use kiungo::sandbox::mono::MonoCall;

use crate::support::aggregator::{Phone, UssdReply};

/// Submissions in order, with what became of each.
type Submits = Vec<(MonoCall, Option<SubmitOutcome>)>;

/// A login that is granted at once, and nothing else.
fn granted() -> Submits {
    vec![(MonoCall::Login, Some(SubmitOutcome::Granted))]
}

/// From dialling to the user name at the bank with a plain form.
async fn to_login(phone: &mut Phone) -> UssdReply {
    let shown = phone.dial().await;
    to_banks(phone, shown).await;
    let asked = phone.say("providus").await;
    asked.asks("Providus Bank: Username");
    asked
}

/// From the first screen of a dial to the banks, whatever was begun before.
async fn to_banks(phone: &mut Phone, mut shown: UssdReply) -> UssdReply {
    for _ in 0..6 {
        let says = |words: &str| shown.text.contains(words);
        let key = match () {
            () if says("Choose your bank") => break,
            () if says("It cannot move money") => "1",
            () if says("2 Start again") || says("2 Another bank") => "2",
            () => "0",
        };
        shown = phone.say(key).await;
    }
    shown.asks("Choose your bank");
    shown
}

/// Links the account of this user at the bank with a plain form.
pub async fn link(phone: &mut Phone, user: &str, password: &str) -> UssdReply {
    to_login(phone).await;
    phone.say(user).await.asks("Providus Bank: Password");
    let mut reply = phone.say(password).await;
    if !reply.end {
        // A busy machine may be slower than a turn.
        reply.asks("is checking your details");
        reply = phone.until("1", "Done!").await;
    }
    reply.ends("Done! Providus Bank ..");
    reply
}
