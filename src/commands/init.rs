//! placeholder
use crate::{cli::InitArgs, error::Failure, exit::Exit, printer::Printer};
pub(super) fn run(_args: &InitArgs, _printer: Printer) -> Result<Exit, Failure> {
    Ok(Exit::Success)
}
