//! What a session shows of the settings of a device's own client.
//!
//! In: a session. Out: what the server set and the device accepted, or what the device told. Bounds: [`PROVIDERS`] names,
//! values of at most [`VALUE`] bytes.

use super::{after, below_provider, node};
use crate::rules::SessionCx;
use crate::session::{At, Session};
use crate::syncml::{Command, Item, Side, Tag};
use crate::time::Time;

/// How many names of providers are remembered of a session.
const PROVIDERS: usize = 4;
/// Longest value that is looked at, in bytes.
const VALUE: usize = 256;

/// The intervals of the three poll schedules, in the order they run.
const INTERVALS: [&str; 3] = [
    "Poll/IntervalForFirstSetOfRetries",
    "Poll/IntervalForSecondSetOfRetries",
    "Poll/IntervalForRemainingScheduledRetries",
];

/// A version of the protocol between Windows and its server: `2.0` or `3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::rules) struct Version(pub(super) u8, pub(super) u8);

impl Version {
    /// The first one with SessionIDs of two bytes.
    pub(super) const TWO: Version = Version(2, 0);

    /// One digit, or two with a dot between them: `^(\d\.)?(\d)$`.
    pub(super) fn parse(text: &str) -> Option<Version> {
        let digit = |byte: &u8| byte.is_ascii_digit().then(|| byte - b'0');
        match text.as_bytes() {
            [major] => Some(Version(digit(major)?, 0)),
            [major, b'.', minor] => Some(Version(digit(major)?, digit(minor)?)),
            _ => None,
        }
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// See the module's head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::rules) struct Known {
    /// `SyncApplicationVersion`.
    pub(super) version: Option<Version>,
    /// `MaxSyncApplicationVersion`.
    pub(super) highest: Option<Version>,
    /// Names of providers that the device has.
    pub(super) providers: Vec<Box<str>>,
    /// `RequireMessageSigning`.
    pub(super) signing: Option<bool>,
    /// Whether the server can push: it set `Push/PFN`, or got the channel.
    pub(super) pushes: bool,
    /// Minutes of the [`INTERVALS`].
    pub(super) intervals: [Option<u32>; 3],
    /// Whether the schedule began it (`UserAgentOrigin` 2).
    pub(super) scheduled: bool,
    /// Whether a request was answered by 429.
    pub(super) throttled: bool,
    /// When the last request was sent.
    pub(in crate::rules) last_request: Option<Time>,
}

/// A setting of the client as a session shows it.
pub(super) struct Setting<'a> {
    /// The path below `DMClient/Provider/ID`.
    pub(super) name: &'a str,
    /// Its value.
    pub(super) value: &'a str,
    /// Whether the device told it; else the server set it and the device accepted.
    pub(super) told: bool,
}

/// All settings that a session shows, in the order of the commands.
pub(super) fn settings(session: &Session) -> impl Iterator<Item = Setting<'_>> {
    session.exchanges.iter().flat_map(move |exchange| {
        let written = session.command_at(exchange.command).filter(|command| is_write(*command));
        let results = exchange.results.iter().filter_map(|at| session.command_at(*at));
        let set = written.into_iter().flat_map(Command::items).filter_map(|item| setting(item, item.target()?, false));
        let set = set.filter(move |_| is_accepted(session, exchange.command));
        let told = results.flat_map(Command::items);
        set.chain(told.filter_map(|item| setting(item, item.source().or(item.target())?, true)))
    })
}

fn setting<'a>(item: Item<'a>, uri: &'a str, told: bool) -> Option<Setting<'a>> {
    let (_, name) = below_provider(uri)?;
    let value = item.data()?.value().filter(|value| value.len() <= VALUE)?;
    Some(Setting { name, value, told })
}

/// What a session shows.
pub(in crate::rules) fn known(session: &Session) -> Known {
    let mut known = Known { providers: providers(session), ..Known::default() };
    for Setting { name, value, told } in settings(session) {
        let is = |own: &str| name.eq_ignore_ascii_case(own);
        if is("SyncApplicationVersion") {
            known.version = Version::parse(value).or(known.version);
        } else if is("MaxSyncApplicationVersion") {
            known.highest = Version::parse(value).or(known.highest);
        } else if is("RequireMessageSigning") {
            known.signing = Some(value.eq_ignore_ascii_case("true") || value == "1");
        } else if is("Push/ChannelURI") || (is("Push/PFN") && !told) {
            known.pushes = true;
        } else if let Some(slot) = INTERVALS.iter().position(|own| is(own)).and_then(|at| known.intervals.get_mut(at)) {
            *slot = value.parse().ok().or(*slot);
        }
    }
    for (_, message) in session.of(Side::Client) {
        known.scheduled |= super::origin(message) == Some("2");
        known.last_request = message.first.or(known.last_request);
    }
    known.throttled = session.of(Side::Server).any(|(_, message)| super::wait_of_429(message).is_some());
    known
}

/// The providers whose nodes the device has.
pub(super) fn providers(session: &Session) -> Vec<Box<str>> {
    let mut names: Vec<Box<str>> = Vec::new();
    let commands = session.exchanges.iter().filter_map(|exchange| Some((exchange, session.command_at(exchange.command)?)));
    let items = commands.flat_map(|(exchange, command)| command.items().map(move |item| (exchange, item)));
    let named = items.filter_map(|(exchange, item)| Some((exchange, below_provider(item.target()?)?.0)));
    for (_, name) in named.filter(|(exchange, _)| is_accepted(session, exchange.command)) {
        if names.len() < PROVIDERS && name.len() <= VALUE && !names.iter().any(|known| **known == *name) {
            names.push(name.into());
        }
    }
    names
}

/// Whether the device carried a command out, for all of its items.
pub(super) fn is_accepted(session: &Session, command: At) -> bool {
    let exchange = session.exchange(command).filter(|_| !session.is_ambiguous(command));
    let mut codes = exchange.into_iter().flat_map(|exchange| &exchange.statuses).map(|at| session.command_at(*at)?.code());
    let mut any = false;
    let good = codes.all(|code| {
        any = true;
        matches!(code, Some(200 | 201))
    });
    any && good
}

/// Whether a command writes values.
pub(super) fn is_write(command: Command<'_>) -> bool {
    matches!(command.tag(), Tag::Add | Tag::Replace)
}

/// The last known value over this session and those before it.
pub(super) fn latest<T>(cx: &crate::rules::CaptureCx<'_>, of: impl Fn(&Known) -> Option<T>) -> Option<T> {
    cx.earlier().find_map(|past| of(&past.known))
}

/// Commands of the server with their messages.
pub(super) fn commands_of_server<'a>(
    cx: SessionCx<'a>,
) -> impl Iterator<Item = (crate::rules::MessageCx<'a>, Command<'a>)> + use<'a> {
    let messages = cx.readable().filter(|message| message.side() == Some(Side::Server));
    messages.flat_map(|message| message.commands().filter(|command| command.tag().is_command()).map(move |command| (message, command)))
}

/// What stands behind the beginning of a node, for CSPs of the device.
pub(super) fn below<'a>(target: &'a str, csp: &str) -> Option<&'a str> {
    after(node(target), csp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_one_digit_or_two() {
        assert_eq!(Version::parse("2.0"), Some(Version::TWO));
        assert_eq!(Version::parse("3"), Some(Version(3, 0)));
        assert!(Version(4, 0) > Version(3, 1));
        for wrong in ["", "10.0", "2.", ".0", "2.0.0", "a"] {
            assert_eq!(Version::parse(wrong), None, "{wrong}");
        }
    }
}
