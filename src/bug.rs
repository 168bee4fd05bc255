//! Our own bugs: a panic in one part of the work, caught so that the rest goes on.
//!
//! In: work that may panic. Out: what it gives, or the [`Bug`]. A panic's message may hold words of the input, secrets
//! among them, so only the place in the source is kept; with `RUST_BACKTRACE` set the way there is printed as well.

use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::fmt;
use std::io::{self, Write as _};
use std::panic::{self, AssertUnwindSafe, Location};

/// A panic that was caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bug {
    /// File, line and column in our source, where that is known.
    place: Option<String>,
}

thread_local! {
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From here on a panic prints nothing of its own: who catches it says what there is to say.
pub fn keep_panics_quiet() {
    let loud = std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0");
    panic::set_hook(Box::new(move |info| {
        LAST.set(info.location().map(ToString::to_string));
        if loud {
            // Nothing is left to do when standard error is gone.
            let _ = writeln!(io::stderr(), "{}", way(info.location()));
        }
    }));
}

/// Where a panic was and how it came there; not what it says.
fn way(place: Option<&Location<'_>>) -> String {
    let place = place.map(ToString::to_string).unwrap_or_default();
    format!("panicked at {place}\n{}", Backtrace::force_capture())
}

/// Does the work. What it was changing when it panicked may be half done: callers go on with what is still whole.
///
/// # Errors
/// The work panicked.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Bug> {
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|_| Bug { place: LAST.take() })
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "this is a bug in dmscope ({place}), please report it"),
            None => f.write_str("this is a bug in dmscope, please report it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_and_other_work_is_not_touched() {
        assert_eq!(caught(|| 7), Ok(7));
        let bug = caught(|| panic!("a word of the input")).unwrap_err();
        assert!(!bug.to_string().contains("word") && bug.to_string().contains("a bug in dmscope"));
    }
}
