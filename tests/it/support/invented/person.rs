//! What a person does where we cannot see it: on Umoja's page, and in its application.

use kiungo::core::next_step::FailureClass;
use url::Url;

use super::bank::{Stage, UmojaBank};
use super::hooks::OwnedRequest;

/// What they make of what they are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Approve,
    Deny,
}

impl UmojaBank {
    /// Opens a page and decides there; the address that the browser is sent back to.
    pub fn browse(&self, page: &Url, decision: Decision) -> Url {
        let token = page.path().trim_start_matches('/');
        let mut state = self.state();
        let mut sessions = state.sessions.iter();
        let index = sessions
            .position(|session| session.pages.iter().any(|(known, _)| known == token))
            .unwrap_or_else(|| panic!("no such page: {page}"));
        if state.sessions[index].until > self.clock.now() {
            state.decide(index, decision == Decision::Approve);
        }
        let session = &state.sessions[index];
        let (_, back) = session.pages.iter().find(|(known, _)| known == token).unwrap();
        let mut back = Url::parse(back).unwrap();
        back.query_pairs_mut().append_pair("umoja_proof", &session.proof);
        back
    }

    /// Decides in the application about what shows this code.
    pub fn answer_in_app(&self, binding: &str, decision: Decision) {
        let mut state = self.state();
        let mut sessions = state.sessions.iter();
        let index = sessions
            .position(|session| session.binding == binding && session.stage == Stage::App)
            .unwrap_or_else(|| panic!("nothing to decide: {binding}"));
        state.decide(index, decision == Decision::Approve);
    }

    /// The last session, which was given up, is granted after all; its grant may even have been `exchanged`, by somebody who
    /// has not heard the answer. Returns what the bank calls that which it tells about.
    pub fn grants_late(&self, exchanged: bool, about: &str) -> String {
        let mut state = self.state();
        let grant = state.hand_out("grant");
        let index = state.sessions.len() - 1;
        state.sessions[index].stage = Stage::Granted(grant.clone());
        let (client, person) = (state.sessions[index].client, state.sessions[index].person);
        let link = exchanged.then(|| state.exchange(client, &grant).expect("it is good"));
        if exchanged {
            state.sessions[index].stage = Stage::Over(FailureClass::SessionExpired);
        }
        match (about, link.map(|link| &state.links[link])) {
            ("session", _) => state.sessions[index].id.clone(),
            ("person", _) => state.persons[person].handle.clone(),
            ("link", Some(link)) => link.handle.clone(),
            (_, Some(link)) => link.accounts[0].id.clone(),
            (_, None) => "not made yet".to_owned(),
        }
    }

    /// The time of everything that is open is up.
    pub fn end_sessions(&self) {
        let now = self.clock.now();
        for session in &mut self.state().sessions {
            session.until = session.until.min(now);
        }
    }
}

/// The request that a browser comes back with, if it comes with its query (`GET`) or with a form (`POST`).
pub fn back(url: &Url, method: &'static str) -> OwnedRequest {
    let query = url.query().unwrap_or_default().to_owned();
    let form = method == "POST";
    OwnedRequest {
        method,
        path: url.path().to_owned(),
        query: if form { String::new() } else { query.clone() },
        headers: Vec::new(),
        body: if form { query.into_bytes() } else { Vec::new() },
    }
}
