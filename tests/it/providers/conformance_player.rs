//! Calls a provider as the service does: with the partner's keys, and with whatever access the calls before have returned.

use std::fmt::Debug;
use std::time::Duration;

use kiungo::core::msisdn::Msisdn;
use kiungo::core::next_step::NextStep;
use kiungo::core::secret::Secret;
use kiungo::providers::{
    Access, AccessBlob, Advance, Institution, PageRequest, ProviderError, ProviderKeys, ProviderSession,
    SessionRequest, SessionResponse, Stepped, Submission, SubmissionStep, SubmitError, WithAccess,
};
use url::Url;

use super::conformance::{Login, Scenario, list, quiet};

/// One person at one partner.
pub struct Player<'a> {
    pub scenario: &'a Scenario<'a>,
    keys: ProviderKeys,
    person: Option<AccessBlob>,
    link: Option<AccessBlob>,
    /// What may be shown nowhere.
    secrets: Vec<String>,
}

impl<'a> Player<'a> {
    pub fn new(scenario: &'a Scenario<'a>) -> Self {
        let keys = (scenario.keys)();
        let secrets = keys.iter().map(|(_, key)| key.expose().to_owned()).collect();
        Self {
            scenario,
            keys,
            person: None,
            link: None,
            secrets,
        }
    }

    pub fn access(&self) -> Access<'_> {
        Access {
            keys: &self.keys,
            person: self.person.as_ref(),
            link: self.link.as_ref(),
        }
    }

    /// From now on this may be shown nowhere.
    pub fn is_secret(&mut self, secret: &str) {
        self.secrets.push(secret.to_owned());
    }

    pub fn is_quiet(&self, value: &impl Debug) {
        quiet(&self.secrets, value);
    }

    /// Stores what is to be stored, and takes the answer.
    pub fn store<T: Debug>(&mut self, answer: WithAccess<T>) -> T {
        if let Some(person) = &answer.person {
            let blob = String::from_utf8_lossy(person.blob.expose()).into_owned();
            self.secrets.push(blob);
            let handle = person.handle.as_ref();
            self.secrets.extend(handle.map(|handle| handle.expose().to_owned()));
        }
        if let Some(link) = &answer.link {
            self.secrets.push(String::from_utf8_lossy(link.expose()).into_owned());
        }
        self.is_quiet(&answer);
        self.person = answer.person.map(|person| person.blob).or(self.person.take());
        self.link = answer.link.or(self.link.take());
        answer.value
    }

    pub async fn institution(&self, login: Login<'_>) -> Institution {
        let list = list(self.scenario).await;
        let found = list.into_iter().find(|it| it.id == login.0).unwrap();
        assert!(found.methods.iter().any(|method| method.id == login.1));
        found
    }

    pub async fn opens(&mut self, login: Login<'_>) -> SessionResponse {
        let institution = self.institution(login).await;
        let phone = Msisdn::parse("+2348031234567", "NG").unwrap();
        let opening = SessionRequest::Link {
            institution: &institution,
            method: login.1,
            reference: "ada",
            person: "ada",
            phone: Some(&phone),
        };
        let opened = self.scenario.provider.open_session(self.access(), opening).await;
        self.store(opened.unwrap())
    }

    /// Opens a session in which something is typed first.
    pub async fn opens_form(&mut self, login: Login<'_>) -> ProviderSession {
        match self.opens(login).await {
            SessionResponse::Session(session) => session,
            other => panic!("nothing is to be typed: {other:?}"),
        }
    }

    pub async fn submits(
        &mut self,
        session: &ProviderSession,
        step: SubmissionStep,
        answers: &[(&str, &str)],
    ) -> NextStep {
        let answers = super::typed(answers);
        let submitted = self.try_submit(&self.keys, session, step, &answers).await;
        let stepped = self.store(submitted.unwrap());
        assert!(stepped.session.is_none(), "not looked at here");
        stepped.step
    }

    /// Submits with keys of any kind.
    pub async fn try_submit(
        &self,
        keys: &ProviderKeys,
        session: &ProviderSession,
        step: SubmissionStep,
        answers: &[(String, Secret)],
    ) -> Result<WithAccess<Stepped>, SubmitError> {
        let submission = Submission {
            session,
            step,
            form: session.form.as_ref(),
            answers,
            timeout: Duration::from_secs(10),
        };
        let access = Access { keys, ..self.access() };
        self.scenario.provider.submit(access, submission).await
    }

    /// Chooses these accounts.
    pub async fn chooses(&mut self, session: &ProviderSession, keys: &[&str]) -> NextStep {
        let answers: Vec<_> = keys.iter().map(|key| ("", *key)).collect();
        self.submits(session, SubmissionStep::Choose, &answers).await
    }

    pub async fn advances(&mut self, session: &ProviderSession, how: Advance<'_>) -> NextStep {
        let advanced = self.scenario.provider.advance(self.access(), session, how).await;
        self.store(advanced.unwrap()).step
    }

    pub async fn page(&mut self, session: &ProviderSession, state: &Secret, back: &Url) -> Result<Url, ProviderError> {
        let page = PageRequest { state, back };
        let made = self.scenario.provider.page(self.access(), session, page).await?;
        Ok(self.store(made))
    }

    /// Asks until there is an end, as a job does; not longer than 50 times.
    pub async fn polls(&mut self, session: &ProviderSession) -> NextStep {
        for _ in 0..50 {
            match self.advances(session, Advance::Poll).await {
                NextStep::Wait { poll_every, .. } => tokio::time::sleep(poll_every).await,
                step => return step,
            }
        }
        panic!("it waits for ever");
    }
}
