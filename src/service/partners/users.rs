//! Users: the people who work for a partner, each in one of its entities.

use serde::Deserialize;
use utoipa::ToSchema;

use super::account_api::AccountApi;
use super::context::RequestContext;
use super::error::{ApiError, into_result};
use super::validation::Validation;
use super::views::{ApiTime, List};
use super::views::{deserialize_nullable, view};
use crate::core::access::TenantScope;
use crate::core::ids::{EntityId, RoleId, UserId};
use crate::core::page::PageRequest;
use crate::records::{User, UserChange};

const MAX_TEXT_CHARS: usize = 255;
const ROLE_POINTER: &str = "/role_id";

/// A user to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// The login in your own system; 1 to 255 characters, unique within the entity.
    #[schema(min_length = 1, max_length = 255, format = "printed")]
    pub login: String,
    /// The name shown to colleagues; 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255, format = "printed")]
    pub name: String,
    /// What they may do; by default, what the entity's default role permits.
    pub role_id: Option<RoleId>,
}

/// Changes to a user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserEdit {
    /// Their login.
    #[schema(min_length = 1, max_length = 255, format = "printed")]
    pub login: Option<String>,
    /// Their name.
    #[schema(min_length = 1, max_length = 255, format = "printed")]
    pub name: Option<String>,
    /// What they may do; null: what the entity's default role permits.
    #[serde(default, deserialize_with = "deserialize_nullable")]
    #[schema(value_type = Option<RoleId>)]
    pub role_id: Option<Option<RoleId>>,
}

view! {
    /// A user.
    #[schema(as = User)]
    pub struct UserView(user: User) {
        /// Their id, for a token.
        id: UserId = user.id,
        /// The entity they work in.
        entity_id: EntityId = user.entity,
        /// The login in your own system.
        login: String = user.login,
        /// The name shown to colleagues.
        name: String = user.name,
        /// What they may do; null: what the entity's default role permits.
        #[schema(required)]
        role_id: Option<RoleId> = user.role,
        /// The user who created them; null: the partner itself.
        #[schema(required)]
        created_by: Option<UserId> = user.created_by,
        /// When they were created.
        created_at: ApiTime = ApiTime(user.created_at),
        /// When they were last changed.
        updated_at: ApiTime = ApiTime(user.updated_at),
    }
}

impl AccountApi {
    pub(crate) async fn list_users(
        &self,
        context: &RequestContext,
        page: PageRequest,
    ) -> Result<List<UserView>, ApiError> {
        let users = self.records.users(&context.scope, &page).await?;
        Ok(users.map(UserView::new).into())
    }

    pub(crate) async fn create_user(&self, context: &RequestContext, new: NewUser) -> Result<UserView, ApiError> {
        let mut validation = Validation::default();
        validation.check_text("/login", &new.login, MAX_TEXT_CHARS);
        validation.check_text("/name", &new.name, MAX_TEXT_CHARS);
        if context.scope.entity.is_none() {
            validation.add("Kiungo-Entity-Id", "required", "choose the entity they work in");
        }
        validation.finish()?;
        let entity = context.scope.entity.ok_or(ApiError::NotFound)?;
        let now = self.now();
        let user = User {
            id: UserId::generate(context.rng.as_ref()),
            partner: context.scope.partner,
            entity,
            login: new.login,
            name: new.name,
            role: new.role_id,
            created_by: context.caller.user(),
            created_at: now,
            updated_at: now,
        };
        let audit = context.audit_entry("user.created", user.id, now);
        into_result(self.records.add_user(&user, &audit).await?, ROLE_POINTER).map(UserView::new)
    }

    pub(crate) async fn get_current_user(&self, context: &RequestContext) -> Result<UserView, ApiError> {
        let user = context.caller.user().ok_or(ApiError::NotFound)?;
        let reach = TenantScope {
            own: None,
            ..context.scope
        };
        let user = self.records.user(&reach, user).await?;
        user.map(UserView::new).ok_or(ApiError::NotFound)
    }

    pub(crate) async fn get_user(&self, context: &RequestContext, id: UserId) -> Result<UserView, ApiError> {
        let user = self.records.user(&context.scope, id).await?;
        user.map(UserView::new).ok_or(ApiError::NotFound)
    }

    pub(crate) async fn update_user(
        &self,
        context: &RequestContext,
        id: UserId,
        edit: UserEdit,
    ) -> Result<UserView, ApiError> {
        let mut validation = Validation::default();
        validation.check_optional_text("/login", edit.login.as_ref(), MAX_TEXT_CHARS);
        validation.check_optional_text("/name", edit.name.as_ref(), MAX_TEXT_CHARS);
        validation.finish()?;
        let change = UserChange {
            login: edit.login,
            name: edit.name,
            role: edit.role_id,
        };
        let audit = context.audit_entry("user.changed", id, self.now());
        let user = self.records.change_user(&context.scope, id, &change, &audit).await?;
        into_result(user, ROLE_POINTER).map(UserView::new)
    }

    pub(crate) async fn delete_user(&self, context: &RequestContext, id: UserId) -> Result<(), ApiError> {
        let audit = context.audit_entry("user.deleted", id, self.now());
        into_result(
            self.records.delete_user(&context.scope, id, &audit).await?,
            ROLE_POINTER,
        )
    }
}
