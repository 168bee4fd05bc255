//! Puts what was kept of sessions together to stories, one a device.
//!
//! Sessions belong to an enrollment by the device's identity, else by the client's address and the host of the management server.
//! Bounds: `limits.devices` devices, [`SESSIONS`] sessions of each; the rest is counted.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use super::contact::Seen;
use super::enrolling::Attempt;
use super::managing::Managed;
use super::notified::Notice;
use super::{Cause, Outcome, Stage, Stop, Story, failure, leaving, trouble};
use crate::enroll::Address;
use crate::limits::Limits;
use crate::rules::{Finding, Severity};
use crate::session::{Flavor, Session};
use crate::time::Time;

/// Sessions of one device that are kept.
const SESSIONS: usize = 4096;
/// A first session so long after enrollment is none of it.
const FIRST: Duration = Duration::from_secs(600);
/// Causes that are told.
const CAUSES: usize = 6;

/// What is kept of one device.
#[derive(Default)]
struct Device {
    attempts: Vec<Attempt>,
    sessions: Vec<Managed>,
    notices: Vec<Notice>,
    left_out: usize,
}

/// What is kept of one session for the story of its device.
#[derive(Clone, Debug)]
pub struct Heard(Kept);

#[derive(Clone, Debug)]
enum Kept {
    Attempt(Box<Attempt>),
    Managed(Box<Managed>),
    Notice(Box<Notice>),
}

impl Heard {
    /// What a session tells; `None` when it is part of no story.
    pub fn of(session: &Session) -> Option<Heard> {
        Some(Heard(match session.flavor {
            Flavor::Enrollment => Kept::Attempt(Box::new(Attempt::of(session)?)),
            Flavor::Dm => Kept::Managed(Box::new(Managed::of(session))),
            Flavor::Notification => Kept::Notice(Box::new(Notice::of(session)?)),
        }))
    }

    /// Whether it is an enrollment.
    pub fn enrolls(&self) -> bool {
        matches!(self.0, Kept::Attempt(_))
    }

    fn ended(&self) -> Option<Time> {
        match &self.0 {
            Kept::Attempt(attempt) => attempt.to,
            Kept::Managed(managed) => managed.to,
            Kept::Notice(notice) => notice.at,
        }
    }
}

/// Takes what was heard of sessions, in the order they closed. See the module's head.
pub struct Teller {
    devices: Vec<Device>,
    /// Devices by the identity that their sessions name.
    by_identity: HashMap<String, usize>,
    /// Devices by what is the same in all forms of their identity.
    by_bare: HashMap<String, usize>,
    /// Devices whose sessions name none, by client and server.
    by_peers: HashMap<Peers, usize>,
    /// Devices by the address that they come from; nothing where several do.
    by_address: HashMap<IpAddr, Option<usize>>,
    most: usize,
    left_out: usize,
    until: Option<Time>,
}

/// The address of a client and the URL of its server.
type Peers = (Option<IpAddr>, Option<String>);

impl Teller {
    /// Nothing told yet.
    pub fn new(limits: &Limits) -> Teller {
        Teller {
            devices: Vec::new(),
            by_identity: HashMap::new(),
            by_bare: HashMap::new(),
            by_peers: HashMap::new(),
            by_address: HashMap::new(),
            most: limits.devices,
            left_out: 0,
            until: None,
        }
    }

    /// Takes what was heard of the next session.
    pub fn take(&mut self, heard: Heard) {
        self.until = self.until.max(heard.ended());
        match heard.0 {
            Kept::Attempt(attempt) => self.take_attempt(*attempt),
            Kept::Managed(managed) => self.take_session(*managed),
            Kept::Notice(notice) => self.take_notice(*notice),
        }
    }

    fn take_notice(&mut self, notice: Notice) {
        let known = match (&notice.device, notice.to) {
            (Some(device), _) => self.by_identity.get(device).copied(),
            (None, Some(to)) => self.by_address.get(&to).copied().flatten(),
            (None, None) => None,
        };
        let Some(at) = self.place(known) else { return };
        self.by_identity.extend(notice.device.clone().map(|device| (device, at)));
        if let Some(to) = notice.to {
            self.is_at(to, at);
        }
        if let Some(device) = self.devices.get_mut(at).filter(|device| device.notices.len() < SESSIONS) {
            device.notices.push(notice);
        }
    }

    /// Notes that a device has an address.
    fn is_at(&mut self, address: IpAddr, device: usize) {
        let known = self.by_address.entry(address).or_insert(Some(device));
        *known = known.filter(|known| *known == device);
    }

    fn take_attempt(&mut self, attempt: Attempt) {
        let bare = attempt.device.as_deref().and_then(bare);
        let known = bare.as_ref().and_then(|bare| self.by_bare.get(bare).copied());
        let known = known.or_else(|| self.devices.iter().position(|device| device.is_of_attempt(&attempt)));
        let Some(at) = self.place(known) else { return };
        self.by_bare.extend(bare.map(|bare| (bare, at)));
        if let Some(device) = self.devices.get_mut(at) {
            device.attempts.push(attempt);
        }
    }

    fn take_session(&mut self, session: Managed) {
        let bare = session.device.as_deref().and_then(bare);
        let peers: Peers = (session.client, session.server.clone());
        let known = match &session.device {
            Some(device) => self.by_identity.get(device).or_else(|| self.by_bare.get(bare.as_ref()?)).copied(),
            None => self.by_peers.get(&peers).copied(),
        };
        let just_enrolled = |device: &Device| {
            device.sessions.is_empty() && device.attempts.iter().any(|attempt| follows(attempt, &session))
        };
        let known = known.or_else(|| self.devices.iter().position(just_enrolled));
        let Some(at) = self.place(known) else { return };
        self.by_bare.extend(bare.map(|bare| (bare, at)));
        self.by_identity.extend(session.device.clone().map(|device| (device, at)));
        if let Some(client) = session.client {
            self.is_at(client, at);
        }
        self.by_peers.entry(peers).or_insert(at);
        let Some(device) = self.devices.get_mut(at) else { return };
        match device.sessions.len() < SESSIONS {
            true => device.sessions.push(session),
            false => device.left_out += 1,
        }
    }

    /// The place of a device: one that is known, or a new one where there is room.
    fn place(&mut self, known: Option<usize>) -> Option<usize> {
        if known.is_none() && self.devices.len() >= self.most {
            self.left_out += 1;
            return None;
        }
        Some(known.unwrap_or_else(|| {
            self.devices.push(Device::default());
            self.devices.len() - 1
        }))
    }

    /// The stories, in the order they began.
    pub fn tell(self, findings: &[Finding], seen: Seen<'_>) -> Vec<Story> {
        let seen = Seen { until: self.until.max(seen.until), ..seen };
        let devices = self.devices.into_iter();
        let mut stories: Vec<Story> = devices.map(|device| device.tell(findings, seen)).collect();
        if stories.is_empty() {
            stories.extend(seen.alone());
        }
        stories.sort_by_key(|story| story.from);
        if let Some(last) = stories.last_mut().filter(|_| self.left_out > 0) {
            last.not_shown.push(format!("{} sessions of further devices are not told", self.left_out));
        }
        stories
    }
}

/// What is the same in all forms in which an identity is written: `urn:uuid:{1-A}` and `1a`.
fn bare(id: &str) -> Option<String> {
    let id = id.rsplit(':').next().unwrap_or_default();
    let bare: String =
        id.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect();
    (!bare.is_empty()).then_some(bare)
}

impl Device {
    /// Whether a try that names no device known here is one of it all the same.
    fn is_of_attempt(&self, attempt: &Attempt) -> bool {
        let user = |attempt: &Attempt| attempt.user.as_ref().map(|user| user.to_ascii_lowercase());
        let same_user = |known: &Attempt| {
            known.client == attempt.client
                && known.input == attempt.input
                && (known.device.is_none() || attempt.device.is_none())
                && (attempt.user.is_none() || user(known) == user(attempt))
        };
        let of_session = |session: &Managed| {
            session.client == attempt.client
                && ((attempt.renews && session.client.is_some()) || follows(attempt, session))
        };
        self.attempts.iter().any(same_user) || self.sessions.iter().any(of_session)
    }

    fn tell(mut self, findings: &[Finding], seen: Seen<'_>) -> Story {
        self.sessions.sort_by_key(|session| session.from);
        self.attempts.sort_by_key(|attempt| attempt.from);
        let mut story = Story::default();
        let failed = self.attempts.iter().filter(|attempt| !attempt.provisioned && !attempt.renews).count();
        let Device { attempts, sessions, notices, left_out } = &self;
        // The last try counts; a renewal behind it does not undo it.
        let enrollment = attempts.iter().rev().find(|attempt| !attempt.renews);
        for attempt in enrollment.into_iter().chain(attempts.iter().rev().find(|attempt| attempt.renews)) {
            story.stages.extend(attempt.stages.iter().cloned());
            story.not_shown.extend(attempt.not_shown.iter().cloned());
            if story.stop.is_none() {
                story.stop = attempt.stop.clone();
            }
        }
        let all = || attempts.iter().map(|attempt| (&attempt.key, attempt.from, attempt.to));
        let managed = || sessions.iter().map(|session| (&session.key, session.from, session.to));
        let notified = || notices.iter().map(|notice| (&notice.key, notice.at, notice.at));
        let told = || all().chain(notified()).chain(managed());
        story.sessions = told().map(|(key, ..)| key.clone()).collect();
        story.from = told().filter_map(|(_, from, _)| from).min();
        story.to = told().filter_map(|(.., to)| to).max();
        story.device = sessions.iter().find_map(|session| session.device.clone());
        story.device = story.device.or_else(|| attempts.iter().rev().find_map(|attempt| attempt.device.clone()));
        story.user = attempts.iter().rev().find_map(|attempt| attempt.user.clone());
        let addr = attempts.iter().rev().find_map(|attempt| attempt.addr.clone());
        story.server = sessions.iter().find_map(|session| session.server.clone()).or(addr);
        story.server = story.server.or_else(|| notices.iter().find_map(|notice| notice.server.clone()));
        story.schedule = attempts.iter().rev().find_map(|attempt| attempt.schedule.clone());
        let tries = attempts.iter().filter(|attempt| !attempt.renews).count();
        if tries > 1 {
            story.trouble.push(format!(
                "{tries} tries to enroll, {failed} of them without a provisioning document; the last one is told"
            ));
        }
        self.after(enrollment, &mut story, findings, seen);
        if let Some(attempt) = enrollment.filter(|_| story.stop.is_none()) {
            seen.unread(attempt, &mut story);
        }
        self.notified(&mut story);
        story.trouble.extend(trouble::of(sessions, seen.until));
        if *left_out > 0 {
            story.not_shown.push(format!("{left_out} further sessions were left out"));
        }
        if enrollment.is_none() && !sessions.is_empty() {
            story.not_shown.push("the enrollment of the device is not in the capture".into());
        }
        if sessions.iter().any(|session| !session.ends) {
            let many = sessions.iter().filter(|session| !session.ends).count();
            story
                .not_shown
                .push(format!("the end of {many} session{} is not in the capture", if many == 1 { "" } else { "s" }));
        }
        story
    }

    /// The stage of the last notification, at its time among the others.
    fn notified(&self, story: &mut Story) {
        let Some(last) = self.notices.iter().max_by_key(|notice| notice.at) else { return };
        let after = |stage: &Stage| last.at.zip(stage.at).is_some_and(|(at, stage)| stage > at);
        let place = story.stages.iter().position(after).unwrap_or(story.stages.len());
        story.stages.insert(place, last.stage(self.notices.len() - 1));
        if last.is_unanswered() && story.stop.is_none() {
            story.stop = Some(last.stop());
        }
    }

    /// The stages behind the provisioning document.
    fn after(&self, enrollment: Option<&Attempt>, story: &mut Story, findings: &[Finding], seen: Seen<'_>) {
        let begun = enrollment.and_then(|attempt| attempt.to);
        let behind = |session: &&Managed| begun.zip(session.from).is_none_or(|(begun, from)| from >= begun);
        let sessions: Vec<&Managed> = self.sessions.iter().filter(behind).collect();
        let given = enrollment.is_some_and(|attempt| attempt.provisioned);
        match sessions.first() {
            Some(first) => story.stages.push(session_stage("first session", first, enrollment.is_none())),
            None if given => story.stages.push(Stage::new("first session", Outcome::NotSeen)),
            None if enrollment.is_some() => story.stages.push(Stage::new("first session", Outcome::NotReached)),
            None => {}
        }
        if sessions.len() > 1 {
            let mut stage = Stage::new("later sessions", Outcome::Done);
            stage.at = sessions.get(1).and_then(|session| session.from);
            stage.took = stage.at.zip(sessions.last().and_then(|session| session.to)).map(|(from, to)| to.since(from));
            stage.said.push(format!("{} sessions", sessions.len() - 1));
            stage.place = sessions.get(1).map(|session| session.place.clone());
            story.stages.push(stage);
        }
        if let Some(stage) = leaving::stage(&self.sessions, seen.until) {
            if stage.outcome == Outcome::Failed && story.stop.is_none() {
                let what = stage.said.last().cloned().unwrap_or_default();
                let mut stop = failure::stop("unenrollment", what, None, Vec::new());
                stop.causes = stage.said.iter().map(|said| Cause::known(said.clone())).collect();
                stop.next.push(
                    "Look at the Exec on Unenroll (rules DM-UNE) and at the account that is left on the device.".into(),
                );
                stop.place.clone_from(&stage.place);
                story.stop = Some(stop);
            }
            story.stages.push(stage);
        }
        let Some(attempt) = enrollment else { return };
        let own: Vec<&Finding> = findings
            .iter()
            .filter(|finding| finding.location.session.as_deref() == Some(attempt.key.as_str()))
            .filter(|finding| ["DM-ENR", "DM-PRV"].contains(&finding.rule.family))
            .collect();
        match &mut story.stop {
            Some(stop) => add_findings(stop, &own),
            None if sessions.is_empty() => {
                story.stop = stuck(attempt, story, &own, seen);
                let stopped = story.stop.as_ref().map(|stop| stop.stage);
                let here = story.stages.iter_mut().filter(|stage| Some(stage.name) == stopped);
                here.for_each(|stage| stage.outcome = Outcome::Failed);
            }
            None => {
                let errors = own.iter().filter(|finding| finding.severity == Severity::Error);
                story.trouble.extend(errors.map(|finding| {
                    format!("{} ({}), and the device took it all the same", finding.message, finding.rule.id)
                }));
            }
        }
    }
}

/// Whether a session is one of a device that was just enrolled.
fn follows(attempt: &Attempt, session: &Managed) -> bool {
    let host = |url: &Option<String>| url.as_deref().and_then(Address::of).map(|address| address.host);
    let pause = attempt.to.zip(session.from).map(|(to, from)| from.since(to)).unwrap_or_default();
    attempt.client == session.client
        && pause <= FIRST
        && host(&attempt.addr).is_some_and(|addr| Some(addr) == host(&session.server))
}

fn session_stage(name: &'static str, session: &Managed, earlier: bool) -> Stage {
    let mut stage = Stage::new(name, Outcome::Done);
    if earlier {
        stage.name = "first session";
        stage.said.push("the first one in the capture".into());
    }
    stage.at = session.from;
    stage.took = session.from.zip(session.to).map(|(from, to)| to.since(from));
    stage.said.push(format!("{} messages, {}", session.messages, session.outcome.name()));
    stage.place = Some(session.place.clone());
    stage
}

/// Rules that say what the stop itself says.
const TOLD_BY_STOP: [&str; 8] =
    ["DM-ENR-001", "DM-ENR-003", "DM-ENR-031", "DM-ENR-032", "DM-ENR-033", "DM-ENR-034", "DM-ENR-035", "DM-ENR-039"];

/// Adds what the rules say of the stages up to where it stopped: before what only experience says.
fn add_findings(stop: &mut Stop, findings: &[&Finding]) {
    let told =
        findings.iter().filter(|finding| !TOLD_BY_STOP.contains(&finding.rule.id) && finding.severity > Severity::Info);
    let told = told.take(CAUSES).map(|finding| of_finding(finding));
    let shown = stop.causes.iter().take_while(|cause| !cause.evidence.is_empty()).count();
    stop.causes.splice(shown..shown, told);
    stop.causes.truncate(CAUSES + 2);
}

fn of_finding(finding: &Finding) -> Cause {
    Cause::shown(&*finding.message, format!("rule {}", finding.rule.id))
}

/// The error that Windows shows when it does not take a part of the provisioning document.
fn code_of(rule: &str) -> Option<u32> {
    let number: u32 = rule.strip_prefix("DM-PRV-")?.parse().ok()?;
    Some(match number {
        1..=3 => 0x8018_0023,
        4..=10 | 31 => 0x8018_001E,
        33 => 0x8018_0024,
        25..=30 | 35 => 0x8018_0020,
        _ => 0x8018_001F,
    })
}

/// Why a device did not go on although nothing was refused: TLS to the next host failed, or it does not take what it was given.
fn stuck(attempt: &Attempt, story: &Story, findings: &[&Finding], seen: Seen<'_>) -> Option<Stop> {
    if attempt.renews {
        return None;
    }
    if let Some(stop) = seen.stop_ahead(attempt, story) {
        return Some(stop);
    }
    // What the server took from the device does not keep the device from going on.
    let stops = |finding: &&&Finding| finding.severity > Severity::Info && finding.fault != "client";
    let errors: Vec<&&Finding> = findings.iter().filter(stops).collect();
    if seen.is_closed_ahead(attempt, story) {
        return None;
    }
    if errors.is_empty() {
        return findings.iter().find(|finding| finding.rule.id == "DM-ENR-040").map(|alone| stayed_away(alone));
    }
    let pause =
        attempt.to.zip(seen.until).map(|(to, until)| until.since(to)).filter(|pause| *pause >= Duration::from_secs(5));
    let after =
        pause.map_or("the capture ends there".to_owned(), |pause| format!("{} of capture follow", duration(pause)));
    let provisioning = attempt.provisioned;
    let stage = if provisioning {
        "provisioning"
    } else {
        story.stages.iter().rev().find(|stage| stage.outcome == Outcome::Done).map_or("discovery", |stage| stage.name)
    };
    let what = match provisioning {
        true => format!(
            "the device was given a provisioning document that it may not take, and did not come for management ({after})"
        ),
        false => format!("the device did not go on after {stage} ({after})"),
    };
    let code = errors
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .find_map(|finding| code_of(finding.rule.id));
    let causes: Vec<Cause> = errors.iter().take(CAUSES).map(|finding| of_finding(finding)).collect();
    let mut stop = failure::stop(stage, what, code, causes);
    let mut fixes: Vec<String> = errors.iter().take(CAUSES).map(|finding| finding.help.to_string()).collect();
    fixes.dedup();
    fixes.append(&mut stop.next);
    stop.next = fixes;
    stop.place = errors.first().map(|finding| finding.location.clone());
    Some(stop)
}

/// A device that was given all it needs and was not seen again.
fn stayed_away(finding: &Finding) -> Stop {
    let causes = [
        "the device did not take the provisioning document, for a reason that the document does not show",
        "the device does not reach the management server",
    ];
    let causes = causes.map(Cause::known).to_vec();
    let mut stop = failure::stop("first session", &*finding.message, None, causes);
    stop.next.push("Ask the device for its error: 0x8018001E to 0x80180025 name the part of the document.".into());
    stop.place = Some(finding.location.clone());
    stop
}

/// The time of day in seconds.
pub(super) fn clock(time: Time) -> String {
    time.to_string().get(..19).unwrap_or_default().replace('T', " ")
}

/// A duration for people: `0.4 s`, `12 s`, `3 min`, `2 h 5 min`.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..100 => format!("{seconds} s"),
        100..5400 => format!("{} min", (seconds + 30) / 60),
        5400..172_800 => match (seconds / 3600, seconds % 3600 / 60) {
            (hours, 0) => format!("{hours} h"),
            (hours, minutes) => format!("{hours} h {minutes} min"),
        },
        _ => format!("{} days", seconds / 86_400),
    }
}
