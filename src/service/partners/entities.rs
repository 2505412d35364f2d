//! Entities: brands and branches of a partner, which own its users and what these make.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::views::present;
use super::{ApiError, Asked, Entities, Faults, List, Office, When, answered};
use crate::core::ids::{EntityId, RoleId};
use crate::core::page::Page;
use crate::records::{Entity, EntityChange};

/// Characters of a name, at most.
const NAME: usize = 255;
/// Where the default role stands in a request.
const ROLE: &str = "/default_role_id";

/// An entity to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEntity {
    /// As people know it; 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255, format = "printed")]
    pub name: String,
    /// The role of its users who have none of their own; one that is for all entities.
    pub default_role_id: Option<RoleId>,
}

/// What is to be different in an entity.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntityEdit {
    /// Its name.
    #[schema(min_length = 1, max_length = 255, format = "printed")]
    pub name: Option<String>,
    /// The role of its users who have none of their own; null: those may do nothing.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<RoleId>)]
    pub default_role_id: Option<Option<RoleId>>,
}

/// An entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Entity)]
pub struct EntityView {
    /// Its id, for the header `Kiungo-Entity-Id`.
    pub id: EntityId,
    /// As people know it.
    pub name: String,
    /// The role of its users who have none of their own; null: those may do nothing.
    #[schema(required)]
    pub default_role_id: Option<RoleId>,
    /// When it was made.
    pub created_at: When,
    /// When it was last changed.
    pub updated_at: When,
}

impl From<Entity> for EntityView {
    fn from(entity: Entity) -> Self {
        Self {
            id: entity.id,
            name: entity.name,
            default_role_id: entity.default_role,
            created_at: When(entity.created_at),
            updated_at: When(entity.updated_at),
        }
    }
}

#[async_trait]
impl Entities for Office {
    async fn entities(&self, asked: &Asked, page: Page) -> Result<List<EntityView>, ApiError> {
        let entities = self.records.entities(&asked.reach, &page).await?;
        Ok(entities.map(EntityView::from).into())
    }

    async fn add_entity(&self, asked: &Asked, new: NewEntity) -> Result<EntityView, ApiError> {
        let mut faults = Faults::default();
        faults.text("/name", &new.name, NAME);
        faults.end()?;
        let now = self.now();
        let entity = Entity {
            id: EntityId::draw(asked.fresh.as_ref()),
            partner: asked.reach.partner,
            name: new.name,
            default_role: new.default_role_id,
            created_at: now,
            updated_at: now,
        };
        let deed = asked.deed("entity.created", entity.id, now);
        answered(self.records.add_entity(&entity, &deed).await?, ROLE).map(EntityView::from)
    }

    async fn entity(&self, asked: &Asked, id: EntityId) -> Result<EntityView, ApiError> {
        let entity = self.records.entity(&asked.reach, id).await?;
        entity.map(EntityView::from).ok_or(ApiError::NotFound)
    }

    async fn change_entity(&self, asked: &Asked, id: EntityId, edit: EntityEdit) -> Result<EntityView, ApiError> {
        let mut faults = Faults::default();
        faults.text_if("/name", edit.name.as_ref(), NAME);
        faults.end()?;
        let change = EntityChange {
            name: edit.name,
            default_role: edit.default_role_id,
        };
        let deed = asked.deed("entity.changed", id, self.now());
        let entity = self.records.change_entity(&asked.reach, id, &change, &deed).await?;
        answered(entity, ROLE).map(EntityView::from)
    }

    async fn end_entity(&self, asked: &Asked, id: EntityId) -> Result<(), ApiError> {
        let deed = asked.deed("entity.deleted", id, self.now());
        answered(self.records.end_entity(&asked.reach, id, &deed).await?, ROLE)
    }
}
