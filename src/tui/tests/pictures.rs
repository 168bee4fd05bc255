//! The pictures in `docs/pictures`: screens of samples as SVG. `DMSCOPE_PICTURES=remake cargo test --lib pictures` makes
//! them anew; without that the test says which are stale.

use std::fmt::Write as _;
use std::path::Path;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::{app, buffer, press};
use crate::tui::theme::Theme;

/// Name, theme, sample, keys.
const PICTURES: &[(&str, &str, &str, &str)] = &[
    ("summary", "dark", "alert-unanswered.pcap", ""),
    ("finding", "dark", "atomic-rolled-back.pcap", "n tab enter"),
    ("timeline", "dark", "md5-sessions.pcap", "T j j j"),
    ("story", "dark", "enrollment-refused.pcapng", "D"),
    ("explain", "light", "msgid-skipped.pcap", "n e"),
    ("filter", "dark", "atomic-rolled-back.pcap", "n f s t a t u s space > = space 4 0 0 space a n d space c o m"),
    ("without-colours", "mono", "msgid-skipped.pcap", "n"),
];
const SIZE: (u16, u16) = (110, 30);
/// Units of a cell.
const CELL: (u16, u16) = (8, 17);

#[test]
fn pictures_show_the_screens_of_today() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures");
    let remake = std::env::var_os("DMSCOPE_PICTURES").is_some_and(|value| value == "remake");
    let mut stale = Vec::new();
    for (name, theme, sample, keys) in PICTURES {
        let mut app = app(sample);
        app.set_theme(Theme::named(theme).unwrap());
        press(&mut app, keys);
        let picture = svg(&buffer(&mut app, SIZE.0, SIZE.1), *theme == "light");
        let path = folder.join(format!("{name}.svg"));
        if std::fs::read_to_string(&path).unwrap_or_default() == picture {
            continue;
        }
        if remake {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, picture).unwrap();
        } else {
            stale.push(*name);
        }
    }
    assert!(stale.is_empty(), "stale: {stale:?}; DMSCOPE_PICTURES=remake cargo test --lib pictures makes them anew");
}

fn svg(screen: &Buffer, light: bool) -> String {
    let (width, height) = (SIZE.0 * CELL.0 + 16, SIZE.1 * CELL.1 + 16);
    let (ink, paper) = if light { ("#24292f", "#ffffff") } else { ("#d4d4d4", "#1c1c1c") };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"13\">\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"{paper}\"/>\n"
    );
    for y in 0..screen.area.height {
        let mut x = 0;
        while x < screen.area.width {
            let cell = &screen[(x, y)];
            let same = (x..screen.area.width).take_while(|x| screen[(*x, y)].style() == cell.style());
            let until = same.last().unwrap_or(x) + 1;
            let text: String = (x..until).map(|x| screen[(x, y)].symbol()).collect();
            run(&mut out, cell, (x, y), until - x, &text, (ink, paper));
            x = until;
        }
    }
    out + "</svg>\n"
}

/// Cells of one style in a row.
fn run(out: &mut String, cell: &Cell, (x, y): (u16, u16), cells: u16, text: &str, (ink, paper): (&str, &str)) {
    let has = |modifier| cell.modifier.contains(modifier);
    let (mut front, mut back) = (colour(cell.fg).unwrap_or(ink), colour(cell.bg).unwrap_or(paper));
    if has(Modifier::REVERSED) {
        std::mem::swap(&mut front, &mut back);
    }
    let (left, top, wide) = (x * CELL.0 + 8, y * CELL.1 + 8, cells * CELL.0);
    if back != paper {
        writeln!(out, "<rect x=\"{left}\" y=\"{top}\" width=\"{wide}\" height=\"{}\" fill=\"{back}\"/>", CELL.1)
            .unwrap();
    }
    if text.trim().is_empty() {
        return;
    }
    let mut look = format!("fill=\"{front}\"");
    for (modifier, attribute) in [
        (Modifier::BOLD, " font-weight=\"bold\""),
        (Modifier::DIM, " opacity=\"0.6\""),
        (Modifier::ITALIC, " font-style=\"italic\""),
        (Modifier::UNDERLINED, " text-decoration=\"underline\""),
    ] {
        if has(modifier) {
            look += attribute;
        }
    }
    // Each word at its own place: then a font that is a little wider or narrower does no harm.
    let mut column = 0;
    for word in text.split(' ') {
        let wide = u16::try_from(word.chars().count()).unwrap();
        if wide > 0 {
            let (x, y, length) = (left + column * CELL.0, top + 13, wide * CELL.0);
            let word = word.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            writeln!(out, "<text x=\"{x}\" y=\"{y}\" textLength=\"{length}\" {look}>{word}</text>").unwrap();
        }
        column += wide + 1;
    }
}

/// The sixteen colours as terminals have them.
fn colour(color: Color) -> Option<&'static str> {
    Some(match color {
        Color::Black => "#1c1c1c",
        Color::Red => "#c4314b",
        Color::Green => "#3fa34d",
        Color::Yellow => "#d7a72b",
        Color::Blue => "#2f6fd0",
        Color::Magenta => "#a444b0",
        Color::Cyan => "#35a8bd",
        Color::White => "#ffffff",
        Color::LightRed => "#ff6b6b",
        Color::LightBlue => "#6fa8ff",
        Color::LightMagenta => "#e07bea",
        _ => return None,
    })
}
