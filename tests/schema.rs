//! The published JSON schema of StaticAddressing is the one that the types give, and says what the program says about every configuration of the repository.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use std::path::{Path, PathBuf};

use capv_ipam::addressing::read_configurations;
use capv_ipam::addressing::schema::json_schema;
use capv_ipam::yaml::{Limits, Tree, chunks, is_bare};
use serde_json::{Value, json};

const PUBLISHED: &str = "schema/static-addressing.schema.json";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_published_schema_is_current() {
    let current = format!("{:#}\n", json_schema());
    let path = root().join(PUBLISHED);
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &current).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        published, current,
        "UPDATE_FIXTURES=1 cargo test --test schema writes it"
    );
}

/// The configurations of the repository.
fn configurations(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            configurations(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            let text = std::fs::read_to_string(&path).unwrap();
            if text.contains("\nkind: StaticAddressing") {
                found.push(path);
            }
        }
    }
}

fn documents(text: &str) -> Vec<Value> {
    let limits = Limits::default();
    let read = |chunk| {
        let tree = Tree::parse(&chunk, &limits).ok()?;
        tree.value(tree.root()?, &limits).ok()
    };
    chunks(text)
        .filter(|chunk| !is_bare(chunk.text))
        .filter_map(read)
        .collect()
}

#[test]
fn the_schema_accepts_what_the_program_accepts() {
    let validator = jsonschema::draft7::new(&json_schema()).unwrap();
    let mut files = Vec::new();
    configurations(&root().join("fixtures"), &mut files);
    configurations(&root().join("examples"), &mut files);
    let mut accepted = 0;
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        if read_configurations(&[(0, &text)], &json!({})).is_err() {
            continue;
        }
        for document in documents(&text) {
            let errors: Vec<String> = validator
                .iter_errors(&document)
                .map(|error| error.to_string())
                .collect();
            assert!(errors.is_empty(), "{}: {errors:?}", path.display());
            accepted += 1;
        }
    }
    assert!(accepted > 20, "{accepted}");
}

#[test]
fn the_schema_refuses_what_no_key_or_type_allows() {
    let validator = jsonschema::draft7::new(&json_schema()).unwrap();
    let right = json!({
        "apiVersion": "capv-ipam.dev/v1alpha1",
        "kind": "StaticAddressing",
        "metadata": {"name": "x", "annotations": {"a": "b"}},
        "spec": {"pools": [{"machines": ["control-plane"], "addresses": ["192.0.2.1"], "prefix": 24}], "kubeVip": "remove"},
    });
    assert!(validator.is_valid(&right));
    let wrong = [
        ("/apiVersion", json!("v1")),
        ("/kind", json!("Static")),
        ("/spec", json!([])),
        ("/spec/pool", json!([])),
        ("/spec/kubeVip", json!("maybe")),
        ("/spec/binding", json!("annotation")),
        ("/spec/verb", json!("destroy")),
        ("/spec/headroom", json!(-1)),
        ("/spec/pools/0/prefix", json!(129)),
        ("/spec/pools/0/adresses", json!([])),
        ("/spec/pools/0", json!({"addresses": ["192.0.2.1"], "prefix": 24})),
        ("/spec/pools/0", json!({"machines": ["control-plane"], "prefix": 24})),
        (
            "/spec/pools/0",
            json!({"machines": ["control-plane"], "addresses": ["192.0.2.1"]}),
        ),
        ("/spec/headroom", json!(4_294_967_296_u64)),
        ("/spec/backends", json!({"port": 0})),
        ("/spec/backends", json!({"port": 65536})),
        ("/spec/backends", json!({"routeDomain": 65535})),
        ("/spec/backends", json!({"outputs": ["nothing"]})),
        (
            "/spec/backends",
            json!({"services": [{"name": "a", "groups": ["workers"], "port": 65536}]}),
        ),
        ("/spec/pools/0/machines", json!("control-plane")),
        ("/spec/accept", json!([{"code": "CI203"}])),
    ];
    for (path, value) in wrong {
        let mut document = right.clone();
        let (holder, key) = path.rsplit_once('/').unwrap();
        let holder = document.pointer_mut(holder).unwrap();
        match (holder, key.parse::<usize>()) {
            (Value::Array(list), Ok(index)) => list[index] = value,
            (holder, _) => holder[key] = value,
        }
        assert!(!validator.is_valid(&document), "{path}");
        // The program says the same, with a place.
        assert!(
            read_configurations(&[(0, &document.to_string())], &json!({})).is_err(),
            "{path}"
        );
    }
}

#[test]
fn every_key_is_described() {
    fn walk(schema: &Value, path: &str) {
        for (key, value) in schema["properties"].as_object().into_iter().flatten() {
            let described = value["description"].is_string() || value["allOf"][0].is_object();
            assert!(described, "{path}/{key} has no description");
        }
        for (name, definition) in schema["definitions"].as_object().into_iter().flatten() {
            walk(definition, name);
        }
    }
    walk(&json_schema(), "");
}
