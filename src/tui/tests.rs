//! Screens of the samples at several sizes, and what keys do.

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::app::{App, Effect};
use super::draw;
use super::keys::{Keys, typed};
use super::load::Job;
use super::store::Store;
use super::theme::Theme;
use crate::credentials::Credentials;
use crate::engine;
use crate::escape;
use crate::input;
use crate::rules::Profile;
use crate::rules::select::Selection;

fn app(sample: &str) -> App {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(sample);
    let mut inputs = input::collect(&[path], None).unwrap();
    inputs.iter_mut().for_each(|input| input.name = format!("samples/{sample}"));
    let engine = engine::Settings { threads: 2, ..engine::Settings::default() };
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

#[test]
fn a_filter_leaves_what_it_holds_for() {
    let mut app = app("atomic-rolled-back.pcap");
    press(&mut app, "n f s t a t u s space = space 4 0 5");
    assert!(screen(&mut app, 120, 40).contains("filter: status = 405"));
    press(&mut app, "enter");
    let shown = screen(&mut app, 120, 40);
    assert!(shown.contains("1 of 1 sessions") && !shown.contains("→ client 1"), "{shown}");
    press(&mut app, "f ctrl-u c o m a n d space = space G e t");
    let shown = screen(&mut app, 120, 40);
    assert!(shown.contains("did you mean `command`?"), "{shown}");
    press(&mut app, "esc esc");
    assert!(screen(&mut app, 120, 40).contains("→ client 1"));
}

#[test]
fn a_search_goes_from_hit_to_hit() {
    let mut app = app("clean.pcap");
    press(&mut app, "/ d e v i n f o enter");
    while app.search_on(Duration::from_millis(1)) {}
    let shown = screen(&mut app, 120, 40);
    assert!(shown.contains("hit 1 of") && shown.contains("DevInfo"), "{shown}");
    let first = app.at;
    press(&mut app, "n");
    assert_ne!(app.at, first);
    press(&mut app, "N");
    assert_eq!(app.at, first);
    press(&mut app, "esc / n o w h e r e enter");
    while app.search_on(Duration::from_millis(1)) {}
    assert!(screen(&mut app, 120, 40).contains("is nowhere"));
}

#[test]
fn enter_follows_a_status_to_its_command_and_back() {
    let mut app = app("atomic-rolled-back.pcap");
    press(&mut app, "n");
    let status = app.at.unwrap();
    press(&mut app, "tab enter");
    let command = app.at.unwrap();
    let name = |at| app.session().unwrap().element(at).unwrap().name().to_owned();
    assert_eq!((name(command), command.message < status.message), ("Atomic".to_owned(), true));
    press(&mut app, "enter");
    assert_eq!(app.at.map(|at| at.message), Some(status.message));
    press(&mut app, "backspace backspace");
    assert_eq!(app.at, Some(status));
}

#[test]
fn what_is_copied_is_what_is_looked_at() {
    let mut app = app("msgid-skipped.pcap");
    let mut copied = |keys: &str| {
        press(&mut app, keys);
        match app.effects().pop() {
            Some(Effect::Copy(text)) => text,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(copied("n y e"), "<MsgID>5</MsgID>");
    assert!(copied("y m").starts_with("<SyncML xmlns"));
    assert!(
        copied("y f")
            .starts_with("warning[DM-MSG-003]: MsgID is 5 after 2; expected 3\n  at msgid-skipped.pcap frame 24")
    );
    insta::assert_snapshot!("issue", copied("y i").replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn secrets_are_shown_only_when_asked_for() {
    let mut app = app("clean.pcap");
    let needle = "********";
    press(&mut app, "/ c r e d enter");
    while app.search_on(Duration::from_millis(1)) {}
    press(&mut app, "z");
    let hidden = app.search.is_some() && screen(&mut app, 120, 40).contains(needle);
    press(&mut app, "p");
    let shown = screen(&mut app, 120, 40);
    assert!(shown.contains("secrets shown"));
    assert!(!hidden || !shown.contains(needle));
}

#[test]
fn marks_and_notes_are_kept() {
    let mut app = app("clean.pcap");
    press(&mut app, "tab m ; w h y ? enter");
    let shown = screen(&mut app, 120, 40);
    assert!(shown.contains("★ ✎") && shown.contains("note: why?"), "{shown}");
    let kept = app.effects().into_iter().filter(|effect| matches!(effect, Effect::SaveNotes(_))).count();
    assert_eq!(kept, 2);
}

#[test]
fn help_lists_every_action() {
    let mut app = app("clean.pcap");
    press(&mut app, "?");
    let all = screen(&mut app, 120, 70);
    for entry in super::keys::TABLE {
        assert!(all.contains(entry.help.split(' ').next().unwrap()), "{}", entry.name);
    }
    insta::assert_snapshot!("help", all);
}

/// Keys that a test may type at random: all that are bound, and letters for prompts.
fn any_key() -> impl Strategy<Value = &'static str> {
    let bound = super::keys::TABLE.iter().flat_map(|entry| entry.keys.iter().flat_map(|keys| keys.split(' ')));
    let more = ["1", "9", "4", "a", "s", "=", "(", "~", "ä", "delete", "esc", "enter", "enter", "tab", "tab"];
    prop::sample::select(bound.chain(more).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_keys_and_no_size_break_the_screen(
        keys in prop::collection::vec(any_key(), 1..60),
        sizes in prop::collection::vec((1u16..140, 1u16..45), 1..8),
        sample in prop::sample::select(vec!["atomic-rolled-back.pcap", "server.log", "proxy.har"]),
    ) {
        let mut app = app(sample);
        for (number, key) in keys.iter().enumerate() {
            let (width, height) = sizes[number % sizes.len()];
            let shown = screen(&mut app, width, height);
            prop_assert!(!shown.chars().any(|letter| escape::is_hidden(letter) && letter != '\n'));
            if width >= 20 && height >= 4 {
                let last_but_one = shown.lines().nth(usize::from(height) - 2).unwrap_or_default();
                prop_assert!(!last_but_one.is_empty() , "no status line:\n{}", shown);
            }
            typed(key).into_iter().for_each(|key| app.key(key));
            app.search_on(Duration::ZERO);
            app.effects();
        }
    }
}
