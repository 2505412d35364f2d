//! Logging in again for a link.

use super::fixtures::{field, form, link, login_form, opened};
use super::phone::{Phone, flow_with};
use crate::core::flow::{AttemptResult, OpenResult, OpenSession, SessionEvent, SubscriberFacts};
use crate::core::menu::Outcome;
use crate::core::next_step::FieldKind;
use crate::core::policy::SecretsOverUssd;

/// At the link, having asked to log in again; the session to open.
fn renewing(secrets: SecretsOverUssd) -> (Phone, OpenSession) {
    let mut phone = Phone::with(flow_with(secrets, Vec::new()));
    let known = SubscriberFacts {
        links: vec![link(1, "zenith:p", "Zenith Bank")],
        ..SubscriberFacts::default()
    };
    phone.dial_known(&known, &[]);
    phone.keys(&["2", "1", "1"]);
    let open = phone.opens().remove(0);
    assert!(open.renews.is_some());
    (phone, open)
}

fn apply_open_result(phone: &mut Phone, open: &OpenSession, result: OpenResult) {
    assert!(phone.applies(&SessionEvent::ProviderSessionOpened {
        session: open.session,
        result
    }));
}

/// Asked, submitted without a new consent, renewed.
#[test]
fn a_renewal() {
    let (mut phone, open) = renewing(SecretsOverUssd::Allow);
    apply_open_result(&mut phone, &open, opened("s", Some(login_form())));
    assert!(phone.says().starts_with("Zenith Bank: USERNAME"), "{}", phone.says());
    phone.keys(&["ada", "Zq7pw"]);
    let submit = phone.submit();
    assert!(submit.open.consent.is_none() && submit.open.renews == open.renews);
    phone.sends(submit.attempt);
    phone.resolves(
        submit.attempt,
        AttemptResult::Linked(link(1, "zenith:p", "Zenith Bank")),
    );
    assert!(
        phone.says().starts_with("Done! Zenith Bank ..4321 is up to date"),
        "{}",
        phone.says()
    );
}

/// Some need nothing more.
#[test]
fn a_renewal_that_needs_nothing() {
    let (mut phone, open) = renewing(SecretsOverUssd::Allow);
    apply_open_result(&mut phone, &open, OpenResult::Renewed);
    assert!(
        phone.says().starts_with("Done! Zenith Bank ..4321 is up to date"),
        "{}",
        phone.says()
    );
}

/// The warning comes before the first secret, also when the first try to open a session failed.
#[test]
fn warned_after_a_failed_opening() {
    let (mut phone, open) = renewing(SecretsOverUssd::Warn);
    apply_open_result(&mut phone, &open, OpenResult::Unavailable(None));
    assert!(
        phone.says().starts_with("Zenith Bank is not working"),
        "{}",
        phone.says()
    );
    phone.types("1");
    let again = phone.opens().remove(0);
    apply_open_result(&mut phone, &again, opened("s", Some(login_form())));
    assert!(
        phone.says().starts_with("What you type here is not secret"),
        "{}",
        phone.says()
    );
    assert!(phone.says().contains("Zenith Bank: USERNAME"), "{}", phone.says());
    assert!(phone.types("ada").starts_with("Zenith Bank: PASSWORD"));
}

/// Where secrets must not be typed, a renewal does not ask for one either.
#[test]
fn denied_secrets_are_not_asked() {
    let (mut phone, open) = renewing(SecretsOverUssd::Deny);
    apply_open_result(&mut phone, &open, opened("s", Some(login_form())));
    assert!(
        phone.says().starts_with("Zenith Bank asks for something"),
        "{}",
        phone.says()
    );

    let (mut phone, open) = renewing(SecretsOverUssd::Deny);
    apply_open_result(
        &mut phone,
        &open,
        opened("s", Some(form(vec![field("phone", FieldKind::Digits)]))),
    );
    assert!(phone.says().starts_with("Zenith Bank: PHONE"), "{}", phone.says());
}

/// An opening that fails after the poll screen is told at the next look, and one nobody answers is asked for again: the
/// screen never says "checking" for ever.
#[test]
fn checking_ends() {
    let (mut phone, open) = renewing(SecretsOverUssd::Allow);
    assert!(phone.polls(false).starts_with("Zenith Bank is checking"));
    apply_open_result(&mut phone, &open, OpenResult::Unavailable(None));
    assert!(
        phone.types("1").starts_with("Zenith Bank is not working"),
        "{}",
        phone.says()
    );

    let (mut phone, _) = renewing(SecretsOverUssd::Allow);
    phone.polls(false);
    assert_eq!(phone.types("1"), "");
    assert!(phone.opens().is_empty(), "it is still being opened");
    phone.polls(false);
    phone.passes(std::time::Duration::from_secs(41));
    assert_eq!(phone.types("1"), "");
    let again = phone.opens().remove(0);
    apply_open_result(&mut phone, &again, opened("s", Some(login_form())));
    assert!(phone.says().starts_with("Zenith Bank: USERNAME"), "{}", phone.says());

    // Nothing that could be asked.
    let (mut phone, open) = renewing(SecretsOverUssd::Allow);
    apply_open_result(&mut phone, &open, opened("s", None));
    assert_eq!(phone.stage(), Some(Outcome::Unsuited));
    assert!(
        phone.says().starts_with("Zenith Bank asks for something"),
        "{}",
        phone.says()
    );
}

/// A retry says what it is doing while it waits, not what came of the try before.
#[test]
fn a_retry_is_under_way() {
    let (mut phone, open) = renewing(SecretsOverUssd::Allow);
    apply_open_result(&mut phone, &open, OpenResult::Unavailable(None));
    phone.types("1");
    assert!(
        phone.polls(false).starts_with("Zenith Bank is checking"),
        "{}",
        phone.says()
    );
}
