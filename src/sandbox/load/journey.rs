//! What one person does, and what a good answer is.

use url::form_urlencoded::Serializer;

use crate::core::time::{Rng, Timestamp};
use crate::sandbox::phone::dialect::{AfricasTalkingDialect, PhoneDialect, PhoneDialog};
use crate::sandbox::phone::handset::Sim;

/// What is typed before each turn of the journey but the first, which only dials: agree, two pages on, two pages back.
const LINES: [&str; 5] = ["1", "9", "9", "0", "0"];
/// MTN Nigeria.
const NETWORK: &str = "62130";
/// As many as there are numbers of seven digits.
const NUMBERS: u32 = 10_000_000;
const OK: u16 = 200;

/// Why a turn was not answered well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TurnError {
    Connect,
    Lost,
    Timeout,
    Status(u16),
    NotConOrEnd,
    EarlyEnd,
}

impl TurnError {
    /// Its name in the report, as the help explains it.
    pub fn name(self) -> String {
        match self {
            Self::Connect => "connect".to_owned(),
            Self::Lost => "lost".to_owned(),
            Self::Timeout => "timeout".to_owned(),
            Self::Status(status) => format!("http_{status}"),
            Self::NotConOrEnd => "not_con_or_end".to_owned(),
            Self::EarlyEnd => "early_end".to_owned(),
        }
    }
}

/// A person's dialog, from its first turn on.
pub(super) struct Journey {
    dialog: PhoneDialog,
    turns: usize,
}

impl Journey {
    /// Of so many turns, in a new dialog.
    pub fn begin(person: u32, code: &str, turns: usize, rng: &dyn Rng) -> Self {
        let mut random = [0; 16];
        rng.fill(&mut random);
        let sim = Sim {
            number: format!("+234803{:07}", person % NUMBERS),
            network: NETWORK.to_owned(),
            code: code.to_owned(),
        };
        let dialog = PhoneDialog {
            sim,
            id: AfricasTalkingDialect.dialog_id(random),
            extension: String::new(),
            lines: Vec::with_capacity(LINES.len()),
            turns: 0,
            since: Timestamp::from_millis(0),
            last: String::new(),
        };
        Self { dialog, turns }
    }

    /// The form of a turn, counted from 0; they are taken in order.
    pub fn form(&mut self, turn: usize) -> String {
        if let Some(line) = turn.checked_sub(1).and_then(|typed| LINES.get(typed)) {
            self.dialog.lines.push((*line).to_owned());
        }
        let fields = AfricasTalkingDialect.turn(&self.dialog).form;
        Serializer::new(String::with_capacity(256))
            .extend_pairs(fields)
            .finish()
    }

    /// What is wrong with the answer to a turn.
    pub fn check(&self, turn: usize, status: u16, body: &[u8]) -> Result<(), TurnError> {
        if status != OK {
            return Err(TurnError::Status(status));
        }
        let text = std::str::from_utf8(body).map_err(|_| TurnError::NotConOrEnd)?;
        let reply = AfricasTalkingDialect.read(status, text);
        let reply = reply.map_err(|_| TurnError::NotConOrEnd)?;
        if reply.end && turn + 1 < self.turns {
            return Err(TurnError::EarlyEnd);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Zeros;

    impl Rng for Zeros {
        fn fill(&self, out: &mut [u8]) {
            out.fill(0);
        }
    }

    /// The forms are those that a gateway sends, with all that was typed so far: other bytes measure something else.
    #[test]
    fn each_turn_sends_what_was_typed_so_far() {
        let mut journey = Journey::begin(42, "*384*96#", 6, &Zeros);
        let texts: Vec<_> = (0..6).map(|turn| journey.form(turn)).collect();
        assert_eq!(
            texts[1],
            "sessionId=ATUid_00000000000000000000000000000000&phoneNumber=%2B2348030000042&networkCode=62130\
             &serviceCode=*384*96%23&text=1"
        );
        let typed: Vec<_> = texts.iter().filter_map(|form| form.split("text=").nth(1)).collect();
        assert_eq!(typed, ["", "1", "1*9", "1*9*9", "1*9*9*0", "1*9*9*0*0"]);
    }

    /// A server that sheds load answers at once, with an END: that is not taken for speed. The last turn may end.
    #[test]
    fn only_good_answers_pass() {
        let journey = Journey::begin(0, "*384*96#", 3, &Zeros);
        for (turn, status, body, want) in [
            (0, 200, "CON Hi", Ok(())),
            (1, 200, "END Busy", Err(TurnError::EarlyEnd)),
            (2, 200, "END Bye", Ok(())),
            (0, 503, "END Bye", Err(TurnError::Status(503))),
            (0, 200, "<html>", Err(TurnError::NotConOrEnd)),
            (0, 200, "CON ", Err(TurnError::NotConOrEnd)),
        ] {
            assert_eq!(journey.check(turn, status, body.as_bytes()), want, "{turn} {body}");
        }
        assert_eq!(journey.check(0, 200, b"\xff"), Err(TurnError::NotConOrEnd));
    }
}
