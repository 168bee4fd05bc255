//! Screens of the samples at several sizes, and what keys do.

use std::path::Path;

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::app::App;
use super::draw;
use super::keys::{Keys, typed};
use super::load::Job;
use super::store::Store;
use super::theme::Theme;
use crate::credentials::Credentials;
use crate::engine;
use crate::input;
use crate::limits::Limits;
use crate::rules::Profile;
use crate::rules::select::Selection;

fn app(sample: &str) -> App {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(sample);
    let mut inputs = input::collect(&[path], None).unwrap();
    inputs.iter_mut().for_each(|input| input.name = format!("samples/{sample}"));
    let engine = engine::Settings { limits: Limits::default(), mmap: true };
    let job = Job { inputs, engine, selection: Selection::of(Profile::Windows), credentials: Credentials::default() };
    let mut store = Store::all(&job);
    store.names = vec![format!("samples/{sample}")];
    App::new(store, Theme::dark(), Keys::default())
}

/// Types keys, drawing after each as the program does.
fn press(app: &mut App, keys: &str) {
    for key in typed(keys) {
        screen(app, 120, 40);
        app.key(key);
    }
}

fn screen(app: &mut App, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw::draw(app, frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let rows = (0..height).map(|y| {
        let row: String = (0..width).map(|x| buffer[(x, y)].symbol()).collect();
        row.trim_end().to_owned()
    });
    rows.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_summary_tells_the_cause_at_every_size() {
    for (width, height) in [(60, 16), (80, 24), (120, 40), (200, 50)] {
        let mut app = app("msgid-skipped.pcap");
        insta::assert_snapshot!(format!("summary_{width}x{height}"), screen(&mut app, width, height));
    }
}

#[test]
fn a_finding_is_one_key_away_at_every_size() {
    for (width, height) in [(60, 16), (80, 24), (120, 40), (200, 50)] {
        let mut app = app("msgid-skipped.pcap");
        press(&mut app, "n");
        insta::assert_snapshot!(format!("finding_{width}x{height}"), screen(&mut app, width, height));
    }
}

#[test]
fn every_tab_shows_the_message() {
    for (keys, name) in [
        ("t t", "tree"),
        ("t x", "xml"),
        ("t h", "hex"),
        ("t p", "http"),
        ("t r", "frames"),
        ("t f", "findings"),
        ("e", "explain"),
    ] {
        let mut app = app("atomic-rolled-back.pcap");
        press(&mut app, "n n");
        press(&mut app, keys);
        press(&mut app, "tab tab z");
        insta::assert_snapshot!(format!("tab_{name}"), screen(&mut app, 80, 24));
    }
}
