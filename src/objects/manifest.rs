//! Takes the texts of a run and gives the documents and objects that matter, and every input error; the rest is passed over unread.

use crate::yaml::{Chunk, Kind, Limits, Prefilter, SyntaxError, Tree, chunks, is_bare, stray_byte_order_mark};

use super::carried::LOCAL_CONFIG;
use super::cursor::{Cursor, Span};
use super::files::Files;
use super::object::Object;

/// One input of a run.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// What messages call it: a path, or `<stdin>`.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// A document that was read because it may matter.
pub struct Document<'a> {
    /// The index of its source.
    pub source: usize,
    /// Its text and where it starts.
    pub chunk: Chunk<'a>,
    /// How it is written.
    pub form: Form,
    tree: Option<Box<Tree<'a>>>,
}

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Between YAML's document markers.
    Yaml,
    /// One of several JSON values that follow each other without a marker.
    JsonStream,
}

/// Something about an input that makes it unreadable.
#[derive(Clone, Debug)]
pub struct InputError {
    /// The index of the source.
    pub source: usize,
    /// Where.
    pub span: Span,
    /// What.
    pub fault: InputFault,
}

/// The ways in which an input is unreadable.
#[derive(Clone, Debug)]
pub enum InputFault {
    /// Not YAML as libyaml and Go read it; the second place is where the broken thing began.
    Syntax(String, Option<(String, Span)>),
    /// A byte order mark past the start.
    ByteOrderMark,
    /// A ResourceList, which is a KRM function's input.
    ResourceList,
}

/// The documents and objects of all inputs together.
pub struct Manifest<'a> {
    /// The inputs.
    pub sources: &'a [Source<'a>],
    /// The documents that were read, in order.
    pub documents: Vec<Document<'a>>,
    /// The objects of Cluster API, CAPV and IPAM, in order.
    pub objects: Vec<Object<'a>>,
    /// The files that the objects come from, where their carrier says so.
    pub files: Files,
    limits: Limits,
    /// How many bytes of trees may still be kept.
    budget: usize,
}

/// Words of which every document that can matter holds one: all their API groups, and all references to them.
const WORDS: [&str; 2] = ["cluster.x-k8s.io", "ipam.metal3.io"];

/// Tells by a search for words which texts can hold an object that matters.
#[must_use]
pub fn prefilter() -> Prefilter {
    Prefilter::new(&WORDS)
}

impl<'a> Manifest<'a> {
    /// Reads all inputs.
    ///
    /// # Errors
    /// Input errors, one for each source: what follows the first is often only its echo.
    pub fn read(sources: &'a [Source<'a>], limits: Limits) -> Result<Self, Vec<InputError>> {
        let mut manifest = Manifest::empty(sources, limits);
        let filter = prefilter();
        let mut errors = Vec::new();
        for (source, input) in sources.iter().enumerate() {
            if let Some(at) = stray_byte_order_mark(input.text) {
                errors.push(InputError {
                    source,
                    span: Span::new(at..at + 3),
                    fault: InputFault::ByteOrderMark,
                });
                continue;
            }
            let mut batch = Batch::default();
            let mut chunks = chunks(input.text).peekable();
            while let Some(chunk) = chunks.next() {
                // The last document is always read, so that a stream that was cut off is noticed.
                let last = chunks.peek().is_none();
                if (last || filter.may_match(chunk.text)) && !is_bare(chunk.text) {
                    batch.push(source, chunk);
                }
                if last || batch.is_full() {
                    manifest.read_batch(std::mem::take(&mut batch), Wrapping::Refused, &mut errors);
                }
            }
        }
        errors.dedup_by_key(|error: &mut InputError| error.source);
        if errors.is_empty() { Ok(manifest) } else { Err(errors) }
    }

    /// Reads sources that are one document each: a portion of the items of a ResourceList as a list, or a whole one.
    ///
    /// # Errors
    /// As [`Manifest::read`].
    pub fn read_items(sources: &'a [Source<'a>], files: Files, limits: Limits) -> Result<Self, Vec<InputError>> {
        let mut manifest = Manifest {
            files,
            ..Manifest::empty(sources, limits)
        };
        let mut errors = Vec::new();
        let mut batch = Batch::default();
        for (source, input) in sources.iter().enumerate() {
            batch.push(source, Chunk::alone(input.text));
            if batch.is_full() || source + 1 == sources.len() {
                manifest.read_batch(std::mem::take(&mut batch), Wrapping::Accepted, &mut errors);
            }
        }
        if errors.is_empty() { Ok(manifest) } else { Err(errors) }
    }

    fn empty(sources: &'a [Source<'a>], limits: Limits) -> Self {
        let size: usize = sources.iter().map(|source| source.text.len()).sum();
        Manifest {
            sources,
            documents: Vec::new(),
            objects: Vec::new(),
            files: Files::default(),
            limits,
            // Trees save a second parse of the documents that change; past this they would cost too much memory.
            budget: (6 << 20) + size / 32,
        }
    }

    fn read_batch(&mut self, batch: Batch<'a>, wrapping: Wrapping, errors: &mut Vec<InputError>) {
        let worthwhile = if batch.bytes < PARALLEL { usize::MAX } else { 2 };
        let read = crate::parallel::map(&batch.chunks, worthwhile, |(source, chunk)| {
            read_chunk(*source, chunk, wrapping, &self.limits)
        });
        for ((source, _), documents) in batch.chunks.iter().zip(read) {
            for document in documents {
                match document {
                    Ok(document) => self.absorb(*source, document),
                    Err(error) => errors.push(error),
                }
            }
        }
    }

    fn absorb(&mut self, source: usize, read: ReadDocument<'a>) {
        if read.objects.is_empty() {
            return;
        }
        let document = self.documents.len() as u32;
        self.objects
            .extend(read.objects.into_iter().map(|object| Object { document, ..object }));
        let weight = read.tree.weight();
        let keep = weight <= self.budget;
        if keep {
            self.budget -= weight;
        }
        self.documents.push(Document {
            source,
            chunk: read.chunk,
            form: read.form,
            tree: keep.then(|| Box::new(read.tree)),
        });
    }

    /// Gives a document's nodes to a function, reading it again where they were not kept.
    pub fn with_tree<T>(&self, document: u32, use_tree: impl FnOnce(&Tree<'a>) -> T) -> T {
        let document = &self.documents[document as usize];
        match &document.tree {
            Some(tree) => use_tree(tree),
            None => match Tree::parse(&document.chunk, &self.limits) {
                Ok(tree) => use_tree(&tree),
                // The same text was parsed with the same limits before.
                Err(error) => unreachable!("a document that was read once: {error}"),
            },
        }
    }

    /// A cursor at an object, for the fields that are not kept.
    pub fn with_object<T>(&self, object: &Object<'a>, use_cursor: impl FnOnce(Cursor<'_, 'a>) -> T) -> T {
        let base = self.documents[object.document as usize].chunk.start;
        self.with_tree(object.document, |tree| {
            use_cursor(Cursor {
                tree,
                base,
                node: object.node,
            })
        })
    }

    /// The source of an object.
    #[must_use]
    pub fn source_of(&self, object: &Object<'_>) -> usize {
        self.documents[object.document as usize].source
    }

    /// The limits of reading.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }
}

/// Bytes of documents that are read together.
const BATCH: usize = 512 << 10;
/// Bytes of documents for which threads are worth their start.
const PARALLEL: usize = 128 << 10;

/// Documents that are read together.
#[derive(Default)]
struct Batch<'a> {
    chunks: Vec<(usize, Chunk<'a>)>,
    bytes: usize,
}

/// Whether a ResourceList may stand around the objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrapping {
    Accepted,
    Refused,
}

impl<'a> Batch<'a> {
    fn push(&mut self, source: usize, chunk: Chunk<'a>) {
        self.bytes += chunk.text.len();
        self.chunks.push((source, chunk));
    }

    fn is_full(&self) -> bool {
        self.bytes >= BATCH
    }
}

/// A document with its objects, whose numbers are not known yet.
struct ReadDocument<'a> {
    chunk: Chunk<'a>,
    form: Form,
    tree: Tree<'a>,
    objects: Vec<Object<'a>>,
}

/// The documents of a chunk: one, or several JSON values.
fn read_chunk<'a>(
    source: usize,
    chunk: &Chunk<'a>,
    wrapping: Wrapping,
    limits: &Limits,
) -> Vec<Result<ReadDocument<'a>, InputError>> {
    let read_document = |chunk, form, tree| read_document(source, chunk, form, wrapping, tree);
    let error = match Tree::parse(chunk, limits) {
        Ok(tree) => return vec![read_document(*chunk, Form::Yaml, tree)],
        Err(error) => error,
    };
    if let Some(document) = before_directive(chunk)
        && let Ok(tree) = Tree::parse(&document, limits)
    {
        return vec![read_document(document, Form::Yaml, tree)];
    }
    // `kubectl -o json` prints several objects one after the other.
    let Some(values) = json_values(chunk) else {
        return vec![Err(syntax(source, chunk, error))];
    };
    let read = |chunk: Chunk<'a>| match Tree::parse(&chunk, limits) {
        Ok(tree) => read_document(chunk, Form::JsonStream, tree),
        Err(error) => Err(syntax(source, &chunk, error)),
    };
    values.into_iter().map(read).collect()
}

/// libyaml accepts a directive of the next document right after a document, which the split sees as this one's end.
fn before_directive<'a>(chunk: &Chunk<'a>) -> Option<Chunk<'a>> {
    let at = memchr::memmem::rfind(chunk.text.as_bytes(), b"\n%")? + 1;
    let rest = &chunk.text[at..];
    let directives = rest
        .lines()
        .all(|line| line.trim().is_empty() || line.starts_with(['%', '#']));
    directives.then(|| chunk.part(0..at))
}

fn read_document<'a>(
    source: usize,
    chunk: Chunk<'a>,
    form: Form,
    wrapping: Wrapping,
    mut tree: Tree<'a>,
) -> Result<ReadDocument<'a>, InputError> {
    let mut objects = Vec::new();
    if let Some(node) = tree.root() {
        let at = Cursor {
            tree: &tree,
            base: chunk.start,
            node,
        };
        let kind = at.text_of("kind").map(|kind| kind.value).unwrap_or_default();
        if kind == "ResourceList" && wrapping == Wrapping::Refused {
            let span = at.get("kind").unwrap_or(at).span();
            return Err(InputError {
                source,
                span,
                fault: InputFault::ResourceList,
            });
        }
        // Objects outside Cluster API and IPAM are of no further interest.
        let known =
            |object: &Object<'_>| object.group().ends_with("cluster.x-k8s.io") || object.group() == "ipam.metal3.io";
        let portion =
            (wrapping == Wrapping::Accepted && matches!(tree.kind(node), Kind::Sequence { .. })).then_some(at);
        match portion.or_else(|| at.get("items").filter(|_| kind.ends_with("List"))) {
            Some(items) => {
                for (index, item) in items.items().enumerate() {
                    match list_within(item).filter(|_| wrapping == Wrapping::Accepted) {
                        Some(inner) => objects.extend(read_list(inner).filter(known)),
                        None => objects.extend(Object::read(item, Some((items.node, index as u32))).filter(known)),
                    }
                }
            }
            None => objects.extend(Object::read(at, None).filter(known)),
        }
    }
    tree.shrink();
    Ok(ReadDocument {
        chunk,
        form,
        tree,
        objects,
    })
}

/// The objects of a list.
fn read_list<'c, 'a>(list: Cursor<'c, 'a>) -> impl Iterator<Item = Object<'a>> + use<'c, 'a> {
    let items = list.items().enumerate();
    items.filter_map(move |(index, item)| Object::read(item, Some((list.node, index as u32))))
}

/// The objects' list of an item that is a List itself, unless it is for local tools.
fn list_within<'c, 'a>(item: Cursor<'c, 'a>) -> Option<Cursor<'c, 'a>> {
    let kind = item.text_of("kind")?;
    let inner = item.get("items").filter(|_| kind.value.ends_with("List"))?;
    let annotations = item.get("metadata").and_then(|metadata| metadata.get("annotations"));
    let local = annotations.and_then(|annotations| annotations.text_of(LOCAL_CONFIG));
    local.is_none_or(|local| local.value != "true").then_some(inner)
}

/// The JSON values of a chunk that holds several.
fn json_values<'a>(chunk: &Chunk<'a>) -> Option<Vec<Chunk<'a>>> {
    let text = chunk.text;
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    let mut pieces = Vec::new();
    let mut start = 0;
    while let Some(value) = values.next() {
        value.ok()?;
        let end = values.byte_offset();
        let trimmed = start + (text[start..end].len() - text[start..end].trim_start().len());
        pieces.push(chunk.part(trimmed..end));
        start = end;
    }
    (pieces.len() > 1).then_some(pieces)
}

fn syntax(source: usize, chunk: &Chunk<'_>, error: SyntaxError) -> InputError {
    let place = |at: usize| {
        let at = (chunk.start + at).min(chunk.range().end);
        Span::new(at..at)
    };
    InputError {
        source,
        span: place(error.at),
        fault: InputFault::Syntax(error.problem, error.context.map(|(text, at)| (text, place(at)))),
    }
}
