//! Every view at three sizes, with its styles in a dark terminal and without colours.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Style};

use super::{app, buffer, press_at};
use crate::tui::theme::Theme;

const SIZES: [(u16, u16); 3] = [(60, 16), (80, 24), (120, 40)];

/// Name, sample, and the keys that lead there.
const VIEWS: &[(&str, &str, &str)] = &[
    ("summary", "alert-unanswered.pcap", ""),
    ("summary_clean", "md5-sessions.pcap", ""),
    ("browser", "atomic-rolled-back.pcap", "n"),
    ("tree", "md5-sessions.pcap", "tab j enter j j"),
    ("commands", "atomic-rolled-back.pcap", "tab tab"),
    ("maximised", "atomic-rolled-back.pcap", "n tab z"),
    ("tab_tree", "atomic-rolled-back.pcap", "n n t t tab tab"),
    ("tab_xml", "atomic-rolled-back.pcap", "n n t x tab tab"),
    ("tab_hex", "msgid-skipped.pcap", "n t h tab tab"),
    ("tab_http", "http2.pcap", "tab t p tab tab"),
    ("tab_tls", "atomic-rolled-back.pcap", "n n t r tab tab"),
    ("tab_findings", "atomic-rolled-back.pcap", "n n t f tab tab"),
    ("tab_explain", "msgid-skipped.pcap", "n e tab tab"),
    ("timeline", "md5-nonce-not-decoded.pcap", "T j j j"),
    ("summary_stopped", "enrollment-refused.pcapng", ""),
    ("story", "enrollment-refused.pcapng", "D"),
    ("story_managed", "user-unenrollment.pcap", "D"),
    ("help", "clean.pcap", "?"),
    ("menu", "msgid-skipped.pcap", "n y j"),
    ("keys_pending", "clean.pcap", "tab g"),
    ("search_prompt", "clean.pcap", "/ D e v I"),
    ("search", "clean.pcap", "/ d e v i d enter"),
    ("search_nothing", "clean.pcap", "/ n o w h e r e enter"),
    ("filter_prompt", "clean.pcap", "f s e v e r i t y space > = space w a r n i n g"),
    ("filter_completion", "clean.pcap", "f s e"),
    ("filter_error", "clean.pcap", "f c o m a n d space = space G e t"),
    ("filtered", "atomic-rolled-back.pcap", "f s t a t u s space = space 4 0 5 enter"),
    ("note_prompt", "clean.pcap", "tab ; w h y ?"),
    ("marks", "md5-sessions.pcap", "tab l m j m ; s l o w enter"),
    ("command_line", "clean.pcap", ": t h"),
    ("threshold", "atomic-rolled-back.pcap", "s s"),
    ("secrets", "md5-sessions.pcap", "tab p"),
    ("compare", "md5-sessions.pcap", "tab l m j m d n"),
    ("compare_unmarked", "md5-sessions.pcap", "tab l m d"),
    ("export_menu", "md5-sessions.pcap", "tab l x j"),
    ("export_prompt", "md5-sessions.pcap", "tab l x l"),
];

#[test]
fn every_view_at_every_size() {
    for (name, sample, keys) in VIEWS {
        for (width, height) in SIZES {
            let mut app = app(sample);
            press_at(&mut app, keys, (width, height));
            while app.search_on(std::time::Duration::from_millis(5)) {}
            let coloured = buffer(&mut app, width, height);
            app.set_theme(Theme::mono());
            let plain = buffer(&mut app, width, height);
            assert_eq!(text(&coloured), text(&plain), "{name}: a theme changes no text");
            let is_plain = |cell: &Cell| cell.fg == Color::Reset && cell.bg == Color::Reset;
            assert!(plain.content.iter().all(is_plain), "{name}: a colour without colours");
            let shown = format!("{}\n\ndark\n{}\nmono\n{}", text(&coloured), styles(&coloured), styles(&plain));
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), shown);
        }
    }
}

/// What stands there.
pub(super) fn text(buffer: &Buffer) -> String {
    let rows = (0..buffer.area.height).map(|y| {
        let row: String = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect();
        row.trim_end().to_owned()
    });
    rows.collect::<Vec<_>>().join("\n")
}

/// A letter for each cell, a space for plain ones; then what the letters mean.
fn styles(buffer: &Buffer) -> String {
    let mut known: Vec<Style> = Vec::new();
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut row = String::new();
        for x in 0..buffer.area.width {
            let style = buffer[(x, y)].style();
            let plain = Cell::default().style();
            if style == plain {
                row.push(' ');
                continue;
            }
            let at = known.iter().position(|other| *other == style).unwrap_or_else(|| {
                known.push(style);
                known.len() - 1
            });
            row.push(char::from(b'a' + u8::try_from(at).unwrap().min(25)));
        }
        out += row.trim_end();
        out.push('\n');
    }
    for (at, style) in known.iter().enumerate() {
        let word = crate::tui::theme::words(*style);
        writeln!(out, "{}: {word}", char::from(b'a' + u8::try_from(at).unwrap().min(25))).unwrap();
    }
    out
}
