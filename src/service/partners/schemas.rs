//! Schemas that cannot be derived from a type.

use utoipa::openapi::schema::{AdditionalProperties, KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::core::access::{Object, Permission, Permissions};
use crate::records::{IntentState, LinkState, StatementSource};

/// The format that stands for [`PRINTABLE_PATTERN`] in the sources.
pub const PRINTABLE_FORMAT: &str = "printed";

/// What `Validation::check_text` accepts: no control characters, and not blank.
pub const PRINTABLE_PATTERN: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";

pub fn enum_schema(description: &str, words: &[&str]) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(words.iter().copied()))
}

pub fn id_schema(description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
        .description(Some(description))
}

pub(super) fn environments() -> ObjectBuilder {
    enum_schema("The environment of its keys.", &["sandbox", "live"])
}

pub(super) fn delivery_states() -> ObjectBuilder {
    enum_schema(
        "`pending`: being sent or retried; `delivered`; `failed`: not retried any more.",
        &["pending", "delivered", "failed"],
    )
}

pub(super) fn statement_sources() -> ObjectBuilder {
    enum_schema(
        "How it came in: by the partner's token, by the operator's command, or from the configuration.",
        &StatementSource::ALL.map(StatementSource::as_str),
    )
}

pub(super) fn erasure_states() -> ObjectBuilder {
    enum_schema(
        "The progress: `begun`, `blanked` (only live state is left) or `done`.",
        &["begun", "blanked", "done"],
    )
}

pub(super) fn erasure_waits() -> ObjectBuilder {
    let waits = ["attempts", "links", "work", "store", "readers"];
    ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::SchemaType::from_iter([
            Type::String,
            Type::Null,
        ]))
        .description(Some("What it is waiting for, if anything."))
        .enum_values(Some(
            waits
                .into_iter()
                .map(serde_json::Value::from)
                .chain([serde_json::Value::Null]),
        ))
}

fn closed_schema(schema: ObjectBuilder, description: &str) -> RefOr<Schema> {
    schema
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
        .description(Some(description))
        .into()
}

pub fn intent_states() -> ObjectBuilder {
    let states = IntentState::ALL.map(IntentState::as_str);
    enum_schema("The state.", &states)
}

pub fn link_states() -> ObjectBuilder {
    let states = LinkState::VISIBLE.map(LinkState::as_str);
    enum_schema(
        "The state. `removing`: out of use, the provider has not confirmed yet; `expired`: the consent is over.",
        &states,
    )
}

pub(super) fn session_states() -> ObjectBuilder {
    enum_schema(
        "`pending`: waiting for the bank; `waiting`: waiting for the subscriber; `linked`; `failed`: the last login failed, \
         though the subscriber may try again.",
        &["pending", "waiting", "linked", "failed"],
    )
}

pub(super) fn sms_states() -> ObjectBuilder {
    enum_schema(
        "`queued`, or `stopped` if the subscriber has opted out of SMS. Only in the response to a request with `sms`.",
        &["queued", "stopped"],
    )
}

pub(super) fn expectations() -> utoipa::openapi::schema::ArrayBuilder {
    let each = enum_schema("What is compared.", &["account_number", "holder_name"]);
    utoipa::openapi::schema::ArrayBuilder::new()
        .items(each)
        .description(Some(
            "What the linked account is compared with. The values are never shown.",
        ))
}

pub(super) fn suggestions() -> utoipa::openapi::schema::ArrayBuilder {
    let names = ["institution", "auth_method", "username", "account_number"];
    utoipa::openapi::schema::ArrayBuilder::new()
        .items(enum_schema("What is offered.", &names))
        .description(Some("What the subscriber is offered. The values are never shown."))
}

impl PartialSchema for Permissions {
    fn schema() -> RefOr<Schema> {
        let objects = Object::ALL.into_iter().fold(ObjectBuilder::new(), |schema, object| {
            let actions = object.actions().iter().fold(ObjectBuilder::new(), |schema, action| {
                schema.property(json_name(action), Ref::from_schema_name(Permission::name()))
            });
            let description = "Permission by action. What is not listed is not allowed.";
            schema.property(json_name(&object), closed_schema(actions, description))
        });
        closed_schema(
            objects,
            "Permitted actions by object. What is not listed is not allowed.",
        )
    }
}

impl ToSchema for Permissions {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Permission::name().into_owned(), Permission::schema()));
    }
}

/// The name in JSON.
pub(super) fn json_name(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}
