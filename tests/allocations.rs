//! How often memory is asked for while a message is read and a session judged. The numbers are counted, not measured:
//! one that grows is a copy that was not there before.

#![allow(unsafe_code, clippy::unwrap_used, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use dmscope::engine::{self, Settings};
use dmscope::limits::Limits;
use dmscope::octets::Octets;
use dmscope::rules::Profile;
use dmscope::rules::runner::Runner;
use dmscope::rules::select::Selection;
use dmscope::{input, xml};

#[path = "build/mod.rs"]
mod build;
#[path = "bench/traffic.rs"]
#[allow(dead_code, reason = "the benchmarks use more of it")]
mod traffic;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

/// Counts what the thread asks for.
struct Counting;

// SAFETY: every call goes on to the system's allocator as it came, and what that gives goes back as it is. Counting
// itself asks for no memory: the counter is a plain number without a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn counted<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = COUNT.get();
    let done = work();
    (done, COUNT.get() - before)
}

/// For a message of 25 commands: tables that grow, not texts that are copied.
const DOCUMENT: usize = 30;
/// For a session of 8 messages, 75 commands and all rules.
const SESSION: usize = 520;

#[test]
fn reading_a_message_copies_no_text() {
    let body: Octets = traffic::session(1)[1].as_bytes().into();
    let limits = Limits::default();
    let (doc, count) = counted(|| xml::parse(&body, &limits));
    assert!(doc.len() > 150 && doc.notes.is_empty());
    assert!(count <= DOCUMENT, "{count} times for {} elements", doc.len());
}

#[test]
fn judging_a_session_asks_for_little() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.pcap");
    traffic::dense(1, 1, traffic::XML, &mut std::fs::File::create(&path).unwrap()).unwrap();
    let inputs = input::collect(&[path], None).unwrap();
    let mut sessions = Vec::new();
    engine::read(&inputs, &Settings::default(), &mut |session| sessions.push(session), &mut |_| {}).unwrap();
    let runner = Runner::new(&Selection::of(Profile::Windows), &Limits::default());
    let (outcome, count) = counted(|| runner.run(&sessions[0]));
    assert!(outcome.drafts.is_empty() && outcome.not_judged.is_empty());
    assert!(count <= SESSION, "{count} times");
}
