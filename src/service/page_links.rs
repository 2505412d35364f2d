//! Links for people to open in a browser.
//!
//! A link holds a ticket of 128 bits, of which only a digest is stored. The ticket follows from the attempt it leads to and
//! from which link to that attempt it is, so a job that sends a link and runs twice sends the same one.

use std::sync::OnceLock;

use url::Url;

use super::deps::Deps;
use crate::core::ids::{AttemptId, PartnerId};
use crate::core::secret::Secret;
use crate::core::time::Timestamp;
use crate::records::{Attempt, AttemptState, RecordsError, ReturnTicket, TicketPurpose};

/// Letters and digits that nobody mistakes for each other: people may have to type a link.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Makes links for people to open.
pub struct PageLinks {
    deps: Deps,
    /// Where people reach this server, without a slash at the end.
    base: OnceLock<String>,
}

/// A link to be sent to a person.
#[derive(Debug)]
pub struct PageLink {
    /// Anyone who has it may go on for the person.
    pub url: Secret,
    /// To be written with the fact that the link is for.
    pub ticket: ReturnTicket,
}

impl PageLinks {
    /// Links lead below `public_url`. Without one there are none, unless [`PageLinks::listen_at`] says where.
    pub fn new(deps: Deps, public_url: Option<&Url>) -> Self {
        let base = OnceLock::new();
        if let Some(url) = public_url {
            let _ = base.set(without_slash(url.as_str()));
        }
        Self { deps, base }
    }

    /// Where people on this machine reach a sandbox that has no public URL.
    pub fn listen_at(&self, url: &str) {
        let _ = self.base.set(without_slash(url));
    }

    /// Where people reach this server, without a slash at the end; `None` where they cannot be sent to a browser.
    pub fn base(&self) -> Option<&str> {
        self.base.get().map(String::as_str)
    }

    /// Whether people can be sent to a browser.
    pub fn is_available(&self) -> bool {
        self.base.get().is_some()
    }

    /// The `nth` link to an attempt. `None` where people cannot be sent to a browser.
    pub fn link(&self, partner: PartnerId, attempt: AttemptId, nth: u32, until: Timestamp) -> Option<PageLink> {
        let base = self.base.get()?;
        let digest = self
            .deps
            .sealing
            .keyring
            .digest("page link", &[attempt.as_bytes(), &nth.to_be_bytes()]);
        let token = token_text(std::array::from_fn(|at| digest[at]));
        Some(PageLink {
            url: Secret::new(format!("{base}/go/{}", token.expose())),
            ticket: self.ticket(TicketPurpose::Go, &token, (partner, attempt), until),
        })
    }

    /// The same for an attempt that waits, with its ticket written. `None` also where it waits no more.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn issue(&self, attempt: AttemptId, nth: u32) -> Result<Option<Secret>, RecordsError> {
        let found = self.deps.records.attempt(attempt).await?.map(|(attempt, _)| attempt);
        let Some(until) = found.as_ref().and_then(waits_until) else {
            return Ok(None);
        };
        let link = found.and_then(|attempt| self.link(attempt.partner, attempt.id, nth, until));
        let Some(link) = link else { return Ok(None) };
        self.deps.records.add_tickets(&[link.ticket]).await?;
        Ok(Some(link.url))
    }

    /// A ticket that goes to a provider and comes back with the browser.
    pub(super) fn state_ticket(&self, attempt: &Attempt, until: Timestamp) -> (Secret, ReturnTicket) {
        let mut drawn = [0; 16];
        self.deps.rng.fill(&mut drawn);
        let state = token_text(drawn);
        let ticket = self.ticket(TicketPurpose::State, &state, (attempt.partner, attempt.id), until);
        (state, ticket)
    }

    fn ticket(
        &self,
        purpose: TicketPurpose,
        token: &Secret,
        (partner, attempt): (PartnerId, AttemptId),
        until: Timestamp,
    ) -> ReturnTicket {
        ReturnTicket {
            digest: self.deps.sealing.ticket_digest(purpose, token),
            partner,
            attempt,
            purpose,
            created_at: self.deps.clock.now(),
            until,
            used_at: None,
        }
    }
}

/// When an attempt's links lead nowhere any more, if it waits.
pub(super) fn waits_until(attempt: &Attempt) -> Option<Timestamp> {
    attempt.waits_until.filter(|_| attempt.state == AttemptState::Waiting)
}

fn without_slash(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

/// 128 bits as 26 letters and digits.
fn token_text(bytes: [u8; 16]) -> Secret {
    let bits = u128::from_be_bytes(bytes);
    let letters = (0..26_u32).rev().map(|place| {
        let digit = usize::try_from(bits >> (place * 5) & 31).unwrap_or_default();
        char::from(ALPHABET[digit])
    });
    Secret::new(letters.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::token_text;

    /// Different bits make different tokens, of one length and of letters that survive an SMS and a person who types them.
    #[test]
    fn a_token_holds_all_bits() {
        for (bits, want) in [
            (0, "00000000000000000000000000"),
            (1, "00000000000000000000000001"),
            (31, "0000000000000000000000000z"),
            (32, "00000000000000000000000010"),
            (u128::MAX, "7zzzzzzzzzzzzzzzzzzzzzzzzz"),
        ] {
            assert_eq!(token_text(bits.to_be_bytes()).expose(), want);
        }
    }
}
