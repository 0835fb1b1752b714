//! Takes any text as a ResourceList: what is read in portions is what is read as a whole, the answer never loses an item, and
//! without a configuration no byte changes; never looks at what the items mean.
#![no_main]

use capv_ipam::krm::{End, answer};
use capv_ipam::yaml::{BlockList, Chunk, Kind, Limits, NodeId, Tree};
use libfuzzer_sys::fuzz_target;

const HEAD: &str = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n";
const CONFIG: &str = "functionConfig:\n  apiVersion: capv-ipam.dev/v1alpha1\n  kind: StaticAddressing\n  spec:\n    kubeVip: remove\n    \
                      pools:\n    - {name: fuzz, machines: [all], addresses: [192.0.2.10-192.0.2.99], prefix: 24}\n";

/// A node in a form that two trees can be compared by: kinds, texts, anchors and tags.
fn shape(tree: &Tree<'_>, node: NodeId) -> Vec<String> {
    let one = |node: NodeId| {
        let text = tree.scalar(node).filter(|_| !matches!(tree.kind(node), Kind::Alias));
        format!("{:?} {:?} {:?} {:?}", tree.kind(node), text, tree.anchor(node), tree.tag(node))
    };
    tree.below(node).map(one).collect()
}

/// The items as the portions give them; `None` where the text is read as a whole.
fn in_portions(text: &str, limits: &Limits) -> Option<Vec<Vec<String>>> {
    let block = BlockList::find(text, "items", 1)?;
    block.envelope(text, "items", limits)?;
    let mut items = Vec::new();
    for portion in &block.portions {
        let tree = Tree::parse(&Chunk::alone(&text[portion.clone()]), limits).ok()?;
        let root = tree.root()?;
        if tree.kind(root) != (Kind::Sequence { flow: false }) {
            return None;
        }
        items.extend(tree.items(root).map(|item| shape(&tree, item)));
    }
    Some(items)
}

fn portions_are_the_whole(text: &str) {
    // An item in a portion lies one level less deep.
    let (limits, deeper) = (Limits::default(), Limits { depth: 210, ..Limits::default() });
    let Some(portions) = in_portions(text, &limits) else { return };
    let whole = Tree::parse(&Chunk::alone(text), &deeper).expect("portions that parse make a whole that parses");
    let root = whole.root().expect("there are items");
    if whole.entries(root).filter(|(key, _)| whole.scalar(*key) == Some("items")).count() > 1 {
        // A key that occurs twice is refused, whichever of the two was read.
        return;
    }
    let list = whole.get(root, "items").expect("under their key");
    let items: Vec<Vec<String>> = whole.items(list).map(|item| shape(&whole, item)).collect();
    assert_eq!(items, portions);
}

fn count(text: &str) -> Option<usize> {
    let tree = Tree::parse(&Chunk::alone(text.trim_start_matches('\u{feff}')), &Limits::default()).ok()?;
    let list = tree.get(tree.root()?, "items")?;
    Some(tree.items(list).count())
}

fn answered(text: &str) {
    let answer = answer(text, false);
    let Some(edits) = &answer.edits else {
        assert_eq!(answer.end, End::Unusable);
        assert!(!answer.lines.is_empty(), "nobody is told why");
        return;
    };
    let output = edits.splice(text);
    let (before, after) = (count(text), count(&output));
    assert!(after.is_some() && after >= before, "items are lost:\n{output}");
    assert!(answer.end == End::Done || after == before, "items are added in spite of an error:\n{output}");
}

fuzz_target!(|text: &str| {
    portions_are_the_whole(text);
    answered(text);
    let list = format!("{HEAD}{text}\n");
    portions_are_the_whole(&list);
    answered(&list);
    let configured = format!("{list}{CONFIG}");
    portions_are_the_whole(&configured);
    answered(&configured);
});
