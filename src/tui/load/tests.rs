//! Sessions that were not kept, files that grow, and reading that is stopped.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::again::read_one;
use super::{Job, Loader, News, now, read};
use crate::engine;
use crate::input;
use crate::tui::app::{App, Effect};
use crate::tui::draw;
use crate::tui::keys::{Keys, typed};
use crate::tui::store::{ROOM, Store};
use crate::tui::theme::Theme;

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}

fn job(path: &Path) -> Job {
    Job::of(input::collect(&[path.to_owned()], None).unwrap())
}

/// A view of all sessions, with so much room for their contents.
fn view(job: &Job, room: usize) -> App {
    let mut store = Store::of(job);
    store.room = room;
    let mut app = App::new(store, Theme::dark(), Keys::default());
    now(job, &mut |news| app.take(news));
    app.refresh();
    app
}

fn press(app: &mut App, keys: &str) {
    for key in typed(keys) {
        screen(app);
        app.key(key);
    }
}

fn screen(app: &mut App) -> String {
    let mut terminal = Terminal::new(TestBackend::new(120, 40)).unwrap();
    terminal.draw(|frame| draw::draw(app, frame)).unwrap();
    terminal.backend().to_string()
}

/// Does what the reader would: reads again what is asked for.
fn serve(app: &mut App, job: &Job) -> usize {
    let mut served = 0;
    for effect in app.effects() {
        match effect {
            Effect::ReadAgain(number) => {
                let index = app.store.index(number).unwrap();
                let session = read_one(job, &app.store.sessions[index].outline);
                app.take(News::Again(number, session.map(Box::new)));
            }
            Effect::ReadAll(number) => {
                let mut each = |session| app.take(News::Passing(number, Box::new(session)));
                engine::read(&job.inputs, &job.engine, &mut each, &mut |_| {}).unwrap();
                app.take(News::Passed(number));
            }
            _ => continue,
        }
        served += 1;
    }
    app.refresh();
    served
}

#[test]
fn without_room_the_screens_are_the_same_once_read_again() {
    for name in ["atomic-rolled-back.pcap", "md5-sessions.pcap", "http2.pcap", "server.log", "proxy.har"] {
        let job = job(&sample(name));
        let (mut roomy, mut narrow) = (view(&job, ROOM), view(&job, 0));
        // The narrow one has room for what is looked at.
        narrow.store.room = 1;
        for keys in ["n", "tab j j", "t h", "tab G", "n", "backspace", "t x", "N"] {
            [&mut roomy, &mut narrow].into_iter().for_each(|app| press(app, keys));
            serve(&mut narrow, &job);
            roomy.effects();
            roomy.refresh();
            assert_eq!(screen(&mut narrow), screen(&mut roomy), "{name}: {keys}");
        }
    }
}

#[test]
fn a_session_says_that_it_is_being_read_or_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcap");
    std::fs::copy(sample("clean.pcap"), &path).unwrap();
    let job = job(&path);
    let mut app = view(&job, 0);
    press(&mut app, "tab j");
    assert!(screen(&mut app).contains("(reading …)"));
    // The file is another one now.
    std::fs::copy(sample("msgid-skipped.pcap"), &path).unwrap();
    assert_eq!(serve(&mut app, &job), 1);
    let shown = screen(&mut app);
    assert!(shown.contains("cannot be read again: the input is no longer what it was"), "{shown}");
    assert_eq!(serve(&mut app, &job), 0);
}

#[test]
fn those_looked_at_last_are_kept() {
    let job = job(&sample("md5-sessions.pcap"));
    let mut app = view(&job, 0);
    let sessions = app.store.sessions.len();
    assert!(sessions > 1);
    let read_again = |app: &mut App, index: usize| {
        let outline = Arc::clone(&app.store.sessions[index].outline);
        app.take(News::Again(outline.number, read_one(&job, &outline).map(Box::new)));
    };
    for index in 0..sessions {
        read_again(&mut app, index);
        let kept: Vec<usize> = (0..sessions).filter(|index| app.store.content(*index).is_some()).collect();
        assert_eq!(kept, [index]);
    }
    app.store.room = ROOM;
    (0..sessions).for_each(|index| read_again(&mut app, index));
    assert!((0..sessions).all(|index| app.store.content(index).is_some()));
}

#[test]
fn search_and_filter_find_what_is_not_in_memory() {
    let job = job(&sample("md5-sessions.pcap"));
    let (mut roomy, mut narrow) = (view(&job, ROOM), view(&job, 0));
    for app in [&mut roomy, &mut narrow] {
        press(app, "/ d e v i n f o enter");
        while app.search_on(Duration::from_secs(9)) {}
    }
    assert!(!roomy.effects().iter().any(|effect| matches!(effect, Effect::ReadAll(_))));
    assert!(screen(&mut narrow).contains("searching 0 %"));
    serve(&mut narrow, &job);
    let hits = |app: &App| app.search.as_ref().map(|search| search.hits.clone());
    assert!(hits(&roomy).is_some_and(|hits| !hits.is_empty()));
    assert_eq!(hits(&narrow), hits(&roomy));
    assert!(screen(&mut narrow).contains("hit 1 of"));
    for app in [&mut roomy, &mut narrow] {
        press(app, "esc f s t a t u s space = space 4 0 1 enter");
    }
    let said = narrow.said.clone().unwrap();
    assert!(said.contains("are being read"), "{said}");
    serve(&mut narrow, &job);
    serve(&mut roomy, &job);
    assert_eq!(narrow.tree.rows, roomy.tree.rows);
}

#[test]
fn a_search_that_is_given_up_stops_the_reading() {
    let job = job(&sample("clean.pcap"));
    let mut app = view(&job, 0);
    press(&mut app, "/ x y enter");
    while app.search_on(Duration::from_secs(9)) {}
    assert!(app.effects().contains(&Effect::ReadAll(1)));
    press(&mut app, "esc");
    assert_eq!(app.effects(), [Effect::StopReadingAll]);
    app.take(News::Passed(1));
    assert!(app.search.is_none());
}

/// Takes news until something is so.
fn until(app: &mut App, loader: &Loader, what: &str, so: impl Fn(&App) -> bool) {
    let limit = Instant::now() + Duration::from_secs(30);
    while !so(app) {
        assert!(Instant::now() < limit, "never {what}:\n{}", screen(app));
        match loader.news.recv_timeout(Duration::from_secs(30)) {
            Ok(news) => app.take(news),
            Err(error) => panic!("{what}: {error}"),
        }
        app.refresh();
    }
}

fn messages(app: &App) -> usize {
    app.store.sessions.iter().map(|opened| opened.row.messages).sum()
}

fn append(path: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

#[test]
fn a_file_that_grows_is_followed() {
    for name in ["msgid-skipped.pcap", "server.log"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let all = std::fs::read(sample(name)).unwrap();
        let whole = view(&job(&sample(name)), ROOM);
        let (first, rest) = all.split_at(all.len() / 2);
        std::fs::write(&path, first).unwrap();
        let mut job = job(&path);
        job.engine.follow = true;
        let mut app = App::new(Store::of(&job), Theme::dark(), Keys::default());
        let loader = Loader::start(job);
        until(&mut app, &loader, "begun", |app| messages(app) > 0);
        assert!(messages(&app) < messages(&whole), "{name}");
        let shown = screen(&mut app);
        assert!(app.store.is_loading() && shown.contains("following"), "{shown}");
        // Also in the middle of a packet.
        rest.chunks(rest.len() / 3 + 1).for_each(|part| {
            append(&path, part);
            std::thread::sleep(Duration::from_millis(150));
        });
        until(&mut app, &loader, "grown", |app| messages(app) == messages(&whole));
        loader.stop();
        until(&mut app, &loader, "stopped", |app| !app.store.is_loading());
        let rows = |app: &App| format!("{:?}", app.store.sessions.iter().map(|opened| &opened.row).collect::<Vec<_>>());
        assert_eq!(rows(&app), rows(&whole), "{name}");
        let found = |app: &App| app.store.sessions.iter().map(|opened| opened.drafts.len()).collect::<Vec<_>>();
        assert_eq!(found(&app), found(&whole), "{name}");
        assert!(app.store.sessions.iter().all(|opened| !opened.open), "{name}");
    }
}

#[test]
fn a_file_that_is_cut_or_replaced_is_not_followed_any_longer() {
    for (how, told) in [("cut", "cut short"), ("replaced", "another file has its name"), ("removed", "removed")] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pcap");
        std::fs::copy(sample("clean.pcap"), &path).unwrap();
        let mut job = job(&path);
        job.engine.follow = true;
        let mut app = App::new(Store::of(&job), Theme::dark(), Keys::default());
        let loader = Loader::start(job);
        until(&mut app, &loader, "begun", |app| messages(app) > 0);
        match how {
            "cut" => OpenOptions::new().write(true).open(&path).unwrap().set_len(100).unwrap(),
            "removed" => std::fs::remove_file(&path).unwrap(),
            _ => {
                let other = folder.path().join("b.pcap");
                File::create(&other).unwrap();
                std::fs::rename(other, &path).unwrap();
            }
        }
        until(&mut app, &loader, "ended", |app| !app.store.is_loading());
        let shown = screen(&mut app);
        assert!(shown.contains(told) && shown.contains("1 session"), "{how}: {shown}");
    }
}

#[test]
fn reading_ends_when_it_is_told_to_and_what_was_read_stays() {
    let job = job(&sample("md5-sessions.pcap"));
    let whole = view(&job, ROOM);
    let stop = AtomicBool::new(true);
    let mut sessions = 0;
    let ended = read(&job, &stop, &mut |news| sessions += usize::from(matches!(news, News::Session(..))));
    assert!(ended.is_ok() && sessions < whole.store.sessions.len());
    // The key asks for that.
    let mut app = App::new(Store::of(&job), Theme::dark(), Keys::default());
    press(&mut app, "tab");
    press(&mut app, "esc");
    assert_eq!(app.effects(), [Effect::StopReading]);
    assert!(screen(&mut app).contains("stopping"));
}
