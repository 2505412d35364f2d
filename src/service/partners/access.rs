//! Who calls: keys, tokens, and the rows they open.

use std::net::IpAddr;

use async_trait::async_trait;
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::{Access, ApiError, Office};
use crate::core::access::{Action, Caller, Object, Reach, Refused};
use crate::core::api_key::{self, KeyKind};
use crate::core::bucket::Left;
use crate::core::ids::{EntityId, PartnerId, UserId};
use crate::core::secret::Secret;
use crate::records::{Deed, Token};

/// Who a request must be from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The partner itself, by a token of its own.
    Partner,
    /// Any user.
    User,
    /// Whoever may do this: the partner, or a user whose role allows it.
    May(Object, Action),
}

/// What a partner's server shows to get a token.
#[derive(Debug)]
pub struct Client {
    /// The partner's id.
    pub id: PartnerId,
    /// Its secret key.
    pub secret: Secret,
}

/// For whom a token is to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The partner itself.
    Partner,
    /// One of its users.
    User(UserId),
}

/// A token, shown once.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub struct Issued {
    /// The token.
    #[serde(serialize_with = "shown")]
    #[schema(value_type = String, format = Password)]
    pub access_token: Secret,
    /// Always `Bearer`.
    #[schema(value_type = String)]
    pub token_type: &'static str,
    /// For how many seconds it opens anything.
    pub expires_in: u64,
}

/// The one moment at which a secret leaves us.
pub(super) fn shown<S: serde::Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

/// How many requests a partner has left at this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The most there can be left.
    pub limit: u32,
    /// What is left, and when there will be more.
    pub left: Left,
    /// Whether there was one for this request.
    pub taken: bool,
}

impl Allowance {
    fn enough(self) -> Result<Self, ApiError> {
        if self.taken {
            Ok(self)
        } else {
            Err(ApiError::TooMany { after: self.left.next })
        }
    }
}

#[async_trait]
impl Access for Office {
    async fn bearer(&self, token: &str) -> Result<Caller, ApiError> {
        self.expect(token, KeyKind::Token)?;
        let (digest, asked) = (api_key::digest(token), Instant::now());
        if let Some(caller) = self.known.get(&digest, self.now(), asked) {
            return Ok(caller);
        }
        let bearer = self.records.bearer(&digest, self.now()).await?;
        let bearer = bearer.ok_or(ApiError::Unauthenticated)?;
        let caller = bearer.caller.clone();
        self.known.keep(digest, bearer, asked);
        Ok(caller)
    }

    async fn publishable(&self, key: &str) -> Result<PartnerId, ApiError> {
        self.key(key, KeyKind::Publishable).await
    }

    async fn reach(&self, caller: &Caller, need: Need, entity: Option<EntityId>) -> Result<Reach, ApiError> {
        let reach = match (need, caller) {
            (Need::May(object, action), caller) => caller.reach(object, action, entity)?,
            (Need::Partner, Caller::Partner(partner)) => Reach {
                partner: *partner,
                entity,
                own: None,
            },
            (Need::User, Caller::User { entity: theirs, .. }) if entity.is_some_and(|entity| entity != *theirs) => {
                return Err(Refused::Entity.into());
            }
            (
                Need::User,
                Caller::User {
                    partner, entity, user, ..
                },
            ) => Reach {
                partner: *partner,
                entity: Some(*entity),
                own: Some(*user),
            },
            (Need::Partner, Caller::User { .. }) | (Need::User, Caller::Partner(_)) => return Err(Refused::Role.into()),
        };
        // A user's entity is there, or there would be no user; one that a partner has chosen may be anybody's.
        if let (Caller::Partner(_), Some(entity)) = (caller, reach.entity)
            && self.records.entity(&reach, entity).await?.is_none()
        {
            return Err(Refused::Entity.into());
        }
        Ok(reach)
    }

    fn count(&self, partner: PartnerId) -> Allowance {
        self.take(partner)
    }

    async fn issue(
        &self,
        client: &Client,
        grant: Grant,
        from: Option<IpAddr>,
    ) -> Result<(Issued, Allowance), ApiError> {
        let allowance = self.client(client, from).await?;
        let token = api_key::draw(KeyKind::Token, self.settings.side, self.runtime.entropy.as_ref());
        let now = self.now();
        let row = Token {
            digest: api_key::digest(token.expose()),
            partner: client.id,
            user: match grant {
                Grant::Partner => None,
                Grant::User(user) => Some(user),
            },
            created_at: now,
            expires_at: now.plus(self.settings.token_lifetime),
        };
        let whom = row
            .user
            .map_or_else(|| "the partner".to_owned(), |user| user.to_string());
        let detail = format!("{} for {whom}", mark(&row.digest));
        let deed = Deed::of(client.id, "token.issued", detail, now);
        if !self.records.add_token(&row, &deed).await? {
            return Err(ApiError::field("/user_id", "unknown", "there is no such user"));
        }
        let issued = Issued {
            access_token: token,
            token_type: "Bearer",
            expires_in: self.settings.token_lifetime.as_secs(),
        };
        Ok((issued, allowance))
    }

    async fn revoke(&self, client: &Client, token: &Secret, from: Option<IpAddr>) -> Result<Allowance, ApiError> {
        let allowance = self.client(client, from).await?;
        let digest = api_key::digest(token.expose());
        let deed = Deed::of(client.id, "token.revoked", mark(&digest), self.now());
        self.records.revoke_token(&digest, &deed).await?;
        self.known.drop(&digest);
        Ok(allowance)
    }
}

impl Office {
    /// Whether a text looks like such a key, of our side.
    fn expect(&self, text: &str, kind: KeyKind) -> Result<(), ApiError> {
        match api_key::read(text) {
            Some((found, side)) if found == kind && side == self.settings.side => Ok(()),
            Some((found, _)) if found == kind => Err(ApiError::WrongEnvironment),
            _ => Err(ApiError::Unauthenticated),
        }
    }

    /// Whose key this is.
    async fn key(&self, text: &str, kind: KeyKind) -> Result<PartnerId, ApiError> {
        self.expect(text, kind)?;
        let found = self.records.key(&api_key::digest(text), self.now()).await?;
        let found = found.filter(|key| key.kind == kind);
        found.map(|key| key.partner).ok_or(ApiError::Unauthenticated)
    }

    /// Whether a client is who it says, and has not asked too often.
    async fn client(&self, client: &Client, from: Option<IpAddr>) -> Result<Allowance, ApiError> {
        let now = self.now();
        self.failures.admit(from, now)?;
        let found = match self.key(client.secret.expose(), KeyKind::Secret).await {
            Ok(partner) if partner == client.id => return self.take(partner).enough(),
            Ok(_) => ApiError::Unauthenticated,
            Err(error) => error,
        };
        if matches!(found, ApiError::Unauthenticated | ApiError::WrongEnvironment) {
            self.failures.note(from, client.id, now)?;
        }
        Err(found)
    }
}

/// By which a token is known again in the audit trail; nothing can be made of it.
fn mark(digest: &[u8; 32]) -> String {
    let [a, b, c, d, ..] = digest;
    format!("{a:02x}{b:02x}{c:02x}{d:02x}")
}
