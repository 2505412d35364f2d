//! The customers of the banks. A customer's name and accounts are computed from the institution and the user name alone, so
//! the same person sees the same accounts on every try and after every restart.

use sha2::{Digest, Sha256};

use super::institutions::StandInInstitution;

/// A bank account as the bank knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankAccount {
    pub number: String,
    pub holder: String,
    /// `SAVINGS_ACCOUNT` or `CURRENT_ACCOUNT`.
    pub kind: &'static str,
    /// ISO 4217 code.
    pub currency: &'static str,
    /// In kobo.
    pub balance: u64,
}

pub const ACCOUNTS: usize = 3;

const FIRST: [&str; 8] = ["ADA", "BOLA", "CHIDI", "EMEKA", "FATIMA", "HALIMA", "NGOZI", "TUNDE"];
const LAST: [&str; 8] = [
    "ABUBAKAR", "ADEYEMI", "BELLO", "EZE", "IBRAHIM", "OKAFOR", "OKONKWO", "SALAMI",
];

/// The accounts of the person with this user name at this bank.
pub fn accounts(institution: &StandInInstitution, username: &str) -> Vec<BankAccount> {
    let person = digest(&[institution.id, username]);
    let holder = format!(
        "{} {}",
        FIRST[usize::from(person[0]) % 8],
        LAST[usize::from(person[1]) % 8]
    );
    (0..ACCOUNTS)
        .map(|index| {
            let seed = digest(&[institution.id, username, &index.to_string()]);
            let mut eight = [0; 8];
            eight.copy_from_slice(&seed[..8]);
            let draw = u64::from_le_bytes(eight);
            BankAccount {
                number: format!("{:010}", draw % 10_000_000_000),
                holder: holder.clone(),
                kind: if index == 1 {
                    "CURRENT_ACCOUNT"
                } else {
                    "SAVINGS_ACCOUNT"
                },
                currency: if index == 2 { "USD" } else { "NGN" },
                balance: u64::from(seed[9]) * 10_007,
            }
        })
        .collect()
}

/// SHA-256 in lower-case hexadecimal, as secrets appear in the call log.
pub fn sha256_hex(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            hex.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
            hex.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
            hex
        })
}

fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update([u8::try_from(part.len()).unwrap_or(u8::MAX)]);
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}
