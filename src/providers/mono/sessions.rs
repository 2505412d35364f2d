//! Opens sessions: by one call, or in v1 for a renewal by two.

use super::forms::JsonBody;
use super::{Mono, MonoApiVersion, NO_REAUTH_TOKEN, outcome, wire};
use crate::core::secret::Secret;
use crate::http_client::{OutboundRequest, OutboundResponse};
use crate::providers::{Access, ProviderError, ProviderKeys, SessionRequest};

impl Mono {
    /// Opens a session, for what is to be said by `customer` where we know what Mono calls the person.
    pub(super) async fn open(
        &self,
        access: Access<'_>,
        opening: &SessionRequest<'_>,
        customer: Option<&str>,
    ) -> Result<(OutboundResponse, Option<wire::ReplyHead>), ProviderError> {
        let (path, body) = match (opening, self.settings.dialect) {
            (SessionRequest::Reauth { account, .. }, MonoApiVersion::V1) => {
                let token = self.reauth_token(access.keys, account).await?;
                let body = JsonBody::with_room(token.expose().len() + 16).text("reauth_token", token.expose());
                (&["v1", "connect", "session"][..], body.finish())
            }
            _ => self.session_body(access, opening, customer)?,
        };
        let call = OutboundRequest::post(self.url(path)?).json(body);
        let answer = self.call(access.keys, call).await?;
        let head = outcome::check_accepted(&answer)?;
        Ok((answer, head))
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
