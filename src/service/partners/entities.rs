//! Entities: brands and branches of a partner, which own its users and what these make.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::views::deserialize_nullable;
use super::{AccountApi, ApiError, ApiTime, Entities, List, RequestContext, Validation, into_result};
use crate::core::ids::{EntityId, RoleId};
use crate::core::page::PageRequest;
use crate::records::{Entity, EntityChange};

/// Characters of a name, at most.
const MAX_NAME_CHARS: usize = 255;
/// Where the default role stands in a request.
const ROLE_POINTER: &str = "/default_role_id";

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
    #[serde(default, deserialize_with = "deserialize_nullable")]
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
    pub created_at: ApiTime,
    /// When it was last changed.
    pub updated_at: ApiTime,
}

impl From<Entity> for EntityView {
    fn from(entity: Entity) -> Self {
        Self {
            id: entity.id,
            name: entity.name,
            default_role_id: entity.default_role,
            created_at: ApiTime(entity.created_at),
            updated_at: ApiTime(entity.updated_at),
        }
    }
}

#[async_trait]
impl Entities for AccountApi {
    async fn list_entities(&self, asked: &RequestContext, page: PageRequest) -> Result<List<EntityView>, ApiError> {
        let entities = self.records.entities(&asked.reach, &page).await?;
        Ok(entities.map(EntityView::from).into())
    }

    async fn create_entity(&self, asked: &RequestContext, new: NewEntity) -> Result<EntityView, ApiError> {
        let mut faults = Validation::default();
        faults.check_text("/name", &new.name, MAX_NAME_CHARS);
        faults.finish()?;
        let now = self.now();
        let entity = Entity {
            id: EntityId::generate(asked.rng.as_ref()),
            partner: asked.reach.partner,
            name: new.name,
            default_role: new.default_role_id,
            created_at: now,
            updated_at: now,
        };
        let deed = asked.audit_entry("entity.created", entity.id, now);
        into_result(self.records.add_entity(&entity, &deed).await?, ROLE_POINTER).map(EntityView::from)
    }

    async fn get_entity(&self, asked: &RequestContext, id: EntityId) -> Result<EntityView, ApiError> {
        let entity = self.records.entity(&asked.reach, id).await?;
        entity.map(EntityView::from).ok_or(ApiError::NotFound)
    }

    async fn update_entity(
        &self,
        asked: &RequestContext,
        id: EntityId,
        edit: EntityEdit,
    ) -> Result<EntityView, ApiError> {
        let mut faults = Validation::default();
        faults.check_optional_text("/name", edit.name.as_ref(), MAX_NAME_CHARS);
        faults.finish()?;
        let change = EntityChange {
            name: edit.name,
            default_role: edit.default_role_id,
        };
        let deed = asked.audit_entry("entity.changed", id, self.now());
        let entity = self.records.change_entity(&asked.reach, id, &change, &deed).await?;
        into_result(entity, ROLE_POINTER).map(EntityView::from)
    }

    async fn delete_entity(&self, asked: &RequestContext, id: EntityId) -> Result<(), ApiError> {
        let deed = asked.audit_entry("entity.deleted", id, self.now());
        into_result(self.records.delete_entity(&asked.reach, id, &deed).await?, ROLE_POINTER)
    }
}
