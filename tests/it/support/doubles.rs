//! A store that counts, and a gateway that is as plain as can be.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use kiungo::core::msisdn::Msisdn;
use kiungo::core::seal::SubscriberTag;
use kiungo::core::secret::Secret;
use kiungo::gateways::ussd_carrier::{CarrierAbilities, CarrierError, UssdCarrier};
use kiungo::gateways::{
    Caller, DialogEndNotice, Echo, ParseError, RawRequest, UssdCallback, UssdGateway, UssdInput, UssdLimits,
    UssdRefusal, UssdReply, UssdRequest, WireReply,
};
use kiungo::http_client::HttpClient;
use kiungo::store::{IndexKey, Store, StoreError, SwapResult, Version, VersionedValue};
use tokio::sync::mpsc::UnboundedSender;

/// A store that counts what it is asked.
pub struct CountingStore<S> {
    inner: S,
    /// Values read.
    pub loads: AtomicUsize,
    /// Values written.
    pub swaps: AtomicUsize,
    /// After this many writes it answers nothing any more.
    pub last_swap: AtomicUsize,
}

impl<S> CountingStore<S> {
    /// Counts what this store is asked.
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            loads: AtomicUsize::new(0),
            swaps: AtomicUsize::new(0),
            last_swap: AtomicUsize::new(usize::MAX),
        }
    }

    fn alive(&self) -> Result<(), StoreError> {
        if self.swaps.load(Ordering::SeqCst) >= self.last_swap.load(Ordering::SeqCst) {
            return Err(StoreError("timeout".to_owned()));
        }
        Ok(())
    }

    /// Loads and swaps since the last time.
    pub fn taken(&self) -> (usize, usize) {
        (
            self.loads.swap(0, Ordering::SeqCst),
            self.swaps.swap(0, Ordering::SeqCst),
        )
    }
}

#[async_trait]
impl<S: Store> Store for CountingStore<S> {
    async fn load(&self, tag: &SubscriberTag) -> Result<Option<VersionedValue>, StoreError> {
        self.alive()?;
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.inner.load(tag).await
    }

    async fn swap(
        &self,
        tag: &SubscriberTag,
        expected: Option<Version>,
        next: &VersionedValue,
        ttl: Duration,
    ) -> Result<SwapResult, StoreError> {
        self.alive()?;
        self.swaps.fetch_add(1, Ordering::SeqCst);
        self.inner.swap(tag, expected, next, ttl).await
    }

    async fn set_index(&self, name: &IndexKey, tag: &SubscriberTag, ttl: Duration) -> Result<(), StoreError> {
        self.inner.set_index(name, tag, ttl).await
    }

    async fn look_up(&self, name: &IndexKey) -> Result<Option<SubscriberTag>, StoreError> {
        self.inner.look_up(name).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.inner.ready().await
    }
}

/// A dialect that says what it means: `dialog number text`, the text being everything typed so far; a dialog that has
/// ended is told without a text.
pub struct PlainGateway {
    /// Where screens go when they do not travel in the answer.
    pub sink: Option<UnboundedSender<WireReply>>,
}

#[async_trait]
impl UssdCarrier for PlainGateway {
    fn abilities(&self) -> CarrierAbilities {
        CarrierAbilities {
            delivers: true,
            ..CarrierAbilities::default()
        }
    }

    /// Hands screens to the test.
    async fn deliver(&self, _: &HttpClient, reply: &UssdReply<'_>, to: &Echo) -> Result<(), CarrierError> {
        let sink = self.sink.as_ref().expect("a sink");
        sink.send(self.render(reply, to)).expect("the test listens");
        Ok(())
    }
}

impl UssdGateway for PlainGateway {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn carrier(&self) -> Option<&dyn UssdCarrier> {
        self.sink.as_ref().map(|_| self as &dyn UssdCarrier)
    }

    fn overhead(&self) -> u16 {
        4
    }

    fn limits(&self, _: Option<&str>) -> UssdLimits {
        UssdLimits {
            out_septets: 160,
            ..UssdLimits::default()
        }
    }

    fn parse(&self, request: &RawRequest<'_>) -> Result<UssdRequest, UssdRefusal> {
        let body = std::str::from_utf8(request.body).map_err(|_| ParseError::Encoding)?;
        let mut parts = body.splitn(3, ' ');
        let dialog = parts.next().ok_or(ParseError::Field("dialog"))?.to_owned();
        let number = parts.next().ok_or(ParseError::Field("number"))?;
        let msisdn = Msisdn::parse(number, request.country).map_err(|_| ParseError::Msisdn)?;
        let caller = Caller::Number(msisdn);
        let echo = Echo::default();
        let Some(text) = parts.next() else {
            return Ok(UssdRequest::DialogEnd(DialogEndNotice {
                dialog,
                caller,
                end: kiungo::gateways::DialogEnd::Abandoned,
                echo,
            }));
        };
        Ok(UssdRequest::Turn(UssdCallback {
            dialog,
            caller,
            network: None,
            service_code: None,
            input: if text.is_empty() {
                UssdInput::Dialed(Secret::new(text))
            } else {
                UssdInput::Cumulative(Secret::new(text))
            },
            turn_id: None,
            echo,
        }))
    }

    fn render(&self, reply: &UssdReply<'_>, _: &Echo) -> WireReply {
        let body = match reply {
            UssdReply::Continue { text, .. } => format!("CON {text}"),
            UssdReply::End { text } => format!("END {text}"),
            _ => "taken".to_owned(),
        };
        WireReply {
            status: 200,
            content_type: "text/plain",
            headers: Vec::new(),
            body: body.into_bytes(),
        }
    }
}
