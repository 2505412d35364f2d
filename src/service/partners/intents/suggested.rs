//! What a link intent offers the person: the bank, the way to log in, a user name, an account number.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::core::flow::partial_answer::PartialAnswer;
use crate::core::flow::terms::Suggested;
use crate::core::ids::PartnerId;
use crate::core::secret::Secret;
use crate::records::LinkIntent;
use crate::service::partners::error::ApiError;
use crate::service::partners::linking_api::{LinkingApi, seal_failure};
use crate::service::partners::validation::Validation;
use crate::service::sealing::SealedIntent;

const MAX_USERNAME_CHARS: usize = 100;
const ACCOUNT_NUMBER_DIGITS: std::ops::RangeInclusive<usize> = 4..=34;

/// What the subscriber is offered, who may choose or type something else; at least one of these.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SuggestedLogin)]
pub struct NewSuggested {
    /// The institution to begin with: provider and id, such as `mono/6a5eed000000000000000001:p`.
    pub institution: Option<String>,
    /// The way to log in there to begin with, by its id at the provider, such as `mobile_banking`.
    pub auth_method: Option<String>,
    /// Under which name the institution knows the subscriber; 1 to 100 characters. It is shown masked, and only there, needs
    /// the `msisdn` of the subscriber, and is kept sealed until the intent is over.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100, format = "printed")]
    pub username: Option<Secret>,
    /// The number of the subscriber's account there; 4 to 34 digits. As `username`.
    #[schema(value_type = Option<String>, pattern = "^[0-9]{4,34}$")]
    pub account_number: Option<Secret>,
}

impl LinkingApi {
    /// Looks whether what is offered is there, and could be offered to one person only.
    pub(super) async fn validate_suggested(
        &self,
        partner: PartnerId,
        suggested: &NewSuggested,
        (only, for_one_person): (Option<&str>, bool),
        validation: &mut Validation,
    ) -> Result<(), ApiError> {
        let own = suggested.username.is_some() || suggested.account_number.is_some();
        if !own && suggested.institution.is_none() && suggested.auth_method.is_none() {
            let detail = "say institution, auth_method, username or account_number";
            validation.add("/suggested", "blank", detail);
        }
        if own && !for_one_person {
            validation.add("/msisdn", "required", "say whose user name or account number it is");
        }
        if let Some(name) = &suggested.username {
            validation.check_text("/suggested/username", name.expose(), MAX_USERNAME_CHARS);
        }
        check_account_number(
            "/suggested/account_number",
            suggested.account_number.as_ref(),
            validation,
        );
        if only.is_some() && suggested.institution.is_some() {
            validation.add("/suggested/institution", "unused", "only one institution may be linked");
        }
        let institution = match suggested.institution.as_deref().or(only) {
            Some(key) => self.listed_institution(partner, key).await?,
            None if suggested.auth_method.is_some() => {
                validation.add("/suggested/auth_method", "unused", "say at which institution, too");
                return Ok(());
            }
            None if own => {
                validation.add("/suggested/institution", "required", "say who knows them so");
                return Ok(());
            }
            None => return Ok(()),
        };
        let Some(institution) = institution else {
            if suggested.institution.is_some() {
                validation.add("/suggested/institution", "unknown", "no provider has this institution");
            }
            return Ok(());
        };
        if let Some(wanted) = &suggested.auth_method
            && !institution.methods.iter().any(|method| method.id == *wanted)
        {
            let ids: Vec<_> = institution.methods.iter().map(|method| method.id.as_str()).collect();
            let detail = format!("there are: {}", ids.join(", "));
            validation.add("/suggested/auth_method", "unknown", detail);
        }
        Ok(())
    }

    /// What is offered, sealed.
    pub(super) fn seal_suggested(&self, intent: SealedIntent, suggested: &NewSuggested) -> Result<Vec<u8>, ApiError> {
        let kept = |text: &Option<Secret>| text.as_ref().map(|text| PartialAnswer::new(text.expose()));
        let suggested = Suggested {
            institution: suggested.institution.clone(),
            auth_method: suggested.auth_method.clone(),
            username: kept(&suggested.username),
            account_number: kept(&suggested.account_number),
        };
        self.sealing.seal_suggested(intent, &suggested).map_err(seal_failure)
    }

    /// Which of them an intent offers. The values are never shown.
    pub(super) fn suggested_fields(&self, intent: &LinkIntent) -> Result<Vec<&'static str>, ApiError> {
        let Some(sealed) = &intent.suggested else {
            return Ok(Vec::new());
        };
        let suggested = self
            .sealing
            .open_suggested(intent.into(), sealed)
            .map_err(seal_failure)?;
        let fields = [
            ("institution", suggested.institution.is_some()),
            ("auth_method", suggested.auth_method.is_some()),
            ("username", suggested.username.is_some()),
            ("account_number", suggested.account_number.is_some()),
        ];
        Ok(fields
            .into_iter()
            .filter_map(|(name, given)| given.then_some(name))
            .collect())
    }
}

pub(super) fn check_account_number(pointer: &str, number: Option<&Secret>, validation: &mut Validation) {
    let Some(number) = number.map(Secret::expose) else {
        return;
    };
    if !ACCOUNT_NUMBER_DIGITS.contains(&number.len()) || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        let (from, to) = ACCOUNT_NUMBER_DIGITS.into_inner();
        validation.add(pointer, "invalid", format!("{from} to {to} digits"));
    }
}
