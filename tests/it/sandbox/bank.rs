//! The bank behind all stand-ins, without any provider's dialect: a plain one, called in process and over HTTP.

mod approvals;
mod calls;
mod rules;

use std::io;
use std::sync::Arc;

use actix_web::HttpRequest;
use kiungo::core::time::Timestamp;
use kiungo::sandbox::bank::answer::StandInAnswer;
use kiungo::sandbox::bank::guide::GuidePath;
use kiungo::sandbox::bank::memory::StandInAccount;
use kiungo::sandbox::bank::server::CallRoute;
use kiungo::sandbox::bank::webhooks::{AccountEvent, OutgoingWebhook};
use kiungo::sandbox::bank::{
    self, ApprovalWay, Bank, BankFailure, BankMemory, BankStep, BankSwitches, CallClass, CallKind, CallRequest,
    DataStatus, Dialect, FormElement, HttpDialect, LoginMethod, NoSwitches, StandInInstitution, StandInSettings,
    WebhookBatch,
};
use kiungo::sandbox::stand_in::RunningStandIn;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::support::clock::ManualClock;
use crate::support::standin::rng;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum PlainCall {
    Login,
    Answer,
    Redeem,
}

impl CallKind for PlainCall {
    fn class(self) -> CallClass {
        match self {
            Self::Login => CallClass::Login,
            Self::Answer => CallClass::Answer,
            Self::Redeem => CallClass::Other,
        }
    }
}

const USER: FormElement = FormElement::text("user", "User");

/// A bank with a login by keypad, one on its page, and one that its app completes.
static BANKS: [StandInInstitution; 1] = [StandInInstitution::personal(
    "plain",
    "Plain Bank",
    &[
        LoginMethod::keypad("keypad", "Keypad", &[USER, FormElement::secret("pin", "PIN", Some(6))]),
        LoginMethod {
            approval: Some(ApprovalWay::Browser),
            ..LoginMethod::keypad("page", "Page", &[])
        },
        LoginMethod {
            approval: Some(ApprovalWay::App),
            ..LoginMethod::keypad("app", "App", &[USER])
        },
    ],
)];

/// The plainest dialect: one version, no switches and no memory of its own.
#[derive(Default)]
struct Plain;

impl Dialect for Plain {
    type Call = PlainCall;
    type Version = ();
    type Switches = NoSwitches;
    type Memory = ();

    const INSTITUTIONS: &'static [StandInInstitution] = &BANKS;
    const APPROVALS: bool = true;

    fn webhook(
        bank: &Bank<Self>,
        account: &StandInAccount,
        event: AccountEvent,
        _: Timestamp,
        status: DataStatus,
    ) -> Option<OutgoingWebhook> {
        Some(OutgoingWebhook {
            after: std::time::Duration::ZERO,
            event: format!("{event:?}"),
            event_id: bank.generate_id(),
            headers: Vec::new(),
            body: json!({ "account": account.id, "data": status }),
        })
    }
}

impl HttpDialect for Plain {
    const THREAD: &'static str = "plain-stand-in";
    const GUIDE_PATH: GuidePath = GuidePath {
        asked: "question",
        choose: "accounts",
        approve: "approval",
        granted: "linked",
        refused: "refused",
        strange: "strange",
    };

    fn calls() -> Vec<CallRoute<Self>> {
        vec![(actix_web::http::Method::POST, "/login/{id}", PlainCall::Login, ())]
    }

    fn identify(_: &HttpRequest, request: &mut CallRequest<Self>) {
        request.session = request.target.clone();
    }

    fn owner(_: &Bank<Self>, _: &BankMemory<Self>, _: &CallRequest<Self>) -> Result<usize, StandInAnswer> {
        Ok(0)
    }

    fn execute(
        bank: &Bank<Self>,
        memory: &mut BankMemory<Self>,
        owner: usize,
        request: &CallRequest<Self>,
    ) -> StandInAnswer {
        match bank.submit(memory, owner, request) {
            BankStep::Granted { account, .. } => StandInAnswer::Json(200, json!({ "account": account })),
            BankStep::Approve(approval) => StandInAnswer::SeeOther(format!("/approvals/{}", approval.id)),
            step => StandInAnswer::Json(422, Self::failed(&format!("{step:?}"))),
        }
    }

    fn failed(message: &str) -> Value {
        json!({ "error": message })
    }
}

/// A bank in process, with a clock to wind.
struct PlainBank {
    bank: Bank<Plain>,
    clock: Arc<ManualClock>,
    webhooks: UnboundedReceiver<WebhookBatch>,
}

impl PlainBank {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let (bank, webhooks) = Bank::new(Plain, BankSwitches::<Plain>::immediate(), clock.clone(), rng());
        Self { bank, clock, webhooks }
    }

    fn open(&self, method: &str, customer: &str) -> String {
        open(&self.bank, method, customer)
    }

    fn submit(&self, call: PlainCall, session: &str, fields: &[(&str, &str)]) -> Result<BankStep, BankFailure> {
        self.bank
            .call_submit(CallRequest::submission(call, (), session, fields))
    }

    /// A login by keypad in a new session: the session and what the bank says.
    fn log_in(&self, user: &str) -> (String, Result<BankStep, BankFailure>) {
        let session = self.open("keypad", "ada");
        let step = self.submit(PlainCall::Login, &session, &[("user", user), ("pin", "1234")]);
        (session, step)
    }

    fn answer(&self, session: &str, field: &str, value: &str) -> BankStep {
        let answered = self.submit(PlainCall::Answer, session, &[(field, value)]);
        answered.expect("no trouble")
    }

    fn poll(&self, session: &str) -> BankStep {
        self.bank.poll(&mut self.bank.lock(), 0, session)
    }

    /// The events of all webhooks since the last look.
    fn events(&mut self) -> Vec<String> {
        let batches = std::iter::from_fn(|| self.webhooks.try_recv().ok());
        batches.flatten().map(|webhook| webhook.event).collect()
    }
}

fn open(bank: &Bank<Plain>, method: &str, customer: &str) -> String {
    let institution = &Plain::INSTITUTIONS[0];
    let method = institution.method(method).expect("a method of the bank");
    bank.open(&mut bank.lock(), 0, (institution, method), customer.to_owned(), None)
        .0
}

/// The same over HTTP.
fn start() -> io::Result<RunningStandIn<Bank<Plain>>> {
    let settings = StandInSettings {
        switches: BankSwitches::<Plain>::immediate(),
        ..StandInSettings::<Plain>::default()
    };
    bank::start(settings, Arc::new(ManualClock::default()), rng())
}
