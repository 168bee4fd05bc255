//! Judges sessions as they close and keeps what a report needs of them.
//!
//! A panic in a rule, or anywhere else while a session is judged, takes away what would have been said there; the rest
//! stands, and the bug is told.
//!
//! Bounds: `limits.reported` findings, sessions and unjudged messages are kept, each; the rest is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::bug::{self, Bug};
use crate::credentials::Credentials;
use crate::engine;
use crate::limits::Limits;
use crate::report::sessions::Row;
use crate::report::{Input, Lint, NotJudged};
use crate::rules::finding::Place;
use crate::rules::history::History;
use crate::rules::location::Locator;
use crate::rules::runner::{Outcome, Runner};
use crate::rules::select::Selection;
use crate::rules::{Location, Rule, Severity};
use crate::session::Session;
use crate::syncml::uri;

/// The judge, with what it has said so far.
pub(super) struct Judge {
    runner: Runner,
    history: History,
    show_secrets: bool,
    keep: usize,
    lint: Lint,
    /// Hosts of management servers, at most `keep`.
    hosts: BTreeSet<String>,
    omitted: BTreeMap<&'static str, (&'static Rule, Severity, usize)>,
    times: BTreeMap<&'static str, (&'static Rule, Duration)>,
    clock: Duration,
    /// What panicked, each with where it did so first.
    bugs: BTreeMap<String, Bug>,
}

/// All that was said.
pub(super) struct Judged {
    /// The report, in its final order.
    pub(super) lint: Lint,
    /// Time of each rule.
    pub(super) times: Vec<(&'static Rule, Duration)>,
    /// Time of measuring it.
    pub(super) clock: Duration,
    /// What is wrong with ourselves: one line for each rule that panicked.
    pub(super) bugs: Vec<String>,
}

impl Judge {
    pub(super) fn new(selection: &Selection, limits: &Limits, show_secrets: bool, timed: bool) -> Judge {
        let runner = Runner::new(selection, limits).timed(timed);
        let lint = Lint { rules: runner.len(), ..Lint::default() };
        let (omitted, times, bugs) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (history, hosts) = (History::new(limits), BTreeSet::new());
        let (keep, clock) = (limits.reported, Duration::ZERO);
        Judge { runner, history, show_secrets, keep, lint, hosts, omitted, times, clock, bugs }
    }

    /// Recomputes credentials with these secrets.
    pub(super) fn with_credentials(mut self, credentials: Credentials) -> Judge {
        self.runner = self.runner.with_credentials(credentials);
        self
    }

    /// Judges a session. Returns the worst severity found in it.
    pub(super) fn session(&mut self, session: &Session) -> Option<Severity> {
        let outcome = self.caught("the rules", |judge| judge.runner.run_after(session, &judge.history));
        let outcome = outcome.unwrap_or_default();
        self.caught("the memory of sessions", |judge| judge.history.add(session));
        let worst = self.caught("the report", |judge| judge.say(session, outcome)).flatten();
        self.count(session, worst);
        worst
    }

    fn caught<T>(&mut self, what: &str, work: impl FnOnce(&mut Judge) -> T) -> Option<T> {
        let done = bug::caught(|| work(&mut *self));
        if let Err(bug) = &done {
            self.bugs.entry(what.to_owned()).or_insert_with(|| bug.clone());
        }
        done.ok()
    }

    fn say(&mut self, session: &Session, outcome: Outcome) -> Option<Severity> {
        let mut locator = Locator::new(session, self.show_secrets);
        let mut worst = None;
        for draft in outcome.drafts {
            worst = worst.max(Some(draft.severity));
            self.lint.counts.add(draft.severity, 1);
            if self.lint.findings.len() < self.keep {
                self.lint.findings.push(locator.finding(draft));
            } else {
                self.omit(draft.rule, draft.severity, 1);
            }
        }
        for (rule, severity, many) in outcome.more {
            worst = worst.max(Some(severity));
            self.lint.counts.add(severity, many);
            self.omit(rule, severity, many);
        }
        self.lint.not_judged_count += outcome.not_judged.len();
        for (message, reason) in outcome.not_judged {
            if self.lint.not_judged.len() < self.keep {
                self.lint.not_judged.push(NotJudged { location: locator.location(Place::Message(message)), reason });
            }
        }
        for (rule, time) in outcome.times {
            self.times.entry(rule.id).or_insert((rule, Duration::ZERO)).1 += time;
        }
        self.clock += outcome.clock;
        for (rule, bug) in outcome.bugs {
            self.bugs.entry(format!("rule {}", rule.id)).or_insert(bug);
        }
        if let Some(host) = session.server.as_deref().and_then(uri::host).filter(|_| self.hosts.len() < self.keep) {
            self.hosts.insert(host.to_ascii_lowercase());
        }
        worst
    }

    fn omit(&mut self, rule: &'static Rule, severity: Severity, many: usize) {
        self.omitted.entry(rule.id).or_insert((rule, severity, 0)).2 += many;
    }

    fn count(&mut self, session: &Session, worst: Option<Severity>) {
        if self.lint.sessions.len() < self.keep {
            self.lint.sessions.push(Row::of(session, worst, self.show_secrets));
        }
    }

    /// The report, with all in its final order.
    pub(super) fn finish(mut self, read: &engine::Reading) -> Judged {
        let encrypted = self.caught("the rules", |judge| judge.runner.run_encrypted(&read.encrypted, &judge.hosts));
        let mut lint = self.lint;
        for finding in encrypted.unwrap_or_default() {
            lint.counts.add(finding.severity, 1);
            lint.findings.push(finding);
        }
        lint.inputs = read.inputs.iter().map(input).collect();
        lint.totals = read.totals;
        lint.sessions.sort_by_key(|row| row.number);
        lint.findings.sort_by(|a, b| {
            let order = place(&a.location).cmp(&place(&b.location));
            order.then_with(|| (a.rule.id, &a.message).cmp(&(b.rule.id, &b.message)))
        });
        lint.not_judged.sort_by_key(|hole| place(&hole.location));
        if let Some(last) = lint.inputs.last_mut().filter(|_| self.history.is_full()) {
            last.notes
                .push("more devices than are remembered: rules over several sessions looked at the first ones".into());
        }
        lint.omitted = self.omitted.into_values().collect();
        let bugs = self.bugs.iter().map(|(what, bug)| format!("internal error in {what}: {bug}"));
        Judged { lint, times: self.times.into_values().collect(), clock: self.clock, bugs: bugs.collect() }
    }
}

fn input(report: &engine::InputReport) -> Input {
    let counted = |number: u64| report.kind.is_capture().then_some(number);
    Input {
        path: report.name.clone(),
        kind: report.kind.name().to_owned(),
        packets: counted(report.packets),
        tcp_streams: counted(report.tcp_streams),
        notes: report.notes.iter().map(|note| note.detail.clone()).collect(),
    }
}

/// In a capture or a HAR: by packet or entry, then by time and sender (an entry holds a request and its answer). In a
/// file: by line.
fn place(location: &Location) -> impl Ord + use<> {
    let unit = location.frame.or(location.entry);
    let message = unit.map(|_| (location.time, location.side));
    (location.input, unit, message, location.line, location.column, location.byte_range)
}
