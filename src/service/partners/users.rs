//! Users: who works for a partner, in one of its entities.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::views::deserialize_nullable;
use super::{AccountApi, ApiError, ApiTime, List, RequestContext, Users, Validation, into_result, unknown_role};
use crate::core::access::{AccessDenied, TenantScope};
use crate::core::ids::{EntityId, RoleId, UserId};
use crate::core::page::PageRequest;
use crate::records::{User, UserChange};

/// Characters of a login and of a name, at most.
const MAX_TEXT_CHARS: usize = 255;
/// Where the role stands in a request.
const ROLE_POINTER: &str = "/role_id";

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
    #[serde(default, deserialize_with = "deserialize_nullable")]
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
    pub created_at: ApiTime,
    /// When they were last changed.
    pub updated_at: ApiTime,
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
            created_at: ApiTime(user.created_at),
            updated_at: ApiTime(user.updated_at),
        }
    }
}

#[async_trait]
impl Users for AccountApi {
    async fn list_users(&self, asked: &RequestContext, page: PageRequest) -> Result<List<UserView>, ApiError> {
        let users = self.records.users(&asked.reach, &page).await?;
        Ok(users.map(UserView::from).into())
    }

    async fn create_user(&self, asked: &RequestContext, new: NewUser) -> Result<UserView, ApiError> {
        let mut faults = Validation::default();
        faults.check_text("/login", &new.login, MAX_TEXT_CHARS);
        faults.check_text("/name", &new.name, MAX_TEXT_CHARS);
        if asked.reach.entity.is_none() {
            faults.add("Kiungo-Entity-Id", "required", "choose the entity they work in");
        }
        faults.finish()?;
        let entity = asked.reach.entity.ok_or(ApiError::NotFound)?;
        self.check_role_grantable(asked, entity, new.role_id).await?;
        let now = self.now();
        let user = User {
            id: UserId::generate(asked.rng.as_ref()),
            partner: asked.reach.partner,
            entity,
            login: new.login,
            name: new.name,
            role: new.role_id,
            created_by: asked.caller.user(),
            created_at: now,
            updated_at: now,
        };
        let deed = asked.audit_entry("user.created", user.id, now);
        into_result(self.records.add_user(&user, &deed).await?, ROLE_POINTER).map(UserView::from)
    }

    async fn get_current_user(&self, asked: &RequestContext) -> Result<UserView, ApiError> {
        let user = asked.caller.user().ok_or(ApiError::NotFound)?;
        let reach = TenantScope {
            own: None,
            ..asked.reach
        };
        let user = self.records.user(&reach, user).await?;
        user.map(UserView::from).ok_or(ApiError::NotFound)
    }

    async fn get_user(&self, asked: &RequestContext, id: UserId) -> Result<UserView, ApiError> {
        let user = self.records.user(&asked.reach, id).await?;
        user.map(UserView::from).ok_or(ApiError::NotFound)
    }

    async fn update_user(&self, asked: &RequestContext, id: UserId, edit: UserEdit) -> Result<UserView, ApiError> {
        let mut faults = Validation::default();
        faults.check_optional_text("/login", edit.login.as_ref(), MAX_TEXT_CHARS);
        faults.check_optional_text("/name", edit.name.as_ref(), MAX_TEXT_CHARS);
        faults.finish()?;
        if let Some(role) = edit.role_id {
            let user = self.records.user(&asked.reach, id).await?.ok_or(ApiError::NotFound)?;
            self.check_role_grantable(asked, user.entity, role).await?;
        }
        let change = UserChange {
            login: edit.login,
            name: edit.name,
            role: edit.role_id,
        };
        let deed = asked.audit_entry("user.changed", id, self.now());
        let user = self.records.change_user(&asked.reach, id, &change, &deed).await?;
        into_result(user, ROLE_POINTER).map(UserView::from)
    }

    async fn delete_user(&self, asked: &RequestContext, id: UserId) -> Result<(), ApiError> {
        let deed = asked.audit_entry("user.deleted", id, self.now());
        into_result(self.records.delete_user(&asked.reach, id, &deed).await?, ROLE_POINTER)
    }
}

impl AccountApi {
    /// Whether the caller may give this role, or else the entity's default, to a user of the entity.
    async fn check_role_grantable(
        &self,
        asked: &RequestContext,
        entity: EntityId,
        role: Option<RoleId>,
    ) -> Result<(), ApiError> {
        let within = TenantScope {
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
            .ok_or_else(|| unknown_role(ROLE_POINTER))?;
        if asked.caller.may_grant(&role.permissions) {
            Ok(())
        } else {
            Err(AccessDenied::Role.into())
        }
    }
}
