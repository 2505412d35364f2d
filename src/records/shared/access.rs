//! Keys and tokens.

use async_trait::async_trait;
use sqlx::Row as _;

use super::audit::note;
use super::partners::put_partner;
use super::roles::permissions_of;
use super::{Backend, Row, fixed, maybe, within};
use crate::core::access::Caller;
use crate::core::api_key::ApiKeyKind;
use crate::core::ids::{EntityId, PartnerId, UserId};
use crate::core::time::Timestamp;
use crate::records::words::Word as _;
use crate::records::{AccessRecords, AccessToken, AuditEntry, Bearer, Partner, PartnerKey, RecordsError, Result, sql};

#[async_trait]
impl AccessRecords for Backend {
    async fn add_partner(&self, partner: &Partner, keys: &[PartnerKey], deed: &AuditEntry) -> Result<bool> {
        within(async {
            let mut transaction = self.write().await?;
            let added = put_partner(sql::access::ADD_PARTNER, partner);
            if added.execute(&mut *transaction).await?.rows_affected() == 0 {
                return Ok(false);
            }
            for key in keys {
                put(key).execute(&mut *transaction).await?;
            }
            note(&mut transaction, deed).await?;
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }

    async fn put_key(&self, key: &PartnerKey) -> Result<()> {
        within(async {
            put(key).execute(&self.writer).await?;
            Ok(())
        })
        .await
    }

    async fn rotate_key(&self, key: &PartnerKey, until: Timestamp, deed: &AuditEntry) -> Result<()> {
        within(async {
            // Of two rotations at once the later one sees what the earlier one has done.
            let mut transaction = self.write_about(&super::of_partner(key.partner)).await?;
            put(key).execute(&mut *transaction).await?;
            sqlx::query(sql::access::RETIRE_KEYS)
                .bind(&key.partner.as_bytes()[..])
                .bind(key.kind.word())
                .bind(&key.digest[..])
                .bind(key.created_at.as_millis())
                .bind(until.as_millis())
                .execute(&mut *transaction)
                .await?;
            if until <= key.created_at {
                sqlx::query(sql::access::REVOKE_TOKENS)
                    .bind(&key.partner.as_bytes()[..])
                    .bind(key.created_at.as_millis())
                    .execute(&mut *transaction)
                    .await?;
            }
            note(&mut transaction, deed).await?;
            Ok(transaction.commit().await?)
        })
        .await
    }

    async fn key(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<PartnerKey>> {
        within(async {
            let row = sqlx::query(sql::access::KEY)
                .bind(&digest[..])
                .bind(now.as_millis())
                .fetch_optional(&self.readers)
                .await?;
            row.as_ref().map(key_of).transpose()
        })
        .await
    }

    async fn keys(&self, partner: PartnerId) -> Result<Vec<PartnerKey>> {
        within(async {
            let rows = sqlx::query(sql::access::KEYS).bind(&partner.as_bytes()[..]);
            let rows = rows.fetch_all(&self.readers).await?;
            rows.iter().map(key_of).collect()
        })
        .await
    }

    async fn add_token(&self, token: &AccessToken, deed: &AuditEntry) -> Result<bool> {
        within(async {
            let mut transaction = self.write().await?;
            let added = sqlx::query(sql::access::ADD_TOKEN)
                .bind(&token.digest[..])
                .bind(&token.partner.as_bytes()[..])
                .bind(token.user.as_ref().map(|user| &user.as_bytes()[..]))
                .bind(token.created_at.as_millis())
                .bind(token.expires_at.as_millis())
                .execute(&mut *transaction)
                .await?;
            if added.rows_affected() == 0 {
                return Ok(false);
            }
            note(&mut transaction, deed).await?;
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }

    async fn bearer(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<Bearer>> {
        within(async {
            let row = sqlx::query(sql::access::BEARER)
                .bind(&digest[..])
                .bind(now.as_millis())
                .fetch_optional(&self.readers)
                .await?;
            row.as_ref().map(bearer_of).transpose()
        })
        .await
    }

    async fn revoke_token(&self, digest: &[u8; 32], deed: &AuditEntry) -> Result<()> {
        within(async {
            let mut transaction = self.write().await?;
            let ended = sqlx::query(sql::access::REVOKE_TOKEN)
                .bind(&deed.partner.as_bytes()[..])
                .bind(&digest[..])
                .bind(deed.at.as_millis())
                .execute(&mut *transaction)
                .await?;
            if ended.rows_affected() == 0 {
                return Ok(());
            }
            note(&mut transaction, deed).await?;
            Ok(transaction.commit().await?)
        })
        .await
    }

    async fn forget_tokens(&self, before: Timestamp, limit: u32) -> Result<u64> {
        within(async {
            let gone = sqlx::query(sql::access::FORGET_TOKENS)
                .bind(before.as_millis())
                .bind(i64::from(limit))
                .execute(&self.writer)
                .await?;
            Ok(gone.rows_affected())
        })
        .await
    }
}

fn put(key: &PartnerKey) -> super::Query<'_> {
    sqlx::query(sql::access::PUT_KEY)
        .bind(&key.digest[..])
        .bind(&key.partner.as_bytes()[..])
        .bind(key.kind.word())
        .bind(&key.hint)
        .bind(key.created_at.as_millis())
        .bind(key.until.map(Timestamp::as_millis))
}

fn key_of(row: &Row) -> Result<PartnerKey> {
    let until: Option<i64> = row.try_get("until")?;
    Ok(PartnerKey {
        digest: fixed(row, "digest")?,
        partner: PartnerId::from_bytes(fixed(row, "partner")?),
        kind: ApiKeyKind::read(row.try_get("kind")?)?,
        hint: row.try_get("hint")?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
        until: until.map(Timestamp::from_millis),
    })
}

fn bearer_of(row: &Row) -> Result<Bearer> {
    let partner = PartnerId::from_bytes(fixed(row, "partner")?);
    let caller = match maybe(row, "user_id", UserId::from_bytes)? {
        None => Caller::Partner(partner),
        Some(user) => Caller::User {
            partner,
            entity: maybe(row, "entity", EntityId::from_bytes)?
                .ok_or_else(|| RecordsError("a user without an entity".to_owned()))?,
            user,
            permissions: permissions_of(row.try_get("permissions")?)?,
        },
    };
    Ok(Bearer {
        caller,
        expires_at: Timestamp::from_millis(row.try_get("expires_at")?),
    })
}
