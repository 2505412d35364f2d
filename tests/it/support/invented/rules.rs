//! What Umoja allows: who reaches what, and where a session goes on.

use kiungo::core::next_step::FailureClass;
use kiungo::core::secret::Secret;
use kiungo::providers::{
    Access, AccessBlob, ProviderError, ProviderSession, SessionRequest, Submission, SubmissionStep,
};

use super::bank::{BankLink, BankState, Stage};
use super::branches::{Branch, CODE, is_login};

/// What is stored for a person or a link: the bank's word for it, and the token that proves it.
pub fn blob(handle: &str, token: &str) -> AccessBlob {
    AccessBlob::new(format!("{handle} {token}"))
}

pub fn token_in(blob: Option<&AccessBlob>) -> Option<String> {
    let text = String::from_utf8(blob?.expose().to_vec()).ok()?;
    text.split_once(' ').map(|(_, token)| token.to_owned())
}

/// The person whom the access is for.
pub fn person_of(state: &BankState, client: usize, access: &Access<'_>) -> Result<Option<usize>, ProviderError> {
    let Some(token) = token_in(access.person) else {
        return Ok(None);
    };
    let mut persons = state.persons.iter();
    let found = persons.position(|person| person.client == client && person.token == token);
    found
        .map(Some)
        .ok_or(ProviderError::Refused("it does not know this person"))
}

/// A session that the access reaches: that of the person themselves.
pub fn session_of(
    state: &mut BankState,
    client: usize,
    access: &Access<'_>,
    session: &ProviderSession,
) -> Result<usize, ProviderError> {
    let index = state.session(client, &session.id)?;
    let person = person_of(state, client, access)?;
    if person == Some(state.sessions[index].person) {
        Ok(index)
    } else {
        Err(ProviderError::Refused("another person's session, or nobody's"))
    }
}

/// Where a session is opened, and the link that it renews.
pub fn opened_for(
    state: &BankState,
    client: usize,
    opening: &SessionRequest<'_>,
) -> Result<(Branch, Option<usize>), ProviderError> {
    match opening {
        SessionRequest::Link { institution, .. } => {
            let branch =
                Branch::by_id(&institution.id).filter(|branch| state.clients[client].branches.contains(branch));
            Ok((branch.ok_or(ProviderError::NotFound)?, None))
        }
        SessionRequest::Reauth { link, .. } => {
            let handle = link.ok_or(ProviderError::Refused("which link?"))?;
            let mut links = state.links.iter();
            let known = |link: &BankLink| link.client == client && link.handle == handle.expose() && !link.ended;
            let index = links.position(known).ok_or(ProviderError::NotFound)?;
            Ok((state.links[index].branch, Some(index)))
        }
    }
}

/// Where a session goes on by a submission.
pub fn taken(state: &BankState, index: usize, submission: &Submission<'_>) -> Result<Stage, FailureClass> {
    let session = &state.sessions[index];
    match (&session.stage, submission.step) {
        (Stage::Login, SubmissionStep::Login) if !is_login(submission.answers) => Err(FailureClass::Refused),
        (Stage::Login, SubmissionStep::Login) => Ok(match session.branch {
            Branch::Chama => Stage::Choosing,
            Branch::Trust => Stage::App,
            Branch::Savings | Branch::Online | Branch::App => Stage::Code,
        }),
        (Stage::Code, SubmissionStep::Code) => {
            let code = submission.answers.iter().find(|(name, _)| name == "code");
            let right = code.is_some_and(|(_, code)| code.expose() == CODE);
            right.then_some(Stage::Through).ok_or(FailureClass::WrongCode)
        }
        (Stage::Choosing, SubmissionStep::Choose) => {
            let owned = state.owned(index);
            let known = |number: &Secret| owned.iter().any(|account| account.number == number.expose());
            let right = !submission.answers.is_empty() && submission.answers.iter().all(|(_, number)| known(number));
            right.then_some(Stage::Approved(0)).ok_or(FailureClass::Refused)
        }
        _ => Err(FailureClass::SessionExpired),
    }
}
