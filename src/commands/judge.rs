//! Judges sessions as they close, on all cores, and says what a report needs of them.
//!
//! In: sessions in the order they close. Out: a [`Verdict`] for each, collected by `record` in the same order, so that
//! a report does not depend on how many threads there are. A panic in a rule, or anywhere else while a session is
//! judged, takes away what would have been said there; the rest stands, and the bug is told.

use std::time::Duration;

use anyhow::Result;

use super::record::{Judged, Record};
use crate::bug::{self, Bug};
use crate::credentials::Credentials;
use crate::engine;
use crate::filter::{Filter, Scene};
use crate::limits::Limits;
use crate::report::sessions::Row;
use crate::report::{self, NotJudged};
use crate::rules::Rule;
use crate::rules::finding::Place;
use crate::rules::history::{Earlier, History};
use crate::rules::location::Locator;
use crate::rules::runner::{Outcome, Runner};
use crate::rules::select::Selection;
use crate::session::Session;
use crate::suppress::{Sorted, Suppressor};
use crate::syncml::uri;
use crate::workers::{self, Crew};

/// What judges; the same for all threads.
pub(super) struct Judge {
    pub(super) runner: Runner,
    show_secrets: bool,
    tells_tls: bool,
    limits: Limits,
    filter: Option<Filter>,
    pub(super) suppressor: Suppressor,
}

/// What there is to say of one session.
pub(super) struct Verdict {
    /// Its row in the list of sessions.
    pub(super) row: Row,
    /// The findings: those that are told, those that are known, and how many were not kept.
    pub(super) sorted: Sorted,
    /// Messages that were not judged.
    pub(super) not_judged: Vec<NotJudged>,
    /// Places that own rules did not judge.
    pub(super) holes: Vec<report::Hole>,
    /// Whether a filter leaves it out.
    pub(super) left_out: bool,
    /// The host of its server, in lower case.
    pub(super) host: Option<String>,
    /// Time of each rule.
    pub(super) times: Vec<(&'static Rule, Duration)>,
    /// Time of measuring it.
    pub(super) clock: Duration,
    /// What panicked.
    pub(super) bugs: Vec<(String, Bug)>,
}

impl Judge {
    pub(super) fn new(selection: &Selection, limits: &Limits, show_secrets: bool, timed: bool) -> Judge {
        Judge {
            runner: Runner::new(selection, limits).timed(timed),
            show_secrets,
            tells_tls: false,
            limits: limits.clone(),
            filter: None,
            suppressor: Suppressor::default(),
        }
    }

    /// Keeps what TLS says of each session, for reports that tell it.
    pub(super) fn with_tls(self, tells_tls: bool) -> Judge {
        Judge { tells_tls, ..self }
    }

    /// Tells no findings that are known.
    pub(super) fn with_suppressor(mut self, suppressor: Suppressor) -> Judge {
        self.suppressor = suppressor;
        self
    }

    /// Says nothing of sessions for which a filter does not hold.
    pub(super) fn with_filter(mut self, filter: Option<Filter>) -> Judge {
        self.filter = filter;
        self
    }

    /// Recomputes credentials with these secrets.
    pub(super) fn with_credentials(mut self, credentials: Credentials) -> Judge {
        self.runner = self.runner.with_credentials(credentials);
        self
    }

    /// Judges all sessions that `read` hands on, on that many threads.
    ///
    /// # Errors
    /// Those of `read`.
    pub(super) fn all(
        &self,
        threads: usize,
        read: impl FnOnce(&mut dyn FnMut(Session)) -> Result<engine::Reading>,
    ) -> Result<(Judged, engine::Reading)> {
        let mut record = Record::new(self, &self.limits);
        let mut history = History::new(&self.limits);
        let crew = Crew { threads, most: self.limits.sessions_under_way, batch: 4 * workers::BATCH };
        let work = |(session, earlier): (Session, Earlier)| self.session(&session, &earlier);
        let reading = workers::run(crew, &work, |workers| {
            let reading = read(&mut |session| {
                let earlier = remember(&mut history, &session, &mut record);
                let size = session.size();
                workers.give((session, earlier), size, &mut |verdict| record.take(verdict));
            });
            workers.finish(&mut |verdict| record.take(verdict));
            reading
        })?;
        Ok((record.finish(self, &history, &reading), reading))
    }

    /// Judges a session that follows others of its device.
    pub(super) fn session(&self, session: &Session, earlier: &Earlier) -> Verdict {
        let mut bugs = Vec::new();
        let outcome = noted("the rules", &mut bugs, || self.runner.run_after(session, earlier)).unwrap_or_default();
        let Outcome { drafts, more, not_judged, holes, times, clock, bugs: of_rules } = outcome;
        let said = noted("the report", &mut bugs, || {
            let mut locator = Locator::new(session, self.show_secrets);
            let sorted = self.suppressor.sort(session, drafts, more, &mut locator);
            let scene = Scene { session, findings: &sorted.told };
            let left_out = self.filter.as_ref().is_some_and(|filter| !filter.session(scene));
            let sorted = sorted.located(&mut locator);
            let mut place = |message| locator.location(Place::Message(message));
            let unread = not_judged.into_iter();
            let unread = unread.map(|(message, reason)| NotJudged { location: place(message), reason }).collect();
            let by_rules = holes.into_iter().map(|(rule, hole)| report::Hole {
                rule,
                location: locator.location(hole.place),
                reason: hole.why,
                count: hole.count,
            });
            (sorted, unread, by_rules.collect(), left_out)
        });
        let said: (Sorted, Vec<NotJudged>, Vec<report::Hole>, bool) = said.unwrap_or_default();
        let (sorted, not_judged, holes, left_out) = said;
        let severities = sorted.told.iter().map(|finding| finding.severity);
        let worst = severities.chain(sorted.more.iter().map(|(_, severity, _)| *severity)).max();
        bugs.extend(of_rules.into_iter().map(|(rule, bug)| (format!("rule {}", rule.id), bug)));
        let host = session.server.as_deref().and_then(uri::host).map(str::to_ascii_lowercase);
        let mut row = Row::of(session, worst, self.show_secrets);
        row.tls = row.tls.filter(|_| self.tells_tls);
        Verdict { row, sorted, not_judged, holes, left_out, host, times, clock, bugs }
    }
}

/// What is remembered of the sessions before this one, which is remembered from now on.
pub(super) fn remember(history: &mut History, session: &Session, record: &mut Record) -> Earlier {
    let earlier = history.before(session);
    let mut bugs = Vec::new();
    noted("the memory of sessions", &mut bugs, || history.add(session));
    record.bugs(bugs);
    earlier
}

/// Does the work; notes a panic in it.
pub(super) fn noted<T>(what: &str, bugs: &mut Vec<(String, Bug)>, work: impl FnOnce() -> T) -> Option<T> {
    bug::caught(work).map_err(|bug| bugs.push((what.to_owned(), bug))).ok()
}
