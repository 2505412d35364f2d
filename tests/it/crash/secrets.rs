//! What people typed last stands nowhere: in no file that anything has written, and in no value of the live store, sealed
//! or not.

use std::collections::HashSet;
use std::fs;

use super::person::{PASSWORD, Person};
use crate::support::world::World;

/// No password of these people stands in a file, nor in a value that was ever written where that was recorded: what is
/// sealed is opened.
pub fn nothing_secret_is_kept(world: &World, people: &[Person]) {
    let typed = people.iter().flat_map(|person| &person.typed.passwords);
    let typed: HashSet<&[u8]> = typed.map(String::as_bytes).collect();
    let planted = [b"\0Zq7", *typed.iter().next().unwrap(), b"\0"].concat();
    assert_eq!(passwords_in(&planted, &typed), 1);
    for path in world.files() {
        let found = passwords_in(&fs::read(&path).unwrap_or_default(), &typed);
        assert_eq!(found, 0, "passwords stand in {}", path.display());
    }
    let Some(recorder) = &world.recorder else { return };
    let keyring = world.keyring();
    let mut opened = 0;
    for person in people {
        for (written, content) in recorder.contents(&person.tag(&keyring), &keyring) {
            opened += 1;
            let clear = [person.username.as_bytes(), person.number.as_bytes()];
            let clear = clear.iter().any(|word| holds(&written, word));
            assert!(!clear, "{} stands in Redis:\n{}", person.username, person.story);
            // A code that is right is short, and everybody's.
            let mut secrets = person.typed.passwords.iter().chain(&person.typed.codes);
            let secret = secrets.find(|secret| secret.len() > 6 && holds(&content, secret.as_bytes()));
            assert_eq!(
                secret, None,
                "{} is sealed in Redis:\n{}",
                person.username, person.story
            );
        }
    }
    assert!(opened > people.len(), "only {opened} values were read");
}

fn holds(content: &[u8], word: &[u8]) -> bool {
    content.windows(word.len()).any(|part| part == word)
}

/// How many passwords stand in a file; all begin alike and are of one length.
fn passwords_in(content: &[u8], typed: &HashSet<&[u8]>) -> usize {
    let (mut left, mut found) = (content, 0);
    while let Some(at) = left.iter().position(|byte| *byte == b'Z') {
        left = &left[at..];
        found += usize::from(left.get(..PASSWORD).is_some_and(|part| typed.contains(part)));
        left = &left[1..];
    }
    found
}
