//! Reads and judges in a thread of its own, and tells the screen what it found.
//!
//! In: inputs and settings. Out: [`News`], in order. Bounds: the channel holds [`AHEAD`] news; then the reader waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::store::{Opened, Store};
use crate::bug;
use crate::credentials::Credentials;
use crate::engine::{self, Reading};
use crate::input::Input;
use crate::rules::history::History;
use crate::rules::runner::Runner;
use crate::rules::select::Selection;
use crate::session::Session;

/// News that may wait for the screen.
const AHEAD: usize = 256;

/// What to read, and how.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) inputs: Vec<Input>,
    pub(crate) engine: engine::Settings,
    pub(crate) selection: Selection,
    pub(crate) credentials: Credentials,
}

/// What the reader tells.
pub(crate) enum News {
    /// A session closed.
    Session(Box<Opened>),
    /// So many bytes of all inputs were read.
    Progress(u64),
    /// Reading ended, well or not.
    Ended(Result<Reading, String>),
    /// A session that was read again.
    Again(Box<Session>),
}

/// A reader at work.
pub(crate) struct Loader {
    pub(crate) news: Receiver<News>,
    stop: Arc<AtomicBool>,
    sender: SyncSender<News>,
    job: Job,
}

impl Loader {
    /// Begins to read.
    pub(crate) fn start(job: Job) -> Loader {
        let (sender, news) = sync_channel(AHEAD);
        let stop = Arc::new(AtomicBool::new(false));
        let loader = Loader { news, stop: Arc::clone(&stop), sender: sender.clone(), job: job.clone() };
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
    }

    /// Reads everything once more for one session, by its number.
    pub(crate) fn again(&self, number: u32) {
        let (job, sender) = (self.job.clone(), self.sender.clone());
        thread::spawn(move || {
            let found = AtomicBool::new(false);
            let mut each = |session: Session| {
                if session.number == number {
                    found.store(true, Ordering::Relaxed);
                    drop(sender.send(News::Again(Box::new(session))));
                }
            };
            drop(engine::read_until(&job.inputs, &job.engine, &found, &mut each, &mut |_| {}));
        });
    }
}

fn read(job: &Job, stop: &AtomicBool, tell: &mut dyn FnMut(News)) -> Result<Reading, String> {
    let runner = Runner::new(&job.selection, &job.engine.limits).with_credentials(job.credentials.clone());
    let mut history = History::new(&job.engine.limits);
    let tell = std::cell::RefCell::new(tell);
    let mut each = |session: Session| {
        // A panic takes what would have been said of this session, not the session.
        let outcome = bug::caught(|| runner.run_after(&session, &history.before(&session))).unwrap_or_default();
        drop(bug::caught(|| history.add(&session)));
        let more = outcome.more.iter().map(|(_, _, count)| count).sum();
        let opened = Opened::new(session, outcome.drafts, more, outcome.not_judged);
        (tell.borrow_mut())(News::Session(Box::new(opened)));
    };
    let mut progress = |done: u64| (tell.borrow_mut())(News::Progress(done));
    engine::read_until(&job.inputs, &job.engine, stop, &mut each, &mut progress).map_err(|error| error.to_string())
}

impl Store {
    /// An empty store for a job.
    pub(crate) fn of(job: &Job) -> Store {
        let sizes =
            job.inputs.iter().map(|input| std::fs::metadata(input.path.as_deref()?).ok().map(|meta| meta.len()));
        let names = job.inputs.iter().map(|input| input.name.clone()).collect();
        let mut store = Store::default();
        (store.names, store.progress) = (names, (0, sizes.sum()));
        store
    }

    /// Takes what the reader tells.
    pub(crate) fn take(&mut self, news: News) {
        match news {
            News::Session(opened) => self.add(*opened),
            News::Progress(done) => self.progress.0 = done,
            News::Ended(ended) => self.ended = Some(ended),
            News::Again(session) => self.read_again(*session),
        }
    }

    /// Reads everything here and now.
    pub(crate) fn all(job: &Job) -> Store {
        let mut store = Store::of(job);
        let ended = read(job, &AtomicBool::new(false), &mut |news| store.take(news));
        store.ended = Some(ended);
        store
    }
}
