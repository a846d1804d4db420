//! A picture of who can reach whom: callers on the left, the environment in the middle, what it calls on the right. The
//! layout is fixed, so that the same policies always make the same picture.

use std::fmt::Write as _;

use super::{Connection, Party, Ports, Reachability};

/// Width and height of a box, and of the room around the boxes.
const BOX: (i32, i32) = (176, 40);
const ROW: i32 = 64;
const MARGIN: i32 = 24;
/// Room between two columns, in which lines and their ports stand.
const GAP: i32 = 190;
/// Room between the frame of the environment and its boxes; more at its top, for the name.
const PAD: i32 = 20;
const HEAD: i32 = 40;
/// Height of a line of text at the frame's foot.
const LINE: i32 = 20;

/// Readable on a light and on a dark page, whichever the reader has.
const STYLE: &str = "\
:root{--page:#ffffff;--ink:#1f2328;--dim:#59636e;--line:#0969da;--box:#f6f8fa;--edge:#818b98}\
@media(prefers-color-scheme:dark){:root{--page:#0d1117;--ink:#f0f6fc;--dim:#9198a1;--line:#4493f8;--box:#151b23;--edge:#656c76}}\
text{font:13px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:var(--ink)}\
.page{fill:var(--page)}\
.box{fill:var(--box);stroke:var(--edge)}\
.frame{fill:none;stroke:var(--edge);stroke-width:1.5}\
.closed{fill:none;stroke:var(--edge);stroke-dasharray:4 4}\
.dim{fill:var(--dim)}\
.small{font-size:12px;fill:var(--dim)}\
.title{font-weight:600}\
.line{fill:none;stroke:var(--line);stroke-width:1.5}\
.head{fill:var(--line)}";

/// Where the columns begin.
const LEFT: i32 = MARGIN;
const FRAME: i32 = LEFT + BOX.0 + GAP - PAD;
const MIDDLE: i32 = FRAME + PAD;
const FRAME_END: i32 = MIDDLE + BOX.0 + PAD;
const RIGHT: i32 = FRAME_END + GAP - PAD;
const WIDTH: i32 = RIGHT + BOX.0 + MARGIN;

/// Where a line begins on the right of the environment.
#[derive(Clone, Copy)]
enum Start {
    /// At the frame: all components may connect.
    Frame,
    /// At the component with this number.
    Component(usize),
}

/// The picture as SVG, by itself: no scripts, no fonts and nothing else from elsewhere.
#[must_use]
pub fn svg(found: &Reachability, namespace: &str) -> String {
    let components: Vec<&Party> = found.parties.iter().filter(|p| p.is_component()).collect();
    let outside = || found.parties.iter().filter(|p| !p.is_component());
    let mut callers: Vec<&Party> = outside()
        .filter(|party| party.calls() || found.connections.iter().any(|c| c.from == **party))
        .collect();
    // In the order of whom they call, so that lines cross less; those who call nobody last.
    callers.sort_by_key(|caller| {
        let called = |party: &&&Party| ports(found, caller, party).is_some();
        let first = components.iter().position(|party| called(&party));
        first.unwrap_or(components.len())
    });
    let called: Vec<&Party> = outside().filter(|party| !party.only_calls()).collect();
    let among = among(found, &components);

    let rows = [components.len(), callers.len(), called.len()]
        .into_iter()
        .max();
    let rows = i32::try_from(rows.unwrap_or(0).max(1)).unwrap_or(i32::MAX / ROW);
    let foot = i32::try_from(among.len()).unwrap_or(0) * LINE;
    let height = MARGIN + HEAD + rows * ROW + foot + PAD + MARGIN;
    let y = |column: &[&Party], row: usize| {
        let count = i32::try_from(column.len()).unwrap_or(0);
        let row = i32::try_from(row).unwrap_or(0);
        MARGIN + HEAD + (rows - count) * ROW / 2 + row * ROW + ROW / 2
    };

    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>Who can reach whom in {name}</title>\n<style>{STYLE}</style>\n\
         <rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\"/>\n\
         <rect class=\"frame\" x=\"{FRAME}\" y=\"{MARGIN}\" width=\"{}\" height=\"{}\" rx=\"10\"/>\n\
         <text class=\"title\" x=\"{MIDDLE}\" y=\"{}\">{name}</text>\n",
        FRAME_END - FRAME,
        height - 2 * MARGIN,
        MARGIN + 26,
        name = escape(namespace),
    );
    for (row, party) in callers.iter().enumerate() {
        let open: Vec<&Connection> = found
            .connections
            .iter()
            .filter(|c| c.from == **party)
            .collect();
        draw_box(&mut out, LEFT, y(&callers, row), party, open.is_empty());
    }
    for (row, party) in components.iter().enumerate() {
        draw_box(&mut out, MIDDLE, y(&components, row), party, false);
        // Lines that arrive at one box stand below each other, in the order of where they come from.
        let arriving: Vec<(usize, &Ports)> = callers
            .iter()
            .enumerate()
            .filter_map(|(from, caller)| Some((from, ports(found, caller, party)?)))
            .collect();
        for (place, (from, ports)) in arriving.iter().enumerate() {
            let to = y(&components, row) + spread(place, arriving.len());
            let start = (LEFT + BOX.0, y(&callers, *from));
            draw_line(&mut out, start, (MIDDLE, to), FRAME - 8, ports);
        }
    }
    for (row, party) in called.iter().enumerate() {
        let starts = starts(found, &components, party);
        draw_box(&mut out, RIGHT, y(&called, row), party, starts.is_empty());
        for (place, (start, ports)) in starts.iter().enumerate() {
            let to = y(&called, row) + spread(place, starts.len());
            let start = match start {
                Start::Frame => (FRAME_END, to),
                Start::Component(number) => (MIDDLE + BOX.0, y(&components, *number)),
            };
            draw_line(&mut out, start, (RIGHT, to), RIGHT - 12, ports);
        }
    }
    for (line, text) in among.iter().enumerate() {
        let line = i32::try_from(line).unwrap_or(0);
        let y = MARGIN + HEAD + rows * ROW + line * LINE + 12;
        let _ = writeln!(
            out,
            "<text class=\"small\" x=\"{MIDDLE}\" y=\"{y}\">{}</text>",
            escape(text)
        );
    }
    out.push_str("</svg>\n");
    out
}

/// Where the lines to an end on the right begin: once at the frame when all components reach it alike.
fn starts<'a>(
    found: &'a Reachability,
    components: &[&Party],
    to: &Party,
) -> Vec<(Start, &'a Ports)> {
    let each: Vec<(usize, &Ports)> = components
        .iter()
        .enumerate()
        .filter_map(|(number, from)| Some((number, ports(found, from, to)?)))
        .collect();
    match each.first() {
        Some((_, first))
            if each.len() == components.len() && each.iter().all(|(_, ports)| ports == first) =>
        {
            vec![(Start::Frame, first)]
        }
        _ => {
            let each = each.into_iter();
            each.map(|(number, ports)| (Start::Component(number), ports))
                .collect()
        }
    }
}

/// What is open between the components, in words: lines between all of them would hide the rest.
fn among(found: &Reachability, components: &[&Party]) -> Vec<String> {
    if components.len() < 2 {
        return Vec::new();
    }
    let inner: Vec<&Connection> = found
        .connections
        .iter()
        .filter(|c| c.from.is_component() && c.to.is_component())
        .collect();
    match inner.first() {
        None => vec!["none reaches another".to_owned()],
        Some(first)
            if inner.len() == components.len() * (components.len() - 1)
                && inner.iter().all(|c| c.ports == first.ports) =>
        {
            vec!["all reach each other:".to_owned(), first.ports.to_string()]
        }
        _ => inner
            .iter()
            .map(|c| format!("{} → {}: {}", c.from, c.to, c.ports))
            .collect(),
    }
}

fn ports<'a>(found: &'a Reachability, from: &Party, to: &Party) -> Option<&'a Ports> {
    let mut connections = found.connections.iter();
    let connection = connections.find(|c| c.from == *from && c.to == *to);
    connection.map(|connection| &connection.ports)
}

/// How far above or below the middle of a box the line with this number arrives.
fn spread(place: usize, of: usize) -> i32 {
    const STEP: i32 = 14;
    let (place, of) = (
        i32::try_from(place).unwrap_or(0),
        i32::try_from(of).unwrap_or(1),
    );
    place * STEP - (of - 1) * STEP / 2
}

fn draw_box(out: &mut String, x: i32, middle: i32, party: &Party, closed: bool) {
    let (class, text) = if closed {
        ("closed", "dim")
    } else {
        ("box", "name")
    };
    let (width, height) = BOX;
    let center = x + width / 2;
    // A second line says that nobody gets there, or that it gets nowhere.
    let (name_y, mark) = if closed {
        let y = middle + 14;
        let mark = format!(
            "<text class=\"small\" x=\"{center}\" y=\"{y}\" text-anchor=\"middle\">closed</text>"
        );
        (middle - 2, mark)
    } else {
        (middle + 5, String::new())
    };
    let _ = writeln!(
        out,
        "<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"{height}\" rx=\"6\"/>\
         <text class=\"{text}\" x=\"{center}\" y=\"{name_y}\" text-anchor=\"middle\">{}</text>{mark}",
        middle - height / 2,
        escape(&shorten(&party.to_string())),
    );
}

/// A line with an arrow, and its ports to the left of `label`.
fn draw_line(out: &mut String, from: (i32, i32), to: (i32, i32), label: i32, ports: &Ports) {
    let tip = to.0 - 7;
    let bend = (from.0 + to.0) / 2;
    // On the side from which the line does not come.
    let label_y = if from.1 < to.1 { to.1 + 16 } else { to.1 - 5 };
    let _ = writeln!(
        out,
        "<path class=\"line\" d=\"M{},{} C{bend},{} {bend},{} {tip},{}\"/>\
         <path class=\"head\" d=\"M{},{} l-9,-4.5 v9 z\"/>\
         <text class=\"small\" x=\"{label}\" y=\"{label_y}\" text-anchor=\"end\">{}</text>",
        from.0,
        from.1,
        from.1,
        to.1,
        to.1,
        to.0,
        to.1,
        escape(&ports.to_string()),
    );
}

fn shorten(text: &str) -> String {
    const LONGEST: usize = 24;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let head: String = text.chars().take(LONGEST - 1).collect();
    format!("{head}…")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
