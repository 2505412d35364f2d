//! Logins and commits: what a bank answers, in Mono's response codes.

use serde_json::json;

use super::answer::{ResponseStyle, session_over};
use super::forms::{question, ui};
use super::switches::AnswerDetails;
use super::{MonoDialect, MonoMemory, MonoVersion};
use crate::sandbox::bank::answer::StandInAnswer;
use crate::sandbox::bank::{Bank, BankStep, CallRequest, Challenge, Dialect, RefusalReason};

impl Bank<MonoDialect> {
    /// Carries a login or commit out.
    pub(super) fn log_in(
        &self,
        memory: &mut MonoMemory,
        owner: usize,
        request: &CallRequest<MonoDialect>,
    ) -> StandInAnswer {
        let session = MonoDialect::session_id(memory, request).and_then(|id| memory.sessions.get(&id));
        let style = ResponseStyle {
            version: request.version,
            nested: request.version == MonoVersion::V2 && session.is_some_and(|session| session.reauth_of.is_some()),
            sparse: memory.switches.own.details == AnswerDetails::Sparse,
            uncoded: memory.switches.own.uncoded_failures,
            now: self.now(),
        };
        let http = memory.switches.own.failure_status;
        match self.submit(memory, owner, request) {
            BankStep::NoSession => session_over(memory),
            BankStep::BadFields => style.refused(http, "Invalid or missing fields"),
            BankStep::Refused(reason) => style.refused(http, message(reason)),
            BankStep::WrongCode => style.refused(http, "Invalid OTP Sent"),
            BankStep::Ask(challenge) => prompt(style, challenge),
            BankStep::Choose(accounts) => style.choose(&accounts, memory.switches.own.first_index),
            BankStep::Granted { code, .. } => style.granted(&code),
            // Mono sends nobody to a bank for approval, so the last two do not come.
            BankStep::Strange | BankStep::Approve(_) | BankStep::NotApproved(_) => {
                style.coded(103, "Continue", json!({}))
            }
        }
    }
}

fn prompt(style: ResponseStyle, challenge: Challenge) -> StandInAnswer {
    let (says, title, hint) = match challenge {
        Challenge::Question => ("Answer required", "Security question", "What was your first pet?"),
        Challenge::Picture => ("Picture required", "Prove that you are human", "Digits in the picture"),
        _ => ("OTP required", "Please input OTP sent to you", "Do not share this code"),
    };
    let field = MonoDialect::answer_field(challenge, style.version);
    let element = question(field, hint, challenge == Challenge::Picture);
    style.prompt(says, ui(title, &[element]))
}

/// The texts that Mono's widget shows to end users; those of the API are unpublished.
fn message(refusal: RefusalReason) -> &'static str {
    match refusal {
        RefusalReason::Wrong => "Username or password incorrect",
        RefusalReason::Down => "Couldn't connect to your institution",
        RefusalReason::Locked => "Action required with your account",
    }
}
