use proptest::prelude::*;

use super::*;

const QUICK: CallObservation = CallObservation::Answered(Duration::from_secs(2));
const LATER: CallObservation = CallObservation::Answered(LATE);

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_780_000_000_000).plus(Duration::from_secs(seconds))
}

fn who(n: u8) -> ConnectSessionId {
    ConnectSessionId::from_bytes([n; 16])
}

const fn busy(seconds: u64) -> CallObservation {
    CallObservation::Busy(Some(Duration::from_secs(seconds)))
}

fn after(events: &[(u64, CallObservation)]) -> CircuitBreaker {
    let mut breaker = CircuitBreaker::default();
    for (second, observed) in events {
        breaker.record(*observed, at(*second));
    }
    breaker
}

fn failures(seconds: &[u64]) -> CircuitBreaker {
    after(
        &seconds
            .iter()
            .map(|second| (*second, CallObservation::Failed))
            .collect::<Vec<_>>(),
    )
}

/// The health, with the end of the open time in seconds.
#[derive(Clone, Copy)]
enum Looks {
    Healthy,
    Slow,
    Down(u64),
    Busy(u64),
}

/// Name, results at their seconds, and the health at later moments.
type Case = (&'static str, &'static [(u64, CallObservation)], u64, Looks);

const NO: CallObservation = CallObservation::Refused;
const BAD: CallObservation = CallObservation::Failed;

const CASES: &[Case] = &[
    ("nothing", &[], 0, Looks::Healthy),
    ("one failure", &[(0, BAD)], 1, Looks::Healthy),
    ("two failures", &[(0, BAD), (1, BAD)], 2, Looks::Slow),
    ("three failures", &[(0, BAD), (1, BAD), (2, BAD)], 3, Looks::Down(32)),
    (
        "broken by an answer",
        &[(0, BAD), (1, BAD), (2, QUICK), (3, BAD)],
        4,
        Looks::Slow,
    ),
    (
        "a plain no is no answer",
        &[(0, BAD), (1, BAD), (2, NO), (3, BAD)],
        4,
        Looks::Down(33),
    ),
    (
        "a plain no is no failure",
        &[(0, NO), (1, NO), (2, NO), (3, NO)],
        4,
        Looks::Healthy,
    ),
    (
        "four open it for longer",
        &[(0, BAD), (1, BAD), (2, BAD), (3, BAD)],
        4,
        Looks::Down(63),
    ),
    (
        "it comes back to be tried",
        &[(0, BAD), (1, BAD), (2, BAD)],
        32,
        Looks::Slow,
    ),
    (
        "an answer opens it",
        &[(0, BAD), (1, BAD), (2, BAD), (5, QUICK)],
        6,
        Looks::Slow,
    ),
    (
        "failures long ago",
        &[(0, BAD), (1, BAD), (400, BAD)],
        401,
        Looks::Healthy,
    ),
    (
        "an outage long ago",
        &[(0, BAD), (1, BAD), (2, BAD)],
        302,
        Looks::Healthy,
    ),
    ("one late answer", &[(0, LATER)], 1, Looks::Healthy),
    ("two late answers", &[(0, LATER), (1, LATER)], 2, Looks::Slow),
    (
        "late now and then",
        &[(0, LATER), (1, QUICK), (2, QUICK), (3, QUICK), (4, LATER)],
        5,
        Looks::Healthy,
    ),
    ("late long ago", &[(0, LATER), (1, LATER)], 301, Looks::Healthy),
    ("asked for a backoff", &[(0, busy(90))], 1, Looks::Busy(90)),
    (
        "without saying how long",
        &[(0, CallObservation::Busy(None))],
        1,
        Looks::Busy(30),
    ),
    ("for ever", &[(0, busy(u64::MAX))], 1, Looks::Busy(3600)),
    ("for no time", &[(0, busy(0))], 0, Looks::Busy(1)),
    (
        "the longer one counts",
        &[(0, busy(90)), (1, busy(5))],
        2,
        Looks::Busy(90),
    ),
    (
        "an answer does not end it",
        &[(0, busy(90)), (1, QUICK)],
        2,
        Looks::Busy(90),
    ),
    ("it ends by itself", &[(0, busy(90))], 90, Looks::Healthy),
];

/// Results and the health afterwards: chance is told apart from an outage, and a slow bank from a fast one; and all of it
/// is forgotten.
#[test]
fn results_decide() {
    let until = |second| Open {
        until: at(second),
        probe: None,
    };
    for (name, events, second, looks) in CASES {
        let want = match *looks {
            Looks::Healthy => Health::Healthy,
            Looks::Slow => Health::Slow,
            Looks::Down(second) => Health::Down(until(second)),
            Looks::Busy(second) => Health::Busy(until(second)),
        };
        assert_eq!(after(events).health(at(*second)), want, "{name}");
    }
}

/// When the open time is over, one person probes, and nobody else until there is an answer or the probe took too long; its
/// result decides for all. The same after a backoff: at most one call for each.
#[test]
fn one_person_probes_first() {
    let closed = [
        ("open", failures(&[0, 0, 0]), 30),
        ("backoff", after(&[(0, busy(30))]), 30),
    ];
    for (name, mut breaker, over) in closed {
        assert!(!breaker.admit(who(1), PROBE_FOR, at(over - 1)), "{name}");
        assert!(breaker.admit(who(1), PROBE_FOR, at(over)), "{name}");
        assert!(
            breaker.admit(who(1), PROBE_FOR, at(over + 5)),
            "{name}: the same one goes on"
        );
        assert!(!breaker.admit(who(2), PROBE_FOR, at(over + 5)), "{name}");
        let refused = breaker.health(at(over + 5));
        assert_eq!(refused.refusal_for(who(1)), None, "{name}");
        assert_eq!(refused.refusal_for(who(2)), Some(refused), "{name}");
        for (what, met, second) in [
            ("answered", Some(QUICK), true),
            ("a refusal", Some(CallObservation::Refused), true),
            ("reached", Some(CallObservation::Reached), name == "backoff"),
            ("took too long", None, true),
            (
                "failed",
                Some(if name == "open" {
                    CallObservation::Failed
                } else {
                    busy(30)
                }),
                false,
            ),
        ] {
            let mut breaker = breaker.clone();
            let later = over + if met.is_none() { 65 } else { 10 };
            if let Some(met) = met {
                breaker.record(met, at(later));
            }
            assert_eq!(breaker.admit(who(2), PROBE_FOR, at(later)), second, "{name}, {what}");
            let third = breaker.admit(who(3), PROBE_FOR, at(later));
            // Any answer ends a backoff; for a bank that did not answer, only a success says something.
            let open = what == "answered" || (["a refusal", "reached"].contains(&what) && name == "backoff");
            assert_eq!(third, open, "{name}, {what}");
        }
    }
}

/// If only sessions had failed, one that opens lets everybody in; if a login was among the failures, in whichever place,
/// only a login does.
#[test]
fn what_had_failed_must_work() {
    const NONE: CallObservation = CallObservation::Unopened;
    for (row, needs_login) in [
        ([NONE, NONE, NONE], false),
        ([BAD, NONE, NONE], true),
        ([NONE, BAD, NONE], true),
        ([BAD, BAD, BAD], true),
    ] {
        let mut breaker = after(&row.map(|met| (0, met)));
        assert_eq!(breaker.needs_login(at(1)), needs_login, "{row:?}");
        assert!(breaker.admit(who(1), PROBE_FOR, at(30)), "{row:?}");
        breaker.record(CallObservation::Reached, at(31));
        assert_eq!(breaker.admit(who(2), PROBE_FOR, at(31)), !needs_login, "{row:?}");
        breaker.record(QUICK, at(32));
        assert!(!breaker.needs_login(at(32)), "{row:?}");
        assert!(
            breaker.admit(who(3), PROBE_FOR, at(32)) && breaker.admit(who(4), PROBE_FOR, at(32)),
            "{row:?}"
        );
        // Earlier failures say nothing about the next row.
        (0..3).for_each(|_| breaker.record(NONE, at(33)));
        assert!(!breaker.needs_login(at(33)), "{row:?}");
    }
    let forgotten = after(&[(0, BAD), (301, NONE), (301, NONE), (301, NONE)]);
    assert!(!forgotten.needs_login(at(302)));
}

/// A clock that is set back by a day does not keep anything open for a day.
#[test]
fn a_clock_set_back_opens_nothing_for_long() {
    for breaker in [failures(&[86_400, 86_400, 86_400]), after(&[(86_400, busy(60))])] {
        assert!(!breaker.health(at(0)).is_open(), "{breaker:?}");
    }
}

/// An institution is never better than its provider, and one that is not in the map is healthy.
#[test]
fn a_provider_stands_before_its_institutions() {
    let open = Health::Down(Open {
        until: at(9),
        probe: None,
    });
    let mut map = HealthMap::default();
    map.insert("mono", Some("a"), Health::Healthy);
    assert!(map.is_empty());
    map.insert("mono", Some("a"), Health::Slow);
    map.insert("other", None, Health::Slow);
    for (provider, institution, want) in [
        ("mono", "a", Health::Slow),
        ("mono", "b", Health::Healthy),
        ("other", "a", Health::Healthy),
    ] {
        assert_eq!(map.get(provider, institution), want);
    }
    map.insert("mono", None, open);
    assert_eq!((map.get("mono", "a"), map.get("mono", "b")), (open, open));
}

fn observed() -> impl Strategy<Value = CallObservation> {
    prop_oneof![
        2 => Just(CallObservation::Failed),
        2 => Just(CallObservation::Unopened),
        3 => (0_u64..40).prop_map(|took| CallObservation::Answered(Duration::from_secs(took))),
        1 => Just(CallObservation::Refused),
        1 => Just(CallObservation::Reached),
        1 => (0_u64..200).prop_map(busy),
        1 => Just(CallObservation::Busy(None)),
    ]
}

/// Results, each this many seconds after the one before.
fn history() -> impl Strategy<Value = Vec<(u64, CallObservation)>> {
    prop::collection::vec((0_u64..90, observed()), 0..40).prop_map(|steps| {
        let mut second = 0;
        let timed = steps.into_iter().map(|(gap, observed)| {
            second += gap;
            (second, observed)
        });
        timed.collect()
    })
}

/// The higher, the worse.
fn rank(health: Health) -> u8 {
    match health {
        Health::Healthy => 0,
        Health::Slow => 1,
        Health::Down(_) | Health::Busy(_) => 2,
    }
}

proptest! {
    /// One more failure never makes it look better at any later moment, and one more fast answer never worse.
    #[test]
    fn more_failures_are_never_better(events in history(), when in 0_u64..2_000, look in 0_u64..2_400) {
        for (extra, worse) in [(CallObservation::Failed, true), (CallObservation::Unopened, true), (QUICK, false)] {
            let place = events.partition_point(|(second, _)| *second <= when);
            let mut more = events.clone();
            more.insert(place, (when, extra));
            let until = |events: &[(u64, CallObservation)]| {
                after(&events[..events.partition_point(|(second, _)| *second <= look)]).health(at(look))
            };
            let (one, other) = (rank(until(&events)), rank(until(&more)));
            prop_assert!(if worse { other >= one } else { other <= one }, "{one} {other} {extra:?}");
        }
    }

    /// Whatever the results, little is kept, nothing is open for longer than the longest backoff, and all of it is forgotten.
    #[test]
    fn it_is_bounded_and_forgotten(events in history()) {
        let breaker = after(&events);
        let last = events.last().map_or(0, |(second, _)| *second);
        prop_assert!(breaker.samples.len() <= SAMPLES);
        if let Health::Down(open) | Health::Busy(open) = breaker.health(at(last)) {
            prop_assert!(open.until.since(at(last)) <= MAX_BACKOFF);
        }
        let long_after = at(last).plus(MAX_BACKOFF).plus(MEMORY);
        prop_assert_eq!(breaker.health(long_after), Health::Healthy);
        prop_assert!(breaker.is_idle(long_after));
    }

    /// It takes three failures with no answer between them to call anything down.
    #[test]
    fn less_than_three_in_a_row_is_no_outage(events in history(), look in 0_u64..100) {
        let last = events.last().map_or(0, |(second, _)| *second);
        let answer = events.iter().rposition(|(_, observed)| matches!(observed, CallObservation::Answered(_)));
        let row = events[answer.map_or(0, |place| place + 1)..]
            .iter()
            .filter(|(_, observed)| matches!(observed, CallObservation::Failed | CallObservation::Unopened))
            .count();
        let breaker = after(&events);
        let down = breaker.level(at(last + look)) == HealthLevel::Down;
        prop_assert!(!down || row >= 3, "{row} failures");
    }

    /// Of any crowd that comes to a half-open breaker, one is let through.
    #[test]
    fn of_a_crowd_one_is_let_through(crowd in prop::collection::vec(1_u8..50, 1..30), pause in any::<bool>()) {
        let mut breaker = if pause { after(&[(0, busy(30))]) } else { failures(&[0, 0, 0]) };
        let through: std::collections::BTreeSet<_> =
            crowd.iter().filter(|n| breaker.admit(who(**n), PROBE_FOR, at(31))).collect();
        prop_assert_eq!(through.len(), 1);
    }
}
