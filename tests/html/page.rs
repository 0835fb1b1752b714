//! Reads a page as XML and holds it to what every page promises: nothing is loaded or run, every reference leads somewhere, and the style is the one that the policy allows.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::{Document, Node, ParsingOptions};
use sha2::{Digest, Sha256};

/// Everything that a page may contain; whatever loads, runs or submits is not among it.
const TAGS: &[&str] = &[
    "a", "article", "b", "body", "caption", "circle", "code", "dd", "defs", "div", "dl", "dt", "g", "h1", "h2", "h3",
    "h4", "head", "header", "html", "li", "main", "meta", "ol", "p", "path", "pattern", "rect", "section", "span",
    "strong", "style", "svg", "table", "tbody", "td", "text", "th", "thead", "title", "tr", "ul", "wbr",
];
const ATTRIBUTES: &[&str] = &[
    "aria-hidden",
    "aria-labelledby",
    "charset",
    "class",
    "content",
    "cx",
    "cy",
    "d",
    "data-title",
    "height",
    "href",
    "http-equiv",
    "id",
    "lang",
    "name",
    "patternTransform",
    "patternUnits",
    "r",
    "role",
    "scope",
    "viewBox",
    "width",
    "x",
    "y",
];

/// Parses a page; the program writes it as XML too, so that any tool can.
pub(crate) fn parse(html: &str) -> Document<'_> {
    let options = ParsingOptions {
        allow_dtd: true,
        nodes_limit: u32::MAX,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(html, options).unwrap_or_else(|error| panic!("the page is not well-formed: {error}"))
}

/// Checks a page and gives it parsed.
pub(crate) fn checked(html: &str) -> Document<'_> {
    assert!(html.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
    let page = parse(html);
    for node in page.descendants().filter(Node::is_element) {
        let tag = node.tag_name().name();
        assert!(TAGS.contains(&tag), "<{tag}> is none of the elements of a page");
        for attribute in node.attributes() {
            assert!(
                ATTRIBUTES.contains(&attribute.name()),
                "{} of <{tag}>",
                attribute.name()
            );
        }
    }
    let ids: Vec<&str> = page.descendants().filter_map(|node| node.attribute("id")).collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "an id stands twice");
    for node in page.descendants() {
        if let Some(target) = node.attribute("href") {
            let target = target
                .strip_prefix('#')
                .unwrap_or_else(|| panic!("{target} leaves the page"));
            assert!(unique.contains(target), "#{target} leads nowhere");
        }
        if let Some(label) = node.attribute("aria-labelledby") {
            assert!(unique.contains(label), "{label} is no label");
        }
        if node.has_tag_name("svg") && node.attribute("role") == Some("img") {
            assert!(node.attribute("aria-labelledby").is_some(), "a drawing has no name");
        }
    }
    style(&page, &unique);
    page
}

/// The one style is allowed by its hash, loads nothing, and its patterns are there.
fn style(page: &Document<'_>, ids: &BTreeSet<&str>) {
    let styles: Vec<Node<'_, '_>> = page.descendants().filter(|node| node.has_tag_name("style")).collect();
    let [style] = styles[..] else {
        panic!("one style is wanted")
    };
    let css = style.text().unwrap();
    let policy = page
        .descendants()
        .find(|node| node.attribute("http-equiv") == Some("Content-Security-Policy"));
    let policy = policy.and_then(|node| node.attribute("content")).unwrap();
    let hash = STANDARD.encode(Sha256::digest(css));
    assert_eq!(
        policy,
        format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
    );
    assert!(
        !css.contains("@import") && !css.contains("//"),
        "the style loads something"
    );
    for part in css.split("url(").skip(1) {
        let target = part.split(')').next().unwrap();
        let id = target
            .strip_prefix('#')
            .unwrap_or_else(|| panic!("url({target}) leaves the page"));
        assert!(ids.contains(id), "there is no pattern {id}");
    }
}

/// The text of a node and everything in it.
pub(crate) fn text(node: Node<'_, '_>) -> String {
    node.descendants()
        .filter(Node::is_text)
        .filter_map(|node| node.text())
        .collect()
}

/// The elements of a page with their classes, without any text: equal for pages that differ in names only.
pub(crate) fn shape(page: &Document<'_>) -> Vec<String> {
    let element = |node: Node<'_, '_>| {
        let depth = node.ancestors().count();
        format!(
            "{depth} {} {}",
            node.tag_name().name(),
            node.attribute("class").unwrap_or_default()
        )
    };
    page.descendants().filter(Node::is_element).map(element).collect()
}

/// The texts of the cells under a title, row after row.
pub(crate) fn cells(page: &Document<'_>, title: &str) -> Vec<String> {
    let cells = page
        .descendants()
        .filter(|node| node.attribute("data-title") == Some(title));
    cells.map(text).collect()
}
