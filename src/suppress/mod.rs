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
use crate::rules::location::Locator;
use crate::rules::select::{is_named, unknown};
use crate::rules::{Draft, Finding, Location, Rule, Severity};
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

/// Why a finding is not told; nothing where it is.
type Why = Option<Suppression>;

/// The findings of a session.
#[derive(Debug)]
pub struct Sorted<T = Finding> {
    /// Those that are told.
    pub told: Vec<T>,
    /// Those that are told by their number alone.
    pub more: Vec<(&'static Rule, Severity, usize)>,
    /// Those that are not.
    pub suppressed: Vec<(T, Suppression)>,
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

    /// Sorts the findings of a session.
    pub fn sort<'a>(
        &self,
        session: &'a Session,
        drafts: Vec<Draft>,
        more: Vec<(&'static Rule, Severity, usize)>,
        locator: &mut Locator<'a>,
    ) -> Sorted<Draft> {
        let mut sorted = Sorted { more, ..Sorted::default() };
        if self.entries.is_empty() && self.baseline.is_none() && self.said(session).is_empty() {
            return Sorted { told: drafts, ..sorted };
        }
        let places: Vec<Place> = drafts.iter().map(|draft| draft.place).collect();
        let findings: Vec<Finding> = drafts.iter().map(|draft| locator.finding(draft.clone())).collect();
        let mut why = self.by_comments(session, places.iter().zip(&findings), locator, &mut sorted.uses);
        let findings: Vec<&Finding> = findings.iter().collect();
        sorted.uses.servers = vec![session.server.as_deref().map(key::host).unwrap_or_default()];
        self.by_entries(Seen::of(session), &findings, &mut why, &mut sorted);
        self.by_baseline(session.server.as_deref(), &findings, &mut why, &mut sorted);
        sorted.take(drafts.into_iter().zip(why));
        sorted
    }

    /// Sorts findings on connections to a host that could not be decrypted.
    pub fn sort_encrypted(&self, findings: Vec<Finding>) -> Sorted {
        let mut all = Sorted::default();
        for finding in findings {
            let server = finding.server.as_deref().map(str::to_owned);
            let mut sorted: Sorted = Sorted::default();
            let seen = Seen { input: finding.location.input, server: server.as_deref(), device: None };
            let mut why = [None];
            self.by_entries(seen, &[&finding], &mut why, &mut sorted);
            self.by_baseline(server.as_deref(), &[&finding], &mut why, &mut sorted);
            all.take(std::iter::once(finding).zip(why));
            sorted.uses.servers = server.as_deref().map(key::host).into_iter().collect();
            all.uses.merge(sorted.uses);
        }
        all
    }

    fn said(&self, session: &Session) -> Vec<inline::Said> {
        if self.comments { inline::said(session, &self.rules) } else { Vec::new() }
    }

    fn by_comments<'a, 'f>(
        &self,
        session: &'a Session,
        findings: impl Iterator<Item = (&'f Place, &'f Finding)>,
        locator: &mut Locator<'a>,
        uses: &mut Uses,
    ) -> Vec<Why> {
        let said = self.said(session).into_iter();
        let mut comments: Vec<(Comment, Option<inline::Directive>)> = said.map(|said| comment(said, locator)).collect();
        let why = |(place, finding): (&Place, &Finding)| {
            let covers = |directive: &inline::Directive| directive.covers(session, finding.rule, *place);
            let (comment, _) = comments.iter_mut().find(|(_, directive)| directive.as_ref().is_some_and(covers))?;
            comment.hid += 1;
            let reason = comment.said.as_ref().ok().map(|(_, reason)| Arc::clone(reason));
            Some(Suppression { kind: Kind::Comment, reason, place: "".into() })
        };
        let why = findings.map(why).collect();
        uses.comments = comments.into_iter().map(|(comment, _)| comment).collect();
        why
    }

    fn by_entries<T>(&self, seen: Seen<'_>, findings: &[&Finding], why: &mut [Why], sorted: &mut Sorted<T>) {
        let here = self.entries.iter().enumerate().filter(|(_, each)| !each.expired && each.ignore.is_about(seen));
        let mut here: Vec<(usize, &Listed, usize)> = here.map(|(number, each)| (number, each, 0)).collect();
        for (finding, why) in findings.iter().zip(why).filter(|(_, why)| why.is_none()) {
            if let Some((_, each, hid)) = here.iter_mut().find(|(_, each, _)| each.ignore.covers(finding)) {
                *hid += 1;
                *why = Some(each.suppression.clone());
            }
        }
        for (rule, severity, many) in std::mem::take(&mut sorted.more) {
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
    fn by_baseline<T>(&self, server: Option<&str>, findings: &[&Finding], why: &mut [Why], sorted: &mut Sorted<T>) {
        let Some(known) = &self.baseline else { return };
        let mut counts: BTreeMap<Key, usize> = BTreeMap::new();
        let left = findings.iter().zip(why).filter(|(_, why)| why.is_none());
        let left: Vec<(Key, &mut Why)> = left.map(|(finding, why)| (Key::of(finding), why)).collect();
        left.iter().for_each(|(key, _)| *counts.entry(key.clone()).or_default() += 1);
        for (rule, _, many) in &sorted.more {
            *counts.entry(Key::of_rule(rule, server)).or_default() += many;
        }
        let hides =
            |key: &Key| known.takes_all || counts.get(key).is_some_and(|count| *count <= known.baseline.count(key));
        for (_, why) in left.into_iter().filter(|(key, _)| hides(key)) {
            *why = Some(known.suppression.clone());
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

impl<T> Default for Sorted<T> {
    fn default() -> Sorted<T> {
        let (told, more, suppressed) = (Vec::new(), Vec::new(), Vec::new());
        Sorted { told, more, suppressed, suppressed_more: 0, uses: Uses::default() }
    }
}

impl Sorted<Draft> {
    /// The same, each finding on its own.
    pub fn located(self, locator: &mut Locator<'_>) -> Sorted {
        let Sorted { told, more, suppressed, suppressed_more, uses } = self;
        let told = told.into_iter().map(|draft| locator.finding(draft)).collect();
        let suppressed = suppressed.into_iter().map(|(draft, why)| (locator.finding(draft), why)).collect();
        Sorted { told, more, suppressed, suppressed_more, uses }
    }
}

impl<T> Sorted<T> {
    fn take(&mut self, findings: impl Iterator<Item = (T, Why)>) {
        for (finding, why) in findings {
            match why {
                Some(why) => self.suppressed.push((finding, why)),
                None => self.told.push(finding),
            }
        }
    }
}

impl Suppression {
    /// `suppressed in dmscope.toml:12: the old server`, for people.
    pub fn told(&self) -> String {
        let place = escape::line(&self.place);
        let what = match self.kind {
            Kind::Comment => "suppressed by a comment".to_owned(),
            Kind::Baseline => format!("known in {place}"),
            Kind::Config => format!("suppressed in {place}"),
        };
        self.reason.as_deref().map_or(what.clone(), |reason| format!("{what}: {}", escape::line(reason)))
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

fn comment(said: inline::Said, locator: &mut Locator<'_>) -> (Comment, Option<inline::Directive>) {
    let mut at = |place| locator.location(place);
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
