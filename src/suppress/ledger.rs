//! What became of the suppressions in a run: which hid findings, which hid none, which have expired, which were not looked for.
//!
//! In: the [`Uses`] of each session. Out: a line for each suppression, and what to add to the baseline or take out of it. What the run
//! could not show is not called unused: an entry counts where a session lay in its area and one of its rules ran, a key of the baseline
//! where its rule ran and its server was seen. Bounds: [`COMMENTS`] comments, `limits::BASELINE_ENTRIES` keys.

use std::collections::{BTreeMap, BTreeSet};

use super::baseline::Changes;
use super::{Baseline, Comment, Key, Suppressor, Uses};
use crate::limits;
use crate::rules::{Location, Rule};

/// Comments that are told of; more than a person writes.
const COMMENTS: usize = 1000;
/// Keys past the baseline's that are told of.
const EXCEEDED: usize = 100;

/// What hides a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An entry of the configuration.
    Config,
    /// A comment in the recording.
    Comment,
    /// The baseline.
    Baseline,
}

impl Kind {
    /// `config`, `comment`, `baseline`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Config => "config",
            Kind::Comment => "comment",
            Kind::Baseline => "baseline",
        }
    }
}

/// What became of a suppression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It hid findings.
    Used,
    /// It hid none, though it was looked for.
    Unused,
    /// Its last day is over: it hides nothing any more.
    Expired,
    /// It cannot be read.
    Wrong,
    /// Nothing in the run it could have hidden.
    NotJudged,
    /// Of the baseline: the run does not show it any more.
    Stale,
    /// Of the baseline: a session has more of it than are known.
    Exceeded,
}

impl State {
    /// As JSON has it.
    pub fn name(self) -> &'static str {
        match self {
            State::Used => "used",
            State::Unused => "unused",
            State::Expired => "expired",
            State::Wrong => "wrong",
            State::NotJudged => "not judged",
            State::Stale => "stale",
            State::Exceeded => "exceeded",
        }
    }

    /// Whether the user should look at it.
    pub fn is_trouble(self) -> bool {
        !matches!(self, State::Used | State::NotJudged)
    }
}

/// A suppression and what became of it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// What became of it.
    pub state: State,
    /// The rules as they were named; empty where they cannot be read.
    pub rules: String,
    /// Where it stands: `dmscope.toml:12`, `baseline.toml`; empty for a comment.
    pub place: String,
    /// Where a comment stands.
    pub location: Option<Location>,
    /// Why it is there.
    pub reason: Option<String>,
    /// Its last day.
    pub until: Option<String>,
    /// The key, of the baseline.
    pub key: Option<Key>,
    /// How many findings it hid; of a key that is exceeded, how many there are.
    pub count: usize,
    /// What there is to say of it, where it is trouble.
    pub message: String,
}

/// See the module's head.
#[derive(Debug)]
pub struct Ledger {
    suppressor: Suppressor,
    /// For each entry, whether a session lay in its area, and how many findings it hid.
    entries: Vec<(bool, usize)>,
    comments: Vec<Comment>,
    keys: BTreeMap<Key, usize>,
    left_out: bool,
    exceeded: BTreeMap<Key, usize>,
    servers: BTreeSet<String>,
}

impl Ledger {
    /// An empty one.
    pub fn new(suppressor: &Suppressor) -> Ledger {
        Ledger {
            entries: vec![(false, 0); suppressor.entries.len()],
            suppressor: suppressor.clone(),
            comments: Vec::new(),
            keys: BTreeMap::new(),
            left_out: false,
            exceeded: BTreeMap::new(),
            servers: BTreeSet::new(),
        }
    }

    /// Takes in what a session used.
    pub fn take(&mut self, uses: Uses) {
        for (number, hid) in uses.entries {
            if let Some((seen, all)) = self.entries.get_mut(number) {
                (*seen, *all) = (true, all.saturating_add(hid));
            }
        }
        let room = COMMENTS.saturating_sub(self.comments.len());
        self.comments.extend(uses.comments.into_iter().take(room));
        for (key, count) in uses.keys {
            if self.keys.len() >= limits::BASELINE_ENTRIES && !self.keys.contains_key(&key) {
                self.left_out = true;
                continue;
            }
            let known = self.keys.entry(key).or_default();
            *known = count.max(*known);
        }
        for (key, count) in uses.exceeded {
            if self.exceeded.len() < EXCEEDED || self.exceeded.contains_key(&key) {
                let known = self.exceeded.entry(key).or_default();
                *known = count.max(*known);
            }
        }
        if self.suppressor.baseline.is_some() && self.servers.len() < limits::BASELINE_ENTRIES {
            self.servers.extend(uses.servers);
        }
    }

    /// What became of each suppression. `runs` says which rules ran.
    pub fn finish(&self, runs: &dyn Fn(&Rule) -> bool) -> Vec<Entry> {
        let mut all: Vec<Entry> = self.of_config(runs).collect();
        all.extend(self.comments.iter().map(|comment| of_comment(comment, runs)));
        let name =
            self.suppressor.baseline.as_ref().map(|known| known.suppression.place.to_string()).unwrap_or_default();
        let of_key = |key: &Key, state, count, message: String| Entry {
            kind: Kind::Baseline,
            state,
            rules: key.rule.clone(),
            place: name.clone(),
            location: None,
            reason: None,
            until: None,
            key: Some(key.clone()),
            count,
            message,
        };
        for (key, count) in &self.exceeded {
            let known = self.suppressor.baseline.as_ref().map_or(0, |known| known.baseline.count(key));
            let message = format!("{}: {count} in one session, {known} known; all of them are told", key.words());
            all.push(of_key(key, State::Exceeded, *count, message));
        }
        let stale = self.stale(runs).into_iter();
        all.extend(stale.map(|key| of_key(key, State::Stale, 0, format!("{}: not found any more", key.words()))));
        all
    }

    fn of_config(&self, runs: &dyn Fn(&Rule) -> bool) -> impl Iterator<Item = Entry> {
        self.suppressor.entries.iter().zip(&self.entries).map(move |(listed, (seen, hid))| {
            let ignore = &listed.ignore;
            let looked_for = *seen && ignore.rules.iter().any(|rule| runs(rule));
            let state = match (listed.expired, *hid, looked_for) {
                (true, ..) => State::Expired,
                (_, 1.., _) => State::Used,
                (_, _, true) => State::Unused,
                _ => State::NotJudged,
            };
            let (rules, until) = (ignore.names.join(", "), ignore.until.map(|date| date.to_string()));
            let message = match state {
                State::Expired => {
                    format!("this ignore of {rules} has expired on {}", until.as_deref().unwrap_or_default())
                }
                State::Unused => format!("this ignore of {rules} hides nothing"),
                _ => String::new(),
            };
            Entry {
                kind: Kind::Config,
                state,
                rules,
                place: ignore.place.clone(),
                location: None,
                reason: Some(ignore.reason.clone()),
                until,
                key: None,
                count: *hid,
                message,
            }
        })
    }

    fn stale(&self, runs: &dyn Fn(&Rule) -> bool) -> Vec<&Key> {
        match &self.suppressor.baseline {
            Some(known) => known.baseline.stale(&self.keys, |key| self.looked_for(key, runs)),
            None => Vec::new(),
        }
    }

    /// Whether the run could show findings of a key.
    fn looked_for(&self, key: &Key, runs: &dyn Fn(&Rule) -> bool) -> bool {
        let runs = self.suppressor.rules.iter().any(|rule| rule.id == key.rule && runs(rule));
        runs && self.servers.contains(&key.server)
    }

    /// The baseline with what the run showed added, and taken out, as asked for. `None` where the run showed more keys than
    /// a baseline holds.
    pub fn updated(&self, adds: bool, prunes: bool, runs: &dyn Fn(&Rule) -> bool) -> Option<(Baseline, Changes)> {
        let known = self.suppressor.baseline.as_ref()?;
        let (mut baseline, mut changes) = (Baseline::clone(&known.baseline), Changes::default());
        if adds {
            baseline.add(&self.keys, &mut changes);
        }
        if prunes {
            baseline.prune(&self.keys, |key| self.looked_for(key, runs), &mut changes);
        }
        (!self.left_out && baseline.len() <= limits::BASELINE_ENTRIES).then_some((baseline, changes))
    }
}

fn of_comment(comment: &Comment, runs: &dyn Fn(&Rule) -> bool) -> Entry {
    let looked_for = comment.rules.iter().any(|rule| runs(rule));
    let (rules, reason) = match &comment.said {
        Ok((rules, reason)) => (rules.clone(), Some(reason.to_string())),
        Err(_) => (String::new(), None),
    };
    let (state, message) = match (&comment.said, comment.hid) {
        (Err(what), _) => (State::Wrong, what.clone()),
        (Ok(_), 0) if looked_for => (State::Unused, format!("this ignore of {rules} hides nothing")),
        (Ok(_), 0) => (State::NotJudged, String::new()),
        (Ok(_), _) => (State::Used, String::new()),
    };
    Entry {
        kind: Kind::Comment,
        state,
        rules,
        place: String::new(),
        location: Some(comment.location.clone()),
        reason,
        until: None,
        key: None,
        count: comment.hid,
        message,
    }
}
