//! Small tables for people.
//!
//! Columns are as wide as their widest cell, and Chinese characters count as two
//! columns, so that mixed catalogues line up in a terminal.

/// The widest a cell may be before it is cut.
const WIDEST: usize = 56;

/// Rows of cells under a header; numbers stand to the right.
pub struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with these columns.
    pub fn new(header: &[&'static str]) -> Self {
        Self {
            header: header.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; missing cells are empty.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows
            .push(cells.into_iter().map(|cell| cut(&cell)).collect());
    }

    /// The table as lines, without columns in which no row has anything.
    pub fn render(&self) -> String {
        let used: Vec<usize> = (0..self.header.len())
            .filter(|&column| self.rows.iter().any(|row| !cell(row, column).is_empty()))
            .collect();
        let header: Vec<String> = self.header.iter().map(|name| (*name).to_owned()).collect();
        let mut text = String::new();
        for row in std::iter::once(&header).chain(&self.rows) {
            let mut line = String::new();
            for &column in &used {
                let gap = self.width(column).saturating_sub(width(cell(row, column)));
                let pad = " ".repeat(gap);
                let content = cell(row, column);
                if self.is_numeric(column) {
                    line.push_str(&format!("{pad}{content}  "));
                } else {
                    line.push_str(&format!("{content}{pad}  "));
                }
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| width(cell(row, column)));
        let name = self.header.get(column).map_or(0, |name| width(name));
        cells.chain([name]).max().unwrap_or(0)
    }

    fn is_numeric(&self, column: usize) -> bool {
        self.rows
            .iter()
            .map(|row| cell(row, column))
            .all(|cell| cell.is_empty() || cell.parse::<f64>().is_ok())
    }
}

fn cell(row: &[String], column: usize) -> &str {
    row.get(column).map_or("", String::as_str)
}

/// Columns a text takes in a terminal: wide East Asian characters take two.
fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

fn columns(character: char) -> usize {
    match character {
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// One line of at most [`WIDEST`] columns; control characters would break the table.
fn cut(text: &str) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if width(&clean) <= WIDEST {
        return clean;
    }
    let mut short = String::new();
    let mut taken = 1;
    for character in clean.chars() {
        taken += columns(character);
        if taken > WIDEST {
            break;
        }
        short.push(character);
    }
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_empty_ones_are_left_out() {
        let mut table = Table::new(&["title", "brand", "price"]);
        table.row(vec!["四件套".into(), String::new(), "899".into()]);
        table.row(vec!["red mug".into(), String::new(), "2.5".into()]);
        assert_eq!(
            table.render(),
            "title    price\n四件套     899\nred mug    2.5\n"
        );
    }

    #[test]
    fn a_long_cell_is_cut_to_one_line() {
        let mut table = Table::new(&["title"]);
        table.row(vec![format!("a\nb{}", "x".repeat(200))]);
        let text = table.render();
        assert_eq!(text.lines().count(), 2);
        assert!(text.lines().all(|line| width(line) <= WIDEST), "{text}");
    }
}
