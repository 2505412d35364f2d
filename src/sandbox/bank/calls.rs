//! What happens to a call between its arrival and its answer, whatever it is about.

use std::time::Duration;

use super::Bank;
use super::call_log::{SubmitEntry, SubmitOutcome};
use super::dialect::{CallKind, CallRequest, Dialect};
use super::failures::{BankFailure, take_failure};
use super::institutions::{BankSpeed, StandInInstitution};
use super::linking::BankStep;
use super::login_rules::log_submission;
use super::memory::BankMemory;

/// What will happen to a call, decided when it has arrived.
#[derive(Clone, Copy, Debug)]
pub struct CallPlan {
    pub latency: Duration,
    pub trouble: Option<BankFailure>,
    /// Whether it is carried out.
    pub processed: bool,
    /// The seconds that a 429 carries.
    pub retry_after: Option<u64>,
}

impl<D: Dialect> Bank<D> {
    /// Adds an arrival to the call log; a submission gets a number.
    pub fn log_arrival(&self, request: &CallRequest<D>) -> Option<u64> {
        let mut memory = self.lock();
        *memory.call_log.calls.entry(request.call).or_default() += 1;
        if !request.call.is_submit() {
            return None;
        }
        let no = memory.call_log.submits.len() as u64 + 1;
        let session = request.session.as_ref().and_then(|id| memory.sessions.get(id));
        let submit = SubmitEntry {
            no,
            at: self.now().as_millis(),
            call: request.call,
            dialect: request.version,
            session: request.session.clone(),
            institution: session.map(|session| session.institution.id.to_owned()),
            username: None,
            secret_sha256: None,
            whole_body: false,
            outcome: None,
            trouble: None,
        };
        memory.call_log.submits.push(submit);
        Some(no)
    }

    /// Decides what will happen to a call whose whole body has been read; `owner` is the owner of its key, if it is accepted.
    pub fn plan(&self, request: &CallRequest<D>, owner: Option<usize>) -> CallPlan {
        let mut memory = self.lock();
        let fault = take_failure(&mut memory.switches.faults, request.call);
        let own = owner.and_then(|owner| self.expected_failure(&memory, owner, request));
        let there = institution_of(&memory, request).and_then(|institution| {
            let troubles = &memory.switches.troubles;
            troubles
                .get(institution.id)
                .or_else(|| troubles.get(institution.name))
                .copied()
        });
        let trouble = fault.map(|fault| fault.trouble).or(there).or(own);
        let processed = fault
            .and_then(|fault| fault.processed)
            .or(trouble.map(BankFailure::processed))
            .unwrap_or(true);
        let pace = request
            .session
            .as_ref()
            .and_then(|id| memory.sessions.get(id))
            .map_or(BankSpeed::Usual, |session| session.institution.pace);
        let delay = memory.switches.latency.delay(request.call.class(), pace);
        log_submission(&mut memory, request);
        if let Some(submit) = memory.call_log.submit_mut(request.no) {
            submit.whole_body = true;
            submit.trouble = trouble;
        }
        CallPlan {
            latency: delay.pick(&*self.core.rng),
            trouble,
            processed,
            retry_after: memory.switches.retry_after_s,
        }
    }

    /// Notes that a submission was rejected before anything was done.
    pub fn log_rejection(&self, no: Option<u64>) {
        if let Some(submit) = self.lock().call_log.submit_mut(no) {
            submit.outcome = Some(SubmitOutcome::TurnedAway);
        }
    }

    /// A call from its arrival to its answer, without a network: for a dialect that is called in process. It takes no time,
    /// so what is slow is only marked so in the call log. `run` carries it out.
    ///
    /// # Errors
    /// With the failure that the answer has; unless it says so ([`BankFailure::processed`]) nothing is done then.
    pub fn call<T>(
        &self,
        mut request: CallRequest<D>,
        run: impl FnOnce(&Self, &mut BankMemory<D>, &CallRequest<D>) -> T,
    ) -> Result<T, BankFailure> {
        request.no = self.log_arrival(&request);
        let plan = self.plan(&request, Some(0));
        let done = plan.processed.then(|| run(self, &mut self.lock(), &request));
        match (done, plan.trouble) {
            (Some(done), None | Some(BankFailure::Slow(_))) => Ok(done),
            (done, Some(trouble)) => {
                if done.is_none() && trouble != BankFailure::Hang {
                    self.log_rejection(request.no);
                }
                Err(trouble)
            }
            (None, None) => Err(BankFailure::Error),
        }
    }

    /// [`Self::call`] for a login or an answer of the first owner.
    ///
    /// # Errors
    /// As there.
    pub fn call_submit(&self, request: CallRequest<D>) -> Result<BankStep, BankFailure> {
        self.call(request, |bank, memory, request| bank.submit(memory, 0, request))
    }
}

/// The institution of a call's session, or that the call names.
fn institution_of<D: Dialect>(memory: &BankMemory<D>, request: &CallRequest<D>) -> Option<&'static StandInInstitution> {
    match &request.session {
        Some(id) => memory.sessions.get(id).map(|session| session.institution),
        None => D::institution_of(request),
    }
}
