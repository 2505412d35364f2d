//! What must never be, as rules over plain facts: what people typed and were told, what the records keep, and what the
//! bank's side did. They know nothing of the product, so that forged facts can show that they find what they are there to
//! find.

use std::collections::{BTreeMap, BTreeSet};

use kiungo::sandbox::bank::{SubmitOutcome, sha256_hex};
use kiungo::sandbox::mono::{CallLog, MonoCall};

use super::person::FinalResult;

/// Refused logins of one person at one bank in [`WINDOW`].
const REFUSED_LOGINS: usize = 2;
/// A quarter of an hour, in milliseconds.
const WINDOW: i64 = 15 * 60 * 1_000;
/// Wrong codes in one session of the bank's.
const WRONG_CODES: usize = 3;

/// What one person did and knows, and what the records keep for them.
#[derive(Clone, Debug, Default)]
pub struct PersonFacts {
    /// The name at the bank.
    pub username: String,
    pub typed: Typed,
    /// What they were told.
    pub result: FinalResult,
    pub claims: Vec<Claim>,
    /// The digests of the accounts of their active links.
    pub linked: BTreeSet<[u8; 32]>,
}

/// What a person typed that is sent to a bank.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    /// Every password, each only once.
    pub passwords: Vec<String>,
    /// Every one-time code.
    pub codes: Vec<String>,
    /// How often an account was chosen.
    pub choices: usize,
}

/// What a screen said that can be held against what happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// That this password was not sent.
    NotSent(String),
    /// That the bank did not let you in what was typed.
    Refused,
    /// That an account is linked.
    Linked,
}

/// How far things have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Something may still be under way.
    Now,
    /// Nothing is under way any more: every account is linked or unlinked by now.
    Settled,
    /// And everybody who had been told something else has dialled again.
    Told,
}

/// Everything that is wrong in these facts. `digest` is how the records spell an account.
pub fn faults_in(
    people: &[PersonFacts],
    call_log: &CallLog,
    digest: impl Fn(&str) -> [u8; 32],
    phase: Phase,
) -> Vec<String> {
    let bank = Bank::of(call_log, digest);
    let mut faults = bank.past_the_limits();
    let names: BTreeSet<_> = people.iter().map(|person| person.username.as_str()).collect();
    for (who, submits) in bank.submits.iter().filter(|(who, _)| !names.contains(*who)) {
        faults.extend(
            submits
                .iter()
                .map(|submit| format!("nobody typed submission {} of {who:?}", submit.no)),
        );
    }
    for person in people {
        let mut wrong = bank.sent_otherwise(person);
        wrong.extend(bank.lies(person));
        wrong.extend(bank.told_otherwise(person, phase));
        faults.extend(wrong.into_iter().map(|what| format!("{}: {what}", person.username)));
    }
    faults
}

type Submit = kiungo::sandbox::mono::SubmitEntry;

/// What the bank's side knows.
struct Bank<'a> {
    call_log: &'a CallLog,
    /// Who logged in, by session.
    sessions: BTreeMap<&'a str, &'a str>,
    /// What was submitted, by user name.
    submits: BTreeMap<&'a str, Vec<&'a Submit>>,
    /// Accounts that are linked and not unlinked, by user name.
    open: BTreeMap<&'a str, BTreeSet<[u8; 32]>>,
}

impl<'a> Bank<'a> {
    fn of(call_log: &'a CallLog, digest: impl Fn(&str) -> [u8; 32]) -> Self {
        let named = |submit: &'a Submit| Some((submit.session.as_deref()?, submit.username.as_deref()?));
        let mut bank = Self {
            call_log,
            sessions: call_log.submits.iter().filter_map(named).collect(),
            submits: BTreeMap::new(),
            open: BTreeMap::new(),
        };
        for submit in &call_log.submits {
            let who = bank.who(submit).unwrap_or("nobody");
            bank.submits.entry(who).or_default().push(submit);
        }
        for account in call_log.accounts.iter().filter(|account| account.unlinked_at.is_none()) {
            let who = bank.sessions.get(account.session.as_str()).copied().unwrap_or("nobody");
            bank.open.entry(who).or_default().insert(digest(&account.id));
        }
        bank
    }

    /// Whose login a submission belongs to.
    fn who(&self, submit: &'a Submit) -> Option<&'a str> {
        let named = submit.username.as_deref();
        named.or_else(|| self.sessions.get(submit.session.as_deref()?).copied())
    }

    fn submits_of(&self, person: &PersonFacts) -> &[&'a Submit] {
        self.submits.get(person.username.as_str()).map_or(&[], Vec::as_slice)
    }

    /// More was sent to the bank than this person typed, or something else.
    fn sent_otherwise(&self, person: &PersonFacts) -> Vec<String> {
        let mut left: BTreeMap<(MonoCall, Option<String>), usize> = BTreeMap::new();
        let logins = person.typed.passwords.iter().map(|typed| (MonoCall::Login, typed));
        let codes = person.typed.codes.iter().map(|typed| (MonoCall::Commit, typed));
        for (call, typed) in logins.chain(codes) {
            *left.entry((call, Some(sha256_hex(typed)))).or_default() += 1;
        }
        left.insert((MonoCall::Commit, None), person.typed.choices);
        let mut faults = Vec::new();
        for submit in self.submits_of(person) {
            match left.get_mut(&(submit.call, submit.secret_sha256.clone())) {
                None => faults.push(format!("never typed what submission {} sent", submit.no)),
                Some(0) => faults.push(format!("typed once what submission {} sent again", submit.no)),
                Some(times) => *times -= 1,
            }
        }
        faults
    }

    /// More wrong logins and codes than anybody may try.
    fn past_the_limits(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (who, submits) in &self.submits {
            let refused = submits
                .iter()
                .filter(|submit| submit.call == MonoCall::Login && submit.outcome == Some(SubmitOutcome::Refused));
            let refused: Vec<_> = refused.map(|submit| submit.at).collect();
            let mut runs = refused.windows(REFUSED_LOGINS + 1);
            if runs.any(|run| run[REFUSED_LOGINS] - run[0] < WINDOW) {
                faults.push(format!("{who}: {} logins were refused in a row", refused.len()));
            }
        }
        let mut wrong: BTreeMap<&str, usize> = BTreeMap::new();
        for submit in &self.call_log.submits {
            if submit.outcome == Some(SubmitOutcome::WrongCode) {
                *wrong.entry(submit.session.as_deref().unwrap_or_default()).or_default() += 1;
            }
        }
        wrong.retain(|_, codes| *codes > WRONG_CODES);
        let who = |session: &str| self.sessions.get(session).copied().unwrap_or("nobody").to_owned();
        faults.extend(
            wrong
                .iter()
                .map(|(session, codes)| format!("{}: {codes} wrong codes in one session", who(session))),
        );
        faults
    }

    /// Screens that said what was not so.
    fn lies(&self, person: &PersonFacts) -> Vec<String> {
        let submits = self.submits_of(person);
        let lie = |claim: &Claim| match claim {
            Claim::NotSent(password) => {
                let digest = sha256_hex(password);
                let sent = submits
                    .iter()
                    .find(|submit| submit.secret_sha256.as_ref() == Some(&digest))?;
                Some(format!(
                    "was told that nothing was sent, and submission {} was",
                    sent.no
                ))
            }
            Claim::Refused => {
                let taken = [
                    SubmitOutcome::Granted,
                    SubmitOutcome::AccountsAsked,
                    SubmitOutcome::InputAsked,
                ];
                let said = submits
                    .iter()
                    .any(|submit| submit.outcome.is_some_and(|outcome| !taken.contains(&outcome)));
                (!said).then(|| "was told of a no that the bank never said".to_owned())
            }
            Claim::Linked => {
                let mut linked = self.call_log.accounts.iter();
                let mine = |session: &String| self.sessions.get(session.as_str()) == Some(&person.username.as_str());
                (!linked.any(|account| mine(&account.session)))
                    .then(|| "was told of a link of which the bank knows nothing".to_owned())
            }
        };
        person.claims.iter().filter_map(lie).collect()
    }

    /// What this person knows in the end is not what is.
    fn told_otherwise(&self, person: &PersonFacts, phase: Phase) -> Vec<String> {
        let none = BTreeSet::new();
        let open = self.open.get(person.username.as_str()).unwrap_or(&none);
        let mut faults = Vec::new();
        if person.result == FinalResult::Linked && person.linked.is_empty() {
            faults.push("was told of a link that is not there".to_owned());
        }
        if person.result == FinalResult::Linked && open.is_empty() {
            faults.push("was told of a link that the bank has ended".to_owned());
        }
        if phase >= Phase::Settled && *open != person.linked {
            let (open, linked) = (open.len(), person.linked.len());
            faults.push(format!("{open} open accounts at the bank and {linked} linked here"));
        }
        if phase == Phase::Told && person.result == FinalResult::NotLinked && !open.is_empty() {
            faults.push("was told of no link, an account is open, and nobody has told them".to_owned());
        }
        faults
    }
}

#[cfg(test)]
mod tests;
