//! Columns for people; on a terminal that is too narrow for them, a field a line.

/// Lays rows out under their headings, two blanks between columns. Nothing is cut: where `width` columns are not enough,
/// each row becomes a block with a line for each field. Without a width there is no limit.
#[must_use]
pub fn table(headings: &[&str], rows: &[Vec<String>], width: Option<usize>) -> String {
    let wide = columns(&[headings], rows, |_| false);
    if fits(&wide, width) {
        wide
    } else {
        fields(headings, rows, width)
    }
}

/// The same with a name in the first column and amounts, which stand to the right, in the others. Headings with a dot,
/// such as `requests.cpu`, may take two lines.
#[must_use]
pub fn amounts(headings: &[&str], rows: &[Vec<String>], width: Option<usize>) -> String {
    let is_amount = |column| column > 0;
    let wide = columns(&[headings], rows, is_amount);
    if fits(&wide, width) {
        return wide;
    }
    let split: Vec<(&str, &str)> = headings
        .iter()
        .map(|heading| heading.split_once('.').unwrap_or(("", heading)))
        .collect();
    let upper: Vec<&str> = split.iter().map(|(upper, _)| *upper).collect();
    let lower: Vec<&str> = split.iter().map(|(_, lower)| *lower).collect();
    let stacked = columns(&[upper.as_slice(), lower.as_slice()], rows, is_amount);
    if fits(&stacked, width) {
        stacked
    } else {
        fields(headings, rows, width)
    }
}

/// Parts of one line, two blanks between them; a line for each where they do not fit beside each other.
#[must_use]
pub fn line(parts: &[String], width: Option<usize>) -> String {
    let wide = parts.join("  ");
    if fits(&wide, width) {
        wide
    } else {
        parts.join("\n")
    }
}

fn fits(text: &str, width: Option<usize>) -> bool {
    width.is_none_or(|width| text.lines().all(|line| line.chars().count() <= width))
}

fn columns(headings: &[&[&str]], rows: &[Vec<String>], to_the_right: fn(usize) -> bool) -> String {
    let headings = headings.iter().map(|line| line.to_vec());
    let rows = rows
        .iter()
        .map(|row| row.iter().map(String::as_str).collect());
    let lines: Vec<Vec<&str>> = headings.chain(rows).collect();
    let mut widths = Vec::new();
    for line in &lines {
        widths.resize(widths.len().max(line.len()), 0);
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(&widths).enumerate();
        let padded: Vec<String> = cells
            .map(|(column, (cell, &width))| match to_the_right(column) {
                true => format!("{cell:>width$}"),
                false => format!("{cell:width$}"),
            })
            .collect();
        text.push_str(padded.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// The first cell names the row, the others stand below it, below each other where that leaves them a third of the width.
fn fields(headings: &[&str], rows: &[Vec<String>], width: Option<usize>) -> String {
    let names = headings.iter().skip(1).map(|name| name.chars().count());
    let pad = names.max().unwrap_or(0);
    let has_room = width.is_none_or(|width| pad + 4 <= width * 2 / 3);
    blocks(headings, rows, if has_room { pad } else { 0 })
}

fn blocks(headings: &[&str], rows: &[Vec<String>], pad: usize) -> String {
    let mut text = String::new();
    for row in rows {
        let mut cells = headings.iter().zip(row);
        if let Some((_, first)) = cells.next() {
            text.push_str(&format!("{first}\n"));
        }
        for (name, cell) in cells {
            text.push_str(format!("  {name:pad$}  {cell}").trim_end());
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        let owned = |row: &&[&str]| row.iter().map(|&cell| cell.to_owned()).collect();
        rows.iter().map(owned).collect()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = rows(&[&["a", "bb"], &["äöü", ""]]);
        let wide = "N    STATE\na    bb\näöü\n";
        assert_eq!(table(&["N", "STATE"], &rows, None), wide);
        assert_eq!(table(&["N", "STATE"], &rows, Some(10)), wide);
    }

    #[test]
    fn too_narrow_for_columns_it_is_a_field_a_line() {
        let rows = rows(&[&["a", "bb", "1"], &["äöü", "", "2"]]);
        assert_eq!(
            table(&["N", "STATE", "PODS"], &rows, Some(15)),
            "a\n  STATE  bb\n  PODS   1\näöü\n  STATE\n  PODS   2\n"
        );
        assert_eq!(
            table(&["N", "STATE", "PODS"], &rows, Some(9)),
            "a\n  STATE  bb\n  PODS  1\näöü\n  STATE\n  PODS  2\n"
        );
    }

    #[test]
    fn amounts_stand_to_the_right_and_their_headings_may_stack() {
        let rows = rows(&[&["api", "300m", "3"]]);
        let headings = ["component", "requests.cpu", "pods"];
        assert_eq!(
            amounts(&headings, &rows, Some(29)),
            "component  requests.cpu  pods\napi                300m     3\n"
        );
        assert_eq!(
            amounts(&headings, &rows, Some(28)),
            "           requests\ncomponent       cpu  pods\napi            300m     3\n"
        );
        assert_eq!(
            amounts(&headings, &rows, Some(24)),
            "api\n  requests.cpu  300m\n  pods          3\n"
        );
    }

    #[test]
    fn parts_of_a_line_stand_below_each_other_where_they_must() {
        let parts = ["shop-pr-1".to_owned(), "running".to_owned()];
        assert_eq!(line(&parts, Some(18)), "shop-pr-1  running");
        assert_eq!(line(&parts, Some(17)), "shop-pr-1\nrunning");
    }
}
