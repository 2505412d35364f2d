//! Invented: what is not request and answer. Its API takes a screen at `/screens`, subscriptions at `/subscriptions` and
//! pushes at `/pushes`; over a kept connection every line is a form, and is answered by lines and an empty one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kiungo::core::msisdn::Msisdn;
use kiungo::gateways::ussd_carrier::{
    BoundTurns, CarrierAbilities, CarrierError, PushMode, Subscription, SubscriptionCommand, UssdCarrier,
};
use kiungo::gateways::{Echo, RawRequest, UssdGateway, UssdReply};
use kiungo::http_client::{HttpClient, OutboundRequest};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::ussd::InventedUssd;

/// Between two tries at a connection.
const PAUSE: Duration = Duration::from_millis(10);

impl InventedUssd {
    async fn call(
        &self,
        http: &HttpClient,
        path: &str,
        fields: &[(&'static str, String)],
    ) -> Result<String, CarrierError> {
        let base = self.setup.own.plain("api_url").ok_or(CarrierError::NotPossible)?;
        let url = Url::parse(&format!("{base}/{path}")).map_err(|_| CarrierError::NotPossible)?;
        let request = OutboundRequest::post(url).form(&fields.to_vec());
        let answer = http
            .send(request)
            .await
            .map_err(|_| CarrierError::Failed("no answer"))?;
        match answer.status {
            200 => String::from_utf8(answer.body.to_vec()).map_err(|_| CarrierError::Failed("not text")),
            400..=499 => Err(CarrierError::Refused("by status")),
            _ => Err(CarrierError::Failed("by status")),
        }
    }

    /// Serves one connection, which nobody else has.
    async fn serve(&self, turns: &dyn BoundTurns, stop: &CancellationToken, stream: TcpStream) -> std::io::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        loop {
            let line = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                line = lines.next_line() => line?,
            };
            let Some(line) = line else { return Ok(()) };
            let token = self.setup.own.secret("token").map_or("", |token| token.expose());
            let request = self.parse(&RawRequest {
                method: "POST",
                tail: "",
                query: b"",
                headers: &[("x-token".to_owned(), token.as_bytes().to_vec())],
                body: line.as_bytes(),
                country: &self.setup.channel.country,
            });
            let Ok(request) = request else { continue };
            if let Some(reply) = turns.answer(request).await {
                write.write_all(&reply.body).await?;
                write.write_all(b"\n\n").await?;
            }
        }
    }
}

#[async_trait]
impl UssdCarrier for InventedUssd {
    fn abilities(&self) -> CarrierAbilities {
        CarrierAbilities {
            delivers: self.mode() == "deliver",
            binds: self.mode() == "bind",
            subscribes: true,
            push: Some(PushMode::FirstScreen),
        }
    }

    async fn deliver(&self, http: &HttpClient, reply: &UssdReply<'_>, to: &Echo) -> Result<(), CarrierError> {
        let address = to.get("ref").ok_or(CarrierError::Refused("no address"))?;
        let screen = String::from_utf8_lossy(&self.render(reply, to).body).into_owned();
        let fields = [("to", address.to_owned()), ("screen", screen)];
        self.call(http, "screens", &fields).await.map(drop)
    }

    async fn run(&self, turns: Arc<dyn BoundTurns>, stop: CancellationToken) {
        let base = self.setup.own.plain("api_url").unwrap_or_default();
        let address = base.trim_start_matches("http://").to_owned();
        while !stop.is_cancelled() {
            if let Ok(stream) = TcpStream::connect(&address).await {
                // Whatever breaks it, a new one is made.
                let _ = self.serve(turns.as_ref(), &stop, stream).await;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    async fn subscriptions(
        &self,
        http: &HttpClient,
        command: SubscriptionCommand<'_>,
    ) -> Result<Vec<Subscription>, CarrierError> {
        let callback = self.setup.channel.callback.as_ref().map_or("", |url| url.expose());
        let fields = match command {
            SubscriptionCommand::List => vec![("do", "list".to_owned())],
            SubscriptionCommand::Subscribe => vec![("do", "add".to_owned()), ("url", callback.to_owned())],
            SubscriptionCommand::Unsubscribe(id) => vec![("do", "remove".to_owned()), ("id", id.to_owned())],
        };
        let answer = self.call(http, "subscriptions", &fields).await?;
        let service_code = self.setup.channel.service_code.clone();
        let subscription = |id: &str| Subscription {
            id: id.to_owned(),
            service_code: service_code.clone(),
        };
        Ok(answer.lines().map(subscription).collect())
    }

    async fn push(
        &self,
        http: &HttpClient,
        to: &Msisdn,
        first: Option<(&str, &UssdReply<'_>)>,
    ) -> Result<(), CarrierError> {
        let (dialog, reply) = first.ok_or(CarrierError::NotPossible)?;
        let screen = self.render(reply, &Echo::default().with("session", dialog));
        let fields = [
            ("session", dialog.to_owned()),
            ("msisdn", to.as_str().to_owned()),
            ("screen", String::from_utf8_lossy(&screen.body).into_owned()),
        ];
        self.call(http, "pushes", &fields).await.map(drop)
    }
}
