//! A request that a partner makes: what it may say, and what becomes of it.

use std::time::Duration;

use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::super::{ApiError, RequestContext, Validation};
use super::{LinkingApi, seal_failure};
use crate::core::access::AccessDenied;
use crate::core::dial_code::DialCode;
use crate::core::expected_account::ExpectedAccount;
use crate::core::flow::recovery::dial_string;
use crate::core::ids::IntentId;
use crate::core::messages::Locale;
use crate::core::msisdn::Msisdn;
use crate::core::scope::{Data, Scope};
use crate::core::secret::Secret;
use crate::core::time::Timestamp;
use crate::records::{IntentState, LinkIntent, Partner, QueuedSms, SmsKind, WriteOutcome};
use crate::service::sealing::SealedIntent;
use crate::service::sms::{OutgoingMessage, SmsOutboxError};
use crate::service::turn::sms::service_code_for;

/// As long as a phone's screen can show it beside the rest of the consent.
const MAX_PURPOSE_CHARS: usize = 40;
/// Days that people can be asked for.
const CONSENT_DAYS: std::ops::RangeInclusive<u64> = 1..=730;
/// Characters of a reference.
const MAX_REFERENCE_CHARS: usize = 255;
/// Characters of a holder's name.
const MAX_HOLDER_CHARS: usize = 100;
/// Digits of an account number.
const ACCOUNT_NUMBER_DIGITS: std::ops::RangeInclusive<usize> = 4..=34;
/// Seconds that a request stands: a minute to 90 days; without a word a week.
const EXPIRY_SECONDS: std::ops::RangeInclusive<u64> = 60..=90 * 24 * 60 * 60;
const DEFAULT_EXPIRY_SECONDS: u64 = 7 * 24 * 60 * 60;
/// For how long it is worth telling somebody of a request.
const SMS_VALIDITY: Duration = Duration::from_hours(6);
/// Codes that are drawn before we say that there is none. With a million requests open, one in a hundred is taken.
const MAX_CODE_TRIES: usize = 16;

/// A request to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewLinkIntent)]
pub struct NewIntent {
    /// What the data are for, as people see it in the consent; 1 to 40 characters. Without it, what the partner's is.
    #[schema(min_length = 1, max_length = 40, format = "printed")]
    pub purpose: Option<String>,
    /// Which data: `account`, `balance`, `transactions`, `identity`. Without it, the account.
    #[schema(min_items = 1)]
    pub data_scope: Option<Vec<Data>>,
    /// For how many days people agree, 1 to 730. Without it, as the partner's settings say.
    #[schema(minimum = 1, maximum = 730)]
    pub days: Option<u16>,
    /// For how many seconds it can be begun: 60 to 7,776,000 (90 days). Without it, 7 days.
    #[schema(minimum = 60, maximum = 7_776_000, default = 604_800)]
    pub expires_in: Option<u64>,
    /// Your own name for it; 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255, format = "printed")]
    pub reference: Option<String>,
    /// The only number that may use it, in E.164 with its plus. No code is needed then.
    #[schema(value_type = Option<String>, pattern = "^\\+[1-9][0-9]{7,14}$", example = "+2348031234567")]
    pub msisdn: Option<Secret>,
    /// The only institution that may be linked: provider and id, such as `mono/6a5eed000000000000000001:p`.
    pub institution: Option<String>,
    /// The language to begin in, for somebody who has not chosen one: a BCP 47 tag.
    pub locale: Option<String>,
    /// Whether more than one person may use it.
    #[serde(default)]
    pub many: bool,
    /// What the linked account must turn out to be.
    pub expected: Option<NewExpected>,
    /// Whether to tell the number by text.
    #[serde(default)]
    pub sms: bool,
}

/// What the linked account must turn out to be: one of these or both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExpectedAccount)]
pub struct NewExpected {
    /// Its number; 4 to 34 digits.
    #[schema(value_type = Option<String>, pattern = "^[0-9]{4,34}$")]
    pub account_number: Option<Secret>,
    /// Its holder's name; 1 to 100 characters. Case, accents, order and initials make no difference.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100, format = "printed")]
    pub holder_name: Option<Secret>,
}

/// A request that may be made, as it was checked.
struct ValidatedIntent {
    scope: Scope,
    msisdn: Option<Msisdn>,
    locale: Option<Locale>,
}

impl LinkingApi {
    /// Makes a request. Says, too, whether its text is on its way: `None` where none was asked for.
    pub(super) async fn build_and_store(
        &self,
        asked: &RequestContext,
        new: NewIntent,
    ) -> Result<(LinkIntent, Option<&'static str>), ApiError> {
        let checked = self.validate(&new).await?;
        let partner = self.records.partner(asked.reach.partner).await?;
        let partner = partner.ok_or(ApiError::NotFound)?;
        let wants = checked.msisdn.as_ref().filter(|_| new.sms);
        let told = match wants {
            Some(msisdn) => Some(self.sms_state(&partner, msisdn).await?),
            None => None,
        };
        let intent = self.build_intent(asked, &partner, &new, &checked)?;
        let text = match wants.filter(|_| told == Some("queued")) {
            Some(msisdn) => Some(self.intent_sms(&partner, &intent, msisdn, checked.locale).await?),
            None => None,
        };
        Ok((self.store_intent(asked, intent, text.as_ref()).await?, told))
    }

    async fn validate(&self, new: &NewIntent) -> Result<ValidatedIntent, ApiError> {
        let mut faults = Validation::default();
        faults.check_optional_text("/purpose", new.purpose.as_ref(), MAX_PURPOSE_CHARS);
        faults.check_range("/days", new.days.map(u64::from), CONSENT_DAYS);
        faults.check_range("/expires_in", new.expires_in, EXPIRY_SECONDS);
        faults.check_optional_text("/reference", new.reference.as_ref(), MAX_REFERENCE_CHARS);
        let scope = match &new.data_scope {
            Some(data) => Scope::of(data.iter().copied()),
            None => Some(Scope::default()),
        };
        if scope.is_none() {
            faults.add("/data_scope", "blank", "name at least one kind of data");
        }
        let msisdn = new.msisdn.as_ref().map(|raw| Msisdn::parse(raw.expose(), ""));
        if matches!(msisdn, Some(Err(_))) {
            faults.add("/msisdn", "invalid", "say a mobile number in E.164, with its plus");
        }
        let locale = new.locale.as_deref().map(Locale::from_tag);
        if locale == Some(None) {
            let tags = Locale::ALL.map(Locale::tag).join(", ");
            faults.add("/locale", "unknown", format!("there are: {tags}"));
        }
        if let Some(institution) = &new.institution
            && !self.institution_exists(institution).await?
        {
            faults.add("/institution", "unknown", "no provider has this institution");
        }
        self.validate_combinations(new, &mut faults);
        validate_expected(new.expected.as_ref(), &mut faults);
        faults.finish()?;
        Ok(ValidatedIntent {
            scope: scope.unwrap_or_default(),
            msisdn: msisdn.and_then(Result::ok),
            locale: locale.flatten(),
        })
    }

    /// What does not go together.
    fn validate_combinations(&self, new: &NewIntent, faults: &mut Validation) {
        if new.many && new.msisdn.is_some() {
            faults.add("/many", "unused", "a number is one person's");
        }
        if new.many && new.expected.is_some() {
            faults.add("/many", "unused", "an account that is expected is one account");
        }
        if new.sms && new.msisdn.is_none() {
            faults.add("/sms", "unused", "say which number is to be told, too");
        } else if new.sms && !self.outbox.is_available() {
            faults.add("/sms", "no_gateway", "no SMS gateway is set up here: leave it out");
        }
    }

    /// Whether there is an institution with this key.
    async fn institution_exists(&self, key: &str) -> Result<bool, ApiError> {
        let Some((provider, id)) = key.split_once('/') else {
            return Ok(false);
        };
        let catalogue = &self.turns.catalogue;
        if let Some(channel) = self.turns.channels.first() {
            // Right after a start the lists are still being read.
            catalogue.wait_for_offers(&channel.country).await;
        }
        if catalogue.is_unread(provider) {
            return Err(ApiError::Unavailable);
        }
        Ok(catalogue.institution(provider, id).is_some())
    }

    fn build_intent(
        &self,
        asked: &RequestContext,
        partner: &Partner,
        new: &NewIntent,
        checked: &ValidatedIntent,
    ) -> Result<LinkIntent, ApiError> {
        let (id, now) = (IntentId::generate(asked.rng.as_ref()), self.now());
        let request = SealedIntent {
            partner: partner.id,
            id,
        };
        let msisdn = checked.msisdn.as_ref();
        let sealed = msisdn.map(|msisdn| self.sealing.seal_intent_msisdn(request, msisdn));
        let expected = new.expected.as_ref().map(|expected| {
            let text = |secret: &Option<Secret>| secret.as_ref().map(|it| Zeroizing::new(it.expose().to_owned()));
            let expected = ExpectedAccount {
                account_number: text(&expected.account_number),
                holder_name: text(&expected.holder_name),
            };
            self.sealing.seal_expected(request, &expected)
        });
        let stands = Duration::from_secs(new.expires_in.unwrap_or(DEFAULT_EXPIRY_SECONDS));
        let purpose = new.purpose.as_deref().unwrap_or(&partner.purpose);
        Ok(LinkIntent {
            id,
            partner: partner.id,
            entity: asked.reach.entity,
            created_by: asked.caller.user(),
            state: IntentState::Open,
            purpose: purpose.trim().to_owned(),
            days: new.days.unwrap_or(partner.days),
            scope: checked.scope.clone(),
            reference: new.reference.clone(),
            tag: msisdn.map(|msisdn| self.sealing.keyring.tag(msisdn)),
            msisdn: sealed.transpose().map_err(seal_failure)?,
            code_digest: None,
            code: None,
            institution: new.institution.clone(),
            locale: checked.locale.map(|locale| locale.tag().to_owned()),
            many: new.many,
            expected: expected.transpose().map_err(seal_failure)?,
            renews: None,
            links: 0,
            created_at: now,
            moved_at: now,
            expires_at: now.plus(stands),
        })
    }

    /// Writes a request down. One for whoever has the code is given one that no other has.
    pub(super) async fn store_intent(
        &self,
        asked: &RequestContext,
        mut intent: LinkIntent,
        text: Option<&QueuedSms>,
    ) -> Result<LinkIntent, ApiError> {
        let deed = asked.audit_entry("intent.created", intent.id, intent.created_at);
        for _ in 0..MAX_CODE_TRIES {
            if intent.tag.is_none() {
                let code = DialCode::generate(asked.rng.as_ref());
                let request = SealedIntent::from(&intent);
                intent.code_digest = Some(self.sealing.code_digest(code));
                intent.code = Some(self.sealing.seal_intent_code(request, code).map_err(seal_failure)?);
            }
            match self.records.add_intent(&intent, text, &deed).await? {
                WriteOutcome::Done(kept) => return Ok(kept),
                WriteOutcome::NoEntity => return Err(ApiError::Forbidden(AccessDenied::Entity)),
                _ => {}
            }
        }
        tracing::error!("no code is free for a partner's request");
        Err(ApiError::Unavailable)
    }

    /// Whether a text may be written to this number: `queued`, or `stopped` where the person wants none.
    async fn sms_state(&self, partner: &Partner, msisdn: &Msisdn) -> Result<&'static str, ApiError> {
        let tag = self.sealing.keyring.tag(msisdn);
        // A STOP is said to the number that texts come from, whoever it was on whose behalf they came.
        for from in [partner.id, self.outbox.partner()] {
            if self
                .records
                .sms_preference(from, &tag)
                .await?
                .is_some_and(|wish| wish.stopped)
            {
                return Ok("stopped");
            }
        }
        Ok("queued")
    }

    /// The text that tells of a request.
    async fn intent_sms(
        &self,
        partner: &Partner,
        intent: &LinkIntent,
        msisdn: &Msisdn,
        locale: Option<Locale>,
    ) -> Result<QueuedSms, ApiError> {
        let locale = self.turns.locale(msisdn).await.or(locale).unwrap_or_default();
        let dial = service_code_for(&self.turns.channels, msisdn.country().unwrap_or_default());
        let text = self.turns.flow.invitation_sms(locale, &partner.name, dial);
        let note = OutgoingMessage {
            to: msisdn,
            kind: SmsKind::Request,
            key: format!("intent:{}", intent.id),
            text: &text,
            route: None,
            valid_for: SMS_VALIDITY.min(intent.expires_at.since(intent.created_at)),
        };
        self.outbox.draft_for(partner.id, note).map_err(|error| match error {
            SmsOutboxError::Records(error) => error.into(),
            error => {
                tracing::error!(%error, "a request cannot be told by text");
                ApiError::Unavailable
            }
        })
    }

    /// What is dialled for a request, while it can be.
    pub(super) fn dial_string_of(&self, intent: &LinkIntent, now: Timestamp) -> Result<Option<String>, ApiError> {
        if intent.state != IntentState::Open || intent.expires_at <= now {
            return Ok(None);
        }
        let msisdn = self.open_number(intent)?;
        let country = msisdn.as_ref().and_then(Msisdn::country).unwrap_or_default();
        let service_code = service_code_for(&self.turns.channels, country);
        let Some(code) = &intent.code else {
            return Ok(Some(service_code.to_owned()));
        };
        let code = self
            .sealing
            .open_intent_code(intent.into(), code)
            .map_err(seal_failure)?;
        Ok(Some(dial_string(service_code, code)))
    }

    /// The number that a request is for.
    pub(super) fn open_number(&self, intent: &LinkIntent) -> Result<Option<Msisdn>, ApiError> {
        let sealed = intent.msisdn.as_deref();
        let number = sealed.map(|sealed| self.sealing.open_intent_msisdn(intent.into(), sealed));
        number.transpose().map_err(seal_failure)
    }
}

fn validate_expected(expected: Option<&NewExpected>, faults: &mut Validation) {
    let Some(expected) = expected else { return };
    if expected.account_number.is_none() && expected.holder_name.is_none() {
        faults.add("/expected", "blank", "say account_number, holder_name or both");
    }
    if let Some(number) = &expected.account_number {
        let number = number.expose();
        if !ACCOUNT_NUMBER_DIGITS.contains(&number.len()) || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            let detail = format!(
                "{} to {} digits",
                ACCOUNT_NUMBER_DIGITS.start(),
                ACCOUNT_NUMBER_DIGITS.end()
            );
            faults.add("/expected/account_number", "invalid", detail);
        }
    }
    if let Some(name) = &expected.holder_name {
        faults.check_text("/expected/holder_name", name.expose(), MAX_HOLDER_CHARS);
    }
}
