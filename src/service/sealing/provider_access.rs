//! What providers hand out and want back, and how what they name is recognised.

use super::{Sealing, seal_context};
use crate::core::ids::{AttemptId, LinkId, ProviderPersonId};
use crate::core::seal::{SealContext, SealError, SubscriberTag};
use crate::core::secret::Secret;
use crate::providers::AccessBlob;
use crate::records::TicketPurpose;

#[expect(clippy::missing_errors_doc, reason = "all fail as `Sealing` says")]
impl Sealing {
    /// What a provider wants back whenever it is asked about a person.
    pub fn seal_person_access(
        &self,
        tag: &SubscriberTag,
        person: ProviderPersonId,
        access: &AccessBlob,
    ) -> Result<Vec<u8>, SealError> {
        let context = seal_context("provider person", tag, person.as_bytes(), "access");
        self.seal(&context, access.expose())
    }

    pub fn open_person_access(
        &self,
        tag: &SubscriberTag,
        person: ProviderPersonId,
        sealed: &[u8],
    ) -> Result<AccessBlob, SealError> {
        self.open_blob(
            &seal_context("provider person", tag, person.as_bytes(), "access"),
            sealed,
        )
    }

    /// What a provider wants back whenever it is asked about a link.
    pub fn seal_link_access(
        &self,
        tag: &SubscriberTag,
        link: LinkId,
        access: &AccessBlob,
    ) -> Result<Vec<u8>, SealError> {
        self.seal(&seal_context("link", tag, link.as_bytes(), "access"), access.expose())
    }

    pub fn open_link_access(&self, tag: &SubscriberTag, link: LinkId, sealed: &[u8]) -> Result<AccessBlob, SealError> {
        self.open_blob(&seal_context("link", tag, link.as_bytes(), "access"), sealed)
    }

    /// The provider's own id of a link.
    pub fn seal_link_handle(&self, tag: &SubscriberTag, link: LinkId, handle: &Secret) -> Result<Vec<u8>, SealError> {
        self.seal(
            &seal_context("link", tag, link.as_bytes(), "handle"),
            handle.expose().as_bytes(),
        )
    }

    pub fn open_link_handle(&self, tag: &SubscriberTag, link: LinkId, sealed: &[u8]) -> Result<Secret, SealError> {
        self.open_secret(&seal_context("link", tag, link.as_bytes(), "handle"), sealed)
    }

    /// What a browser brought back for an attempt.
    pub fn seal_returned(
        &self,
        tag: &SubscriberTag,
        attempt: AttemptId,
        returned: &Secret,
    ) -> Result<Vec<u8>, SealError> {
        self.seal(
            &seal_context("attempt", tag, attempt.as_bytes(), "returned"),
            returned.expose().as_bytes(),
        )
    }

    pub fn open_returned(&self, tag: &SubscriberTag, attempt: AttemptId, sealed: &[u8]) -> Result<Secret, SealError> {
        self.open_secret(&seal_context("attempt", tag, attempt.as_bytes(), "returned"), sealed)
    }

    /// How a provider's own id of a link is recognised.
    pub fn link_handle_digest(&self, provider: &str, handle: &Secret) -> [u8; 32] {
        self.keyring
            .digest("provider link", &[provider.as_bytes(), handle.expose().as_bytes()])
    }

    /// How a provider's own id of a person is recognised.
    pub fn person_handle_digest(&self, provider: &str, handle: &Secret) -> [u8; 32] {
        self.keyring
            .digest("provider person", &[provider.as_bytes(), handle.expose().as_bytes()])
    }

    /// How a provider's session is recognised.
    pub fn session_digest(&self, provider: &str, session: &str) -> [u8; 32] {
        self.keyring
            .digest("provider session", &[provider.as_bytes(), session.as_bytes()])
    }

    /// How a ticket is recognised. One that is for something else is another.
    pub fn ticket_digest(&self, purpose: TicketPurpose, ticket: &Secret) -> [u8; 32] {
        self.keyring.digest(
            "return ticket",
            &[purpose.as_str().as_bytes(), ticket.expose().as_bytes()],
        )
    }

    fn open_blob(&self, context: &SealContext<'_>, sealed: &[u8]) -> Result<AccessBlob, SealError> {
        Ok(AccessBlob::new(self.keyring.open(context, sealed)?.to_vec()))
    }
}
