//! Texts people what became of a submission when nobody was there any more to read it.
//!
//! There is one text for each answer to each attempt. Its job is asked for where the answer is told and no screen shows it
//! (`service/news.rs`), for a link in the link's own transaction; and again by whoever comes across an answer that is still
//! owed: the job that settles the attempt, and a gateway that says that a dialog ended before its last screen was seen. The
//! job waits until no dialog can be on any more.
//!
//! The text is written first, under a key that names the attempt and the answer, and only then is it remembered in the live
//! value. A server that dies in between does both again, and the text is there already. The code in it is derived from
//! that same key instead of being drawn, so that the one in the text is the one that works, however often this is done.
//!
//! Before it leaves it is looked at once more: who has dialled since knows, and gets no text.

use std::sync::Arc;
use std::time::Duration;

use super::jobs::Verdict;
use super::linking::Trouble;
use super::live::{Found, LiveError};
use super::messages::{Note, Outbox, PostError};
use super::news::Newsroom;
use super::runtime::Runtime;
use super::sealing::Sealing;
use crate::core::dial_code::DialCode;
use crate::core::flow::Flow;
use crate::core::flow::handover::{HandOver, Tidings};
use crate::core::flow::recovery::CODE_LASTS;
use crate::core::flow::state::Subscriber;
use crate::core::ids::{AttemptId, JobId, MessageId, PartnerId};
use crate::core::messages::Locale;
use crate::core::msisdn::Msisdn;
use crate::core::sms::{MessageState, Withheld};
use crate::core::time::Timestamp;
use crate::records::{Attempt, AttemptState, Job, JobKind, Message, MessageKind, Records};

/// For how long a result is worth a text.
const WITHIN: Duration = Duration::from_hours(6);

/// For how long a question is: its code must still work for most of its time when it is read.
const QUESTION_WITHIN: Duration = Duration::from_secs(CODE_LASTS.as_secs() / 3);

/// Asks for hand-overs.
#[derive(Clone)]
pub struct Desk {
    /// Where jobs stand.
    pub records: Arc<dyn Records>,
    /// On whose behalf.
    pub partner: PartnerId,
    /// Clock, chance.
    pub runtime: Runtime,
}

impl Desk {
    /// The job that sees to this text, if it is still owed then.
    pub fn job(&self, attempt: AttemptId, tidings: Tidings, due_at: Timestamp) -> Job {
        Job {
            id: JobId::draw(self.runtime.entropy.as_ref()),
            partner: self.partner,
            kind: JobKind::HandOver(attempt),
            due_at,
            tries: 0,
            key: key(attempt, tidings),
        }
    }

    /// Asks for this text. Asked for twice on the same occasion it is asked for once; an occasion of its own is a dialog,
    /// by the digest of its name, that was closed before its answer was seen.
    pub async fn ask(&self, attempt: AttemptId, tidings: Tidings, closed: Option<&[u8; 32]>) {
        let mut job = self.job(attempt, tidings, self.runtime.clock.now());
        if let Some(dialog) = closed {
            let dialog = dialog.first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
            job.key = format!("{}:{dialog:016x}", job.key);
        }
        if let Err(error) = self.records.enqueue(&job).await {
            tracing::warn!(%error, "a text could not be asked for");
        }
    }
}

/// Writes these texts, and sends all.
pub struct HandOvers {
    /// Durable truth.
    pub records: Arc<dyn Records>,
    /// The conversation, live values.
    pub newsroom: Newsroom,
    /// Opens numbers.
    pub sealing: Sealing,
    /// Takes texts.
    pub outbox: Arc<Outbox>,
    /// Each channel's name and the code that people dial, in the order of the configuration.
    pub codes: Vec<(String, String)>,
}

impl HandOvers {
    /// Writes what is to be texted about an attempt now.
    ///
    /// # Errors
    /// When it is to be tried again.
    pub async fn write(&self, id: AttemptId) -> Result<Verdict, Trouble> {
        let Some((attempt, _)) = self.records.attempt(id).await? else {
            // It was told before it came as far as the records, such as that nothing was sent: the next dial says so.
            return Ok(Verdict::Done);
        };
        let mut state = match self.newsroom.live.load(&attempt.tag).await.map(|loaded| loaded.found) {
            Ok(Found::Subscriber(state)) => *state,
            Ok(Found::Nothing | Found::Broken(_)) => return self.write_lost(&attempt).await,
            Err(error) => return Ok(away(&error.into())),
        };
        let Some(tidings) = Flow::owes(&state, id) else {
            return Ok(Verdict::Done);
        };
        match self.hand_over(&mut state, id, tidings) {
            HandOver::Nothing => Ok(Verdict::Done),
            HandOver::Later(at) => {
                let pause = at.since(self.newsroom.runtime.clock.now());
                Ok(Verdict::Later("dialog", Some(pause)))
            }
            HandOver::Text(text) => {
                if let Some(end) = self.post(&state.msisdn, id, tidings, &text).await? {
                    return Ok(end);
                }
                let remembered = self.newsroom.live.change(&attempt.tag, |state| {
                    let owed = Flow::owes(state, id) == Some(tidings);
                    let texted = owed && matches!(self.hand_over(state, id, tidings), HandOver::Text(_));
                    texted.then_some(())
                });
                Ok(remembered.await.map_or_else(|error| away(&error), |_| Verdict::Done))
            }
        }
    }

    /// The store has lost this person. Of a link they are told all the same; anything else the next dial tells.
    async fn write_lost(&self, attempt: &Attempt) -> Result<Verdict, Trouble> {
        let consent = match attempt.state {
            AttemptState::Linked => self.records.consent(attempt.consent).await?,
            _ => None,
        };
        let Some(consent) = consent else {
            return Ok(Verdict::Done);
        };
        let to = self
            .sealing
            .open_msisdn(&consent.tag, consent.id, &consent.msisdn)
            .map_err(|_| Trouble::Sealed)?;
        let locale = Locale::from_tag(&consent.locale).unwrap_or_default();
        let partner = self.records.partner(consent.partner).await?;
        let partner = partner.map(|partner| partner.name).unwrap_or_default();
        let text = self
            .newsroom
            .flow
            .tell_linked(locale, &partner, self.code(Some(&consent.channel)));
        let end = self.post(&to, attempt.id, Tidings::Linked, &text).await?;
        Ok(end.unwrap_or(Verdict::Done))
    }

    /// Hands a text over to its gateway, unless it tells what the person knows by now.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn send(&self, id: MessageId) -> Result<Verdict, Trouble> {
        if let Some(message) = self.records.message(id).await?
            && message.state == MessageState::Queued
            && let Some((attempt, tidings)) = subject(&message)
        {
            match self.newsroom.live.load(&message.tag).await.map(|loaded| loaded.found) {
                Ok(Found::Subscriber(state)) if Flow::owes(&state, attempt) != Some(tidings) => {
                    let (now, told) = (
                        self.newsroom.runtime.clock.now(),
                        MessageState::Withheld(Withheld::Told),
                    );
                    self.records.move_message(id, told, now).await?;
                    return Ok(Verdict::Done);
                }
                Ok(_) => {}
                Err(error) => return Ok(away(&error.into())),
            }
        }
        Ok(self.outbox.send(id).await?)
    }

    /// What the conversation says of it, with the code that belongs to this text.
    fn hand_over(&self, state: &mut Subscriber, id: AttemptId, tidings: Tidings) -> HandOver {
        let runtime = &self.newsroom.runtime;
        let mut context = runtime.context(runtime.clock.now(), None, "");
        let parts = [id.as_bytes().as_slice(), tidings.word().as_bytes()];
        let digest = self.sealing.keyring.digest("hand-over code", &parts);
        context.fresh.code = DialCode::of(&digest);
        let channel = state.dialogs.first().map(|dialog| dialog.channel.clone());
        self.newsroom
            .flow
            .hand_over(state, id, self.code(channel.as_deref()), &context)
    }

    /// Writes a text down, once. What cannot be written ends the job.
    async fn post(&self, to: &Msisdn, id: AttemptId, tidings: Tidings, text: &str) -> Result<Option<Verdict>, Trouble> {
        let note = Note {
            to,
            kind: MessageKind::HandOver,
            key: key(id, tidings),
            text,
            by: None,
            within: match tidings {
                Tidings::Question => QUESTION_WITHIN,
                Tidings::Linked | Tidings::NotLinked | Tidings::Mismatched => WITHIN,
            },
        };
        match self.outbox.post(note).await {
            Ok(_) => Ok(None),
            Err(PostError::Records(error)) => Err(error.into()),
            Err(PostError::NoGateway) => Ok(Some(Verdict::GiveUp("no gateway"))),
            Err(PostError::TooLong) => Ok(Some(Verdict::GiveUp("too long"))),
            Err(PostError::Sealed) => Err(Trouble::Sealed),
        }
    }

    /// What is dialled on this channel; on one that is not set up any more, what is dialled on the first.
    fn code(&self, channel: Option<&str>) -> &str {
        code_on(&self.codes, channel)
    }
}

/// What is dialled on this channel, by the names and codes of all; on one that is not set up any more, the first's.
pub(super) fn code_on<'a>(codes: &'a [(String, String)], channel: Option<&str>) -> &'a str {
    let named = codes.iter().find(|(name, _)| Some(name.as_str()) == channel);
    named.or(codes.first()).map_or("", |(_, code)| code)
}

/// The fact that a text tells.
fn key(attempt: AttemptId, tidings: Tidings) -> String {
    format!("handover:{attempt}:{}", tidings.word())
}

/// What a text is about, if it is one of these.
fn subject(message: &Message) -> Option<(AttemptId, Tidings)> {
    let (attempt, word) = message.key.strip_prefix("handover:")?.split_once(':')?;
    let tidings = Tidings::ALL.into_iter().find(|tidings| tidings.word() == word)?;
    Some((AttemptId::parse(attempt).ok()?, tidings))
}

fn away(error: &LiveError) -> Verdict {
    tracing::warn!(%error, "whether a text is still owed cannot be told now");
    Verdict::Again("store")
}
