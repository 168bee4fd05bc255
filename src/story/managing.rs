//! What is kept of a session of device management for the story of its device.

use std::hash::{BuildHasher as _, Hasher as _};
use std::net::IpAddr;

use super::leaving::{self, Goodbye};

use crate::rules::Location;
use crate::rules::finding::Place;
use crate::rules::location::Locator;
use crate::session::{Edge, Outcome, Session};
use crate::syncml::{Command, Kind, Message, Side, Tag};
use crate::time::Time;

/// Refusals of one session that are kept.
const REFUSALS: usize = 64;

/// A command that the device refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Refusal {
    pub(super) command: &'static str,
    pub(super) node: String,
    pub(super) code: u16,
}

/// See the module's head.
#[derive(Clone, Debug)]
pub(super) struct Managed {
    pub(super) key: String,
    pub(super) client: Option<IpAddr>,
    pub(super) device: Option<String>,
    pub(super) server: Option<String>,
    pub(super) from: Option<Time>,
    pub(super) to: Option<Time>,
    pub(super) messages: usize,
    pub(super) outcome: Outcome,
    pub(super) ends: bool,
    pub(super) place: Location,
    /// What the device refused, without repetitions.
    pub(super) refused: Vec<Refusal>,
    /// Nodes of commands that were accepted for later (202) and are not reported done in this session.
    pub(super) accepted: Vec<String>,
    /// Hashes of what the server asked for, one a message that asks.
    pub(super) asked: Vec<u64>,
    /// The HTTP status that stood in place of an answer.
    pub(super) http_error: Option<u16>,
    /// Whether the user had not signed in yet, as the device said.
    pub(super) no_user: bool,
    /// Whether the device's token is one of Entra.
    pub(super) entra: bool,
    pub(super) goodbye: Option<Goodbye>,
}

impl Managed {
    pub(super) fn of(session: &Session) -> Managed {
        let http = session.messages.iter().find_map(|message| message.http.as_ref());
        let head = http.and_then(|http| http.request_head());
        let bearer = head.and_then(|head| head.header("authorization")).and_then(|value| value.get(..7));
        let seen: Vec<&Message> = session.messages.iter().filter(|message| message.kind != Kind::Missing).collect();
        let mut answers = seen.iter().filter(|message| message.side == Some(Side::Server));
        let status = answers.next_back().and_then(|message| message.http.as_ref()).map(|http| http.head.status);
        let login = |user: &str| {
            let mut alerts = seen.iter().flat_map(|message| message.doc.alerts(1224)).flat_map(Command::items);
            alerts.any(|item| {
                item.data().and_then(|data| data.value()).is_some_and(|value| value.eq_ignore_ascii_case(user))
            })
        };
        Managed {
            key: session.key(),
            client: http.and_then(|http| http.connection.client).map(|client| client.ip()),
            device: session.device.clone(),
            server: session.server.clone(),
            from: session.started(),
            to: session.ended(),
            messages: seen.len(),
            outcome: session.outcome,
            ends: session.end == Edge::Seen,
            place: Locator::new(session, false).location(Place::Session),
            refused: refused(session),
            accepted: accepted(session),
            asked: asked(session),
            http_error: status.filter(|status| *status >= 400),
            no_user: login("none") || login("others"),
            entra: bearer.is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer ")),
            goodbye: leaving::of(session),
        }
    }
}

/// The node that a command addresses first.
fn node(command: Command<'_>) -> String {
    let item = command.items().next().and_then(|item| item.target().or(item.source()));
    item.unwrap_or_default().chars().take(200).collect()
}

/// The commands of the server with the codes that the device answered.
fn answered(session: &Session) -> impl Iterator<Item = (Command<'_>, u16)> {
    let by_server = session.exchanges.iter().filter(|exchange| {
        session.messages.get(exchange.command.message).is_some_and(|message| message.side == Some(Side::Server))
    });
    by_server.filter_map(|exchange| {
        let status = exchange.statuses.last().and_then(|status| session.command_at(*status))?;
        Some((session.command_at(exchange.command)?, status.code()?))
    })
}

fn refused(session: &Session) -> Vec<Refusal> {
    let failed = answered(session).filter(|(command, code)| *code >= 400 && !command.tag().is_container());
    let mut refused: Vec<Refusal> =
        failed.map(|(command, code)| Refusal { command: command.tag().name(), node: node(command), code }).collect();
    refused.sort();
    refused.dedup();
    refused.truncate(REFUSALS);
    refused
}

fn accepted(session: &Session) -> Vec<String> {
    let later = answered(session).filter(|(command, code)| *code == 202 && command.tag() == Tag::Exec);
    let reported = |uri: &str| {
        let alerts = session.messages.iter().flat_map(|message| message.doc.alerts(1226));
        alerts.flat_map(Command::items).any(|item| item.source().is_some_and(|source| source.starts_with(uri)))
    };
    later.map(|(command, _)| node(command)).filter(|uri| !reported(uri)).take(REFUSALS).collect()
}

/// What the server asks for in each message that asks: without header, statuses and numbers, so that the same demand in another
/// session is the same.
fn asked(session: &Session) -> Vec<u64> {
    let hasher = foldhash::fast::FixedState::default();
    let asks = session.of(Side::Server).filter(|(_, message)| message.is_readable() && !message.retransmission);
    let hashes = asks.filter_map(|(_, message)| {
        let mut hash = hasher.build_hasher();
        let mut any = false;
        for command in message.doc.commands().filter(|command| command.tag().is_command()) {
            any = true;
            hash.write(command.tag().name().as_bytes());
            for item in command.with_nested().flat_map(Command::items) {
                hash.write(item.target().unwrap_or_default().as_bytes());
                hash.write(item.data().map(|data| data.text()).unwrap_or_default().as_bytes());
            }
        }
        any.then(|| hash.finish())
    });
    hashes.take(REFUSALS).collect()
}
