//! `k8s-ee schema`: the JSON schema of the file, for editors.

use crate::{config::schema::schema, error::Failure, exit::Exit, printer::Printer};

pub(super) fn run(printer: Printer) -> Result<Exit, Failure> {
    printer.data(&format!("{:#}", schema()));
    Ok(Exit::Success)
}
