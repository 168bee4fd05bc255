//! Findings that are known and not told: entries of the configuration, comments in the recording, the baseline.
//!
//! In: the findings of one session. Out: those that are told, and those that are not, each with why ([`Sorted`]); and what a
//! [`Ledger`] needs to say at the end which suppressions hid nothing. It looks at one session at a time, so that what it says does not depend
//! on the order. Comments go before entries, entries before the baseline.

pub mod baseline;
pub mod ignore;
pub mod inline;
pub mod key;
mod ledger;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::baseline::Baseline;
pub use self::ignore::Ignore;
pub use self::key::Key;
pub use self::ledger::{Entry, Kind, Ledger, State};
use crate::escape;
use crate::rules::area::Seen;
use crate::rules::finding::Place;
use crate::rules::select::{is_named, unknown};
use crate::rules::{Finding, Location, Rule, Severity};
use crate::session::Session;

/// Elements looked through for the command around a comment: commands stand near the root.
const DEPTH: usize = 64;
/// Letters of a reason that are shown.
const REASON: usize = 200;

/// Why a finding is not told.
#[derive(Clone, Debug)]
pub struct Suppression {
    /// What hides it.
    pub kind: Kind,
    /// The reason that was given; none in the baseline.
    pub reason: Option<Arc<str>>,
    /// Where that stands: `dmscope.toml:12`, `baseline.toml`. Empty for a comment, which stands where the finding is.
    pub place: Arc<str>,
}

/// What is known and not told.
#[derive(Clone, Debug, Default)]
pub struct Suppressor {
    /// The rules there are, for comments.
    rules: Vec<&'static Rule>,
    entries: Vec<Listed>,
    comments: bool,
    baseline: Option<Known>,
}

#[derive(Clone, Debug)]
struct Listed {
    ignore: Ignore,
    expired: bool,
    suppression: Suppression,
}

#[derive(Clone, Debug)]
struct Known {
    baseline: Arc<Baseline>,
    /// Whether all findings are taken for known, to add them.
    takes_all: bool,
    suppression: Suppression,
}

/// The findings of a session.
#[derive(Debug, Default)]
pub struct Sorted {
    /// Those that are told.
    pub told: Vec<Finding>,
    /// Those that are told by their number alone.
    pub more: Vec<(&'static Rule, Severity, usize)>,
    /// Those that are not.
    pub suppressed: Vec<(Finding, Suppression)>,
    /// How many more there are of these.
    pub suppressed_more: usize,
    /// What was used of the suppressions.
    pub uses: Uses,
}

/// What was used of the suppressions in a session.
#[derive(Debug, Default)]
pub struct Uses {
    /// Entries whose area it lies in, each with how many findings it hid.
    entries: Vec<(usize, usize)>,
    comments: Vec<Comment>,
    /// How many findings of each key it has, those that are hidden otherwise left out.
    keys: BTreeMap<Key, usize>,
    /// Keys of which it has more than the baseline knows.
    exceeded: Vec<(Key, usize)>,
    /// The hosts of its servers.
    servers: Vec<String>,
}

/// A comment for this program.
#[derive(Debug)]
struct Comment {
    location: Location,
    said: Result<(String, Arc<str>), String>,
    rules: Vec<&'static Rule>,
    hid: usize,
}

impl Suppressor {
    /// Entries of the configuration, as they stand on a day, and comments in the recording, which may name these rules.
    pub fn new(ignores: Vec<Ignore>, rules: Vec<&'static Rule>, today: jiff::civil::Date) -> Suppressor {
        let listed = |ignore: Ignore| {
            let (reason, place) = (Some(ignore.reason.as_str().into()), ignore.place.as_str().into());
            Listed {
                expired: ignore.has_expired(today),
                suppression: Suppression { kind: Kind::Config, reason, place },
                ignore,
            }
        };
        Suppressor { rules, entries: ignores.into_iter().map(listed).collect(), comments: true, baseline: None }
    }

    /// Also what a baseline knows. With `takes_all` all findings are taken for known.
    pub fn with_baseline(mut self, baseline: Arc<Baseline>, name: &str, takes_all: bool) -> Suppressor {
        let suppression = Suppression { kind: Kind::Baseline, reason: None, place: name.into() };
        self.baseline = Some(Known { baseline, takes_all, suppression });
        self
    }

    /// Looks which of these inputs patterns of paths, which are relative to `folder`, hold for.
    pub fn for_inputs<'n>(
        mut self,
        folder: &std::path::Path,
        names: impl Iterator<Item = &'n str> + Clone,
    ) -> Suppressor {
        self.entries.iter_mut().for_each(|each| each.ignore.area.for_inputs(folder, names.clone()));
        self
    }

    /// Sorts the findings of a session, each with its place in it. `at` resolves the place of a comment.
    pub fn sort(
        &self,
        session: &Session,
        findings: Vec<(Place, Finding)>,
        more: Vec<(&'static Rule, Severity, usize)>,
        at: &mut dyn FnMut(Place) -> Location,
    ) -> Sorted {
        let said = if self.comments { inline::said(session, &self.rules) } else { Vec::new() };
        let mut comments: Vec<(Comment, Option<inline::Directive>)> =
            said.into_iter().map(|said| comment(said, at)).collect();
        let mut sorted = Sorted::default();
        let mut left = Vec::new();
        for (place, finding) in findings {
            let covers = |directive: &inline::Directive| directive.covers(session, finding.rule, place);
            match comments.iter_mut().find(|(_, directive)| directive.as_ref().is_some_and(covers)) {
                Some((comment, _)) => {
                    comment.hid += 1;
                    let reason = comment.said.as_ref().ok().map(|(_, reason)| Arc::clone(reason));
                    sorted.suppressed.push((finding, Suppression { kind: Kind::Comment, reason, place: "".into() }));
                }
                None => left.push(finding),
            }
        }
        sorted.uses.comments = comments.into_iter().map(|(comment, _)| comment).collect();
        sorted.uses.servers = vec![session.server.as_deref().map(key::host).unwrap_or_default()];
        self.by_entries(Seen::of(session), left, more, &mut sorted);
        self.by_baseline(session.server.as_deref(), &mut sorted);
        sorted
    }

    /// Sorts findings on connections to a host that could not be decrypted.
    pub fn sort_encrypted(&self, findings: Vec<Finding>) -> Sorted {
        let mut all = Sorted::default();
        for finding in findings {
            let server = finding.server.as_deref().map(str::to_owned);
            let mut sorted = Sorted::default();
            let seen = Seen { input: finding.location.input, server: server.as_deref(), device: None };
            self.by_entries(seen, vec![finding], Vec::new(), &mut sorted);
            self.by_baseline(server.as_deref(), &mut sorted);
            sorted.uses.servers = server.as_deref().map(key::host).into_iter().collect();
            all.told.append(&mut sorted.told);
            all.suppressed.append(&mut sorted.suppressed);
            all.uses.merge(sorted.uses);
        }
        all
    }

    fn by_entries(
        &self,
        seen: Seen<'_>,
        findings: Vec<Finding>,
        more: Vec<(&'static Rule, Severity, usize)>,
        sorted: &mut Sorted,
    ) {
        let here = self.entries.iter().enumerate().filter(|(_, each)| !each.expired && each.ignore.is_about(seen));
        let mut here: Vec<(usize, &Listed, usize)> = here.map(|(number, each)| (number, each, 0)).collect();
        for finding in findings {
            match here.iter_mut().find(|(_, each, _)| each.ignore.covers(&finding)) {
                Some((_, each, hid)) => {
                    *hid += 1;
                    sorted.suppressed.push((finding, each.suppression.clone()));
                }
                None => sorted.told.push(finding),
            }
        }
        for (rule, severity, many) in more {
            match here.iter_mut().find(|(_, each, _)| each.ignore.covers_rule(rule)) {
                Some((_, _, hid)) => {
                    *hid += many;
                    sorted.suppressed_more += many;
                }
                None => sorted.more.push((rule, severity, many)),
            }
        }
        sorted.uses.entries = here.into_iter().map(|(number, _, hid)| (number, hid)).collect();
    }

    /// Hides what the baseline knows: of a key all findings, or none where there are more than it knows.
    fn by_baseline(&self, server: Option<&str>, sorted: &mut Sorted) {
        let Some(known) = &self.baseline else { return };
        let mut counts: BTreeMap<Key, usize> = BTreeMap::new();
        let keys: Vec<Key> = sorted.told.iter().map(Key::of).collect();
        keys.iter().for_each(|key| *counts.entry(key.clone()).or_default() += 1);
        for (rule, _, many) in &sorted.more {
            *counts.entry(Key::of_rule(rule, server)).or_default() += many;
        }
        let hides =
            |key: &Key| known.takes_all || counts.get(key).is_some_and(|count| *count <= known.baseline.count(key));
        for (finding, key) in std::mem::take(&mut sorted.told).into_iter().zip(&keys) {
            match hides(key) {
                true => sorted.suppressed.push((finding, known.suppression.clone())),
                false => sorted.told.push(finding),
            }
        }
        sorted.more.retain(|(rule, _, many)| {
            let hidden = hides(&Key::of_rule(rule, server));
            sorted.suppressed_more += if hidden { *many } else { 0 };
            !hidden
        });
        let known_before = |(key, _): &(&Key, &usize)| known.baseline.count(key) > 0 && !hides(key);
        sorted.uses.exceeded = counts.iter().filter(known_before).map(|(key, count)| (key.clone(), *count)).collect();
        sorted.uses.keys = counts;
    }
}

impl Uses {
    fn merge(&mut self, other: Uses) {
        self.entries.extend(other.entries);
        self.comments.extend(other.comments);
        self.exceeded.extend(other.exceeded);
        self.servers.extend(other.servers);
        for (key, count) in other.keys {
            let known = self.keys.entry(key).or_default();
            *known = count.max(*known);
        }
    }
}

fn first(messages: &[usize]) -> Place {
    messages.first().map_or(Place::Session, |message| Place::Message(*message))
}

fn comment(said: inline::Said, at: &mut dyn FnMut(Place) -> Location) -> (Comment, Option<inline::Directive>) {
    match said {
        inline::Said::Ignore(directive) => {
            let reason = escape::shorten(&escape::line(&directive.reason), REASON).into_owned();
            let said = Ok((directive.words.clone(), reason.into()));
            let (location, rules) = (at(first(&directive.messages)), directive.rules.clone());
            (Comment { location, said, rules, hid: 0 }, Some(directive))
        }
        inline::Said::Wrong(messages, what) => {
            let what = escape::shorten(&escape::line(&what), REASON).into_owned();
            (Comment { location: at(first(&messages)), said: Err(what), rules: Vec::new(), hid: 0 }, None)
        }
    }
}

/// The rules that a word names; else a few words on which one may be meant.
pub fn rules_named(word: &str, known: &[&'static Rule]) -> Result<Vec<&'static Rule>, String> {
    let named: Vec<&Rule> = known.iter().copied().filter(|rule| is_named(rule, word)).collect();
    if named.is_empty() { Err(unknown(word, known.iter().copied()).to_string()) } else { Ok(named) }
}
