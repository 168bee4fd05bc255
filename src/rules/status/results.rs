//! DM-STA-013 to DM-STA-016: Results beside the Status of their Get.

use foldhash::{HashMap, HashMapExt};

use crate::rules::answers::{called, last_words};
use crate::rules::flow::Flow;
use crate::rules::{MessageCx, SessionCx, Sink, quoted};
use crate::session::{At, Edge, Exchange};
use crate::syncml::uri::Key;
use crate::syncml::{Command, Side, Tag};

/// A server that confirms Results. Told once per message: it confirms all of them.
pub(in crate::rules) fn status_200_for_results(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for message in cx.readable().filter(|message| message.side() == Some(Side::Server)) {
        let confirms = |status: &Command<'_>| status.code() == Some(200) && status.cmd() == Some(Tag::Results.name());
        let mut statuses = message.statuses().filter(confirms);
        let Some(first) = statuses.next() else { continue };
        let more = match statuses.count() {
            0 => String::new(),
            more => format!(", and {more} more in this message"),
        };
        out.report(message.at(first.0), format!("the server sends Status 200 for Results{more}; expected none"));
    }
}

/// Results that come before the Status of their command.
pub(in crate::rules) fn results_before_status(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for exchange in paired(cx) {
        let (Some(status), Some(results)) = (exchange.statuses.first(), exchange.results.first()) else { continue };
        let Some(command) = cx.session.command_at(exchange.command).filter(|_| results < status) else { continue };
        if !cx.session.has_hole_between(Side::Client, exchange.command.message, results.message) {
            let text = format!("the Results for {} stand before its Status; expected them behind it", called(command));
            out.report(*results, text).related(*status, "the Status");
        }
    }
}

/// A Get that succeeded without Results.
pub(in crate::rules) fn results_missing(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let (flow, mut strays) = (Flow::of(*cx), None);
    for exchange in paired(cx).filter(|exchange| exchange.results.is_empty()) {
        let Some(get) = cx.session.command_at(exchange.command).filter(|command| command.tag() == Tag::Get) else { continue };
        let Some((at, _)) = last_words(*cx, exchange.command).find(|(_, status)| status.code() == Some(200)) else { continue };
        let Some(message) = cx.message(at.message).filter(|message| message.side() == Some(Side::Client)) else { continue };
        let Some(package) = flow.package(Side::Client, message.index) else { continue };
        let before = cx.session.has_hole_between(Side::Client, exchange.command.message, message.index);
        let strays = strays.get_or_insert_with(|| stray_results(*cx));
        let astray = strays.iter().any(|index| *index > exchange.command.message);
        let after = may_come_later(*cx, package.end());
        if !(before || after || astray || message.is_repeated() || flow.aborts(exchange.command.message, &package)) {
            let draft = out.report(at, format!("{} is answered 200, but no Results follow", called(get)));
            draft.related(exchange.command, "the Get");
        }
    }
}

/// Whether what the capture does not show behind a package may hold more of the answer: some clients write Final too
/// early.
fn may_come_later(cx: SessionCx<'_>, end: usize) -> bool {
    let next = cx.messages().skip(end + 1).find(|message| message.side() != Some(Side::Server));
    next.map_or(cx.session.end != Edge::Seen, |next| !next.message.is_readable())
}

/// Results of something whose Status says that it failed.
pub(in crate::rules) fn results_for_failed_get(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let naming = cx.profile.naming();
    for exchange in paired(cx).filter(|exchange| !exchange.results.is_empty()) {
        let mut codes: HashMap<Key<'_>, (At, u16)> = HashMap::new();
        let mut of_all = None;
        for (at, status) in last_words(*cx, exchange.command) {
            let Some(code) = status.code() else { continue };
            let mut refs = status.target_refs().peekable();
            if refs.peek().is_none() {
                best(of_all.get_or_insert((at, code)), (at, code));
            }
            refs.for_each(|uri| best(codes.entry(Key::of(uri, naming)).or_insert((at, code)), (at, code)));
        }
        for at in &exchange.results {
            let Some(results) = cx.session.command_at(*at) else { continue };
            for item in results.items() {
                let uri = item.source().unwrap_or_default();
                let own = if codes.is_empty() { None } else { codes.get(&Key::of(uri, naming)) };
                let status = own.or(of_all.as_ref());
                let Some((status, code)) = status.filter(|(_, code)| !(200..300).contains(code)) else { continue };
                let place = At { message: at.message, node: item.0.id() };
                let text = format!("these Results hold {}, whose Status is {code}", quoted(uri));
                out.report(place, text).related(*status, "the Status");
            }
        }
    }
}

/// Keeps the Status that speaks of success, where one does.
fn best(known: &mut (At, u16), other: (At, u16)) {
    if (200..300).contains(&other.1) {
        *known = other;
    }
}

/// Exchanges whose command has its CmdID for itself.
fn paired<'a>(cx: &SessionCx<'a>) -> impl Iterator<Item = &'a Exchange> + use<'a> {
    let session = cx.session;
    session.exchanges.iter().filter(|exchange| !session.is_ambiguous(exchange.command))
}

/// The messages with Results that belong to no Get, by their references: those of some Get nevertheless.
fn stray_results(cx: SessionCx<'_>) -> Vec<usize> {
    let is_stray = |message: MessageCx<'_>, results: Command<'_>| {
        let command = cx.session.referred(message.index, results).found().filter(|at| !cx.session.is_ambiguous(*at));
        command.and_then(|at| cx.session.command_at(at)).is_none_or(|command| command.tag() != Tag::Get)
    };
    let has_stray = |message: &MessageCx<'_>| {
        let mut results = message.message.doc.of_tag(Tag::Results);
        results.any(|results| is_stray(*message, results))
    };
    cx.readable().filter(has_stray).map(|message| message.index).collect()
}
