//! Pages in a browser: from the link in an SMS to the bank's page, and back.
//!
//! A link holds a ticket of 128 bits, of which only a digest is stored. To look at the page uses nothing up, for phones and
//! networks look at links before people do; the button does, once. Only then does the provider make its page, which sends
//! the browser back with a ticket of its own, its `state`. What comes back is stored sealed, with the job that goes on from
//! there: the browser decides nothing.
//!
//! A ticket that was used, that nobody wrote and whose time is over all lead to one page, so that no answer tells them apart.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use url::Url;

use super::callbacks::{OpenedPage, PersonPage, PersonPages};
use super::deps::Deps;
use super::flow_in_force::FlowInForce;
use super::job::JobError;
use super::linking::advance::AdvanceNow;
use super::page_links::{PageLinks, waits_until};
use super::providers::{ProviderCallError, Providers};
use super::strangers::StrangerKind;
use crate::core::messages::Locale;
use crate::core::secret::Secret;
use crate::core::time::Timestamp;
use crate::providers::{PageRequest, ProviderError, ProviderRequest, Returned};
use crate::records::{Attempt, JobType, ProviderWait, TicketPurpose};

/// How long a person may take at their bank, however late they opened the link.
const TIME_AT_BANK: Duration = Duration::from_mins(15);

/// Shows people pages, and takes what their browsers bring back.
pub struct BrowserPages {
    pub deps: Deps,
    pub providers: Arc<Providers>,
    /// Its texts.
    pub flow: FlowInForce,
    pub links: Arc<PageLinks>,
}

/// Why a ticket leads nowhere now.
#[derive(Debug)]
enum Closed {
    /// For good.
    Over,
    /// The same may work in a moment.
    Later(JobError),
}

impl<E: Into<JobError>> From<E> for Closed {
    fn from(error: E) -> Self {
        match error.into() {
            JobError::Call(ProviderCallError::Provider(ProviderError::NotFound | ProviderError::Refused(_))) => {
                Self::Over
            }
            error => Self::Later(error),
        }
    }
}

/// What a page says; each has a title and a text in `menus/locales`.
#[derive(Clone, Copy)]
enum Content {
    Go,
    Back,
    Over,
    Later,
}

impl BrowserPages {
    /// The attempt that an unused ticket leads to.
    async fn attempt_of(&self, digest: &[u8; 32]) -> Result<Attempt, Closed> {
        let now = self.deps.clock.now();
        let ticket = self.deps.records.ticket(digest, now).await?;
        let ticket = ticket.filter(|ticket| ticket.used_at.is_none()).ok_or(Closed::Over)?;
        let found = self.deps.records.attempt(ticket.attempt).await?;
        found.map(|(attempt, _)| attempt).ok_or(Closed::Over)
    }

    /// The language in which the person agreed.
    async fn locale_of(&self, attempt: &Attempt) -> Result<Locale, Closed> {
        let consent = self.deps.records.consent(attempt.consent).await?;
        let spoken = consent.and_then(|consent| Locale::from_tag(&consent.locale));
        Ok(spoken.unwrap_or_default())
    }

    async fn try_show(&self, token: &Secret) -> Result<Locale, Closed> {
        let digest = self.deps.sealing.ticket_digest(TicketPurpose::Go, token);
        let attempt = self.attempt_of(&digest).await?;
        waits_until(&attempt).ok_or(Closed::Over)?;
        self.locale_of(&attempt).await
    }

    /// Has the provider make its page, then uses the ticket up: one whose page cannot be made now is still good.
    async fn try_open(&self, token: &Secret) -> Result<Url, Closed> {
        let (base, sealing) = (self.links.base().ok_or(Closed::Over)?, &self.deps.sealing);
        let digest = sealing.ticket_digest(TicketPurpose::Go, token);
        let attempt = self.attempt_of(&digest).await?;
        let promised = waits_until(&attempt).ok_or(Closed::Over)?;
        let session = sealing.open_session(&attempt.tag, attempt.id, &attempt.provider_session)?;
        let until = promised.max(self.time_at_bank(session.expires_at));
        let back = Url::parse(&format!("{base}/back/{}", attempt.provider));
        let back = back.map_err(|_| ProviderError::Malformed("no address to come back to"))?;
        let (state, next) = self.links.state_ticket(&attempt, until);
        let page = PageRequest {
            state: &state,
            back: &back,
        };
        let client = self.providers.of_attempt(&attempt).await?;
        let made = client.api.page(client.access(), &session, page).await;
        let (url, _) = self.providers.keep(client, made).await?;
        // It goes into a header that a browser follows.
        let plain = url.scheme() == "http" && base.starts_with("http:");
        if url.scheme() != "https" && !plain {
            return Err(ProviderError::Malformed("a page that is not on the web").into());
        }
        let now = self.deps.clock.now();
        if until > promised {
            let wait = ProviderWait {
                session: &attempt.provider_session,
                session_digest: &attempt.session_digest,
                until,
                jobs: &[],
                tickets: &[],
            };
            // If something came meanwhile, the attempt has gone on by itself.
            self.deps.records.go_on_waiting(&attempt, &wait).await?;
        }
        if self.deps.records.exchange_ticket(&digest, &next, now).await? {
            Ok(url)
        } else {
            Err(Closed::Over)
        }
    }

    /// Until when a person who opens the page now may come back from it.
    fn time_at_bank(&self, session_ends: Option<Timestamp>) -> Timestamp {
        let until = self.deps.clock.now().plus(TIME_AT_BANK);
        session_ends.map_or(until, |end| until.min(end))
    }

    /// Stores what a browser brought back, if it is the first with its ticket.
    async fn store(&self, provider: &str, returned: &Returned) -> Result<Locale, Closed> {
        let (now, sealing) = (self.deps.clock.now(), &self.deps.sealing);
        let digest = sealing.ticket_digest(TicketPurpose::State, &returned.state);
        let attempt = self.attempt_of(&digest).await?;
        if attempt.provider != provider {
            return Err(Closed::Over);
        }
        let locale = self.locale_of(&attempt).await?;
        let sealed = sealing.seal_returned(&attempt.tag, attempt.id, &returned.data)?;
        // A fact of its own: the same browser may be sent twice.
        let occasion = u64::from_be_bytes(std::array::from_fn(|at| digest[at]));
        let advance = AdvanceNow::job(attempt.partner, attempt.id, now).on_occasion(format!("{occasion:016x}"));
        let records = &self.deps.records;
        let stored = records.return_with_ticket(&digest, &sealed, &[advance], now).await?;
        stored.map(|_| locale).ok_or(Closed::Over)
    }

    fn page(&self, content: Content, locale: Locale) -> PersonPage {
        let (status, id) = match content {
            Content::Go => (200, "page-go"),
            Content::Back => (200, "page-back"),
            Content::Over => (404, "page-over"),
            Content::Later => (503, "page-later"),
        };
        let flow = self.flow.get();
        let say = |id: &str| flow.templates.format(locale, id, &[]);
        // The same button opens it a moment later.
        let button = matches!(content, Content::Go | Content::Later).then(|| say("page-go-button"));
        PersonPage {
            status,
            locale,
            title: say(&format!("{id}-title")),
            text: say(id),
            button,
            plain_http: self.links.base().is_some_and(|base| base.starts_with("http:")),
        }
    }

    fn closed_page(&self, closed: Closed, locale: Locale) -> PersonPage {
        match closed {
            Closed::Over => {
                self.deps.strangers.count(StrangerKind::Page);
                self.page(Content::Over, locale)
            }
            Closed::Later(error) => {
                tracing::warn!(%error, "a page for a person could not be opened");
                self.page(Content::Later, locale)
            }
        }
    }
}

#[async_trait]
impl PersonPages for BrowserPages {
    async fn show(&self, token: &Secret, locale: Locale) -> PersonPage {
        match self.try_show(token).await {
            Ok(locale) => self.page(Content::Go, locale),
            Err(closed) => self.closed_page(closed, locale),
        }
    }

    async fn open(&self, token: &Secret, locale: Locale) -> OpenedPage {
        match self.try_open(token).await {
            Ok(url) => OpenedPage::Redirect(Secret::new(url)),
            Err(closed) => OpenedPage::Page(self.closed_page(closed, locale)),
        }
    }

    async fn returned(&self, provider: &str, request: &ProviderRequest<'_>, locale: Locale) -> Option<PersonPage> {
        let api = self.providers.provider(provider)?;
        let stored = match api.returned(request) {
            Ok(returned) => self.store(provider, &returned).await,
            Err(_) => Err(Closed::Over),
        };
        Some(match stored {
            Ok(locale) => self.page(Content::Back, locale),
            Err(closed) => PersonPage {
                // There is nothing to press: the browser is to be sent again.
                button: None,
                ..self.closed_page(closed, locale)
            },
        })
    }

    fn returned_empty(&self, provider: &str, locale: Locale) -> Option<PersonPage> {
        self.providers.provider(provider)?;
        Some(self.page(Content::Over, locale))
    }
}
