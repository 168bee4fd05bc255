//! Reads and judges in threads of its own, and tells the screen what it found.
//!
//! In: inputs and settings. Out: [`News`], in order. A session is told when it closes, and before that, now and then,
//! as it would be if the recording ended there: so the screen fills from the start, and shows what goes on in a file
//! that is followed. Bounds: the channel holds [`AHEAD`] news; then the reader waits.

mod again;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::store::{Opened, ROOM, Store};
use crate::bug;
use crate::credentials::Credentials;
use crate::engine::{self, Reading};
use crate::input::Input;
#[cfg(test)]
use crate::rules::Profile;
use crate::rules::history::{Earlier, History};
use crate::rules::location::Locator;
use crate::rules::runner::{Outcome, Runner};
use crate::rules::select::Selection;
use crate::session::{Assembler, Session};
use crate::suppress::Suppressor;
use crate::workers::{self, Crew, Workers};
use again::Again;

/// News that may wait for the screen.
const AHEAD: usize = 64;
/// When open sessions are shown for the first time; then each time after twice as long.
const FIRST: Duration = Duration::from_millis(100);
/// The same while a file is followed: each time something came.
const FOLLOWING: Duration = Duration::from_millis(200);
/// Open sessions that are shown at a time: to show them costs as much as to judge them.
const SHOWN: usize = 64;
/// What is no news of a session that goes on.
const END_NOT_CAPTURED: &str = "DM-CAP-002";
/// Bytes of sessions that are being judged, or wait for their turn.
const UNDER_WAY: usize = 8 << 20;

/// What to read, and how.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) inputs: Vec<Input>,
    pub(crate) engine: engine::Settings,
    pub(crate) selection: Selection,
    pub(crate) credentials: Credentials,
    pub(crate) suppressor: Suppressor,
}

#[cfg(test)]
impl Job {
    /// With the usual rules, and nothing known of secrets or findings.
    pub(crate) fn of(inputs: Vec<Input>) -> Job {
        Job {
            inputs,
            engine: engine::Settings { threads: 2, ..engine::Settings::default() },
            selection: Selection::of(Profile::Windows),
            credentials: Credentials::default(),
            suppressor: Suppressor::default(),
        }
    }
}

/// What the reader tells.
pub(crate) enum News {
    /// A session closed, or goes on.
    Session(Box<Opened>, Arc<Session>),
    /// So many bytes of all inputs were read.
    Progress(u64),
    /// Sessions come again, because the text that is followed has grown.
    Anew,
    /// They came: those that did not are no more.
    Whole,
    /// Reading ended, well or not.
    Ended(Result<Reading, String>),
    /// A session that was read again, by its number; or why it could not be.
    Again(u32, Result<Box<Session>, String>),
    /// A session that comes by while all are read again.
    Passing(u32, Box<Session>),
    /// Reading all again came to its end.
    Passed(u32),
}

/// A reader at work.
pub(crate) struct Loader {
    pub(crate) news: Receiver<News>,
    stop: Arc<AtomicBool>,
    again: Again,
}

impl Loader {
    /// Begins to read.
    pub(crate) fn start(job: Job) -> Loader {
        let (sender, news) = sync_channel(AHEAD);
        let stop = Arc::new(AtomicBool::new(false));
        let loader =
            Loader { news, stop: Arc::clone(&stop), again: Again::start(Arc::new(job.clone()), sender.clone()) };
        thread::spawn(move || {
            // The receiver is gone when the program ends.
            let ended = bug::caught(|| read(&job, &stop, &mut |news| drop(sender.send(news))));
            let ended = ended.unwrap_or_else(|bug| Err(format!("internal error: {bug}")));
            drop(sender.send(News::Ended(ended)));
        });
        loader
    }

    /// Ends reading; what was read so far stays.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.again.stop_pass();
    }

    /// What reads again.
    pub(crate) fn again(&mut self) -> &mut Again {
        &mut self.again
    }
}

/// Reads everything here and now.
pub(crate) fn now(job: &Job, take: &mut dyn FnMut(News)) {
    let ended = read(job, &AtomicBool::new(false), take);
    take(News::Ended(ended));
}

/// A session to be judged.
struct Judging {
    session: Session,
    earlier: Earlier,
    open: bool,
}

/// Takes what the engine reads: gives sessions to be judged, and tells what came of it.
struct Teller<'a, 'w> {
    workers: &'a mut Workers<'w, Judging, News>,
    tell: &'a mut dyn FnMut(News),
    history: History,
    /// What was remembered before the input that is read anew each time it has grown.
    before: Option<History>,
    /// Whether sessions come again.
    anew: bool,
    started: Instant,
    /// When open sessions were shown last, and up to which tick they were.
    shown: (Duration, u64),
    /// What was read when that was told last.
    told: (Instant, u64),
}

fn read(job: &Job, stop: &AtomicBool, tell: &mut dyn FnMut(News)) -> Result<Reading, String> {
    let runner = Runner::new(&job.selection, &job.engine.limits).with_credentials(job.credentials.clone());
    // What comes of a file that is followed is shown without delay.
    let threads = if job.engine.follow { 1 } else { job.engine.threads };
    let work = |Judging { session, earlier, open }: Judging| {
        // A panic takes what would have been said of this session, not the session.
        let outcome = bug::caught(|| runner.run_after(&session, &earlier)).unwrap_or_default();
        let Outcome { mut drafts, more, not_judged, holes, .. } = outcome;
        drafts.retain(|draft| !(open && draft.rule.id == END_NOT_CAPTURED));
        let sorted = job.suppressor.sort(&session, drafts, more, &mut Locator::new(&session, false));
        let mut opened = Opened::new(&session, sorted, not_judged);
        (opened.open, opened.holes) = (open, holes);
        News::Session(Box::new(opened), Arc::new(session))
    };
    // What a pipe brings next may be long in coming.
    let files = job.inputs.iter().all(|input| input.path.as_deref().is_some_and(Path::is_file));
    let batch = if files { workers::BATCH } else { 0 };
    workers::run(Crew { threads, most: UNDER_WAY, batch }, &work, |workers| {
        let now = Instant::now();
        let mut teller = Teller {
            workers,
            tell,
            history: History::new(&job.engine.limits),
            before: None,
            anew: false,
            started: now,
            shown: (Duration::ZERO, 0),
            told: (now, 0),
        };
        let reading = engine::read_until(&job.inputs, &job.engine, stop, &mut teller);
        let Teller { workers, tell, anew, .. } = teller;
        workers.finish(tell);
        if anew {
            tell(News::Whole);
        }
        reading.map_err(|error| error.to_string())
    })
}

impl Teller<'_, '_> {
    fn judge(&mut self, session: Session, open: bool) {
        let earlier = self.history.before(&session);
        if !open {
            drop(bug::caught(|| self.history.add(&session)));
        }
        let size = session.size();
        self.workers.give(Judging { session, earlier, open }, size, self.tell);
    }

    /// Shows what is open, those first that have waited for longest. Whether that was all.
    fn show_open(&mut self, open: &Assembler) -> bool {
        let since = self.shown.1;
        let grown: Vec<(u64, u32)> = open.grown_since(since).take(SHOWN).collect();
        let all = grown.len() < SHOWN;
        self.shown = (self.started.elapsed(), grown.last().map_or(since, |(tick, _)| *tick));
        for (_, number) in grown {
            if let Ok(Some(session)) = bug::caught(|| open.as_it_stands(number)) {
                self.judge(session, true);
            }
        }
        all
    }
}

impl engine::Listener for Teller<'_, '_> {
    fn session(&mut self, session: Session) {
        self.judge(session, false);
    }

    fn pulse(&mut self, done: u64, open: &Assembler) {
        let (at, known) = self.told;
        if done != known && (at.elapsed() >= Duration::from_millis(50) || known == 0) {
            self.told = (Instant::now(), done);
            self.workers.ready(self.tell);
            (self.tell)(News::Progress(done));
        }
        if self.started.elapsed() >= self.shown.0 * 2 + FIRST {
            self.show_open(open);
        }
    }

    fn idle(&mut self, done: u64, open: &Assembler) {
        if done != self.told.1 {
            self.told = (Instant::now(), done);
            (self.tell)(News::Progress(done));
        }
        if self.started.elapsed() >= self.shown.0 + FOLLOWING && self.show_open(open) && self.anew {
            self.anew = false;
            (self.tell)(News::Whole);
        }
    }

    fn anew(&mut self) {
        match &self.before {
            Some(before) => self.history = before.clone(),
            None => self.before = Some(self.history.clone()),
        }
        self.shown.1 = 0;
        self.anew = true;
        (self.tell)(News::Anew);
    }
}

impl Store {
    /// An empty store for a job.
    pub(crate) fn of(job: &Job) -> Store {
        let sizes =
            job.inputs.iter().map(|input| std::fs::metadata(input.path.as_deref()?).ok().map(|meta| meta.len()));
        let names = job.inputs.iter().map(|input| input.name.clone()).collect();
        // Of a pipe the size is not known, of a file that grows it soon is another.
        let total = if job.engine.follow { None } else { sizes.sum::<Option<u64>>().filter(|total| *total > 0) };
        let mut store = Store::default();
        (store.names, store.room) = (names, ROOM);
        (store.progress, store.follows) = ((0, total), job.engine.follow);
        store
    }

    /// Everything, read here and now.
    #[cfg(test)]
    pub(crate) fn all(job: &Job) -> Store {
        let mut store = Store::of(job);
        now(job, &mut |news| store.take(news));
        store
    }
}
