//! DM-STA-002, DM-STA-004 and DM-STA-005: the order of Statuses, and that each stands there once.

use foldhash::{HashMap, HashMapExt};

use crate::rules::answers::{answered_cmd, is_last_word};
use crate::rules::{MessageCx, SessionCx, Sink};
use crate::session::{At, Exchange, Lookup};
use crate::syncml::{Command, Side};

/// A Status for the header that stands behind others.
pub(in crate::rules) fn synchdr_status_not_first(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let mut statuses = cx.statuses();
    let Some(first) = statuses.next().filter(|first| !first.is_for_header()) else { return };
    if let Some(header) = statuses.find(|status| status.is_for_header()) {
        let text = format!("the Status for SyncHdr stands behind a Status for {}; expected it first", answered_cmd(first));
        out.report(cx.at(header.0), text).related(cx.at(first.0), "the first Status");
    }
}

/// Statuses in another order than their commands.
pub(in crate::rules) fn status_order(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let mut latest: HashMap<usize, (At, Command<'_>)> = HashMap::new();
    for status in cx.statuses().filter(|status| !status.is_for_header()) {
        let Lookup::Found(command) = cx.session.referred(cx.index, status) else { continue };
        let earlier = cx.session.exchange(command).and_then(|exchange| exchange.statuses.first());
        if earlier != Some(&cx.at(status.0)) || cx.session.is_ambiguous(command) {
            continue;
        }
        match latest.get(&command.message) {
            Some((last, before)) if *last > command => {
                let (this, that) = (answered_cmd(status), answered_cmd(*before));
                let text = format!("the Status for {this} stands behind that for {that}; expected the order of the commands");
                out.report(cx.at(status.0), text)
                    .related(cx.at(before.0), "the Status of a later command")
                    .related(command, "its command");
                return;
            }
            _ => {
                latest.insert(command.message, (command, status));
            }
        }
    }
}

/// A second Status for the same thing.
pub(in crate::rules) fn status_duplicate(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for exchange in cx.session.exchanges.iter().filter(|exchange| exchange.statuses.len() > 1) {
        if !cx.session.is_ambiguous(exchange.command) {
            duplicates_of_command(*cx, exchange, out);
        }
    }
    duplicates_of_header(*cx, out);
}

fn duplicates_of_command(cx: SessionCx<'_>, exchange: &Exchange, out: &mut Sink<'_>) {
    let Some(command) = cx.session.command_at(exchange.command) else { return };
    let expected = expected_statuses(command);
    let mut seen: HashMap<Vec<&str>, (At, usize)> = HashMap::new();
    for at in &exchange.statuses {
        let Some(status) = cx.session.command_at(*at).filter(|status| is_last_word(*status)) else { continue };
        let refs: Vec<&str> = status.target_refs().chain(status.source_refs()).collect();
        let most = expected(&refs);
        let (first, count) = seen.entry(refs).or_insert((*at, 0));
        *count += 1;
        if *count > most && !is_repeated(cx, *first, *at) {
            let (tag, id) = (command.tag().name(), command.cmd_id().unwrap_or_default());
            out.report(*at, format!("Status {count} for {tag} (CmdID {id}); expected {most}"))
                .related(*first, "the first one")
                .related(exchange.command, "the command");
        }
    }
}

/// How many Statuses with these TargetRefs and SourceRefs a command may get: one for each item that they name.
fn expected_statuses<'a>(command: Command<'a>) -> impl Fn(&[&'a str]) -> usize {
    let mut items: HashMap<&str, usize> = HashMap::new();
    for uri in command.items().flat_map(|item| [item.target(), item.source()]).flatten() {
        *items.entry(uri).or_default() += 1;
    }
    let all = command.items().count();
    move |refs| match refs {
        [] => all.max(1),
        refs => refs.iter().filter_map(|uri| items.get(uri)).sum::<usize>().max(1),
    }
}

fn duplicates_of_header(cx: SessionCx<'_>, out: &mut Sink<'_>) {
    let mut seen: HashMap<(Side, usize), At> = HashMap::new();
    for message in cx.readable() {
        for status in message.statuses().filter(|status| status.is_for_header() && is_last_word(*status)) {
            let (Some(side), Some(msg_ref)) = (message.side(), status.msg_ref()) else { continue };
            let Some(answered) = cx.session.message(side.peer(), msg_ref, message.index).found() else { continue };
            let at = message.at(status.0);
            match seen.get(&(side, answered)) {
                Some(first) if is_repeated(cx, *first, at) => {}
                Some(first) => {
                    let text = format!("another Status for SyncHdr of message {msg_ref}; expected 1");
                    out.report(at, text).related(*first, "the first one");
                }
                None => {
                    seen.insert((side, answered), at);
                }
            }
        }
    }
}

/// Whether the second Status comes from a repetition: of its own message, or of the message that it answers.
fn is_repeated(cx: SessionCx<'_>, first: At, second: At) -> bool {
    let (Some(before), Some(after)) = (cx.message(first.message), cx.message(second.message)) else { return false };
    before.index != after.index && (before.message.msg_id() == after.message.msg_id() || after.answers().is_none())
}
