//! Names that were replaced by the field's standard terms, and must not come back: a newcomer cannot guess them.

/// Identifiers that nothing may have, with what is said instead.
const IDENTIFIERS: &[(&str, &str)] = &[
    ("Tidings", "Notification"),
    ("tidings", "notification"),
    ("Newsroom", "SessionUpdater"),
    ("newsroom", "session_updater"),
    ("Fate", "AttemptResult"),
    ("fate", "result"),
    ("Desk", "HandoverQueue"),
    ("desk", "handovers"),
    ("HandOvers", "HandoverMessages"),
    ("Dealings", "LinkingApi"),
    ("dealings", "linking"),
    ("Deed", "AuditEntry"),
    ("deed", "audit_entry"),
    ("AuditEvent", "AuditEntry"),
    ("Happening", "OutboxEvent"),
    ("happening", "event"),
    ("Seat", "TurnContext"),
    ("TextSeat", "TurnContext"),
    ("seat", "context"),
    ("Walk", "TurnContext"),
    ("catch_up", "reconcile"),
    ("settle_in", "apply_transition"),
    ("Coded", "DialedCode"),
    ("hear_who_asks", "set_requests"),
    ("hear", "apply"),
    ("Texted", "IncomingSms"),
    ("ByText", "SmsDialog"),
    ("by_text", "sms"),
    ("Correspondent", "Sender"),
    ("Reaction", "SmsReaction"),
    ("NotNow", "RetryLater"),
    ("Parcel", "WebhookRequest"),
    ("parcel", "request"),
    ("Scout", "AddressChecker"),
    ("scout", "address_checker"),
    ("Healths", "HealthMap"),
    ("Blanking", "Redaction"),
    ("BankWish", "BankAlert"),
    ("enrolling", "provisioning"),
    ("Surroundings", "Deps"),
    ("Tripwire", "CrashPoint"),
    ("tripwire", "crash_point"),
    ("Entropy", "Rng"),
    ("entropy", "rng"),
    ("LinkBrief", "LinkSummary"),
    ("MadeBy", "LinkOrigin"),
    ("hurry", "run_now"),
];

/// Words that are fine as a variant or as another crate's name, and say too little, or something else, as a type of ours.
const TYPES: &str = "\
    News Office Receivers Registry Asked By Chosen Wanted Whole Paging Entry Area Kept Verdict Trouble Known \
    Facts Move Given Terms Said Line Lines Reply Note Told Answered Found Heard Became Post Receipt Undelivered \
    Outside Guarded Patient Waits Awaited Word Bucket Watch Shut Held Wish Repeats Runtime Base Tools Parts \
    Beside Edge Place Tag Unsettled Business Bench";

/// Files and folders, with what is said instead.
const FILES: &[(&str, &str)] = &[
    ("news", "events"),
    ("newsroom", "session_updater"),
    ("dealings", "linking"),
    ("ask", "extractors"),
    ("table", "routes"),
    ("gate", "middleware"),
    ("known", "facts_reader"),
    ("learn", "reconcile"),
    ("walk", "turn_context"),
    ("kept", "partial_answer"),
    ("asking", "requesters"),
    ("back", "bank_back_alert"),
    ("closed", "bank_availability"),
    ("home", "entry"),
    ("texted", "sms_keywords"),
    ("texts", "sms"),
    ("outbound", "webhooks"),
    ("outside", "public_address"),
    ("patience", "connection_timeouts"),
    ("words", "db_enum"),
    ("staff", "organization"),
    ("people", "data_subject"),
    ("holders", "data_subject"),
    ("repeats", "idempotency"),
    ("enrolling", "provisioning"),
    ("happening", "outbox_event"),
    ("happenings", "outbox_events"),
    ("judge", "login_rules"),
    ("ledger", "call_log"),
];

/// What in a file has a name that is retired; `path` is relative to the package.
pub(super) fn retired_names(path: &str, source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in path.trim_end_matches(".rs").split('/') {
        if let Some((_, now)) = FILES.iter().find(|(old, _)| *old == part) {
            found.push(format!("{path}: {part}: a retired name; say {now}, or what it is"));
        }
    }
    let mut type_follows = false;
    for (number, line) in super::code(source) {
        for word in identifiers(line) {
            if let Some((_, now)) = IDENTIFIERS.iter().find(|(old, _)| *old == word) {
                found.push(format!(
                    "{path}:{number}: {word}: a retired name; say {now}, or what it is"
                ));
            }
            if type_follows && TYPES.split_whitespace().any(|old| old == word) {
                found.push(format!(
                    "{path}:{number}: {word}: a retired name for a type; say what it is"
                ));
            }
            type_follows = ["struct", "enum", "trait", "type"].contains(&word);
        }
    }
    found
}

/// The identifiers of a line, without what its string literals say.
fn identifiers(line: &str) -> impl Iterator<Item = &str> {
    let quiet = line.split('"').step_by(2);
    quiet
        .flat_map(|code| code.split(|c: char| !(c.is_alphanumeric() || c == '_')))
        .filter(|word| !word.is_empty())
}
