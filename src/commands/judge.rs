//! Judges sessions as they close and keeps what a report needs of them.
//!
//! Bounds: `limits.reported` findings, sessions and unjudged messages are kept, each; the rest is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::engine;
use crate::limits::Limits;
use crate::report::sessions::Row;
use crate::report::{Input, Lint, NotJudged};
use crate::rules::finding::Place;
use crate::rules::history::History;
use crate::rules::location::Locator;
use crate::rules::runner::Runner;
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
}

impl Judge {
    pub(super) fn new(selection: &Selection, limits: &Limits, show_secrets: bool, timed: bool) -> Judge {
        let runner = Runner::new(selection, limits).timed(timed);
        let lint = Lint { rules: runner.len(), ..Lint::default() };
        let (omitted, times) = (BTreeMap::new(), BTreeMap::new());
        let (history, hosts) = (History::new(limits), BTreeSet::new());
        Judge { runner, history, show_secrets, keep: limits.reported, lint, hosts, omitted, times }
    }

    /// Judges a session. Returns the worst severity found in it.
    pub(super) fn session(&mut self, session: &Session) -> Option<Severity> {
        let outcome = self.runner.run_after(session, &self.history);
        self.history.add(session);
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
        if let Some(host) = session.server.as_deref().and_then(uri::host).filter(|_| self.hosts.len() < self.keep) {
            self.hosts.insert(host.to_ascii_lowercase());
        }
        self.count(session, worst);
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
    pub(super) fn finish(self, read: &engine::Reading) -> (Lint, Vec<(&'static Rule, Duration)>) {
        let mut lint = self.lint;
        for finding in self.runner.run_encrypted(&read.encrypted, &self.hosts) {
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
        (lint, self.times.into_values().collect())
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
