//! A terminal's text as SVG: text that stays text, in whatever monospaced font there is, for light and for dark pages.

use std::fmt::Write as _;

/// One line of the terminal.
pub(super) type Line = Vec<Run>;

/// Text of one look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) text: String,
    /// Of the eight colours of terminals.
    pub(super) color: Option<u8>,
    pub(super) bold: bool,
    pub(super) dim: bool,
}

impl Run {
    pub(super) fn dim(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            color: None,
            bold: false,
            dim: true,
        }
    }

    pub(super) fn bold(text: &str) -> Self {
        Self {
            dim: false,
            bold: true,
            ..Self::dim(text)
        }
    }
}

/// Width and height of a character, and the room around the text.
const WIDTH: f64 = 7.8;
const HEIGHT: f64 = 17.0;
const MARGIN: f64 = 16.0;

const STYLE: &str = "\
text { font: 13px ui-monospace, monospace; white-space: pre; fill: #1f2328 }
.page { fill: #f6f8fa; stroke: #d1d9e0 }
.b { font-weight: bold } .d { fill: #656d76 }
.c1 { fill: #b3261e } .c2 { fill: #1a7f37 } .c3 { fill: #8a5a00 } .c4 { fill: #0550ae } .c5 { fill: #8250df } .c6 { fill: #0b6e7f }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .page { fill: #161b22; stroke: #30363d } .d { fill: #9198a1 }
.c1 { fill: #ff7b72 } .c2 { fill: #3fb950 } .c3 { fill: #e3b341 } .c4 { fill: #79c0ff } .c5 { fill: #d2a8ff } .c6 { fill: #56d4dd }
}
";

/// The picture of lines in a terminal of so many columns; the caption stands below them.
pub(super) fn picture(lines: &[Line], columns: usize, caption: &str) -> String {
    let width = MARGIN.mul_add(2.0, columns as f64 * WIDTH);
    let height = MARGIN.mul_add(2.0, (lines.len() + 2) as f64 * HEIGHT);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" role=\"img\" aria-labelledby=\"title desc\">\n\
         <title id=\"title\">A session with k8s-ee in a terminal</title>\n\
         <desc id=\"desc\">An environment is brought up and its URL printed; a second version replaces the first; a third \
         does not come up, its cause is named and the version before is restored; the environment is removed. {}.</desc>\n\
         <style>\n{STYLE}</style>\n\
         <rect class=\"page\" x=\"0.5\" y=\"0.5\" width=\"{:.0}\" height=\"{:.0}\" rx=\"6\"/>\n",
        escaped(caption),
        width - 1.0,
        height - 1.0,
    );
    for (row, line) in lines.iter().enumerate() {
        let mut column = 0;
        for run in line {
            text(&mut svg, row, column, run);
            column += run.text.chars().count();
        }
    }
    text(&mut svg, lines.len() + 1, 0, &Run::dim(caption));
    svg.push_str("</svg>\n");
    svg
}

/// Puts a run in its place. Its length is given, so that columns stand below each other in any font; the blanks around it
/// are left out, as not every reader keeps them.
fn text(svg: &mut String, row: usize, column: usize, run: &Run) {
    let shown = run.text.trim();
    if shown.is_empty() {
        return;
    }
    let blanks = run.text.chars().take_while(|c| c.is_whitespace()).count();
    let x = ((column + blanks) as f64).mul_add(WIDTH, MARGIN);
    let y = (row as f64 + 0.8).mul_add(HEIGHT, MARGIN);
    let length = shown.chars().count() as f64 * WIDTH;
    let mut classes = Vec::new();
    classes.extend(run.bold.then(|| "b".to_owned()));
    classes.extend(run.dim.then(|| "d".to_owned()));
    classes.extend(run.color.map(|color| format!("c{}", color % 8)));
    let class = match classes.as_slice() {
        [] => String::new(),
        classes => format!(" class=\"{}\"", classes.join(" ")),
    };
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{length:.1}\" lengthAdjust=\"spacingAndGlyphs\"{class}>{}</text>",
        escaped(shown)
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text_and_stands_in_its_column() {
        let error = Run {
            color: Some(1),
            ..Run::bold("error:")
        };
        let plain = Run {
            bold: false,
            ..Run::bold(" <a> & b")
        };
        let svg = picture(&[vec![error, plain]], 20, "recorded today");
        assert!(svg.contains("class=\"b c1\">error:</text>"), "{svg}");
        // Behind seven characters: the word, its colon and a blank.
        let x = 7.0_f64.mul_add(WIDTH, MARGIN);
        assert!(svg.contains(&format!("x=\"{x:.1}\"")), "{svg}");
        assert!(svg.contains(">&lt;a&gt; &amp; b</text>"), "{svg}");
        assert!(svg.contains(">recorded today</text>"), "{svg}");
    }
}
