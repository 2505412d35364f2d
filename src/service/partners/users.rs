//! Users: who works for a partner, in one of its entities.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::views::present;
use super::{ApiError, Asked, Faults, List, Office, Users, When, answered, unknown_role};
use crate::core::access::{Reach, Refused};
use crate::core::ids::{EntityId, RoleId, UserId};
use crate::core::page::Page;
use crate::records::{User, UserChange};

/// Characters of a login and of a name, at most.
const TEXT: usize = 255;
/// Where the role stands in a request.
const ROLE: &str = "/role_id";

/// A user to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// As your own system knows them; 1 to 255 characters, one user of an entity has it.
    #[schema(min_length = 1, max_length = 255, format = "printed")]
    pub login: String,
    /// As shown to colleagues; 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255, format = "printed")]
    pub name: String,
    /// What they may do; without it, what the entity's default role allows.
    pub role_id: Option<RoleId>,
}

/// What is to be different in a user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserEdit {
    /// Their login.
    #[schema(min_length = 1, max_length = 255, format = "printed")]
    pub login: Option<String>,
    /// Their name.
    #[schema(min_length = 1, max_length = 255, format = "printed")]
    pub name: Option<String>,
    /// What they may do; null: what the entity's default role allows.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<RoleId>)]
    pub role_id: Option<Option<RoleId>>,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView {
    /// Their id, for a token.
    pub id: UserId,
    /// Where they work.
    pub entity_id: EntityId,
    /// As your own system knows them.
    pub login: String,
    /// As shown to colleagues.
    pub name: String,
    /// What they may do; null: what the entity's default role allows.
    #[schema(required)]
    pub role_id: Option<RoleId>,
    /// The user who made them; null: the partner itself.
    #[schema(required)]
    pub created_by: Option<UserId>,
    /// When they were made.
    pub created_at: When,
    /// When they were last changed.
    pub updated_at: When,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            entity_id: user.entity,
            login: user.login,
            name: user.name,
            role_id: user.role,
            created_by: user.created_by,
            created_at: When(user.created_at),
            updated_at: When(user.updated_at),
        }
    }
}

#[async_trait]
impl Users for Office {
    async fn users(&self, asked: &Asked, page: Page) -> Result<List<UserView>, ApiError> {
        let users = self.records.users(&asked.reach, &page).await?;
        Ok(users.map(UserView::from).into())
    }

    async fn add_user(&self, asked: &Asked, new: NewUser) -> Result<UserView, ApiError> {
        let mut faults = Faults::default();
        faults.text("/login", &new.login, TEXT);
        faults.text("/name", &new.name, TEXT);
        if asked.reach.entity.is_none() {
            faults.add("Kiungo-Entity-Id", "required", "choose the entity they work in");
        }
        faults.end()?;
        let entity = asked.reach.entity.ok_or(ApiError::NotFound)?;
        self.grantable(asked, entity, new.role_id).await?;
        let now = self.now();
        let user = User {
            id: UserId::draw(asked.fresh.as_ref()),
            partner: asked.reach.partner,
            entity,
            login: new.login,
            name: new.name,
            role: new.role_id,
            created_by: asked.caller.user(),
            created_at: now,
            updated_at: now,
        };
        let deed = asked.deed("user.created", user.id, now);
        answered(self.records.add_user(&user, &deed).await?, ROLE).map(UserView::from)
    }

    async fn me(&self, asked: &Asked) -> Result<UserView, ApiError> {
        let user = asked.caller.user().ok_or(ApiError::NotFound)?;
        let reach = Reach {
            own: None,
            ..asked.reach
        };
        let user = self.records.user(&reach, user).await?;
        user.map(UserView::from).ok_or(ApiError::NotFound)
    }

    async fn user(&self, asked: &Asked, id: UserId) -> Result<UserView, ApiError> {
        let user = self.records.user(&asked.reach, id).await?;
        user.map(UserView::from).ok_or(ApiError::NotFound)
    }

    async fn change_user(&self, asked: &Asked, id: UserId, edit: UserEdit) -> Result<UserView, ApiError> {
        let mut faults = Faults::default();
        faults.text_if("/login", edit.login.as_ref(), TEXT);
        faults.text_if("/name", edit.name.as_ref(), TEXT);
        faults.end()?;
        if let Some(role) = edit.role_id {
            let user = self.records.user(&asked.reach, id).await?.ok_or(ApiError::NotFound)?;
            self.grantable(asked, user.entity, role).await?;
        }
        let change = UserChange {
            login: edit.login,
            name: edit.name,
            role: edit.role_id,
        };
        let deed = asked.deed("user.changed", id, self.now());
        let user = self.records.change_user(&asked.reach, id, &change, &deed).await?;
        answered(user, ROLE).map(UserView::from)
    }

    async fn end_user(&self, asked: &Asked, id: UserId) -> Result<(), ApiError> {
        let deed = asked.deed("user.deleted", id, self.now());
        answered(self.records.end_user(&asked.reach, id, &deed).await?, ROLE)
    }
}

impl Office {
    /// Whether the caller may give this role, or else the entity's default, to a user of the entity.
    async fn grantable(&self, asked: &Asked, entity: EntityId, role: Option<RoleId>) -> Result<(), ApiError> {
        let within = Reach {
            partner: asked.reach.partner,
            entity: Some(entity),
            own: None,
        };
        let role = match role {
            Some(role) => role,
            None => match self
                .records
                .entity(&within, entity)
                .await?
                .and_then(|it| it.default_role)
            {
                Some(role) => role,
                None => return Ok(()),
            },
        };
        let role = self
            .records
            .role(&within, role)
            .await?
            .ok_or_else(|| unknown_role(ROLE))?;
        if asked.caller.may_grant(&role.permissions) {
            Ok(())
        } else {
            Err(Refused::Role.into())
        }
    }
}
