//! Leaving the management: the alert by which a device says goodbye, and the Exec by which a server sends it away.
//!
//! In the user's case the device sends Alert 1226 of [`USER_REQUEST`] in the first package of a new session. In the
//! server's case the Exec stands in a session that ends there, and the same alert comes in the next one.

use super::flow::Flow;
use super::select::distance;
use super::{ElementCx, MessageCx, SessionCx, Severity, Sink, quoted};
use crate::session::Lookup;
use crate::syncml::uri;
use crate::syncml::{Command, Item, Side, Tag};

/// The type of the alert.
const USER_REQUEST: &str = "com.microsoft:mdm.unenrollment.userrequest";

/// How many letters may be wrong in a type that is still meant to be [`USER_REQUEST`].
const MISSPELLED: usize = 3;

/// An unenrollment alert behind package 1.
pub(super) fn user_unenroll_not_in_first_package(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let mut accepted = None;
    for message in cx.readable().filter(|message| message.side() == Some(Side::Client) && !message.is_repeated()) {
        let starts = message.has_alert(1200) || message.has_alert(1201) || message.message.msg_id() == Some("1");
        let alert = goodbyes(message).next().filter(|_| !starts);
        if let (Some(alert), Some(package_1)) = (alert, accepted) {
            out.report(message.at(alert.0), "the unenrollment alert stands behind package 1; expected it in package 1")
                .related(super::finding::Place::Message(package_1), "a package before it, which the server accepted");
        }
        if message.has_final() && message.answer().is_some_and(|answer| answer.message.is_readable() && !refuses(answer)) {
            accepted = accepted.or(Some(message.index));
        }
    }
}

/// A type that is nearly that of the unenrollment alert.
pub(super) fn unenroll_type_misspelled(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for item in cx.command().items() {
        let Some(element) = item.effective_element(Tag::Type) else { continue };
        let Some(name) = element.value().filter(|_| element.text() != USER_REQUEST) else { continue };
        let lower = name.to_ascii_lowercase();
        let near = || lower.len().abs_diff(USER_REQUEST.len()) <= MISSPELLED && distance(&lower, USER_REQUEST) <= MISSPELLED;
        if lower.contains(USER_REQUEST) || near() {
            let seen = if name == USER_REQUEST { "has white space around it".to_owned() } else { format!("is {}", quoted(name)) };
            out.report(cx.message.at(element), format!("the alert's type {seen}; expected `{USER_REQUEST}`"));
        }
    }
}

/// An unenrollment alert of another format, or with another value.
pub(super) fn unenroll_alert_payload(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for item in cx.command().items().filter(|item| is_user_request(*item)) {
        let format = item.effective_element(Tag::Format);
        if item.format() != "int" {
            let place = cx.message.at(format.unwrap_or(item.0));
            out.report(place, format!("the format of the unenrollment alert is {}; expected `int`", quoted(item.format())));
        }
        let value = item.data().and_then(|data| data.value());
        if value != Some("1") {
            let place = cx.message.at(item.data().unwrap_or(item.0));
            let seen = value.map_or("empty".to_owned(), quoted);
            out.report(place, format!("the value of the unenrollment alert is {seen}; expected 1"));
        }
    }
}

/// The type of the unenrollment alert under another code.
pub(super) fn unenroll_alert_code(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let alert = cx.command();
    let (Some(code), Some(data)) = (alert.code(), cx.element.child(Tag::Data)) else { return };
    if code != 1226 && alert.items().any(is_user_request) {
        out.report(cx.message.at(data), format!("the code of the unenrollment alert is {code}; expected 1226"));
    }
}

/// An unenrollment alert that the server refuses, or does not answer where it ends its package.
pub(super) fn unenroll_alert_not_acknowledged(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for message in cx.readable().filter(|message| message.side() != Some(Side::Server)) {
        for alert in goodbyes(message) {
            let at = message.at(alert.0);
            let Some(exchange) = cx.session.exchange(at).filter(|_| !cx.session.is_ambiguous(at)) else { continue };
            let codes = exchange.statuses.iter().filter_map(|status| Some((*status, cx.session.command_at(*status)?)));
            match codes.filter_map(|(place, status)| Some((place, status.code()?))).next_back() {
                // The message as a whole was not accepted: it comes again.
                Some((place, 300..=399 | 402..=406 | 408..)) if !cx.message(place.message).is_some_and(refuses) => {
                    let code = cx.session.command_at(place).and_then(Command::data).unwrap_or_default();
                    out.report(place, format!("the unenrollment alert is answered with {}; expected 200", quoted(code)))
                        .related(at, "the alert");
                }
                None if exchange.statuses.is_empty() && is_left_out(message, alert) => {
                    out.report(at, "the server ends its package without a Status for the unenrollment alert; expected 200");
                }
                _ => {}
            }
        }
    }
}

/// Commands for a device that has said goodbye.
pub(super) fn commands_after_unenroll_alert(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let mut said = None;
    for message in cx.readable() {
        if message.side() != Some(Side::Server) {
            said = said.or_else(|| goodbyes(message).next().map(|alert| message.at(alert.0)));
            continue;
        }
        let Some(alert) = said.filter(|_| !refuses(message)) else { continue };
        let commands = message.message.doc.commands().filter(|command| command.tag().is_command() && command.tag() != Tag::Alert);
        let text = |first: crate::syncml::Element<'_>| format!("{} behind the unenrollment alert; expected Statuses alone", first.name());
        if let Some(draft) = out.first_of(message.index, commands.map(|command| command.0), text) {
            draft.related(alert, "the alert");
        }
    }
}

/// Add, Replace or Delete of a node that can only be run.
pub(super) fn unenroll_wrong_verb(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    if let Some(item) = cx.command().items().find(|item| leaves(*item)) {
        out.report(cx.message.at(item.0), format!("{} of the Unenroll node; expected Exec", cx.element.name()));
    }
}

/// An Exec of Unenroll that does not name the provider.
pub(super) fn unenroll_data_missing(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for item in cx.command().items().filter(|item| leaves(*item)) {
        if item.data().and_then(|data| data.value()).is_none() {
            let finding = out.report(cx.message.at(item.0), "Exec of Unenroll has no Data; expected the PROVIDER-ID");
            if item.target().and_then(provider).is_some() {
                finding.at_most(Severity::Info);
            }
        }
    }
}

/// An Exec of Unenroll whose Data and path name two providers.
pub(super) fn unenroll_data_not_providerid(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for item in cx.command().items() {
        let (Some(named), Some(data)) = (item.target().and_then(provider), item.data()) else { continue };
        let Some(value) = data.value().filter(|value| !uri::Key::same(value, named, cx.message.profile.naming())) else { continue };
        let text = format!("Data of the Exec is {}, but the path names the provider {}", quoted(value), quoted(named));
        out.report(cx.message.at(data), text);
    }
}

/// An Unenroll node at a path that does not exist.
pub(super) fn unenroll_path(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for item in cx.command().items() {
        let Some(target) = item.target().filter(|target| means_unenroll(target) && !is_known(target)) else { continue };
        let place = item.0.child(Tag::Target).and_then(|target| target.child(Tag::LocURI)).unwrap_or(item.0);
        let text = format!("{} is no Unenroll node; expected ./Device/Vendor/MSFT/DMClient/Provider/ID/Unenroll", quoted(target));
        out.report(cx.message.at(place), text);
    }
}

/// A device that answers the Exec of Unenroll.
pub(super) fn unenroll_exec_answered(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for exchange in &cx.session.exchanges {
        let exec = cx.session.command_at(exchange.command).filter(|command| sends_away(*command));
        let (Some(_), Some(at)) = (exec, exchange.statuses.first()) else { continue };
        let Some(code) = cx.session.command_at(*at).and_then(Command::code) else { continue };
        let meaning = if code >= 300 { "it was refused" } else { "no answer is expected" };
        out.report(*at, format!("Exec of Unenroll is answered with {code}: {meaning}")).related(exchange.command, "the Exec");
    }
}

/// An Exec of Unenroll among other commands.
pub(super) fn unenroll_with_other_commands(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(exec) = cx.commands().find(|command| sends_away(*command)) else { return };
    let container = exec.container().map(|container| container.0);
    let mut others = cx.commands().filter(|command| command.tag().is_command() && *command != exec && Some(command.0) != container);
    match (container, others.next()) {
        (Some(container), _) => {
            out.report(cx.at(exec.0), format!("Exec of Unenroll stands in {}; expected it alone", container.name()));
        }
        (None, Some(other)) => {
            out.report(cx.at(exec.0), "Exec of Unenroll is not the only command of its message; expected it alone")
                .related(cx.at(other.0), "another command");
        }
        (None, None) => {}
    }
}

/// An Exec of Unenroll in a session that the server called for.
pub(super) fn unenroll_outside_client_session(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let mut called = None;
    for message in cx.readable() {
        if message.side() == Some(Side::Client) {
            called = called.or_else(|| message.message.doc.alerts(1200).next().map(|alert| message.at(alert.0)));
        } else if let (Some(alert), Some(exec)) = (called, message.commands().find(|command| sends_away(*command))) {
            out.report(message.at(exec.0), "Exec of Unenroll in a session that the server called for (Alert 1200)")
                .related(alert, "the session's beginning");
        }
    }
}

/// The unenrollment alerts of a message.
fn goodbyes<'a>(cx: MessageCx<'a>) -> impl Iterator<Item = Command<'a>> {
    cx.message.doc.alerts(1226).filter(|alert| alert.items().any(is_user_request))
}

fn is_user_request(item: Item<'_>) -> bool {
    item.media_type() == USER_REQUEST
}

/// Whether a message says that the one it answers was not accepted as a whole.
fn refuses(cx: MessageCx<'_>) -> bool {
    cx.statuses().any(|status| status.is_for_header() && status.code().is_some_and(|code| !(200..300).contains(&code)))
}

/// Whether the package that answers an alert is all there, and holds no Status that may be meant for it.
fn is_left_out(message: MessageCx<'_>, alert: Command<'_>) -> bool {
    let silent = |command: crate::syncml::Element<'_>| command.child(Tag::NoResp).is_some();
    if alert.cmd_id().is_none() || silent(alert.0) || message.message.header().is_none_or(|header| silent(header.0)) {
        return false;
    }
    let flow = Flow::of(message.in_session());
    let Some(package) = flow.package(Side::Server, message.index + 1) else { return false };
    let answers = package.0.iter().filter_map(|index| message.in_session().message(*index));
    let stray = |cx: MessageCx<'_>, status: Command<'_>| {
        !status.is_for_header() && !matches!(message.session.referred(cx.index, status), Lookup::Found(_))
    };
    let strays = answers.into_iter().any(|cx| cx.statuses().any(|status| stray(cx, status)));
    message.answer().is_some_and(|answer| package.0.first() == Some(&answer.index))
        && !(strays || flow.aborts(message.index, &package) || flow.refuses(&package))
}

/// Whether a command is the Exec of an Unenroll node.
fn sends_away(command: Command<'_>) -> bool {
    command.tag() == Tag::Exec && command.items().any(leaves)
}

/// Whether an item addresses an Unenroll node.
fn leaves(item: Item<'_>) -> bool {
    item.target().is_some_and(is_known)
}

/// The names in a path, without the leading dot.
fn names(target: &str) -> Vec<&str> {
    let path = uri::path(target);
    path.strip_prefix("./").unwrap_or(path).trim_end_matches('/').split('/').collect()
}

/// Whether a path ends in Unenroll below DMClient, right or wrong. That of a linked enrollment is another node.
fn means_unenroll(target: &str) -> bool {
    let names = names(target);
    let has = |name: &str| names.iter().any(|own| own.eq_ignore_ascii_case(name));
    names.last().is_some_and(|last| last.eq_ignore_ascii_case("Unenroll")) && has("DMClient") && !has("LinkedEnrollment")
}

/// Whether it is one of the nodes that exist.
fn is_known(target: &str) -> bool {
    let names = names(target);
    below_client(&names).is_some_and(|rest| match rest {
        [last] => last.eq_ignore_ascii_case("Unenroll"),
        [_, _, _] => provider(target).is_some(),
        _ => false,
    })
}

/// The provider in the path of an Unenroll node.
fn provider(target: &str) -> Option<&str> {
    match below_client(&names(target))? {
        [word, id, last] if !id.is_empty() && word.eq_ignore_ascii_case("Provider") => {
            last.eq_ignore_ascii_case("Unenroll").then_some(*id)
        }
        _ => None,
    }
}

/// What stands behind `[Device/]Vendor/MSFT/DMClient` in a path.
fn below_client<'n, 'a>(names: &'n [&'a str]) -> Option<&'n [&'a str]> {
    let rest = match names {
        [root, rest @ ..] if root.eq_ignore_ascii_case("Device") => rest,
        all => all,
    };
    match rest {
        [vendor, company, client, rest @ ..] => {
            let same = [(vendor, "Vendor"), (company, "MSFT"), (client, "DMClient")];
            same.iter().all(|(own, name)| own.eq_ignore_ascii_case(name)).then_some(rest)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_paths_are_known() {
        for path in ["./Device/Vendor/MSFT/DMClient/Provider/A%20B/Unenroll", "./Vendor/MSFT/DMClient/Provider/A/Unenroll"] {
            assert!(is_known(path) && provider(path).is_some(), "{path}");
        }
        for path in ["./Device/Vendor/MSFT/DMClient/Unenroll", "./vendor/msft/dmclient/unenroll/"] {
            assert!(is_known(path) && provider(path).is_none(), "{path}");
        }
    }

    #[test]
    fn other_paths_are_not() {
        for path in ["./Vendor/MSFT/DMClient/Provider/Unenroll", "./User/Vendor/MSFT/DMClient/Provider/A/Unenroll"] {
            assert!(means_unenroll(path) && !is_known(path), "{path}");
        }
        assert!(!means_unenroll("./Device/Vendor/MSFT/DMClient/Provider/A/LinkedEnrollment/Unenroll"));
        assert!(!means_unenroll("./Vendor/Example/Unenroll"));
    }
}
