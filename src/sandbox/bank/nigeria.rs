//! Institutions of Nigeria, for any provider there. The names are known; everything else is invented, to cover every kind of
//! form.
//!
//! The list has the faults of real ones on purpose: an id is shared by two entries, and a bank's code may be missing, shared
//! or not a number.

use super::institutions::{BankSpeed, ElementKind, FormElement, LoginMethod, StandInInstitution};

pub const USER: FormElement = FormElement::text("username", "Username");
const EMAIL: FormElement = FormElement::text("username", "Email Address");
const PHONE: FormElement = FormElement::text("username", "Phone Number");
pub const PASSWORD: FormElement = FormElement::secret("password", "Password", None);
const PIN: FormElement = FormElement::secret("pin", "4 Digit Transaction Pin", Some(4));
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
    LoginMethod::keypad("internet_banking", "Internet Banking", form)
}

const fn mobile(form: &'static [FormElement]) -> LoginMethod {
    LoginMethod::keypad("mobile_banking", "Mobile Banking", form)
}

const PLAIN: &[LoginMethod] = &[internet(&[USER, PASSWORD])];
const BOTH: &[LoginMethod] = &[internet(&[USER, PASSWORD]), mobile(&[PHONE, PASSWORD])];
const WALLET: &[LoginMethod] = &[mobile(&[PHONE, FormElement::secret("pin", "6 Digit Pin", Some(6))])];

const fn institution(
    id: &'static str,
    name: &'static str,
    code: Option<&'static str>,
    nip: &'static str,
    methods: &'static [LoginMethod],
) -> StandInInstitution {
    StandInInstitution {
        code,
        nip,
        ..StandInInstitution::personal(id, name, methods)
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
            mobile(&[USER, FormElement::text("accountNo", "Account Number"), PIN]),
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
                FormElement::text("accountNumber", "Account Number"),
                FormElement::secret("password", "Password", Some(6)),
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
                    FormElement::secret("mPin", "Type your M-PIN", Some(5)),
                    FormElement::secret("card", "ATM Card Number", None),
                    FormElement::secret("pin", "ATM card PIN", Some(4)),
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
        &[mobile(&[EMAIL, FormElement::secret("pin", "6 Digit Pin", Some(6))])],
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
        &[internet(&[
            USER,
            FormElement::text("accountno", "Account Number"),
            PASSWORD,
        ])],
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
            internet(&[
                USER,
                PASSWORD,
                FormElement::secret("token", "Code on your hardware token", Some(6)),
            ]),
            mobile(&[FormElement::text("accountNo", "Account Number"), USER, PASSWORD]),
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
            &[LoginMethod::keypad(
                "primus_plus",
                "Primus Plus",
                &[FormElement::text("accessCode", "Access Code"), USER, PASSWORD],
            )],
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
