//! DM-UNE-011 to 014, 018 and 025: the Exec by which a server sends a device away.

use super::node::{is_known, means_unenroll, provider};
use super::{leaves, sends_away};
use crate::rules::{CaptureCx, ElementCx, MessageCx, SessionCx, Severity, Sink, quoted};
use crate::syncml::{Command, Side, Tag, uri};

/// Add, Replace or Delete of a node that can only be run.
pub(in crate::rules) fn unenroll_wrong_verb(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    if let Some(item) = cx.command().items().find(|item| leaves(*item)) {
        out.report(cx.message.at(item.0), format!("{} of the Unenroll node; expected Exec", cx.element.name()));
    }
}

/// An Exec of Unenroll that does not name the provider.
pub(in crate::rules) fn unenroll_data_missing(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for item in cx.command().items().filter(|item| leaves(*item)) {
        if item.data().and_then(|data| data.value()).is_none() {
            let finding = out.report(cx.message.at(item.0), "Exec of Unenroll has no Data; expected the PROVIDER-ID");
            if item.target().and_then(provider).is_some() {
                finding.at_most(Severity::Info);
            }
        }
    }
}

/// An Exec of Unenroll whose Data names another provider than its path, or than the enrollment.
pub(in crate::rules) fn unenroll_data_not_providerid(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let naming = cx.session.profile.naming();
    let enrolled = cx.enrolled().and_then(|enrolled| enrolled.provider.as_deref());
    for message in cx.session.readable() {
        let execs = message.commands().filter(|command| command.tag() == Tag::Exec);
        for item in execs.flat_map(Command::items).filter(|item| leaves(*item)) {
            let Some((data, value)) = item.data().and_then(|data| Some((data, data.value()?))) else { continue };
            let differs = |name: &str| !uri::Key::same(value, name, naming);
            let named = item.target().and_then(provider).filter(|named| differs(named));
            let text = match (named, enrolled.filter(|enrolled| differs(enrolled))) {
                (Some(named), _) => format!("the path names the provider {}", quoted(named)),
                (None, Some(enrolled)) => format!("the device was enrolled with the provider {}", quoted(enrolled)),
                (None, None) => continue,
            };
            out.report(message.at(data), format!("Data of the Exec is {}, but {text}", quoted(value)));
        }
    }
}

/// An Unenroll node at a path that does not exist.
pub(in crate::rules) fn unenroll_path(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for item in cx.command().items() {
        let Some(target) = item.target().filter(|target| means_unenroll(target) && !is_known(target)) else { continue };
        let place = item.0.child(Tag::Target).and_then(|target| target.child(Tag::LocURI)).unwrap_or(item.0);
        let text = format!("{} is no Unenroll node; expected ./Device/Vendor/MSFT/DMClient/Provider/ID/Unenroll", quoted(target));
        out.report(cx.message.at(place), text);
    }
}

/// An Exec of Unenroll among other commands.
pub(in crate::rules) fn unenroll_with_other_commands(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
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
pub(in crate::rules) fn unenroll_outside_client_session(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
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
