//! DM-STA-006 to DM-STA-009, DM-STA-012, DM-STA-020 and DM-STA-024 to DM-STA-027: the code, and what it is given for.

use super::{code_place, subject};
use crate::rules::answers::answered_cmd;
use crate::rules::{ElementCx, Profile, Sink, quoted};
use crate::syncml::status::{self, Class};
use crate::syncml::{Command, Item, Side, Tag};

/// A code that the closed list of RP 10 does not have.
pub(in crate::rules) fn status_code_unknown(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let (Some(code), Some(data)) = (cx.command().code(), cx.element.child(Tag::Data)) else { return };
    if !is_status_code(code) {
        let text = format!("status code is {}; expected a code of the list, or 1000 to 1999", quoted(data.text().trim()));
        out.report(cx.message.at(data), text);
    }
}

/// A Status whose `Data` is no code.
pub(in crate::rules) fn status_data_not_numeric(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
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

/// A code that the guidance for the command does not list.
pub(in crate::rules) fn status_code_unusual_for_command(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let Some(code) = cx.command().code().filter(|code| is_general(*code)) else { return };
    let Some(tag) = subject(cx).map(|subject| subject.tag) else { return };
    let Some(usual) = usual_codes(tag) else { return };
    let windows = cx.message.profile == Profile::Windows && windows_codes(tag).contains(&code);
    if !(usual.contains(&code) || ANY_COMMAND.contains(&code) || windows) {
        let text = format!("{} is answered with {}, which the guidance for it does not list", tag.name(), described(code));
        out.report(code_place(cx.message, cx.command()), text);
    }
}

/// A code of data synchronization.
pub(in crate::rules) fn ds_only_status(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let Some(code) = cx.command().code() else { return };
    if status::lookup(code).is_some_and(|status| status.class == Class::DataSync) {
        let cmd = answered_cmd(cx.command());
        let text = format!("the Status for {cmd} is {}, a code of data synchronization", described(code));
        out.report(code_place(cx.message, cx.command()), text);
    }
}

/// 212 for a command.
pub(in crate::rules) fn status_212_on_command(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let status = cx.command();
    if status.code() == Some(212) && !status.is_for_header() && status.cmd() != Some(Tag::SyncHdr.name()) {
        let text = format!("the Status for {} is 212 (authentication accepted); expected 200", answered_cmd(status));
        out.report(code_place(cx.message, status), text);
    }
}

/// A version refused without those that are supported.
pub(in crate::rules) fn version_status_without_versions(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let status = cx.command();
    let version = match status.code() {
        Some(505) => "VerDTD",
        Some(513) => "VerProto",
        _ => return,
    };
    if !status.items().filter_map(Item::data).any(|data| data.value().is_some()) {
        let code = status.data().unwrap_or_default();
        let text = format!("status {code} refuses the {version} and lists none that is supported; expected an Item with them");
        out.report(cx.at(), text);
    }
}

/// A command of an Atomic that could not be undone.
pub(in crate::rules) fn rollback_failed(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let status = cx.command();
    if status.code() != Some(516) || cx.message.side() == Some(Side::Server) {
        return;
    }
    let text = format!("{} could not be undone when its Atomic failed (516)", answered_cmd(status));
    let draft = out.report(code_place(cx.message, status), text);
    if let Some((at, _)) = subject(cx).and_then(|subject| subject.command) {
        draft.related(at, "the command");
    }
}

/// A Status for a Status.
pub(in crate::rules) fn status_for_status(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let status = cx.command();
    if status.cmd() == Some(Tag::Status.name()) && status.code() != Some(406) {
        out.report(cx.at(), "this Status answers a Status; expected none, since only commands are answered");
    }
}

/// A Replace that made a node.
pub(in crate::rules) fn unexpected_201_for_replace(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let status = cx.command();
    if status.code() == Some(201)
        && cx.message.side() == Some(Side::Client)
        && subject(cx).is_some_and(|subject| subject.tag == Tag::Replace)
    {
        let text = format!("the Status for {} is 201 (item added); expected 200, since Replace creates nothing", answered_cmd(status));
        out.report(code_place(cx.message, status), text);
    }
}

/// A Status that sends the other side elsewhere.
pub(in crate::rules) fn redirect_status(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let status = cx.command();
    let Some(code) = status.code().filter(|code| (300..=305).contains(code)) else { return };
    // The user said no to a question (DMR 7).
    let is_refusal = || {
        subject(cx).is_some_and(|subject| {
            let asks = |(_, alert): (_, Command<'_>)| alert.code().is_none_or(|code| code == 1101);
            subject.tag == Tag::Alert && subject.command.is_none_or(asks)
        })
    };
    if !(code == 304 && is_refusal()) {
        let to = status.items().find_map(|item| item.target().or_else(|| item.data()?.value()));
        let to = to.map_or("; it does not say where to".to_owned(), |to| format!("; it points to {}", quoted(to)));
        let text = format!("the Status for {} is the redirect {}{to}", answered_cmd(status), described(code));
        out.report(code_place(cx.message, status), text);
    }
}

/// `404 not found`.
fn described(code: u16) -> String {
    status::lookup(code).map_or(code.to_string(), |status| format!("{code} {}", status.name))
}

/// Codes that any command may get: credentials, not executed, in progress.
const ANY_COMMAND: [u16; 4] = [101, 215, 401, 407];

/// Whether a code is valid, and none that another rule speaks of: those of roll-back and redirection, 212, DS codes.
fn is_general(code: u16) -> bool {
    let told = matches!(code, 212 | 216 | 300..=305 | 507 | 516 | 517);
    !told && status::lookup(code).is_some_and(|status| matches!(status.class, Class::Core | Class::General))
}

/// The codes that the device-management representation lists for a command (DMR 6.6), with those whose definition
/// speaks of it (201 for Add and Copy, 201 for Replace is told by a rule of its own).
fn usual_codes(command: Tag) -> Option<&'static [u16]> {
    let codes: &[u16] = match command {
        Tag::Add => &[200, 201, 213, 404, 405, 413, 414, 415, 418, 420, 424, 425, 500],
        Tag::Alert => &[200, 202, 214, 405, 406, 408, 412, 415, 416, 500],
        Tag::Atomic => &[200, 406, 500],
        Tag::Copy => &[200, 201, 403, 405, 406, 414, 418, 420, 425, 500, 510],
        Tag::Delete => &[200, 403, 404, 405, 414, 425],
        Tag::Exec => &[200, 202, 403, 404, 405, 406, 414, 420, 425, 500, 510],
        Tag::Get => &[200, 404, 406, 413, 414, 415, 425, 500],
        Tag::Replace => &[200, 201, 213, 403, 404, 405, 413, 414, 415, 418, 420, 424, 425, 500],
        Tag::Sequence => &[200, 500],
        _ => return None,
    };
    Some(codes)
}

/// What Windows answers besides: its own list of codes is for all commands alike, and writes may be accepted for later.
fn windows_codes(command: Tag) -> &'static [u16] {
    match command {
        Tag::Add | Tag::Replace | Tag::Delete => &[202, 400, 403, 404, 405, 406, 500],
        _ => &[400, 403, 404, 405, 406, 500],
    }
}
