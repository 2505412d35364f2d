//! Forged histories: what the rules are there for is found, and nothing else.

use kiungo::sandbox::bank::AccountEntry;
use kiungo::sandbox::mono::MonoVersion;

use super::*;

fn digest(account: &str) -> [u8; 32] {
    let mut digest = [0; 32];
    digest[..account.len()].copy_from_slice(account.as_bytes());
    digest
}

fn login(username: &str, password: &str, session: &str) -> Submit {
    Submit {
        no: 1,
        at: 0,
        call: MonoCall::Login,
        dialect: MonoVersion::V2,
        session: Some(session.to_owned()),
        institution: None,
        username: Some(username.to_owned()),
        secret_sha256: Some(sha256_hex(password)),
        whole_body: true,
        outcome: Some(SubmitOutcome::Granted),
        trouble: None,
    }
}

fn answer(code: Option<&str>, session: &str, outcome: SubmitOutcome) -> Submit {
    Submit {
        call: MonoCall::Commit,
        username: None,
        secret_sha256: code.map(sha256_hex),
        outcome: Some(outcome),
        ..login("", "", session)
    }
}

fn account(id: &str, session: &str) -> AccountEntry {
    AccountEntry {
        id: id.to_owned(),
        session: session.to_owned(),
        customer: String::new(),
        institution: String::new(),
        number: String::new(),
        holder: String::new(),
        at: 0,
        unlinked_at: None,
    }
}

/// Somebody who typed a password, a code and a choice, and has an account linked.
fn linked() -> (PersonFacts, CallLog) {
    let person = PersonFacts {
        username: "ada".to_owned(),
        typed: Typed {
            passwords: vec!["one".to_owned()],
            codes: vec!["11".to_owned()],
            choices: 1,
        },
        result: FinalResult::Linked,
        claims: vec![Claim::Linked],
        linked: BTreeSet::from([digest("a")]),
    };
    let call_log = CallLog {
        submits: vec![
            login("ada", "one", "s"),
            answer(Some("11"), "s", SubmitOutcome::AccountsAsked),
            answer(None, "s", SubmitOutcome::Granted),
        ],
        accounts: vec![account("a", "s")],
        ..CallLog::default()
    };
    (person, call_log)
}

/// Nobody was linked, and this was claimed.
fn claimed(person: &mut PersonFacts, claim: Claim) {
    person.claims = vec![claim];
}

/// A way to forge what happened.
type Forgery = fn(&mut PersonFacts, &mut CallLog);

const FORGERIES: &[(&str, Forgery)] = &[
    ("", |_, _| ()),
    ("typed once what submission 1 sent again", |_, call_log| {
        call_log.submits.push(login("ada", "one", "s2"));
    }),
    ("typed once what submission 1 sent again", |_, call_log| {
        call_log.submits.push(answer(Some("11"), "s", SubmitOutcome::NoSession));
    }),
    ("typed once what submission 1 sent again", |_, call_log| {
        call_log.submits.push(answer(None, "s", SubmitOutcome::NoSession));
    }),
    ("never typed what submission 1 sent", |_, call_log| {
        call_log.submits.push(login("ada", "one*1", "s"));
    }),
    ("never typed what submission 1 sent", |_, call_log| {
        call_log.submits.push(answer(Some("1"), "s", SubmitOutcome::WrongCode));
    }),
    ("nobody typed submission 1", |_, call_log| {
        call_log.submits[0].username = Some("ada*one".to_owned());
    }),
    ("ada: 3 logins were refused in a row", |person, call_log| {
        for (n, typed) in ["two", "three", "four"].into_iter().enumerate() {
            person.typed.passwords.push(typed.to_owned());
            call_log.submits.push(Submit {
                at: WINDOW / 4 * i64::try_from(n).unwrap(),
                outcome: Some(SubmitOutcome::Refused),
                ..login("ada", typed, typed)
            });
        }
    }),
    ("ada: 4 wrong codes in one session", |person, call_log| {
        for typed in ["12", "13", "14", "15"] {
            person.typed.codes.push(typed.to_owned());
            call_log
                .submits
                .push(answer(Some(typed), "s", SubmitOutcome::WrongCode));
        }
    }),
    ("told that nothing was sent", |person, _| {
        claimed(person, Claim::NotSent("one".to_owned()));
    }),
    ("a no that the bank never said", |person, _| {
        claimed(person, Claim::Refused);
    }),
    ("a link of which the bank knows nothing", |_, call_log| {
        call_log.accounts.clear();
    }),
    ("a link that is not there", |person, _| person.linked.clear()),
    ("a link that the bank has ended", |_, call_log| {
        call_log.accounts[0].unlinked_at = Some(1);
    }),
    ("2 open accounts at the bank and 1 linked", |_, call_log| {
        call_log.accounts.push(account("b", "s"));
    }),
    ("nobody has told them", |person, _| {
        person.result = FinalResult::NotLinked;
    }),
];

/// Every fault that the rules are there for is found in a forged history, and an honest one has none.
#[test]
fn forged_histories_are_found_out() {
    for (want, forge) in FORGERIES {
        let (mut person, mut call_log) = linked();
        forge(&mut person, &mut call_log);
        let found = faults_in(&[person], &call_log, digest, Phase::Told).join("\n");
        assert_eq!(found.is_empty(), want.is_empty(), "{want}: {found}");
        assert!(found.contains(want), "{want}: {found}");
    }
}

/// Refusals that are far enough apart are no fault, and what is under way may still become right.
#[test]
fn what_is_allowed_is_no_fault() {
    let (mut person, mut call_log) = linked();
    for n in 0..6 {
        let typed = format!("wrong {n}");
        call_log.submits.push(Submit {
            at: WINDOW / 2 * n,
            outcome: Some(SubmitOutcome::Refused),
            ..login("ada", &typed, &typed)
        });
        person.typed.passwords.push(typed);
    }
    person.result = FinalResult::NotLinked;
    assert!(faults_in(&[person], &call_log, digest, Phase::Settled).is_empty());
}
