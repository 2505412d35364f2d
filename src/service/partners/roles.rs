//! Roles: what users may do, under a name. One made within an entity is for its users alone.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ApiError, Asked, Faults, List, Office, Roles, When, answered};
use crate::core::access::{Permissions, Refused};
use crate::core::ids::{EntityId, RoleId, UserId};
use crate::core::page::Page;
use crate::records::{Role, RoleChange};

/// Characters of a name, at most.
const NAME: usize = 255;

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
    pub created_at: When,
    /// When it was last changed.
    pub updated_at: When,
}

impl From<Role> for RoleView {
    fn from(role: Role) -> Self {
        Self {
            id: role.id,
            entity_id: role.entity,
            name: role.name,
            permissions: role.permissions,
            created_by: role.created_by,
            created_at: When(role.created_at),
            updated_at: When(role.updated_at),
        }
    }
}

#[async_trait]
impl Roles for Office {
    async fn roles(&self, asked: &Asked, page: Page) -> Result<List<RoleView>, ApiError> {
        let roles = self.records.roles(&asked.reach, &page).await?;
        Ok(roles.map(RoleView::from).into())
    }

    async fn add_role(&self, asked: &Asked, new: NewRole) -> Result<RoleView, ApiError> {
        let mut faults = Faults::default();
        faults.text("/name", &new.name, NAME);
        faults.end()?;
        grantable(asked, Some(&new.permissions))?;
        let now = self.now();
        let role = Role {
            id: RoleId::draw(asked.fresh.as_ref()),
            partner: asked.reach.partner,
            entity: asked.reach.entity,
            name: new.name,
            permissions: new.permissions,
            created_by: asked.caller.user(),
            created_at: now,
            updated_at: now,
        };
        let deed = asked.deed("role.created", role.id, now);
        answered(self.records.add_role(&role, &deed).await?, "").map(RoleView::from)
    }

    async fn role(&self, asked: &Asked, id: RoleId) -> Result<RoleView, ApiError> {
        let role = self.records.role(&asked.reach, id).await?;
        role.map(RoleView::from).ok_or(ApiError::NotFound)
    }

    async fn change_role(&self, asked: &Asked, id: RoleId, edit: RoleEdit) -> Result<RoleView, ApiError> {
        let mut faults = Faults::default();
        faults.text_if("/name", edit.name.as_ref(), NAME);
        faults.end()?;
        grantable(asked, edit.permissions.as_ref())?;
        let change = RoleChange {
            name: edit.name,
            permissions: edit.permissions,
        };
        let deed = asked.deed("role.changed", id, self.now());
        let role = self.records.change_role(&asked.reach, id, &change, &deed).await?;
        answered(role, "").map(RoleView::from)
    }

    async fn end_role(&self, asked: &Asked, id: RoleId) -> Result<(), ApiError> {
        let deed = asked.deed("role.deleted", id, self.now());
        answered(self.records.end_role(&asked.reach, id, &deed).await?, "")
    }
}

/// Nobody hands out more than they have.
fn grantable(asked: &Asked, permissions: Option<&Permissions>) -> Result<(), ApiError> {
    if permissions.is_none_or(|permissions| asked.caller.may_grant(permissions)) {
        Ok(())
    } else {
        Err(Refused::Role.into())
    }
}
