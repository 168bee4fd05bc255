//! DM-WIN-006, 007, 012 and 017: the settings of Windows' own client (DMClient CSP).

use super::known::{Version, commands_of_server, is_accepted, is_write, latest, settings};
use super::below_provider;
use crate::rules::pending::is_whole;
use crate::rules::finding::Place;
use crate::rules::{CaptureCx, MessageCx, Severity, Sink, options, quoted};
use crate::syncml::{Command, Element, Header, Side, Tag};

/// A version of the protocol that does not exist, that the device does not know, or a way back.
pub(in crate::rules) fn syncapplicationversion_value(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    const NAME: &str = "SyncApplicationVersion";
    let session = cx.session.session;
    let told = |name: &str| {
        let named = settings(session).filter(|setting| setting.told && setting.name.eq_ignore_ascii_case(name));
        named.filter_map(|setting| Version::parse(setting.value)).next()
    };
    let highest = told("MaxSyncApplicationVersion").or_else(|| latest(cx, |known| known.highest));
    let mut before = told(NAME).or_else(|| latest(cx, |known| known.version));
    for (message, command) in commands_of_server(cx.session).filter(|(_, command)| is_write(*command)) {
        for (name, data, value) in written(command).filter(|(name, ..)| name.eq_ignore_ascii_case(NAME)) {
            let Some(version) = Version::parse(value) else {
                out.at(message.index, data, format!("{name} is {}; expected a version such as `2.0`", quoted(value)));
                continue;
            };
            if let Some(highest) = highest.filter(|highest| version > *highest) {
                out.at(message.index, data, format!("{name} is {version}; the device knows versions up to {highest}"));
            } else if let Some(before) = before.filter(|before| version < *before) {
                out.at(message.index, data, format!("{name} is {version} after {before}; expected no way back"));
            }
            if is_accepted(session, message.at(command.0)) {
                before = Some(version);
            }
        }
    }
}

/// The settings that a command writes: name below the provider, the element of the value, and the value.
fn written<'a>(command: Command<'a>) -> impl Iterator<Item = (&'a str, Element<'a>, &'a str)> {
    command.items().filter_map(|item| {
        let (_, name) = below_provider(item.target()?)?;
        let data = item.data()?;
        Some((name, data, data.value()?))
    })
}

/// A SessionID with letters of a device that still counts in decimal.
pub(in crate::rules) fn sessionid_radix(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let session = cx.session.session;
    let first = cx.session.readable().find(|message| message.side() == Some(Side::Client));
    let header = first.and_then(|message| message.message.header().zip(Some(message)));
    let Some((header, message)) = header else { return };
    let letters = |id: &&str| id.bytes().all(|byte| byte.is_ascii_hexdigit()) && id.bytes().any(|byte| byte.is_ascii_alphabetic());
    let Some(id) = Header::session_id(header).filter(letters) else { return };
    let told = settings(session).filter(|setting| setting.told && setting.name.eq_ignore_ascii_case("SyncApplicationVersion"));
    let told = told.filter_map(|setting| Version::parse(setting.value)).next();
    let version = told.or_else(|| latest(cx, |known| known.version));
    if let Some(version) = version.filter(|version| *version < Version::TWO) {
        let place = header.0.child(Tag::SessionID).unwrap_or(header.0);
        let text = format!("SessionID is {}, hexadecimal, and the device's SyncApplicationVersion is {version}; expected a decimal number", quoted(id));
        out.report(message.at(place), text);
    }
}

/// A session in which the server does not ask for the push channel.
pub(in crate::rules) fn push_channel_not_read(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let session = cx.session.session;
    let pushes = latest(cx, |known| known.pushes.then_some(())).is_some() || cx.enrolled().is_some_and(|enrolled| enrolled.pushes);
    if !pushes || !is_whole(session) || session.outcome != crate::session::Outcome::Complete {
        return;
    }
    let asks = |command: Command<'_>| command.tag() == Tag::Get && command.items().any(|item| item.target().is_some_and(reads_channel));
    if !commands_of_server(cx.session).any(|(_, command)| asks(command)) {
        out.report(Place::Session, "the server does not read Push/ChannelURI in this session, although push was set up before");
    }
}

/// Whether a Get of that node brings the channel: it, or a list of what is above it.
fn reads_channel(uri: &str) -> bool {
    below_provider(uri).is_some_and(|(_, name)| ["", "Push", "Push/ChannelURI"].iter().any(|own| name.eq_ignore_ascii_case(own)))
}

/// The six values of the poll schedules, counts at even places.
const POLL: [&str; 6] = [
    "Poll/NumberOfFirstRetries",
    "Poll/IntervalForFirstSetOfRetries",
    "Poll/NumberOfSecondRetries",
    "Poll/IntervalForSecondSetOfRetries",
    "Poll/NumberOfRemainingScheduledRetries",
    "Poll/IntervalForRemainingScheduledRetries",
];

/// Poll schedules that the client cannot keep, or never ends.
pub(in crate::rules) fn poll_over_dm_invalid(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    if cx.side() == Some(Side::Client) {
        return;
    }
    let mut set: [Option<(Element<'_>, u32)>; 6] = [None; 6];
    for (name, data, value) in cx.commands().filter(|command| is_write(*command)).flat_map(written) {
        let slot = POLL.iter().position(|own| name.eq_ignore_ascii_case(own)).and_then(|at| set.get_mut(at));
        if let (Some(slot), Ok(value)) = (slot, value.parse()) {
            *slot = Some((data, value));
        }
    }
    let [first, first_interval, second, second_interval, remaining, interval] = set;
    let zero = |value: &Option<(Element<'_>, u32)>| value.is_some_and(|(_, value)| value == 0);
    let counts = [first, second, remaining];
    if let (true, Some((place, _))) = (counts.iter().all(zero), first) {
        out.at(cx.index, place, "all three numbers of retries are 0; expected one schedule at least that ends");
        return;
    }
    if let Some((place, _)) = first.filter(|_| zero(&first)) {
        out.at(cx.index, place, "NumberOfFirstRetries is 0, so that the first schedule never ends; expected 1 or more");
    }
    if let ((true, true), Some((place, _))) = ((zero(&second), zero(&remaining)), second) {
        out.at(cx.index, place, "NumberOfSecondRetries and NumberOfRemainingScheduledRetries are both 0; expected one endless schedule");
    }
    let least = out.number(options::poll_over_dm_invalid::MINIMUM_MINUTES);
    if let Some((place, value)) = interval.filter(|(_, value)| (1..least).contains(value)) {
        let text = format!("IntervalForRemainingScheduledRetries is {value} minutes; expected {least} or more");
        out.at(cx.index, place, text).at_most(Severity::Info);
    }
    if let (Some((_, before)), Some((place, value))) = (first_interval, second_interval)
        && value <= before
        && value > 0
    {
        let text = format!("IntervalForSecondSetOfRetries is {value} minutes, not above the {before} of the first set");
        out.at(cx.index, place, text).at_most(Severity::Info);
    }
}
