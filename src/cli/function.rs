//! `fn`: the program as a KRM function on standard input and output, and as kustomize's executable plugin; exit code 0 only when the whole output was written.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, ValueEnum};

use super::failure::Failure;
use super::{Cli, Status, output};
use crate::krm::{Answer, End, answer, answer_documents, definition};
use crate::yaml::Edits;

/// Work as a KRM function of kustomize or kpt: ResourceList in, ResourceList out.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
#[group(multiple = true)]
pub(super) struct Function {
    /// Print what the function is and does, as a JSON object, and end
    #[arg(long, help_heading = "KRM function")]
    doc: bool,
    /// Print the schema of its configuration as a KRMFunctionDefinition, and end
    #[arg(long, help_heading = "KRM function", conflicts_with = "doc")]
    schema: bool,
    /// What goes to standard error: each error and warning (findings), one line after a failure (summary), or what the caller
    /// does not show by itself (auto) [default: auto]
    #[arg(long, value_enum, value_name = "WHAT", help_heading = "KRM function")]
    stderr: Option<Messages>,
}

const EXIT_CODES: &str = "\
The configuration is the functionConfig: a StaticAddressing, or a ConfigMap with the flags' names.

Exit codes:
  0  done; the whole list was written
  1  error findings; the items were written as they came
  2  no ResourceList (then nothing was written), or no configuration (then the items were written as they came)";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Messages {
    Auto,
    Findings,
    Summary,
}

impl Function {
    pub(super) fn run(self) -> Result<Status, Failure> {
        if self.doc {
            return print(&definition::doc());
        }
        if self.schema {
            return print(&definition::schema());
        }
        if io::stdin().is_terminal() {
            return Err(Failure::message(format!(
                "no verb was given, and standard input is a terminal\n\n{}\n\nFor more information, try '--help'",
                Cli::command().render_usage()
            )));
        }
        let text = standard_input()?;
        let container = std::env::var_os("LOG_TO_STDERR").is_some_and(|value| value == "true");
        let answer = answer(&text, container);
        conclude(&text, &answer, self.stderr.unwrap_or(Messages::Auto))
    }

    /// Its flags belong to no verb but `fn`.
    pub(super) fn refuse_before_verb(&self) -> Result<(), Failure> {
        if self.doc || self.schema || self.stderr.is_some() {
            return Err(Failure::message(
                "--doc, --schema and --stderr belong to `fn` and stand behind it",
            ));
        }
        Ok(())
    }
}

/// Works as the plugin that kustomize calls with the file of its configuration; `None` when it was not called so.
#[must_use]
pub fn as_plugin() -> Option<Result<Status, Failure>> {
    std::env::var_os("KUSTOMIZE_PLUGIN_CONFIG_STRING")?;
    let path = PathBuf::from(std::env::args_os().nth(1)?);
    let config = std::fs::read_to_string(&path).ok()?;
    let run = || {
        let text = standard_input()?;
        let answer = answer_documents(&text, &config);
        conclude(&text, &answer, Messages::Findings)
    };
    Some(run())
}

fn print(value: &serde_json::Value) -> Result<Status, Failure> {
    output::print(&format!("{value:#}\n"))?;
    Ok(Status::Done)
}

fn standard_input() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|error| Failure::message(format!("cannot read standard input: {error}")))?;
    if u32::try_from(bytes.len()).is_err() {
        return Err(Failure::message(
            "standard input has 4 GiB or more, which is more than is read",
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::message(format!("standard input is not UTF-8 text: byte {at}"))
    })
}

fn conclude(text: &str, answer: &Answer, messages: Messages) -> Result<Status, Failure> {
    let mut lines: Vec<String> = Vec::new();
    let summary_only = match messages {
        Messages::Auto => answer.shown,
        Messages::Findings => false,
        Messages::Summary => answer.edits.is_some(),
    };
    if !summary_only {
        lines.extend(answer.lines.iter().cloned());
    } else if answer.end != End::Done {
        lines.push(format!("{}; the items were not changed", answer.summary));
    }
    // Nobody can be told when standard error is gone.
    let said: String = lines.iter().map(|line| format!("capv-ipam: {line}\n")).collect();
    let _ = io::stderr().write_all(said.as_bytes());
    if let Some(edits) = &answer.edits {
        write_whole(text, edits)?;
    }
    Ok(match answer.end {
        End::Done => Status::Done,
        End::Errors => Status::Findings,
        End::Unusable => Status::Failed,
    })
}

/// Writes the output in one go. A caller that has gone away is a failure here: it must not take a part for the whole.
fn write_whole(text: &str, edits: &Edits) -> Result<(), Failure> {
    let output = if edits.is_empty() {
        None
    } else {
        Some(edits.splice(text))
    };
    let output = output.as_deref().unwrap_or(text);
    let mut out = io::stdout().lock();
    let written = out.write_all(output.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| Failure::message(format!("cannot write to standard output: {error}")))
}
