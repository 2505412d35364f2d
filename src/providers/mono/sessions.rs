//! Opens sessions: by one call, or in v1 for a renewal by two.

use zeroize::Zeroizing;

use super::bodies::JsonBody;
use super::{Mono, MonoApiVersion, outcome, wire};
use crate::core::secret::Secret;
use crate::http_client::{OutboundRequest, OutboundResponse};
use crate::providers::{ProviderError, ProviderKeys, SessionRequest};

const NO_REAUTH_TOKEN: ProviderError = ProviderError::Malformed("no token to renew by");
const V1_NEEDS_APP_ID: ProviderError = ProviderError::Refused("v1 wants an application id among the credentials");

/// The path of a request and its body.
type PathAndBody = (&'static [&'static str], Zeroizing<Vec<u8>>);

impl Mono {
    /// Opens a session, for what is to be said by `customer` where we know what Mono calls the person.
    pub(super) async fn open(
        &self,
        keys: &ProviderKeys,
        opening: &SessionRequest<'_>,
        customer: Option<&str>,
    ) -> Result<(OutboundResponse, Option<wire::ReplyHead>), ProviderError> {
        let (path, body) = self.session_body(keys, opening, customer).await?;
        let call = OutboundRequest::post(self.url(path)?).json(body);
        let answer = self.call(keys, call).await?;
        let head = outcome::check_accepted(&answer)?;
        Ok((answer, head))
    }

    async fn session_body(
        &self,
        keys: &ProviderKeys,
        opening: &SessionRequest<'_>,
        customer: Option<&str>,
    ) -> Result<PathAndBody, ProviderError> {
        Ok(match (opening, self.settings.dialect) {
            (
                SessionRequest::Link {
                    institution,
                    method,
                    person,
                    ..
                },
                MonoApiVersion::V2,
            ) => (
                &["v2", "connect", "session"],
                self.link_body_v2(&institution.provider_id, method, person, customer),
            ),
            (
                SessionRequest::Link {
                    institution, method, ..
                },
                MonoApiVersion::V1,
            ) => {
                let app = keys.get("app_id").ok_or(V1_NEEDS_APP_ID)?.expose();
                let room = app.len() + institution.provider_id.len() + method.len() + 64;
                let body = JsonBody::with_room(room).text("app", app);
                let body = body.text("institution", &institution.provider_id);
                (&["v1", "connect", "session"], body.text("auth_method", method).finish())
            }
            (SessionRequest::Reauth { account, .. }, MonoApiVersion::V2) => {
                let body = JsonBody::with_room(account.expose().len() + 16).text("account", account.expose());
                (&["v2", "connect", "reauth", "session"], body.finish())
            }
            (SessionRequest::Reauth { account, .. }, MonoApiVersion::V1) => {
                let token = self.reauth_token(keys, account).await?;
                let body = JsonBody::with_room(token.expose().len() + 16).text("reauth_token", token.expose());
                (&["v1", "connect", "session"], body.finish())
            }
        })
    }

    /// Mono makes a customer of the person a session is opened for. It is one for each person and partner: by the id that Mono
    /// has told with an account of theirs, before that by a name and an address that stay the same for them.
    fn link_body_v2(
        &self,
        institution: &str,
        method: &str,
        person: &str,
        customer: Option<&str>,
    ) -> Zeroizing<Vec<u8>> {
        let filled_in = |template: &str| template.replace("{ref}", person);
        let (name, email) = (
            filled_in(&self.settings.customer.name),
            filled_in(&self.settings.customer.email),
        );
        let room = name.len() + email.len() + customer.map_or(0, str::len) + 32;
        let person = JsonBody::with_room(room);
        let person = match customer {
            Some(id) => person.text("id", id),
            None => person.text("name", &name).text("email", &email),
        };
        JsonBody::with_room(room + institution.len() + method.len() + 96)
            .text("institution", institution)
            .text("auth_method", method)
            .text("scope", "financial_data")
            .object("customer", person)
            .finish()
    }

    /// What v1 wants to see to open a session in which an account is renewed; it lives for ten minutes.
    async fn reauth_token(&self, keys: &ProviderKeys, account: &Secret) -> Result<Secret, ProviderError> {
        let url = self.url(&["accounts", account.expose(), "reauthorise"])?;
        let answer = self.call(keys, OutboundRequest::post(url)).await?;
        let reply: wire::ReauthTokenReply = outcome::body(&answer)?;
        let token = reply.token.or_else(|| reply.data.0?.token);
        token.filter(|token| !token.expose().is_empty()).ok_or(NO_REAUTH_TOKEN)
    }
}
