//! What several test files need: one run of the computation over texts, and small manifests.
#![allow(dead_code, reason = "no test file needs all of it")]

use capv_ipam::addressing::read_configurations;
use capv_ipam::check::Finding;
use capv_ipam::objects::Source;
use capv_ipam::outcome::compute;
use capv_ipam::yaml::{Chunk, Edits, Limits, Tree, chunks, is_bare};
use serde_json::{Value, json};

/// What a run comes to.
pub(crate) struct Run {
    /// The edits of the only source; none when an error forbids them.
    pub(crate) edits: Option<Edits>,
    /// The edited text.
    pub(crate) text: Option<String>,
    /// Everything that was found.
    pub(crate) findings: Vec<Finding>,
}

impl Run {
    /// The codes of the findings, sorted.
    pub(crate) fn codes(&self) -> Vec<&'static str> {
        let mut codes: Vec<&'static str> = self.findings.iter().map(|finding| finding.code.id).collect();
        codes.sort_unstable();
        codes
    }

    /// The edited text, or a panic that tells what was found.
    pub(crate) fn expect(self, what: &str) -> String {
        let findings = self.findings;
        self.text.unwrap_or_else(|| panic!("{what} is refused: {findings:#?}"))
    }
}

/// Runs the computation over one text; an empty configuration is none.
pub(crate) fn run(text: &str, config: &str) -> Run {
    let files = [(1, config)];
    let files = if config.is_empty() { &[][..] } else { &files[..] };
    let configs = match read_configurations(files, &json!({})) {
        Ok(configs) => configs,
        Err(findings) => {
            return Run {
                edits: None,
                text: None,
                findings,
            };
        }
    };
    let sources = [Source {
        name: "input.yaml",
        text,
    }];
    let outcome = compute(&sources, &configs, None);
    Run {
        text: outcome.edits.as_ref().map(|edits| edits[0].splice(text)),
        edits: outcome.edits.map(|mut edits| edits.remove(0)),
        findings: outcome.findings,
    }
}

/// Chooses the template `cp`, whoever refers to it.
pub(crate) const CHOOSE_CP: &str = "\
apiVersion: capv-ipam.dev/v1alpha1
kind: StaticAddressing
spec:
  pools:
  - name: cp-pool
    machines: [template/cp]
    addresses: [192.0.2.10-192.0.2.14]
    prefix: 24
    gateway: 192.0.2.1
";

/// A template with the text of its list of NICs and of its metadata, both given as flow or indented text.
pub(crate) fn template(metadata: &str, devices: &str) -> String {
    format!(
        "apiVersion: infrastructure.cluster.x-k8s.io/v1beta1\nkind: VSphereMachineTemplate\nmetadata:{metadata}\nspec:\n  \
         template:\n    spec:\n      network:\n        devices:{devices}\n      template: img\n"
    )
}

/// The values of a stream's documents; bare ones are left out.
pub(crate) fn values(text: &str) -> Result<Vec<Value>, String> {
    let limits = Limits::default();
    let mut values = Vec::new();
    for chunk in chunks(text).filter(|chunk| !is_bare(chunk.text)) {
        let tree = Tree::parse(&chunk, &limits).map_err(|error| error.to_string())?;
        let Some(root) = tree.root() else { continue };
        values.push(tree.value(root, &limits).map_err(|error| error.to_string())?);
    }
    Ok(values)
}

/// The value of a text that is one document.
pub(crate) fn value(text: &str) -> Result<Value, String> {
    let limits = Limits::default();
    let tree = Tree::parse(&Chunk::alone(text), &limits).map_err(|error| error.to_string())?;
    let root = tree.root().ok_or("no document")?;
    tree.value(root, &limits).map_err(|error| error.to_string())
}
