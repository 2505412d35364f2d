//! The institutions of the stand-in: names known in Nigeria; everything else is invented, to cover every kind of form.
//!
//! The list has the faults of the real one on purpose: the first version's top-level `ui` is generic and often
//! wrong, `_id` is shared by two entries, `bank_code` may be missing, shared or not a number, and the third version
//! has `nip_code` where the filter is called `bank_code`.

use serde_json::{Value, json};

use super::forms::{ElementKind, FormElement, ui};

/// How quickly a bank answers a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BankSpeed {
    /// As most do.
    Usual,
    /// Slower than a dialog can wait.
    Slow,
}

#[derive(Clone, Copy, Debug)]
pub struct LoginMethod {
    /// `internet_banking`, `mobile_banking` or a bank's own.
    pub id: &'static str,
    pub name: &'static str,
    pub form: &'static [FormElement],
}

#[derive(Clone, Copy, Debug)]
pub struct StandInInstitution {
    /// `_id`.
    pub id: &'static str,
    pub name: &'static str,
    pub business: bool,
    /// `bank_code`.
    pub code: Option<&'static str>,
    /// `nip_code`.
    pub nip: &'static str,
    pub pace: BankSpeed,
    pub methods: &'static [LoginMethod],
}

impl StandInInstitution {
    /// The institution's `type`.
    pub fn kind(&self) -> &'static str {
        if self.business {
            "BUSINESS_BANKING"
        } else {
            "PERSONAL_BANKING"
        }
    }

    /// The institution's `identifier`.
    pub fn identifier(&self) -> String {
        let slug: String = self
            .name
            .to_lowercase()
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '_' })
            .collect();
        format!("mono.connections.{slug}")
    }
}

const fn text(name: &'static str, hint: &'static str) -> FormElement {
    FormElement {
        name,
        hint,
        kind: ElementKind::Input("string"),
        max: None,
    }
}

const fn secret(name: &'static str, hint: &'static str, max: Option<usize>) -> FormElement {
    FormElement {
        name,
        hint,
        kind: ElementKind::Input("password"),
        max,
    }
}

const USER: FormElement = text("username", "Username");
const EMAIL: FormElement = text("username", "Email Address");
const PHONE: FormElement = text("username", "Phone Number");
const PASSWORD: FormElement = secret("password", "Password", None);
const PIN: FormElement = secret("pin", "4 Digit Transaction Pin", Some(4));
const CAPTCHA: FormElement = FormElement {
    name: "captcha",
    hint: "Enter the digits in the picture",
    kind: ElementKind::Picture,
    max: None,
};
const AUTH_TYPE: FormElement = FormElement {
    name: "authType",
    hint: "Log in with",
    kind: ElementKind::Switch(&[("PIN", 1, "Enter PIN"), ("Password", 2, "Enter password")]),
    max: None,
};

const fn internet(form: &'static [FormElement]) -> LoginMethod {
    LoginMethod {
        id: "internet_banking",
        name: "Internet Banking",
        form,
    }
}

const fn mobile(form: &'static [FormElement]) -> LoginMethod {
    LoginMethod {
        id: "mobile_banking",
        name: "Mobile Banking",
        form,
    }
}

const PLAIN: &[LoginMethod] = &[internet(&[USER, PASSWORD])];
const BOTH: &[LoginMethod] = &[internet(&[USER, PASSWORD]), mobile(&[PHONE, PASSWORD])];
const WALLET: &[LoginMethod] = &[mobile(&[PHONE, secret("pin", "6 Digit Pin", Some(6))])];

const fn institution(
    id: &'static str,
    name: &'static str,
    code: Option<&'static str>,
    nip: &'static str,
    methods: &'static [LoginMethod],
) -> StandInInstitution {
    StandInInstitution {
        id,
        name,
        business: false,
        code,
        nip,
        pace: BankSpeed::Usual,
        methods,
    }
}

/// Every entry of the list, in its order.
pub const INSTITUTIONS: &[StandInInstitution] = &[
    institution(
        "6a5eed000000000000000001",
        "Access Bank",
        Some("044"),
        "000014",
        &[
            internet(&[USER, PASSWORD]),
            mobile(&[USER, text("accountNo", "Account Number"), PIN]),
        ],
    ),
    StandInInstitution {
        pace: BankSpeed::Slow,
        ..institution("6a5eed000000000000000002", "GTBank", Some("058"), "000013", BOTH)
    },
    institution(
        "6a5eed000000000000000003",
        "Zenith Bank",
        Some("057"),
        "000015",
        &[
            internet(&[USER, PASSWORD]),
            mobile(&[
                text("accountNumber", "Account Number"),
                secret("password", "Password", Some(6)),
            ]),
        ],
    ),
    StandInInstitution {
        pace: BankSpeed::Slow,
        ..institution(
            "6a5eed000000000000000004",
            "First Bank",
            Some("011"),
            "000016",
            &[
                internet(&[USER, PASSWORD, CAPTCHA]),
                mobile(&[
                    secret("mPin", "Type your M-PIN", Some(5)),
                    secret("card", "ATM Card Number", None),
                    secret("pin", "ATM card PIN", Some(4)),
                ]),
            ],
        )
    },
    StandInInstitution {
        pace: BankSpeed::Slow,
        ..institution("6a5eed000000000000000005", "UBA", Some("033"), "000004", PLAIN)
    },
    institution(
        "6a5eed000000000000000006",
        "Kuda",
        Some("50211"),
        "090267",
        &[mobile(&[EMAIL, PASSWORD])],
    ),
    institution(
        "6a5eed000000000000000007",
        "OPay",
        None,
        "100004",
        &[mobile(&[EMAIL, secret("pin", "6 Digit Pin", Some(6))])],
    ),
    institution("6a5eed000000000000000008", "PalmPay", None, "100033", WALLET),
    institution("6a5eed000000000000000009", "Moniepoint", Some("50515"), "090405", PLAIN),
    StandInInstitution {
        business: true,
        ..institution("6a5eed000000000000000009", "Moniepoint", Some("50515"), "090405", PLAIN)
    },
    institution(
        "6a5eed00000000000000000b",
        "Sterling Bank",
        Some("232"),
        "000001",
        &[internet(&[USER, text("accountno", "Account Number"), PASSWORD])],
    ),
    institution("6a5eed00000000000000000c", "Wema Bank", Some("035"), "000017", PLAIN),
    institution(
        "6a5eed00000000000000000d",
        "ALAT by Wema",
        Some("035A"),
        "000017",
        &[mobile(&[EMAIL, PASSWORD])],
    ),
    institution("6a5eed00000000000000000e", "Fidelity Bank", Some("070"), "000007", BOTH),
    institution(
        "6a5eed00000000000000000f",
        "Stanbic IBTC Bank",
        Some("221"),
        "000012",
        &[internet(&[AUTH_TYPE, USER, PASSWORD])],
    ),
    StandInInstitution {
        pace: BankSpeed::Slow,
        ..institution("6a5eed000000000000000010", "Union Bank", Some("032"), "000018", PLAIN)
    },
    institution(
        "6a5eed000000000000000011",
        "Jaiz Bank",
        Some("301"),
        "000006",
        &[
            internet(&[USER, PASSWORD, secret("token", "Code on your hardware token", Some(6))]),
            mobile(&[text("accountNo", "Account Number"), USER, PASSWORD]),
        ],
    ),
    institution(
        "6a5eed000000000000000012",
        "Keystone Bank",
        Some("082"),
        "000002",
        &[internet(&[USER, PASSWORD, PIN])],
    ),
    institution(
        "6a5eed000000000000000013",
        "Providus Bank",
        Some("101"),
        "000023",
        PLAIN,
    ),
    institution("6a5eed000000000000000014", "FCMB", Some("214"), "000003", BOTH),
    institution("6a5eed000000000000000015", "Ecobank", Some("050"), "000010", BOTH),
    institution("6a5eed000000000000000016", "Polaris Bank", Some("076"), "000008", PLAIN),
    institution("6a5eed000000000000000017", "Unity Bank", Some("215"), "000011", PLAIN),
    institution(
        "6a5eed000000000000000018",
        "PiggyVest",
        None,
        "",
        &[internet(&[EMAIL, PASSWORD])],
    ),
    StandInInstitution {
        business: true,
        ..institution(
            "6a5eed000000000000000019",
            "Access Bank Business",
            Some("044"),
            "000014",
            &[LoginMethod {
                id: "primus_plus",
                name: "Primus Plus",
                form: &[text("accessCode", "Access Code"), USER, PASSWORD],
            }],
        )
    },
    StandInInstitution {
        business: true,
        ..institution(
            "6a5eed00000000000000001a",
            "Zenith Bank Business",
            Some("057"),
            "000015",
            PLAIN,
        )
    },
];

/// The heading of a bank's form.
pub fn heading(entry: &StandInInstitution) -> String {
    format!("Log in to {}", entry.name)
}

/// An entry as the third version writes it.
pub fn v3(entry: &StandInInstitution) -> Value {
    let methods: Vec<Value> = entry
        .methods
        .iter()
        .map(|method| json!({ "type": method.id, "ui": ui(&heading(entry), method.form) }))
        .collect();
    json!({ "_id": entry.id, "name": entry.name, "type": entry.kind(), "icon": icon(entry), "identifier": entry.identifier(),
        "nip_code": entry.nip, "country": "ng", "primary_color": "#004411",
        "scope": [{ "name": "Financial Data", "type": "financial_data" }], "auth_methods": methods })
}

/// An entry as the first version writes it, with the misleading generic `ui`.
pub fn v1(entry: &StandInInstitution) -> Value {
    let methods: Vec<Value> = entry
        .methods
        .iter()
        .map(|method| {
            json!({ "type": method.id, "name": method.name, "_id": format!("{}{}", &entry.id[..23], &method.id[..1]),
                "requires_reauth": method.id == "internet_banking", "ui": ui(&heading(entry), method.form) })
        })
        .collect();
    json!({ "_id": entry.id, "name": entry.name, "type": entry.kind(), "icon": icon(entry), "identifier": entry.identifier(),
        "primaryColor": "#004411", "country": "ng", "bank_code": entry.code,
        "timeout": if entry.pace == BankSpeed::Slow { 50_000 } else { 35_000 },
        "forgotPasswordLink": "https://example.invalid/forgot", "auth_methods": methods,
        "ui": ui(&heading(entry), &[USER, PASSWORD]),
        "products": ["Auth", "Accounts", "Transactions", "Balance", "Income", "Identity"] })
}

fn icon(entry: &StandInInstitution) -> String {
    format!("https://example.invalid/icons/{}.png", entry.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list must keep the traps that a client has to survive, otherwise tests of the client mean nothing.
    #[test]
    fn the_list_has_its_traps() {
        let elements = || {
            INSTITUTIONS
                .iter()
                .flat_map(|institution| institution.methods)
                .flat_map(|method| method.form)
        };
        assert!(elements().any(|element| matches!(element.kind, ElementKind::Picture)));
        assert!(elements().any(|element| matches!(element.kind, ElementKind::Switch(_))));
        assert!(elements().any(|element| element.max == Some(4)));
        assert!(INSTITUTIONS.iter().any(|institution| institution.code.is_none()));
        assert!(
            INSTITUTIONS
                .iter()
                .any(|institution| institution.code.is_some_and(|code| code.ends_with('A')))
        );
        for name in ["accountNo", "accountno", "accountNumber"] {
            assert!(elements().any(|element| element.name == name), "{name}");
        }
        let shared = INSTITUTIONS
            .iter()
            .filter(|institution| institution.id == "6a5eed000000000000000009")
            .map(|institution| institution.business);
        assert_eq!(shared.collect::<Vec<_>>(), [false, true]);
    }

    /// `_id` and `type` together are the key of an entry.
    #[test]
    fn id_and_kind_are_unique() {
        let mut seen = std::collections::HashSet::new();
        for institution in INSTITUTIONS {
            assert!(
                seen.insert((institution.id, institution.business)),
                "{}",
                institution.name
            );
            assert_eq!(institution.id.len(), 24, "{}", institution.name);
        }
    }
}
