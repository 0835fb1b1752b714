//! Takes an answer of the API server, gives it without `metadata.managedFields`, which is often its larger half: as large as
//! `status.indexes` in a pool. Nothing here reads it, and no write of ours holds it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// An object, a list of objects, or anything else.
#[derive(Clone, Debug)]
pub(super) struct Lean(pub(super) Value);

impl<'de> serde::Deserialize<'de> for Lean {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Part { is_metadata: false }.deserialize(from).map(Lean)
    }
}

/// A value below an object.
struct Part {
    is_metadata: bool,
}

impl<'de> DeserializeSeed<'de> for Part {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(Part { is_metadata: false })? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if self.is_metadata && key == "managedFields" {
                entries.next_value::<IgnoredAny>()?;
                continue;
            }
            let is_metadata = key == "metadata";
            all.insert(key, entries.next_value_seed(Part { is_metadata })?);
        }
        Ok(Value::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_fields_owners_are_left_out() {
        let text = r#"{"a":[1,-2,3.5,null,true,"x\n"],"managedFields":1,
            "items":[{"metadata":{"name":"n","managedFields":[{"f:a":{}}],"labels":{"managedFields":"l"}}}]}"#;
        let mut whole: Value = serde_json::from_str(text).unwrap();
        let lean: Lean = serde_json::from_str(text).unwrap();
        let metadata = whole.pointer_mut("/items/0/metadata").unwrap();
        metadata.as_object_mut().unwrap().remove("managedFields");
        assert_eq!(lean.0, whole);
    }
}
