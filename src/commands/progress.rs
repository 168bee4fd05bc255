//! A progress bar on standard error, when that is a terminal and reading takes longer than a moment.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// What counts as a moment.
const MOMENT: Duration = Duration::from_millis(500);

/// A bar that may never show.
pub(super) struct Progress {
    wanted: bool,
    total: Option<u64>,
    started: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// `total` is the size of all inputs, where it is known.
    pub(super) fn new(quiet: bool, total: Option<u64>) -> Progress {
        let wanted = !quiet && std::io::stderr().is_terminal();
        Progress { wanted, total, started: Instant::now(), bar: None }
    }

    /// Says how many bytes were read.
    pub(super) fn at(&mut self, done: u64) {
        if !self.wanted || self.started.elapsed() < MOMENT {
            return;
        }
        let total = self.total;
        self.bar.get_or_insert_with(|| bar(total)).set_position(done);
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let template = match total {
        Some(_) => "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
        None => "{spinner} {bytes}, {bytes_per_sec}",
    };
    let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
