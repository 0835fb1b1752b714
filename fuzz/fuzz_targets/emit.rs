//! Takes any JSON value, writes it in block and flow form, and makes sure that our reader and a second one read it back
//! unchanged; never reads a file.
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use capv_ipam::yaml::{Chunk, Flow, Layout, Limits, Tree, emit};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Number, Value, json};

#[derive(Debug)]
struct Any(Map<String, Value>);

impl<'a> Arbitrary<'a> for Any {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Any(mapping(bytes, 0)?))
    }
}

fn mapping(bytes: &mut Unstructured<'_>, depth: usize) -> Result<Map<String, Value>> {
    (0..bytes.int_in_range(0..=4_usize)?)
        .map(|_| Ok((text(bytes)?, value(bytes, depth + 1)?)))
        .collect()
}

fn text(bytes: &mut Unstructured<'_>) -> Result<String> {
    let text = String::arbitrary(bytes)?;
    Ok(if bytes.ratio(1, 50)? { text.repeat(200) } else { text })
}

fn value(bytes: &mut Unstructured<'_>, depth: usize) -> Result<Value> {
    Ok(match bytes.int_in_range(0..=if depth < 12 { 8 } else { 6 })? {
        0 => Value::Null,
        1 => json!(bool::arbitrary(bytes)?),
        2 => json!(i64::arbitrary(bytes)?),
        3 => json!(u64::arbitrary(bytes)?),
        4 => number(f64::arbitrary(bytes)?),
        5 | 6 => Value::String(text(bytes)?),
        7 => (0..bytes.int_in_range(0..=4_usize)?)
            .map(|_| value(bytes, depth + 1))
            .collect::<Result<Value>>()?,
        _ => Value::Object(mapping(bytes, depth)?),
    })
}

/// A float without a fraction is an integer in JSON.
fn number(float: f64) -> Value {
    if float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0 {
        json!(float as i64)
    } else {
        Number::from_f64(float).map_or(Value::Null, Value::Number)
    }
}

fn longest_key(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(longest_key).max().unwrap_or(0),
        Value::Object(map) => {
            let keys = map.iter().map(|(key, value)| emit::string(key, true).len().max(longest_key(value)));
            keys.max().unwrap_or(0)
        }
        _ => 0,
    }
}

fn reads_back(written: &str, wanted: &Value) {
    let limits = Limits::default();
    let tree = Tree::parse(&Chunk::alone(written), &limits).expect("what was written is YAML");
    let read = tree.value(tree.root().expect("a document"), &limits).expect("a value");
    assert_eq!(read, *wanted, "{written}");
    // The other reader knows nothing of Go's rules: what it reads alike is safe by YAML 1.2 as well.
    let other: Value = serde_yaml::from_str(written).expect("the second reader accepts it");
    assert_eq!(other, *wanted, "{written}");
}

fuzz_target!(|any: Any| {
    let wanted = Value::Object(any.0.clone());
    for (line_break, step, indented_lists) in [("\n", 2, false), ("\r\n", 4, true)] {
        let layout = Layout {
            line_break,
            step,
            indented_lists,
        };
        let written = emit::document(&any.0, layout);
        if !any.0.is_empty() {
            reads_back(&written, &wanted);
        }
    }
    if longest_key(&wanted) > 1_000 {
        return; // a key that long has no flow form
    }
    for json in [false, true] {
        for spaced_colons in [false, true] {
            let lines = spaced_colons.then(|| emit::Lines {
                line_break: "\n",
                prefix: "  ".to_owned(),
                unit: "  ".to_owned(),
            });
            let flow = Flow {
                json,
                spaced_colons,
                spaced_commas: spaced_colons,
                lines,
            };
            let written = emit::flow_value(&wanted, &flow);
            reads_back(&written, &wanted);
            if json {
                assert_eq!(serde_json::from_str::<Value>(&written).expect("JSON"), wanted);
            }
        }
    }
});
