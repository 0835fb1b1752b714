//! Takes the text of a ResourceList and gives what the function answers: the edits of that text, lines for standard error, and how the call ends. After an error the items stay as they came.

use std::collections::HashMap;

use super::caller::Caller;
use super::item::{Item, ItemFaultKind};
use super::list::{Layout, ResourceList};
use super::locate::{Piece, locate};
use super::results::Located;
use super::work::{Addition, Form, perform};
use super::{addition, append, results};
use crate::addressing::{ConfigDocument, read_function_config};
use crate::check::{Finding, codes, has_errors};
use crate::objects::{Files, Source, Span, prefilter};
use crate::yaml::{Edit, Edits, Limits};

const MARK: &str = "\u{feff}";
/// Items of any kind that mention it are reported when it is removed.
const KUBE_VIP: &str = "kube-vip";

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Everything is as it was wanted.
    Done,
    /// There are findings of severity error.
    Errors,
    /// The function could not do its work: no list, or a configuration that is none.
    Unusable,
}

/// What the function answers to a text.
#[derive(Debug)]
pub struct Answer {
    /// The edits of the text; `None` when it is no list, and then nothing may be printed.
    pub edits: Option<Edits>,
    /// One line for each error and warning, without line ends.
    pub lines: Vec<String>,
    /// What there is, in a few words; empty without findings.
    pub summary: String,
    /// The caller prints the results that are in the list, so that lines would say everything twice.
    pub shown: bool,
    /// How it ends.
    pub end: End,
}

/// Answers a ResourceList. `container` says that the environment is that of a function container under kustomize.
#[must_use]
pub fn answer(text: &str, container: bool) -> Answer {
    let limits = Limits::default();
    let bare = text.strip_prefix(MARK).unwrap_or(text);
    let mark = text.len() - bare.len();
    let list = match ResourceList::read(bare, &limits) {
        Ok(list) => list,
        Err(error) => {
            let (line, column) = position(bare, error.at);
            let problem = format!(
                "standard input is no ResourceList: {}, line {line}, column {column}",
                error.problem
            );
            return Answer {
                edits: None,
                lines: vec![format!(
                    "error: {}: {problem}; a manifest is given to `capv-ipam transform`",
                    codes::NO_RESOURCE_LIST.id
                )],
                summary: String::new(),
                shown: false,
                end: End::Unusable,
            };
        }
    };
    let call = Call {
        caller: Caller::of(&list, container),
        list: &list,
        limits,
    };
    let mut answer = call.answer();
    answer.edits = answer.edits.and_then(|edits| Edits::new(edits.shifted(mark)).ok());
    answer
}

/// The line and column of an offset, both from 1.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

struct Call<'l, 'a> {
    list: &'l ResourceList<'a>,
    caller: Caller,
    limits: Limits,
}

impl<'a> Call<'_, 'a> {
    fn answer(&self) -> Answer {
        let list = self.list;
        let broken = self.broken_items();
        let whole = || vec![self.piece(0..list.text.len())];
        let config = list
            .config
            .as_ref()
            .map_or("", |config| &list.text[config.range.clone()]);
        let pieces = if broken.is_empty() { self.pieces() } else { whole() };
        let config = match read_function_config(pieces.len(), config) {
            Ok(Some(config)) => config,
            Ok(None) if broken.is_empty() => return self.conclude(Vec::new(), &[], &pieces, End::Done),
            Ok(None) => return self.refuse(broken, &pieces, End::Errors),
            Err(findings) => {
                let end = if broken.is_empty() { End::Unusable } else { End::Errors };
                return self.refuse(broken.into_iter().chain(findings).collect(), &pieces, end);
            }
        };
        let twice = self.duplicate_keys();
        if !broken.is_empty() || !twice.is_empty() {
            return self.refuse(broken.into_iter().chain(twice).collect(), &whole(), End::Errors);
        }
        self.perform(&pieces, &config)
    }

    fn perform(&self, pieces: &[Piece<'a>], config: &ConfigDocument<'_>) -> Answer {
        let list = self.list;
        let mut files = files(&list.items);
        let named = |piece: &Piece<'a>| Source {
            name: "<stdin>",
            text: piece.text,
        };
        let sources: Vec<Source<'a>> = pieces.iter().map(named).collect();
        let work = perform(&sources, Form::Items(files.clone()), config);
        let mut findings = work.findings;
        let unread = |finding: &Finding| finding.code.id == codes::NOT_YAML.id;
        if pieces.len() > 1 && findings.iter().any(unread) {
            // The list was read in portions: what is no YAML alone refers to an anchor in another item.
            return self.perform(&[self.piece(0..list.text.len())], config);
        }
        let Some(edits) = work.edits.filter(|_| !has_errors(&findings)) else {
            return self.refuse(findings, pieces, End::Errors);
        };
        let foreign = self.foreign(&work.additions);
        if !foreign.is_empty() {
            return self.refuse(foreign, &[self.piece(0..list.text.len())], End::Errors);
        }
        let shifted = pieces
            .iter()
            .zip(edits)
            .flat_map(|(piece, edits)| edits.shifted(piece.start));
        let mut edits: Vec<Edit> = shifted.collect();
        match addition::edits(list, work.additions, &mut files, &self.limits) {
            Ok(added) => edits.extend(added),
            Err(refusal) => {
                findings.push(Finding::new(
                    &codes::UNSAFE_EDIT,
                    format!("the list cannot be added to: {refusal}"),
                ));
                return self.refuse(findings, pieces, End::Errors);
            }
        }
        self.conclude(edits, &findings, pieces, End::Done)
    }

    /// The items go back as they came.
    fn refuse(&self, findings: Vec<Finding>, pieces: &[Piece<'a>], end: End) -> Answer {
        self.conclude(Vec::new(), &findings, pieces, end)
    }

    fn conclude(&self, mut edits: Vec<Edit>, findings: &[Finding], pieces: &[Piece<'a>], end: End) -> Answer {
        let mut located = locate(findings, self.list, pieces, &self.limits);
        if self.caller == Caller::Kustomize {
            // From the second function on its items have paths that it made up.
            located.iter_mut().for_each(Located::forget_file);
        }
        let results = append::edits(self.list, results::results(&located), &self.limits);
        let shown = self.caller.shows_results() && results.is_some();
        edits.extend(results.into_iter().flatten());
        let (edits, end) = match Edits::new(edits) {
            Ok(edits) => (edits, end),
            // Edits of different items cannot touch; if they did, nothing may change.
            Err(_) => (Edits::default(), End::Unusable),
        };
        Answer {
            edits: Some(edits),
            lines: results::lines(&located),
            summary: summary(findings),
            shown,
            end,
        }
    }

    /// The parts of the list that the computation reads: the items that can matter, or the whole.
    fn pieces(&self) -> Vec<Piece<'a>> {
        if self.list.layout == Layout::Whole {
            return vec![self.piece(0..self.list.text.len())];
        }
        let filter = prefilter();
        let mentions = memchr::memmem::Finder::new(KUBE_VIP);
        let matter = |item: &&Item<'_>| {
            let text = &self.list.text[item.range.clone()];
            filter.may_match(text) || mentions.find(text.as_bytes()).is_some()
        };
        let mut items = self.list.items.iter().filter(matter).peekable();
        // With nothing that matters one item goes in all the same, so that the list does not count as empty.
        let spare = self.list.items.first().filter(|_| items.peek().is_none());
        items.chain(spare).map(|item| self.piece(item.range.clone())).collect()
    }

    fn piece(&self, range: std::ops::Range<usize>) -> Piece<'a> {
        Piece {
            start: range.start,
            text: &self.list.text[range],
        }
    }

    /// Items that no tool could take back, and places that are taken twice.
    fn broken_items(&self) -> Vec<Finding> {
        let faults = self
            .list
            .faults
            .iter()
            .filter(|fault| fault.kind == ItemFaultKind::NoObject);
        let no_object = faults.map(|fault| {
            Finding::new(
                &codes::NO_OBJECT,
                format!("item {}: {}", fault.index + 1, fault.problem),
            )
            .at(0, Span::new(fault.span.clone()))
            .help("every item must be an object with apiVersion and kind; look at the function before this one")
        });
        no_object.chain(self.shared_places()).collect()
    }

    fn shared_places(&self) -> Vec<Finding> {
        let mut seen: HashMap<(&str, &str, u64), &Item<'_>> = HashMap::new();
        let mut findings = Vec::new();
        for item in &self.list.items {
            let (Some(path), Some(index)) = (&item.path, item.index) else {
                continue;
            };
            let package = item.package.as_deref().unwrap_or_default();
            if let Some(other) = seen.insert((package, path, index), item) {
                let message = format!(
                    "{} has the path {path} and the index {index}, as {} has",
                    item.identity, other.identity
                );
                let span = Span::new(item.range.start..item.range.start);
                findings.push(
                    Finding::new(&codes::PLACE_TAKEN, message)
                        .at(0, span)
                        .help("give each item a place of its own; look at the function before this one"),
                );
            }
        }
        findings
    }

    /// Objects of somebody else that have the name of one that is to be added.
    fn foreign(&self, additions: &[Addition]) -> Vec<Finding> {
        let finding = |item: &Item<'_>| {
            let name = &item.identity.name;
            let message = format!("the items have a ConfigMap {name} that this function has not written");
            Finding::new(&codes::NAME_TAKEN, message)
                .at(0, Span::new(item.range.start..item.range.start))
                .help("give it another name: the function writes its list into a ConfigMap of this name")
        };
        addition::foreign(self.list, additions)
            .into_iter()
            .map(finding)
            .collect()
    }

    fn duplicate_keys(&self) -> Vec<Finding> {
        let faults = self
            .list
            .faults
            .iter()
            .filter(|fault| fault.kind == ItemFaultKind::Duplicate);
        let finding = |fault: &super::item::ItemFault| {
            Finding::new(&codes::DUPLICATE_KEY, fault.problem.clone())
                .at(0, Span::new(fault.span.clone()))
                .help("remove one of the two: kubectl takes the last, kustomize refuses, kpt writes the first")
        };
        faults.map(finding).collect()
    }
}

fn files(items: &[Item<'_>]) -> Files {
    let mut files = Files::default();
    for item in items {
        if let Some(path) = &item.path {
            files.take(
                item.package.as_deref().unwrap_or_default(),
                path,
                item.index.unwrap_or(0),
            );
        }
    }
    files
}

/// `2 errors, 1 warning`.
pub(super) fn summary(findings: &[Finding]) -> String {
    use crate::check::Severity;
    let count = |severity: Severity, word: &str| {
        let count = findings.iter().filter(|finding| finding.severity == severity).count();
        (count > 0).then(|| format!("{count} {word}{}", if count == 1 { "" } else { "s" }))
    };
    let parts = [count(Severity::Error, "error"), count(Severity::Warning, "warning")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
