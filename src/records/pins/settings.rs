//! What a person has set for themselves: their own code, their language, and whether they are texted.

use sqlx::{Row as _, query};

use super::{Connection, Row};
use crate::core::ids::PartnerId;
use crate::core::messages::Locale;
use crate::core::pin::Pin;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::records::Result;
use crate::records::columns::Bytes;

/// The columns of all of it, in a statement that has joined `settings!()`.
macro_rules! settings_columns {
    () => {
        "o.digest, o.wrong, o.wrong_at, o.chosen_at, t.stopped, l.locale"
    };
}

/// One row, whatever there is, for the partner `$1` and the tag `$2`.
macro_rules! settings {
    () => {
        "(SELECT 1 AS one) AS subscriber \
         LEFT JOIN subscriber_pins o ON o.partner = $1 AND o.tag = $2 \
         LEFT JOIN sms_preferences t ON t.partner = $1 AND t.tag = $2 \
         LEFT JOIN subscriber_languages l ON l.partner = $1 AND l.tag = $2"
    };
}

pub(super) use {settings, settings_columns};

#[derive(Default)]
pub(super) struct SubscriberSettings {
    pub pin: Option<Pin>,
    pub texts_stopped: bool,
    /// One that is not spoken any more is none.
    pub language: Option<Locale>,
}

impl SubscriberSettings {
    /// From the [`settings_columns`] of a row.
    pub fn of(row: &Row) -> Result<Self> {
        let (digest, wrong): (Option<Bytes<32>>, Option<i64>) = (row.try_get("digest")?, row.try_get("wrong")?);
        let (wrong_at, chosen_at): (Option<Timestamp>, Option<Timestamp>) =
            (row.try_get("wrong_at")?, row.try_get("chosen_at")?);
        let (stopped, locale): (Option<bool>, Option<String>) = (row.try_get("stopped")?, row.try_get("locale")?);
        Ok(Self {
            pin: digest.map(|Bytes(digest)| Pin {
                digest,
                chosen_at: chosen_at.unwrap_or_default(),
                wrong_tries: wrong.map_or(0, |wrong| u8::try_from(wrong).unwrap_or(u8::MAX)),
                wrong_at: wrong_at.unwrap_or_default(),
            }),
            texts_stopped: stopped.unwrap_or_default(),
            language: locale.and_then(|tag| Locale::from_tag(&tag)),
        })
    }
}

/// All of it in one statement: every dial asks.
pub(super) async fn read_settings(
    tx: &mut Connection,
    partner: PartnerId,
    tag: &SubscriberTag,
) -> Result<SubscriberSettings> {
    let settings = query(concat!("SELECT ", settings_columns!(), " FROM ", settings!()));
    SubscriberSettings::of(&settings.bind(partner).bind(tag).fetch_one(tx).await?)
}
