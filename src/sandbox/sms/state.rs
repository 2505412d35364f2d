//! What the stand-in remembers, and what it does with a text.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::UnboundedSender;

use super::SmsStandInSettings;
use super::poster::{CallbackKind, QueuedCallback};
use crate::core::time::{Clock, Rng, Timestamp};

/// Texts kept for one number.
const MOST_TEXTS: usize = 50;
/// Numbers with an inbox.
const MOST_NUMBERS: usize = 1000;

/// Something that goes wrong with a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmsFailure {
    /// Nothing is done: 503.
    Down,
    /// Nothing is done: 429 with `Retry-After: 1`.
    Busy,
    /// It is done, but takes this many milliseconds.
    Slow(u64),
    /// It is done, and no answer ever comes.
    Hang,
    /// Nothing is done: the number is on the black list.
    BlackListed,
}

/// What becomes of a text that was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmsDelivery {
    /// It arrives, and is reported.
    #[default]
    Arrives,
    /// It never arrives, and nothing is ever said.
    Vanishes,
    /// It does not arrive, and that is reported.
    Fails,
}

/// How deliveries are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryReports {
    /// How long after the send the first comes, and after that the next, in milliseconds.
    pub after_ms: u64,
    /// How often each is sent.
    pub copies: u8,
    /// Whether the last comes first.
    pub reversed: bool,
    /// How long the answer to the send is held back, in milliseconds, so that reports overtake it.
    pub answer_held_ms: u64,
}

impl Default for DeliveryReports {
    fn default() -> Self {
        Self {
            after_ms: 200,
            copies: 1,
            reversed: false,
            answer_held_ms: 0,
        }
    }
}

/// What the stand-in can be told to do, for all numbers at once. In JSON every field may be left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmsSwitches {
    /// What goes wrong with a send.
    pub trouble: Option<SmsFailure>,
    /// What becomes of a text that was taken.
    pub delivery: SmsDelivery,
    /// How that is reported.
    pub reports: DeliveryReports,
    /// How often each text from a person is handed on.
    pub incoming_copies: u8,
}

/// A text in an inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InboxSms {
    /// Our id of it.
    pub id: String,
    /// What it came from.
    pub from: String,
    /// What it says.
    pub text: String,
    /// When it arrived: milliseconds since the Unix epoch.
    pub at: i64,
}

#[derive(Default)]
struct Inner {
    switches: SmsSwitches,
    /// Where to call back: the callback of texts; reports go to `/reports` below it.
    callback: Option<String>,
    inboxes: BTreeMap<String, VecDeque<InboxSms>>,
    /// Numbers by when they got their last text, oldest first.
    recent: VecDeque<String>,
    /// Sends that were carried out, arrived or not.
    taken: u64,
    /// Sends that came in at all.
    asked: u64,
}

/// The stand-in's memory and controls.
pub struct SmsState {
    pub(super) settings: SmsStandInSettings,
    inner: Mutex<Inner>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    outbox: UnboundedSender<QueuedCallback>,
}

impl SmsState {
    pub(super) fn new(
        settings: SmsStandInSettings,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        outbox: UnboundedSender<QueuedCallback>,
    ) -> Self {
        Self {
            settings,
            inner: Mutex::default(),
            clock,
            rng,
            outbox,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls back at this URL from now on.
    pub fn call_back_at(&self, url: &str) {
        self.lock().callback = Some(url.to_owned());
    }

    /// The switches as they stand.
    pub fn switches(&self) -> SmsSwitches {
        self.lock().switches
    }

    /// Throws all switches.
    pub fn set_switches(&self, switches: SmsSwitches) {
        self.lock().switches = switches;
    }

    /// The texts that a number has got, oldest first.
    pub fn inbox(&self, number: &str) -> Vec<InboxSms> {
        let inner = self.lock();
        inner.inboxes.get(number).into_iter().flatten().cloned().collect()
    }

    /// How many sends came in, and how many of them were carried out, arrived or not.
    pub fn counts(&self) -> (u64, u64) {
        let inner = self.lock();
        (inner.asked, inner.taken)
    }

    /// Counts a send that came in; what goes wrong with it, if anything.
    pub(super) fn next_failure(&self) -> Option<SmsFailure> {
        let mut inner = self.lock();
        inner.asked += 1;
        inner.switches.trouble
    }

    /// Carries a send out: the text's id, and for how long the answer is held back.
    pub(super) fn accept(&self, to: &str, from: &str, text: &str) -> (String, Duration) {
        let id = format!("ATXid_{}", self.generate_id());
        let now = self.clock.now();
        let mut inner = self.lock();
        inner.taken += 1;
        let SmsSwitches { delivery, reports, .. } = inner.switches;
        if delivery == SmsDelivery::Arrives {
            inner.keep(
                to,
                InboxSms {
                    id: id.clone(),
                    from: from.to_owned(),
                    text: text.to_owned(),
                    at: now.as_millis(),
                },
            );
        }
        drop(inner);
        let mut row: Vec<_> = match delivery {
            SmsDelivery::Vanishes => Vec::new(),
            SmsDelivery::Arrives => vec![("Sent", ""), ("Success", "")],
            SmsDelivery::Fails => vec![("Sent", ""), ("Failed", "DeliveryFailure")],
        };
        if reports.reversed {
            row.reverse();
        }
        for ((status, why), nth) in row.into_iter().zip(1..) {
            let mut fields = vec![("id", id.clone()), ("status", status.to_owned())];
            fields.extend([("phoneNumber", to.to_owned()), ("networkCode", "62130".to_owned())]);
            fields.extend(
                [("failureReason", why.to_owned())]
                    .into_iter()
                    .filter(|_| !why.is_empty()),
            );
            let after = Duration::from_millis(reports.after_ms) * nth;
            self.queue(CallbackKind::Report, &fields, after, reports.copies);
        }
        (id, Duration::from_millis(reports.answer_held_ms))
    }

    /// Sends a text from a number to the stand-in's short code; the text's id.
    pub fn send_from(&self, number: &str, text: &str) -> String {
        self.send_as(&self.generate_id(), number, text)
    }

    /// As [`Self::send_from`], with this id: to send one again.
    pub fn send_as(&self, id: &str, number: &str, text: &str) -> String {
        self.send_late(id, number, text, self.clock.now())
    }

    /// As [`Self::send_as`]; it was got at this moment, and is handed on only now.
    pub fn send_late(&self, id: &str, number: &str, text: &str, got_at: Timestamp) -> String {
        let fields = vec![
            ("linkId", self.generate_id()),
            ("text", text.to_owned()),
            ("to", self.settings.number.clone()),
            ("id", id.to_owned()),
            ("date", date(got_at)),
            ("from", number.to_owned()),
        ];
        let copies = self.switches().incoming_copies;
        self.queue(CallbackKind::Incoming, &fields, Duration::ZERO, copies);
        id.to_owned()
    }

    fn queue(&self, kind: CallbackKind, fields: &[(&'static str, String)], after: Duration, copies: u8) {
        for _ in 0..copies.max(1) {
            let fields = fields.to_vec();
            // The receiver lives as long as the stand-in's thread; once that is gone nothing is to be sent any more.
            drop(self.outbox.send(QueuedCallback { kind, fields, after }));
        }
    }

    /// Where a post goes, once that is known.
    pub(super) fn callback_for(&self, kind: CallbackKind) -> Option<String> {
        let callback = self.lock().callback.clone()?;
        Some(match kind {
            CallbackKind::Incoming => callback,
            CallbackKind::Report => format!("{callback}/reports"),
        })
    }

    fn generate_id(&self) -> String {
        let mut bytes = [0; 16];
        self.rng.fill(&mut bytes);
        bytes.iter().fold(String::new(), |mut hex, byte| {
            hex.extend([byte >> 4, byte & 15].map(|half| char::from_digit(u32::from(half), 16).unwrap_or('0')));
            hex
        })
    }
}

impl Inner {
    fn keep(&mut self, number: &str, text: InboxSms) {
        let inbox = self.inboxes.entry(number.to_owned()).or_default();
        inbox.push_back(text);
        if inbox.len() > MOST_TEXTS {
            inbox.pop_front();
        }
        self.recent.retain(|known| known != number);
        self.recent.push_back(number.to_owned());
        if self.recent.len() > MOST_NUMBERS
            && let Some(oldest) = self.recent.pop_front()
        {
            self.inboxes.remove(&oldest);
        }
    }
}

fn date(at: Timestamp) -> String {
    let at = DateTime::from_timestamp_millis(at.as_millis()).unwrap_or_default();
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
