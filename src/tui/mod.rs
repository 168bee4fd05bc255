//! The interactive view: sessions as a tree, their commands with the answers, messages as XML, bytes, HTTP, packets.
//!
//! In: inputs, read and judged in a thread (`load`) into the index that is browsed (`store`). State and what keys do to
//! it (`app`, `keys`) know no terminal; `draw` draws the state; `terminal` is the only one that touches the screen.
//! Bounds: `store::ROOM` bytes of sessions are kept, others are read again when they are looked at. No text of an input
//! is drawn that did not pass through `escape`, `render` or `show`; secrets are masked until the user asks for them.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use crate::credentials::Credentials;
use crate::engine;
use crate::filter::Filter;
use crate::input::Input;
use crate::rules::select::Selection;
use crate::suppress::Suppressor;

mod ansi;
mod app;
mod commands;
mod compare;
mod config;
mod draw;
mod export;
mod keys;
mod load;
mod menu;
mod notes;
mod page;
mod prompt;
mod recent;
mod scroll;
mod search;
mod store;
mod story;
mod summary;
mod terminal;
#[cfg(test)]
mod tests;
mod theme;
mod timeline;
mod tree;

use app::{App, Effect};
pub use config::Config;
use load::{Job, Loader};
use notes::Home;
use store::Store;
use terminal::{Screen, Signals};
use theme::Theme;

/// Time between two looks at the world while nothing happens.
const TICK: Duration = Duration::from_millis(100);
/// Time that news may take from the keys at once.
const NEWS: Duration = Duration::from_millis(20);

/// What is viewed, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What to read.
    pub inputs: Vec<Input>,
    /// How.
    pub engine: engine::Settings,
    /// Which rules judge.
    pub selection: Selection,
    /// What is known of the secrets in the traffic.
    pub credentials: Credentials,
    /// What is known and not told.
    pub suppressor: Suppressor,
    /// Which sessions and messages are listed from the start.
    pub filter: Option<Filter>,
    /// Whether secrets are shown from the start.
    pub show_secrets: bool,
    /// Keys and theme.
    pub config: Config,
}

/// The first screen as text, for where there is no terminal, and whether the inputs hold any session.
///
/// # Errors
/// An input cannot be read.
pub fn report(settings: Settings) -> Result<(String, bool)> {
    let Settings { inputs, engine, selection, credentials, suppressor, .. } = settings;
    let job = Job { inputs, engine, selection, credentials, suppressor };
    let mut app = App::new(Store::of(&job), Theme::mono(), settings.config.keys);
    app.show_secrets = settings.show_secrets;
    app.keep(settings.filter);
    load::now(&job, &mut |news| app.take(news));
    if let Some(Err(error)) = &app.store.ended {
        bail!("{error}");
    }
    let any = !app.store.sessions.is_empty();
    app.refresh();
    let lines = app.summary.lines.iter().map(|(line, _)| {
        let text: String = line.spans.iter().map(|span| span.content.as_ref()).collect();
        format!("{}\n", text.trim_end())
    });
    Ok((lines.collect(), any))
}

/// Runs until the user quits or a signal ends it.
///
/// # Errors
/// The terminal cannot be used.
pub fn run(settings: Settings) -> Result<()> {
    let signals = Signals::watch()?;
    let Settings { inputs, engine, selection, credentials, suppressor, .. } = settings;
    let job = Job { inputs, engine, selection, credentials, suppressor };
    let Config { theme, keys } = settings.config;
    let mut app = App::new(Store::of(&job), theme, keys);
    app.show_secrets = settings.show_secrets;
    app.keep(settings.filter);
    app.recent = recent::load(recent::path().as_deref());
    let (home, notes, said) = Home::open(&job.inputs);
    (app.notes, app.said) = (notes, said);
    let mut screen = Screen::enter()?;
    let mut loader = Loader::start(job);
    let mut pace = Pace::default();
    while !app.quit && !signals.end() {
        screen.terminal.draw(|frame| draw::draw(&mut app, frame))?;
        wait(&mut app, &loader, &mut pace)?;
        if signals.stop() {
            screen.suspend()?;
        }
        for effect in app.effects() {
            perform(effect, &mut app, &mut screen, &mut loader, &home)?;
        }
    }
    loader.stop();
    Ok(())
}

/// Waits for a key, for news, or for a moment; then takes all that is there.
fn wait(app: &mut App, loader: &Loader, pace: &mut Pace) -> io::Result<()> {
    let until = Instant::now() + TICK;
    loop {
        let fresh = take_news(app, loader, pace) | app.search_on(NEWS);
        let patience = if fresh { Duration::ZERO } else { Duration::from_millis(10) };
        if event::poll(patience)? {
            while event::poll(Duration::ZERO)? {
                handle(app, event::read()?);
            }
            return Ok(());
        }
        if fresh || Instant::now() >= until {
            return Ok(());
        }
    }
}

fn handle(app: &mut App, event: Event) {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => app.key(key),
        Event::Mouse(mouse) => app.mouse(mouse),
        Event::Paste(text) => app.paste(&text),
        _ => {}
    }
}

/// How often what came is shown: seldom where showing it takes long.
#[derive(Default)]
struct Pace {
    /// Whether something waits to be shown.
    due: bool,
    last: Option<Instant>,
    cost: Duration,
}

impl Pace {
    /// Part of the time that showing may take.
    const SHARE: u32 = 8;

    fn may(&self) -> bool {
        self.due && self.last.is_none_or(|last| last.elapsed() >= self.cost * Pace::SHARE)
    }
}

/// Takes what the reader told, for a short while. Returns whether there is anything to show.
fn take_news(app: &mut App, loader: &Loader, pace: &mut Pace) -> bool {
    let started = Instant::now();
    while let Ok(news) = loader.news.try_recv() {
        app.take(news);
        pace.due = true;
        if started.elapsed() > NEWS {
            break;
        }
    }
    let show = pace.may();
    if show {
        let began = Instant::now();
        app.refresh();
        *pace = Pace { due: false, last: Some(Instant::now()), cost: began.elapsed() };
    }
    show
}

fn perform(effect: Effect, app: &mut App, screen: &mut Screen, loader: &mut Loader, home: &Home) -> io::Result<()> {
    match effect {
        Effect::Suspend => screen.suspend()?,
        Effect::Redraw => screen.terminal.clear()?,
        Effect::ReadAgain(number) => {
            let opened = app.store.index(number).and_then(|index| app.store.sessions.get(index));
            if let Some(opened) = opened {
                loader.again().ask(Arc::clone(&opened.outline));
            }
        }
        Effect::ReadAll(number) => loader.again().pass(number),
        Effect::StopReadingAll => loader.again().stop_pass(),
        Effect::StopReading => loader.stop(),
        Effect::Copy(text) => screen.copy(&text)?,
        Effect::KeepNotes => {
            if let Err(why) = home.keep(&app.notes) {
                app.said = Some(why);
            }
        }
        Effect::KeepFilters => recent::keep(recent::path().as_deref(), &app.recent),
        Effect::Export(export) => app.said = Some(export::write(&export, &app.store)),
    }
    Ok(())
}
