//! Takes an address plan and gives it as one HTML page that needs nothing else: no script, no other file, no network; equal plans give equal bytes.

mod clusters;
mod drawing;
mod findings;
mod glossary;
mod grid;
mod head;
mod lines;
mod lookup;
mod map;
mod markup;
mod names;
mod numbers;
mod sheet;
mod slots;
mod steps;
mod subnets;
mod uses;
mod wording;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use self::lookup::Lookup;
use self::markup::Markup;
use super::Table;
use crate::planning::AddressPlan;

const STYLE: &str = include_str!("style.css");

/// The plan as an HTML page for people who know networks and not Kubernetes: a map of each subnet, every cluster with its
/// machines and pools, the findings, and what the words mean. The page is well-formed XML too.
#[must_use]
pub fn plan_html(plan: &AddressPlan) -> String {
    page(&head::page_title(plan), |out| {
        let lookup = Lookup::of(plan);
        head::head(out, plan, &lookup);
        out.element("main", &[], |out| {
            subnets::subnets(out, plan, &lookup);
            clusters::clusters(out, plan, &lookup);
            steps::steps(out, &steps::published(plan));
            findings::findings(out, &plan.findings);
            glossary::glossary(out);
        });
    })
}

/// What differs from an earlier plan, as a page of the same looks.
#[must_use]
pub fn changes_html(plan: &AddressPlan, changes: &Table) -> String {
    let title = format!("Changes. {}", head::page_title(plan));
    page(&title, |out| {
        out.element("header", &[], |out| out.leaf("h1", &[], &title));
        out.element("main", &[], |out| changed(out, changes));
    })
}

fn changed(out: &mut Markup, changes: &Table) {
    let lead = "These values of the address plan are not what they were in the earlier plan. An empty old value is new, an \
                    empty new value is gone; addresses that are gone can be given to others once no machine holds them.";
    out.leaf("p", &[("class", "lead")], lead);
    let titles = ["Cluster", "Group", "Machine", "NIC and pool", "What", "Old", "New"];
    grid::grid(out, "changes", &titles, |rows| {
        for cells in changes.rows() {
            rows.row(|row| cells.iter().for_each(|cell| row.cell(|out| listed(out, cell))));
        }
    });
}

/// A cell that may hold a list, which then may break.
fn listed(out: &mut Markup, text: &str) {
    let parts: Vec<String> = text
        .split(',')
        .filter(|part| !part.is_empty())
        .map(ToOwned::to_owned)
        .collect();
    out.ranges(&parts);
}

/// A page with the style and patterns that all pages share.
fn page(title: &str, body: impl FnOnce(&mut Markup)) -> String {
    let mut out = Markup::default();
    out.fixed("<!DOCTYPE html>\n");
    out.element("html", &[("lang", "en")], |out| {
        out.element("head", &[], |out| {
            out.line();
            out.void("meta", &[("charset", "utf-8")]);
            out.void(
                "meta",
                &[("http-equiv", "Content-Security-Policy"), ("content", &policy())],
            );
            out.void(
                "meta",
                &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")],
            );
            out.void("meta", &[("name", "color-scheme"), ("content", "light dark")]);
            out.leaf("title", &[], title);
            out.line();
            out.element("style", &[], |style| style.fixed(STYLE));
            out.line();
        });
        out.line();
        out.element("body", &[], |out| {
            out.line();
            out.fixed(sheet::PATTERNS);
            body(out);
        });
    });
    out.line();
    out.finish()
}

/// Nothing may be loaded or run; the one style is allowed by its hash.
fn policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
}
