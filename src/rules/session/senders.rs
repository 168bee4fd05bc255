//! DM-SES-007 and DM-SES-008: which side may send what (DMP 8).

use super::{from_client, is_dev_info};
use crate::rules::finding::named;
use crate::rules::{ElementCx, Severity, Sink, quoted};
use crate::syncml::uri::Key;
use crate::syncml::{Command, Item, Side, Tag};

/// A command that only a server sends.
pub(in crate::rules) fn client_sends_forbidden_command(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let command = cx.command();
    if !from_client(cx.message) || command.container().is_some() {
        return;
    }
    let naming = cx.message.profile.naming();
    let is_own = |uri: &str| is_dev_info(&Key::node(uri, naming), naming);
    match command.tag() {
        // Nodes beside the device information are what some clients add to it.
        Tag::Replace if items(command).any(|(_, uri)| is_own(uri)) => {}
        Tag::Replace => {
            if let Some((item, uri)) = items(command).next() {
                let text = format!("the client sends a Replace of {}; expected nodes of ./DevInfo alone", quoted(uri));
                out.at(cx.message.index, item.0, text).at_most(Severity::Warning);
            }
        }
        // That is device information in the wrong form: DM-SES-004.
        Tag::Add if items(command).next().is_some() && items(command).all(|(_, uri)| is_own(uri)) => {}
        _ => {
            let text = format!("the client sends {}; expected Replace of ./DevInfo, Results, Alert and Status alone", named(command));
            out.report(cx.at(), text);
        }
    }
}

fn items<'a>(command: Command<'a>) -> impl Iterator<Item = (Item<'a>, &'a str)> {
    command.items().filter_map(|item| Some((item, item.source().or(item.target())?)))
}

/// Results of a server: nobody asked it for anything.
pub(in crate::rules) fn server_sends_results(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    if cx.message.side() == Some(Side::Server) && cx.message.message.header().is_some() {
        out.report(cx.at(), "the server sends Results, although a client never asks it for anything; expected none");
    }
}
