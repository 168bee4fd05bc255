//! Reads again what was not kept: the sessions that are looked at, and for a search all of them.
//!
//! In: outlines of sessions. Out: [`News::Again`] for each, in a thread of its own; the one asked for last comes first,
//! and those that wait are read together, because one way through a capture finds them all. Bound: [`WAITING`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use super::{Job, News};
use crate::bug;
use crate::engine;
use crate::session::outline::{Found, Outline};
use crate::session::{Assembler, Session};

/// Sessions that wait to be read again. Who turns the pages quickly does not look at the first ones any more.
const WAITING: usize = 8;

/// See the module's head.
pub(crate) struct Again {
    job: Arc<Job>,
    sender: SyncSender<News>,
    asked: Arc<(Mutex<Vec<Arc<Outline>>>, Condvar)>,
    pass: Arc<AtomicBool>,
}

impl Again {
    pub(super) fn start(job: Arc<Job>, sender: SyncSender<News>) -> Again {
        let asked = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let again = Again { job, sender, asked, pass: Arc::default() };
        let (job, sender, asked) = (Arc::clone(&again.job), again.sender.clone(), Arc::clone(&again.asked));
        thread::spawn(move || serve(&job, &asked, &mut |news| sender.send(news).is_ok()));
        again
    }

    /// Asks for a session.
    pub(crate) fn ask(&self, outline: Arc<Outline>) {
        let (asked, news) = &*self.asked;
        let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|known| known.number != outline.number);
        asked.push(outline);
        if asked.len() > WAITING {
            asked.remove(0);
        }
        news.notify_one();
    }

    /// Reads everything again, and tells each session that comes by under this number.
    pub(crate) fn pass(&mut self, number: u32) {
        self.stop_pass();
        let stop = Arc::new(AtomicBool::new(false));
        self.pass = Arc::clone(&stop);
        let (job, sender) = (Arc::clone(&self.job), self.sender.clone());
        thread::spawn(move || {
            let settings = engine::Settings { follow: false, ..job.engine.clone() };
            let mut passing = Passing { number, sender: &sender, stop: &stop };
            drop(bug::caught(|| engine::read_until(&job.inputs, &settings, &stop, &mut passing)));
            drop(sender.send(News::Passed(number)));
        });
    }

    /// Ends that.
    pub(crate) fn stop_pass(&self) {
        self.pass.store(true, Ordering::Relaxed);
    }
}

struct Passing<'a> {
    number: u32,
    sender: &'a SyncSender<News>,
    stop: &'a AtomicBool,
}

impl engine::Listener for Passing<'_> {
    fn session(&mut self, session: Session) {
        if self.sender.send(News::Passing(self.number, Box::new(session))).is_err() {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn pulse(&mut self, _done: u64, _open: &Assembler) {}
}

/// Reads what is asked for, until nobody listens any more.
fn serve(job: &Job, asked: &(Mutex<Vec<Arc<Outline>>>, Condvar), tell: &mut dyn FnMut(News) -> bool) {
    loop {
        let (waiting, news) = asked;
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while waiting.is_empty() {
            waiting = news.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let outlines = std::mem::take(&mut *waiting);
        drop(waiting);
        let found = bug::caught(|| read(job, &outlines)).unwrap_or_else(|bug| Err(format!("internal error: {bug}")));
        for outline in outlines.iter().rev() {
            let session = found.as_ref().map_err(Clone::clone).and_then(|found| put_together(outline, found));
            if !tell(News::Again(outline.number, session.map(Box::new))) {
                return;
            }
        }
    }
}

fn read(job: &Job, outlines: &[Arc<Outline>]) -> Result<Found, String> {
    let outlines: Vec<&Outline> = outlines.iter().map(|outline| &**outline).collect();
    engine::again(&job.inputs, &job.engine, &outlines, &AtomicBool::new(false)).map_err(|error| error.to_string())
}

fn put_together(outline: &Outline, found: &Found) -> Result<Session, String> {
    outline.session(found).ok_or_else(|| "the input is no longer what it was when it was read".to_owned())
}

/// Reads a session again here and now.
#[cfg(test)]
pub(super) fn read_one(job: &Job, outline: &Arc<Outline>) -> Result<Session, String> {
    put_together(outline, &read(job, std::slice::from_ref(outline))?)
}
