//! DM-ATM-008 to DM-ATM-014 and DM-ATM-016: how a client reports on an Atomic or a Sequence.

use super::content::is_of_atomic;
use super::is_in_atomic;
use crate::rules::answers::{Strays, answered, answered_cmd, called, last_words, name};
use crate::rules::{ElementCx, SessionCx, Sink};
use crate::session::At;
use crate::syncml::{Command, Side, Tag};

/// A container of the server, with what the client says of it and of the commands directly in it.
struct Report<'a> {
    at: At,
    container: Command<'a>,
    /// Its Status.
    status: Option<(At, u16)>,
    children: Vec<Child<'a>>,
}

/// A command in a container.
struct Child<'a> {
    command: Command<'a>,
    /// Its Statuses; several where its Items fared differently.
    codes: Vec<(At, u16)>,
}

/// All containers of that kind, by the server.
fn reports<'a>(cx: &SessionCx<'a>, kind: Tag) -> impl Iterator<Item = Report<'a>> + use<'a> {
    let cx = *cx;
    cx.session.exchanges.iter().filter_map(move |exchange| {
        let container = cx.session.command_at(exchange.command).filter(|command| command.tag() == kind)?;
        let message = cx.message(exchange.command.message).filter(|message| message.side() == Some(Side::Server))?;
        let codes = |at: At| last_words(cx, at).filter_map(|(at, status)| Some((at, status.code()?)));
        let children = container.nested().map(|command| {
            let at = message.at(command.0);
            Child { command, codes: codes(at).collect() }
        });
        let children = children.collect();
        Some(Report { at: exchange.command, container, status: codes(exchange.command).last(), children })
    })
}

/// Where the code of a Status stands.
fn code_place(cx: SessionCx<'_>, status: At) -> At {
    let data = cx.session.command_at(status).and_then(|status| status.0.child(Tag::Data));
    data.map_or(status, |data| At { node: data.id(), ..status })
}

/// Whether a Status says that a message as a whole was not taken.
fn is_refusal(code: u16) -> bool {
    matches!(code, 401 | 407)
}

fn is_success(code: u16) -> bool {
    (200..300).contains(&code) && !matches!(code, 214..=216)
}

/// A code that makes an Atomic fail; 516 is only what comes of it.
fn is_failure(code: u16) -> bool {
    matches!(code, 300..=515 | 517..=599 | 1400..=1599) && !is_refusal(code)
}

impl<'a> Report<'a> {
    /// All Statuses of the commands in it.
    fn codes(&self) -> impl Iterator<Item = (&Child<'a>, At, u16)> {
        self.children.iter().flat_map(|child| child.codes.iter().map(move |(at, code)| (child, *at, *code)))
    }

    /// Whether it holds an Atomic: then other codes are due, and another rule judges them.
    fn holds_atomic(&self) -> bool {
        self.container.with_nested().skip(1).any(|command| command.tag() == Tag::Atomic)
    }
}

/// An Atomic that succeeded although a command in it failed.
pub(in crate::rules) fn failed_child_but_atomic_ok(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for report in reports(cx, Tag::Atomic).filter(|report| !report.holds_atomic()) {
        let Some((at, 200)) = report.status else { continue };
        let undone = |code: u16| matches!(code, 215 | 216 | 516);
        let wrong = report.codes().find(|(_, _, code)| is_failure(*code) || undone(*code));
        if let Some((child, of_child, code)) = wrong {
            let text = format!("{} is answered 200, but {} in it {code}; expected 507", called(report.container), called(child.command));
            out.report(code_place(*cx, at), text).related(of_child, "the Status of the command in it").related(report.at, "the Atomic");
        }
    }
}

/// An Atomic that failed although no command in it did.
pub(in crate::rules) fn atomic_failed_without_failing_child(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for report in reports(cx, Tag::Atomic).filter(|report| !report.holds_atomic()) {
        let Some((at, 507)) = report.status else { continue };
        let complete = !report.children.is_empty() && report.children.iter().all(|child| !child.codes.is_empty());
        // Windows says so where the commands went well and the commit did not.
        let data = cx.session.command_at(at).and_then(|status| status.0.child(Tag::Data));
        let explained = data.is_some_and(|data| data.attribute("originalerror").is_some());
        if complete && !explained && !report.codes().any(|(_, _, code)| is_failure(code) || is_refusal(code)) {
            let text = format!("{} failed (507), but no command in it has a failure code", called(report.container));
            out.report(code_place(*cx, at), text).related(report.at, "the Atomic");
        }
    }
}

/// A command that succeeded in an Atomic that failed. Told once for each Atomic.
pub(in crate::rules) fn successful_child_in_failed_atomic(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for report in reports(cx, Tag::Atomic).filter(|report| !report.holds_atomic()) {
        let Some((at, 507)) = report.status else { continue };
        let can_be_undone = |child: &Child<'_>| !matches!(child.command.tag(), Tag::Alert | Tag::Exec | Tag::Get);
        let kept = report.codes().find(|(child, of_child, code)| {
            matches!(code, 200 | 201) && can_be_undone(child) && of_child.message >= at.message
        });
        let Some((child, of_child, code)) = kept.filter(|_| report.codes().any(|(_, _, code)| is_failure(code))) else { continue };
        let text = format!("{} is answered {code}, but its Atomic failed; expected 216, 516 or 215", called(child.command));
        out.report(of_child, text).related(at, "the Status of the Atomic");
    }
}

/// A code of Atomics for a command outside of one.
pub(in crate::rules) fn rollback_code_outside_atomic(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let (status, session) = (cx.command(), cx.session());
    let Some(code @ (216 | 507 | 516 | 517)) = status.code() else { return };
    let at = session.referred(cx.message.index, status).found().filter(|at| !session.is_ambiguous(*at));
    let Some((at, command)) = at.and_then(|at| Some((at, session.command_at(at)?))) else { return };
    if command.tag().is_command() && !is_of_atomic(command) && cx.message.side() == Some(Side::Client) {
        let text = format!("the Status for {} is {code}, a code of Atomics, but it stands in none", answered_cmd(status));
        out.report(cx.at(), text).related(at, "the command");
    }
}

/// Atomics in each other that were not refused as they have to be.
pub(in crate::rules) fn nested_atomic_answer(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for report in reports(cx, Tag::Atomic) {
        let (is_outer, is_inner) = (report.holds_atomic(), is_in_atomic(report.container));
        let Some((at, code)) = report.status.filter(|(_, code)| !is_refusal(*code)) else { continue };
        let (expected, place) = match (is_outer, is_inner) {
            (true, false) if code != 507 => ("507", "holds another one"),
            (false, true) if !matches!(code, 500 | 215) => ("500", "stands in another one"),
            (true, true) if !matches!(code, 500 | 507 | 215) => ("500", "stands in another one"),
            _ => continue,
        };
        let text = format!("{} {place} and is answered {code}; expected {expected}", called(report.container));
        out.report(code_place(*cx, at), text).related(report.at, "the Atomic");
    }
}

/// A Sequence that was begun and has another Status than 200.
pub(in crate::rules) fn sequence_status_not_200(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for report in reports(cx, Tag::Sequence).filter(|report| !is_in_atomic(report.container)) {
        let Some((at, code)) = report.status.filter(|(_, code)| *code != 200 && !is_refusal(*code)) else { continue };
        // Commands with the code of the Sequence were refused with it.
        let begun = report.codes().find(|(_, _, of_child)| !(*of_child == 215 || *of_child == code || is_refusal(*of_child)));
        if let Some((child, of_child, _)) = begun {
            let text = format!("{} was begun and is answered {code}; expected 200", called(report.container));
            let draft = out.report(code_place(*cx, at), text);
            draft.related(of_child, format!("{} in it was carried out", called(child.command))).related(report.at, "the Sequence");
        }
    }
}

/// A container of which either itself or none of its commands has a Status.
pub(in crate::rules) fn container_status_missing(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let mut strays = None;
    for answered in answered(*cx) {
        let place = answered.place();
        for container in answered.commands().filter(|command| matches!(command.tag(), Tag::Atomic | Tag::Sequence)) {
            let Some(what) = missing(*cx, answered.message.at(container.0), container) else { continue };
            let strays = strays.get_or_insert_with(|| Strays::of(*cx));
            if container.with_nested().any(|command| strays.may_answer(command, &answered.package)) {
                continue;
            }
            let text = format!("{} of {} {what}", called(container), name(answered.message));
            out.report(place, text).related(answered.message.at(container.0), "the container");
        }
    }
}

/// What has no Status: the container, or all commands in it.
fn missing(cx: SessionCx<'_>, at: At, container: Command<'_>) -> Option<&'static str> {
    let named = |command: Command<'_>| {
        let asked = command.cmd_id().is_some_and(|id| id != "0") && command.0.child(Tag::NoResp).is_none();
        asked && !cx.session.is_ambiguous(At { node: command.0.id(), ..at })
    };
    let statuses = |command: Command<'_>| {
        let exchange = cx.session.exchange(At { node: command.0.id(), ..at });
        exchange.into_iter().flat_map(|exchange| &exchange.statuses)
    };
    let has_status = |command: Command<'_>| statuses(command).next().is_some();
    if !container.with_nested().all(named) {
        return None;
    }
    match (has_status(container), container.nested().any(has_status)) {
        (false, true) => Some("has no Status, but the commands in it have"),
        (true, false) if container.nested().next().is_some() => {
            // Refused as a whole; or too large an answer, which 517 says.
            let mut codes = statuses(container).filter_map(|at| cx.session.command_at(*at)?.code());
            let carried_out = codes.next_back().is_some_and(|code| is_success(code) || code == 507);
            carried_out.then_some("has a Status, but no command in it has")
        }
        _ => None,
    }
}

/// An Atomic whose answer was too large.
pub(in crate::rules) fn response_517(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let status = cx.command();
    if status.code() == Some(517) && cx.message.side() == Some(Side::Client) {
        out.report(cx.at(), format!("{} was rolled back: its answer does not fit into one message (517)", answered_cmd(status)));
    }
}
