//! Screens of the samples at several sizes, and what keys do.

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

mod guide;
mod hostile;
mod mouse;
mod pictures;
mod views;
mod wire;

use super::app::{App, Effect, Pane, Screen};
use super::draw;
use super::keys::{Keys, typed};
use super::load::Job;
use super::store::Store;
use super::theme::Theme;
use crate::credentials::Credentials;
use crate::escape;
use crate::input;
use crate::rules::area::Area;
use crate::rules::{self, Rule};
use crate::suppress::ignore::today;
use crate::suppress::{self, Ignore, Suppressor};

fn app(sample: &str) -> App {
    app_with(sample, false)
}

/// With what `samples/credentials.toml` knows of the secrets, if so.
fn app_with(sample: &str, credentials: bool) -> App {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(sample);
    let mut inputs = input::collect(&[path], None).unwrap();
    inputs.iter_mut().for_each(|input| input.name = format!("samples/{sample}"));
    let mut job = Job::of(inputs);
    if credentials {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/credentials.toml");
        job.credentials = Credentials::read(Path::new(file)).unwrap();
    }
    let mut store = Store::all(&job);
    store.names = vec![format!("samples/{sample}")];
    App::new(store, Theme::dark(), Keys::default())
}

/// Types keys, drawing after each as the program does.
fn press(app: &mut App, keys: &str) {
    press_at(app, keys, (120, 40));
}

/// The same on a screen of that size.
fn press_at(app: &mut App, keys: &str, (width, height): (u16, u16)) {
    for key in typed(keys) {
        screen(app, width, height);
        app.key(key);
    }
}

fn buffer(app: &mut App, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw::draw(app, frame)).unwrap();
    terminal.backend().buffer().clone()
}

fn screen(app: &mut App, width: u16, height: u16) -> String {
    views::text(&buffer(app, width, height))
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
fn back_comes_back_to_the_pane_and_the_tab() {
    let mut app = app("atomic-rolled-back.pcap");
    press(&mut app, "enter");
    assert_eq!(app.screen, Screen::Browse);
    press(&mut app, "t f tab tab j enter");
    assert_eq!(app.detail.tab, crate::tui::page::XML, "from a finding to its place");
    press(&mut app, "backspace");
    assert_eq!((app.detail.tab, app.focus), (crate::tui::page::FINDINGS, Pane::Detail));
    press(&mut app, "backspace");
    assert_eq!(app.screen, Screen::Summary);
    press(&mut app, "backspace");
    assert!(screen(&mut app, 80, 24).contains("nothing to go back to"));
}

#[test]
fn counts_and_jumps_are_those_of_vi() {
    let mut app = app("clean.pcap");
    press(&mut app, "tab tab z");
    let line = |app: &App| app.commands.scroll.cursor;
    press(&mut app, "5 j");
    assert_eq!(line(&app), 5);
    press(&mut app, "2 k");
    assert_eq!(line(&app), 3);
    press(&mut app, "G");
    assert_eq!(line(&app), app.commands.lines.len() - 1);
    press(&mut app, "g g");
    assert_eq!(line(&app), 0);
    press(&mut app, "7 G");
    assert_eq!(line(&app), 6);
    press(&mut app, "1 0 g g ctrl-u");
    assert_eq!(line(&app), 0);
    press(&mut app, "ctrl-d");
    assert!(line(&app) > 5);
}

#[test]
fn an_atomic_is_rolled_up() {
    let mut app = app("atomic-rolled-back.pcap");
    press(&mut app, "n tab enter");
    let shown = screen(&mut app, 140, 40);
    assert!(shown.contains("1 rolled back, 1 failed") && shown.contains("✗ 507 atomic failed"), "{shown}");
    assert!(shown.contains("↺ 216 ") && shown.contains("✗ 405 "), "{shown}");
}

#[test]
fn the_timeline_leads_to_its_messages_and_back() {
    let mut app = app("md5-sessions.pcap");
    press(&mut app, "T");
    let shown = screen(&mut app, 120, 40);
    for told in ["package 1: the client opens the session, once more", "asks for credentials (407)", "slowest answer"] {
        assert!(shown.contains(told), "{shown}");
    }
    press(&mut app, "G enter");
    assert_eq!((app.screen, app.shown), (Screen::Browse, Some((0, Some(7)))));
    press(&mut app, "backspace");
    assert_eq!(app.screen, Screen::Timeline);
    press(&mut app, "m");
    assert_eq!(app.notes.marked().collect::<Vec<_>>(), [(1, Some(8))]);
    press(&mut app, "T");
    assert_eq!(app.screen, Screen::Browse);
}

#[test]
fn the_story_leads_to_where_it_stopped_and_back() {
    let mut app = app("enrollment-refused.pcapng");
    press(&mut app, "D");
    let shown = screen(&mut app, 120, 40);
    for told in ["It stopped at", "✓ discovery", "✗ certificate", "Likely", "Next"] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    press(&mut app, "enter");
    assert_eq!(app.screen, Screen::Browse);
    let (session, message) = app.shown.unwrap();
    let listed = app.store.sessions[session].messages[message.unwrap()].clone();
    assert_eq!((listed.kind, listed.side), (crate::syncml::Kind::Soap, Some(crate::syncml::Side::Server)));
    press(&mut app, "backspace");
    assert_eq!(app.screen, Screen::Story);
    press(&mut app, "G enter");
    assert!(screen(&mut app, 80, 24).contains("this line leads to no message"));
    press(&mut app, "D");
    assert_eq!(app.screen, Screen::Browse);
}

#[test]
fn the_summary_leads_to_the_story_that_stops() {
    let mut app = app("enrollment-refused.pcapng");
    assert!(screen(&mut app, 80, 24).contains("Where devices stopped"));
    press(&mut app, "enter");
    assert_eq!(app.screen, Screen::Story);
}

#[test]
fn the_timeline_shows_pauses_sizes_retries_and_what_is_missing() {
    use wire::From::{Client, Server};
    let message = |from: &str, id: u32, body: &str| {
        let (source, target) = if from == "d" { ("d", "http://s/") } else { ("http://s/", "d") };
        format!(
            "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1</SessionID>\
             <MsgID>{id}</MsgID><Target><LocURI>{target}</LocURI></Target><Source><LocURI>{source}</LocURI></Source><Meta>\
             <MaxMsgSize xmlns=\"syncml:metinf\">400</MaxMsgSize></Meta></SyncHdr><SyncBody>{body}<Final/></SyncBody></SyncML>"
        )
    };
    let status =
        "<Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><Data>200</Data></Status>";
    let get = "<Get><CmdID>2</CmdID><Item><Target><LocURI>./DevInfo/DevId</LocURI></Target></Item></Get>";
    let post = |body: &str| wire::http("POST /dm HTTP/1.1\r\nHost: s", body);
    let first = post(&message("d", 1, "<Alert><CmdID>1</CmdID><Data>1201</Data></Alert>"));
    let answer = wire::http("HTTP/1.1 200 OK", &message("s", 1, &[status, get].concat()));
    let second = post(&message("d", 2, status));
    let sent = [(0, Client, &*first), (40, Server, &*answer), (12_040, Client, &*second), (12_140, Client, &*second)];
    let mut app = hostile::opened("a.pcap", &wire::pcap(&sent), None).unwrap();
    press(&mut app, "T");
    let shown = screen(&mut app, 120, 40);
    for told in [
        "nothing for 12.0 s",
        "retry: the same bytes again",
        "1 message retried",
        "slowest answer 40 ms",
        " %!",
        "MaxMsgSize",
    ] {
        assert!(shown.contains(told), "{told}:\n{shown}");
    }
    // The second half of the session alone: what came before is not guessed.
    let rest = [(0, Server, &*answer), (40, Client, &*second)];
    let mut app = hostile::opened("b.pcap", &wire::pcap(&rest), None).unwrap();
    press(&mut app, "T");
    let shown = screen(&mut app, 120, 40);
    assert!(shown.contains("not captured") && shown.contains("start not seen"), "{shown}");
    assert!(!shown.contains("package 1"), "{shown}");
}

#[test]
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn what_tls_says_stands_beside_the_frames() {
    let Some(corpus) = std::env::var_os("DMSCOPE_CORPUS") else {
        eprintln!("SKIPPED: DMSCOPE_CORPUS is not set, no TLS was looked at");
        return;
    };
    let lab = Path::new(&corpus).join("captures/lab");
    let look = |file: &str, keys: &str| {
        let inputs = input::collect(&[lab.join(file)], None).unwrap();
        let mut app = App::new(Store::all(&Job::of(inputs)), Theme::dark(), Keys::default());
        press(&mut app, keys);
        screen(&mut app, 120, 40)
    };
    let shown = look("dm-tls13-chacha-gzip-chunked-dsb.pcapng", "tab j t r tab tab z");
    for told in ["encryption  TLS", "TLS 1.3", "TLS_CHACHA20_POLY1305_SHA256", "frame "] {
        assert!(shown.contains(told), "{told}:\n{shown}");
    }
    let sealed = look("dm-tls13-aes128gcm-h2.pcap", "");
    assert!(sealed.contains("Encrypted, not decrypted") && sealed.contains("TLS 1.3"), "{sealed}");
}

#[test]
fn a_long_copy_is_told() {
    let mut app = app("clean.pcap");
    press(&mut app, "tab");
    app.copy("x".repeat(80_000));
    assert!(app.said.as_ref().unwrap().contains("copied 80000 bytes; many terminals take 74994 at most"));
    app.effects();
    app.copy("x".repeat(9 << 20));
    assert!(app.said.as_ref().unwrap().contains("not copied") && app.effects().is_empty());
}

#[test]
fn a_filter_holds_for_the_summary_and_the_next_finding() {
    let mut app = app("atomic-rolled-back.pcap");
    press(&mut app, "f s t a t u s space = space 4 0 5 enter");
    assert_eq!(app.at.map(|at| at.message), Some(1), "what is filtered out is not looked at");
    press(&mut app, "esc S");
    press(&mut app, "f m s g - i d space = space 1 enter n");
    assert!(screen(&mut app, 120, 40).contains("there are no findings"), "{}", screen(&mut app, 120, 40));
    press(&mut app, "S");
    assert!(screen(&mut app, 120, 40).contains("No findings"));
    press(&mut app, "S f ctrl-u up enter");
    assert!(app.kept.filter.is_some(), "the last filter comes back");
}

#[test]
fn what_is_suppressed_stands_behind_the_findings_with_its_reason() {
    let known: Vec<&'static Rule> = rules::ALL.iter().collect();
    let (area, rules) = (Area::default(), suppress::rules_named("DM-MSG-003", &known).unwrap());
    let (reason, place) = ("ticket 7".to_owned(), "dmscope.toml:3".to_owned());
    let (names, locuri, commands) = (Vec::new(), Vec::new(), Vec::new());
    let entry = Ignore { names, rules, area, locuri, commands, reason, until: None, place };
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/msgid-skipped.pcap");
    let mut job = Job::of(input::collect(&[sample.into()], None).unwrap());
    job.suppressor = Suppressor::new(vec![entry], known, today());
    let mut app = App::new(Store::all(&job), Theme::dark(), Keys::default());
    press(&mut app, "tab t f");
    let shown = screen(&mut app, 120, 40);
    let order =
        ["no findings", "W DM-MSG-003 msgid-gap", "MsgID is 5 after 2", "suppressed in dmscope.toml:3: ticket 7"];
    let places: Vec<Option<usize>> = order.iter().map(|words| shown.find(words)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{shown}");
    press(&mut app, "n");
    let shown = screen(&mut app, 120, 40);
    assert!(shown.contains("there are no findings"), "{shown}");
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
    let kept = app.effects().into_iter().filter(|effect| matches!(effect, Effect::KeepNotes)).count();
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

/// Keys that lead to every view in turn, from any of them.
const VIEWS: &[(&str, &str)] = &[
    ("summary", "esc esc esc 0"),
    ("a finding", "n"),
    ("tabs", "t t"),
    ("xml", "t x"),
    ("hex", "t h"),
    ("http", "t p"),
    ("frames", "t r"),
    ("findings", "t f"),
    ("explain", "e"),
    ("secrets", "p t x"),
    ("secrets in hex", "t h"),
    ("maximised", "tab z"),
    ("commands", "z tab z"),
    ("copied element", "z y e"),
    ("copied address", "y u"),
    ("copied message", "y m"),
    ("copied finding", "y f"),
    ("copied report", "y i"),
    ("timeline", "T"),
    ("filter", "T f s e s s i o n space ~ space x enter"),
    ("search", "esc / 1 enter"),
    ("help", "?"),
];

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

#[test]
fn marked_sessions_stand_side_by_side() {
    let mut app = app("md5-sessions.pcap");
    press(&mut app, "tab l d");
    assert!(app.said.as_deref().unwrap().starts_with("mark two sessions with m"));
    press(&mut app, "m j m d");
    assert_eq!(app.screen, Screen::Compare);
    let shown = screen(&mut app, 120, 40);
    assert!(shown.contains("status: 407 missing credentials") && shown.contains("| "), "{shown}");
    let narrow = screen(&mut app, 60, 16);
    assert!(
        narrow.lines().any(|line| line.trim_start_matches(|letter| "┃│ ".contains(letter)).starts_with("< ")),
        "{narrow}"
    );
    press(&mut app, "n");
    let first = app.compare.scroll.cursor;
    press(&mut app, "n n N");
    assert!(app.compare.scroll.cursor > first);
    press(&mut app, "enter");
    assert_eq!((app.screen, app.focus), (Screen::Browse, Pane::Commands));
    press(&mut app, "d p d");
    assert_eq!(app.screen, Screen::Browse);
}

#[test]
fn sessions_are_exported_where_the_user_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.jsonl");
    let mut app = app("md5-sessions.pcap");
    press(&mut app, "tab l x l");
    assert_eq!(app.prompt.as_ref().unwrap().text(), "s1.jsonl");
    press(&mut app, "ctrl-u");
    app.paste(&path.display().to_string());
    press(&mut app, "enter");
    let export = |app: &mut App| match app.effects().pop() {
        Some(Effect::Export(export)) => super::export::write(&export, &app.store),
        other => panic!("{other:?}"),
    };
    let said = export(&mut app);
    assert!(said.starts_with("wrote 8 messages of 1 session to ") && said.ends_with("secrets masked"), "{said}");
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!((text.lines().count(), text.contains("********")), (8, true));
    press(&mut app, "m j m p x enter");
    press(&mut app, "ctrl-u");
    app.paste(&path.display().to_string());
    press(&mut app, "enter");
    let said = export(&mut app);
    assert!(said.contains("the file exists: nothing was written"), "{said}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}
