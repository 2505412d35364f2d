//! Journeys that need the provider, the policy or the configuration to be set in some way.

use std::time::Duration;

use kiungo::sandbox::bank::SubmitOutcome::{AccountsAsked, Granted, InputAsked};
use kiungo::sandbox::mono::MonoCall::{Commit, Login, ReauthLogin};
use kiungo::sandbox::mono::{AccountSession, MonoVersion, ReauthMode};
use rstest::rstest;

use super::{granted, link, to_login};
use crate::support::eventually;
use crate::support::world::{Setup, World};

/// The id of the bank with a plain form, as the provider knows it.
const PROVIDUS: &str = "6a5eed000000000000000013";

/// A rule for one institution, below a general one.
fn except(general: &str, rule: &str) -> String {
    format!(
        "secrets_over_ussd = \"{general}\"\n\n[[policy.overrides]]\nprovider = \"mono\"\ninstitution = \"{PROVIDUS}\"\n\
         secrets_over_ussd = \"{rule}\""
    )
}

/// Where the policy forbids to ask for secrets the bank is not offered; where it wants a warning there is one, at that
/// bank only.
#[tokio::test]
async fn the_policy_decides_what_is_offered() {
    let with = |policy: String| World::with(Setup::Memory, |options| options.policy = policy);
    let world = with(except("allow", "deny")).await;
    let mut phone = world.phone("+2348030005001");
    phone.dial().await.asks("It cannot move money");
    phone.say("1").await.asks("1 Zenith Bank").lacks("Providus");
    phone.say("providus").await.asks("Providus Bank cannot be linked here.");

    let world = with(except("allow", "warn")).await;
    let mut phone = world.phone("+2348030005002");
    phone.dial().await.asks("It cannot move money");
    phone.say_all(&["1", "providus"]).await.asks("not secret");
    phone.say("0").await.asks("Choose your bank");
    phone
        .say_all(&["moniepoint", "1"])
        .await
        .lacks("not secret")
        .asks("Moniepoint: Username");

    let world = with(except("warn", "allow")).await;
    to_login(&mut world.phone("+2348030005003")).await;

    let world = with("secrets_over_ussd = \"deny\"".to_owned()).await;
    let mut phone = world.phone("+2348030005004");
    phone.dial().await.asks("It cannot move money");
    phone.say("1").await.asks("No account can be linked on this line.");

    let world = with("secrets_over_ussd = \"allow\"\ncard_and_pin = true".to_owned()).await;
    let mut phone = world.phone("+2348030005005");
    phone.dial().await.asks("It cannot move money");
    phone
        .say_all(&["1", "first", "1"])
        .await
        .asks("First Bank: Type your M-PIN");
}

/// A bank that its provider lists twice, as personal and as business, is one bank, and locks a person out by what failed on
/// both sides. So the limits count both; another bank is free.
#[rstest]
#[case::memory(Setup::Memory)]
#[case::two_nodes(Setup::TwoNodes)]
#[tokio::test]
async fn a_bank_that_is_listed_twice_is_one_bank(#[case] setup: Setup) {
    let world = World::start(setup).await;
    let mut phone = world.phone("+2348030005601");
    phone.dial().await.asks("It cannot move money");
    let mut again = "1";
    for side in ["1", "2"] {
        phone.say_all(&[again, "moniepoint", side]).await.asks("Username");
        let user = format!("ada@side-{side}");
        phone.say_all(&[&user, "wrong"]).await.asks("did not let you in");
        assert_eq!(world.submits(&user).len(), 1);
        again = "2";
    }
    for side in ["1", "2"] {
        phone
            .say_all(&["2", "moniepoint", side])
            .await
            .asks("To keep your Moniepoint");
    }
    phone.say_all(&["2", "providus"]).await.asks("Providus Bank: Username");
}

/// A refusal without a response code, as 401, is the person's wrong password and not the fault of our key: they are told so,
/// and may try again. When the key is refused it is that.
#[tokio::test]
async fn a_refusal_as_401_is_a_refusal() {
    let world = World::with(Setup::Memory, |options| {
        options.switches.own.failure_status = 401;
        options.switches.own.uncoded_failures = true;
    })
    .await;
    let mut phone = world.phone("+2348030005701");
    to_login(&mut phone).await;
    phone
        .say_all(&["eve@as-401", "wrong"])
        .await
        .asks("Providus Bank did not let you in");
    phone.say("1").await.asks("Providus Bank: Username");
    phone.say_all(&["ada@as-401", "good-pass-401"]).await.ends("Done!");

    let mut phone = world.phone("+2348030005702");
    to_login(&mut phone).await;
    phone.say("ada@no-key").await.asks("Providus Bank: Password");
    world.switch(|switches| switches.own.addon_missing = true);
    phone
        .say("good-pass-no-key")
        .await
        .lacks("did not let you in")
        .lacks("Done!");
}

/// The operator's favourites come first, in the order given; next time the bank used last comes before them.
#[rstest]
#[case::memory(Setup::Memory)]
#[case::two_nodes(Setup::TwoNodes)]
#[tokio::test]
async fn favourites_and_the_last_bank_come_first(#[case] setup: Setup) {
    let world = World::with(setup, |options| {
        options.favourites = vec!["Zenith Bank", "UBA", "Providus Bank"];
    })
    .await;
    let mut phone = world.phone("+2348030005101");
    phone.dial().await.asks("It cannot move money");
    phone
        .say("1")
        .await
        .asks("1 Zenith Bank\n2 UBA\n3 Providus Bank\n4 Access Bank\n");
    phone.say_all(&["3", "ada@favourite"]).await.asks("Password");
    phone.say("good-pass-favourite").await.ends("Done!");
    phone.dial().await.asks("It cannot move money");
    phone
        .say("1")
        .await
        .asks("1 Providus Bank\n2 Zenith Bank\n3 UBA\n4 Access Bank\n");
    phone.say("9").await.asks("1 ").lacks("Providus Bank");
}

/// Letters, capitals, parts of a later word and keypad digits find a bank; 0 leads back to the whole list.
#[tokio::test]
async fn a_bank_is_found_by_letters_and_by_keys() {
    let world = World::start(Setup::Memory).await;
    let mut phone = world.phone("+2348030005201");
    phone.dial().await.asks("It cannot move money");
    phone.say("1").await.asks("Choose your bank");
    for (typed, first) in [
        ("zen", "1 Zenith Bank\n2 Zenith Bank Business"),
        ("ZENITH", "1 Zenith Bank\n"),
        ("9364", "1 Zenith Bank\n"),
        // The only one is taken.
        ("ibtc", "Stanbic IBTC Bank: "),
        ("5832", "Kuda: Email Address"),
        ("alat by", "ALAT by Wema: Email Address"),
    ] {
        phone.say(typed).await.asks(first);
        phone.say("0").await.asks("1 Providus Bank\n2 Zenith Bank\n");
    }
}

/// The provider's first version is spoken all the way: a straight login, one with a code, one with accounts to pick from.
#[rstest]
#[case::memory(Setup::Memory)]
#[case::two_nodes(Setup::TwoNodes)]
#[tokio::test]
async fn the_first_version_is_spoken_too(#[case] setup: Setup) {
    let world = World::with(setup, |options| options.v1 = true).await;
    let mut phone = world.phone("+2348030005301");
    link(&mut phone, "ada@first-version", "good-pass-first-version").await;
    assert_eq!(world.submits("ada@first-version"), granted());
    let mut phone = world.phone("+2348030005302");
    to_login(&mut phone).await;
    phone
        .say_all(&["many-otp@first-version", "good-pass-first-version"])
        .await
        .asks("which account?");
    phone.say("2").await.asks("Providus Bank:");
    phone.say("123456").await.ends("Done!");
    let wanted = [(Login, AccountsAsked), (Commit, InputAsked), (Commit, Granted)];
    let wanted: Vec<_> = wanted.map(|(call, outcome)| (call, Some(outcome))).into();
    assert_eq!(world.submits("many-otp@first-version"), wanted);
    assert!(
        world
            .call_log()
            .submits
            .iter()
            .all(|submit| submit.dialect == MonoVersion::V1)
    );
    world
        .assert_absent(&["ada@first-version", "good-pass-first-version", "123456"])
        .await;
}

/// A link is renewed by logging in again, or at once where the provider asks for nothing; it stays the same link.
#[rstest]
#[case::own_session(ReauthMode::LoginWithSession)]
#[case::at_once(ReauthMode::Done)]
#[tokio::test]
async fn a_link_is_renewed_by_logging_in_again(#[case] mode: ReauthMode) {
    let world = World::with(Setup::TwoNodes, |options| options.switches.own.reauth = mode).await;
    let mut phone = world.phone("+2348030005401");
    let reply = link(&mut phone, "ada@renewed", "good-pass-old").await;
    phone.dial().await.asks("It cannot move money");
    phone.say_all(&["2", "1"]).await.asks("1 Log in again");
    if mode == ReauthMode::Done {
        phone.say("1").await.ends("is up to date again");
    } else {
        phone.say("1").await.asks("Providus Bank: Username");
        let reply = phone.say_all(&["ada@renewed", "good-pass-new"]).await;
        reply.ends("is up to date again");
    }
    phone.dial().await.asks("It cannot move money");
    let listed = phone.say("2").await;
    listed.asks("1 Providus Bank ..").lacks("2 Providus");
    assert_eq!(listed.masked(), reply.masked());
    let call_log = world.call_log();
    let logins = |call| call_log.submits.iter().filter(|submit| submit.call == call).count();
    let again = usize::from(mode != ReauthMode::Done);
    assert_eq!((logins(Login), logins(ReauthLogin), logins(Commit)), (1, again, 0));
    assert_eq!(call_log.accounts.len(), 1);
    world
        .assert_absent(&["ada@renewed", "good-pass-old", "good-pass-new"])
        .await;
}

/// Where the provider opens no session to renew a link in, nothing is asked that could not be sent; the link stays.
#[tokio::test]
async fn a_renewal_without_a_session_asks_for_nothing() {
    let mode = ReauthMode::LoginWithoutSession;
    let world = World::with(Setup::Memory, |options| options.switches.own.reauth = mode).await;
    let mut phone = world.phone("+2348030005451");
    link(&mut phone, "ada@no-session", "good-pass-no-session").await;
    phone.dial().await.asks("It cannot move money");
    phone
        .say_all(&["2", "1", "1"])
        .await
        .asks("is not working now. Nothing you typed was sent.");
    phone.say("0").await.ends("Goodbye");
    phone.dial().await.asks("");
    assert_eq!(world.submits("ada@no-session"), granted());
    assert_eq!(world.accounts("ada@no-session").len(), 1);
}

/// One of two links is ended: the bank is told about that one, and the other stays.
#[rstest]
#[case::memory(Setup::Memory)]
#[case::two_nodes(Setup::TwoNodes)]
#[tokio::test]
async fn one_of_two_links_is_ended(#[case] setup: Setup) {
    let world = World::start(setup).await;
    let mut phone = world.phone("+2348030005501");
    let first = link(&mut phone, "ada@stays", "good-pass-stays").await.masked();
    let second = link(&mut phone, "ada@goes", "good-pass-goes").await.masked();
    phone.dial().await.asks("It cannot move money");
    phone
        .say("2")
        .await
        .asks(&format!("1 Providus Bank ..{second}\n2 Providus Bank ..{first}"));
    phone
        .say_all(&["1", "2", "1"])
        .await
        .ends(&format!("..{second} is unlinked."));
    phone.dial().await.asks("It cannot move money");
    phone
        .say("2")
        .await
        .asks(&format!("1 Providus Bank ..{first}"))
        .lacks(&second);
    // The provider is told after the person.
    eventually(Duration::from_secs(10), async || !world.call_log().unlinks.is_empty()).await;
    assert_eq!(
        (world.accounts("ada@stays").len(), world.accounts("ada@goes").len()),
        (1, 0)
    );
    let unlinks: Vec<_> = world.call_log().unlinks.iter().map(|unlink| unlink.done).collect();
    assert_eq!(unlinks, [true]);
}

/// The bank hands over another account than the one that was chosen: it is not linked but given back, the person is told,
/// and begins again. In both versions, which answer a choice by number and by position.
#[rstest]
#[case::v2(false)]
#[case::v1(true)]
#[tokio::test]
async fn another_account_than_the_chosen_one_comes_back(#[case] v1: bool) {
    let world = World::with(Setup::Memory, |options| options.v1 = v1).await;
    let mut phone = world.phone("+2348030005911");
    to_login(&mut phone).await;
    phone
        .say_all(&["many-other@chosen", "good-pass"])
        .await
        .asks("which account?");
    let told = phone.say("2").await;
    told.asks("This is not the Providus Bank account that you chose.");
    assert_eq!(world.accounts("many-other@chosen").len(), 0);
    let unlinks: Vec<_> = world.call_log().unlinks.iter().map(|unlink| unlink.done).collect();
    assert_eq!(unlinks, [true]);
    phone.say("1").await.asks("It cannot move money");
}

/// What an account's session is, the provider does not publish, so nothing is undone because of it as long as no account has
/// named the right one: it may mean anything. Once one has, an account of another session is nobody's to link and is given
/// back. The operator may say which it is.
#[rstest]
#[case::ours(AccountSession::Connect, "", false, true)]
#[case::never_seen(AccountSession::Other, "", false, true)]
#[case::seen_before(AccountSession::Other, "", true, false)]
#[case::said_to_be(
    AccountSession::Other,
    "\n[providers.mono.unpublished]\naccount_names_session = true\n",
    false,
    false
)]
#[case::something_else(
    AccountSession::Other,
    "\n[providers.mono.unpublished]\naccount_names_session = false\n",
    true,
    true
)]
#[tokio::test]
async fn an_account_may_name_a_session(
    #[case] names: AccountSession,
    #[case] setting: &str,
    #[case] seen_before: bool,
    #[case] linked: bool,
) {
    let world = World::with(Setup::Memory, |options| {
        options.policy.push_str(setting);
    })
    .await;
    if seen_before {
        let mut phone = world.phone("+2348030005902");
        to_login(&mut phone).await;
        phone.say("chi@session").await.asks("Password");
        let reply = phone.say("good-pass-session").await;
        assert!(reply.text.contains("is linked for Sandbox Lender"), "{reply:?}");
    }
    world.switch(|switches| switches.own.account_session = names);
    let mut phone = world.phone("+2348030005901");
    to_login(&mut phone).await;
    phone.say("ada@session").await.asks("Password");
    let reply = phone.say("good-pass-session").await;
    assert_eq!(reply.text.contains("is linked for Sandbox Lender"), linked, "{reply:?}");
    eventually(Duration::from_secs(20), async || {
        world.accounts("ada@session").len() == usize::from(linked)
    })
    .await;
    phone.dial().await;
    let listed = phone.say("2").await;
    assert_eq!(listed.text.contains("Providus Bank .."), linked, "{listed:?}");
    assert_eq!(world.submits("ada@session"), granted());
}
