//! Maps Mono's institutions, sessions and accounts to our types.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::MonoApiVersion;
use super::forms;
use super::lenient::{LenientNumber, LenientObject, LenientText, moment};
use super::wire;
use crate::core::next_step::{AccountChoice, Form};
use crate::core::secret::Secret;
use crate::core::time::Timestamp;
use crate::providers::{
    AccountDetails, AuthMethod, Institution, Journey, ProviderAccount, ProviderSession, SessionKind,
};

/// A longer login timeout of an institution is not believed.
const MAX_LOGIN_TIME: Duration = Duration::from_mins(10);

/// Each institution once. Mono's id is not unique, but its pair with the type is, so that pair is our id. Of one pair with
/// several names nobody can tell which bank a session would be opened at, so it is none of them.
pub fn institutions(list: Vec<wire::MonoInstitution>) -> Vec<Institution> {
    let mut all: Vec<Institution> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut ambiguous = HashSet::new();
    for institution in list.into_iter().filter_map(institution) {
        match places.get(&institution.id) {
            None => {
                places.insert(institution.id.clone(), all.len());
                all.push(institution);
            }
            Some(&place) if same_name(&all[place].name, &institution.name) => {}
            Some(_) => {
                ambiguous.insert(institution.id);
            }
        }
    }
    if !ambiguous.is_empty() {
        tracing::warn!(
            left_out = ambiguous.len(),
            "institutions of Mono's list share an id under different names"
        );
    }
    all.retain(|institution| !ambiguous.contains(&institution.id));
    all
}

fn same_name(one: &str, other: &str) -> bool {
    let letters = |name: &str| name.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    letters(one) == letters(other)
}

fn institution(from: wire::MonoInstitution) -> Option<Institution> {
    let LenientText(id) = from.id;
    if id.is_empty() || from.name.trim().is_empty() {
        return None;
    }
    let side = match from.kind.as_deref() {
        Some("PERSONAL_BANKING") | None => "p".to_owned(),
        Some("BUSINESS_BANKING") => "b".to_owned(),
        Some(other) => other.to_ascii_lowercase(),
    };
    let mut seen = HashSet::new();
    Some(Institution {
        business: side == "b",
        id: format!("{id}:{side}"),
        provider_id: id,
        name: from.name,
        country: from
            .country
            .filter(|code| code.len() == 2)
            .map(|code| code.to_ascii_uppercase()),
        methods: from
            .auth_methods
            .unwrap_or_default()
            .into_iter()
            .filter_map(auth_method)
            // A session names its method by type, so of two with the same type only the first can be meant.
            .filter(|method| seen.insert(method.id.clone()))
            .collect(),
        timeout: from
            .timeout
            .and_then(|LenientNumber(millis)| u64::try_from(millis).ok())
            .filter(|millis| *millis > 0)
            .map(|millis| Duration::from_millis(millis).min(MAX_LOGIN_TIME)),
    })
}

fn auth_method(from: Value) -> Option<AuthMethod> {
    let from = wire::MonoAuthMethod::deserialize(from)
        .ok()
        .filter(|it| !it.kind.is_empty())?;
    let form = from.ui.0.map_or_else(empty_form, forms::parse_form);
    Some(AuthMethod {
        name: from
            .name
            .filter(|name| !name.trim().is_empty())
            .unwrap_or_else(|| to_words(&from.kind)),
        id: from.kind,
        journey: Journey::Keypad,
        card_and_pin: forms::wants_card_and_pin(&form),
        form,
    })
}

fn empty_form() -> Form {
    Form {
        title: None,
        fields: Vec::new(),
    }
}

/// A session, if the reply has an id for one. A reauthorisation's `data.id` may be the account's, so it is not used.
pub fn session(reply: wire::SessionReply, kind: SessionKind) -> Option<ProviderSession> {
    let told_at = reply.timestamp.as_ref().and_then(moment);
    let data = reply.data.0;
    let (mut inner, mut other, mut form) = (None, None, reply.ui.0);
    if let Some(data) = data {
        form = data.ui.0.or(data.user_input.0).or(form);
        inner = data.session.0;
        other = data
            .session_id
            .or(reply.id)
            .or(data.id.filter(|_| kind == SessionKind::Link));
    } else {
        other = other.or(reply.id);
    }
    let (head_id, head_end) = inner.map_or((None, None), |head| {
        (head.id, head.expires_at.or(head.expires_at_alternative))
    });
    let LenientText(id) = head_id.or(other).filter(|LenientText(id)| !id.is_empty())?;
    Some(ProviderSession {
        id,
        expires_at: head_end
            .or(reply.expires_at)
            .map(|LenientNumber(end)| Timestamp::from_millis(end)),
        told_at,
        form: form.map(forms::parse_form),
        kind,
        chosen: Vec::new(),
    })
}

/// Begins the key of an account that is answered by its position in the list; no account number does.
const POSITION: char = '#';

/// The accounts to choose from, each with what this API version answers with: the number in v2, the index in v1. Where no
/// row has that, it is the position in the list; where only some have, the others cannot be meant. The balance is not read.
///
/// A row that says the same again stands once; of different rows with one key none is left, for nobody knows which of them
/// Mono would link. None at all if nobody could tell the accounts apart: one that is picked blindly is not picked.
pub fn account_choices(rows: &[Value], dialect: MonoApiVersion) -> Vec<AccountChoice> {
    let documented = |row: &Value| match dialect {
        MonoApiVersion::V2 => account_number(row),
        MonoApiVersion::V1 => text_of(row, &["index"]),
    };
    let by_position = rows.iter().all(|row| documented(row).is_none());
    let choice = |(position, row): (usize, &Value)| {
        let number = account_number(row);
        let kind = text_of(row, &["type", "account_type"]);
        let key = match documented(row) {
            Some(key) => key,
            None if !by_position || (number.is_none() && kind.is_none()) => return None,
            None if dialect == MonoApiVersion::V1 => position.to_string(),
            None => format!("{POSITION}{position}"),
        };
        let number = number.unwrap_or_default();
        let choice = AccountChoice {
            key,
            masked: last_digits(&number),
            label: account_label(&kind.unwrap_or_default()),
            currency: text_of(row, &["currency"]),
        };
        Some((choice, number))
    };
    let choices = with_unique_keys(rows.iter().enumerate().filter_map(choice).collect());
    let mut seen = HashSet::new();
    let told_apart = choices
        .iter()
        .all(|account| !account.masked.is_empty() || seen.insert(account.label.as_str()));
    if told_apart { choices } else { Vec::new() }
}

/// Those whose key is theirs alone, each once; beside each is its whole number.
fn with_unique_keys(rows: Vec<(AccountChoice, String)>) -> Vec<AccountChoice> {
    let mut unique: Vec<(AccountChoice, String)> = Vec::new();
    let mut ambiguous = HashSet::new();
    for row in rows {
        match unique.iter().find(|(known, _)| known.key == row.0.key) {
            None => unique.push(row),
            Some(known) if *known == row => {}
            Some(_) => {
                ambiguous.insert(row.0.key);
            }
        }
    }
    if !ambiguous.is_empty() {
        tracing::warn!(
            left_out = ambiguous.len(),
            "accounts that Mono lists under one key are left out"
        );
    }
    let choices = unique.into_iter().map(|(choice, _)| choice);
    choices.filter(|choice| !ambiguous.contains(&choice.key)).collect()
}

/// The position that a key of [`account_choices`] stands for, if it stands for one.
pub fn position_of(key: &str) -> Option<&str> {
    key.strip_prefix(POSITION)
}

/// The full number: a member of its row, or the row itself.
fn account_number(row: &Value) -> Option<String> {
    let bare = row
        .as_str()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let bare = bare.filter(|text| !text.is_empty()).map(str::to_owned);
    bare.or_else(|| text_of(row, &["accountNumber", "account_number"]))
}

/// The first of these members that is text, or a whole number.
fn text_of(row: &Value, names: &[&str]) -> Option<String> {
    let texts = names
        .iter()
        .filter_map(|name| LenientText::deserialize(row.get(name)?).ok());
    texts.map(|LenientText(text)| text).find(|text| !text.is_empty())
}

/// The last four characters of an account number; two if it is so short that four would be most of it.
fn last_digits(number: &str) -> String {
    let shown = if number.chars().count() < 8 { 2 } else { 4 };
    let skipped = number.chars().count().saturating_sub(shown);
    number.chars().skip(skipped).collect()
}

/// `SAVINGS_ACCOUNT` and `SAVINGS ACCOUNT - INDIVIDUAL` are both "Savings".
fn account_label(kind: &str) -> String {
    let word = kind
        .split(|c: char| !c.is_alphanumeric())
        .find(|word| !word.is_empty() && !word.eq_ignore_ascii_case("account"));
    let label: String = to_words(word.unwrap_or("account")).chars().take(16).collect();
    label
}

/// `internet_banking` as "Internet banking".
fn to_words(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let rest = letters.as_str().to_lowercase().replace(['_', '-'], " ");
    first + &rest
}

pub fn account(reply: wire::AccountReply, asked: &Secret) -> Option<ProviderAccount> {
    let (account, meta, customer) = match reply.data.0 {
        Some(wire::AccountReplyData {
            account: LenientObject(Some(account)),
            meta,
            customer,
        }) => (account, meta, customer.0.and_then(|customer| customer.id)),
        _ => (reply.account.0?, reply.meta, None),
    };
    let mut read = listed_account(account).unwrap_or_else(|account| ProviderAccount {
        id: Secret::new(asked.expose()),
        session_id: None,
        person: None,
        link: None,
        details: account_details(*account),
    });
    read.session_id = session_id(meta).or(read.session_id);
    read.person = customer.filter(|id| !id.expose().is_empty());
    Some(read)
}

/// One account of a list; returned as the error if it has no id.
pub fn listed_account(mut account: wire::MonoAccount) -> Result<ProviderAccount, Box<wire::MonoAccount>> {
    let id = account.id.take().or(account.mongo_id.take());
    let Some(id) = id.filter(|id| !id.expose().is_empty()) else {
        return Err(Box::new(account));
    };
    Ok(ProviderAccount {
        id,
        session_id: session_id(std::mem::take(&mut account.meta)),
        person: None,
        link: None,
        details: account_details(account),
    })
}

fn session_id(meta: LenientObject<wire::AccountMeta>) -> Option<String> {
    meta.0?.session_id.map(|LenientText(id)| id).filter(|id| !id.is_empty())
}

fn account_details(account: wire::MonoAccount) -> Option<AccountDetails> {
    let number = account
        .number
        .or(account.number_alternative)
        .filter(|number| !number.expose().is_empty())?;
    Some(AccountDetails {
        number,
        holder: account.name.filter(|name| !name.expose().trim().is_empty()),
        kind: account.kind,
        currency: account.currency,
        institution: account.institution.0.and_then(|it| it.name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Account types become one short word, in every style seen.
    #[test]
    fn account_types_fold_to_a_word() {
        for (kind, want) in [
            ("SAVINGS_ACCOUNT", "Savings"),
            ("SAVINGS ACCOUNT - INDIVIDUAL", "Savings"),
            ("CURRENT_ACCOUNT", "Current"),
            ("current", "Current"),
            ("", "Account"),
            ("ACCOUNT", "Account"),
            ("  \n1 pay to 0800", "1"),
            ("ANEXCESSIVELYLONGTYPEOFACCOUNT", "Anexcessivelylon"),
        ] {
            assert_eq!(account_label(kind), want, "{kind}");
        }
    }

    /// A masked number shows four digits, or two of a short number.
    #[test]
    fn numbers_are_masked() {
        for (number, want) in [
            ("0009990001", "0001"),
            ("12345678", "5678"),
            ("1234567", "67"),
            ("1", "1"),
            ("", ""),
            ("ééééééé9", "ééé9"),
        ] {
            assert_eq!(last_digits(number), want, "{number}");
        }
    }
}
