//! The memory of the stand-in, and what it does with an SMS.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::SmsStandInSettings;
use super::callbacks::{CallbackKind, QueuedCallback};
use crate::core::time::Timestamp;
use crate::sandbox::stand_in::StandInCore;

const MAX_SMS_PER_NUMBER: usize = 50;
const MAX_NUMBERS: usize = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmsFailure {
    /// Nothing is done: 503.
    Down,
    /// Nothing is done: 429 with `Retry-After: 1`.
    Busy,
    /// The SMS is accepted, but that takes this many milliseconds.
    Slow(u64),
    /// The SMS is accepted, but there is never an answer.
    Hang,
    /// Nothing is done: the number is blacklisted.
    BlackListed,
}

/// What happens to an SMS that was accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmsDelivery {
    #[default]
    Arrives,
    /// It never arrives, and there is never a report.
    Vanishes,
    /// It does not arrive, and that is reported.
    Fails,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryReports {
    /// The time from the send to the first report, and from each report to the next, in milliseconds.
    pub after_ms: u64,
    /// How often each is sent.
    pub copies: u8,
    pub reversed: bool,
    /// How long the answer to the send is delayed, in milliseconds, so that reports overtake it.
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

/// What the stand-in does, for all numbers at once. In JSON every field may be left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmsSwitches {
    pub trouble: Option<SmsFailure>,
    /// What happens to an SMS that was accepted.
    pub delivery: SmsDelivery,
    pub reports: DeliveryReports,
    /// How often each SMS from a person is delivered.
    pub incoming_copies: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InboxSms {
    pub id: String,
    pub from: String,
    pub text: String,
    /// When it arrived: milliseconds since the Unix epoch.
    pub at: i64,
}

#[derive(Default)]
pub(super) struct SmsMemory {
    switches: SmsSwitches,
    /// The callback for incoming SMS; reports go to `/reports` below it.
    callback: Option<String>,
    inboxes: BTreeMap<String, VecDeque<InboxSms>>,
    /// Numbers by when they received their last SMS, oldest first.
    recent: VecDeque<String>,
    /// Sends that were requested, and those of them that were carried out (whether the SMS arrived or not).
    requested: u64,
    accepted: u64,
}

pub struct SmsState {
    pub(super) settings: SmsStandInSettings,
    pub(super) core: StandInCore<SmsMemory, QueuedCallback>,
}

impl SmsState {
    pub fn switches(&self) -> SmsSwitches {
        self.core.lock().switches
    }

    /// Replaces all switches by a JSON object: those left out go back to their defaults.
    pub(super) fn change(&self, changes: Map<String, Value>) -> Result<(), String> {
        let switches = serde_json::from_value(Value::Object(changes)).map_err(|problem| problem.to_string())?;
        self.set_switches(switches);
        Ok(())
    }

    /// Calls back at this URL from now on.
    pub fn call_back_at(&self, url: &str) {
        self.core.lock().callback = Some(url.to_owned());
    }

    pub fn set_switches(&self, switches: SmsSwitches) {
        self.core.lock().switches = switches;
    }

    /// The SMS that a number has received, oldest first.
    pub fn inbox(&self, number: &str) -> Vec<InboxSms> {
        let memory = self.core.lock();
        memory.inboxes.get(number).into_iter().flatten().cloned().collect()
    }

    /// How many sends were requested, and how many of them were accepted.
    pub fn counts(&self) -> (u64, u64) {
        let memory = self.core.lock();
        (memory.requested, memory.accepted)
    }

    /// Counts a requested send, and returns its failure, if any.
    pub(super) fn next_failure(&self) -> Option<SmsFailure> {
        let mut memory = self.core.lock();
        memory.requested += 1;
        memory.switches.trouble
    }

    /// Accepts an SMS; returns its id, and how long to delay the answer.
    pub(super) fn accept(&self, to: &str, from: &str, text: &str) -> (String, Duration) {
        let id = format!("ATXid_{}", self.core.generate_hex(32));
        let now = self.core.now();
        let mut memory = self.core.lock();
        memory.accepted += 1;
        let SmsSwitches { delivery, reports, .. } = memory.switches;
        if delivery == SmsDelivery::Arrives {
            memory.keep(
                to,
                InboxSms {
                    id: id.clone(),
                    from: from.to_owned(),
                    text: text.to_owned(),
                    at: now.as_millis(),
                },
            );
        }
        drop(memory);
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

    /// Sends an SMS from a number to the stand-in's short code; returns its id.
    pub fn send_from(&self, number: &str, text: &str) -> String {
        self.send_as(&self.core.generate_hex(32), number, text)
    }

    /// Like [`Self::send_from`], with this id, to send an SMS again.
    pub fn send_as(&self, id: &str, number: &str, text: &str) -> String {
        self.send_late(id, number, text, self.core.now())
    }

    /// Like [`Self::send_as`], for an SMS that was received at this time and is delivered only now.
    pub fn send_late(&self, id: &str, number: &str, text: &str, got_at: Timestamp) -> String {
        let fields = vec![
            ("linkId", self.core.generate_hex(32)),
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
            self.core.queue(QueuedCallback { kind, fields, after });
        }
    }

    /// The URL of a callback, once it is known.
    pub(super) fn callback_for(&self, kind: CallbackKind) -> Option<String> {
        let callback = self.core.lock().callback.clone()?;
        Some(match kind {
            CallbackKind::Incoming => callback,
            CallbackKind::Report => format!("{callback}/reports"),
        })
    }
}

impl SmsMemory {
    fn keep(&mut self, number: &str, text: InboxSms) {
        let inbox = self.inboxes.entry(number.to_owned()).or_default();
        inbox.push_back(text);
        if inbox.len() > MAX_SMS_PER_NUMBER {
            inbox.pop_front();
        }
        self.recent.retain(|known| known != number);
        self.recent.push_back(number.to_owned());
        if self.recent.len() > MAX_NUMBERS
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
