//! The JSON schema of StaticAddressing, made from the structure that reads it, so that an editor and the program agree on every key.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::configuration::StaticAddressing;

/// The schema for editors: draft 7, which all of them know.
#[must_use]
pub fn json_schema() -> Value {
    let generator = SchemaSettings::draft07().into_generator();
    generator.into_root_schema_for::<StaticAddressing>().to_value()
}

/// The schema as Kubernetes' tools read it: OpenAPI 3.0, nothing referred to.
#[must_use]
pub fn open_api_schema() -> Value {
    let settings = SchemaSettings::openapi3().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    settings
        .into_generator()
        .into_root_schema_for::<StaticAddressing>()
        .to_value()
}
