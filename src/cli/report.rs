//! Where findings go: standard error or a file, in the form that the user wants.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;

use super::failure::Failure;
use super::output;
use crate::check::has_errors;
use crate::report::{Report, github, json, sarif, summary, text};

/// The form of the findings and where they go.
#[derive(Clone, Debug)]
pub(super) struct ReportTo {
    form: Form,
    file: Option<PathBuf>,
}

/// A form of findings.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Form {
    /// For people, with the line that each finding is about
    Text,
    /// A FindingList for programs
    Json,
    /// SARIF 2.1.0 for code scanning
    Sarif,
    /// Workflow commands of GitHub Actions, which become annotations
    Github,
}

impl Form {
    /// The findings in this form, with ANSI styles when `styled`.
    pub(super) fn render(self, report: &Report<'_>, styled: bool) -> String {
        match self {
            Form::Text => text(report, styled),
            Form::Json => json(report),
            Form::Sarif => {
                let texts = relative(report.texts);
                sarif(&Report {
                    texts: &texts,
                    ..*report
                })
            }
            Form::Github => github(report),
        }
    }
}

impl FromStr for ReportTo {
    type Err = String;

    fn from_str(argument: &str) -> Result<Self, String> {
        let (form, file) = match argument.split_once('=') {
            Some((_, "")) => return Err("a file must follow `=`".to_owned()),
            Some((form, file)) => (form, Some(PathBuf::from(file))),
            None => (argument, None),
        };
        let form = match form {
            "text" => Form::Text,
            "json" => Form::Json,
            "sarif" => Form::Sarif,
            "github" => Form::Github,
            _ => return Err("allowed are text, json, sarif and github, each with =FILE if wanted".to_owned()),
        };
        Ok(ReportTo { form, file })
    }
}

/// The texts with the names of files below the current folder relative to it, as code scanning wants them.
fn relative<'t>(texts: &[(&'t str, &'t str)]) -> Vec<(&'t str, &'t str)> {
    let folder = std::env::current_dir().ok();
    let below = |name: &'t str| Path::new(name).strip_prefix(folder.as_ref()?).ok()?.to_str();
    texts
        .iter()
        .map(|(name, text)| (below(name).unwrap_or(name), *text))
        .collect()
}

/// Whether a text is a report of this program.
fn is_report(text: &str) -> bool {
    let beginning = &text[..text.floor_char_boundary(500)];
    beginning.contains(r#""kind": "FindingList""#)
        || (beginning.contains("sarif") && beginning.contains(r#""name": "capv-ipam""#))
}

fn names_input(path: &Path) -> Failure {
    let problem = format!(
        "{} is an input of this run; name another file for the report",
        path.display()
    );
    Failure::message(problem)
}

impl ReportTo {
    /// Refuses a file for the report that is another one of the run.
    pub(super) fn spares<'f>(&self, others: impl IntoIterator<Item = &'f PathBuf>) -> Result<(), Failure> {
        let whole = |path: &Path| fs::canonicalize(path).or_else(|_| std::path::absolute(path)).ok();
        let Some(own) = &self.file else { return Ok(()) };
        for other in others {
            if whole(other) == whole(own) {
                let problem = format!("{} is named twice; name another file for the report", own.display());
                return Err(Failure::message(problem));
            }
        }
        Ok(())
    }

    /// Writes the report into its file, if it has one.
    ///
    /// # Errors
    /// The file is an input or cannot be written, or a form without a file was asked for, which would go nowhere.
    pub(super) fn write_file(&self, report: &Report<'_>) -> Result<(), Failure> {
        match (&self.file, self.form) {
            (Some(path), form) => {
                let real = fs::canonicalize(path).ok();
                let is_input = |(name, text): &(&str, &str)| {
                    // The report of an earlier run lies in the folder that is read.
                    fs::canonicalize(name).ok() == real && !is_report(text)
                };
                if real.is_some() && report.texts.iter().any(is_input) {
                    return Err(names_input(path));
                }
                output::write_file(path, form.render(report, false).as_bytes())
            }
            (None, Form::Text) => Ok(()),
            (None, _) => Err(Failure::message(
                "this verb prints its findings on standard output: choose their form with -o; --report needs a file here",
            )),
        }
    }

    /// Writes the report; `note` follows the findings in text form on standard error.
    pub(super) fn write(&self, report: &Report<'_>, note: Option<&str>) -> Result<(), Failure> {
        self.write_ending(report, note, "; nothing was written")
    }

    /// Writes the report of a run whose result is printed in spite of error findings.
    pub(super) fn write_beside_result(&self, report: &Report<'_>, note: Option<&str>) -> Result<(), Failure> {
        self.write_ending(report, note, "")
    }

    /// `ending` follows the summary when there are errors.
    fn write_ending(&self, report: &Report<'_>, note: Option<&str>, ending: &str) -> Result<(), Failure> {
        if let Some(path) = &self.file {
            self.write_file(report)?;
            if has_errors(report.findings) {
                // Nobody can be told when standard error is gone.
                let _ = writeln!(
                    anstream::stderr(),
                    "{}{ending}; see {}",
                    summary(report.findings),
                    path.display()
                );
            }
            return Ok(());
        }
        let mut stderr = anstream::stderr().lock();
        // Nobody can be told when standard error is gone.
        let _ = stderr.write_all(self.form.render(report, true).as_bytes());
        if matches!(self.form, Form::Text) {
            let ending = if has_errors(report.findings) { ending } else { "" };
            let summary = summary(report.findings);
            let _ = if summary.is_empty() {
                Ok(())
            } else {
                writeln!(stderr, "{summary}{ending}")
            };
            let _ = note.map_or(Ok(()), |note| writeln!(stderr, "{note}"));
        }
        Ok(())
    }
}
