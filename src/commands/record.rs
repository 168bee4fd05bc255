//! Collects what was said of each session to one report.
//!
//! Bounds: `limits.reported` findings, sessions and unjudged messages are kept, each; the rest is counted.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::judge::{Judge, Verdict, noted};
use crate::bug::Bug;
use crate::engine;
use crate::input::Kind;
use crate::limits::Limits;
use crate::octets::share;
use crate::report::{Input, Lint};
use crate::rules::history::History;
use crate::rules::{Finding, Location, Rule, Severity};
use crate::suppress::{Ledger, Sorted};
use crate::transcript;

/// See the module's head.
pub(super) struct Record {
    keep: usize,
    lint: Lint,
    ledger: Ledger,
    /// Hosts of management servers, at most `keep`.
    hosts: BTreeSet<String>,
    /// What each rule said last: most of it is said again of the next session, and kept once.
    said: BTreeMap<&'static str, Arc<str>>,
    /// The server that was named last.
    server: Option<Arc<str>>,
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
    /// What the suppressions were used for.
    pub(super) ledger: Ledger,
    /// Time of each rule.
    pub(super) times: Vec<(&'static Rule, Duration)>,
    /// Time of measuring it.
    pub(super) clock: Duration,
    /// What is wrong with ourselves: one line for each rule that panicked.
    pub(super) bugs: Vec<String>,
}

impl Record {
    pub(super) fn new(judge: &Judge, limits: &Limits) -> Record {
        Record {
            keep: limits.reported,
            lint: Lint { rules: judge.runner.len(), ..Lint::default() },
            ledger: Ledger::new(&judge.suppressor),
            hosts: BTreeSet::new(),
            said: BTreeMap::new(),
            server: None,
            omitted: BTreeMap::new(),
            times: BTreeMap::new(),
            clock: Duration::ZERO,
            bugs: BTreeMap::new(),
        }
    }

    /// Takes what was said of the next session.
    pub(super) fn take(&mut self, mut verdict: Verdict) {
        if verdict.left_out {
            return self.bugs(verdict.bugs);
        }
        self.sorted(verdict.sorted);
        self.lint.not_judged_count += verdict.not_judged.len();
        let room = self.keep.saturating_sub(self.lint.not_judged.len());
        self.lint.not_judged.extend(verdict.not_judged.into_iter().take(room));
        let room = self.keep.saturating_sub(self.lint.holes.len());
        self.lint.holes.extend(verdict.holes.into_iter().take(room));
        for (rule, time) in verdict.times {
            self.times.entry(rule.id).or_insert((rule, Duration::ZERO)).1 += time;
        }
        self.clock += verdict.clock;
        self.bugs(verdict.bugs);
        self.hosts.extend(verdict.host.filter(|_| self.hosts.len() < self.keep));
        if self.lint.sessions.len() < self.keep {
            share(&mut self.server, &mut verdict.row.server);
            self.lint.sessions.push(verdict.row);
        }
    }

    fn sorted(&mut self, sorted: Sorted) {
        for mut finding in sorted.told {
            self.lint.counts.add(finding.severity, 1);
            if self.lint.findings.len() < self.keep {
                share(self.said.entry(finding.rule.id).or_default(), &mut finding.message);
                share(&mut self.server, &mut finding.server);
                self.lint.findings.push(finding);
            } else {
                self.omit(finding.rule, finding.severity, 1);
            }
        }
        for (rule, severity, many) in sorted.more {
            self.lint.counts.add(severity, many);
            self.omit(rule, severity, many);
        }
        self.lint.suppressed_count += sorted.suppressed.len() + sorted.suppressed_more;
        let room = self.keep.saturating_sub(self.lint.suppressed.len());
        self.lint.suppressed.extend(sorted.suppressed.into_iter().take(room));
        self.ledger.take(sorted.uses);
    }

    /// Takes what panicked.
    pub(super) fn bugs(&mut self, bugs: Vec<(String, Bug)>) {
        for (what, bug) in bugs {
            self.bugs.entry(what).or_insert(bug);
        }
    }

    fn omit(&mut self, rule: &'static Rule, severity: Severity, many: usize) {
        self.omitted.entry(rule.id).or_insert((rule, severity, 0)).2 += many;
    }

    /// The report, with all in its final order.
    pub(super) fn finish(mut self, judge: &Judge, history: &History, read: &engine::Reading) -> Judged {
        let mut bugs = Vec::new();
        let encrypted = noted("the rules", &mut bugs, || judge.runner.run_encrypted(&read.encrypted, &self.hosts));
        self.bugs(bugs);
        self.sorted(judge.suppressor.sort_encrypted(encrypted.unwrap_or_default()));
        let mut lint = self.lint;
        lint.inputs = read.inputs.iter().map(input).collect();
        lint.totals = read.totals;
        lint.encrypted.clone_from(&read.encrypted);
        lint.sessions.sort_by_key(|row| row.number);
        lint.findings.sort_by(order);
        lint.suppressed.sort_by(|(a, _), (b, _)| order(a, b));
        lint.suppressions = self.ledger.finish(&|rule| judge.runner.reports(rule));
        lint.not_judged.sort_by_key(|hole| place(&hole.location));
        lint.holes.sort_by(|a, b| place(&a.location).cmp(&place(&b.location)).then_with(|| a.rule.id.cmp(b.rule.id)));
        if let Some(last) = lint.inputs.last_mut().filter(|_| history.is_full()) {
            last.notes
                .push("more devices than are remembered: rules over several sessions looked at the first ones".into());
        }
        lint.omitted = self.omitted.into_values().collect();
        let bugs = self.bugs.iter().map(|(what, bug)| format!("internal error in {what}: {bug}"));
        Judged {
            lint,
            ledger: self.ledger,
            times: self.times.into_values().collect(),
            clock: self.clock,
            bugs: bugs.collect(),
        }
    }
}

fn input(report: &engine::InputReport) -> Input {
    let counted = |number: u64| report.kind.is_capture().then_some(number);
    Input {
        path: report.name.clone(),
        kind: report.kind.name().to_owned(),
        packets: counted(report.packets),
        tcp_streams: counted(report.tcp_streams),
        elsewhere: report.packed || report.kind == Kind::Transcript(transcript::Kind::Messages),
        notes: report.notes.iter().map(|note| note.detail.clone()).collect(),
    }
}

/// By input, place and rule.
fn order(a: &Finding, b: &Finding) -> Ordering {
    let order = place(&a.location).cmp(&place(&b.location));
    order.then_with(|| (a.rule.id, &a.message).cmp(&(b.rule.id, &b.message)))
}

/// In a capture or a HAR: by packet or entry, then by time and sender (an entry holds a request and its answer). In a
/// file: by line.
fn place(location: &Location) -> impl Ord + use<> {
    let unit = location.frame.or(location.entry);
    let message = unit.map(|_| (location.time, location.side));
    (location.input, unit, message, location.line, location.column, location.byte_range)
}
