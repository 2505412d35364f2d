//! Who asks for what.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_with::apply;

use super::partial_answer::PartialAnswer;

use crate::core::defaults::is_default;
use crate::core::ids::{IntentId, LinkId, PartnerId};
use crate::core::messages::Locale;
use crate::core::purpose::Purpose;
use crate::core::scope::Scope;

/// A partner, as the menu names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerRef {
    pub id: PartnerId,
    pub name: String,
}

/// Who asks, for what, and for how long: what a person agrees to.
#[apply(
    Option => #[serde(default, skip_serializing_if = "is_default")],
    bool => #[serde(default, skip_serializing_if = "is_default")],
)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestTerms {
    pub partner: PartnerId,
    /// The partner's name.
    pub name: String,
    /// What it wants the data for.
    pub purpose: Purpose,
    /// For how many days; 0 where a consent holds that already, and nothing is to be agreed to under these terms.
    pub days: u16,
    pub scope: Scope,
    /// The intent that is answered; `None` for a person who came by themselves.
    pub intent: Option<IntentId>,
    /// Whether others may answer that intent, too, or the same person again.
    pub reusable: bool,
    /// The only institution, by our key for it; `None`: any.
    pub institution: Option<String>,
    /// The language to begin in, for somebody who has never been here.
    pub locale: Option<Locale>,
    /// The link to be logged in to again, if that is what is asked.
    pub renews: Option<LinkId>,
    /// Whether it is an account that was linked before, and is to be linked again.
    pub again: bool,
    /// What the person is offered, who may choose or type something else.
    #[serde(default, skip_serializing_if = "is_default")]
    pub suggested: Suggested,
    /// The telephone number of the partner that people can call for help.
    pub contact: Option<String>,
}

/// What a partner knows of somebody's bank. It spares the person screens and letters, and decides nothing.
#[apply(
    Option => #[serde(default, skip_serializing_if = "is_default")],
)]
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggested {
    /// The institution to begin with, by our key for it.
    pub institution: Option<String>,
    /// The way to log in there to begin with, by its provider's id.
    pub auth_method: Option<String>,
    /// Under which name the institution knows the person.
    pub username: Option<PartialAnswer>,
    pub account_number: Option<PartialAnswer>,
}

impl fmt::Debug for Suggested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suggested")
            .field("institution", &self.institution)
            .field("auth_method", &self.auth_method)
            .finish_non_exhaustive()
    }
}

impl RequestTerms {
    /// What a partner asks of everybody who dials the plain code: no more than that there is an account.
    pub fn open_offer(partner: PartnerRef, purpose: impl Into<Purpose>, days: u16) -> Self {
        Self {
            partner: partner.id,
            name: partner.name,
            purpose: purpose.into(),
            days,
            scope: Scope::default(),
            intent: None,
            reusable: true,
            institution: None,
            locale: None,
            renews: None,
            again: false,
            suggested: Suggested::default(),
            contact: None,
        }
    }

    /// Who asked for what was begun, where the consent holds what exactly was agreed to.
    pub fn already_agreed(partner: PartnerRef) -> Self {
        Self::open_offer(partner, "", 0)
    }

    /// Whether a consent to these is one to the others: who asks, for what, how long and which data, in the same request.
    pub(super) fn asks_the_same(&self, other: &Self) -> bool {
        let said = |terms: &Self| (terms.partner, terms.intent, terms.days, terms.renews);
        said(self) == said(other) && self.purpose == other.purpose && self.scope == other.scope
    }

    /// The key behind these terms in a list.
    pub(super) fn key(&self) -> String {
        let intent = self.intent.map(|intent| intent.to_string());
        intent.unwrap_or_else(|| self.partner.to_string())
    }
}

/// What the records know of a code that was dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialedCode {
    /// The code of an intent that can be answered.
    Request(Box<RequestTerms>),
    /// Nothing that this person can answer now.
    Unknown,
}
