//! Roles: what users may do, under a name. One made within an entity is for its users alone.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AccountApi, ApiError, ApiTime, List, RequestContext, Roles, Validation, into_result};
use crate::core::access::{AccessDenied, Permissions};
use crate::core::ids::{EntityId, RoleId, UserId};
use crate::core::page::PageRequest;
use crate::records::{Role, RoleChange};

/// Characters of a name, at most.
const MAX_NAME_CHARS: usize = 255;

/// A role to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRole {
    /// As you call it; 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255, format = "printed")]
    pub name: String,
    /// What it allows: object to action to `not_allowed`, `allowed_for_own` or `allowed`. What is not listed is not allowed.
    pub permissions: Permissions,
}

/// What is to be different in a role.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleEdit {
    /// Its name.
    #[schema(min_length = 1, max_length = 255, format = "printed")]
    pub name: Option<String>,
    /// All that it allows from now on.
    pub permissions: Option<Permissions>,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Role)]
pub struct RoleView {
    /// Its id.
    pub id: RoleId,
    /// For users of this entity; null: for those of all.
    #[schema(required)]
    pub entity_id: Option<EntityId>,
    /// As you call it.
    pub name: String,
    /// What it allows.
    pub permissions: Permissions,
    /// The user who made it; null: the partner itself.
    #[schema(required)]
    pub created_by: Option<UserId>,
    /// When it was made.
    pub created_at: ApiTime,
    /// When it was last changed.
    pub updated_at: ApiTime,
}

impl From<Role> for RoleView {
    fn from(role: Role) -> Self {
        Self {
            id: role.id,
            entity_id: role.entity,
            name: role.name,
            permissions: role.permissions,
            created_by: role.created_by,
            created_at: ApiTime(role.created_at),
            updated_at: ApiTime(role.updated_at),
        }
    }
}

#[async_trait]
impl Roles for AccountApi {
    async fn list_roles(&self, asked: &RequestContext, page: PageRequest) -> Result<List<RoleView>, ApiError> {
        let roles = self.records.roles(&asked.reach, &page).await?;
        Ok(roles.map(RoleView::from).into())
    }

    async fn create_role(&self, asked: &RequestContext, new: NewRole) -> Result<RoleView, ApiError> {
        let mut faults = Validation::default();
        faults.check_text("/name", &new.name, MAX_NAME_CHARS);
        faults.finish()?;
        check_grantable(asked, Some(&new.permissions))?;
        let now = self.now();
        let role = Role {
            id: RoleId::generate(asked.rng.as_ref()),
            partner: asked.reach.partner,
            entity: asked.reach.entity,
            name: new.name,
            permissions: new.permissions,
            created_by: asked.caller.user(),
            created_at: now,
            updated_at: now,
        };
        let deed = asked.audit_entry("role.created", role.id, now);
        into_result(self.records.add_role(&role, &deed).await?, "").map(RoleView::from)
    }

    async fn get_role(&self, asked: &RequestContext, id: RoleId) -> Result<RoleView, ApiError> {
        let role = self.records.role(&asked.reach, id).await?;
        role.map(RoleView::from).ok_or(ApiError::NotFound)
    }

    async fn update_role(&self, asked: &RequestContext, id: RoleId, edit: RoleEdit) -> Result<RoleView, ApiError> {
        let mut faults = Validation::default();
        faults.check_optional_text("/name", edit.name.as_ref(), MAX_NAME_CHARS);
        faults.finish()?;
        check_grantable(asked, edit.permissions.as_ref())?;
        let change = RoleChange {
            name: edit.name,
            permissions: edit.permissions,
        };
        let deed = asked.audit_entry("role.changed", id, self.now());
        let role = self.records.change_role(&asked.reach, id, &change, &deed).await?;
        into_result(role, "").map(RoleView::from)
    }

    async fn delete_role(&self, asked: &RequestContext, id: RoleId) -> Result<(), ApiError> {
        let deed = asked.audit_entry("role.deleted", id, self.now());
        into_result(self.records.delete_role(&asked.reach, id, &deed).await?, "")
    }
}

/// Nobody hands out more than they have.
fn check_grantable(asked: &RequestContext, permissions: Option<&Permissions>) -> Result<(), ApiError> {
    if permissions.is_none_or(|permissions| asked.caller.may_grant(permissions)) {
        Ok(())
    } else {
        Err(AccessDenied::Role.into())
    }
}
