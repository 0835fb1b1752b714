//! Takes the rows of an allocation, gives the table of who would get what; computes nothing.

use super::table::Table;
use crate::allocation::Row;

/// One row for each claim and each address that is kept; `wide` adds what the address comes with.
#[must_use]
pub fn allocation_table(rows: &[Row], wide: bool) -> Table {
    let narrow = ["NAMESPACE", "POOL", "CLAIM", "ADDRESS", "STATE"];
    let more = ["PREFIX", "GATEWAY", "DNS", "OBJECT"];
    let titles: Vec<&'static str> = narrow.into_iter().chain(more.into_iter().filter(|_| wide)).collect();
    let mut table = Table::new(&titles);
    for row in rows {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let claim = row.claim.as_ref().map(|(kind, name)| format!("{kind}/{name}"));
        let mut cells = vec![
            row.namespace.clone(),
            row.pool.clone(),
            claim.unwrap_or_default(),
            text(&row.address),
            row.state.to_string(),
        ];
        if wide {
            cells.extend([
                row.prefix.map(|prefix| prefix.to_string()).unwrap_or_default(),
                text(&row.gateway),
                row.dns_servers.join(","),
                text(&row.object),
            ]);
        }
        table.row(cells);
    }
    table
}
