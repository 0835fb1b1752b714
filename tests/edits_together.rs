//! Changes of one document that meet: a list that shrinks or grows where its mapping gets a key, parts that go beside each other, a part that goes with a change inside it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use capv_ipam::yaml::{Chunk, Editor, Limits, NodeId, Reason, Refusal, Tree};
use serde_json::{Value, json};
use support::{CHOOSE_CP, run, template, value, values};

/// Follows keys and indices (as text) from the root.
fn at(tree: &Tree<'_>, path: &[&str]) -> NodeId {
    path.iter()
        .fold(tree.root().unwrap(), |node, step| match step.parse::<usize>() {
            Ok(index) => tree.items(node).nth(index).unwrap(),
            Err(_) => tree.get(node, step).unwrap(),
        })
}

fn edit(
    text: &str,
    change: impl FnOnce(&Tree<'_>, &mut Editor<'_, '_>) -> Result<(), Refusal>,
) -> Result<String, Reason> {
    let tree = Tree::parse(&Chunk::alone(text), &Limits::default()).unwrap();
    let mut editor = Editor::new(&tree, Limits::default());
    change(&tree, &mut editor).map_err(|refusal| refusal.reason)?;
    let edits = editor.finish().map_err(|refusal| refusal.reason)?;
    Ok(edits.splice(text))
}

/// Brings `list` to the wanted items and then gives the mapping that holds it a key.
fn list_and_key(text: &str, path: &[&str], items: Value) -> Result<String, Reason> {
    edit(text, |tree, editor| {
        editor.bring(at(tree, path), "list", &items)?;
        editor.set(at(tree, path), "new", &json!("key"))
    })
}

/// Without a final line end and with one, as far as the wanted text has it.
fn both_ends(text: &str, wanted: &str, change: impl Fn(&Tree<'_>, &mut Editor<'_, '_>) -> Result<(), Refusal>) {
    for end in ["", "\n"] {
        // A text of one line does not tell what its line ends are.
        for line_break in if text.contains('\n') {
            &["\n", "\r\n"][..]
        } else {
            &["\n"]
        } {
            let ended = |text: &str| format!("{}{end}", text.trim_end_matches('\n')).replace('\n', line_break);
            let found = edit(&ended(text), &change);
            assert_eq!(found, Ok(ended(wanted)), "{:?}", ended(text));
        }
    }
}

#[test]
fn a_list_that_shrinks_makes_room_for_the_key_behind_it() {
    let cases = [
        ("list:\n- a\n- b\n- c", "list:\n- x\nnew: key"),
        ("list: # l\n  - a # a\n  - b # b\n", "list: # l\n  - x # a\nnew: key"),
        ("list:\n- a\n# about b\n- b", "list:\n- x\nnew: key\n# about b"),
        ("list:\n- a\n- b\n# below", "list:\n- x\nnew: key\n# below"),
        ("list: [a, b, c]", "list: [x]\nnew: key"),
        ("list:\n- - a\n  - b\n- c", "list:\n- x\nnew: key"),
    ];
    for (text, wanted) in cases {
        if !text.contains("- - ") {
            both_ends(text, wanted, |tree, editor| {
                editor.bring(at(tree, &[]), "list", &json!(["x"]))?;
                editor.set(at(tree, &[]), "new", &json!("key"))
            });
        }
        let inside = text.replace('\n', "\n    ");
        let text = format!("items:\n  - {inside}\n  - other\n");
        let output = list_and_key(&text, &["items", "0"], json!(["x"])).unwrap();
        assert_eq!(
            value(&output).unwrap(),
            json!({"items": [{"list": ["x"], "new": "key"}, "other"]}),
            "{output}"
        );
    }
}

#[test]
fn a_list_that_grows_stands_before_the_key_behind_it() {
    let cases = [
        ("list:\n- a", "list:\n- x\n- z\nnew: key"),
        ("list:\n  - a # a", "list:\n  - x # a\n  - z\nnew: key"),
        ("list: [a]", "list: [x, z]\nnew: key"),
        ("list:", "list:\n- x\n- z\nnew: key"),
        ("list: # none", "list: # none\n- x\n- z\nnew: key"),
        ("list: []", "list: [x, z]\nnew: key"),
    ];
    for (text, wanted) in cases {
        both_ends(text, wanted, |tree, editor| {
            editor.bring(at(tree, &[]), "list", &json!(["x", "z"]))?;
            editor.set(at(tree, &[]), "new", &json!("key"))
        });
    }
}

#[test]
fn keys_of_mappings_that_end_together_stand_in_their_own_mapping() {
    both_ends(
        "a:\n  b:\n    c: 1",
        "a:\n  b:\n    c: 1\n    e: 3\n  d: 2\nx: 1",
        |tree, editor| {
            editor.set(at(tree, &[]), "x", &json!(1))?;
            editor.set(at(tree, &["a"]), "d", &json!(2))?;
            editor.set(at(tree, &["a", "b"]), "e", &json!(3))
        },
    );
}

#[test]
fn a_mapping_that_loses_its_last_entry_gets_its_key_where_that_stood() {
    both_ends(
        "a: 1\nb:\n  c: 2\n  d: 3",
        "a: 1\nb:\n  c: 2\nnew: key",
        |tree, editor| {
            editor.remove_entry(at(tree, &["b"]), "d")?;
            editor.set(at(tree, &[]), "new", &json!("key"))
        },
    );
    both_ends("a: 1\nb:\n- c", "a: 1\nb: []\nnew: key", |tree, editor| {
        editor.remove_items(at(tree, &["b"]), &[0])?;
        editor.set(at(tree, &[]), "new", &json!("key"))
    });
    both_ends("a: 1\nb: # l\n- c # i", "a: 1\nb: [] # l\nnew: key", |tree, editor| {
        editor.remove_items(at(tree, &["b"]), &[0])?;
        editor.set(at(tree, &[]), "new", &json!("key"))
    });
}

#[test]
fn parts_that_go_beside_each_other_take_one_line_end() {
    both_ends("a:\n- 1\n- 2\nb:\n- 3", "a:\n- 1", |tree, editor| {
        editor.remove_items(at(tree, &["a"]), &[1])?;
        editor.remove_entry(at(tree, &[]), "b")
    });
    both_ends("a:\n- 1\n- 2\nb: 1\nc: 1\nd: 1", "a:\n- 1", |tree, editor| {
        editor.remove_items(at(tree, &["a"]), &[1])?;
        editor.remove_entry(at(tree, &[]), "b")?;
        editor.remove_entry(at(tree, &[]), "c")?;
        editor.remove_entry(at(tree, &[]), "d")
    });
    both_ends(
        "a:\n- 1\n# two\n- 2\n# b\nb: 1",
        "a:\n- 1\n# two\n# b",
        |tree, editor| {
            editor.remove_items(at(tree, &["a"]), &[1])?;
            editor.remove_entry(at(tree, &[]), "b")
        },
    );
}

#[test]
fn a_block_scalar_that_comes_to_stand_last_keeps_its_value() {
    // The line end is part of the value of the first, of the second it is not.
    let without_b = |text: &str| edit(text, |tree, editor| editor.remove_entry(at(tree, &[]), "b"));
    assert_eq!(without_b("a: |\n  x\nb: 1").unwrap(), "a: |\n  x\n");
    assert_eq!(without_b("a: >\n  x\nb:\n  c: 1").unwrap(), "a: >\n  x\n");
    assert_eq!(without_b("a: |-\n  x\nb: 1").unwrap(), "a: |-\n  x");
    assert_eq!(without_b("a: |+\n  x\n\nb: 1").unwrap(), "a: |+\n  x\n\n");
    assert_eq!(without_b("a: |\n  x\n# c\nb: 1").unwrap(), "a: |\n  x\n# c");
}

#[test]
fn blank_lines_behind_several_parts_that_go_do_not_end_up_in_the_scalar_before() {
    let text = "a: |+\n  x\n\nb: 1\n\nc: 2\n\n\nd: 3\n";
    let output = edit(text, |tree, editor| {
        editor.remove_entry(at(tree, &[]), "b")?;
        editor.remove_entry(at(tree, &[]), "c")
    });
    assert_eq!(output.unwrap(), "a: |+\n  x\n\nd: 3\n");
    let text = "l:\n- a: |+\n    x\n\n- b\n\nc: 2\n\nd: 3\n";
    let output = edit(text, |tree, editor| {
        editor.remove_items(at(tree, &["l"]), &[1])?;
        editor.remove_entry(at(tree, &[]), "c")
    });
    assert_eq!(output.unwrap(), "l:\n- a: |+\n    x\n\nd: 3\n");
    // A comment between them ends the scalar, so the blank lines stay.
    let text = "a: |+\n  x\n\n# b\nb: 1\n\nc: 2\n";
    let output = edit(text, |tree, editor| editor.remove_entry(at(tree, &[]), "b"));
    assert_eq!(output.unwrap(), "a: |+\n  x\n\n# b\n\nc: 2\n");
}

#[test]
fn everything_goes_and_something_new_comes() {
    for (text, wanted) in [
        ("l:\n- a: 1", "l:\n- b: 2\n  c: 3"),
        ("l:\n- a: 1 # old", "l:\n- b: 2\n  c: 3 # old"),
        ("l:\n- {a: 1}", "l:\n- {b: 2, c: 3}"),
        ("l:\n- {\"a\": 1}", "l:\n- {\"b\": 2, \"c\": 3}"),
    ] {
        both_ends(text, wanted, |tree, editor| {
            editor.set(at(tree, &["l", "0"]), "b", &json!(2))?;
            editor.remove_entry(at(tree, &["l", "0"]), "a")?;
            editor.set(at(tree, &["l", "0"]), "c", &json!(3))
        });
    }
}

#[test]
fn a_block_with_an_anchor_becomes_short_behind_it() {
    for (text, wanted) in [
        ("a: &x\n  b: 1\nc: 2", "a: &x {}\nc: 2"),
        ("a: &x # note\n  b: 1 # gone", "a: &x {} # note"),
        ("a: &x\n- b\nc: 2", "a: &x []\nc: 2"),
        ("a: !!seq # note\n- b\nc: 2", "a: !!seq [] # note\nc: 2"),
        ("l:\n- &x\n  b: 1\n- c", "l:\n- &x\n  {}\n- c"),
    ] {
        both_ends(text, wanted, |tree, editor| {
            let path: &[&str] = if text.starts_with('l') { &["l", "0"] } else { &["a"] };
            editor.remove_entry(at(tree, path), "b")?;
            editor.remove_items(at(tree, path), &[0])
        });
    }
    both_ends("a: &x\n  b: 1\nc: 2", "a: &x 1\nc: 2", |tree, editor| {
        editor.set(at(tree, &[]), "a", &json!(1))
    });
    both_ends("a: # note\n  b: 1\nc: 2", "a: [] # note\nc: 2", |tree, editor| {
        editor.set(at(tree, &[]), "a", &json!([]))
    });
    both_ends("a:\n  b: 1", "a: []", |tree, editor| {
        editor.set(at(tree, &[]), "a", &json!([]))
    });
}

#[test]
fn what_changes_inside_a_part_that_goes_goes_with_it() {
    let text = "a:\n- b: 1\n  c: [x]\n- d: 2\n";
    let change = |tree: &Tree<'_>, editor: &mut Editor<'_, '_>| {
        editor.set(at(tree, &["a", "0"]), "b", &json!(5))?;
        editor.set(at(tree, &["a", "0"]), "new", &json!(5))?;
        editor.remove_entry(at(tree, &["a", "0"]), "c")?;
        editor.insert_item(at(tree, &["a", "0", "c"]), 0, &json!(5))?;
        editor.remove_items(at(tree, &["a"]), &[0])
    };
    assert_eq!(edit(text, change).unwrap(), "a:\n- d: 2\n");
}

#[test]
fn a_value_that_is_set_twice_has_the_later_value() {
    let twice = |tree: &Tree<'_>, editor: &mut Editor<'_, '_>| {
        editor.set(at(tree, &[]), "a", &json!(2))?;
        editor.set(at(tree, &[]), "a", &json!(3))
    };
    assert_eq!(edit("a: 1\n", twice).unwrap(), "a: 3\n");
    let back = |tree: &Tree<'_>, editor: &mut Editor<'_, '_>| {
        editor.set(at(tree, &[]), "a", &json!(2))?;
        editor.set(at(tree, &[]), "a", &json!(1))
    };
    assert_eq!(edit("a: 1\n", back).unwrap(), "a: 1\n");
}

#[test]
fn a_change_inside_a_value_that_is_replaced_is_no_silent_loss() {
    let change = |tree: &Tree<'_>, editor: &mut Editor<'_, '_>| {
        editor.set(at(tree, &[]), "a", &json!({}))?;
        editor.set(at(tree, &["a"]), "c", &json!(3))
    };
    assert!(matches!(edit("a:\n  b: 1\n", change), Err(Reason::Verification(_))));
    assert!(matches!(edit("a: {b: 1}\n", change), Err(Reason::Verification(_))));
}

#[test]
fn flow_lists_lose_and_gain_in_one_go() {
    for (text, wanted) in [
        ("l: [a, b, c]", "l: [a, x]"),
        ("l: [a, b, ]", "l: [a, x, ]"),
        ("l: [ a, b ,]", "l: [ a, x ,]"),
        ("l: [\n  a,\n  b,\n  ]", "l: [\n  a,\n  x,\n  ]"),
    ] {
        both_ends(text, wanted, |tree, editor| {
            let places: Vec<usize> = (1..tree.items(at(tree, &["l"])).count()).collect();
            editor.remove_items(at(tree, &["l"]), &places)?;
            editor.insert_item(at(tree, &["l"]), usize::MAX, &json!("x"))
        });
    }
    for (text, wanted) in [
        ("l: [a,]", "l: [a, x, z]"),
        ("l: [a, ]", "l: [a, x, z ]"),
        ("l: [\n  a,\n]", "l: [\n  a,\n  x,\n  z\n]"),
        ("l: [a]", "l: [a, x, z]"),
        ("l: []", "l: [x, z]"),
    ] {
        both_ends(text, wanted, |tree, editor| {
            editor.insert_item(at(tree, &["l"]), 9, &json!("x"))?;
            editor.insert_item(at(tree, &["l"]), 9, &json!("z"))
        });
    }
    // Before an item that goes is before the next one that stays.
    for text in ["l: [a, b, c]\n", "l:\n- a\n- b\n- c\n"] {
        for (place, wanted) in [(0, ["x", "a", "c"]), (1, ["a", "x", "c"]), (2, ["a", "x", "c"])] {
            let output = edit(text, |tree, editor| {
                editor.remove_items(at(tree, &["l"]), &[1])?;
                editor.insert_item(at(tree, &["l"]), place, &json!("x"))
            });
            let output = output.unwrap();
            assert_eq!(value(&output).unwrap(), json!({ "l": wanted }), "{output}");
        }
    }
}

#[test]
fn items_of_a_list_that_are_right_already_stay_with_their_comments() {
    let bring =
        |text: &str, wanted: Value| edit(text, |tree, editor| editor.bring(at(tree, &[]), "l", &wanted)).unwrap();
    let text = "l:\n- a # a\n- b # b\n- c # c\n";
    assert_eq!(bring(text, json!(["b", "c"])), "l:\n- b # b\n- c # c\n");
    assert_eq!(bring(text, json!(["a", "c"])), "l:\n- a # a\n- c # c\n");
    assert_eq!(bring(text, json!(["a", "b"])), "l:\n- a # a\n- b # b\n");
    assert_eq!(
        bring(text, json!(["x", "a", "b", "c"])),
        "l:\n- x\n- a # a\n- b # b\n- c # c\n"
    );
    assert_eq!(
        bring(text, json!(["a", "x", "z", "c"])),
        "l:\n- a # a\n- x # b\n- z\n- c # c\n"
    );
    assert_eq!(
        bring(text, json!(["a", "a", "b", "c"])),
        "l:\n- a # a\n- a\n- b # b\n- c # c\n"
    );
    assert_eq!(bring("l: [a, b, c]\n", json!(["b", "c"])), "l: [b, c]\n");
    assert_eq!(
        bring("l: [a, b, c]\n", json!(["x", "a", "b", "c"])),
        "l: [x, a, b, c]\n"
    );
    // Items of which a part is not named are brought to what is wanted in their place.
    let text = "l:\n- {a: 1, z: 9}\n- {a: 2}\n";
    assert_eq!(bring(text, json!([{"a": 1}, {"a": 2}])), text);
    assert_eq!(bring(text, json!([{"a": 2}])), "l:\n- {a: 2}\n");
}

#[test]
fn name_servers_become_fewer_before_the_pool_of_a_nic() {
    let config = CHOOSE_CP
        .replace("  pools:", "  binding: addressesFromPools\n  pools:")
        .replace(
            "    gateway: 192.0.2.1\n",
            "    gateway: 192.0.2.1\n    dnsServers: [192.0.2.53]\n",
        );
    for servers in [
        "\n          nameservers:\n          - 10.0.0.53\n          - 10.0.0.54",
        "\n          nameservers: # two\n            - 10.0.0.53 # one\n            - 10.0.0.54 # other",
        "\n          nameservers: [10.0.0.53, 10.0.0.54]",
    ] {
        let text = template(
            " {name: cp}",
            &format!("\n        - networkName: a\n          dhcp4: true{servers}"),
        );
        let output = run(&text, &config).expect(&text);
        let template = values(&output).unwrap().pop().unwrap();
        let nic = &template["spec"]["template"]["spec"]["network"]["devices"][0];
        assert_eq!(nic["nameservers"], json!(["192.0.2.53"]), "{output}");
        assert_eq!(nic["addressesFromPools"][0]["name"], "cp-pool", "{output}");
    }
}

#[test]
fn kube_vip_goes_from_two_lists_at_the_end_of_a_text_without_a_final_line_end() {
    let kube_vip = "    files:\n    - path: /etc/own\n      content: x\n    - path: /etc/kube-vip.hosts\n      content: y\n    \
                    preKubeadmCommands:\n    - /etc/kube-vip-prepare.sh";
    let config = "apiVersion: capv-ipam.dev/v1alpha1\nkind: StaticAddressing\nspec: {kubeVip: remove}\n";
    for end in ["", "\n"] {
        let text = format!(
            "apiVersion: controlplane.cluster.x-k8s.io/v1beta1\nkind: KubeadmControlPlane\nmetadata: {{name: cp}}\nspec:\n  \
             kubeadmConfigSpec:\n{kube_vip}{end}"
        );
        let output = run(&text, config).expect(&text);
        let wanted = json!({ "files": [{ "path": "/etc/own", "content": "x" }] });
        assert_eq!(
            value(&output).unwrap()["spec"]["kubeadmConfigSpec"],
            wanted,
            "{output:?}"
        );
    }
}

/// A pool that is there with these entries, and the template that it is for.
fn with_pool(entries: &str) -> String {
    format!(
        "apiVersion: ipam.metal3.io/v1alpha1\nkind: IPPool\nmetadata:\n  name: cp-pool\nspec:\n  namePrefix: cp-pool\n  prefix: 24\n  \
         pools:{entries}\n---\n{}",
        template(" {name: cp}", "\n        - networkName: a\n          dhcp4: true")
    )
}

#[test]
fn a_subnet_becomes_a_range() {
    for entries in [
        "\n  - subnet: 192.0.2.0/24",
        "\n  - subnet: 192.0.2.0/24 # old\n    prefix: 24",
        "\n    - prefix: 24\n      subnet: 192.0.2.0/24",
        " [{subnet: 192.0.2.0/24}]",
        " [{\"subnet\": \"192.0.2.0/24\"}]",
        "\n  - subnet: 192.0.2.0/24\n  - subnet: 198.51.100.0/24",
        "\n  - start: 192.0.2.10\n    end: 192.0.2.12\n  - subnet: 198.51.100.0/24\n    gateway: 198.51.100.1",
    ] {
        let text = with_pool(entries);
        let output = run(&text, CHOOSE_CP).expect(&text);
        let pool = &values(&output).unwrap()[0];
        let mut entries = pool["spec"]["pools"].as_array().unwrap().clone();
        assert_eq!(entries.len(), 1, "{output}");
        let entry = entries[0].as_object_mut().unwrap();
        entry.shift_remove("prefix");
        assert_eq!(
            Value::Object(entry.clone()),
            json!({"start": "192.0.2.10", "end": "192.0.2.14"}),
            "{output}"
        );
        let again = run(&output, CHOOSE_CP).expect(&output);
        assert_eq!(again, output);
    }
}
