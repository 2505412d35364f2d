//! What `benches/turns.sh` compares with: the same web server with nothing of the product behind it.
//!
//! `bare-server ADDRESS` parses the form and answers with a constant screen; `bare-server ADDRESS REDIS-URL` also reads the
//! caller's value and writes a new one of the size of a dialog. Both do as little as a server can that answers a turn, so what
//! the product takes beyond the second is the price of what it does.

use std::error::Error;

use actix_web::web::{self, Bytes, Data, Form};
use actix_web::{App, HttpResponse, HttpServer};
use mimalloc::MiMalloc;
use redis::RedisError;
use redis::aio::MultiplexedConnection;
use serde::Deserialize;

/// The product's, without the wiping.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// What a dialog may take in the store, in bytes: the product is to come down to that.
const VALUE: usize = 1024;
/// In milliseconds, as the product's.
const TTL: u64 = 24 * 60 * 60 * 1000;
/// As long as most screens.
const SCREEN: &str = "CON Choose your bank, or type its name:\n1 GTBank\n2 Access Bank\n3 Zenith Bank\n4 UBA\n\
                      5 First Bank\n6 Kuda\n7 OPay\n8 Moniepoint\n9 More\n0 Back";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TurnForm {
    session_id: String,
    phone_number: String,
    network_code: String,
    service_code: String,
    text: String,
}

impl TurnForm {
    /// How much came in: read, so that nothing of the parsing can be left out.
    fn size(&self) -> usize {
        let fields = [
            &self.session_id,
            &self.phone_number,
            &self.network_code,
            &self.service_code,
            &self.text,
        ];
        fields.iter().map(|field| field.len()).sum()
    }
}

fn screen(form: &TurnForm) -> HttpResponse {
    if form.size() == 0 {
        return HttpResponse::BadRequest().finish();
    }
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body(SCREEN)
}

async fn constant(form: Form<TurnForm>) -> HttpResponse {
    screen(&form)
}

async fn stored(form: Form<TurnForm>, redis: Data<MultiplexedConnection>) -> HttpResponse {
    match swap(&form.phone_number, redis.as_ref().clone()).await {
        Ok(()) => screen(&form),
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

async fn swap(number: &str, mut redis: MultiplexedConnection) -> Result<(), RedisError> {
    let before: Option<Vec<u8>> = redis::cmd("GET").arg(number).query_async(&mut redis).await?;
    let mut value = before.unwrap_or_default();
    value.resize(VALUE, b'x');
    redis::cmd("SET")
        .arg(number)
        .arg(value)
        .arg("PX")
        .arg(TTL)
        .query_async(&mut redis)
        .await
}

async fn ready() -> Bytes {
    Bytes::from_static(b"ready")
}

async fn serve(address: String, redis: Option<String>) -> Result<(), Box<dyn Error>> {
    let client = redis.map(redis::Client::open).transpose()?;
    let server = HttpServer::new(move || {
        let app = App::new().route("/health/ready", web::get().to(ready));
        match client.clone() {
            None => app.default_service(web::post().to(constant)),
            Some(client) => app
                // On the worker itself, so that no command crosses threads.
                .data_factory(move || {
                    let client = client.clone();
                    async move { client.get_multiplexed_async_connection().await }
                })
                .default_service(web::post().to(stored)),
        }
    });
    let workers = std::thread::available_parallelism()?.get();
    server.workers(workers).bind(address)?.run().await?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("usage: bare-server ADDRESS [REDIS-URL]")?;
    actix_web::rt::System::new().block_on(serve(address, arguments.next()))
}
