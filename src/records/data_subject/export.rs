//! What a partner holds about a person. `$1` is the partner and `$2` the person's tag.

use sqlx::{query, query_as};

use super::links::{link_columns, links_of, select_links};
use super::messages::preference;
use super::{Connection, FromAnyRow};
use crate::core::ids::PartnerId;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::records::{Result, SubscriberData};

type Person<'a> = (PartnerId, &'a SubscriberTag);

/// Everything, out of one snapshot.
pub(super) async fn read_all(tx: &mut Connection, who: Person<'_>) -> Result<SubscriberData> {
    let links = query(select_links!(
        "(SELECT * FROM links WHERE partner = $1 AND tag = $2) l",
        "l.nth"
    ));
    let links = links.bind(who.0).bind(who.1).fetch_all(&mut *tx).await?;
    let pins = "SELECT kept_at FROM subscriber_pins WHERE partner = $1 AND tag = $2";
    let languages = "SELECT locale FROM subscriber_languages WHERE partner = $1 AND tag = $2";
    let consents = "SELECT * FROM consents WHERE partner = $1 AND tag = $2 ORDER BY agreed_at, id";
    let attempts = "SELECT * FROM attempts WHERE partner = $1 AND tag = $2 ORDER BY nth";
    let messages = "SELECT * FROM messages WHERE partner = $1 AND tag = $2 ORDER BY created_at, id";
    let intents = "SELECT * FROM link_intents WHERE partner = $1 AND tag = $2 ORDER BY created_at, id";
    let persons = "SELECT * FROM provider_persons WHERE partner = $1 AND tag = $2 ORDER BY provider";
    let tickets = "SELECT t.* FROM return_tickets t JOIN attempts a ON a.id = t.attempt \
         WHERE a.partner = $1 AND a.tag = $2 ORDER BY t.created_at, t.digest";
    Ok(SubscriberData {
        consents: rows(tx, consents, who).await?,
        attempts: rows(tx, attempts, who).await?,
        links: links_of(&links)?,
        messages: rows(tx, messages, who).await?,
        intents: rows(tx, intents, who).await?,
        provider_persons: rows(tx, persons, who).await?,
        tickets: rows(tx, tickets, who).await?,
        pin_kept_at: rows(tx, pins, who).await?.pop().map(|(at,): (Timestamp,)| at),
        language: rows(tx, languages, who).await?.pop().map(|(tag,): (String,)| tag),
        sms_preference: preference(who.0, who.1).fetch_optional(tx).await?,
    })
}

async fn rows<T: FromAnyRow>(tx: &mut Connection, statement: &'static str, who: Person<'_>) -> Result<Vec<T>> {
    Ok(query_as(statement).bind(who.0).bind(who.1).fetch_all(tx).await?)
}
