//! Holds what people typed and were told, what the records keep, and what the bank's side did against each other.
//!
//! What is wrong is found in plain facts, by rules that know nothing of the product, so that forged facts can show that
//! they find what they are there to find.

use std::collections::{BTreeMap, BTreeSet};

use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::OsRng;
use kiungo::core::secret::Secret;
use kiungo::records::LinkState;
use kiungo::sandbox::bank::sha256_hex;
use kiungo::sandbox::mono::CallLog;
use kiungo::service::sealing::Sealing;

use super::person::{FinalResult, Person};
use crate::support::eventually;
use crate::support::world::World;

/// How long things may take to settle: a lease, a job's lease, and some backing off.
const SETTLED: Duration = Duration::from_secs(150);

/// What one person did and knows, and what the records keep for them.
#[derive(Clone, Debug)]
pub struct PersonFacts {
    /// The name at the bank.
    pub username: String,
    /// Every password typed.
    pub passwords: Vec<String>,
    /// What they were told.
    pub result: FinalResult,
    /// The digests of the accounts of their active links.
    pub linked: BTreeSet<[u8; 32]>,
}

/// The facts of these people.
pub async fn facts(world: &World, people: &[Person]) -> Vec<PersonFacts> {
    let (links, keyring) = (world.links().await, world.keyring());
    let facts = people.iter().map(|person| {
        let tag = person.tag(&keyring);
        let active = links
            .iter()
            .filter(|link| link.tag == tag && link.state == LinkState::Active);
        PersonFacts {
            username: person.username.clone(),
            passwords: person.passwords.clone(),
            result: person.result,
            linked: active
                .flat_map(|link| link.accounts.iter().map(|account| account.account_digest))
                .collect(),
        }
    });
    facts.collect()
}

/// Everything that is wrong in a world with these people.
pub async fn faults(world: &World, people: &[Person], settled: bool) -> Vec<String> {
    let sealing = Sealing {
        keyring: Arc::new(world.keyring()),
        rng: Arc::new(OsRng),
    };
    let digest = |account: &str| sealing.account_digest("mono", &Secret::new(account));
    faults_in(&facts(world, people).await, &world.call_log(), digest, settled)
}

/// What must never be is not, now; and what takes time comes true in time.
pub async fn settles(world: &World, people: &[Person], what: &str) {
    let now = faults(world, people, false).await;
    assert!(now.is_empty(), "{what}: {now:#?}");
    let mut last = Vec::new();
    let waited = async {
        eventually(SETTLED * 2, async || {
            last = faults(world, people, true).await;
            last.is_empty()
        })
        .await;
    };
    let in_time = tokio::time::timeout(SETTLED, waited).await.is_ok();
    assert!(in_time, "{what}: {last:#?}");
}

/// Everything that is wrong in these facts. `digest` is how the records spell an account; `settled` says that nothing is under way any
/// more, so that every account must be linked or unlinked by now.
fn faults_in(
    people: &[PersonFacts],
    call_log: &CallLog,
    digest: impl Fn(&str) -> [u8; 32],
    settled: bool,
) -> Vec<String> {
    let mut faults = sent_twice(people, call_log);
    let accounts = open_accounts(call_log, &digest);
    let none = BTreeSet::new();
    for person in people {
        let open = accounts.get(person.username.as_str()).unwrap_or(&none);
        let name = &person.username;
        if person.result == FinalResult::Linked && person.linked.is_empty() {
            faults.push(format!("{name} was told of a link that is not there"));
        }
        if person.result == FinalResult::Linked && open.is_empty() {
            faults.push(format!("{name} was told of a link of which the bank knows nothing"));
        }
        if settled && *open != person.linked {
            faults.push(format!(
                "{name} has {} open accounts at the bank and {} linked here",
                open.len(),
                person.linked.len()
            ));
        }
        if settled && person.result == FinalResult::NotLinked && !open.is_empty() {
            faults.push(format!("{name} was told of no link, and an account is open"));
        }
    }
    faults
}

/// Passwords that reached the bank more than once, and logins that nobody typed.
fn sent_twice(people: &[PersonFacts], call_log: &CallLog) -> Vec<String> {
    let typed: BTreeMap<String, &str> = people
        .iter()
        .flat_map(|person| {
            person
                .passwords
                .iter()
                .map(|password| (sha256_hex(password), person.username.as_str()))
        })
        .collect();
    let mut sent: BTreeMap<&str, usize> = BTreeMap::new();
    let mut faults = Vec::new();
    for submit in &call_log.submits {
        let Some(secret) = submit.secret_sha256.as_deref() else {
            faults.push(format!("submission {} has no password", submit.no));
            continue;
        };
        *sent.entry(secret).or_default() += 1;
        let whose = typed.get(secret).copied();
        if whose.is_none() || whose != submit.username.as_deref() {
            faults.push(format!("nobody typed submission {}", submit.no));
        }
    }
    faults.extend(
        sent.iter()
            .filter(|(_, times)| **times > 1)
            .map(|(secret, times)| format!("{} sent a password {times} times", typed.get(*secret).unwrap_or(&"?"))),
    );
    faults
}

/// Accounts that are linked at the bank and not unlinked, by user name.
fn open_accounts<'a>(
    call_log: &'a CallLog,
    digest: &impl Fn(&str) -> [u8; 32],
) -> BTreeMap<&'a str, BTreeSet<[u8; 32]>> {
    let whose: BTreeMap<&str, &str> = call_log
        .submits
        .iter()
        .filter_map(|submit| Some((submit.session.as_deref()?, submit.username.as_deref()?)))
        .collect();
    let mut open: BTreeMap<&str, BTreeSet<[u8; 32]>> = BTreeMap::new();
    for account in call_log.accounts.iter().filter(|account| account.unlinked_at.is_none()) {
        let username = whose.get(account.session.as_str()).copied().unwrap_or("nobody");
        open.entry(username).or_default().insert(digest(&account.id));
    }
    open
}

#[cfg(test)]
mod tests {
    use kiungo::sandbox::bank::{AccountEntry, SubmitOutcome};
    use kiungo::sandbox::mono::{MonoCall, MonoVersion, SubmitEntry};

    use super::*;

    fn digest(account: &str) -> [u8; 32] {
        let mut digest = [0; 32];
        digest[..account.len()].copy_from_slice(account.as_bytes());
        digest
    }

    fn submit(username: &str, password: &str, session: &str) -> SubmitEntry {
        SubmitEntry {
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

    fn linked() -> (PersonFacts, CallLog) {
        let person = PersonFacts {
            username: "ada".to_owned(),
            passwords: vec!["one".to_owned()],
            result: FinalResult::Linked,
            linked: BTreeSet::from([digest("a")]),
        };
        let call_log = CallLog {
            submits: vec![submit("ada", "one", "s")],
            accounts: vec![account("a", "s")],
            ..CallLog::default()
        };
        (person, call_log)
    }

    /// A way to forge what happened.
    type Forgery = fn(&mut PersonFacts, &mut CallLog);

    /// Every fault that the checker is there for is found in a forged history, and an honest one has none.
    #[test]
    fn forged_histories_are_found_out() {
        let forgeries: [(&str, Forgery); 8] = [
            ("", |_, _| ()),
            ("sent a password 2 times", |_, call_log| {
                call_log.submits.push(submit("ada", "one", "s2"));
            }),
            ("nobody typed", |_, call_log| {
                call_log.submits.push(submit("ada", "two", "s"));
            }),
            ("nobody typed", |_, call_log| {
                call_log.submits[0].username = Some("bola".to_owned());
            }),
            ("a link that is not there", |person, _| person.linked.clear()),
            ("of which the bank knows nothing", |_, call_log| {
                call_log.accounts[0].unlinked_at = Some(1);
            }),
            ("2 open accounts at the bank and 1 linked", |_, call_log| {
                call_log.accounts.push(account("b", "s"));
            }),
            ("told of no link", |person, _| person.result = FinalResult::NotLinked),
        ];
        for (want, forge) in forgeries {
            let (mut person, mut call_log) = linked();
            forge(&mut person, &mut call_log);
            let found = faults_in(&[person], &call_log, digest, true).join("\n");
            assert_eq!(found.is_empty(), want.is_empty(), "{want}: {found}");
            assert!(found.contains(want), "{want}: {found}");
        }
    }
}
