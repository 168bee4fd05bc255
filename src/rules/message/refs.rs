//! DM-MSG-012 to DM-MSG-018 and DM-MSG-021: what a Status or Results refers to.

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use super::{Answer, HEADER, answers, listed, shown};
use crate::rules::finding::Place;
use crate::rules::{Draft, ElementCx, SessionCx, Severity, Sink, quoted};
use crate::session::{Lookup, Session};
use crate::syncml::{Command, Side, Tag};

/// A MsgRef that names no message of the other side. Told once per value and message.
pub(in crate::rules) fn msgref_unknown(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let mut told = HashSet::new();
    let mut lists: HashMap<usize, String> = HashMap::new();
    for answer in answers(cx).filter(|answer| answer.message.is_absent()) {
        let index = answer.cx.index;
        let (Some(side), Some(id)) = (answer.cx.side(), answer.command.msg_ref()) else { continue };
        if told.insert((index, id)) {
            let sent = lists.entry(index).or_insert_with(|| sent_before(cx.session, side.peer(), index));
            let peer = side.peer().name();
            let text = format!("MsgRef {} names no message of the {peer}, which has sent {sent}", shown(id));
            report_child(out, answer, Tag::MsgRef, text);
        }
    }
}

fn sent_before(session: &Session, side: Side, index: usize) -> String {
    let before = session.of(side).take_while(|(number, _)| *number < index);
    let mut ids = before.filter_map(|(_, message)| message.msg_id()).peekable();
    if ids.peek().is_some() { listed("MsgID", ids) } else { "nothing yet".into() }
}

/// A Status for an older message that was answered in full before. Told once per message.
pub(in crate::rules) fn msgref_not_latest(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let mut told = HashSet::new();
    for answer in answers(cx).filter(|answer| answer.command.tag() == Tag::Status) {
        let (index, session) = (answer.cx.index, cx.session);
        let (Lookup::Found(named), Some((latest, message))) = (answer.message, session.answered_by(index)) else { continue };
        if named < latest && !told.contains(&index) && was_answered(session, named, index) {
            told.insert(index);
            let (seen, expected) = (answer.command.msg_ref().unwrap_or_default(), message.msg_id());
            let expected = expected.map_or_else(String::new, |id| format!("; the message to answer is {}", shown(id)));
            let text = format!("MsgRef {} names a message that was answered in full before{expected}", shown(seen));
            report_child(out, answer, Tag::MsgRef, text).related(Place::Message(named), "the message it names");
        }
    }
}

/// A CmdRef that names no command of the message that MsgRef names.
pub(in crate::rules) fn cmdref_unknown(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let mut lists: HashMap<usize, String> = HashMap::new();
    for answer in answers(cx) {
        let (Lookup::Found(message), Some(cmd_ref)) = (answer.message, answer.cmd_ref) else { continue };
        if cmd_ref == HEADER || !cx.session.command(message, cmd_ref).is_absent() {
            continue;
        }
        let Some(named) = cx.session.messages.get(message) else { continue };
        let list = || listed("CmdID", named.doc.all_commands().filter_map(Command::cmd_id));
        let has = lists.entry(message).or_insert_with(list);
        let msg_id = named.msg_id().unwrap_or_default();
        let text = format!("CmdRef {} names no command of message {}, which has {has}", shown(cmd_ref), shown(msg_id));
        let draft = report_child(out, answer, Tag::CmdRef, text);
        draft.related(Place::Message(message), "the message it names");
        help_with_msg_ref(draft, answer, message);
    }
}

/// A Status whose Cmd is not the name of the command it refers to.
pub(in crate::rules) fn cmd_name_mismatch(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for answer in answers(cx).filter(|answer| answer.command.tag() == Tag::Status && !answer.command.is_for_header()) {
        let Some(cmd) = answer.command.cmd().filter(|cmd| *cmd != Tag::SyncHdr.name()) else { continue };
        let Some((at, command)) = answer.referred else { continue };
        let refused = cmd.eq_ignore_ascii_case("unknown") && answer.command.code() == Some(400);
        if cmd != command.0.name() && !refused {
            let id = answer.cmd_ref.unwrap_or_default();
            let text = format!("Cmd is {}, but command {} is a {}", quoted(cmd), shown(id), command.0.name());
            let draft = report_child(out, answer, Tag::Cmd, text);
            draft.related(at, "the command it answers");
            help_with_msg_ref(draft, answer, at.message);
        }
    }
}

/// A Status or Results without CmdRef.
pub(in crate::rules) fn cmdref_missing(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let answer = cx.command();
    if answer.cmd_ref().is_some() || answer.code() == Some(400) || is_default_results(cx) {
        return;
    }
    let place = cx.element.child(Tag::CmdRef).map_or(cx.at(), |empty| cx.message.at(empty));
    if answer.is_for_header() {
        let draft = out.report(place, "the Status of the SyncHdr has no CmdRef; expected 0");
        draft.at_most(Severity::Info).help("Add <CmdRef>0</CmdRef>.");
    } else {
        let text = format!("this {} has no CmdRef, so nothing says which command it answers", cx.element.name());
        out.report(place, text);
    }
}

/// CmdRef 0 without Cmd SyncHdr, or the reverse.
pub(in crate::rules) fn cmdref_zero_mismatch(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let answer = cx.command();
    let (Some(cmd_ref), Some(cmd)) = (answer.cmd_ref(), answer.cmd()) else { return };
    let header = Tag::SyncHdr.name();
    let text = match (cmd_ref == HEADER, cmd == header) {
        (true, false) => format!("CmdRef is 0, which stands for the SyncHdr, but Cmd is {}", quoted(cmd)),
        (false, true) => format!("Cmd is SyncHdr, but CmdRef is {}; expected 0", shown(cmd_ref)),
        _ => return,
    };
    out.report(cx.element.child(Tag::CmdRef).map_or(cx.at(), |element| cx.message.at(element)), text);
}

/// A Status without MsgRef; Results without one that then mean message 1.
pub(in crate::rules) fn msgref_missing(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    if cx.command().msg_ref().is_some() {
        return;
    }
    let place = cx.element.child(Tag::MsgRef).map_or(cx.at(), |empty| cx.message.at(empty));
    let latest = cx.session().answered_by(cx.message.index).and_then(|(_, message)| message.msg_id());
    match (cx.element.tag(), latest) {
        (Tag::Status, Some(id)) => drop(out.report(place, format!("this Status has no MsgRef; the message before it is {}", shown(id)))),
        (Tag::Status, None) => drop(out.report(place, "this Status has no MsgRef")),
        (_, Some(id)) if id != "1" => {
            let text = format!("these Results have no MsgRef and so mean message 1; the message before them is {}", shown(id));
            out.report(place, text).at_most(Severity::Warning);
        }
        _ => {}
    }
}

/// Results for a command that has none.
pub(in crate::rules) fn results_for_other_command(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for answer in answers(cx).filter(|answer| answer.command.tag() == Tag::Results) {
        let Some((at, command)) = answer.referred else { continue };
        if !matches!(command.tag(), Tag::Get | Tag::Exec) {
            let id = answer.cmd_ref.unwrap_or_default();
            let text = format!("these Results are for command {}, a {}; only a Get has Results", shown(id), command.0.name());
            report_child(out, answer, Tag::CmdRef, text).related(at, "the command it answers");
        }
    }
}

fn report_child<'s>(out: &'s mut Sink<'_>, answer: Answer<'_>, tag: Tag, text: String) -> &'s mut Draft {
    let element = answer.command.0.child(tag).unwrap_or(answer.command.0);
    out.at(answer.cx.index, element, text)
}

/// Says so when the reference fits the message that was really answered: then only MsgRef is wrong.
fn help_with_msg_ref(draft: &mut Draft, answer: Answer<'_>, named: usize) {
    let session = answer.cx.session;
    let Some((latest, message)) = session.answered_by(answer.cx.index).filter(|(latest, _)| *latest != named) else { return };
    let Some((msg_id, cmd_ref)) = message.msg_id().zip(answer.cmd_ref) else { return };
    let command = session.command(latest, cmd_ref).found().and_then(|at| session.command_at(at));
    if let Some(command) = command.filter(|command| answer.command.cmd().is_none_or(|cmd| cmd == command.0.name())) {
        let name = command.0.name();
        draft.help(format!("Write MsgRef {}: command {} of that message is a {name}.", shown(msg_id), shown(cmd_ref)));
    }
}

/// Whether the header and every command of a message had their final Status before message `before`.
fn was_answered(session: &Session, message: usize, before: usize) -> bool {
    let Some(named) = session.messages.get(message) else { return false };
    let Some((side, msg_id)) = named.side.zip(named.msg_id()) else { return false };
    let commands = named.doc.all_commands().filter(|command| command.tag().is_command());
    let mut open: HashSet<&str> = commands.filter_map(Command::cmd_id).chain([HEADER]).collect();
    let between = session.messages.get(message..before).unwrap_or_default();
    for answer in between.iter().filter(|answer| answer.side == Some(side.peer())) {
        let is_final = |status: &Command<'_>| !matches!(status.code(), None | Some(101 | 202 | 213));
        for status in answer.doc.statuses().filter(is_final).filter(|status| status.msg_ref() == Some(msg_id)) {
            let cmd_ref = if status.is_for_header() { Some(HEADER) } else { status.cmd_ref() };
            cmd_ref.map(|cmd_ref| open.remove(cmd_ref));
        }
    }
    open.is_empty()
}

/// Results without CmdRef mean command 1 (RP 6.1.5): fine where that is a Get.
fn is_default_results(cx: &ElementCx<'_>) -> bool {
    let peer = cx.session().answered_by(cx.message.index);
    let first = peer.and_then(|(index, _)| cx.session().command(index, "1").found());
    let first = first.and_then(|at| cx.session().command_at(at));
    cx.element.tag() == Tag::Results && first.is_some_and(|command| command.tag() == Tag::Get)
}
