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
use crate::enroll::{Address, Envelope, Provisioning, Step, soap};
use crate::http::{Encrypted, InputId};
use crate::syncml::read::is_syncml_type;
use crate::syncml::{Kind, Message, Side};
use crate::time::Time;
use crate::tls::Sealed;

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
    [device.map(Clue::Device), user.map(Clue::User), Some(place(message))].into_iter().flatten().collect()
}

/// Where a message comes from, or goes to.
pub(super) fn place(message: &Message) -> Clue {
    let client = message.http.as_ref().and_then(|http| http.connection.client);
    client.map_or(Clue::Input(message.input), |client| Clue::Client(client.ip()))
}

/// Whether a device that was enrolled came for management.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Coming {
    /// Nothing was seen of it.
    #[default]
    NotSeen,
    /// It did, or something did that may be it.
    At(Option<Time>),
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
    /// The address of the management server that the device was given.
    manages: Option<Address>,
    coming: Coming,
    /// Whether a connection that could not be decrypted may have held a part of it.
    pub(super) sealed: bool,
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

    /// Whether the device has to come for management, and was not seen so far.
    pub(super) fn awaits(&self) -> bool {
        self.manages.is_some() && self.coming == Coming::NotSeen
    }

    /// Takes note of a message from where the device is: of what may be its first session.
    pub(super) fn meet(&mut self, message: &Message) {
        let Some(manages) = self.manages.as_ref().filter(|_| self.coming == Coming::NotSeen) else { return };
        let manages_it = || {
            let address = Address::of_request(message.http.as_ref()?.request_head()?);
            Some(address.is_at(manages))
        };
        let speaks = matches!(message.kind, Kind::SyncMl | Kind::Fragment | Kind::Missing);
        if speaks || is_syncml_type(&message.media_type()) || manages_it() == Some(true) {
            self.coming = Coming::At(message.first);
        }
    }

    /// Takes note of a connection from where the device is that could not be decrypted: it may be its first session, or hold a
    /// step of the enrollment.
    pub(super) fn meet_sealed(&mut self, encrypted: &Encrypted) {
        let may_be = |address: &Address| encrypted.server_name.as_ref().is_none_or(|name| *name == address.host);
        if self.manages.as_ref().is_some_and(may_be) {
            self.stop_waiting();
        }
        // What is read late may name the services later.
        let serves = self.services.is_empty() || self.services.iter().any(|(service, _)| may_be(service));
        self.sealed |= serves && encrypted.facts().sealed != Some(Sealed::Failed);
    }

    /// Gives up: whether the device came will not be known.
    pub(super) fn stop_waiting(&mut self) {
        if self.awaits() {
            self.coming = Coming::At(self.last);
        }
    }

    /// Until when the recording shows that the device did not come; `until` when it never did.
    pub(super) fn watched_until(&self, until: Option<Time>) -> Option<Time> {
        match self.coming {
            Coming::NotSeen => until,
            Coming::At(time) => time,
        }
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
        // A connection of which something is missing is read late: what it holds was sent before.
        let late = message.first.zip(self.last).is_some_and(|(sent, last)| sent < last);
        let anew = match step {
            Step::Tunnel | Step::Probe | Step::Discover => {
                (self.reached.is_some_and(|reached| reached > Step::Discover) && !late) || pause >= ANEW
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
                self.provisioned(message);
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

    fn provisioned(&mut self, message: &Message) {
        let account = Provisioning::of(&message.doc).and_then(Provisioning::application);
        let addr = account.and_then(|account| account.addr()?.value());
        self.manages = self.manages.take().or(addr.and_then(Address::of));
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

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use super::*;
    use crate::http::{self, Body, Connection, Event, Half, Head};
    use crate::limits::Limits;
    use crate::origin::Origin;
    use crate::session::Assembler;
    use crate::transcript::Document;

    const HOUR: i64 = 3_600_000_000_000;

    fn document(text: &str, at: i64) -> Message {
        let body = Body::whole(text.as_bytes(), Origin::file(0));
        let document = Document { body, side: None, at: Some(Time(at)), position: None };
        Message { side: Some(Side::Server), ..Message::from_document(document, InputId(0), &Limits::default()) }
    }

    fn connection(number: u32) -> Connection {
        let client = SocketAddr::from(([10, 0, (number >> 8) as u8, number as u8], 50_000));
        let server = Some(SocketAddr::from(([192, 0, 2, 1], 443)));
        Connection {
            input: InputId(0),
            number,
            client: Some(client),
            server,
            tls: None,
            handshake: None,
            from_start: true,
        }
    }

    fn sealed(host: Option<&str>) -> Encrypted {
        let (connection, server_name) = (Arc::new(connection(1)), host.map(str::to_owned));
        Encrypted { connection, server_name, origin: Origin::default(), connections: 1 }
    }

    fn enrolled() -> Enrolling {
        let mut enrolling = Enrolling::default();
        let account = "<wap-provisioningdoc><characteristic type='APPLICATION'><parm name='APPID' value='w7'/>\
            <parm name='ADDR' value='https://m.test/manage'/></characteristic></wap-provisioningdoc>";
        enrolling.learn(&document(account, HOUR));
        enrolling
    }

    #[test]
    fn a_device_comes_by_a_message_or_by_what_may_be_one() {
        let last = Some(Time(9 * HOUR));
        let until = |coming: &dyn Fn(&mut Enrolling)| {
            let mut enrolling = enrolled();
            coming(&mut enrolling);
            enrolling.watched_until(last)
        };
        assert_eq!(until(&|_| {}), last);
        assert_eq!(until(&|enrolling| enrolling.meet(&document("<html/>", 2 * HOUR))), last);
        assert_eq!(until(&|enrolling| enrolling.meet(&document("<SyncML/>", 2 * HOUR))), Some(Time(2 * HOUR)));
        assert_eq!(until(&|enrolling| enrolling.meet_sealed(&sealed(Some("other.test")))), last);
        assert_eq!(until(&|enrolling| enrolling.meet_sealed(&sealed(Some("m.test")))), Some(Time(HOUR)));
        assert_eq!(until(&|enrolling| enrolling.meet_sealed(&sealed(None))), Some(Time(HOUR)));
        assert!(!Enrolling::default().awaits());
    }

    #[test]
    fn what_could_not_be_decrypted_may_hold_a_step() {
        let holds = |sealed: &Encrypted, services: &[&str]| {
            let mut enrolling = Enrolling::default();
            services.iter().for_each(|url| enrolling.serve(Some(url), Step::Policies));
            enrolling.meet_sealed(sealed);
            enrolling.sealed
        };
        let services = ["https://m.test/policies"];
        assert!(holds(&sealed(Some("m.test")), &services) && holds(&sealed(None), &services));
        assert!(!holds(&sealed(Some("other.test")), &services) && holds(&sealed(Some("other.test")), &[]));
        let mut failed = sealed(None);
        let handshake = crate::tls::Handshake::default();
        handshake.set(|facts| facts.sealed = Some(Sealed::Failed));
        failed.connection = Arc::new(Connection { handshake: Some(handshake), ..connection(1) });
        assert!(!holds(&failed, &services));
    }

    /// The answer that ends an enrollment of a device of its own.
    fn ends(number: u32) -> Event {
        // <wap-provisioningdoc><characteristic type="APPLICATION"><parm name="ADDR" value="https://m.test/"/></characteristic></wap-provisioningdoc>
        let token = "PHdhcC1wcm92aXNpb25pbmdkb2M+PGNoYXJhY3RlcmlzdGljIHR5cGU9IkFQUExJQ0FUSU9OIj48cGFybSBuYW1lPSJBRERSIiB2YWx1ZT0iaHR0cHM6Ly9tLnRlc3Qv\
            Ii8+PC9jaGFyYWN0ZXJpc3RpYz48L3dhcC1wcm92aXNpb25pbmdkb2M+";
        let body = format!(
            "<Envelope><Body><RequestSecurityTokenResponse xmlns='ws-trust'><RequestedSecurityToken><BinarySecurityToken>{token}</BinarySecurityToken></RequestedSecurityToken></RequestSecurityTokenResponse></Body></Envelope>"
        );
        let at = Some(Time(i64::from(number) * HOUR));
        Event::Message(http::Message {
            connection: Arc::new(connection(number)),
            exchange: 0,
            half: Half::Response,
            head: Arc::new(Head { status: 200, ..Head::default() }),
            request: None,
            body: Body::whole(body.into_bytes(), Origin::file(0)),
            first: at,
            last: at,
            position: None,
            notes: Vec::new(),
        })
    }

    #[test]
    fn enrollments_wait_for_their_devices_but_not_all_of_them() {
        let (limits, mut closed) = (Limits::default(), Vec::new());
        let mut assembler = Assembler::new(&limits);
        for number in 0..300 {
            assembler.http(ends(number), &mut |session| closed.push(session));
        }
        let early = closed.len();
        assert!((30..50).contains(&early), "{early}");
        assert!(closed.iter().all(|session| session.watched_until == session.ended()));
        assembler.finish(&mut |session| closed.push(session));
        assert_eq!((closed.len(), assembler.is_clear()), (300, true));
        let watched = closed[early..].iter().filter(|session| session.watched_until == Some(Time(299 * HOUR)));
        assert_eq!(watched.count(), 300 - early);
    }
}
