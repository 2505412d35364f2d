//! `kiungo events`: prints the events of partners, and replays them.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use clap::{Args, Subcommand};

use super::commands::{self, CommandError};
use crate::ambient::SystemClock;
use crate::config::Config;
use crate::core::access::TenantScope;
use crate::core::events::EventKind;
use crate::core::ids::{EndpointId, EventId, PartnerId};
use crate::core::time::{Clock, Timestamp};
use crate::records::{
    AuditEntry, Delivery, DeliveryState, Partner, PartnerEvent, Records, Result as RecordsResult, TimeRange,
};

const PAGE_SIZE: u32 = 500;
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// For how long an event may still appear behind later ones, and its deliveries are watched. An event has the time of its
/// fact, and exists once the fact is written.
const SETTLE_WINDOW: Duration = Duration::from_mins(1);

/// What is done about events.
#[derive(Debug, Subcommand)]
pub(super) enum EventsCommand {
    /// Print events, oldest first, one a line: when, id, kind, what it is about and the how-manieth, for whom, how far it is.
    #[command(after_help = TAIL)]
    Tail {
        #[command(flatten)]
        which: EventSelection,
        /// From when on: a time (2026-11-01T08:00:00Z), or how long ago (45s, 30m, 2h, 7d).
        #[arg(long, value_name = "WHEN", default_value = "1h")]
        since: String,
        /// Go on, and print what comes until this is ended.
        #[arg(long, short)]
        follow: bool,
    },
    /// Have an event, or all of a span, sent once more.
    #[command(after_help = REPLAY)]
    Replay(ReplayArgs),
}

const TAIL: &str = "\
How far an event is, is told for each endpoint it is for: delivered; pending, after so many tries and why the last one
failed; or failed, which is not sent again by itself. With --follow an event is printed once more whenever that has
changed, for a minute.

Examples:
  kiungo events tail --follow                                 see what partners are told, as it happens
  kiungo events tail --since 7d --kind link.removed           which links ended this week
  kiungo events tail --partner \"Duka Loans\" --since 2026-11-01T00:00:00Z";

const REPLAY: &str = "\
What is sent again has the id it had, so receivers know it again; what is still on its way is sent now. Without --endpoint
it goes to all endpoints that are enabled and want it; a named endpoint gets it whatever kinds it wants. A running server
does the work.

Examples:
  kiungo events replay 0c7c1c36-9d0e-8f2a-b5b5-7a0f5f0c2f11
  kiungo events replay --from 3h --to 1h --partner \"Duka Loans\"    after a receiver has lost two hours
  kiungo events replay --from 2026-11-01T00:00:00Z --to 2026-11-02T00:00:00Z --endpoint ID";

/// Which events.
#[derive(Debug, Args)]
pub(super) struct EventSelection {
    /// Only of this partner, by its name or id; of every partner when it is not given.
    #[arg(long, value_name = "PARTNER")]
    partner: Option<String>,
    /// Only of this kind, such as link.created.
    #[arg(long, value_name = "KIND", value_parser = parse_event_kind)]
    kind: Option<EventKind>,
}

/// What is sent args.
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// The event, by its id.
    #[arg(value_name = "EVENT", required_unless_present = "from", conflicts_with_all = ["from", "to", "kind"])]
    event: Option<String>,
    /// All that happened from then on: a time, or how long ago.
    #[arg(long, value_name = "WHEN", requires = "to")]
    from: Option<String>,
    /// All that happened before then: a time, or how long ago.
    #[arg(long, value_name = "WHEN", requires = "from")]
    to: Option<String>,
    /// Only to this endpoint, by its id.
    #[arg(long, value_name = "ENDPOINT")]
    endpoint: Option<String>,
    #[command(flatten)]
    which: EventSelection,
}

pub(super) fn run(command: EventsCommand, config: &Config, out: &mut dyn Write) -> Result<(), CommandError> {
    let now = SystemClock.now();
    commands::runtime()?.block_on(async {
        let records = commands::open_records(config).await?;
        match command {
            EventsCommand::Tail { which, since, follow } => {
                let since = parse_time(&since, now)?;
                let mut tail = Tail::new(records, which, since).await?;
                tail.poll(now, out).await?;
                if follow {
                    loop {
                        tokio::time::sleep(POLL_INTERVAL).await;
                        tail.poll(SystemClock.now(), out).await?;
                    }
                }
                Ok(())
            }
            EventsCommand::Replay(args) => replay(records.as_ref(), &args, now, out).await,
        }
    })
}

fn parse_event_kind(text: &str) -> Result<EventKind, String> {
    EventKind::parse(text).ok_or_else(|| format!("there are: {}", EventKind::ALL.map(EventKind::as_str).join(", ")))
}

/// Parses a time, or how long before `now`.
fn parse_time(text: &str, now: Timestamp) -> Result<Timestamp, CommandError> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(Timestamp::from_millis(at.timestamp_millis()));
    }
    let ago = || {
        let unit = match text.chars().last()? {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        let count: u64 = text.get(..text.len() - 1)?.parse().ok()?;
        Some(Duration::from_secs(count.checked_mul(unit)?))
    };
    let ago = ago().ok_or_else(|| CommandError::InvalidTime(text.to_owned()))?;
    Ok(now.minus(ago))
}

fn partner_reach(partner: PartnerId) -> TenantScope {
    TenantScope {
        partner,
        entity: None,
        own: None,
    }
}

impl EventSelection {
    async fn partners(&self, records: &dyn Records) -> Result<Vec<Partner>, CommandError> {
        let mut partners = records.partners().await?;
        if let Some(named) = &self.partner {
            partners.retain(|partner| partner.name == *named || partner.id.to_string() == *named);
            if partners.is_empty() {
                return Err(CommandError::PartnerNotFound(named.clone()));
            }
        }
        Ok(partners)
    }

    /// A partner's events of a time range, oldest first.
    async fn events(
        &self,
        records: &dyn Records,
        partner: PartnerId,
        span: TimeRange,
    ) -> RecordsResult<Vec<PartnerEvent>> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = records
                .events_within(&partner_reach(partner), span, after, PAGE_SIZE)
                .await?;
            let Some(last) = page.last() else {
                found.retain(|event: &PartnerEvent| self.kind.is_none_or(|kind| event.kind == kind));
                return Ok(found);
            };
            after = Some((last.at, last.id));
            found.extend(page);
        }
    }
}

struct Tail {
    records: Arc<dyn Records>,
    which: EventSelection,
    partners: Vec<Partner>,
    from: Timestamp,
    /// The printed progress of each event that may still change.
    printed: HashMap<EventId, (Timestamp, String)>,
}

impl Tail {
    async fn new(records: Arc<dyn Records>, which: EventSelection, from: Timestamp) -> Result<Self, CommandError> {
        let partners = which.partners(records.as_ref()).await?;
        Ok(Self {
            records,
            which,
            partners,
            from,
            printed: HashMap::new(),
        })
    }

    /// Prints events that are new or have changed.
    async fn poll(&mut self, now: Timestamp, out: &mut dyn Write) -> Result<(), CommandError> {
        let span = TimeRange {
            from: self.from,
            to: Timestamp::from_millis(i64::MAX),
        };
        let mut seen = Vec::new();
        for partner in &self.partners {
            let events = self.which.events(self.records.as_ref(), partner.id, span).await?;
            seen.extend(events.into_iter().map(|event| (event, partner)));
        }
        seen.sort_by_key(|(event, _)| (event.at, event.id));
        for (event, partner) in seen {
            let deliveries = self.records.deliveries(&partner_reach(event.partner), event.id).await?;
            let progress = progress(&deliveries);
            let before = self.printed.insert(event.id, (event.at, progress.clone()));
            if before.is_none_or(|(_, before)| before != progress) {
                print_event(&event, partner, &progress, out)?;
            }
        }
        self.from = self.from.max(now.minus(SETTLE_WINDOW));
        let from = self.from;
        self.printed.retain(|_, (at, _)| *at >= from);
        Ok(out.flush()?)
    }
}

fn print_event(
    event: &PartnerEvent,
    partner: &Partner,
    progress: &str,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let (at, id, kind) = (commands::format_time(event.at), event.id, event.kind.as_str());
    let (subject, sequence) = (uuid::Uuid::from_bytes(event.subject), event.sequence);
    let name = &partner.name;
    Ok(writeln!(
        out,
        "{at}  {id}  {kind:<22}  {subject} #{sequence}  {name}  {progress}"
    )?)
}

fn progress(deliveries: &[Delivery]) -> String {
    if deliveries.is_empty() {
        return "for no endpoint".to_owned();
    }
    let one = |delivery: &Delivery| {
        let state = match delivery.state {
            DeliveryState::Delivered => return "delivered".to_owned(),
            DeliveryState::Pending => "pending",
            DeliveryState::Failed => "failed",
        };
        match (&delivery.reason, delivery.status) {
            (Some(reason), Some(status)) => format!("{state} after {} tries ({reason} {status})", delivery.tries),
            (Some(reason), None) => format!("{state} after {} tries ({reason})", delivery.tries),
            (None, _) => state.to_owned(),
        }
    };
    deliveries.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// Replays the selected events, and prints how many.
async fn replay(
    records: &dyn Records,
    args: &ReplayArgs,
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let endpoint = args.endpoint.as_deref().map(|text| {
        let id = EndpointId::parse(text);
        id.map_err(|_| CommandError::InvalidEndpointId(text.to_owned()))
    });
    let endpoint = endpoint.transpose()?;
    let events = select_events(records, args, now).await?;
    let (mut webhooks, mut endpoints, mut to_nobody) = (0, HashSet::new(), 0);
    for event in &events {
        let audit = AuditEntry::new(event.partner, "event.replayed", event.id.to_string(), SystemClock.now());
        let reached = records
            .replay(&partner_reach(event.partner), event.id, endpoint, &audit)
            .await?;
        to_nobody += usize::from(reached.is_empty());
        webhooks += reached.len();
        endpoints.extend(reached);
    }
    let (events, endpoints) = (events.len() - to_nobody, endpoints.len());
    writeln!(
        out,
        "Sent once more: {webhooks} webhooks, of {events} events to {endpoints} endpoints."
    )?;
    if to_nobody > 0 {
        writeln!(out, "Left out: {to_nobody} events that no enabled endpoint is for.")?;
    }
    Ok(())
}

async fn select_events(
    records: &dyn Records,
    args: &ReplayArgs,
    now: Timestamp,
) -> Result<Vec<PartnerEvent>, CommandError> {
    let partners = args.which.partners(records).await?;
    let mut found = Vec::new();
    if let Some(text) = &args.event {
        let id = EventId::parse(text).map_err(|_| CommandError::InvalidEventId(text.clone()))?;
        for partner in &partners {
            found.extend(records.event(&partner_reach(partner.id), id).await?);
        }
        return if found.is_empty() {
            Err(CommandError::InvalidEventId(text.clone()))
        } else {
            Ok(found)
        };
    }
    let span = TimeRange {
        from: parse_time(args.from.as_deref().unwrap_or_default(), now)?,
        to: parse_time(args.to.as_deref().unwrap_or_default(), now)?,
    };
    for partner in &partners {
        found.extend(args.which.events(records, partner.id, span).await?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A time is given as such, or as how long ago.
    #[test]
    fn times_are_given_in_two_ways() {
        let now = Timestamp::from_millis(1_780_000_000_000);
        for (text, before) in [
            ("2026-05-28T20:26:40Z", 0),
            ("2026-05-28T21:26:39.500+01:00", 500),
            ("0s", 0),
            ("45s", 45_000),
            ("30m", 1_800_000),
            ("2h", 7_200_000),
            ("7d", 604_800_000),
        ] {
            assert_eq!(
                parse_time(text, now).ok().map(Timestamp::as_millis),
                Some(1_780_000_000_000 - before),
                "{text}"
            );
        }
        for text in [
            "",
            "h",
            "1",
            "-1h",
            "1w",
            "1.5h",
            "yesterday",
            "2026-05-28",
            "99999999999999999999d",
            "1\u{20ac}",
        ] {
            assert!(parse_time(text, now).is_err(), "{text}");
        }
    }
}
