//! Takes the text of a ResourceList and gives its items, functionConfig and results with their bytes; a text that is none is refused as a whole.

use std::ops::Range;

use super::item::{Identity, Item, ItemFault, duplicates};
use crate::objects::Cursor;
use crate::yaml::{BlockList, Chunk, Kind, Limits, NodeId, SyntaxError, Tree, stray_byte_order_mark};

/// Bytes of items that are parsed together: many portions spread over the cores, and each is long beside the start of a parser.
const PORTION: usize = 16 << 10;
const ITEMS: &str = "items";

/// A ResourceList.
pub(super) struct ResourceList<'a> {
    /// Its text, without a byte order mark.
    pub(super) text: &'a str,
    pub(super) layout: Layout,
    /// The items that are objects, in order.
    pub(super) items: Vec<Item<'a>>,
    /// What is wrong with items, in order.
    pub(super) faults: Vec<ItemFault>,
    /// How many items there are, objects or not.
    pub(super) count: usize,
    pub(super) config: Option<FunctionConfig>,
    /// Results of functions before this one are in it.
    pub(super) has_results: bool,
}

/// How the items are laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// In lines of their own, each item apart from the others.
    Block(BlockList),
    /// In any other way: the document is read as a whole.
    Whole,
}

/// Where the functionConfig stands.
pub(super) struct FunctionConfig {
    /// Bytes that are a document by themselves.
    pub(super) range: Range<usize>,
    /// It has the annotation by which kustomize finds its functions.
    pub(super) names_function: bool,
    /// It is the ConfigMap that kpt makes from its arguments.
    pub(super) from_kpt: bool,
    pub(super) identity: Option<Identity<'static>>,
    pub(super) path: Option<String>,
}

/// Why a text is no ResourceList, and where.
#[derive(Clone, Debug)]
pub(super) struct Unreadable {
    pub(super) problem: String,
    pub(super) at: usize,
}

impl Unreadable {
    fn new(problem: impl Into<String>, at: usize) -> Self {
        Unreadable {
            problem: problem.into(),
            at,
        }
    }

    /// No YAML. Nobody sees a byte order mark, so one before the place is named beside the parser's words.
    fn syntax(text: &str, error: &SyntaxError) -> Self {
        let mut problem = format!("it is not YAML: {}", error.problem);
        if let Some((what, _)) = &error.context {
            problem.push_str(&format!(" {what}"));
        }
        if stray_byte_order_mark(text).is_some_and(|mark| mark <= error.at) {
            problem.push_str(", behind a byte order mark (U+FEFF, which most editors do not show)");
        }
        Unreadable::new(problem, error.at)
    }
}

impl<'a> ResourceList<'a> {
    /// Reads a list.
    pub(super) fn read(text: &'a str, limits: &Limits) -> Result<Self, Unreadable> {
        match Self::read_block(text, limits) {
            Some(list) => list,
            None => Self::read_whole(text, limits),
        }
    }

    /// A list whose items stand in lines of their own; `None` where that cannot be told without reading it as a whole.
    fn read_block(text: &'a str, limits: &Limits) -> Option<Result<Self, Unreadable>> {
        let block = BlockList::find(text, ITEMS, PORTION)?;
        let envelope = block.envelope(text, ITEMS, limits)?;
        let tree = Tree::parse(&Chunk::alone(&envelope), limits).ok()?;
        let cut = block.list.start;
        let gap = block.list.len();
        let place = |at: usize| if at < cut { at } else { at + gap };
        let head = match Head::read(&tree) {
            Ok(head) => head,
            Err(error) => return Some(Err(Unreadable::new(error.problem, place(error.at)))),
        };
        let portions = crate::parallel::map(&block.portions, 2, |portion| read_portion(text, portion, limits));
        let mut list = ResourceList {
            text,
            layout: Layout::Whole,
            items: Vec::new(),
            faults: Vec::new(),
            count: 0,
            config: head.config.map(|config| FunctionConfig {
                range: place(config.range.start)..place(config.range.end),
                ..config
            }),
            has_results: head.has_results,
        };
        for portion in portions {
            list.take(portion?);
        }
        list.layout = Layout::Block(block);
        Some(Ok(list))
    }

    fn read_whole(text: &'a str, limits: &Limits) -> Result<Self, Unreadable> {
        let tree = Tree::parse(&Chunk::alone(text), limits).map_err(|error| Unreadable::syntax(text, &error))?;
        let head = Head::read(&tree)?;
        let Some(items) = head.items else {
            return Err(Unreadable::new("it has no `items`", 0));
        };
        if !matches!(tree.kind(items), Kind::Sequence { .. }) {
            return Err(Unreadable::new("its `items` are no list", tree.span(items).start));
        }
        let mut list = ResourceList {
            text,
            layout: Layout::Whole,
            items: Vec::new(),
            faults: Vec::new(),
            count: 0,
            config: head.config,
            has_results: head.has_results,
        };
        let ranges: Vec<_> = tree
            .items(items)
            .map(|item| (item, tree.span(tree.target(item))))
            .collect();
        list.take(read_items(&tree, 0, ranges));
        Ok(list)
    }

    fn take(&mut self, portion: Portion<'a>) {
        let before = self.count;
        self.count += portion.count;
        self.items.extend(portion.items);
        self.faults.extend(portion.faults.into_iter().map(|fault| ItemFault {
            index: before + fault.index,
            ..fault
        }));
    }

    /// The item that holds an offset.
    pub(super) fn item_at(&self, at: usize) -> Option<&Item<'a>> {
        let after = self.items.partition_point(|item| item.range.start <= at);
        let item = self.items.get(after.checked_sub(1)?)?;
        (at <= item.range.end).then_some(item)
    }
}

/// Items that were read together.
struct Portion<'a> {
    count: usize,
    items: Vec<Item<'a>>,
    faults: Vec<ItemFault>,
}

/// A portion of a block list; `None` when it does not parse by itself.
fn read_portion<'a>(text: &'a str, portion: &Range<usize>, limits: &Limits) -> Option<Portion<'a>> {
    let tree = Tree::parse(&Chunk::alone(&text[portion.clone()]), limits).ok()?;
    let root = tree.root()?;
    if tree.kind(root) != (Kind::Sequence { flow: false }) {
        return None;
    }
    let lines = tree.item_lines(root);
    let moved = lines
        .into_iter()
        .map(|range| portion.start + range.start..portion.start + range.end);
    let ranges = tree.items(root).zip(moved).collect();
    Some(read_items(&tree, portion.start, ranges))
}

fn read_items<'a>(tree: &Tree<'a>, base: usize, ranges: Vec<(NodeId, Range<usize>)>) -> Portion<'a> {
    let mut portion = Portion {
        count: ranges.len(),
        items: Vec::with_capacity(ranges.len()),
        faults: Vec::new(),
    };
    for (index, (node, range)) in ranges.into_iter().enumerate() {
        let at = Cursor {
            tree,
            base,
            node: tree.target(node),
        };
        match Item::read(at, range) {
            Ok(item) => portion.items.push(item),
            Err(fault) => portion.faults.push(ItemFault { index, ..fault }),
        }
        let twice = duplicates(tree, base, node);
        portion
            .faults
            .extend(twice.into_iter().map(|fault| ItemFault { index, ..fault }));
    }
    portion
}

/// What stands around the items.
struct Head {
    items: Option<NodeId>,
    config: Option<FunctionConfig>,
    has_results: bool,
}

impl Head {
    fn read(tree: &Tree<'_>) -> Result<Self, Unreadable> {
        let Some(root) = tree.root() else {
            return Err(Unreadable::new("it is empty", 0));
        };
        let at = Cursor {
            tree,
            base: 0,
            node: root,
        };
        let start = tree.span(root).start;
        if !matches!(tree.kind(root), Kind::Mapping { .. }) {
            return Err(Unreadable::new("it is no mapping", start));
        }
        if let Some(twice) = duplicates_of(tree, root) {
            return Err(twice);
        }
        let (Some(_), Some(kind)) = (at.text_of("apiVersion"), at.text_of("kind")) else {
            return Err(Unreadable::new("it has no apiVersion or no kind", start));
        };
        if !["ResourceList", "List"].contains(&&*kind.value) {
            let problem = format!("it is a {}, not a ResourceList", kind.value);
            return Err(Unreadable::new(problem, kind.span.start as usize));
        }
        let results = tree.get(root, "results").filter(|results| !tree.is_null(*results));
        if let Some(results) = results.filter(|results| !matches!(tree.kind(*results), Kind::Sequence { .. })) {
            return Err(Unreadable::new("its `results` are no list", tree.span(results).start));
        }
        let config = at.get("functionConfig").filter(|config| !tree.is_null(config.node));
        Ok(Head {
            items: tree.get(root, ITEMS),
            config: config.map(FunctionConfig::read),
            has_results: tree.get(root, "results").is_some(),
        })
    }
}

fn duplicates_of(tree: &Tree<'_>, root: NodeId) -> Option<Unreadable> {
    let keys: Vec<NodeId> = tree.entries(root).map(|(key, _)| key).collect();
    let again = |(place, key): (usize, &NodeId)| {
        keys[..place]
            .iter()
            .any(|other| tree.scalar(*other) == tree.scalar(*key))
    };
    let (_, key) = keys.iter().enumerate().find(|(place, key)| again((*place, key)))?;
    let name = tree.scalar(*key).unwrap_or_default();
    Some(Unreadable::new(
        format!("its key `{name}` occurs twice"),
        tree.span(*key).start,
    ))
}

impl FunctionConfig {
    fn read(at: Cursor<'_, '_>) -> Self {
        let tree = at.tree;
        let annotations = at.get("metadata").and_then(|metadata| metadata.get("annotations"));
        let annotation = |key: &str| annotations.and_then(|annotations| annotations.text_of(key));
        let identity = Identity::read(at).map(Identity::into_owned);
        let from_kpt = identity
            .as_ref()
            .is_some_and(|identity| identity.kind == "ConfigMap" && identity.name == "function-input");
        FunctionConfig {
            range: tree.lines_of_value(at.node),
            names_function: annotation("config.kubernetes.io/function").is_some(),
            from_kpt,
            identity,
            path: crate::objects::carried::PATH
                .into_iter()
                .find_map(annotation)
                .map(|path| path.value.into_owned()),
        }
    }
}
