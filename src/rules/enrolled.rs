//! What is remembered of an enrollment, for the sessions of the device that follow it.
//!
//! In: a session of [`Flavor::Enrollment`](crate::session::Flavor). Out: a small record, in which secrets are hidden; nothing for an
//! enrollment that did not come to its provisioning document.

use std::borrow::Cow;

use super::history::Earlier;
use super::security::server_chains;
use crate::credentials::{Credentials, Entry, Origin, Secret, octets};
use crate::enroll::provisioning::{Application, Store};
use crate::enroll::token::{Binary, Content};
use crate::enroll::{Envelope, Provisioning};
use crate::session::{Enrollment, Session};
use crate::syncml::secret::MASK;
use crate::syncml::{Side, uri};
use crate::x509::Certificate;

/// Authorities that are remembered of one enrollment.
const AUTHORITIES: usize = 32;

/// See the module's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Enrolled {
    /// `PROVIDER-ID` of the account.
    pub(super) provider: Option<Box<str>>,
    /// The host of the management server, in lower case.
    pub(super) host: Option<Box<str>>,
    /// Whether it set up push.
    pub(super) pushes: bool,
    /// What showed that the user or the device proved itself by a token of Entra.
    pub(super) entra: Option<&'static str>,
    /// Whom the device trusts since: the authorities of its document, and those of the servers that it enrolled with.
    /// `None` where the document cannot be seen.
    pub(super) trusted: Option<Box<[Box<str>]>>,
    /// Whether its certificate shall be renewed without a user (ROBOSupport).
    pub(super) renews_itself: bool,
    /// Whether the document gives the device an id in the enterprise (EntDMID).
    pub(super) has_id: bool,
    /// By what device and server prove themselves to each other; their ids are in the sessions.
    accounts: Box<[Entry]>,
}

impl Enrolled {
    /// What to remember of a session.
    pub(super) fn of(session: &Session) -> Option<Box<Enrolled>> {
        let enrollment = Enrollment::of(session).filter(|enrollment| !enrollment.renews())?;
        // An export without secrets has no document: that the device was enrolled still shows.
        let document = enrollment.provisioning().map(|(_, document)| document);
        if document.is_none() && enrollment.token_response().is_none() {
            return None;
        }
        let account = document.and_then(|document| document.application());
        let host = account.and_then(|account| uri::host(account.addr()?.value()?)).map(str::to_ascii_lowercase);
        let provider = account.and_then(|account| account.provider_id());
        let providers = || document.into_iter().flat_map(|document| document.providers());
        let pushes = providers().filter_map(|provider| provider.child("Push")).any(|push| push.value("PFN").is_some());
        let robo = document.and_then(|document| document.renew()?.value("ROBOSupport"));
        Some(Box::new(Enrolled {
            provider: provider.map(Into::into),
            host: host.map(Into::into),
            pushes,
            entra: entra(&enrollment),
            trusted: document.map(|document| trusted(session, document)),
            renews_itself: robo.is_some_and(|robo| robo.trim().eq_ignore_ascii_case("true") || robo.trim() == "1"),
            accounts: account.map(accounts).unwrap_or_default(),
            has_id: providers().any(|provider| provider.value("EntDMID").is_some_and(|id| !id.is_empty())),
        }))
    }

    /// Whether it made the account of a session's server, as far as it tells.
    pub(super) fn is_with(&self, session: &Session) -> bool {
        let host = session.server.as_deref().and_then(uri::host);
        self.host.as_deref().is_none_or(|own| host.is_none_or(|host| host.eq_ignore_ascii_case(own)))
    }
}

/// The credentials that a session may be judged by: those that the user gave, and those of the device's enrollment.
pub(super) fn credentials<'c>(session: &Session, earlier: &Earlier, given: &'c Credentials) -> Cow<'c, Credentials> {
    let enrolled =
        earlier.iter().filter_map(|past| past.enrolled.as_deref()).find(|enrolled| enrolled.is_with(session));
    let accounts = enrolled.map_or(&[][..], |enrolled| &enrolled.accounts);
    let own = accounts.iter().filter_map(|account| {
        let id = match account.side {
            Side::Client => session.device.as_ref(),
            Side::Server => session.server.as_ref(),
        };
        Some(Entry { id: id?.clone(), ..account.clone() })
    });
    if accounts.is_empty() { Cow::Borrowed(given) } else { Cow::Owned(given.with(own)) }
}

/// The credentials of an account. Without a user's name it is not known what digests are made of.
fn accounts(account: Application<'_>) -> Box<[Entry]> {
    let entry = |(side, level): (Side, &str)| {
        let block = account.auth(level)?;
        let told = |name: &str| block.value(name).filter(|value| !value.is_empty() && *value != MASK);
        Some(Entry {
            origin: Origin::Enrollment,
            side,
            id: String::new(),
            user: told("AAUTHNAME")?.to_owned(),
            secret: Secret::new(told("AAUTHSECRET")?.to_owned()),
            nonce: told("AAUTHDATA").and_then(octets).map(Secret::new),
        })
    };
    [(Side::Client, "APPSRV"), (Side::Server, "CLIENT")].into_iter().filter_map(entry).collect()
}

/// The names of the authorities that a device trusts after an enrollment.
fn trusted(session: &Session, document: Provisioning<'_>) -> Box<[Box<str>]> {
    let authorities = document
        .certificates()
        .filter(|one| one.store != Store::My)
        .filter_map(|one| Certificate::read(&one.der()?).subject);
    let seen = server_chains(session).into_iter().flatten().filter_map(|shown| shown.issuer);
    authorities.chain(seen).take(AUTHORITIES).map(|name| name.to_string().into()).collect()
}

/// What shows that an enrollment was made with a token of Entra.
fn entra(enrollment: &Enrollment<'_>) -> Option<&'static str> {
    let (index, request) = enrollment.token_request()?;
    let envelope = Envelope::of(&enrollment.session.messages.get(index)?.doc)?;
    let token = envelope.security().and_then(|security| security.binary())?;
    if is_jwt(token) {
        return Some("its enrollment had a JSON web token");
    }
    let of_device = request.context("EnrollmentType").is_some_and(|kind| kind.eq_ignore_ascii_case("Device"));
    (of_device && token.content() == Content::UserToken)
        .then_some("it was enrolled as a device, with a federated token")
}

/// A JSON web token begins with a brace, in base64.
fn is_jwt(token: Binary<'_>) -> bool {
    token.content() == Content::Jwt
        || (token.content() == Content::UserToken && token.decoded().is_some_and(|bytes| bytes.starts_with(b"eyJ")))
}
