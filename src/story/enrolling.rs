//! One try to enroll, or to renew: its stages, and where it stopped.

use std::net::IpAddr;

use super::{Outcome, Stage, Stop, failure};
use crate::enroll::{Address, Envelope, Step};
use crate::http::InputId;
use crate::rules::finding::Place;
use crate::rules::location::Locator;
use crate::session::{Asked, Edge, Enrollment, Session};
use crate::syncml::{Kind, Message, secret};
use crate::time::Time;

/// What is kept of a try.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) key: String,
    pub(super) input: Option<InputId>,
    pub(super) client: Option<IpAddr>,
    pub(super) device: Option<String>,
    pub(super) user: Option<String>,
    pub(super) from: Option<Time>,
    pub(super) to: Option<Time>,
    pub(super) renews: bool,
    pub(super) stages: Vec<Stage>,
    pub(super) stop: Option<Stop>,
    /// The hosts that the device has to reach, in order: stage and host.
    pub(super) hosts: Vec<(&'static str, String)>,
    /// Whether the device was given all it needs.
    pub(super) provisioned: bool,
    /// The address of the management server.
    pub(super) addr: Option<String>,
    pub(super) schedule: Option<String>,
    pub(super) not_shown: Vec<String>,
}

impl Attempt {
    /// What a session of enrollment shows.
    pub(super) fn of(session: &Session) -> Option<Attempt> {
        let enrollment = Enrollment::of(session)?;
        let mut locator = Locator::new(session, false);
        let mut attempt = Attempt::bare(session, &enrollment);
        for step in [Step::Discover, Step::SignIn, Step::Policies, Step::Token, Step::Renew] {
            attempt.stage(&enrollment, step, &mut locator);
        }
        attempt.provisioning(&enrollment, &mut locator);
        Some(attempt)
    }

    fn bare(session: &Session, enrollment: &Enrollment<'_>) -> Attempt {
        let http = session.messages.iter().find_map(|message| message.http.as_ref());
        let email = enrollment.discover().and_then(|(_, discover)| discover.email());
        let username =
            || session.messages.iter().find_map(|message| Envelope::of(&message.doc)?.security()?.username());
        let mut hosts = Vec::new();
        if let Some((_, discovered)) = enrollment.discovered() {
            let urls = [
                ("sign-in", discovered.authentication_url()),
                ("policy", discovered.policy_url()),
                ("certificate", discovered.enrollment_url()),
            ];
            hosts.extend(urls.into_iter().filter_map(|(stage, url)| Some((stage, Address::of(url?)?.host))));
        }
        let account = enrollment.provisioning().and_then(|(_, document)| document.application());
        let addr = account.and_then(|account| account.addr()?.value()).map(str::to_owned);
        hosts.extend(addr.as_deref().and_then(Address::of).map(|address| ("first session", address.host)));
        let schedule = enrollment.provisioning().and_then(|(_, document)| document.poll()).map(|poll| poll.words());
        Attempt {
            key: session.key(),
            input: session.messages.first().map(|message| message.input),
            client: http.and_then(|http| http.connection.client).map(|client| client.ip()),
            device: session.device.clone(),
            user: email.or_else(username).map(str::to_owned),
            from: session.started(),
            to: session.ended(),
            renews: enrollment.renews(),
            stages: Vec::new(),
            stop: None,
            hosts,
            provisioned: enrollment.provisioning().is_some(),
            addr,
            schedule,
            not_shown: Vec::new(),
        }
    }

    /// Adds the stage of a step, when the device took it or should have.
    fn stage(&mut self, enrollment: &Enrollment<'_>, step: Step, locator: &mut Locator<'_>) {
        let belongs = |asked: &&Asked| asked.step == step || (step == Step::Discover && asked.step < Step::Discover);
        let exchanges: Vec<&Asked> = enrollment.exchanges.iter().filter(belongs).collect();
        let expected = !self.renews && matches!(step, Step::Discover | Step::Policies | Step::Token);
        let no_service = step == Step::Policies
            && enrollment.discovered().is_some_and(|(_, discovered)| discovered.policy_url().is_none());
        let Some(first) = exchanges.first() else {
            if expected && !no_service {
                let later = enrollment.exchanges.iter().any(|asked| asked.step > step && asked.step != Step::Tunnel);
                let alone = enrollment.session.messages.iter().all(|message| message.kind == Kind::Provisioning);
                let outcome =
                    if later || alone || enrollment.session.sealed { Outcome::NotSeen } else { Outcome::NotReached };
                self.stages.push(Stage::new(step.name(), outcome));
            }
            return;
        };
        let message = |index: Option<usize>| enrollment.message(index);
        let mut stage = Stage::new(step.name(), Outcome::Done);
        stage.at = message(first.request).or_else(|| message(first.response)).and_then(|message| message.first);
        let last = exchanges.last().unwrap_or(first);
        let end = message(last.response).or_else(|| message(last.request)).and_then(|message| message.last);
        stage.took = stage.at.zip(end).map(|(from, to)| to.since(from));
        stage.said = said(enrollment, step);
        // An earlier exchange of the stage may have failed and been made good: the last one counts, and a probe that failed.
        let failed = exchanges.iter().rev().find_map(|asked| Some((**asked, failure::of(enrollment, asked)?)));
        let good = |asked: &&&Asked| {
            failure::of(enrollment, asked).is_none() && asked.response.is_some() && asked.step >= step
        };
        let made_good = exchanges.last().filter(good).is_some();
        let index = last.response.or(last.request).unwrap_or_default();
        stage.place = Some(locator.location(Place::Message(index)));
        match failed.filter(|_| !made_good) {
            Some((asked, mut stop)) => {
                stage.outcome = Outcome::Failed;
                let at = asked.response.or(asked.request).unwrap_or_default();
                stop.place = Some(locator.location(Place::Message(at)));
                stage.place.clone_from(&stop.place);
                self.stop.get_or_insert(stop);
            }
            None if message(last.response).is_none() || message(last.response).is_some_and(is_unseen) => {
                stage.outcome = Outcome::NotSeen;
                self.not_shown.push(format!("the answer to the {} request was not captured", step.name()));
            }
            None => {}
        }
        self.stages.push(stage);
    }

    fn provisioning(&mut self, enrollment: &Enrollment<'_>, locator: &mut Locator<'_>) {
        if self.stop.is_some() {
            if !self.renews {
                self.stages.push(Stage::new("provisioning", Outcome::NotReached));
            }
            return;
        }
        let Some((index, document)) = enrollment.provisioning() else {
            if !self.renews {
                let not_seen = enrollment.session.end != Edge::Seen || enrollment.of_step(Step::Token).next().is_some();
                self.stages
                    .push(Stage::new("provisioning", if not_seen { Outcome::NotSeen } else { Outcome::NotReached }));
            }
            return;
        };
        let mut stage = Stage::new("provisioning", Outcome::Done);
        stage.at = enrollment.message(Some(index)).and_then(|message| message.last);
        stage.place = Some(locator.location(Place::Message(index)));
        let certificates = document.certificates().count();
        stage.said.push(format!("{certificates} certificate{}", if certificates == 1 { "" } else { "s" }));
        if let Some(account) = document.application() {
            stage.said.extend(account.provider_id().map(|id| format!("PROVIDER-ID {id}")));
            stage.said.extend(
                account.addr().and_then(|addr| addr.value()).map(|addr| format!("server {}", secret::url(addr))),
            );
        }
        self.stages.push(stage);
    }
}

fn is_unseen(message: &Message) -> bool {
    message.judged().is_err()
}

/// What is worth knowing of a step that was taken.
fn said(enrollment: &Enrollment<'_>, step: Step) -> Vec<String> {
    let mut said = Vec::new();
    match step {
        Step::Discover => {
            let asked = enrollment.exchanges.iter().find(|asked| asked.step <= Step::Discover);
            let http =
                asked.and_then(|asked| enrollment.message(asked.request)).and_then(|message| message.http.as_ref());
            let host = http.and_then(|http| http.request_head()).map(|head| Address::of_request(head).host);
            said.extend(host.filter(|host| !host.is_empty()));
            if let Some((_, discover)) = enrollment.discover() {
                said.extend(discover.request_version().map(|version| format!("RequestVersion {version}")));
            }
            if let Some((_, discovered)) = enrollment.discovered() {
                said.extend(discovered.auth_policy().map(|policy| format!("AuthPolicy {policy}")));
            }
        }
        Step::Policies => {
            let policy = enrollment.policies().and_then(|(_, policies)| policies.policies().next());
            said.extend(policy.and_then(|policy| policy.key_bits()).map(|bits| format!("keys of {bits} bits or more")));
        }
        Step::Token | Step::Renew => {
            if let Some((_, request)) = enrollment.token_request() {
                said.extend(request.context("DeviceName").map(|name| format!("device {name}")));
                said.extend(request.context("EnrollmentType").map(|kind| format!("enrollment type {kind}")));
            }
        }
        _ => {}
    }
    said
}
