//! A consent that ends soon: what is told of it at the beginning of a dial, and what an answer does.

use std::time::Duration;

use super::fixtures::{link, terms};
use super::phone::{Phone, flow_with};
use super::sms_phone::Sms;
use crate::core::consent;
use crate::core::flow::session::{ConsentGiven, EndingConsent, LinkSummary};
use crate::core::flow::terms::RequestTerms;
use crate::core::flow::{Effect, KeepResult, KeepSharing, SessionEvent, SubscriberFacts};
use crate::core::ids::{ConsentId, IntentId};
use crate::core::messages::Locale;
use crate::core::pin::{Pin, SubscriberPin};
use crate::core::policy::SecretsOverUssd;
use crate::core::scope::{Data, Scope};
use crate::core::secret::Secret;
use crate::core::time::Timestamp;

/// A link whose consent to Acacia Cover, for a loan and 30 days, ends soon.
pub fn ending(n: u8, bank: &str) -> (LinkSummary, EndingConsent) {
    let link = LinkSummary {
        until: Timestamp::from_millis(1_780_500_000_000),
        ..link(n, &format!("{bank}:p"), bank)
    };
    let ends = EndingConsent {
        link: link.id,
        consent: ConsentId::from_bytes([100 + n; 16]),
        terms: RequestTerms {
            days: 30,
            scope: Scope::of([Data::Account, Data::Balance]).expect("data"),
            renews: Some(link.id),
            ..terms(1, "Acacia Cover")
        },
        needs_login: false,
    };
    (link, ends)
}

/// What the records know of somebody with such links at these banks.
fn known(banks: &[&str]) -> SubscriberFacts {
    let (links, ending) = (1u8..).zip(banks).map(|(n, bank)| ending(n, bank)).unzip();
    SubscriberFacts {
        links,
        ending,
        ..SubscriberFacts::default()
    }
}

fn kept(phone: &mut Phone) -> Option<KeepSharing> {
    let effects = std::mem::take(&mut phone.effects);
    effects.into_iter().find_map(|effect| match effect {
        Effect::KeepSharing(keep) => Some(*keep),
        _ => None,
    })
}

fn unlinks(phone: &Phone) -> usize {
    let unlink = |effect: &&Effect| matches!(effect, Effect::Unlink(_));
    phone.effects.iter().filter(unlink).count()
}

const TOLD: &str = "Acacia Cover reads your bank account, balance at Zenith ..4321 for \"a loan\". Ends 03/06/2026. \
                    30 days from today?";

/// The next dial says it, with all that is agreed to again; and the one press of 1 is a consent with that exact text, from now
/// on, for the same days and data.
#[test]
fn keeping_on_is_a_new_consent_with_its_exact_text() {
    let mut phone = Phone::new();
    let facts = known(&["Zenith"]);
    let said = phone.dial_known(&facts, &[]);
    assert_eq!(said, format!("{TOLD}\n1 Keep sharing\n2 Stop now\n0 Back"));
    assert_eq!(phone.types("1"), "");
    let keep = kept(&mut phone).expect("a consent");
    assert_eq!((keep.link, keep.replaces), (facts.links[0].id, facts.ending[0].consent));
    let ConsentGiven {
        text,
        at,
        purpose,
        days,
        scope,
        channel,
        ..
    } = keep.consent.clone();
    assert_eq!((text.as_str(), channel.as_str()), (TOLD, "at-ng"));
    assert_eq!((at, purpose.as_str(), days), (phone.now, "a loan", 30));
    assert_eq!(scope, facts.ending[0].terms.scope);
    let until = consent::ends_at(at, 30);
    assert_eq!(keep.consent.until(), until);
    let result = KeepResult::Until(until);
    phone.applies(&SessionEvent::ConsentRenewed {
        link: keep.link,
        result,
    });
    assert_eq!(
        phone.says(),
        "Acacia Cover may read Zenith ..4321 until 27/06/2026. Dial *384*96# to stop it."
    );
    assert!(phone.answer().expect("an answer").end);
    // My accounts says until when, and nothing is told any more.
    assert!(phone.dial().starts_with("Umoja Credit asks"), "{}", phone.says());
    let mut listed = known(&[]);
    listed.links.clone_from(&phone.state.links);
    phone.dial_known(&listed, &[]);
    let said = phone.keys(&["2", "1"]);
    assert!(
        said.starts_with("Zenith ..4321 for Umoja Credit until 27/06/2026."),
        "{said}"
    );
}

/// 2 ends it at once, 0 leaves it for later: what one dialled for is next, asked by who asks it.
#[test]
fn stopping_and_leaving_it() {
    let facts = known(&["Zenith"]);
    let mut phone = Phone::new();
    phone.dial_known(&facts, &[]);
    assert_eq!(phone.types("2"), "");
    assert_eq!(unlinks(&phone), 1);
    phone.applies(&SessionEvent::Unlinked(facts.links[0].id));
    assert!(
        phone.says().starts_with("Zenith ..4321 is unlinked."),
        "{}",
        phone.says()
    );

    let mut phone = Phone::new();
    let mut facts = facts;
    facts.links[0].partner = Some(crate::core::flow::terms::PartnerRef {
        id: facts.ending[0].terms.partner,
        name: "Acacia Cover".to_owned(),
    });
    for _ in 0..2 {
        assert!(phone.dial_known(&facts, &[]).starts_with(TOLD), "{}", phone.says());
        // The other's name stands in no consent of this one.
        assert!(phone.types("0").starts_with("Umoja Credit asks"), "{}", phone.says());
    }
    assert!(phone.effects.is_empty());
    let welcome = phone.says();
    assert!(phone.types("7").ends_with(&welcome), "{}", phone.says());
}

/// Of several the one that ends first is told first; 0 leads to the next one, an answer ends the dialog, and the next dial
/// goes on with what is left.
#[test]
fn several_are_told_one_after_the_other() {
    let facts = known(&["Zenith", "Kuda"]);
    let mut phone = Phone::new();
    assert!(phone.dial_known(&facts, &[]).contains("at Zenith"));
    assert!(phone.types("0").contains("at Kuda"), "{}", phone.says());
    assert!(phone.types("0").starts_with("Umoja Credit asks"), "{}", phone.says());
    phone.dial_known(&facts, &[]);
    phone.types("0");
    phone.types("1");
    let keep = kept(&mut phone).expect("a consent");
    assert_eq!(keep.link, facts.links[1].id);
    phone.applies(&SessionEvent::ConsentRenewed {
        link: keep.link,
        result: KeepResult::Until(keep.consent.until()),
    });
    assert!(phone.says().contains("read Kuda ..4321 until"), "{}", phone.says());
}

/// Nothing is a yes but the key on the screen: neither what was dialled behind the code, nor the same callback again, nor a
/// text; and where it could not be written, or it had ended, that is said.
#[test]
fn only_an_answer_on_the_screen_agrees() {
    let facts = known(&["Zenith"]);
    let mut phone = Phone::new();
    for extras in [&["1"][..], &["2"], &["1", "1"]] {
        assert!(phone.dial_known(&facts, extras).starts_with(TOLD), "{}", phone.says());
    }
    assert!(phone.effects.is_empty());
    phone.types("1");
    phone.callback(phone.dialog, super::phone::cumulative("1"), None);
    assert_eq!(phone.effects.len(), 1);
    let keep = kept(&mut phone).expect("a consent");
    let failed = SessionEvent::ConsentRenewed {
        link: keep.link,
        result: KeepResult::Failed,
    };
    phone.applies(&failed);
    let said = phone.says();
    assert!(
        said.starts_with("That is not possible now. Try again later.\nAcacia Cover reads"),
        "{said}"
    );
    phone.keys(&["9", "1"]);
    let ended = SessionEvent::ConsentRenewed {
        link: keep.link,
        result: KeepResult::Ended,
    };
    phone.applies(&ended);
    assert!(phone.says().contains("is unlinked"), "{}", phone.says());

    // By text nothing of it is shown, nor can it be answered.
    let mut phone = Phone::new();
    phone.dial_known(&facts, &[]);
    phone.passes(Duration::from_mins(5));
    for (id, text) in [(1, "English"), (2, "1"), (3, "2"), (4, "LINK")] {
        let sms = Sms {
            id,
            text,
            whole: true,
            at: phone.now,
            stopped: None,
        };
        let said = format!("{:?}", phone.hands_on(&sms));
        assert!(!said.contains("03/06/2026. 30 days"), "{text}: {said}");
    }
    let only_language = |effect: &Effect| matches!(effect, Effect::SaveLanguage(_));
    assert!(phone.effects.iter().all(only_language), "{:?}", phone.effects);
}

/// On a phone that others use, the person's own code comes first.
#[test]
fn it_is_behind_the_own_code() {
    let mut flow = flow_with(SecretsOverUssd::Allow, Vec::new());
    let settings = &mut std::sync::Arc::get_mut(&mut flow).expect("nobody else's").settings;
    settings.subscriber_pin = SubscriberPin::Optional;
    let mut phone = Phone::with(flow);
    let pin = Pin::new(
        &phone.flow.keyring,
        &phone.state.msisdn,
        &Secret::new("4821"),
        phone.now,
    );
    let facts = SubscriberFacts {
        pin: Some(pin),
        ..known(&["Zenith"])
    };
    let said = phone.dial_known(&facts, &[]);
    assert!(
        said.starts_with("Type the 4 digits you chose here, not your bank PIN."),
        "{said}"
    );
    assert!(phone.types("4821").starts_with(TOLD), "{}", phone.says());
}

/// What does not fit on one page is not agreed to before it was shown to its end.
#[test]
fn nobody_agrees_to_what_was_not_shown() {
    let mut phone = Phone::new();
    phone.septets = 100;
    let said = phone.dial_known(&known(&["Zenith"]), &[]);
    assert!(said.contains("9 More"), "{said}");
    assert_eq!(phone.types("1"), said);
    phone.types("9");
    assert_eq!(phone.types("1"), "", "{}", phone.says());
    assert_eq!(kept(&mut phone).map(|keep| keep.consent.text), Some(TOLD.to_owned()));
}

/// What was begun goes on first: nobody in the middle of a login is held up.
#[test]
fn what_was_begun_goes_first() {
    let mut phone = Phone::at_banks();
    phone.keys(&["1", "ada"]);
    let said = phone.dial_known(&known(&["Zenith"]), &[]);
    assert!(said.starts_with("Zenith Bank: PASSWORD"), "{said}");
}

/// Where the provider ends its access, too, keeping on is a new login, on the new consent.
#[test]
fn an_access_that_ends_needs_a_login() {
    let mut facts = known(&["Zenith"]);
    facts.ending[0].needs_login = true;
    let mut phone = Phone::new();
    phone.dial_known(&facts, &[]);
    phone.types("1");
    let open = phone.opens().remove(0);
    assert_eq!(open.renews, Some(facts.links[0].id));
    let consent = open.consent.expect("a consent");
    assert_eq!((consent.text.as_str(), consent.days), (TOLD, 30));
}

/// What a partner asks of a link says what is agreed to, and logging in is agreeing to it, from wherever one comes; and by
/// text nobody agrees by a key that anybody can guess.
#[test]
fn a_new_login_that_a_partner_asks_for_is_a_new_consent() {
    let mut facts = known(&["Zenith"]);
    facts.ending.clear();
    facts.requests = Some(vec![RequestTerms {
        intent: Some(IntentId::from_bytes([9; 16])),
        renews: Some(facts.links[0].id),
        days: 14,
        reusable: false,
        ..terms(1, "Acacia Cover")
    }]);
    let asked = "Acacia Cover: log in again to Zenith ..4321 for \"a loan\": bank account, 14 days.";
    for keys in [&["1"][..], &["2", "1", "1", "1"]] {
        let mut phone = Phone::new();
        assert!(phone.dial_known(&facts, &[]).starts_with(asked), "{}", phone.says());
        phone.keys(keys);
        let open = phone.opens().remove(0);
        let consent = open.consent.expect("a consent");
        assert_eq!((consent.text.as_str(), consent.days), (asked, 14));
        assert_eq!(open.renews, Some(facts.links[0].id));
    }
}

/// In every language the days are said to count from today, as the consent counts them: read as more days, they would be added
/// to the end that is named just before.
#[test]
fn the_days_count_from_today_in_every_language() {
    for locale in Locale::ALL {
        let today = match locale {
            Locale::En => "from today?",
            Locale::Pcm => "from now?",
            Locale::Ha => "daga yau?",
            Locale::Yo => "lati oni?",
            Locale::Ig => "site ta?",
            Locale::Sw => "kuanzia leo?",
            Locale::Fr => "dès ce jour ?",
        };
        let mut phone = Phone::new();
        phone.septets = 1_000;
        phone.state.locale = locale;
        let said = phone.dial_known(&known(&["Zenith"]), &[]);
        let text = said.lines().next().unwrap_or_default();
        assert!(text.contains("30") && text.ends_with(today), "{locale}: {said}");
    }
}
