//! What connections tell that brought no messages: hosts that were not reached, handshakes that failed, traffic that stays closed.

use super::enrolling::Attempt;
use super::{Cause, Outcome, Stage, Stop, Story, failure};
use crate::enroll::step::is_enrollment_host;
use crate::escape;
use crate::http::Encrypted;
use crate::reach::{Unreached, Why};
use crate::rules::{Location, location};
use crate::time::Time;
use crate::tls::{self, Sealed};

/// What a recording shows besides messages.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen<'a> {
    /// Connections that could not be decrypted.
    pub encrypted: &'a [Encrypted],
    /// Hosts that were not reached.
    pub unreached: &'a [Unreached],
    /// The end of the recording, where it is known.
    pub until: Option<Time>,
}

impl<'a> Seen<'a> {
    /// Why a device does not go on: TLS to a host that it has to go to failed, or it does not reach it.
    pub(super) fn stop_ahead(self, attempt: &Attempt, story: &Story) -> Option<Stop> {
        let failed = |host: &str| {
            let failed = self.to(host).find(|one| one.facts().sealed == Some(Sealed::Failed));
            let unreached = || self.unreached.iter().find(|one| one.host.eq_ignore_ascii_case(host));
            failed.map(Contact::Failed).or_else(|| unreached().map(Contact::Unreached))
        };
        let mut ahead = ahead(attempt, story);
        ahead.find_map(|(stage, host)| Some(failed(host)?.stop(stage)))
    }

    /// Whether the device went on to where nothing can be read.
    pub(super) fn is_closed_ahead(self, attempt: &Attempt, story: &Story) -> bool {
        ahead(attempt, story).any(|(_, host)| self.to(host).next().is_some())
    }

    /// Says which hosts of the enrollment could not be read: what is missing may have happened there.
    pub(super) fn unread(self, attempt: &Attempt, story: &mut Story) {
        let concerns = |host: &String| is_enrollment_host(host) || attempt.hosts.iter().any(|(_, known)| known == host);
        for one in self.encrypted.iter().filter(|one| one.facts().sealed != Some(Sealed::Failed)) {
            let Some(host) = one.host().filter(concerns) else { continue };
            let many = match one.connections {
                1 => "a connection".to_owned(),
                many => format!("{many} connections"),
            };
            story.not_shown.push(format!("{many} to {} could not be decrypted", escape::line(&host)));
            let missing = story.stages.iter_mut().filter(|stage| stage.outcome == Outcome::NotReached);
            missing.for_each(|stage| stage.outcome = Outcome::NotSeen);
        }
    }

    /// The story of a recording of which no message could be read.
    pub(super) fn alone(self) -> Option<Story> {
        let of_enrollment = |one: &&Encrypted| one.host().is_some_and(|host| is_enrollment_host(&host));
        let failed = |one: &&Encrypted| one.facts().sealed == Some(Sealed::Failed);
        let unreached = self.unreached.iter().find(|one| is_enrollment_host(&one.host)).map(Contact::Unreached);
        let first = || self.encrypted.iter().find(|one| of_enrollment(one) && failed(one));
        let first = || first().or_else(|| self.encrypted.iter().find(failed)).map(Contact::Failed);
        if let Some(contact) = unreached.or_else(first) {
            let stop = contact.stop("discovery");
            let (from, to) = (contact.at(), self.until);
            let stages =
                vec![Stage { at: from, place: stop.place.clone(), ..Stage::new("discovery", Outcome::Failed) }];
            return Some(Story { server: contact.host(), from, to, stages, stop: Some(stop), ..Story::default() });
        }
        let one = self.encrypted.iter().find(of_enrollment)?;
        let host = one.host()?;
        let closed =
            format!("the connections to {} are encrypted: give the key log with --keylog", escape::line(&host));
        let stages = vec![Stage::new("discovery", Outcome::NotSeen)];
        Some(Story { server: Some(host), stages, not_shown: vec![closed], ..Story::default() })
    }

    fn to(self, host: &str) -> impl Iterator<Item = &'a Encrypted> {
        self.encrypted.iter().filter(move |one| one.host().as_deref() == Some(host))
    }
}

/// The hosts that the device has to go to, from the first stage on that it has not gone through.
fn ahead<'a>(attempt: &'a Attempt, story: &Story) -> impl Iterator<Item = (&'static str, &'a str)> {
    let next = story.stages.iter().find(|stage| matches!(stage.outcome, Outcome::NotReached | Outcome::NotSeen));
    let from = position(next.map_or("first session", |stage| stage.name));
    let hosts = attempt.hosts.iter().filter(move |(stage, _)| position(stage) >= from);
    hosts.map(|(stage, host)| (*stage, host.as_str()))
}

fn position(stage: &str) -> usize {
    let order = ["discovery", "sign-in", "policy", "certificate", "provisioning", "first session"];
    order.iter().position(|known| *known == stage).unwrap_or(order.len())
}

/// A host with which no word was exchanged.
#[derive(Clone, Copy)]
enum Contact<'a> {
    /// Its TLS handshakes failed.
    Failed(&'a Encrypted),
    /// It was not reached.
    Unreached(&'a Unreached),
}

impl Contact<'_> {
    fn host(self) -> Option<String> {
        match self {
            Contact::Failed(encrypted) => encrypted.host(),
            Contact::Unreached(unreached) => Some(unreached.host.clone()),
        }
    }

    fn at(self) -> Option<Time> {
        match self {
            Contact::Failed(_) => None,
            Contact::Unreached(unreached) => unreached.at,
        }
    }

    fn stop(self, stage: &'static str) -> Stop {
        match self {
            Contact::Failed(encrypted) => tls_stop(stage, encrypted),
            Contact::Unreached(unreached) => unreached_stop(stage, unreached),
        }
    }
}

/// A handshake that failed.
fn tls_stop(stage: &'static str, failed: &Encrypted) -> Stop {
    let host = escape::line(&failed.host().unwrap_or_default()).into_owned();
    let times = if failed.connections > 1 { format!(", {} times", failed.connections) } else { String::new() };
    let what = format!("TLS to {host} failed{times}");
    let place = Some(location::of_connection(failed));
    let Some(failure) = failed.facts().failure() else {
        return Stop { place, ..failure::stop(stage, what, Some(0x8018_0010), Vec::new()) };
    };
    let code = match failure.cause {
        tls::Cause::Expired | tls::Cause::NotYetValid if stage == "discovery" => 0x8018_000D,
        tls::Cause::Expired
        | tls::Cause::NotYetValid
        | tls::Cause::WrongName
        | tls::Cause::Untrusted
        | tls::Cause::Revoked
        | tls::Cause::Refused
        | tls::Cause::Inspected => 0x8018_0012,
        _ => 0x8018_0010,
    };
    let remedy = failure.remedy().to_owned();
    let cause = Cause { text: failure.text, evidence: failure.evidence };
    let mut stop = failure::stop(stage, what, Some(code), vec![cause]);
    stop.next.insert(0, remedy);
    Stop { place, ..stop }
}

/// A host that was not reached. The codes are those of WinINet (12007, 12029, 12002).
fn unreached_stop(stage: &'static str, unreached: &Unreached) -> Stop {
    let host = escape::line(&unreached.host);
    let (what, code) = match &unreached.why {
        Why::NoSuchName => (format!("DNS has no address for {host}"), 0x8007_2EE7),
        Why::DnsFailed(code) => (format!("DNS failed for {host}: {code}"), 0x8007_2EE7),
        Why::DnsSilent => (format!("the DNS server did not answer for {host}"), 0x8007_2EE7),
        Why::Refused => (format!("{host} refused the connection"), 0x8007_2EFD),
        Why::Silent => (format!("{host} did not answer the connection"), 0x8007_2EE2),
    };
    let times = if unreached.times == 1 { "once".to_owned() } else { format!("{} times", unreached.times) };
    let evidence = format!("{} asked {} {times}", unreached.client, unreached.asked);
    let mut stop = failure::stop(stage, what, Some(code), Vec::new());
    if let Some(first) = stop.causes.first_mut() {
        first.evidence.push(evidence);
    }
    let (input, frame, time) = (Some(unreached.input), unreached.frame, unreached.at);
    Stop { place: Some(Location { input, frame, time, ..Location::default() }), ..stop }
}
