//! Creates link intents.

use std::time::Duration;

use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::core::access::AccessDenied;
use crate::core::dial_code::DialCode;
use crate::core::expected_account::ExpectedAccount;
use crate::core::flow::recovery::dial_string;
use crate::core::ids::{IntentId, PartnerId};
use crate::core::linking::Institution;
use crate::core::messages::Locale;
use crate::core::msisdn::Msisdn;
use crate::core::purpose::Purpose;
use crate::core::scope::{Data, Scope};
use crate::core::secret::Secret;
use crate::core::time::Timestamp;
use crate::records::{IntentState, LinkIntent, Partner, QueuedSms, WriteOutcome};
use crate::service::partners::context::RequestContext;
use crate::service::partners::error::ApiError;
use crate::service::partners::intents::suggested::{NewSuggested, check_account_number};
use crate::service::partners::linking_api::{LinkingApi, seal_failure};
use crate::service::partners::purposes::NewPurpose;
use crate::service::partners::validation::{OtherBusinesses, Validation};
use crate::service::sealing::SealedIntent;
use crate::service::turn::sms::service_code_for;

const CONSENT_DAYS: std::ops::RangeInclusive<u64> = 1..=730;
const MAX_REFERENCE_CHARS: usize = 255;
const MAX_HOLDER_CHARS: usize = 100;
/// A minute to 90 days; by default a week.
const EXPIRY_SECONDS: std::ops::RangeInclusive<u64> = 60..=90 * 24 * 60 * 60;
const DEFAULT_EXPIRY_SECONDS: u64 = 7 * 24 * 60 * 60;
const TOO_MANY_OPEN: &str = "there are as many open link intents as there may be, of yours or for this number: cancel one, or wait for one to end";
/// How many codes are tried. With a million open intents, one code in a hundred is taken.
const MAX_CODE_TRIES: usize = 16;

/// A link intent to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewLinkIntent)]
pub struct NewIntent {
    /// What the data are used for, as quoted in the consent: a few words of 1 to 40 characters without `.`, `!`, `?`, `:` and
    /// `;`, without the name of another business, of a bank or of Kiungo, without a long number, and without a word for a PIN
    /// or a password; or such words for each language, by its BCP 47 tag. Stored as a phone shows it. By default the
    /// partner's purpose.
    pub purpose: Option<NewPurpose>,
    /// Which data: `account`, `balance`, `transactions`, `identity`. By default the account.
    #[schema(min_items = 1)]
    pub data_scope: Option<Vec<Data>>,
    /// For how many days subscribers consent, 1 to 730. By default as in the partner's settings.
    #[schema(minimum = 1, maximum = 730)]
    pub days: Option<u16>,
    /// For how many seconds it can be started: 60 to 7,776,000 (90 days). By default 7 days.
    #[schema(minimum = 60, maximum = 7_776_000, default = 604_800)]
    pub expires_in: Option<u64>,
    /// Your own name for it; 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255, format = "printed")]
    pub reference: Option<String>,
    /// The only number that may use it, in E.164 with the plus. Then no code is needed.
    #[schema(value_type = Option<String>, pattern = "^\\+[1-9][0-9]{7,14}$", example = "+2348031234567")]
    pub msisdn: Option<Secret>,
    /// The only institution that may be linked: provider and id, such as `mono/6a5eed000000000000000001:p`.
    pub institution: Option<String>,
    /// The initial language, for a subscriber who has not chosen one: a BCP 47 tag.
    pub locale: Option<String>,
    /// Whether more than one subscriber may use it.
    #[serde(default)]
    pub many: bool,
    /// What the linked account must match.
    pub expected: Option<NewExpected>,
    /// What the subscriber is offered.
    pub suggested: Option<NewSuggested>,
    /// Whether to invite the number by SMS.
    #[serde(default)]
    pub sms: bool,
}

/// What the linked account must match: one of these or both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExpectedAccount)]
pub struct NewExpected {
    /// Its number; 4 to 34 digits.
    #[schema(value_type = Option<String>, pattern = "^[0-9]{4,34}$")]
    pub account_number: Option<Secret>,
    /// Its holder's name; 1 to 100 characters. Case, accents, order and initials do not matter.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100, format = "printed")]
    pub holder_name: Option<Secret>,
}

/// The parsed fields of a valid request.
struct ValidatedIntent {
    /// As people will read it.
    purpose: Option<Purpose>,
    scope: Scope,
    msisdn: Option<Msisdn>,
    locale: Option<Locale>,
}

impl LinkingApi {
    /// Creates an intent. Also returns the state of its SMS: `None` if none was requested.
    pub(in crate::service::partners) async fn build_and_store(
        &self,
        context: &RequestContext,
        new: NewIntent,
    ) -> Result<(LinkIntent, Option<&'static str>), ApiError> {
        let validated = self.validate(context.scope.partner, &new).await?;
        let partner = self.records.partner(context.scope.partner).await?;
        let partner = partner.ok_or(ApiError::NotFound)?;
        let invitee = validated.msisdn.as_ref().filter(|_| new.sms);
        let sms_state = match invitee {
            Some(msisdn) => {
                let state = self.sms_state(&partner, msisdn).await?;
                if state == "queued" {
                    self.check_invitation(&partner, msisdn).await?;
                }
                Some(state)
            }
            None => None,
        };
        let intent = self.build_intent(context, &partner, &new, &validated)?;
        let sms = match invitee.filter(|_| sms_state == Some("queued")) {
            Some(msisdn) => Some(self.intent_sms(&partner, &intent, msisdn, validated.locale).await?),
            None => None,
        };
        Ok((self.store_intent(context, intent, sms.as_ref()).await?, sms_state))
    }

    async fn validate(&self, partner: PartnerId, new: &NewIntent) -> Result<ValidatedIntent, ApiError> {
        let mut validation = Validation::default();
        let others = match &new.purpose {
            Some(_) => OtherBusinesses::of(self.records.as_ref(), &self.turns.catalogue, partner).await?,
            None => OtherBusinesses::default(),
        };
        let purpose = validation.check_purpose("/purpose", new.purpose.as_ref(), &others);
        validation.check_range("/days", new.days.map(u64::from), CONSENT_DAYS);
        validation.check_range("/expires_in", new.expires_in, EXPIRY_SECONDS);
        validation.check_optional_text("/reference", new.reference.as_ref(), MAX_REFERENCE_CHARS);
        let scope = match &new.data_scope {
            Some(data) => Scope::of(data.iter().copied()),
            None => Some(Scope::default()),
        };
        if scope.is_none() {
            validation.add("/data_scope", "blank", "name at least one kind of data");
        }
        let msisdn = new.msisdn.as_ref().map(|raw| Msisdn::parse(raw.expose(), ""));
        if matches!(msisdn, Some(Err(_))) {
            validation.add("/msisdn", "invalid", "say a mobile number in E.164, with its plus");
        }
        let locale = new.locale.as_deref().map(Locale::from_tag);
        if locale == Some(None) {
            validation.add("/locale", "unknown", Validation::languages());
        }
        if let Some(institution) = &new.institution
            && self.listed_institution(partner, institution).await?.is_none()
        {
            validation.add("/institution", "unknown", "no provider has this institution");
        }
        if let Some(suggested) = &new.suggested {
            let only = new.institution.as_deref();
            self.validate_suggested(partner, suggested, (only, new.msisdn.is_some()), &mut validation)
                .await?;
        }
        self.validate_combinations(new, &mut validation);
        validate_expected(new.expected.as_ref(), &mut validation);
        validation.finish()?;
        Ok(ValidatedIntent {
            purpose,
            scope: scope.unwrap_or_default(),
            msisdn: msisdn.and_then(Result::ok),
            locale: locale.flatten(),
        })
    }

    fn validate_combinations(&self, new: &NewIntent, validation: &mut Validation) {
        if new.many && new.msisdn.is_some() {
            validation.add("/many", "unused", "a number is one person's");
        }
        if new.many && new.expected.is_some() {
            validation.add("/many", "unused", "an account that is expected is one account");
        }
        if new.sms && new.msisdn.is_none() {
            validation.add("/sms", "unused", "say which number to invite, too");
        } else if new.sms && !self.outbox.is_available() {
            validation.add("/sms", "no_gateway", "no SMS gateway is set up here: leave it out");
        }
    }

    /// The institution with this key, if there is one.
    pub(super) async fn listed_institution(
        &self,
        partner: PartnerId,
        key: &str,
    ) -> Result<Option<Institution>, ApiError> {
        let Some((provider, id)) = key.split_once('/') else {
            return Ok(None);
        };
        let catalogue = &self.turns.catalogue;
        // Right after a start the lists are still being loaded.
        catalogue.wait_for_list(partner, provider).await;
        if catalogue.is_unread(partner, provider) {
            return Err(ApiError::Unavailable);
        }
        Ok(catalogue.institution(partner, provider, id))
    }

    fn build_intent(
        &self,
        context: &RequestContext,
        partner: &Partner,
        new: &NewIntent,
        validated: &ValidatedIntent,
    ) -> Result<LinkIntent, ApiError> {
        let lifetime = Duration::from_secs(new.expires_in.unwrap_or(DEFAULT_EXPIRY_SECONDS));
        let intent = self.default_intent(context, partner, lifetime);
        let request = SealedIntent::from(&intent);
        let msisdn = validated.msisdn.as_ref();
        let sealed = msisdn.map(|msisdn| self.sealing.seal_intent_msisdn(request, msisdn));
        let expected = new.expected.as_ref().map(|expected| {
            let text = |secret: &Option<Secret>| secret.as_ref().map(|it| Zeroizing::new(it.expose().to_owned()));
            let expected = ExpectedAccount {
                account_number: text(&expected.account_number),
                holder_name: text(&expected.holder_name),
            };
            self.sealing.seal_expected(request, &expected)
        });
        let suggested = new.suggested.as_ref().map(|it| self.seal_suggested(request, it));
        Ok(LinkIntent {
            purpose: validated.purpose.clone().unwrap_or(intent.purpose),
            days: new.days.unwrap_or(intent.days),
            scope: validated.scope.clone(),
            reference: new.reference.clone(),
            tag: msisdn.map(|msisdn| self.sealing.keyring.tag(msisdn)),
            msisdn: sealed.transpose().map_err(seal_failure)?,
            institution: new.institution.clone(),
            locale: validated.locale.map(|locale| locale.tag().to_owned()),
            many: new.many,
            expected: expected.transpose().map_err(seal_failure)?,
            suggested: suggested.transpose()?,
            ..intent
        })
    }

    /// An open intent of this request that asks for nothing in particular.
    pub(in crate::service::partners) fn default_intent(
        &self,
        context: &RequestContext,
        partner: &Partner,
        lifetime: Duration,
    ) -> LinkIntent {
        let now = self.now();
        LinkIntent {
            id: IntentId::generate(context.rng.as_ref()),
            partner: partner.id,
            entity: context.scope.entity,
            created_by: context.caller.user(),
            state: IntentState::Open,
            purpose: partner.purpose.clone(),
            days: partner.days,
            scope: Scope::default(),
            reference: None,
            tag: None,
            msisdn: None,
            code_digest: None,
            code: None,
            institution: None,
            locale: None,
            many: false,
            expected: None,
            suggested: None,
            renews: None,
            links: 0,
            created_at: now,
            moved_at: now,
            expires_at: now.plus(lifetime),
        }
    }

    /// Stores an intent. If it is not for one number, it gets a code that no other open intent has.
    pub(in crate::service::partners) async fn store_intent(
        &self,
        context: &RequestContext,
        mut intent: LinkIntent,
        sms: Option<&QueuedSms>,
    ) -> Result<LinkIntent, ApiError> {
        let audit = context.audit_entry("intent.created", intent.id, intent.created_at);
        for _ in 0..MAX_CODE_TRIES {
            if intent.tag.is_none() {
                let code = DialCode::generate(context.rng.as_ref());
                let request = SealedIntent::from(&intent);
                intent.code_digest = Some(self.sealing.code_digest(code));
                intent.code = Some(self.sealing.seal_intent_code(request, code).map_err(seal_failure)?);
            }
            match self
                .records
                .add_intent(&intent, self.intent_limits, sms, &audit)
                .await?
            {
                WriteOutcome::Done(stored) => return Ok(stored),
                WriteOutcome::NoEntity => return Err(ApiError::Forbidden(AccessDenied::Entity)),
                WriteOutcome::TooMany => return Err(ApiError::Conflict(TOO_MANY_OPEN)),
                _ => {}
            }
        }
        tracing::error!("no free code for a link intent");
        Err(ApiError::Unavailable)
    }

    /// What to dial for an intent, while it can be started.
    pub(in crate::service::partners) fn dial_string_of(
        &self,
        intent: &LinkIntent,
        now: Timestamp,
    ) -> Result<Option<String>, ApiError> {
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

    /// The number that an intent is for.
    pub(in crate::service::partners) fn open_number(&self, intent: &LinkIntent) -> Result<Option<Msisdn>, ApiError> {
        let sealed = intent.msisdn.as_deref();
        let number = sealed.map(|sealed| self.sealing.open_intent_msisdn(intent.into(), sealed));
        number.transpose().map_err(seal_failure)
    }
}

fn validate_expected(expected: Option<&NewExpected>, validation: &mut Validation) {
    let Some(expected) = expected else { return };
    if expected.account_number.is_none() && expected.holder_name.is_none() {
        validation.add("/expected", "blank", "say account_number, holder_name or both");
    }
    check_account_number("/expected/account_number", expected.account_number.as_ref(), validation);
    if let Some(name) = &expected.holder_name {
        validation.check_text("/expected/holder_name", name.expose(), MAX_HOLDER_CHARS);
    }
}
