//! The flow of packages: what the first one holds, and how each ends (DMP 6 and 8).

use super::finding::Place;
use super::flow::Flow;
use super::{MessageCx, SessionCx, Sink};
use crate::session::{At, Exchange};
use crate::syncml::uri::Key;
use crate::syncml::{Command, Side, Tag};

/// The nodes that package 1 sends, each of them (DMP 8.3).
const DEV_INFO: [&str; 5] = ["./DevInfo/DevId", "./DevInfo/Man", "./DevInfo/Mod", "./DevInfo/DmV", "./DevInfo/Lang"];

/// A first package that does not say who began the session.
pub(super) fn pkg1_without_session_alert(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(package) = package_1(*cx) else { return };
    if !package.iter().any(|cx| cx.has_alert(1200) || cx.has_alert(1201)) {
        out.report(Place::Message(cx.index), "package 1 has neither Alert 1200 nor Alert 1201; expected one of them");
    }
}

/// A first package without device information.
pub(super) fn pkg1_without_devinfo(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(package) = package_1(*cx) else { return };
    if dev_info(&package).is_empty() {
        out.report(Place::Message(cx.index), "package 1 has no Replace of ./DevInfo nodes; expected one with all five");
    }
}

/// Device information with nodes left out.
pub(super) fn devinfo_incomplete(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(package) = package_1(*cx) else { return };
    let sent = dev_info(&package);
    let Some((replace, _)) = sent.first() else { return };
    let is_sent = |uri: &str| sent.iter().any(|(_, node)| *node == Key::of(uri, cx.profile.naming()));
    let missing: Vec<&str> = DEV_INFO.into_iter().filter(|uri| !is_sent(uri)).collect();
    if !missing.is_empty() {
        let text = format!("the device information has no {}; expected all five nodes", missing.join(", "));
        out.report(*replace, text);
    }
}

/// A client package that has no end, although the server took it for complete.
pub(super) fn final_missing(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for message in cx.readable().filter(|message| message.side() == Some(Side::Client) && !may_go_on(*message)) {
        let Some(answer) = message.answer().filter(|answer| answer.message.is_readable()) else { continue };
        let goes_on = answer.has_final() || answer.commands().any(|command| command.tag().is_command());
        if !goes_on || answer.has_alert(1222) || answer.has_alert(1223) || !is_complete(message, answer) {
            continue;
        }
        let text = "the client's package has no Final, although the server took it for complete; expected <Final/>";
        out.report(Place::Message(message.index), text)
            .related(Place::Message(answer.index), "the server goes on here");
    }
}

/// A server message without an end that could have one.
pub(super) fn server_final_missing_when_possible(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    if cx.side() != Some(Side::Server) || cx.message.header().is_none() || may_go_on(*cx) {
        return;
    }
    // The server may not end its package before the client's: it then asks for the next message (DMP 6.2).
    let Some(answered) = cx.answers().filter(|answered| answered.message.is_readable()) else { return };
    if answered.has_final() {
        let text = "the server's message has no Final; expected <Final/>, since no chunk and no next message is to come";
        out.report(Place::Message(cx.index), text);
    }
}

/// The messages of package 1, when `cx` is its first and the capture shows them all.
fn package_1(cx: MessageCx<'_>) -> Option<Vec<MessageCx<'_>>> {
    if !cx.is_package_1() || cx.message.header().is_none() {
        return None;
    }
    let flow = Flow::of(cx.in_session());
    let package = flow.package(Side::Client, cx.index)?;
    let messages = package.0.iter().filter_map(|index| cx.in_session().message(*index));
    (!flow.aborts(cx.index, &package)).then(|| messages.collect())
}

/// The nodes of `./DevInfo` that a package replaces, each with the command.
fn dev_info<'a>(package: &[MessageCx<'a>]) -> Vec<(At, Key<'a>)> {
    let mut nodes = Vec::new();
    for cx in package {
        let naming = cx.profile.naming();
        for replace in cx.commands().filter(|command| command.tag() == Tag::Replace) {
            let uris = replace.items().filter_map(|item| item.source().or(item.target()));
            let keys = uris.map(|uri| Key::node(uri, naming));
            let inside = keys.filter(|key| key.with_parents().any(|parent| parent == Key::of("./DevInfo", naming)));
            nodes.extend(inside.map(|key| (cx.at(replace.0), key)));
        }
    }
    nodes
}

/// Whether a message may rightly leave its package open: it has Final, an open chunk, asks for the next message,
/// aborts or keeps alive.
fn may_go_on(cx: MessageCx<'_>) -> bool {
    let chunk = || cx.commands().flat_map(Command::items).any(|item| item.more_data());
    let flow = cx.has_alert(1222) || cx.has_alert(1223) || cx.is_keep_alive();
    cx.has_final() || flow || chunk()
}

/// Whether a client message without Final holds all that its package had to hold.
fn is_complete(message: MessageCx<'_>, answer: MessageCx<'_>) -> bool {
    let session = message.in_session();
    let next = session.messages().skip(answer.index + 1).find(|cx| cx.side() != Some(Side::Server));
    match next {
        // It goes on with the same package when it answers what the message before answered, or sends more of its own.
        Some(next) if next.message.is_readable() => {
            let latest = answer.message.msg_id();
            let answers = next.message.doc.commands().filter(|command| !command.tag().is_command());
            let mut older = answers.filter(|answer| answer.msg_ref().is_some_and(|id| Some(id) != latest));
            older.next().is_none() && !next.commands().any(|command| command.tag() == Tag::Replace)
        }
        Some(_) => false,
        // Nothing more came: then it was complete if nothing is left to be answered.
        None => message.answers().is_some_and(|asked| {
            let of_asked = |exchange: &&Exchange| exchange.command.message == asked.index;
            message.session.exchanges.iter().filter(of_asked).all(|exchange| !exchange.statuses.is_empty())
        }),
    }
}
