//! The JSON schema of StaticAddressing, made from the structure that reads it, so that an editor and the program agree on every key.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::backend_format::Format;
use super::configuration::StaticAddressing;

/// The schema for editors: draft 7, which all of them know.
#[must_use]
pub fn json_schema() -> Value {
    let settings = SchemaSettings::draft07().with_transform(RecursiveTransform(leave_out_null_defaults));
    settings
        .into_generator()
        .into_root_schema_for::<StaticAddressing>()
        .to_value()
}

/// A key without a default is left out, not written as null: editors would offer that.
fn leave_out_null_defaults(schema: &mut Schema) {
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
}

/// The schema as Kubernetes' tools read it: OpenAPI 3.0, nothing referred to.
#[must_use]
pub fn open_api_schema() -> Value {
    let settings = SchemaSettings::openapi3().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let settings = settings.with_transform(RecursiveTransform(leave_out_null_defaults));
    settings
        .into_generator()
        .into_root_schema_for::<StaticAddressing>()
        .to_value()
}

/// The names of formats of member lists.
pub(super) fn formats(_: &mut SchemaGenerator) -> Schema {
    let names = Format::ALL.map(Format::name);
    json_schema!({"type": "array", "items": {"type": "string", "enum": names}})
}
