//! What belongs to a person at a partner at one provider.

use async_trait::async_trait;
use sqlx::{query, query_as};

use super::{Backend, Query, Select};
use crate::core::ids::{NodeId, PartnerId, ProviderPersonId};
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::records::columns::Bytes;
use crate::records::{ProviderPerson, ProviderPersonOutcome, ProviderPersonRecords, Result};

#[async_trait]
impl ProviderPersonRecords for Backend {
    async fn provider_person(
        &self,
        partner: PartnerId,
        provider: &str,
        tag: &SubscriberTag,
    ) -> Result<Option<ProviderPerson>> {
        self.fetch(of(partner, provider, tag)).await
    }

    async fn provider_person_by_handle(
        &self,
        partner: PartnerId,
        handle_digest: &[u8; 32],
    ) -> Result<Option<ProviderPerson>> {
        let newest = "SELECT * FROM provider_persons WHERE handle_digest = $1 AND partner = $2 \
             ORDER BY updated_at DESC, id LIMIT 1";
        self.fetch(query_as(newest).bind(&handle_digest[..]).bind(partner))
            .await
    }

    async fn put_provider_person(&self, person: &ProviderPerson) -> Result<ProviderPersonOutcome> {
        let ProviderPerson {
            partner, provider, tag, ..
        } = person;
        self.transaction(async |tx| {
            let written = put(person).execute(&mut *tx).await?.rows_affected() > 0;
            let current = of(*partner, provider, tag).fetch_optional(tx).await?;
            // What stands there as it was to be was written by a call that was cut off.
            Ok(if written || current.as_ref() == Some(person) {
                ProviderPersonOutcome::Written
            } else {
                ProviderPersonOutcome::Outdated(current)
            })
        })
        .await
    }

    async fn lease_provider_person(
        &self,
        id: ProviderPersonId,
        node: NodeId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<ProviderPerson>> {
        self.transaction(async |tx| {
            let leasing = query_as(
                "UPDATE provider_persons SET lease_node = $2, lease_until = $4 \
                 WHERE id = $1 AND (lease_until IS NULL OR lease_until <= $3) RETURNING *",
            );
            let leasing = leasing.bind(id).bind(node).bind(now).bind(until);
            Ok(leasing.fetch_optional(tx).await?)
        })
        .await
    }

    async fn delete_provider_person(&self, id: ProviderPersonId) -> Result<bool> {
        let deleting = query("DELETE FROM provider_persons WHERE id = $1").bind(id);
        Ok(self.execute(deleting).await? > 0)
    }
}

fn of<'q>(partner: PartnerId, provider: &'q str, tag: &'q SubscriberTag) -> Select<'q, ProviderPerson> {
    let person = query_as("SELECT * FROM provider_persons WHERE partner = $1 AND provider = $2 AND tag = $3");
    person.bind(partner).bind(provider).bind(tag)
}

/// Writes a version where the one before it stands.
fn put(person: &ProviderPerson) -> Query<'_> {
    let putting = if person.version == 1 {
        query(
            "INSERT INTO provider_persons (id, partner, provider, tag, handle_digest, access, version, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        )
    } else {
        query(
            "UPDATE provider_persons SET handle_digest = $5, access = $6, version = $7, updated_at = $8, \
             lease_node = NULL, lease_until = NULL \
             WHERE id = $1 AND partner = $2 AND provider = $3 AND tag = $4 AND version = $7 - 1",
        )
    };
    putting
        .bind(person.id)
        .bind(person.partner)
        .bind(&person.provider)
        .bind(person.tag)
        .bind(person.handle_digest.map(Bytes))
        .bind(&person.sealed)
        .bind(i64::from(person.version))
        .bind(person.updated_at)
}
