//! Statuses: one for the header and one for each command, in order, with a code that exists (RP 6.4.1 and 10).

use std::collections::HashMap;

use super::finding::Place;
use super::flow::{Flow, Package};
use super::{ElementCx, MessageCx, SessionCx, Sink, quoted};
use crate::session::{At, Exchange, Lookup};
use crate::syncml::status::{self, Class};
use crate::syncml::{Command, Side, Tag};

/// An answer without a Status for the header of the message it answers.
pub(super) fn synchdr_status_missing(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let owes = |message: &MessageCx<'_>| !(message.is_keep_alive() || message.has_alert(1223) || message.is_repeated());
    for message in cx.readable().filter(owes) {
        let Some(answered) = message.answers().filter(|answered| answered.message.is_readable()) else { continue };
        if answered.message.header().is_none_or(|header| header.0.child(Tag::NoResp).is_some()) {
            continue;
        }
        if !message.statuses().any(|status| status.is_for_header() || status.cmd() == Some(Tag::SyncHdr.name())) {
            let text = format!("no Status for SyncHdr of {}; expected it as the first Status", name(answered));
            out.report(Place::Message(message.index), text)
                .related(Place::Message(answered.index), "the message that is answered");
        }
    }
}

/// A Status for the header that stands behind others.
pub(super) fn synchdr_status_not_first(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let mut statuses = cx.statuses();
    let Some(first) = statuses.next().filter(|first| !first.is_for_header()) else { return };
    if let Some(header) = statuses.find(|status| status.is_for_header()) {
        let text = format!("the Status for SyncHdr stands behind a Status for {}; expected it first", answered_cmd(first));
        out.report(cx.at(header.0), text).related(cx.at(first.0), "the first Status");
    }
}

/// A command that the other side ended its package without answering.
pub(super) fn command_status_missing(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let flow = Flow::of(*cx);
    let mut strays = None;
    for message in cx.readable().filter(|message| wants_answers(*message)) {
        let Some(side) = message.side() else { continue };
        let Some(package) = flow.package(side.peer(), message.index + 1) else { continue };
        let Some(end) = cx.message(package.end()) else { continue };
        if flow.aborts(message.index, &package) || flow.refuses(&package) || is_superseded(message, end) {
            continue;
        }
        if package.0.first().and_then(|first| cx.message(*first)).is_some_and(|first| answers_another(first, message)) {
            continue;
        }
        let place = end.message.doc.final_mark().map_or(Place::Message(end.index), |mark| end.at(mark).into());
        for command in unanswered(message) {
            let (tag, id) = (command.tag().name(), command.cmd_id().unwrap_or_default());
            let strays = strays.get_or_insert_with(|| Strays::of(*cx));
            if strays.may_answer(tag, id, &package) {
                continue;
            }
            let peer = side.peer().name();
            let text = format!("{tag} (CmdID {id}) of {} has no Status where the {peer} ends its package", name(message));
            out.report(place, text).related(message.at(command.0), "the command without a Status");
        }
    }
}

/// Statuses in another order than their commands.
pub(super) fn status_order(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
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
pub(super) fn status_duplicate(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
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

/// A code that the closed list of RP 10 does not have.
pub(super) fn status_code_unknown(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let (Some(code), Some(data)) = (cx.command().code(), cx.element.child(Tag::Data)) else { return };
    if !is_status_code(code) {
        let text = format!("status code is {}; expected a code of the list, or 1000 to 1999", quoted(data.text().trim()));
        out.report(cx.message.at(data), text);
    }
}

/// A Status whose `Data` is no code.
pub(super) fn status_data_not_numeric(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    if cx.command().code().is_some() {
        return;
    }
    match cx.element.child(Tag::Data) {
        None => {
            out.report(cx.at(), "Status has no Data; expected a status code such as 200");
        }
        Some(data) => {
            let seen = data.value().map_or("empty".to_owned(), quoted);
            out.report(cx.message.at(data), format!("Data of the Status is {seen}; expected three or four digits"));
        }
    }
}

fn is_status_code(code: u16) -> bool {
    let listed = status::lookup(code).is_some_and(|status| status.class != Class::Reserved);
    listed || (1000..=1999).contains(&code)
}

/// Whether the other side owes Statuses for the commands of a message and will be able to send them.
fn wants_answers(message: MessageCx<'_>) -> bool {
    let silent = message.message.header().is_some_and(|header| header.0.child(Tag::NoResp).is_some());
    let waiting = message.is_keep_alive() || message.answers().is_some_and(MessageCx::is_keep_alive);
    !(silent || waiting || message.commands().any(ends_the_device))
}

/// An Exec after which the device ends all sessions, restarts or erases itself.
pub(super) fn ends_the_device(command: Command<'_>) -> bool {
    const LAST: [&str; 3] = ["/unenroll", "/reboot/rebootnow", "/remotewipe/"];
    let leads_there = |uri: &str| LAST.iter().any(|end| uri.to_ascii_lowercase().contains(end));
    command.tag() == Tag::Exec && command.items().filter_map(|item| item.target()).any(leads_there)
}

/// Whether a message of the same MsgID was sent after it, and before `end`: answers name that one.
fn is_superseded(message: MessageCx<'_>, end: MessageCx<'_>) -> bool {
    let later = message.message.msg_id().zip(message.side()).map(|(id, side)| message.session.message(side, id, end.index));
    later.is_none_or(|later| later.found() != Some(message.index))
}

/// Whether a message says that it answers another one than `message`: what lies between them was not captured.
fn answers_another(answer: MessageCx<'_>, message: MessageCx<'_>) -> bool {
    let named = answer.statuses().find(|status| status.is_for_header()).and_then(Command::msg_ref);
    named.is_some() && named != message.message.msg_id()
}

/// The commands of a message without a Status. Those in a container that is not answered or failed are left out: the
/// container's Status speaks for them.
fn unanswered(message: MessageCx<'_>) -> impl Iterator<Item = Command<'_>> {
    let commands = message.commands().filter(|command| command.tag().is_command());
    commands.filter(move |command| {
        let open = exchange(message, *command).is_some_and(|exchange| exchange.statuses.is_empty());
        let asked = command.cmd_id().is_some_and(|id| id != "0") && command.0.child(Tag::NoResp).is_none();
        open && asked
            && !message.session.is_ambiguous(message.at(command.0))
            && command.container().is_none_or(|container| succeeded(message, container))
    })
}

fn exchange<'a>(message: MessageCx<'a>, command: Command<'_>) -> Option<&'a Exchange> {
    message.session.exchange(message.at(command.0))
}

fn succeeded(message: MessageCx<'_>, container: Command<'_>) -> bool {
    let first = exchange(message, container).and_then(|exchange| exchange.statuses.first());
    let status = first.and_then(|at| message.session.command_at(*at));
    status.and_then(Command::code).is_some_and(|code| (200..300).contains(&code))
}

/// Statuses whose `CmdRef` and `Cmd` fit no command of the message that they name: wrong references, by what they say
/// they answer, with the messages that hold them. The command they mean has its Status.
struct Strays<'a>(HashMap<(&'a str, Option<&'a str>), Vec<usize>>);

impl<'a> Strays<'a> {
    fn of(cx: SessionCx<'a>) -> Strays<'a> {
        let mut strays: HashMap<_, Vec<usize>> = HashMap::new();
        for message in cx.readable() {
            for status in message.statuses() {
                let command = cx.session.referred(message.index, status).found().and_then(|at| cx.session.command_at(at));
                let fits = command.is_some_and(|command| status.cmd().is_none_or(|cmd| cmd == command.tag().name()));
                if let Some(cmd_ref) = status.cmd_ref().filter(|_| !fits) {
                    let messages = strays.entry((cmd_ref, status.cmd())).or_default();
                    if messages.last() != Some(&message.index) {
                        messages.push(message.index);
                    }
                }
            }
        }
        Strays(strays)
    }

    fn may_answer(&self, cmd: &str, cmd_id: &str, package: &Package) -> bool {
        let in_package = |messages: &Vec<usize>| messages.iter().any(|index| package.0.binary_search(index).is_ok());
        [Some(cmd), None].into_iter().filter_map(|cmd| self.0.get(&(cmd_id, cmd))).any(in_package)
    }
}

/// Neither 101 (in progress) nor 213 (chunk accepted): the answer itself comes later.
fn is_last_word(status: Command<'_>) -> bool {
    !matches!(status.code(), Some(101 | 213))
}

/// Whether the second Status comes from a repetition: of its own message, or of the message that it answers.
fn is_repeated(cx: SessionCx<'_>, first: At, second: At) -> bool {
    let (Some(before), Some(after)) = (cx.message(first.message), cx.message(second.message)) else { return false };
    before.index != after.index && (before.message.msg_id() == after.message.msg_id() || after.answers().is_none())
}

/// What a Status says it answers.
fn answered_cmd(status: Command<'_>) -> String {
    let cmd = status.cmd().unwrap_or("a command");
    status.cmd_ref().map_or(cmd.to_owned(), |cmd_ref| format!("{cmd} (CmdRef {cmd_ref})"))
}

/// `the server's message 2`.
fn name(message: MessageCx<'_>) -> String {
    let side = message.side().map_or("peer", Side::name);
    format!("the {side}'s message {}", message.message.msg_id().unwrap_or("without MsgID"))
}
