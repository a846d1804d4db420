//! `k8s-ee wait`

use std::time::Duration;

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser as _},
};

use super::values::{database, parse_duration};
use crate::config::databases::DatabaseKind;

/// `k8s-ee wait`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  k8s-ee wait\n  k8s-ee wait postgresql redis --timeout 5m")]
pub struct WaitArgs {
    /// Databases to wait for; all whose variables are set when absent
    #[arg(value_name = "DATABASE", value_parser = PossibleValuesParser::new(DatabaseKind::ALL.map(DatabaseKind::name)).map(database))]
    pub databases: Vec<DatabaseKind>,
    /// Longest to wait, such as 90s or 5m
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = parse_duration)]
    pub timeout: Duration,
}
