//! Numbers that people text to agree to something. A person's tries take turns.

use async_trait::async_trait;
use sqlx::{query, query_as, query_scalar};

use super::{Backend, Connection};
use crate::core::ids::PartnerId;
use crate::core::seal::SubscriberTag;
use crate::core::sms::MessageState;
use crate::core::time::Timestamp;
use crate::records::messages::StateColumns;
use crate::records::{RecordsError, Result, SmsProof, SmsProofLimit, SmsProofOutcome, SmsProofRecords};

#[async_trait]
impl SmsProofRecords for Backend {
    async fn sms_proofs_left(&self, partner: PartnerId, tag: &SubscriberTag, limit: SmsProofLimit) -> Result<u32> {
        let wrong = query_as(WRONG_PROOFS).bind(partner).bind(tag).bind(limit.since);
        let wrong: Option<(i64,)> = self.fetch(wrong).await?;
        Ok(proofs_left(limit, wrong.map_or(0, |(count,)| count)))
    }

    async fn try_sms_proof(
        &self,
        proof: &SmsProof<'_>,
        limit: SmsProofLimit,
        at: Timestamp,
    ) -> Result<SmsProofOutcome> {
        self.transaction_about(proof.tag.as_bytes(), async |tx| {
            let again = query("SELECT 1 FROM sms_wrong_proofs WHERE gateway = $1 AND gateway_id = $2");
            let again = again.bind(proof.gateway).bind(proof.gateway_id).fetch_optional(&mut *tx).await?;
            let wrong = query_scalar(WRONG_PROOFS).bind(proof.partner).bind(proof.tag).bind(limit.since);
            let left = proofs_left(limit, wrong.fetch_one(&mut *tx).await?);
            // What was wrong once is wrong, whatever has been asked since.
            if again.is_some() || left == 0 {
                return Ok(SmsProofOutcome { accepted: false, left });
            }
            if proof.right && question_may_be_known(tx, proof).await? {
                return Ok(SmsProofOutcome { accepted: true, left });
            }
            query(
                "INSERT INTO sms_wrong_proofs (gateway, gateway_id, partner, tag, tried_at) VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(proof.gateway)
            .bind(proof.gateway_id)
            .bind(proof.partner)
            .bind(proof.tag)
            .bind(at)
            .execute(tx)
            .await?;
            Ok(SmsProofOutcome {
                accepted: false,
                left: left - 1,
            })
        })
        .await
    }
}

const WRONG_PROOFS: &str = "SELECT COUNT(*) FROM sms_wrong_proofs WHERE partner = $1 AND tag = $2 AND tried_at > $3";

fn proofs_left(limit: SmsProofLimit, wrong: i64) -> u32 {
    limit.max.saturating_sub(u32::try_from(wrong).unwrap_or(u32::MAX))
}

/// Whether our message that asked for a number was handed to its gateway: one that was withheld, or is not sent yet, has shown
/// the number to nobody.
async fn question_may_be_known(tx: &mut Connection, proof: &SmsProof<'_>) -> Result<bool> {
    let message = query_as("SELECT state, reason FROM messages WHERE partner = $1 AND key = $2");
    let message: Option<StateColumns> = message
        .bind(proof.partner)
        .bind(proof.question)
        .fetch_optional(tx)
        .await?;
    let state =
        message.map(|columns| MessageState::try_from(columns).map_err(|error| RecordsError::new(error.to_string())));
    Ok(state.transpose()?.is_some_and(MessageState::may_be_read))
}
