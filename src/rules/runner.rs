//! Runs rules over a closed session: one walk over each document, then the session rules, then the suppression
//! matrix.
//!
//! In: a [`Session`] and what a [`Selection`] says. Out: an [`Outcome`]: findings in a fixed order, and what was not
//! judged. Bounds: `limits.findings_per_rule` findings of a rule are kept for each session, the rest is counted.
//!
//! Rules that silence others run even where they were not selected: what one does not want to hear of (a session
//! whose start is missing) must not make other rules cry wolf.
//!
//! A rule that panics loses what it had to say of that place, and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::area::Seen;
use super::by_tag::{ByTag, Opened};
use super::enrolled;
use super::facts::Facts;
use super::finding::{Draft, Given, Place, Share, Sink, Told};
use super::gate::{Gated, Shown};
use super::history::Earlier;
use super::location;
use super::option::Options;
use super::own::{Budget, Hole, Own, Spent};
use super::redactions::Redactions;
use super::select::Selection;
use super::silence::Silence;
use super::variants::Variants;
use super::{
    CaptureCx, Check, ElementCx, EncryptedCx, EnrollmentCx, Finding, MessageCx, NotificationCx, Profile, Rule,
    SessionCx, Severity,
};
use super::{OnCapture, OnElement, OnMessage, OnSession};
use crate::anomaly::{Anomaly, Kind};
use crate::bug::{self, Bug};
use crate::credentials::Credentials;
use crate::http::Encrypted;
use crate::limits::Limits;
use crate::session::{Enrollment, Flavor, Session};
use crate::syncml::Message;

/// The rules of a selection, arranged by what they look at.
pub struct Runner {
    profile: Profile,
    limits: Limits,
    /// What it takes to measure nothing; `None` when no time is measured.
    clock: Option<Duration>,
    credentials: Credentials,
    options: Options,
    rules: Vec<Active>,
    anomalies: Vec<(Kind, usize)>,
    by_tag: ByTag<Call<OnElement>>,
    messages: Vec<Gated<Call<OnMessage>>>,
    any_messages: Vec<Gated<Call<OnMessage>>>,
    sessions: Vec<Gated<Call<OnSession>>>,
    captures: Vec<Gated<OnCapture>>,
    /// Those on enrollments, their exchanges and documents.
    enrollments: Vec<usize>,
    variants: Variants,
    notifications: Vec<(usize, OnNotification)>,
}

/// What is called: the function of a built-in rule, or an own rule.
#[derive(Clone, Copy)]
enum Call<F> {
    Function(F),
    Own(&'static Own),
}

type OnNotification = fn(&NotificationCx<'_>, &mut Sink<'_>);

/// A rule that runs. A muted one runs for what it silences alone.
struct Active {
    rule: &'static Rule,
    severity: Severity,
    muted: bool,
    /// For each flavor of sessions, whether it has anything to say of them.
    speaks: [bool; 3],
}

/// What the rules said of one session.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The findings, by message, place and rule.
    pub drafts: Vec<Draft>,
    /// Findings past the limit: how many of which rule.
    pub more: Vec<(&'static Rule, Severity, usize)>,
    /// Messages whose content was not judged (their index), and why.
    pub not_judged: Vec<(usize, String)>,
    /// Own rules that did not judge a place.
    pub holes: Vec<(&'static Rule, Hole)>,
    /// Time taken by each rule, when the runner was asked to measure it.
    pub times: Vec<(&'static Rule, Duration)>,
    /// Time taken by the measuring itself.
    pub clock: Duration,
    /// Rules that panicked, each with where it did so first.
    pub bugs: Vec<(&'static Rule, Bug)>,
}

impl Runner {
    /// The tables for a selection.
    pub fn new(selection: &Selection, limits: &Limits) -> Runner {
        let profile = selection.profile();
        let mut runner = Runner {
            profile,
            limits: limits.clone(),
            clock: None,
            credentials: Credentials::default(),
            options: selection.options().clone(),
            rules: Vec::new(),
            anomalies: Vec::new(),
            by_tag: ByTag::new(),
            messages: Vec::new(),
            any_messages: Vec::new(),
            sessions: Vec::new(),
            captures: Vec::new(),
            enrollments: Vec::new(),
            variants: Variants::new(selection),
            notifications: Vec::new(),
        };
        for (rule, chosen) in selection.rules() {
            let muted = chosen.is_none();
            let own = rule.severity(profile).filter(|_| !rule.silences.is_empty());
            if let Some(severity) = chosen.or(own) {
                let speaks =
                    [Flavor::Dm, Flavor::Enrollment, Flavor::Notification].map(|flavor| speaks_of(rule, flavor));
                runner.add(Active { rule, severity, muted, speaks });
            }
        }
        runner
    }

    /// Measures the time of each rule.
    pub fn timed(mut self, timed: bool) -> Runner {
        self.clock = timed.then(clock);
        self
    }

    /// Recomputes credentials with these secrets.
    pub fn with_credentials(mut self, credentials: Credentials) -> Runner {
        self.credentials = credentials;
        self
    }

    /// Calls all rules everywhere: what a test of the gates compares with.
    pub fn ungated(mut self) -> Runner {
        self.by_tag.open();
        self.messages.iter_mut().for_each(Gated::open);
        self.sessions.iter_mut().for_each(Gated::open);
        self.captures.iter_mut().for_each(Gated::open);
        self
    }

    /// The one for what was seen there, where an override holds.
    fn variant(&self, seen: Seen<'_>) -> Option<Arc<Runner>> {
        self.variants.runner(seen, |selection| {
            let runner = Runner::new(selection, &self.limits).with_credentials(self.credentials.clone());
            Runner { clock: self.clock, ..runner }
        })
    }

    /// Whether a rule reports, in some session at least.
    pub fn reports(&self, rule: &Rule) -> bool {
        self.variants.may_report(rule)
    }

    /// How many rules report.
    pub fn len(&self) -> usize {
        self.rules.iter().filter(|active| !active.muted).count()
    }

    /// True when no rule reports.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn add(&mut self, active: Active) {
        let (number, gate) = (self.rules.len(), active.rule.gate);
        match active.rule.check {
            Check::Anomaly(kinds) => self.anomalies.extend(kinds.iter().map(|kind| (*kind, number))),
            Check::Element(tags, check) => self.by_tag.add(tags, Gated(number, gate, Call::Function(check))),
            Check::Message(check) => self.messages.push(Gated(number, gate, Call::Function(check))),
            Check::AnyMessage(check) => self.any_messages.push(Gated(number, gate, Call::Function(check))),
            Check::Session(check) => self.sessions.push(Gated(number, gate, Call::Function(check))),
            Check::Own(own) => match own.tags() {
                Some(tags) => self.by_tag.add(&tags, Gated(number, gate, Call::Own(own))),
                None if own.is_on_sessions() => self.sessions.push(Gated(number, gate, Call::Own(own))),
                None => self.messages.push(Gated(number, gate, Call::Own(own))),
            },
            Check::Capture(check) => self.captures.push(Gated(number, gate, check)),
            Check::Exchange(_) | Check::Enrollment(_) | Check::Provisioning(_) => self.enrollments.push(number),
            Check::Notification(check) => self.notifications.push((number, check)),
            Check::Encrypted(_) => {}
        }
        self.rules.push(active);
    }

    /// Judges a session on its own.
    pub fn run(&self, session: &Session) -> Outcome {
        self.run_after(session, &Earlier::default())
    }

    /// Judges a session that follows others of its device. One of data synchronization is none of ours: the rules are about device management.
    pub fn run_after(&self, session: &Session, earlier: &Earlier) -> Outcome {
        match self.variant(Seen::of(session)) {
            Some(variant) => variant.judge(session, earlier),
            None => self.judge(session, earlier),
        }
    }

    fn judge(&self, session: &Session, earlier: &Earlier) -> Outcome {
        if session.is_data_sync() {
            let all =
                (0..session.messages.len()).map(|index| (index, "data synchronization, not device management".into()));
            return Outcome { not_judged: all.collect(), ..Outcome::default() };
        }
        let redactions = Redactions::of(session);
        let mut pass = Pass {
            runner: self,
            session,
            given: Given { redactions: &redactions, options: &self.options },
            told: Told::default(),
            tallies: Vec::new(),
        };
        pass.tallies.extend(self.rules.iter().map(|active| Tally {
            speaks: active.speaks[session.flavor as usize],
            time: Duration::ZERO,
            calls: 0,
            bug: None,
            share: Share {
                room: self.limits.findings_per_rule,
                spent: Spent { budget: Budget::of(&self.limits), hole: None },
            },
        }));
        let facts = Facts::default();
        let credentials = enrolled::credentials(session, earlier, &self.credentials);
        let cx = SessionCx { session, profile: self.profile, credentials: &credentials, facts: &facts };
        let mut opened = Opened::new(&self.by_tag);
        cx.messages().for_each(|cx| pass.message(cx, &mut opened));
        pass.session(&CaptureCx { session: cx, earlier });
        if session.flavor == Flavor::Notification {
            cx.messages().for_each(|cx| pass.notification(cx, earlier));
        }
        if let Some(enrollment) = Enrollment::of(session) {
            pass.enrollment(EnrollmentCx { session: cx, enrollment: &enrollment });
        }
        pass.finish()
    }
}

impl Runner {
    /// Judges connections that could not be decrypted. `hosts` are those that sessions were held with, in lower case.
    pub fn run_encrypted(&self, connections: &[Encrypted], hosts: &BTreeSet<String>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for encrypted in connections {
            let Some(host) = encrypted.host() else { continue };
            let cx = EncryptedCx { encrypted, host: &host, manages: hosts.contains(&host) };
            let seen = Seen { input: Some(encrypted.connection.input), server: Some(&host), device: None };
            let variant = self.variant(seen);
            findings.extend(variant.as_deref().unwrap_or(self).on_encrypted(&cx));
        }
        findings
    }

    fn on_encrypted(&self, cx: &EncryptedCx<'_>) -> Vec<Finding> {
        let found = self.rules.iter().filter(|active| !active.muted).filter_map(|active| match active.rule.check {
            Check::Encrypted(check) => Some((active, check(cx)?)),
            _ => None,
        });
        let remedy = cx.encrypted.facts().remedy();
        let finding = |(active, message): (&Active, String)| Finding {
            rule: active.rule,
            severity: active.severity,
            fault: active.rule.fault.name(),
            message: message.into(),
            help: if remedy.is_empty() { active.rule.fix.into() } else { remedy.into() },
            location: location::of_connection(cx.encrypted),
            related: Vec::new(),
            server: Some(cx.host.into()),
            device: None,
        };
        found.map(finding).collect()
    }
}

/// What is known of a rule while one session is judged.
struct Tally {
    /// Whether it has anything to say of such a session.
    speaks: bool,
    time: Duration,
    calls: u32,
    bug: Option<Bug>,
    share: Share,
}

/// One session being judged.
struct Pass<'a> {
    runner: &'a Runner,
    session: &'a Session,
    given: Given<'a>,
    told: Told,
    tallies: Vec<Tally>,
}

impl<'a> Pass<'a> {
    /// Calls rules one after the other. One that panics has said what it had to say; the others are called all the same.
    fn calls<C: FnOnce(&mut Sink<'_>)>(&mut self, mut calls: impl Iterator<Item = (usize, C)>) {
        loop {
            let mut under_way = 0;
            let done = bug::caught(|| {
                for (number, check) in calls.by_ref() {
                    under_way = number;
                    self.call(number, check);
                }
            });
            let Err(bug) = done else { return };
            self.tallies[under_way].bug.get_or_insert(bug);
        }
    }

    fn call(&mut self, number: usize, check: impl FnOnce(&mut Sink<'_>)) {
        let tally = &mut self.tallies[number];
        if !tally.speaks {
            return;
        }
        let start = self.runner.clock.map(|_| Instant::now());
        let Active { rule, severity, .. } = self.runner.rules[number];
        let (told, share, given) = (&mut self.told, &mut tally.share, &self.given);
        check(&mut Sink { rule, severity, told, share, given });
        if let Some(start) = start {
            tally.time += start.elapsed();
            tally.calls += 1;
        }
    }

    fn enrollment(&mut self, cx: EnrollmentCx<'_>) {
        let runner = self.runner;
        for number in &runner.enrollments {
            match runner.rules[*number].rule.check {
                Check::Exchange(check) => {
                    self.calls(cx.exchanges().map(|cx| (*number, move |sink: &mut Sink<'_>| check(&cx, sink))));
                }
                Check::Enrollment(check) => {
                    self.calls(std::iter::once((*number, |sink: &mut Sink<'_>| check(&cx, sink))))
                }
                Check::Provisioning(check) => {
                    self.calls(cx.documents().map(|cx| (*number, move |sink: &mut Sink<'_>| check(&cx, sink))));
                }
                _ => {}
            }
        }
    }

    fn notification<'c>(&mut self, message: MessageCx<'c>, earlier: &'c Earlier) {
        let read = message.message.push().filter(|_| message.message.judged().is_ok());
        let Some((push, bearer)) = read.zip(message.message.bearer) else { return };
        let cx = NotificationCx { message, push, bearer, earlier };
        let checks = self.runner.notifications.iter();
        self.calls(checks.map(|(number, check)| (*number, |sink: &mut Sink<'_>| check(&cx, sink))));
    }

    fn message(&mut self, cx: MessageCx<'_>, opened: &mut Opened<'_, Call<OnElement>>) {
        let (runner, index, message) = (self.runner, cx.index, cx.message);
        let exact = message.doc.is_exact();
        message.notes.iter().for_each(|note| self.note(index, note, exact));
        if message.judged().is_ok() {
            message.doc.notes.iter().for_each(|note| self.note(index, note, true));
        }
        self.messages(&runner.any_messages, cx, None);
        if message.is_readable() && !message.retransmission {
            self.elements(cx, opened);
            self.messages(&runner.messages, cx, Some(Shown::of_message(cx)));
        }
    }

    fn note(&mut self, index: usize, note: &Anomaly, exact: bool) {
        let place = match exact && !note.span.is_empty() {
            true => Place::Bytes(index, note.span),
            false => Place::Message(index),
        };
        let asked = self.runner.anomalies.iter().filter(|(kind, _)| *kind == note.kind);
        self.calls(
            asked.map(|(_, number)| (*number, |sink: &mut Sink<'_>| _ = sink.report(place, note.detail.as_str()))),
        );
    }

    fn elements(&mut self, message: MessageCx<'_>, opened: &mut Opened<'_, Call<OnElement>>) {
        for element in message.message.doc.elements() {
            let cx = ElementCx { message, element };
            let open = opened.by(&cx);
            if open.is_empty() {
                continue;
            }
            self.calls(open.iter().map(|(number, call)| {
                (*number, |sink: &mut Sink<'_>| match call {
                    Call::Function(check) => check(&cx, sink),
                    Call::Own(own) => own.element(&cx, sink),
                })
            }));
        }
    }

    /// Calls the rules that the message shows something for; all of them where that is not known.
    fn messages(&mut self, rules: &[Gated<Call<OnMessage>>], cx: MessageCx<'_>, shown: Option<Shown>) {
        let called = rules.iter().filter(|Gated(_, gate, _)| shown.is_none_or(|shown| gate.lets(shown)));
        self.calls(called.map(|Gated(number, _, call)| {
            (*number, |sink: &mut Sink<'_>| match call {
                Call::Function(check) => check(&cx, sink),
                Call::Own(own) => own.message(&cx, sink),
            })
        }));
    }

    fn session(&mut self, cx: &CaptureCx<'_>) {
        let (runner, shown) = (self.runner, Shown::of_session(cx.session));
        let called = runner.sessions.iter().filter(|Gated(_, gate, _)| gate.lets(shown));
        self.calls(called.map(|Gated(number, _, call)| {
            (*number, |sink: &mut Sink<'_>| match call {
                Call::Function(check) => check(&cx.session, sink),
                Call::Own(own) => own.session(&cx.session, sink),
            })
        }));
        let called = runner.captures.iter().filter(|Gated(_, gate, _)| gate.lets(shown));
        self.calls(called.map(|Gated(number, _, check)| (*number, |sink: &mut Sink<'_>| check(cx, sink))));
    }

    fn finish(self) -> Outcome {
        let Pass { runner, session, given, told: Told { mut drafts, over, .. }, tallies } = self;
        let silence = Silence::of(session, &drafts, &over);
        let reports = |rule: &Rule| runner.rules.iter().any(|active| active.rule == rule && !active.muted);
        drafts.retain(|draft| reports(draft.rule) && !silence.covers(session, draft));
        drafts.sort_by_cached_key(|draft| (draft.place.message(), draft.place.span(session).start, draft.rule.id));
        let counted = if over.is_empty() { &[][..] } else { &runner.rules };
        let more = counted.iter().filter(|active| !active.muted).filter_map(|active| {
            let count = over.of(active.rule).filter(|(message, _)| !silence.covers_all(active.rule, *message));
            let count: usize = count.map(|(_, count)| count).sum();
            (count > 0).then_some((active.rule, active.severity, count))
        });
        let told = || runner.rules.iter().map(|active| active.rule).zip(&tallies);
        let clock = |tally: &Tally| runner.clock.map(|clock| clock.saturating_mul(tally.calls));
        let timed = if runner.clock.is_some() { &tallies[..] } else { &[] };
        let times = runner.rules.iter().zip(timed);
        let times = times.filter_map(|(active, tally)| Some((active.rule, tally.time.saturating_sub(clock(tally)?))));
        Outcome {
            more: more.collect(),
            not_judged: runner.not_judged(session, given.redactions),
            holes: told()
                .filter_map(|(rule, tally)| Some((rule, tally.share.spent.hole.clone()?)))
                .filter(|(rule, _)| reports(rule))
                .collect(),
            times: times.collect(),
            // Half of a measurement lies outside of what it measures.
            clock: timed.iter().filter_map(clock).sum::<Duration>() * 2,
            bugs: told().filter_map(|(rule, tally)| Some((rule, tally.bug.clone()?))).collect(),
            drafts,
        }
    }
}

impl Runner {
    /// Messages that were not judged, and those whose secrets were not.
    fn not_judged(&self, session: &Session, redactions: &Redactions<'_>) -> Vec<(usize, String)> {
        let on_secrets = self.rules.iter().any(|active| active.rule.secrets && !active.muted);
        let redacted = |index: &usize| on_secrets && redactions.messages().contains(index);
        let each = session.messages.iter().enumerate().filter_map(|(index, message)| {
            let secrets = || redacted(&index).then(|| (index, REDACTED.to_owned()));
            not_judged((index, message)).or_else(secrets)
        });
        each.collect()
    }
}

/// Why the secrets of a message were not judged.
const REDACTED: &str = "its secrets were redacted before it was read: rules on them did not judge it";

/// Whether a rule says anything of such a session. Those on device management would take an enrollment for a session
/// that went wrong; what the recording, the documents and the transport show is told of both.
fn speaks_of(rule: &Rule, flavor: Flavor) -> bool {
    let of_both = ["DM-CAP", "DM-XML", "DM-SEC", "DM-TST"].contains(&rule.family);
    match rule.check {
        Check::Anomaly(_) => true,
        Check::Exchange(_) | Check::Enrollment(_) | Check::Provisioning(_) => flavor == Flavor::Enrollment,
        Check::Notification(_) => flavor == Flavor::Notification,
        _ => match flavor {
            Flavor::Dm => true,
            Flavor::Enrollment => of_both,
            Flavor::Notification => ["DM-CAP", "DM-TST"].contains(&rule.family),
        },
    }
}

/// What it takes to measure nothing, the least of many times.
fn clock() -> Duration {
    let once = |_| Instant::now().elapsed();
    (0..1000).map(once).min().unwrap_or_default()
}

fn not_judged((index, message): (usize, &Message)) -> Option<(usize, String)> {
    if let Err(why) = message.judged() {
        return Some((index, why.to_owned()));
    }
    let limit = message.doc.notes.iter().find(|note| note.kind == Kind::LimitDocument)?;
    Some((index, limit.detail.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Body, Captured, InputId};
    use crate::origin::{Origin, Span};
    use crate::rules::Reach;
    use crate::syncml::{Side, Tag};
    use crate::transcript::Document;

    /// Each Status that lacks a `Cmd`; silences what is said of the same Status.
    static GATE: Rule = Rule::of_test(
        "DM-TST-001",
        Severity::Error,
        &[(Reach::Element, &["DM-TST-002"])],
        Check::Element(&[Tag::Status], |cx, out| {
            if cx.command().cmd().is_none() {
                out.report(cx.at(), "no Cmd");
            }
        }),
    );
    /// Each Data of a Status.
    static DATA: Rule = Rule::of_test(
        "DM-TST-002",
        Severity::Error,
        &[],
        Check::Element(&[Tag::Data], |cx, out| {
            out.report(cx.at(), "Data");
        }),
    );
    static SYNTAX: Rule = Rule::of_test("DM-TST-003", Severity::Error, &[], Check::Anomaly(&[Kind::XmlNotWellFormed]));
    static GAP: Rule = Rule::of_test(
        "DM-TST-004",
        Severity::Error,
        &[(Reach::Message, &["DM-TST-003"]), (Reach::Session, &["DM-TST-005"])],
        Check::AnyMessage(|cx, out| {
            if cx.message.judged().is_err() {
                out.report(Place::Message(cx.index), "cut");
            }
        }),
    );
    static SESSION: Rule = Rule::of_test(
        "DM-TST-005",
        Severity::Error,
        &[],
        Check::Session(|_, out| {
            out.report(Place::Session, "a session");
        }),
    );

    fn message(text: &str) -> Message {
        captured(text, Captured::Whole)
    }

    fn captured(text: &str, captured: Captured) -> Message {
        let body = Body { captured, ..Body::whole(text.as_bytes(), Origin::default()) };
        let document = Document { body, side: Some(Side::Client), at: None, position: None };
        Message::from_document(document, InputId(0), &Limits::default())
    }

    fn cut(text: &str) -> Message {
        captured(text, Captured::Partly("cut".into()))
    }

    fn run(rules: &[(&'static Rule, Option<Severity>)], messages: Vec<Message>, limit: usize) -> Outcome {
        let selection = Selection::custom(Profile::Windows, rules);
        let limits = Limits { findings_per_rule: limit, ..Limits::default() };
        Runner::new(&selection, &limits).run(&Session::new(1, messages))
    }

    fn on(rules: &[&'static Rule]) -> Vec<(&'static Rule, Option<Severity>)> {
        rules.iter().map(|rule| (*rule, Some(Severity::Error))).collect()
    }

    fn told(outcome: &Outcome) -> Vec<(&str, Option<usize>)> {
        outcome.drafts.iter().map(|draft| (draft.rule.id, draft.place.message())).collect()
    }

    const TWO: &str = "<SyncML><SyncBody><Status><Data>200</Data></Status>\
        <Status><Cmd>Get</Cmd><Data>200</Data></Status></SyncBody></SyncML>";

    #[test]
    fn a_finding_silences_others_in_the_same_command_alone() {
        let outcome = run(&on(&[&GATE, &DATA]), vec![message(TWO)], 100);
        assert_eq!(told(&outcome), [("DM-TST-001", Some(0)), ("DM-TST-002", Some(0))]);
        assert_eq!(outcome.drafts[1].place.span(&Session::new(1, vec![message(TWO)])), Span::new(73, 89));
    }

    #[test]
    fn a_rule_that_was_not_selected_still_silences() {
        let outcome = run(&[(&GATE, None), (&DATA, Some(Severity::Error))], vec![message(TWO)], 100);
        assert_eq!(told(&outcome), [("DM-TST-002", Some(0))]);
    }

    #[test]
    fn what_was_not_captured_is_not_judged() {
        let cut = cut("<SyncML><SyncBody><Status><Da");
        let rules = on(&[&GATE, &DATA, &SYNTAX, &GAP, &SESSION]);
        let outcome = run(&rules, vec![cut, message("<SyncML><SyncBody><Status/>")], 100);
        assert_eq!(told(&outcome), [("DM-TST-004", Some(0)), ("DM-TST-003", Some(1))]);
        assert_eq!(outcome.not_judged, [(0, "cut".to_owned())]);
    }

    #[test]
    fn payload_is_not_looked_at() {
        let text = "<SyncML><SyncBody><Put><Item><Data><Status/><Data>1</Data></Data></Item></Put></SyncBody></SyncML>";
        let outcome = run(&on(&[&GATE, &DATA]), vec![message(text)], 100);
        assert_eq!(told(&outcome), [("DM-TST-002", Some(0))]);
    }

    #[test]
    fn findings_past_the_limit_are_counted_as_far_as_they_are_not_silenced() {
        let many = format!("<SyncBody>{}</SyncBody>", "<Status><Cmd>Get</Cmd><Data>1</Data></Status>".repeat(5));
        let outcome = run(&on(&[&DATA]), vec![message(&many), message(&many)], 3);
        assert_eq!(outcome.drafts.len(), 3);
        assert_eq!(outcome.more, [(&DATA, Severity::Error, 7)]);
        let outcome = run(&on(&[&GAP, &SESSION]), vec![cut("")], 0);
        assert_eq!(told(&outcome), []);
        assert_eq!(outcome.more, [(&GAP, Severity::Error, 1)]);
    }

    static PANICS: Rule =
        Rule::of_test("DM-TST-006", Severity::Error, &[], Check::Message(|cx, _| assert!(cx.index == 1, "a bug")));

    #[test]
    fn a_rule_that_panics_is_named_and_the_others_run_on() {
        let outcome = run(&on(&[&PANICS, &DATA]), vec![message(TWO), message(TWO)], 100);
        assert_eq!(outcome.bugs.iter().map(|(rule, _)| rule.id).collect::<Vec<_>>(), ["DM-TST-006"]);
        assert_eq!(outcome.drafts.len(), 4);
    }

    #[test]
    fn each_element_is_looked_at_once_by_the_rules_that_ask_for_its_tag() {
        let text = "<SyncML><SyncBody><Status><Data>200</Data></Status><Put><Item><Data><Data>1</Data></Data></Item></Put>\
                    <Status><Data>1</Data></Status><Final/></SyncBody></SyncML>";
        for (tag, times) in [(Tag::Status, 2), (Tag::Data, 3), (Tag::Put, 1), (Tag::Final, 1), (Tag::SyncHdr, 0)] {
            let tags: &'static [Tag] = Box::leak(Box::new([tag]));
            let check = Check::Element(tags, |cx, out| {
                out.report(cx.at(), cx.element.name());
            });
            let asks: &'static Rule = Box::leak(Box::new(Rule::of_test("DM-TST-007", Severity::Error, &[], check)));
            let outcome = run(&on(&[asks]), vec![message(text)], 100);
            let mut nodes: Vec<_> = outcome.drafts.iter().map(|draft| format!("{:?}", draft.place)).collect();
            assert!(outcome.drafts.iter().all(|draft| draft.message == tag.name()));
            nodes.dedup();
            assert_eq!((outcome.drafts.len(), nodes.len()), (times, times), "{tag:?}");
        }
    }

    #[test]
    fn times_are_told_when_asked_for() {
        let selection = Selection::custom(Profile::Windows, &on(&[&GATE, &DATA]));
        let runner = Runner::new(&selection, &Limits::default()).timed(true);
        assert_eq!(runner.run(&Session::new(1, vec![message(TWO)])).times.len(), 2);
    }
}
