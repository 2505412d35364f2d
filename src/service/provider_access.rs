//! A provider as it is called about one person, or one of their links: with the partner's keys, and with what the provider
//! handed out earlier.
//!
//! What it hands out may change with every call (a token that is renewed when it is used). There are providers that end a
//! whole consent when an old token is shown to them, so it is used under a lease: by one call at a time, on all nodes. What
//! a call brings back is stored by compare-and-set before the lease is let go; a node that dies meanwhile holds it for two
//! minutes at most. A provider that hands out nothing costs nothing of this.

use std::sync::Arc;
use std::time::Duration;

use backon::{ConstantBuilder, Retryable};

use super::deps::answer_backoff;
use super::providers::{ProviderCallError, Providers};
use crate::core::ids::{PartnerId, ProviderPersonId};
use crate::core::seal::{SealError, SubscriberTag};
use crate::core::secret::Secret;
use crate::providers::{Access, AccessBlob, PersonAccess, Provider, ProviderError, ProviderKeys, WithAccess};
use crate::records::{Attempt, Link, LinkAccess, LinkState, ProviderPerson, ProviderPersonOutcome, RecordsError};

/// For how long nobody else uses what is leased: longer than any call.
const LEASE: Duration = Duration::from_mins(2);

/// Two calls made the same person at once.
pub const MADE_MEANWHILE: ProviderError = ProviderError::Unavailable("the person was made by another call", None);

/// Somebody else uses it: they need it for one call.
const IN_USE: ProviderCallError = ProviderCallError::Provider(ProviderError::Unavailable("its access is in use", None));

/// How often and how long it is waited for a call that somebody else makes.
fn while_in_use() -> ConstantBuilder {
    ConstantBuilder::default()
        .with_delay(Duration::from_millis(150))
        .with_max_times(20)
}

/// A provider with all that a call about one person, or one link of theirs, needs. Each is for one call: what comes back is
/// handed to [`Providers::keep`], which lets its leases go.
pub struct ProviderClient {
    pub api: Arc<dyn Provider>,
    keys: ProviderKeys,
    partner: PartnerId,
    tag: SubscriberTag,
    person: Option<Leased<ProviderPerson>>,
    /// The provider's id of the person, where that is all it has of them, to open a session with.
    named_person: Option<AccessBlob>,
    link: Option<(Link, Option<Leased<LinkAccess>>)>,
    link_handle: Option<Secret>,
}

/// A row that nobody else uses now, and what is sealed in it.
struct Leased<R> {
    row: R,
    blob: AccessBlob,
}

impl ProviderClient {
    pub fn access(&self) -> Access<'_> {
        let link = self.link.as_ref().and_then(|(_, leased)| leased.as_ref());
        Access {
            keys: &self.keys,
            person: self
                .person
                .as_ref()
                .map(|leased| &leased.blob)
                .or(self.named_person.as_ref()),
            link: link.map(|leased| &leased.blob),
        }
    }

    /// The provider's id of the whole link, if it has one.
    pub fn link_handle(&self) -> Option<&Secret> {
        self.link_handle.as_ref()
    }
}

impl Providers {
    /// The provider as it is called about an attempt.
    ///
    /// # Errors
    /// When it is not set up, its access is in use, or the records are not available.
    pub async fn of_attempt(&self, attempt: &Attempt) -> Result<ProviderClient, ProviderCallError> {
        let renewed = match attempt.renews {
            Some(link) => self.deps.records.link(link).await?,
            None => None,
        };
        match renewed {
            Some(link) => self.of_link(&link).await,
            None => self.for_person(attempt.partner, &attempt.provider, &attempt.tag).await,
        }
    }

    /// The provider as it is called about a link that may be read.
    ///
    /// # Errors
    /// When the consent to it is over, it is not set up, its access is in use, or the records are not available.
    pub async fn of_link(&self, link: &Link) -> Result<ProviderClient, ProviderCallError> {
        if link.state_at(self.deps.clock.now()) == LinkState::Expired {
            return Err(ProviderCallError::ConsentEnded);
        }
        self.of_any_link(link).await
    }

    /// The provider as it is called to end a link, or to take in what a login under way has led to, so that it can be ended.
    ///
    /// # Errors
    /// When it is not set up, its access is in use, or the records are not available.
    pub async fn of_any_link(&self, link: &Link) -> Result<ProviderClient, ProviderCallError> {
        let sealing = &self.deps.sealing;
        let handle = link.access.handle.as_deref();
        let handle = handle.map(|sealed| sealing.open_link_handle(&link.tag, link.id, sealed));
        let handle = handle.transpose()?;
        let mut client = self.for_person(link.partner, &link.provider, &link.tag).await?;
        client.link_handle = handle;
        let leased = match (client.api.facts().keeps_link_access, &link.access.sealed) {
            (true, Some(_)) => match self.lease_link(link).await {
                Ok(leased) => Some(leased),
                Err(error) => {
                    self.let_go(&client, None).await;
                    return Err(error);
                }
            },
            _ => None,
        };
        client.link = Some((link.clone(), leased));
        Ok(client)
    }

    /// The provider as it is called about a person of whom nothing else may be written yet.
    ///
    /// # Errors
    /// When it is not set up, its access is in use, or the records are not available.
    pub async fn for_person(
        &self,
        partner: PartnerId,
        name: &str,
        tag: &SubscriberTag,
    ) -> Result<ProviderClient, ProviderCallError> {
        let (api, keys) = self.with_keys(partner, name).await?;
        let known = if api.facts().keeps_people {
            self.deps.records.provider_person(partner, name, tag).await?
        } else {
            None
        };
        let person = match known {
            Some(person) => Some(self.lease_person(&person).await?),
            None => None,
        };
        Ok(ProviderClient {
            api,
            keys,
            partner,
            tag: *tag,
            person,
            named_person: None,
            link: None,
            link_handle: None,
        })
    }

    /// The provider as it is called to open a session for a link. Only there a provider that names people is told what it
    /// calls this one.
    ///
    /// # Errors
    /// When it is not set up, its access is in use, or the records are not available.
    pub async fn to_open_link(
        &self,
        partner: PartnerId,
        name: &str,
        tag: &SubscriberTag,
    ) -> Result<ProviderClient, ProviderCallError> {
        let mut client = self.for_person(partner, name, tag).await?;
        let facts = client.api.facts();
        if facts.names_people
            && !facts.keeps_people
            && let Some(known) = self.deps.records.provider_person(partner, name, tag).await?
        {
            let opened = self.deps.sealing.open_person_access(tag, known.id, &known.sealed);
            client.named_person = opened.ok();
        }
        Ok(client)
    }

    /// Keeps what a provider that names people calls one of them. The first name stays: of two calls that learn of one at
    /// once, one wins, and both are of the same person.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn name_person(
        &self,
        partner: PartnerId,
        name: &str,
        tag: &SubscriberTag,
        id: &Secret,
    ) -> Result<(), ProviderCallError> {
        let names = self.provider(name).is_some_and(|api| api.facts().names_people);
        if !names || self.deps.records.provider_person(partner, name, tag).await?.is_some() {
            return Ok(());
        }
        let row = ProviderPersonId::generate(self.deps.rng.as_ref());
        let blob = AccessBlob::new(id.expose().as_bytes());
        let person = ProviderPerson {
            id: row,
            partner,
            provider: name.to_owned(),
            tag: *tag,
            handle_digest: None,
            sealed: self.deps.sealing.seal_person_access(tag, row, &blob)?,
            version: 1,
            updated_at: self.deps.clock.now(),
        };
        self.deps.records.put_provider_person(&person).await?;
        Ok(())
    }

    async fn lease_person(&self, known: &ProviderPerson) -> Result<Leased<ProviderPerson>, ProviderCallError> {
        let lease = || async {
            let now = self.deps.clock.now();
            let records = &self.deps.records;
            let row = records
                .lease_provider_person(known.id, self.deps.node, now, now.plus(LEASE))
                .await?;
            row.ok_or(IN_USE)
        };
        let row = lease.retry(while_in_use()).when(|error| *error == IN_USE).await?;
        let blob = self.deps.sealing.open_person_access(&row.tag, row.id, &row.sealed)?;
        Ok(Leased { row, blob })
    }

    async fn lease_link(&self, link: &Link) -> Result<Leased<LinkAccess>, ProviderCallError> {
        let lease = || async {
            let now = self.deps.clock.now();
            let records = &self.deps.records;
            let row = records
                .lease_link_access(link.id, self.deps.node, now, now.plus(LEASE))
                .await?;
            row.ok_or(IN_USE)
        };
        let row = lease.retry(while_in_use()).when(|error| *error == IN_USE).await?;
        let sealed = row.sealed.as_deref().ok_or(ProviderCallError::NotSetUp)?;
        let blob = self.deps.sealing.open_link_access(&link.tag, link.id, sealed)?;
        Ok(Leased { row, blob })
    }

    /// Stores what a call has brought back, lets its leases go, and gives the answer; what the call gave for a link that is
    /// not written yet comes with it.
    ///
    /// # Errors
    /// The call's own; [`MADE_MEANWHILE`] where it made a person that another call had made by then: what it began belongs
    /// to somebody whose token nobody has, and is to be begun again.
    pub async fn keep<T, E: From<ProviderError>>(
        &self,
        client: ProviderClient,
        answer: Result<WithAccess<T>, E>,
    ) -> Result<(T, Option<AccessBlob>), E> {
        match answer {
            Ok(WithAccess { value, person, link }) => {
                let made = client.person.is_none() && person.is_some();
                let stands = self.let_go(&client, person).await;
                let link = self.keep_link(&client, link).await;
                if made && !stands {
                    return Err(MADE_MEANWHILE.into());
                }
                Ok((value, link))
            }
            Err(error) => {
                self.let_go(&client, None).await;
                self.keep_link(&client, None).await;
                Err(error)
            }
        }
    }

    /// Writes the person as they are now. Says whether they stand so.
    async fn let_go(&self, client: &ProviderClient, changed: Option<PersonAccess>) -> bool {
        if client.person.is_none() && changed.is_none() {
            return true;
        }
        let stored = self.put_person(client, client.person.as_ref(), changed).await;
        if let Err(error) = &stored {
            tracing::error!(provider = client.api.name(), %error, "storing a person's access at a provider failed");
        }
        stored.is_ok()
    }

    async fn put_person(
        &self,
        client: &ProviderClient,
        leased: Option<&Leased<ProviderPerson>>,
        changed: Option<PersonAccess>,
    ) -> Result<(), PutError> {
        let (sealing, provider) = (&self.deps.sealing, client.api.name());
        let mut row = match leased {
            Some(leased) => leased.row.clone(),
            None => ProviderPerson {
                id: ProviderPersonId::generate(self.deps.rng.as_ref()),
                partner: client.partner,
                provider: provider.to_owned(),
                tag: client.tag,
                handle_digest: None,
                sealed: Vec::new(),
                version: 0,
                updated_at: self.deps.clock.now(),
            },
        };
        row.version += 1;
        if let Some(changed) = changed {
            let handle = changed
                .handle
                .as_ref()
                .map(|handle| sealing.person_handle_digest(provider, handle));
            row.handle_digest = handle.or(row.handle_digest);
            row.sealed = sealing.seal_person_access(&row.tag, row.id, &changed.blob)?;
            row.updated_at = self.deps.clock.now();
        }
        let put = || self.deps.records.put_provider_person(&row);
        match put.retry(answer_backoff()).await? {
            ProviderPersonOutcome::Written => Ok(()),
            ProviderPersonOutcome::Outdated(_) => Err(PutError::Outdated),
        }
    }

    /// Writes a link's access as it is now; gives back what belongs to no link yet.
    async fn keep_link(&self, client: &ProviderClient, changed: Option<AccessBlob>) -> Option<AccessBlob> {
        let Some((link, leased)) = &client.link else {
            return changed;
        };
        if leased.is_none() && changed.is_none() {
            return None;
        }
        if let Err(error) = self.put_link(link, leased.as_ref(), changed).await {
            tracing::error!(provider = client.api.name(), %error, "storing a link's access failed");
        }
        None
    }

    async fn put_link(
        &self,
        link: &Link,
        leased: Option<&Leased<LinkAccess>>,
        changed: Option<AccessBlob>,
    ) -> Result<(), PutError> {
        let mut row = leased.map_or_else(|| link.access.clone(), |leased| leased.row.clone());
        row.version += 1;
        if let Some(changed) = changed {
            row.sealed = Some(self.deps.sealing.seal_link_access(&link.tag, link.id, &changed)?);
        }
        let put = || self.deps.records.put_link_access(link.id, &row);
        let replaced = put.retry(answer_backoff()).await?;
        replaced.then_some(()).ok_or(PutError::Outdated)
    }
}

/// Why a provider's words were not stored.
#[derive(Debug, thiserror::Error)]
enum PutError {
    #[error(transparent)]
    Records(#[from] RecordsError),
    #[error("it cannot be sealed")]
    Sealed(#[from] SealError),
    #[error("somebody else has replaced them, or there is nothing to replace")]
    Outdated,
}

impl From<SealError> for ProviderCallError {
    fn from(_: SealError) -> Self {
        Self::NotSetUp
    }
}
