//! Runs jobs on several threads and gives their results in the order of the jobs.
//!
//! In: jobs from one thread, one after the other, each with its size. Out: results to the same thread, in order, so
//! that nothing that is made of them depends on timing. Jobs travel in batches, since to wake a thread takes as long as a small
//! job. Bounds: `WAITING` batches for each thread and `most` bytes are under way; the thread that gives one more works itself
//! until there is room.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Batches under way for each thread: enough that none stands idle while the giving thread is at a long one.
const WAITING: u64 = 4;
/// Bytes of jobs that travel together: a millisecond of work, to which waking a thread adds little.
pub const BATCH: usize = 128 * 1024;
/// Jobs that do: small ones take time, too.
const BATCH_JOBS: usize = 64;

/// How many threads, and how much they may hold.
#[derive(Clone, Copy, Debug)]
pub struct Crew {
    /// Threads, the giving one among them.
    pub threads: usize,
    /// Bytes under way.
    pub most: usize,
    /// Bytes of jobs that travel together: [`BATCH`], or 0 where the next job may be long in coming.
    pub batch: usize,
}

impl Crew {
    /// The giving thread by itself, which does each job at once.
    pub const ALONE: Crew = Crew { threads: 1, most: 0, batch: 0 };
}

/// The giving thread's end. See the module's head.
pub struct Workers<'w, J, R> {
    crew: Crew,
    work: &'w (dyn Fn(J) -> R + Sync),
    shared: &'w Shared<J, R>,
    /// Jobs that wait for others to travel with, and their bytes.
    batch: (Vec<J>, usize),
}

struct Shared<J, R> {
    state: Mutex<State<J, R>>,
    /// A batch was given, or there will be no more.
    given: Condvar,
    /// A batch is done.
    done: Condvar,
}

struct State<J, R> {
    queue: VecDeque<(u64, Vec<J>)>,
    sizes: VecDeque<usize>,
    done: BTreeMap<u64, Vec<R>>,
    /// Number of the next batch, and of the next one whose results are due.
    next: (u64, u64),
    size: usize,
    over: bool,
    failed: bool,
}

/// Runs `body`, which gives jobs, with threads that do `work`.
///
/// # Panics
/// When `work` panics.
pub fn run<J: Send, R: Send, T>(
    crew: Crew,
    work: &(dyn Fn(J) -> R + Sync),
    body: impl FnOnce(&mut Workers<'_, J, R>) -> T,
) -> T {
    let state = State {
        queue: VecDeque::new(),
        sizes: VecDeque::new(),
        done: BTreeMap::new(),
        next: (0, 0),
        size: 0,
        over: false,
        failed: false,
    };
    let shared = Shared { state: Mutex::new(state), given: Condvar::new(), done: Condvar::new() };
    std::thread::scope(|scope| {
        for _ in 1..crew.threads {
            scope.spawn(|| shared.serve(work));
        }
        let _end = End(&shared);
        body(&mut Workers { crew, work, shared: &shared, batch: (Vec::new(), 0) })
    })
}

impl<J: Send, R: Send> Workers<'_, J, R> {
    /// Gives a job of `size` bytes. Results that are ready go to `take`.
    pub fn give(&mut self, job: J, size: usize, take: &mut dyn FnMut(R)) {
        if self.crew.threads <= 1 {
            return take((self.work)(job));
        }
        self.batch.0.push(job);
        self.batch.1 = self.batch.1.saturating_add(size);
        let enough = self.crew.batch.min(self.crew.most / (2 * self.crew.threads));
        if self.batch.1 >= enough || self.batch.0.len() == BATCH_JOBS {
            self.send(take);
        }
    }

    /// Gives the jobs that wait for others.
    fn send(&mut self, take: &mut dyn FnMut(R)) {
        let (jobs, size) = std::mem::take(&mut self.batch);
        if jobs.is_empty() {
            return;
        }
        while !self.has_room(size) {
            self.help(take);
        }
        let mut state = self.shared.lock();
        let number = state.next.0;
        state.next.0 += 1;
        state.size = state.size.saturating_add(size);
        state.sizes.push_back(size);
        state.queue.push_back((number, jobs));
        drop(state);
        self.shared.given.notify_one();
        self.take_ready(take);
    }

    /// Hands on results that are ready.
    pub fn ready(&mut self, take: &mut dyn FnMut(R)) {
        self.take_ready(take);
    }

    /// Waits for all jobs that were given.
    pub fn finish(&mut self, take: &mut dyn FnMut(R)) {
        self.send(take);
        while self.under_way() > 0 {
            self.help(take);
        }
    }

    fn under_way(&self) -> u64 {
        let (given, taken) = self.shared.lock().next;
        given - taken
    }

    fn has_room(&self, size: usize) -> bool {
        let state = self.shared.lock();
        let waiting = state.next.0 - state.next.1;
        waiting == 0
            || (waiting < WAITING * self.crew.threads as u64 && state.size.saturating_add(size) <= self.crew.most)
    }

    /// Does a batch that waits; where none does, waits for one to be done.
    fn help(&mut self, take: &mut dyn FnMut(R)) {
        let mut state = self.shared.lock();
        if let Some((number, jobs)) = state.queue.pop_front() {
            drop(state);
            let results = jobs.into_iter().map(self.work).collect();
            self.shared.lock().done.insert(number, results);
        } else {
            let front = state.next.1;
            while !state.failed && !state.done.contains_key(&front) {
                state = self.shared.done.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            assert!(!state.failed, "a worker thread panicked");
            drop(state);
        }
        self.take_ready(take);
    }

    fn take_ready(&mut self, take: &mut dyn FnMut(R)) {
        loop {
            let mut state = self.shared.lock();
            let front = state.next.1;
            let Some(results) = state.done.remove(&front) else { return };
            state.next.1 += 1;
            let size = state.sizes.pop_front().unwrap_or_default();
            state.size = state.size.saturating_sub(size);
            drop(state);
            results.into_iter().for_each(&mut *take);
        }
    }
}

impl<J, R> Shared<J, R> {
    fn lock(&self) -> MutexGuard<'_, State<J, R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does batches until there will be no more.
    fn serve(&self, work: &(dyn Fn(J) -> R + Sync)) {
        loop {
            let mut state = self.lock();
            let (number, jobs) = loop {
                match state.queue.pop_front() {
                    Some(batch) => break batch,
                    None if state.over => return,
                    None => state = self.given.wait(state).unwrap_or_else(PoisonError::into_inner),
                }
            };
            drop(state);
            let alarm = Alarm(self);
            let results = jobs.into_iter().map(work).collect();
            std::mem::forget(alarm);
            self.lock().done.insert(number, results);
            self.done.notify_one();
        }
    }
}

/// Lets the threads end when the giving one does, also by a panic.
struct End<'s, J, R>(&'s Shared<J, R>);

impl<J, R> Drop for End<'_, J, R> {
    fn drop(&mut self) {
        self.0.lock().over = true;
        self.0.given.notify_all();
    }
}

/// Wakes the giving thread when a job panics.
struct Alarm<'s, J, R>(&'s Shared<J, R>);

impl<J, R> Drop for Alarm<'_, J, R> {
    fn drop(&mut self) {
        self.0.lock().failed = true;
        self.0.done.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn squares(crew: Crew, count: u64, size: usize) -> Vec<u64> {
        let mut results = Vec::new();
        // Uneven, so that jobs end in another order than they were given.
        let work = |number: u64| {
            std::thread::sleep(std::time::Duration::from_micros(number % 7 * 50));
            number * number
        };
        run(crew, &work, |workers| {
            for number in 0..count {
                workers.give(number, size, &mut |result| results.push(result));
            }
            workers.finish(&mut |result| results.push(result));
        });
        results
    }

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        let expected: Vec<u64> = (0..300).map(|number| number * number).collect();
        for (threads, batch) in [(1, 0), (2, 0), (2, 20), (5, 20), (5, BATCH)] {
            for most in [usize::MAX, 300, 10, 0] {
                assert_eq!(squares(Crew { threads, most, batch }, 300, 8), expected);
            }
        }
        assert!(squares(Crew { threads: 3, most: 1, batch: BATCH }, 0, 1).is_empty());
    }

    #[test]
    fn no_more_is_under_way_than_allowed() {
        struct Held<'c>(&'c AtomicUsize);
        impl Drop for Held<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }
        }
        let held = AtomicUsize::new(0);
        let crew = Crew { threads: 3, most: 40, batch: 10 };
        run(crew, &|job: Held<'_>| job, |workers| {
            for _ in 0..200 {
                held.fetch_add(1, Ordering::SeqCst);
                workers.give(Held(&held), 10, &mut drop);
                assert!(held.load(Ordering::SeqCst) <= 5);
            }
            workers.finish(&mut drop);
        });
        assert_eq!(held.load(Ordering::SeqCst), 0);
    }

    #[test]
    #[should_panic]
    fn a_panic_ends_all() {
        run(
            Crew { threads: 3, most: usize::MAX, batch: 4 },
            &|number: u32| assert!(number < 50, "number {number}"),
            |workers| {
                for number in 0..100 {
                    workers.give(number, 1, &mut drop);
                }
                workers.finish(&mut drop);
            },
        );
    }
}
