//! Schemas that cannot be read off a type.

use utoipa::openapi::schema::{AdditionalProperties, KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::core::access::{Action, Object, Permission, Permissions};
use crate::records::{IntentState, LinkState};

/// The format, in the sources, of texts that [`PRINTABLE_PATTERN`] is about.
pub const PRINTABLE_FORMAT: &str = "printed";

/// What `Validation::text` takes: no control character, and something that is not blank.
pub const PRINTABLE_PATTERN: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";

/// One of these words.
pub fn enum_schema(description: &str, words: &[&str]) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(words.iter().copied()))
}

/// An id.
pub fn id_schema(description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
        .description(Some(description))
}

pub(super) fn environments() -> ObjectBuilder {
    enum_schema("The side that its keys work on.", &["sandbox", "live"])
}

pub(super) fn delivery_states() -> ObjectBuilder {
    enum_schema(
        "`pending`: it is sent, or sent again; `delivered`; `failed`: it is not sent again by itself.",
        &["pending", "delivered", "failed"],
    )
}

pub(super) fn erasure_states() -> ObjectBuilder {
    enum_schema(
        "How far it is: `begun`, `blanked` (only what is live is still there) or `done`.",
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
        .description(Some("What it last had to wait for, if anything."))
        .enum_values(Some(
            waits
                .into_iter()
                .map(serde_json::Value::from)
                .chain([serde_json::Value::Null]),
        ))
}

/// What may be done to one kind of object.
const ACTIONS: &str = "Actions";

fn closed_schema(schema: ObjectBuilder, description: &str) -> RefOr<Schema> {
    schema
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
        .description(Some(description))
        .into()
}

/// Where a link intent stands.
pub fn intent_states() -> ObjectBuilder {
    let states = IntentState::ALL.map(IntentState::as_str);
    enum_schema("Where it stands.", &states)
}

/// Where a link stands.
pub fn link_states() -> ObjectBuilder {
    let states = LinkState::VISIBLE.map(LinkState::as_str);
    enum_schema(
        "Where it stands. `removing`: out of use, and the provider is still to be told.",
        &states,
    )
}

pub(super) fn session_states() -> ObjectBuilder {
    enum_schema(
        "`pending`: the bank's answer is awaited; `waiting`: it is the person's turn; `linked`; `failed`: the last login came \
         to nothing, though the person may try again.",
        &["pending", "waiting", "linked", "failed"],
    )
}

pub(super) fn sms_states() -> ObjectBuilder {
    enum_schema(
        "`queued`, or `stopped` where the person wants no texts. Only in the answer to a request that asked for a text.",
        &["queued", "stopped"],
    )
}

pub(super) fn expectations() -> utoipa::openapi::schema::ArrayBuilder {
    let each = enum_schema("What is compared.", &["account_number", "holder_name"]);
    utoipa::openapi::schema::ArrayBuilder::new()
        .items(each)
        .description(Some(
            "What is compared with the linked account. The values are not shown again.",
        ))
}

impl PartialSchema for Permissions {
    fn schema() -> RefOr<Schema> {
        let objects = Object::ALL.into_iter().fold(ObjectBuilder::new(), |schema, object| {
            schema.property(json_name(&object), Ref::from_schema_name(ACTIONS))
        });
        closed_schema(
            objects,
            "Object to what may be done to it. What is not listed is not allowed.",
        )
    }
}

impl ToSchema for Permissions {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        let actions = Action::ALL.into_iter().fold(ObjectBuilder::new(), |schema, action| {
            schema.property(json_name(&action), Ref::from_schema_name(Permission::name()))
        });
        let actions = closed_schema(actions, "Action to permission. What is not listed is not allowed.");
        schemas.push((ACTIONS.to_owned(), actions));
        schemas.push((Permission::name().into_owned(), Permission::schema()));
    }
}

/// As it is written in JSON.
fn json_name(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}
