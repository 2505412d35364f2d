//! What the phone page knows about its channel, served as `/phone/facts.json`.

use serde::Serialize;

use crate::gateways::UssdLimits;

/// What the page loads once, when it opens.
#[derive(Clone, Debug, Serialize)]
pub struct PhoneFacts {
    /// The code to dial, such as `*384*96#`.
    pub service_code: String,
    /// The path of the callback on this server, such as `/ussd/sandbox/sandbox`.
    pub callback_path: String,
    pub events_path: String,
    /// Limits for a network that is not in the list.
    pub limits: WireLimits,
    /// Networks to choose from; any other code can be typed.
    pub networks: Vec<PhoneNetwork>,
    /// Numbers to choose from; any other can be typed.
    pub numbers: Vec<TestNumber>,
    /// The magic words.
    pub credentials: Vec<LoginHint>,
}

/// Deadlines and sizes, in milliseconds, septets and characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WireLimits {
    /// How long the gateway waits for one answer, in milliseconds.
    pub turn_ms: u64,
    /// How long a dialog may last, in milliseconds.
    pub dialog_ms: u64,
    /// How long a person may take for one answer, in milliseconds.
    pub idle_ms: u64,
    /// GSM 7-bit septets of the longest answer, including the dialect's prefix.
    pub out_septets: u16,
    /// Characters of the longest line a person can type.
    pub in_chars: u16,
}

#[derive(Clone, Debug, Serialize)]
pub struct PhoneNetwork {
    /// Its code as the gateway sends it (mobile country code and network code).
    pub code: &'static str,
    pub name: &'static str,
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    pub limits: WireLimits,
}

/// A number that belongs to nobody.
#[derive(Clone, Debug, Serialize)]
pub struct TestNumber {
    /// E.164 with `+`.
    pub number: &'static str,
    pub network: &'static str,
    /// An invented person.
    pub whose: &'static str,
}

/// A bank login of the sandbox.
#[derive(Clone, Debug, Serialize)]
pub struct LoginHint {
    pub typed: String,
    /// The bank or sign-in method it belongs to.
    pub path: String,
    /// What the bank does, in a few words.
    pub what_happens: String,
}

/// Code, name and country. Africa's Talking sends these codes.
const NETWORKS: [(&str, &str, &str); 8] = [
    ("62130", "MTN", "NG"),
    ("62120", "Airtel", "NG"),
    ("62150", "Glo", "NG"),
    ("62160", "9mobile", "NG"),
    ("63902", "Safaricom", "KE"),
    ("63903", "Airtel", "KE"),
    ("63907", "Telkom", "KE"),
    ("63999", "Equitel", "KE"),
];

const NUMBERS: [TestNumber; 6] = [
    TestNumber {
        number: "+2348030000001",
        network: "62130",
        whose: "Ada, trader",
    },
    TestNumber {
        number: "+2348020000002",
        network: "62120",
        whose: "Musa, driver",
    },
    TestNumber {
        number: "+2348050000003",
        network: "62150",
        whose: "Ngozi, tailor",
    },
    TestNumber {
        number: "+2348090000004",
        network: "62160",
        whose: "Tunde, student",
    },
    TestNumber {
        number: "+254711000001",
        network: "63902",
        whose: "Wanjiku, farmer",
    },
    TestNumber {
        number: "+254733000002",
        network: "63903",
        whose: "Otieno, mechanic",
    },
];

impl From<UssdLimits> for WireLimits {
    fn from(limits: UssdLimits) -> Self {
        let ms = |d: std::time::Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        Self {
            turn_ms: ms(limits.turn),
            dialog_ms: ms(limits.dialog),
            idle_ms: ms(limits.idle),
            out_septets: limits.out_septets,
            in_chars: limits.in_chars,
        }
    }
}

impl PhoneFacts {
    /// The facts of the channel at `callback_path` with the code `service_code`; `limits` returns the limits of a network by
    /// its code.
    pub fn new(
        service_code: &str,
        callback_path: &str,
        credentials: Vec<LoginHint>,
        limits: impl Fn(Option<&str>) -> UssdLimits,
    ) -> Self {
        let networks = NETWORKS
            .into_iter()
            .map(|(code, name, country)| PhoneNetwork {
                code,
                name,
                country,
                limits: limits(Some(code)).into(),
            })
            .collect();
        Self {
            service_code: service_code.to_owned(),
            callback_path: callback_path.to_owned(),
            events_path: format!("{callback_path}/events"),
            limits: limits(None).into(),
            networks,
            numbers: NUMBERS.to_vec(),
            credentials,
        }
    }
}
