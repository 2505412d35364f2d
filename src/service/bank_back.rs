//! Texts people who asked for it when an institution is back: each once, or never.
//!
//! What shows that it is back depends on what was seen when they asked. Where no session could be opened, or it asked to be
//! left alone, opening one is proof: it holds no secret and reaches no bank, and one node has one on its way at a time, as
//! the rules of `core/health.rs` want it; none is opened while a person tries. Where logins met nothing, sessions prove
//! nothing, and nobody's password is ours to try: then it is a login, of whoever, that the records say was taken since. That
//! is seen on every node, for health is one node's memory and records are not.
//!
//! One job looks for all who wait at an institution. A wish is marked and its text written in one transaction, so that two
//! nodes, or a node that dies and the next one, write one text. A person who has got further meanwhile knows, and gets none.
//! After a day a wish is over, and nothing is said.

use std::sync::Arc;
use std::time::Duration;

use super::bank_health::BankHealth;
use super::catalogue::Catalogue;
use super::handover::code_on;
use super::jobs::Verdict;
use super::linking::Trouble;
use super::live::Found;
use super::messages::{Note, Outbox, PostError};
use super::news::Newsroom;
use super::partner::{CallError, Providers};
use super::sealing::{Caller, Sealing};
use crate::core::flow::{Flow, News, OpenSession, Promise, TextWhenBack};
use crate::core::health::Health;
use crate::core::ids::{ConnectSessionId, JobId, MessageId, WatchId, WishId};
use crate::core::msisdn::Msisdn;
use crate::core::seal::Tag;
use crate::core::sms::{MessageState, Withheld};
use crate::core::time::Timestamp;
use crate::providers::{Opened, Opening};
use crate::records::{BankSince, BankWish, Job, JobKind, MessageKind, Records};

/// How long a wish holds: the screen says so.
const LASTS: Duration = Duration::from_hours(24);

/// For how long it is news that an institution is back.
const WITHIN: Duration = Duration::from_hours(1);

/// A job takes on further people for so long. With the pace below it ends, for all of them, within the tries that a job has.
const TAKES_ON: Duration = Duration::from_hours(12);

/// When somebody has waited for so long, it is looked at less often: every so many minutes.
const LONG: Duration = Duration::from_hours(1);
const SLOWLY: Duration = Duration::from_mins(10);

/// What begins the key of these texts; the wish's id follows.
const KEY: &str = "bank_back:";

/// Takes wishes, looks, and writes the texts.
pub struct BankBacks {
    /// Wishes, jobs, logins.
    pub records: Arc<dyn Records>,
    /// Opens sessions.
    pub providers: Arc<Providers>,
    /// Knows how to open one.
    pub catalogue: Arc<Catalogue>,
    /// Says whether one may be opened, and is told what came of it.
    pub health: Arc<BankHealth>,
    /// The words, live values.
    pub newsroom: Newsroom,
    /// Seals who is to be told.
    pub sealing: Sealing,
    /// Takes texts.
    pub outbox: Arc<Outbox>,
    /// Each channel's name and the code that people dial, in the order of the configuration.
    pub codes: Vec<(String, String)>,
}

impl BankBacks {
    /// Writes down that a person wants a text, and tells them what can be promised.
    pub async fn ask(&self, tag: &Tag, msisdn: &Msisdn, asked: &TextWhenBack) {
        let promise = self.promise(tag, msisdn, asked).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "that a text is wanted could not be written down");
            Promise::Failed
        });
        let session = asked.open.session;
        self.newsroom.tell(tag, &News::Texting { session, promise }).await;
    }

    async fn promise(&self, tag: &Tag, msisdn: &Msisdn, asked: &TextWhenBack) -> Result<Promise, Trouble> {
        let partner = self.outbox.partner();
        if self.records.wish(partner, tag).await?.is_some_and(|wish| wish.stopped) {
            return Ok(Promise::Stopped);
        }
        let entropy = self.newsroom.runtime.entropy.as_ref();
        let (id, watch, now) = (WishId::draw(entropy), WatchId::draw(entropy), self.now());
        let outage = self.health.outage(&asked.open);
        let caller = Caller {
            to: msisdn.clone(),
            locale: asked.locale,
            channel: asked.channel.clone(),
        };
        let wish = BankWish {
            id,
            partner,
            tag: *tag,
            provider: asked.open.provider.clone(),
            institution: asked.open.institution.id.clone(),
            sealed: self.sealing.caller(tag, id, &caller).map_err(|_| Trouble::Sealed)?,
            needs_login: outage.needs_login,
            asked_at: now,
            until: now.plus(LASTS),
        };
        let job = Job {
            id: JobId::draw(entropy),
            partner,
            kind: JobKind::BankBack(watch),
            due_at: outage.until.unwrap_or(now),
            tries: 0,
            key: format!("bank_back:{watch}"),
        };
        let fresh = now.minus(TAKES_ON);
        self.records.put_bank_wish(&wish, watch, &job, fresh).await?;
        Ok(Promise::Given)
    }

    /// Looks whether an institution is back, and writes the texts if it is.
    ///
    /// # Errors
    /// When it is to be tried again.
    pub async fn look(&self, watch: WatchId) -> Result<Verdict, Trouble> {
        let wishes = self.waiting(watch).await?;
        let Some(oldest) = wishes.first() else {
            return Ok(Verdict::Done);
        };
        let away = self.health.look().of(&oldest.provider, &oldest.institution);
        if let Health::Down(shut) | Health::Busy(shut) = away {
            return Ok(Verdict::Later("away", Some(shut.until.since(self.now()))));
        }
        let mut opens = None;
        for wish in &wishes {
            if self.knows(wish).await? {
                self.records.withdraw_bank_wish(wish.id).await?;
                continue;
            }
            let bank = since(wish);
            let mut back = self.records.login_taken(bank, None).await?;
            if !back && !wish.needs_login {
                if opens.is_none() {
                    opens = Some(self.opens(wish).await);
                }
                back = opens == Some(true);
            }
            if back {
                self.answer(wish).await?;
            }
        }
        // Who asked in between is waiting with this job, too.
        let waiting = self.waiting(watch).await?;
        let Some(oldest) = waiting.first() else {
            return Ok(Verdict::Done);
        };
        let slowly = self.now().since(oldest.asked_at) > LONG;
        Ok(Verdict::Later("not seen to be back", slowly.then_some(SLOWLY)))
    }

    /// Withholds such a text if its person has got further before it could be sent.
    ///
    /// # Errors
    /// When the records or the store are not available.
    pub async fn review(&self, id: MessageId) -> Result<(), Trouble> {
        let queued = self.records.message(id).await?;
        let Some(message) = queued.filter(|message| message.state == MessageState::Queued) else {
            return Ok(());
        };
        let wish = message.key.strip_prefix(KEY).and_then(|id| WishId::parse(id).ok());
        let Some(wish) = wish else { return Ok(()) };
        if let Some(wish) = self.records.bank_wish(wish).await?
            && self.knows(&wish).await?
        {
            let told = MessageState::Withheld(Withheld::Told);
            self.records.move_message(id, told, self.now()).await?;
        }
        Ok(())
    }

    async fn waiting(&self, watch: WatchId) -> Result<Vec<BankWish>, Trouble> {
        Ok(self.records.open_bank_wishes(watch, self.now()).await?)
    }

    /// Whether the person has logged in there since they asked, or has got as far as a session.
    async fn knows(&self, wish: &BankWish) -> Result<bool, Trouble> {
        if self.records.login_taken(since(wish), Some(&wish.tag)).await? {
            return Ok(true);
        }
        let loaded = self.newsroom.live.load(&wish.tag).await.map_err(Trouble::Store)?;
        Ok(match loaded.found {
            Found::Subscriber(state) => Flow::is_in_touch(&state, &wish.provider, &wish.institution),
            Found::Nothing | Found::Broken(_) => false,
        })
    }

    /// Whether a session can be opened there. Not tried where, as this node sees it, that would say nothing.
    async fn opens(&self, wish: &BankWish) -> bool {
        let (provider, id) = (wish.provider.as_str(), wish.institution.as_str());
        let method = self.catalogue.usable(provider, id).into_iter().next();
        let Some((institution, method)) = self.catalogue.institution(provider, id).zip(method) else {
            return false;
        };
        let open = OpenSession {
            session: ConnectSessionId::draw(self.newsroom.runtime.entropy.as_ref()),
            partner: None,
            provider: provider.to_owned(),
            institution,
            method: method.id,
            renews: None,
        };
        if self.health.outage(&open).needs_login || self.health.may_open(&open).is_err() {
            return false;
        }
        let opened = self.try_open(&open).await;
        self.health.opened(&open, &opened);
        opened.is_ok()
    }

    async fn try_open(&self, open: &OpenSession) -> Result<Opened, CallError> {
        let (provider, credentials) = self
            .providers
            .with_credentials(self.providers.partner(), &open.provider)
            .await?;
        let opening = Opening::Link {
            institution: &open.institution,
            method: &open.method,
            customer: &self.providers.customer(open.session),
        };
        Ok(provider.open(&credentials, opening).await?)
    }

    /// Writes the text that a wish is for. A wish for which none can be written is over.
    async fn answer(&self, wish: &BankWish) -> Result<(), Trouble> {
        let caller = self.sealing.open_caller(&wish.tag, wish.id, &wish.sealed);
        let Caller { to, locale, channel } = caller.map_err(|_| Trouble::Sealed)?;
        let text = self
            .newsroom
            .flow
            .tell_back(locale, code_on(&self.codes, Some(&channel)));
        let drafted = self.outbox.draft(Note {
            to: &to,
            kind: MessageKind::HandOver,
            key: format!("{KEY}{}", wish.id),
            text: &text,
            by: None,
            within: WITHIN,
        });
        match drafted {
            Ok((message, send)) => {
                self.records
                    .answer_bank_wish(wish.id, &message, &send, self.now())
                    .await?;
            }
            Err(PostError::Records(error)) => return Err(error.into()),
            Err(PostError::Sealed) => return Err(Trouble::Sealed),
            Err(error @ (PostError::NoGateway | PostError::TooLong)) => {
                tracing::error!(%error, "a text that was promised cannot be written");
                self.records.withdraw_bank_wish(wish.id).await?;
            }
        }
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.newsroom.runtime.clock.now()
    }
}

fn since(wish: &BankWish) -> BankSince<'_> {
    BankSince {
        partner: wish.partner,
        provider: &wish.provider,
        institution: &wish.institution,
        since: wish.asked_at,
    }
}
