//! The storyboard: each screen as a small phone, steps forward as lines.

use std::fmt::Write as _;

use super::layout::{Layout, Place, Sizes, Thing, lay_out};
use super::{example, input_hint};
use crate::core::menu::{Menu, Screen, ScreenKind};
use crate::core::messages::Templates;

const PAGE: f64 = 1200.0;
const PHONE: f64 = 200.0;
/// Letters across a phone's screen at the size they are set in.
const ACROSS: usize = 24;
const LINE: f64 = 16.0;
/// From the top of a phone to its screen, where its name stands, and below it.
const HEAD: f64 = 22.0;
const FOOT: f64 = 12.0;
const CAPTION: f64 = 14.0;
/// The rows of moves and the room for lines above and below them.
const MOVE: f64 = 20.0;
const ROOM: f64 = 30.0;
const TOP: f64 = 74.0;

/// Dark enough for a thin line on white, and told apart by people who see red and green alike.
const COLOURS: [&str; 11] = [
    "#0b6e99", "#b4560f", "#5b4a9e", "#2d7d46", "#a23b5c", "#5f6b76", "#8a6d0a", "#1b4f8f", "#7a3fa0", "#c0392b",
    "#137a7f",
];

/// The menu as an SVG picture, 1200 pixels wide.
pub fn svg(menu: &Menu, texts: &Templates) -> String {
    let layout = lay_out(
        menu,
        &Sizes {
            page: PAGE,
            screen: PHONE,
            letter: 6.7,
        },
    );
    let phones: Vec<Phone> = menu.screens().map(|screen| Phone::of(screen, texts)).collect();
    let rows = Rows::of(&layout, &phones);

    let mut out = String::new();
    let height = rows.bottom + 24.0;
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{PAGE}\" height=\"{height:.0}\" viewBox=\"0 0 {PAGE} {height:.0}\" \
         role=\"img\" aria-label=\"The screens of the menu and the moves between them\">"
    );
    out.push_str(STYLE);
    let _ = writeln!(out, "<rect class=\"page\" width=\"{PAGE}\" height=\"{height:.0}\"/>");
    legend(&mut out);
    lines(&mut out, &layout, &rows);
    for place in &layout.places {
        match &place.thing {
            Thing::Screen(number) => {
                phones[*number].draw(&mut out, place, rows.top[place.layer], &layout.captions[*number]);
            }
            Thing::Move(label) => movement(&mut out, place, rows.top[place.layer], label),
            Thing::Bend => {}
        }
    }
    out.push_str("</svg>\n");
    out
}

const STYLE: &str = "<style>
text { font: 12px 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #1f2a1c; white-space: pre; }
.page { fill: #ffffff; }
.phone { fill: #37434d; } .over { fill: #9a5b2c; }
.lcd { fill: #eaf1dc; } .over + .lcd { fill: #f8ecdf; }
.name { font-size: 12px; font-weight: bold; fill: #ffffff; } .tag { font-size: 10px; fill: #ffffff; }
.data { font-style: italic; fill: #55624e; }
.caption { font-size: 11px; fill: #55606a; }
.move { font-size: 11px; fill: #ffffff; }
.title { font-size: 20px; font-weight: bold; } .legend { font-size: 12px; fill: #46515b; }
.line { fill: none; stroke-width: 1.6; }
</style>
";

fn legend(out: &mut String) {
    text(out, 20.0, 32.0, "title", "start", "The conversation");
    let words = "Lines are steps forward; other moves stand below their screen. Key 0 goes back or leaves, 9 shows more. \
                 Brown screens end the dialog.";
    text(out, 20.0, 54.0, "legend", "start", words);
}

fn text(out: &mut String, x: f64, y: f64, class: &str, anchor: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(
        out,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>"
    );
}

/// A screen ready to be drawn.
struct Phone {
    name: String,
    end: bool,
    /// The lines of text, each with whether it stands for data.
    lines: Vec<(String, bool)>,
}

impl Phone {
    fn of(screen: &Screen, texts: &Templates) -> Self {
        let mut lines: Vec<(String, bool)> = wrap(&example(texts, &screen.text))
            .into_iter()
            .map(|line| (line, false))
            .collect();
        lines.extend(input_hint(screen.kind).map(|content| (content.to_owned(), true)));
        for choice in &screen.options {
            lines.push((format!("{} {}", choice.key, example(texts, &choice.label)), false));
        }
        Self {
            name: screen.id.clone(),
            end: screen.kind == ScreenKind::End,
            lines,
        }
    }

    fn body(&self) -> f64 {
        HEAD + count(self.lines.len()) * LINE + 10.0 + FOOT
    }

    fn draw(&self, out: &mut String, place: &Place, top: f64, captions: &[String]) {
        let left = place.x - PHONE / 2.0;
        let class = if self.end { "phone over" } else { "phone" };
        let (inside, height) = (PHONE - 12.0, self.body());
        let _ = writeln!(
            out,
            "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{PHONE}\" height=\"{height:.1}\" rx=\"12\"/>\
             <rect class=\"lcd\" x=\"{:.1}\" y=\"{:.1}\" width=\"{inside}\" height=\"{:.1}\" rx=\"4\"/>",
            left + 6.0,
            top + HEAD,
            height - HEAD - FOOT
        );
        text(out, left + 12.0, top + 15.5, "name", "start", &self.name);
        if self.end {
            text(out, left + PHONE - 12.0, top + 15.0, "tag", "end", "END");
        }
        let mut y = top + HEAD + LINE;
        for (line, data) in &self.lines {
            text(out, left + 12.0, y, if *data { "data" } else { "words" }, "start", line);
            y += LINE;
        }
        let mut y = top + height + CAPTION;
        for caption in captions {
            text(out, left + 8.0, y, "caption", "start", caption);
            y += CAPTION;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of lines on a phone")]
fn count(lines: usize) -> f64 {
    lines as f64
}

/// Breaks a text between words.
fn wrap(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= ACROSS => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The top and height of each layer.
struct Rows {
    top: Vec<f64>,
    height: Vec<f64>,
    /// By place: where lines leave it downwards.
    foot: Vec<f64>,
    bottom: f64,
}

impl Rows {
    fn of(layout: &Layout, phones: &[Phone]) -> Self {
        let own = |place: &Place| match &place.thing {
            Thing::Screen(number) => match layout.captions[*number].len() {
                0 => phones[*number].body(),
                lines => phones[*number].body() + count(lines) * CAPTION + 5.0,
            },
            Thing::Move(_) => MOVE,
            Thing::Bend => 0.0,
        };
        let mut height = vec![0.0_f64; layout.layers];
        for place in &layout.places {
            height[place.layer] = height[place.layer].max(own(place));
        }
        let mut top = Vec::with_capacity(layout.layers);
        let mut y = TOP;
        for one in &height {
            top.push(y);
            y += one + ROOM;
        }
        let foot = layout.places.iter().map(|place| match place.thing {
            Thing::Bend => top[place.layer] + height[place.layer],
            _ => top[place.layer] + own(place),
        });
        Self {
            foot: foot.collect(),
            bottom: y - ROOM,
            top,
            height,
        }
    }
}

fn movement(out: &mut String, place: &Place, top: f64, label: &str) {
    let colour = COLOURS[place.colour % COLOURS.len()];
    let _ = writeln!(
        out,
        "<rect x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{MOVE}\" rx=\"10\" fill=\"{colour}\"/>",
        place.x - place.width / 2.0,
        place.width
    );
    text(out, place.x, top + 14.0, "move", "middle", label);
}

fn lines(out: &mut String, layout: &Layout, rows: &Rows) {
    for (index, colour) in COLOURS.iter().enumerate() {
        let _ = writeln!(
            out,
            "<marker id=\"tip{index}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
             markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0 8 4 0 8z\" fill=\"{colour}\"/></marker>"
        );
    }
    for piece in &layout.pieces {
        let (from, to) = (&layout.places[piece.from], &layout.places[piece.to]);
        let colour = piece.colour % COLOURS.len();
        let (start, row, end) = (
            rows.foot[piece.from],
            rows.top[from.layer] + rows.height[from.layer],
            rows.top[to.layer],
        );
        let middle = f64::midpoint(row, end);
        let tip = if matches!(to.thing, Thing::Screen(_)) {
            format!(" marker-end=\"url(#tip{colour})\"")
        } else {
            String::new()
        };
        let through = if to.thing == Thing::Bend {
            format!(" V{:.1}", rows.foot[piece.to])
        } else {
            String::new()
        };
        let _ = writeln!(
            out,
            "<path class=\"line\" stroke=\"{}\" d=\"M{:.1} {start:.1} V{row:.1} C{:.1} {middle:.1} {:.1} {middle:.1} {:.1} {end:.1}{through}\"{tip}/>",
            COLOURS[colour], from.x, from.x, to.x, to.x
        );
    }
}
