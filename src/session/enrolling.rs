//! What tells whether a message of enrollment belongs to an enrollment that goes on.
//!
//! Windows gives its SOAP messages constant MessageIDs, so they tell nothing. What tells: the connection, the client's
//! address, the user and the device that messages name, the addresses that discovery gave, the order of the steps, and
//! the time.

use std::net::IpAddr;
use std::time::Duration;

use super::device_key;
use crate::enroll::discovery::{Discover, DiscoverResponse};
use crate::enroll::token::TokenRequest;
use crate::enroll::{Address, Envelope, Step, soap};
use crate::http::InputId;
use crate::syncml::{Kind, Message, Side};
use crate::time::Time;

/// Addresses of services that are kept of one enrollment.
const ADDRESSES: usize = 16;
/// Connections that are kept of one enrollment.
const CONNECTIONS: usize = 32;
/// A discovery so long after the last message begins anew.
const ANEW: Duration = Duration::from_secs(300);
/// Nothing so long after the last message belongs to it: a user may take an hour to sign in.
const OVER: Duration = Duration::from_secs(3600);

/// What an enrollment can be found by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Clue {
    /// The client's address.
    Client(IpAddr),
    /// The input, for messages without addresses.
    Input(InputId),
    /// The user, lower case.
    User(String),
    /// The device, as [`device_key`] has it.
    Device(String),
}

/// What a message says of who enrolls.
#[derive(Clone, Debug, Default)]
pub(super) struct Enroller {
    pub(super) user: Option<String>,
    pub(super) device: Option<String>,
}

impl Enroller {
    pub(super) fn of(message: &Message) -> Enroller {
        let Some(envelope) = Envelope::of(&message.doc) else { return Enroller::default() };
        let lower = |value: &str| value.to_ascii_lowercase();
        let content = envelope.content();
        let email =
            content.filter(|content| soap::is(*content, "Discover")).and_then(|content| Discover(content).email());
        let user = email.or_else(|| envelope.security()?.username()).filter(|user| user.contains('@'));
        let asks = content.filter(|content| soap::is(*content, "RequestSecurityToken"));
        let device = asks.and_then(|content| TokenRequest(content).context("DeviceID"));
        Enroller { user: user.map(lower), device: device.map(device_key) }
    }
}

/// What an enrollment can be found by that a message belongs to.
pub(super) fn clues(message: &Message) -> Vec<Clue> {
    let Enroller { user, device } = Enroller::of(message);
    let client = message.http.as_ref().and_then(|http| http.connection.client);
    let place = client.map_or(Clue::Input(message.input), |client| Clue::Client(client.ip()));
    [device.map(Clue::Device), user.map(Clue::User), Some(place)].into_iter().flatten().collect()
}

/// See the module's head.
#[derive(Clone, Debug, Default)]
pub(super) struct Enrolling {
    who: Enroller,
    /// The furthest step so far.
    reached: Option<Step>,
    /// The services that discovery named, and where redirections led.
    services: Vec<(Address, Step)>,
    connections: Vec<(InputId, u32)>,
    clues: Vec<Clue>,
    last: Option<Time>,
    /// Whether the last step was answered, well or not.
    pub(super) answered: bool,
}

impl Enrolling {
    /// All that it can be found by.
    pub(super) fn clues(&self) -> &[Clue] {
        &self.clues
    }

    /// The device that enrolls.
    pub(super) fn device(&self) -> Option<&str> {
        self.who.device.as_deref()
    }

    /// The step that a request belongs to by the address it goes to.
    pub(super) fn step_at(&self, message: &Message) -> Option<Step> {
        let address = Address::of_request(message.http.as_ref()?.request_head()?);
        self.services.iter().find(|(known, _)| known.is_at(&address)).map(|(_, step)| *step)
    }

    /// How well a request fits; `None` when it cannot belong.
    pub(super) fn fits(&self, message: &Message) -> Option<u32> {
        let who = Enroller::of(message);
        let differ = |a: &Option<String>, b: &Option<String>| a.is_some() && b.is_some() && a != b;
        if differ(&who.user, &self.who.user) || differ(&who.device, &self.who.device) {
            return None;
        }
        let step = Step::of(message).or_else(|| self.step_at(message))?;
        let pause = self.last.zip(message.first).map(|(last, now)| now.since(last)).unwrap_or_default();
        let anew = match step {
            Step::Tunnel | Step::Probe | Step::Discover => {
                self.reached.is_some_and(|reached| reached > Step::Discover) || pause >= ANEW
            }
            Step::SignIn | Step::Policies => self.reached.is_some_and(|reached| reached > Step::Policies),
            Step::Token => self.reached == Some(Step::Renew) || (self.answered && self.reached == Some(Step::Token)),
            Step::Renew => self.reached.is_some_and(|reached| reached != Step::Renew && reached != Step::Policies),
        };
        if anew || pause >= OVER {
            return None;
        }
        let road = message.http.as_ref().map(|http| (message.input, http.connection.number));
        let same_road = road.is_some_and(|road| self.connections.contains(&road));
        let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
        let known = same(&who.device, &self.who.device) || same(&who.user, &self.who.user);
        // Of several devices behind one address, the one whose turn it is.
        let next = self.reached.is_none_or(|reached| reached <= step);
        Some(1 + 8 * u32::from(same_road) + 4 * u32::from(known) + 2 * u32::from(next))
    }

    /// Takes what a message says.
    pub(super) fn learn(&mut self, message: &Message) {
        self.last = self.last.max(message.last.or(message.first));
        let who = Enroller::of(message);
        self.who.user = self.who.user.take().or(who.user);
        self.who.device = self.who.device.take().or(who.device);
        for clue in clues(message) {
            if self.clues.len() < CONNECTIONS && !self.clues.contains(&clue) {
                self.clues.push(clue);
            }
        }
        let road = message.http.as_ref().map(|http| (message.input, http.connection.number));
        if let Some(road) = road.filter(|road| self.connections.len() < CONNECTIONS && !self.connections.contains(road))
        {
            self.connections.push(road);
        }
        let step = Step::of(message).or_else(|| self.step_at(message));
        match message.side {
            Some(Side::Server) => {
                self.redirected(message, step);
                self.discovered(message);
                self.answered |= message.kind != Kind::Missing;
            }
            _ => {
                self.reached = self.reached.max(step);
                self.answered = false;
            }
        }
    }

    fn discovered(&mut self, message: &Message) {
        let content = Envelope::of(&message.doc).and_then(Envelope::content);
        let Some(response) = content.filter(|content| soap::is(*content, "DiscoverResponse")) else { return };
        let response = DiscoverResponse(response);
        let urls = [
            (response.authentication_url(), Step::SignIn),
            (response.policy_url(), Step::Policies),
            (response.enrollment_url(), Step::Token),
        ];
        for (url, step) in urls {
            self.serve(url, step);
        }
    }

    fn redirected(&mut self, message: &Message, step: Option<Step>) {
        let head = message.http.as_ref().map(|http| &http.head).filter(|head| (300..400).contains(&head.status));
        let to = head.and_then(|head| head.header("location"));
        if let Some(step) = step {
            self.serve(to, step);
        }
    }

    fn serve(&mut self, url: Option<&str>, step: Step) {
        if let Some(address) = url.and_then(Address::of)
            && self.services.len() < ADDRESSES
        {
            self.services.push((address, step));
        }
    }
}

/// Who sent a document of enrollment, by its content.
pub(super) fn role(message: &Message) -> Option<Side> {
    if message.kind == Kind::Provisioning {
        return Some(Side::Server);
    }
    let content = Envelope::of(&message.doc)?.content()?;
    let asks = ["Discover", "GetPolicies", "RequestSecurityToken"].iter().any(|name| soap::is(content, name));
    Some(if asks { Side::Client } else { Side::Server })
}
