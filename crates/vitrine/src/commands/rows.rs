//! `vitrine rows`: the rows that a task refused or changed.
//!
//! Exit 1 when the task took every row as it was.

use crate::feed::rows_path;
use crate::folder::FolderArgs;
use crate::outcome::Outcome;
use crate::output::Format;
use crate::table::Table;
use crate::target::with_server;
use serde_json::Value;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: FolderArgs,
    /// The `taskUid` of the write.
    #[arg(value_name = "TASK")]
    task: u64,
    #[arg(long, value_name = "N", default_value_t = 1000)]
    limit: usize,
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: usize,
    #[command(flatten)]
    format: Format,
}

/// Lists the rows.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let address = rows_path(args.task, args.offset, args.limit);
    let answer = with_server(&args.folder, |client| client.get(&address))?;
    args.format.print(&answer, render)?;
    Ok(Outcome::of(rows(&answer).next().is_some()))
}

fn rows(answer: &Value) -> impl Iterator<Item = &Value> {
    answer
        .get("results")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn render(answer: &Value) -> String {
    let mut table = Table::new(&["row", "", "field", "what"]);
    for row in rows(answer) {
        let text = |name: &str| {
            row.get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let refused = row
            .get("refused")
            .and_then(Value::as_bool)
            .unwrap_or_default();
        let number = row.get("row").map(Value::to_string).unwrap_or_default();
        let verdict = if refused { "refused" } else { "changed" };
        table.row(vec![
            number,
            verdict.to_owned(),
            text("field"),
            text("reason"),
        ]);
    }
    table.render()
}
