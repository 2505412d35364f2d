//! What the phone page asks this server for: `GET /phone/texts.json?msisdn=` returns an inbox, a list of
//! `{"id", "from", "text", "at"}` (milliseconds since the Unix epoch), oldest first; `POST /phone/texts` with
//! `{"msisdn", "text"}` sends an SMS to the sandbox's short code.

use std::sync::Arc;

use actix_web::web::{self, Data, ServiceConfig};

use super::routes;
use super::state::SmsState;

pub fn configure(config: &mut ServiceConfig, state: Arc<SmsState>) {
    let state = Data::from(state);
    config
        .service(
            web::resource("/phone/texts.json")
                .app_data(state.clone())
                .get(routes::inbox),
        )
        .service(web::resource("/phone/texts").app_data(state).post(routes::send_sms));
}
