//! A table as Markdown, its rows merged so that a person can review them.

use std::collections::BTreeSet;
use std::fmt::Write;

/// The value of a column that a row does not have.
pub(super) const NONE: &str = "–";

/// The cells of a row, each with one value or several.
type Row = Vec<Vec<String>>;

/// A table that is built with one value in each cell.
pub(super) struct Table {
    headings: Vec<String>,
    rows: Vec<Row>,
    /// The values of each column, by the value of the first: together they are `any`.
    domains: BTreeSet<(String, usize, String)>,
}

impl Table {
    pub(super) fn of(headings: &[&str]) -> Self {
        Self {
            headings: headings.iter().map(|&heading| heading.to_owned()).collect(),
            rows: Vec::new(),
            domains: BTreeSet::new(),
        }
    }

    pub(super) fn push(&mut self, cells: &[&str]) {
        for (column, cell) in cells.iter().enumerate().filter(|(_, cell)| **cell != NONE) {
            let value = (cells[0].to_owned(), column, (*cell).to_owned());
            self.domains.insert(value);
        }
        let row = cells.iter().map(|&cell| vec![cell.to_owned()]);
        self.rows.push(row.collect());
    }

    /// Merges the rows that differ in this column alone.
    pub(super) fn merge(&mut self, column: usize) {
        let mut merged: Vec<Row> = Vec::new();
        for mut row in std::mem::take(&mut self.rows) {
            let values = std::mem::take(&mut row[column]);
            let is_same = |other: &&mut Row| {
                let mut cells = row.iter().zip(other.iter()).enumerate();
                cells.all(|(at, (cell, other))| at == column || cell == other)
            };
            if let Some(other) = merged.iter_mut().find(is_same) {
                other[column].extend(values);
            } else {
                row[column] = values;
                merged.push(row);
            }
        }
        self.rows = merged;
    }

    pub(super) fn print(&self) -> String {
        let headings = self.headings.join(" | ");
        let rule = "---|".repeat(self.headings.len());
        let mut text = format!("| {headings} |\n|{rule}\n");
        for row in &self.rows {
            let cells = row.iter().enumerate();
            let cells = cells.map(|(column, values)| self.cell(&row[0][0], column, values));
            writeln!(text, "| {} |", cells.collect::<Vec<_>>().join(" | ")).expect("a String");
        }
        text
    }

    fn cell(&self, first: &str, column: usize, values: &[String]) -> String {
        let domain = self.domains.iter();
        let domain = domain.filter(|(of, at, _)| of == first && *at == column);
        match values {
            [value] => value.clone(),
            values if values.len() == domain.count() => "any".to_owned(),
            values => values.join(" / "),
        }
    }
}
