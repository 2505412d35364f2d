//! Roles: what users may do. A role created within an entity is for its users only.

use serde::Deserialize;
use utoipa::ToSchema;

use super::account_api::AccountApi;
use super::context::RequestContext;
use super::error::{ApiError, into_result};
use super::schemas::json_name;
use super::validation::Validation;
use super::views::{ApiTime, List, view};
use crate::core::access::Permissions;
use crate::core::ids::{EntityId, RoleId, UserId};
use crate::core::page::PageRequest;
use crate::records::{Role, RoleChange};

const MAX_NAME_CHARS: usize = 255;

/// A role to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRole {
    /// Your own name for it; 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255, format = "printed")]
    pub name: String,
    /// What it permits: for each object and action, `not_allowed`, `allowed_for_own` or `allowed`. What is not listed is not
    /// allowed.
    pub permissions: Permissions,
}

/// Changes to a role.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleEdit {
    /// Its name.
    #[schema(min_length = 1, max_length = 255, format = "printed")]
    pub name: Option<String>,
    /// Everything that it permits from now on.
    pub permissions: Option<Permissions>,
}

view! {
    /// A role.
    #[schema(as = Role)]
    pub struct RoleView(role: Role) {
        /// Its id.
        id: RoleId = role.id,
        /// For users of this entity; null: for users of all entities.
        #[schema(required)]
        entity_id: Option<EntityId> = role.entity,
        /// Your own name for it.
        name: String = role.name,
        /// What it permits.
        permissions: Permissions = role.permissions,
        /// The user who created it; null: the partner itself.
        #[schema(required)]
        created_by: Option<UserId> = role.created_by,
        /// When it was created.
        created_at: ApiTime = ApiTime(role.created_at),
        /// When it was last changed.
        updated_at: ApiTime = ApiTime(role.updated_at),
    }
}

impl AccountApi {
    pub(crate) async fn list_roles(
        &self,
        context: &RequestContext,
        page: PageRequest,
    ) -> Result<List<RoleView>, ApiError> {
        let roles = self.records.roles(&context.scope, &page).await?;
        Ok(roles.map(RoleView::new).into())
    }

    pub(crate) async fn create_role(&self, context: &RequestContext, new: NewRole) -> Result<RoleView, ApiError> {
        let mut validation = Validation::default();
        validation.check_text("/name", &new.name, MAX_NAME_CHARS);
        check_permissions(&mut validation, Some(&new.permissions));
        validation.finish()?;
        let now = self.now();
        let role = Role {
            id: RoleId::generate(context.rng.as_ref()),
            partner: context.scope.partner,
            entity: context.scope.entity,
            name: new.name,
            permissions: new.permissions,
            created_by: context.caller.user(),
            created_at: now,
            updated_at: now,
        };
        let audit = context.audit_entry("role.created", role.id, now);
        into_result(self.records.add_role(&role, &audit).await?, "").map(RoleView::new)
    }

    pub(crate) async fn get_role(&self, context: &RequestContext, id: RoleId) -> Result<RoleView, ApiError> {
        let role = self.records.role(&context.scope, id).await?;
        role.map(RoleView::new).ok_or(ApiError::NotFound)
    }

    pub(crate) async fn update_role(
        &self,
        context: &RequestContext,
        id: RoleId,
        edit: RoleEdit,
    ) -> Result<RoleView, ApiError> {
        let mut validation = Validation::default();
        validation.check_optional_text("/name", edit.name.as_ref(), MAX_NAME_CHARS);
        check_permissions(&mut validation, edit.permissions.as_ref());
        validation.finish()?;
        let change = RoleChange {
            name: edit.name,
            permissions: edit.permissions,
        };
        let audit = context.audit_entry("role.changed", id, self.now());
        let role = self.records.change_role(&context.scope, id, &change, &audit).await?;
        into_result(role, "").map(RoleView::new)
    }

    pub(crate) async fn delete_role(&self, context: &RequestContext, id: RoleId) -> Result<(), ApiError> {
        let audit = context.audit_entry("role.deleted", id, self.now());
        into_result(self.records.delete_role(&context.scope, id, &audit).await?, "")
    }
}

/// Only what does something can be granted: a role says what its users may do.
fn check_permissions(validation: &mut Validation, permissions: Option<&Permissions>) {
    for (object, action) in permissions.iter().flat_map(|permissions| permissions.meaningless()) {
        let pointer = format!("/permissions/{}/{}", json_name(&object), json_name(&action));
        validation.add(&pointer, "unknown", "there is no such action for this object");
    }
}
