//! One runner for each set of overrides that holds for some session: the same rules with other severities.
//!
//! In: a selection with overrides. Out: runners, each made once. Bounds: [`KEPT`] are kept.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::Rule;
use super::area::Seen;
use super::runner::Runner;
use super::select::Selection;

/// Runners that are kept. One costs some 30 KiB; sets of overrides are as many as the kinds of sessions told apart.
const KEPT: usize = 64;

/// See the module's head.
pub(super) struct Variants {
    selection: Selection,
    made: Mutex<BTreeMap<Vec<usize>, Arc<Runner>>>,
}

impl Variants {
    /// Of a selection.
    pub(super) fn new(selection: &Selection) -> Variants {
        Variants { selection: selection.clone(), made: Mutex::default() }
    }

    /// Whether a rule reports, in some session at least.
    pub(super) fn may_report(&self, rule: &Rule) -> bool {
        self.selection.may_report(rule)
    }

    /// The runner for what was seen there; `None` where no override holds. `make` makes one of a selection.
    pub(super) fn runner(&self, seen: Seen<'_>, make: impl FnOnce(&Selection) -> Runner) -> Option<Arc<Runner>> {
        let overrides = self.selection.overrides_for(seen);
        if overrides.is_empty() {
            return None;
        }
        // A lock is poisoned by a panic while a runner was made, and then none was put in.
        let mut made = self.made.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(runner) = made.get(&overrides) {
            return Some(Arc::clone(runner));
        }
        let runner = Arc::new(make(&self.selection.overridden(&overrides)));
        if made.len() < KEPT {
            made.insert(overrides, Arc::clone(&runner));
        }
        Some(runner)
    }
}
