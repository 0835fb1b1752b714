//! Where findings go: standard error or a file, in the form that the user wants.

use std::io::Write as _;
use std::path::PathBuf;
use std::str::FromStr;

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

#[derive(Clone, Copy, Debug)]
enum Form {
    Text,
    Json,
    Sarif,
    Github,
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

impl ReportTo {
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
        let form = |styled| match self.form {
            Form::Text => text(report, styled),
            Form::Json => json(report),
            Form::Sarif => sarif(report),
            Form::Github => github(report),
        };
        if let Some(path) = &self.file {
            output::write_file(path, form(false).as_bytes())?;
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
        let _ = stderr.write_all(form(true).as_bytes());
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
