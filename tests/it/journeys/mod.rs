//! Whole journeys against the real program: what a person sees, what reaches the bank, and what is left in the files.

mod asked;
mod back;
mod banks;
mod clock;
mod crash;
mod crowd;
mod dials;
mod drain;
mod floods;
mod frozen;
mod health;
mod linking;
mod lost;
mod people;
mod postgres;
mod providers;
mod redis;
mod repeats;
mod rotation;
mod scripts;
mod strangers;
mod texts;
mod twins;
mod typing;
mod walk;

use kiungo::sandbox::mono::{Call, Outcome};

use crate::support::aggregator::{Phone, Reply};

/// Submissions in order, with what became of each.
type Submits = Vec<(Call, Option<Outcome>)>;

/// A login that is granted at once, and nothing else.
fn granted() -> Submits {
    vec![(Call::Login, Some(Outcome::Granted))]
}

/// From dialling to the user name at the bank with a plain form.
async fn to_login(phone: &mut Phone) -> Reply {
    phone.dial().await.asks("Agree?");
    let asked = phone.say_all(&["1", "providus", "1"]).await;
    asked.asks("Providus Bank: Username");
    asked
}

/// Links the account of this user at the bank with a plain form.
pub async fn link(phone: &mut Phone, user: &str, password: &str) -> Reply {
    to_login(phone).await;
    phone.say(user).await.asks("Providus Bank: Password");
    let mut told = phone.say(password).await;
    if !told.end {
        // A busy machine may be slower than a turn.
        told.asks("is checking your details");
        told = phone.until("1", "Done!").await;
    }
    told.ends("Done! Providus Bank ..");
    told
}
