//! DM-SES-001 to DM-SES-006, DM-SES-025 and DM-SES-027: package 1 and its answer.

use super::{from_client, is_dev_info, package_1, refuses};
use crate::rules::finding::{Place, named};
use crate::rules::flow::Flow;
use crate::rules::{ElementCx, MessageCx, SessionCx, Sink, quoted};
use crate::session::At;
use crate::syncml::uri::Key;
use crate::syncml::{Command, Item, Side, Tag};

/// The nodes that package 1 sends, each of them (DMP 8.3).
const DEV_INFO: [&str; 5] = ["./DevInfo/DevId", "./DevInfo/Man", "./DevInfo/Mod", "./DevInfo/DmV", "./DevInfo/Lang"];
/// `UserAgentOrigin` of a session that a push began.
const PUSHED: &str = "3";

/// A first package that does not say who began the session.
pub(in crate::rules) fn pkg1_without_session_alert(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(package) = package_1(*cx) else { return };
    if !package.iter().any(|cx| cx.has_alert(1200) || cx.has_alert(1201)) {
        out.report(Place::Message(cx.index), "package 1 has neither Alert 1200 nor Alert 1201; expected one of them");
    }
}

/// A first package without device information.
pub(in crate::rules) fn pkg1_without_devinfo(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(package) = package_1(*cx) else { return };
    if dev_info(&package).is_empty() {
        out.report(Place::Message(cx.index), "package 1 has no Replace of ./DevInfo nodes; expected one with all five");
    }
}

/// Device information with nodes left out.
pub(in crate::rules) fn devinfo_incomplete(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(package) = package_1(*cx) else { return };
    let sent = dev_info(&package);
    let Some((replace, _)) = sent.first() else { return };
    let is_sent = |uri: &str| {
        let key = Key::of(uri, cx.profile.naming());
        sent.iter().any(|(_, node)| *node == key)
    };
    let missing: Vec<&str> = DEV_INFO.into_iter().filter(|uri| !is_sent(uri)).collect();
    if !missing.is_empty() {
        let text = format!("the device information has no {}; expected all five nodes", missing.join(", "));
        out.report(*replace, text);
    }
}

/// Device information in another form than Source and Data of a Replace.
pub(in crate::rules) fn devinfo_item_form(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    if !from_client(cx.message) {
        return;
    }
    let naming = cx.message.profile.naming();
    let odd = |item: Item<'_>| match () {
        () if cx.element.tag() == Tag::Add => Some("is sent by Add; expected Replace"),
        () if item.source().is_none() => Some("stands in Target; expected Source"),
        () if item.data().is_none() => Some("has no Data; expected its value"),
        () => None,
    };
    let mut found = cx.command().items().filter_map(|item| {
        let uri = item.source().or(item.target())?;
        is_dev_info(&Key::node(uri, naming), naming).then(|| Some((item, uri, odd(item)?)))?
    });
    let Some((item, uri, what)) = found.next() else { return };
    let more = match found.count() {
        0 => String::new(),
        more => format!(" (and {more} more of this {})", cx.element.name()),
    };
    out.at(cx.message.index, item.0, format!("{} {what}{more}", quoted(uri)));
}

/// Two session alerts in one message.
pub(in crate::rules) fn session_alert_repeated(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let mut alerts = session_alerts(*cx).filter(|_| cx.side() == Some(Side::Client));
    if let (Some(first), Some(second)) = (alerts.next(), alerts.next()) {
        let code = |alert: Command<'_>| alert.data().unwrap_or_default().to_owned();
        let text = format!("Alert {} stands beside Alert {}; expected one of 1200 and 1201", code(second), code(first));
        out.report(cx.at(second.0), text).related(cx.at(first.0), "the first one");
    }
}

/// A session alert behind package 1, with no challenge to answer.
pub(in crate::rules) fn session_alert_mid_session(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let from_client = cx.readable().filter(|message| message.side() == Some(Side::Client) && !message.is_repeated());
    for message in from_client {
        let Some(alert) = session_alerts(message).next() else { continue };
        if let Some(end) = package_before(message) {
            let code = alert.data().unwrap_or_default();
            let text = format!("Alert {code} stands behind package 1, and no challenge asks for it again; expected no session alert");
            out.report(message.at(alert.0), text).related(Place::Message(end), "a package of the client ended here");
        }
    }
}

/// Commands of package 1 that package 2 does not answer.
pub(in crate::rules) fn package2_without_alert_status(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(package) = package_1(*cx) else { return };
    let flow = Flow::of(cx.in_session());
    let Some(last) = package.last() else { return };
    let Some(answer) = flow.package(Side::Server, last.index + 1) else { return };
    if flow.aborts(cx.index, &answer) || flow.refuses(&answer) {
        return;
    }
    let answers: Vec<MessageCx<'_>> = answer.0.iter().filter_map(|index| cx.in_session().message(*index)).collect();
    // A Status that names nothing known may be meant for any command of its kind.
    let strays: Vec<&str> = answers
        .iter()
        .flat_map(|message| message.statuses().map(move |status| (message, status)))
        .filter(|(message, status)| message.session.referred(message.index, *status).found().is_none())
        .filter_map(|(_, status)| status.cmd())
        .collect();
    let open = |message: &MessageCx<'_>, command: &Command<'_>| {
        let exchange = message.session.exchange(message.at(command.0));
        let asked = command.cmd_id().is_some_and(|id| id != "0") && command.0.child(Tag::NoResp).is_none();
        asked
            && exchange.is_some_and(|exchange| exchange.statuses.is_empty())
            && !message.session.is_ambiguous(message.at(command.0))
            && !strays.contains(&command.tag().name())
    };
    let silent = |message: &MessageCx<'_>| message.message.header().is_some_and(|header| header.0.child(Tag::NoResp).is_some());
    let commands = package.iter().filter(|message| !silent(message)).flat_map(|message| {
        message.message.doc.commands().map(move |command| (message, command))
    });
    let missing: Vec<_> = commands.filter(|(message, command)| open(message, command)).collect();
    // An Alert that tells something, and is alone in having no Status, is DM-STA-003.
    let opens = |(_, command): &&(_, Command<'_>)| {
        command.tag() == Tag::Replace || matches!(command.code(), Some(1200 | 1201))
    };
    let Some((message, first)) = missing.iter().find(opens) else { return };
    let names: Vec<String> = missing.iter().take(4).map(|(_, command)| named(*command)).collect();
    let more = missing.len().checked_sub(names.len()).filter(|more| *more > 0).map_or_else(String::new, |more| format!(" and {more} more"));
    let text = format!("package 2 has no Status for {}{more}; expected one for each command of package 1", names.join(", "));
    out.report(Place::Message(answer.end()), text).related(message.at(first.0), "a command without a Status");
}

/// Alert 1201 in a session that a push of the server began.
pub(in crate::rules) fn alert_1201_although_server_triggered(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let Some(first) = cx.readable().find(|message| message.is_package_1()) else { return };
    let head = first.message.http.as_ref().and_then(|http| http.request_head());
    let origin = head.and_then(|head| head.header("useragentorigin"));
    if origin.is_some_and(|origin| origin.trim() == PUSHED)
        && let Some(alert) = first.message.doc.alerts(1201).next()
    {
        let text = "Alert is 1201, although the request says that a push began the session (UserAgentOrigin 3); expected 1200";
        out.report(first.at(alert.0), text);
    }
}

fn session_alerts(cx: MessageCx<'_>) -> impl Iterator<Item = Command<'_>> {
    let alerts = cx.message.doc.of_tag(Tag::Alert);
    alerts.filter(|alert| matches!(alert.code(), Some(1200 | 1201)))
}

/// The message before `cx` in which the client ended a package. `None` where a challenge came since, where it is still
/// package 1, and where the capture does not show it.
fn package_before(cx: MessageCx<'_>) -> Option<usize> {
    let before = (0..cx.index).rev().filter_map(|index| cx.in_session().message(index));
    for message in before.filter(|message| !message.message.retransmission) {
        if !message.message.is_readable() {
            return None;
        }
        match message.side()? {
            Side::Server if refuses(message) => return None,
            Side::Client if message.has_final() && !message.is_keep_alive() => return Some(message.index),
            _ => {}
        }
    }
    None
}

/// The nodes of `./DevInfo` that a package replaces, each with the command.
fn dev_info<'a>(package: &[MessageCx<'a>]) -> Vec<(At, Key<'a>)> {
    let mut nodes = Vec::new();
    for cx in package {
        let naming = cx.profile.naming();
        for replace in cx.commands().filter(|command| command.tag() == Tag::Replace) {
            let uris = replace.items().filter_map(|item| item.source().or(item.target()));
            let keys = uris.map(|uri| Key::node(uri, naming));
            let inside = keys.filter(|key| is_dev_info(key, naming));
            nodes.extend(inside.map(|key| (cx.at(replace.0), key)));
        }
    }
    nodes
}
