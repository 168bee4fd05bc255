//! DM-STA-028 and DM-STA-029: what Windows refuses with 400, and a client let pass.

use crate::rules::answers::{Answered, answered, name};
use crate::rules::finding::Place;
use crate::rules::{SessionCx, Sink, quoted};
use crate::syncml::{Command, Element, Side, Tag};

/// An element that is no command, and nothing in the answer refuses it.
pub(in crate::rules) fn non_command_element_not_rejected(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for answered in answered(*cx).iter().filter(|answered| of_server(answered) && !refuses_something(answered)) {
        let body = answered.message.message.doc.sync_body().into_iter();
        let containers = answered.commands().filter(|command| command.tag().is_container());
        let places = body.chain(containers.filter(|container| !failed(answered, *container)).map(|container| container.0));
        let stranger = places.flat_map(|place| place.children()).find(|child| is_no_command(*child));
        if let Some(stranger) = stranger {
            let text = format!("nothing here refuses the {} of {}; expected status 400", quoted(stranger.name()), name(answered.message));
            out.report(Place::Message(answered.end.index), text)
                .related(answered.message.at(stranger), "the element that is no command");
        }
    }
}

/// A command without CmdID, and nothing in the answer refuses it.
pub(in crate::rules) fn missing_cmdid_not_rejected(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for answered in answered(*cx).iter().filter(|answered| of_server(answered) && !refuses_something(answered)) {
        let Some(command) = answered.commands().find(|command| command.cmd_id().is_none()) else { continue };
        let tag = command.tag().name();
        let text = format!("nothing here refuses the {tag} without CmdID of {}; expected status 400", name(answered.message));
        out.report(Place::Message(answered.end.index), text)
            .related(answered.message.at(command.0), "the command without CmdID");
    }
}

fn of_server(answered: &Answered<'_>) -> bool {
    answered.message.side() == Some(Side::Server) && answered.message.message.header().is_some()
}

/// Whether a 400 stands in the answer. With a blank reference it may be for anything.
fn refuses_something(answered: &Answered<'_>) -> bool {
    answered.statuses().any(|status| status.code() == Some(400))
}

/// Whether a container has a Status that is no success.
fn failed(answered: &Answered<'_>, container: Command<'_>) -> bool {
    let session = answered.message.session;
    let exchange = session.exchange(answered.message.at(container.0));
    let mut statuses = exchange.into_iter().flat_map(|exchange| &exchange.statuses).filter_map(|at| session.command_at(*at));
    statuses.any(|status| status.code().is_some_and(|code| !(200..300).contains(&code)))
}

/// A child of `SyncBody`, `Atomic` or `Sequence` where a command has to stand. A name that is only in the wrong case and
/// elements of other namespaces are none of ours.
fn is_no_command(element: Element<'_>) -> bool {
    let in_body = || element.parent().is_some_and(|parent| parent.tag() == Tag::SyncBody);
    match element.tag() {
        Tag::Other => {
            let only_case = Tag::ALL.iter().any(|tag| tag.name().eq_ignore_ascii_case(element.name()));
            let namespace = element.parent().map(|parent| parent.namespace());
            Some(element.namespace()) == namespace && !only_case
        }
        Tag::Status | Tag::Results | Tag::Final => !in_body(),
        Tag::CmdID | Tag::NoResp | Tag::Meta | Tag::Cred => in_body(),
        tag => !tag.is_command(),
    }
}
