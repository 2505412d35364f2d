//! Entities: brands and branches of a partner, which own its users and what they create.

use serde::Deserialize;
use utoipa::ToSchema;

use super::account_api::AccountApi;
use super::context::RequestContext;
use super::error::{ApiError, into_result};
use super::validation::{OtherBusinesses, Validation};
use super::views::{ApiTime, List};
use super::views::{deserialize_nullable, view};
use crate::core::ids::{EntityId, RoleId};
use crate::core::page::PageRequest;
use crate::records::{Entity, EntityChange};

const MAX_NAME_CHARS: usize = 255;
const ROLE_POINTER: &str = "/default_role_id";

/// An entity to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEntity {
    /// The name that people know; 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255, format = "printed")]
    pub name: String,
    /// The role of its users who have none of their own; it must be for all entities.
    pub default_role_id: Option<RoleId>,
}

/// Changes to an entity.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntityEdit {
    /// Its name.
    #[schema(min_length = 1, max_length = 255, format = "printed")]
    pub name: Option<String>,
    /// The role of its users who have none of their own; null: they may do nothing.
    #[serde(default, deserialize_with = "deserialize_nullable")]
    #[schema(value_type = Option<RoleId>)]
    pub default_role_id: Option<Option<RoleId>>,
}

view! {
    /// An entity.
    #[schema(as = Entity)]
    pub struct EntityView(entity: Entity) {
        /// Its id, for the header `Kiungo-Entity-Id`.
        id: EntityId = entity.id,
        /// The name that people know.
        name: String = entity.name,
        /// The role of its users who have none of their own; null: they may do nothing.
        #[schema(required)]
        default_role_id: Option<RoleId> = entity.default_role,
        /// When it was created.
        created_at: ApiTime = ApiTime(entity.created_at),
        /// When it was last changed.
        updated_at: ApiTime = ApiTime(entity.updated_at),
    }
}

impl AccountApi {
    pub(crate) async fn list_entities(
        &self,
        context: &RequestContext,
        page: PageRequest,
    ) -> Result<List<EntityView>, ApiError> {
        let entities = self.records.entities(&context.scope, &page).await?;
        Ok(entities.map(EntityView::new).into())
    }

    pub(crate) async fn create_entity(&self, context: &RequestContext, new: NewEntity) -> Result<EntityView, ApiError> {
        let mut validation = Validation::default();
        validation.check_text("/name", &new.name, MAX_NAME_CHARS);
        let others = OtherBusinesses::of(self.records.as_ref(), &self.catalogue, context.scope.partner).await?;
        validation.check_attribution("/name", &new.name, &others);
        validation.finish()?;
        let now = self.now();
        let entity = Entity {
            id: EntityId::generate(context.rng.as_ref()),
            partner: context.scope.partner,
            name: new.name,
            default_role: new.default_role_id,
            created_at: now,
            updated_at: now,
        };
        let audit = context.audit_entry("entity.created", entity.id, now);
        into_result(self.records.add_entity(&entity, &audit).await?, ROLE_POINTER).map(EntityView::new)
    }

    pub(crate) async fn get_entity(&self, context: &RequestContext, id: EntityId) -> Result<EntityView, ApiError> {
        let entity = self.records.entity(&context.scope, id).await?;
        entity.map(EntityView::new).ok_or(ApiError::NotFound)
    }

    pub(crate) async fn update_entity(
        &self,
        context: &RequestContext,
        id: EntityId,
        edit: EntityEdit,
    ) -> Result<EntityView, ApiError> {
        let mut validation = Validation::default();
        if let Some(name) = &edit.name {
            validation.check_text("/name", name, MAX_NAME_CHARS);
            let others = OtherBusinesses::of(self.records.as_ref(), &self.catalogue, context.scope.partner).await?;
            validation.check_attribution("/name", name, &others);
        }
        validation.finish()?;
        let change = EntityChange {
            name: edit.name,
            default_role: edit.default_role_id,
        };
        let audit = context.audit_entry("entity.changed", id, self.now());
        let entity = self.records.change_entity(&context.scope, id, &change, &audit).await?;
        into_result(entity, ROLE_POINTER).map(EntityView::new)
    }

    pub(crate) async fn delete_entity(&self, context: &RequestContext, id: EntityId) -> Result<(), ApiError> {
        let audit = context.audit_entry("entity.deleted", id, self.now());
        into_result(
            self.records.delete_entity(&context.scope, id, &audit).await?,
            ROLE_POINTER,
        )
    }
}
