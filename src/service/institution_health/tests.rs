use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::core::ids::{ConnectSessionId, SeriesId};
use crate::core::linking::Institution;

#[derive(Default)]
struct StoodClock(AtomicI64);

impl Clock for StoodClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

impl StoodClock {
    fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

fn start() -> (Arc<StoodClock>, Arc<Metrics>, InstitutionHealth) {
    let (clock, metrics) = (Arc::new(StoodClock::default()), Arc::new(Metrics::new()));
    let health = InstitutionHealth::new(clock.clone(), metrics.clone());
    (clock, metrics, health)
}

/// Somebody who wants to go to this bank.
fn to(bank: &str, who: u8) -> OpenSession {
    OpenSession {
        partner: None,
        session: ConnectSessionId::from_bytes([who; 16]),
        series: SeriesId::from_bytes([who; 16]),
        provider: "mono".to_owned(),
        institution: Institution {
            id: bank.to_owned(),
            provider_id: bank.to_owned(),
            name: bank.to_owned(),
            country: None,
            business: false,
            methods: Vec::new(),
            timeout: None,
        },
        method: String::new(),
        renews: None,
        consent: None,
    }
}

fn met(health: &InstitutionHealth, open: &OpenSession, error: ProviderError) {
    health.record_open(open, &Err::<(), _>(ProviderCallError::Provider(error)));
}

const BROKEN: ProviderError = ProviderError::Unavailable("a server error", None);
const AWAY: ProviderError = ProviderError::Unreachable("no connection");
const AFTER: Duration = Duration::from_secs(40);

/// What opening a session meets, three times at one bank, and how that bank and another look then: what says that the
/// provider is away shuts both, what says that the bank is shuts it alone, and what is our own fault neither.
#[test]
fn what_is_met_shuts_whom_it_should() {
    let down = Err(CircuitOpen { pause: None });
    let busy = Err(CircuitOpen { pause: Some(AFTER) });
    for (error, here, elsewhere) in [
        (ProviderCallError::Provider(BROKEN), down, Ok(())),
        (
            ProviderCallError::Provider(ProviderError::Malformed("no session")),
            down,
            Ok(()),
        ),
        (ProviderCallError::Provider(AWAY), down, down),
        (
            ProviderCallError::Provider(ProviderError::RateLimited(Some(AFTER))),
            busy,
            Ok(()),
        ),
        (
            ProviderCallError::Provider(ProviderError::Unavailable("a server error", Some(AFTER))),
            busy,
            Ok(()),
        ),
        (
            ProviderCallError::Provider(ProviderError::Refused("the key")),
            Ok(()),
            Ok(()),
        ),
        (ProviderCallError::Provider(ProviderError::NotFound), Ok(()), Ok(())),
        (ProviderCallError::NotSetUp, Ok(()), Ok(())),
        (
            ProviderCallError::Records(crate::records::RecordsError::new("timeout")),
            Ok(()),
            Ok(()),
        ),
    ] {
        let (_, _, health) = start();
        let failed = Err::<(), _>(error);
        (0..3).for_each(|who| health.record_open(&to("a", who), &failed));
        assert_eq!(health.may_open(&to("a", 9)), here, "{failed:?}");
        assert_eq!(health.may_open(&to("b", 9)), elsewhere, "{failed:?}");
    }
}

/// What submitting meets counts in the same way; a plain no, which may be a wrong password, counts for nothing.
#[test]
fn a_plain_no_shuts_nothing() {
    let failed = |class| {
        Ok(NextStep::Failed(Failure {
            class,
            retry_after: Some(AFTER),
            message: None,
        }))
    };
    for (class, want) in [
        (FailureClass::Refused, Ok(())),
        (FailureClass::WrongCode, Ok(())),
        (FailureClass::SessionExpired, Ok(())),
        (FailureClass::Busy, Err(CircuitOpen { pause: Some(AFTER) })),
    ] {
        let (_, _, health) = start();
        (0..5).for_each(|who| {
            health.record_submit(
                &to("a", who),
                failed(class).as_ref().map_err(|error| *error),
                Duration::ZERO,
            );
        });
        assert_eq!(health.may_open(&to("a", 9)), want, "{class:?}");
    }
    for error in [
        SubmitError::Unknown("no answer in time"),
        SubmitError::NotSent("no connection"),
    ] {
        let (_, _, health) = start();
        (0..3).for_each(|who| health.record_submit(&to("a", who), Err(error), Duration::ZERO));
        assert_eq!(
            health.may_open(&to("a", 9)),
            Err(CircuitOpen { pause: None }),
            "{error:?}"
        );
    }
}

/// Two banks that ask to be left alone at once are their provider asking; one after the other are two banks.
#[test]
fn two_busy_banks_are_a_busy_provider() {
    for (between, third) in [(10, Err(CircuitOpen { pause: Some(AFTER) })), (50, Ok(()))] {
        let (clock, _, health) = start();
        for bank in ["a", "b"] {
            met(&health, &to(bank, 1), ProviderError::RateLimited(Some(AFTER)));
            clock.pass(if bank == "a" { between } else { 0 });
        }
        assert_eq!(health.may_open(&to("c", 1)), third, "{between}");
    }
}

/// A person who is turned away by the bank does not become the one who tries the provider.
#[test]
fn who_is_turned_away_tries_nothing() {
    let (clock, _, health) = start();
    (0..2).for_each(|who| met(&health, &to("a", who), BROKEN));
    (0..3).for_each(|who| met(&health, &to("a", who), AWAY));
    clock.pass(31);
    // The bank has failed five times and rests for longer than its provider, which has failed three times.
    assert!(health.may_open(&to("a", 4)).is_err());
    assert!(health.may_open(&to("b", 5)).is_ok());
    assert!(health.may_open(&to("b", 6)).is_err());
}

/// A code goes to a bank that others find away, for there is no later for a code; to one that asks to be left alone, or
/// whose provider is away, nothing goes.
#[test]
fn a_code_is_not_kept_waiting() {
    for (error, login, code) in [
        (BROKEN, false, true),
        (ProviderError::RateLimited(None), false, false),
        (AWAY, false, false),
    ] {
        let (_, _, health) = start();
        (0..3).for_each(|who| met(&health, &to("a", who), error.clone()));
        let may = |step| health.may_submit(&to("a", 9), step, AFTER).is_ok();
        assert_eq!(
            (
                may(SubmissionStep::Login),
                may(SubmissionStep::Code),
                may(SubmissionStep::Choose)
            ),
            (login, code, code),
            "{error:?}"
        );
    }
}

/// However many institutions there are, so many are watched, and those that are well make room.
#[test]
fn it_is_bounded() {
    let (clock, _, health) = start();
    for n in 0..=MAX_ENTRIES {
        met(&health, &to(&format!("bank-{n}"), 1), BROKEN);
    }
    assert_eq!(health.entries().len(), MAX_ENTRIES);
    clock.pass(3600);
    met(&health, &to("another", 1), BROKEN);
    // Its provider and itself.
    assert_eq!(health.entries().len(), 2);
}

/// Operators see a change whichever way it comes: by a call, or by time alone.
#[test]
fn a_change_is_shown() {
    let (clock, metrics, health) = start();
    let shows = |value: u8| {
        let line = format!(r#"kiungo_institution_health{{provider="mono",institution="a"}} {value}"#);
        let text = metrics.encode().expect("text");
        assert!(text.lines().any(|found| found == line), "{line} not in\n{text}");
    };
    met(&health, &to("a", 1), BROKEN);
    met(&health, &to("a", 1), BROKEN);
    shows(1);
    met(&health, &to("a", 1), BROKEN);
    shows(3);
    assert!(health.snapshot().get("mono", "a").is_open());
    clock.pass(3600);
    assert!(health.snapshot().is_empty());
    shows(0);
}
