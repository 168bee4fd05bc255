//! DM-SES-023, DM-SES-024 and DM-SES-026: sessions that go in circles or run side by side, and devices that change.

use foldhash::quality::{FoldHasher, RandomState};
use foldhash::{HashMap, HashMapExt};
use std::hash::{BuildHasher, Hash, Hasher};

use crate::rules::finding::{Place, named};
use crate::rules::history::{self, Past};
use crate::rules::options::too_many_messages::{MESSAGES, RESULTS, ROUNDS};
use crate::rules::{CaptureCx, MessageCx, SessionCx, Sink, quoted};
use crate::session::At;
use crate::syncml::{Command, Item, Side, Tag};

/// A session that goes in circles. Told once.
pub(in crate::rules) fn too_many_messages(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    if circles_of_commands(*cx, out) || circles_of_results(*cx, out) {
        return;
    }
    let chunk = |message: &MessageCx<'_>| {
        let may_be = message.message.doc.tags() & Tag::MoreData.bit() != 0;
        may_be && message.commands().flat_map(Command::items).any(Item::more_data)
    };
    let most = out.number(MESSAGES);
    if let Some(over) = cx.readable().filter(|message| !chunk(message)).nth(most as usize) {
        out.report(Place::Message(over.index), format!("the session has more than {most} messages"));
    }
}

fn circles_of_commands(cx: SessionCx<'_>, out: &mut Sink<'_>) -> bool {
    let rounds = out.number(ROUNDS);
    if cx.session.of(Side::Server).count() < rounds as usize {
        return false;
    }
    let mut run: Option<(u64, u32, MessageCx<'_>)> = None;
    let state = RandomState::default();
    for message in cx.readable().filter(|message| message.side() == Some(Side::Server) && !message.is_repeated()) {
        let asks = |command: &Command<'_>| command.tag().is_command() && command.code() != Some(1222);
        let Some(first) = message.message.doc.commands().find(asks) else {
            run = None;
            continue;
        };
        let mut hasher = state.build_hasher();
        message.message.doc.commands().filter(asks).for_each(|command| digest(command, &mut hasher));
        let hash = hasher.finish();
        let (count, begin) = match run {
            Some((last, count, begin)) if last == hash => (count + 1, begin),
            _ => (1, message),
        };
        run = Some((hash, count, begin));
        if count == rounds {
            let text = format!("{} and all else of this message came {rounds} times in a row; expected each command once", named(first));
            out.report(Place::Message(message.index), text).related(Place::Message(begin.index), "the first time");
            return true;
        }
    }
    false
}

fn circles_of_results(cx: SessionCx<'_>, out: &mut Sink<'_>) -> bool {
    let repeats = out.number(RESULTS);
    if !answers_one_thing_often(cx, repeats) {
        return false;
    }
    let mut seen: HashMap<u64, (u32, At)> = HashMap::new();
    let state = RandomState::default();
    for message in cx.readable().filter(|message| !message.is_repeated()) {
        for results in message.message.doc.of_tag(Tag::Results) {
            let mut hasher = state.build_hasher();
            (results.msg_ref(), results.cmd_ref()).hash(&mut hasher);
            digest(results, &mut hasher);
            let at = message.at(results.0);
            let (count, first) = seen.entry(hasher.finish()).or_insert((0, at));
            *count += 1;
            if *count == repeats && first.message != message.index {
                let text = format!("these Results came {repeats} times; expected them once");
                out.report(at, text).related(*first, "the first time");
                return true;
            }
        }
    }
    false
}

/// Whether so many Results refer to one command.
fn answers_one_thing_often(cx: SessionCx<'_>, often: u32) -> bool {
    let all = || cx.readable().flat_map(|message| message.message.doc.of_tag(Tag::Results));
    let results = all().count();
    if results < often as usize {
        return false;
    }
    let mut counts: HashMap<_, u32> = HashMap::with_capacity(results);
    all().any(|results| {
        let count = counts.entry(results.values([Tag::MsgRef, Tag::CmdRef])).or_default();
        *count += 1;
        *count >= often
    })
}

/// All that a command says, its CmdID left out.
fn digest(command: Command<'_>, hasher: &mut FoldHasher<'_>) {
    command.tag().hash(hasher);
    for child in command.0.children().filter(|child| child.tag() != Tag::CmdID) {
        match child.tag().is_command() {
            true => digest(Command(child), hasher),
            false => child.span().slice(child.doc().bytes()).hash(hasher),
        }
    }
}

/// A session beside another one of the device.
pub(in crate::rules) fn parallel_sessions_same_device(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let session = cx.session.session;
    let (Some(started), Some(ended)) = (session.started(), session.ended()) else { return };
    let beside = |past: &&Past| {
        let overlap = past.started.is_some_and(|from| from < ended) && past.ended.is_some_and(|to| started < to);
        let known = past.session_id.is_some() && session.session_id.is_some();
        overlap && known
            && past.session_id.as_deref() != session.session_id.as_deref()
            && past.server.as_deref() == session.server.as_deref()
    };
    let (Some(past), Some(first)) = (cx.earlier().find(beside), cx.session.readable().next()) else { return };
    let text = format!("this session runs at the same time as session s{} of the same device", past.number);
    out.report(Place::Message(first.index), text);
}

/// A device that calls itself another one than before.
pub(in crate::rules) fn devinfo_changed_between_sessions(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    if cx.earlier().next().is_none() {
        return;
    }
    let identity = history::identity(cx.session.session);
    for (number, node) in history::IDENTITY.iter().enumerate() {
        let Some((at, now)) = identity.get(number).copied().flatten() else { continue };
        let before = cx.earlier().find_map(|past| Some((past, past.identity.get(number)?.as_deref()?)));
        if let Some((past, before)) = before.filter(|(_, before)| *before != now) {
            out.report(at, format!("{node} is {}; it was {} in session s{}", quoted(now), quoted(before), past.number));
        }
    }
}
