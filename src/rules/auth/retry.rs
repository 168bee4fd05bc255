//! DM-AUT-013, 014, 022 to 025 and 032: what follows on a challenge (DMP 9).

use super::dialog::{Dialog, Refusal, Scheme, Turn};
use super::hmac;
use crate::rules::finding::Place;
use crate::rules::flow::Flow;
use crate::rules::{CaptureCx, MessageCx, SessionCx, Severity, Sink, options, quoted};
use crate::session::{Edge, Outcome};
use crate::syncml::{Command, Item, Side, Tag};

/// A session that begins later than this after a challenge, in nanoseconds, is another attempt and no answer.
const LATER: u64 = 60_000_000_000;
/// Status of a challenge that the other side wants to negotiate about (RP 6.4.1).
const NEGOTIATES: u16 = 406;

/// Credentials of another scheme than was asked for.
pub(in crate::rules) fn cred_type_differs_from_challenge(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let dialog = Dialog::of(*cx);
    for Refusal { turn, verdict, next, .. } in dialog.refusals() {
        let (Some(chal), Some(next)) = (verdict.chal, next) else { continue };
        let Some(scheme) = next.scheme().filter(|_| !negotiates(next)) else { continue };
        let asked = chal.scheme();
        let is_seen = asked != Scheme::Mac || hmac::is_known(next.cx.message);
        if scheme != asked && is_seen {
            let text = format!("the credentials are {}, the challenge asks for {}", quoted(scheme.name()), quoted(asked.name()));
            out.report(next.place(), text).related(turn.cx.at(chal.0), "the challenge");
        }
    }
}

fn negotiates(next: &Turn<'_>) -> bool {
    next.cx.statuses().any(|status| status.code() == Some(NEGOTIATES))
}

/// A client that goes on without credentials.
pub(in crate::rules) fn cred_missing_after_challenge(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let dialog = Dialog::of(*cx);
    for Refusal { turn, verdict, next, .. } in dialog.refusals().filter(|refusal| refusal.turn.side == Side::Server) {
        let (Some(chal), Some(next)) = (verdict.chal, next) else { continue };
        let hidden = chal.scheme() == Scheme::Mac && !hmac::is_known(next.cx.message);
        if !next.has_credentials() && !hidden && !negotiates(next) && !next.cx.has_alert(1223) {
            let text = format!("the message has no credentials after Status {}; expected `{}`", verdict.code, chal.scheme().name());
            out.report(next.header(), text).related(turn.cx.at(chal.0), "the challenge");
        }
    }
}

/// A session that begins in place of an answer to the challenge that ended the one before. What is wrong with an answer
/// in the same session is told by rules on MsgID, SessionID and Status.
pub(in crate::rules) fn retry_form(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let dialog = Dialog::of(cx.session);
    let session = cx.session.session;
    let Some(first) = dialog.turns().next() else { return };
    let mut past = cx.with_server();
    let Some(past) = past.next().filter(|past| past.auth.as_ref().is_some_and(|auth| auth.challenged)) else { return };
    if session.start != Edge::Seen || first.side != Side::Client {
        return;
    }
    let Some(pause) = past.ended.zip(session.started()).and_then(|(ended, started)| u64::try_from(started.0.checked_sub(ended.0)?).ok()) else {
        return;
    };
    let text = format!("a new session begins after the challenge that ended session s{}; expected the answer in that session", past.number);
    let finding = out.report(first.header(), text);
    if pause > LATER {
        finding.at_most(Severity::Info);
    }
}

/// A retry that does not begin anew.
pub(in crate::rules) fn package1_not_resent(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let dialog = Dialog::of(*cx);
    let flow = Flow::of(*cx);
    for Refusal { turn, refused, next, .. } in dialog.refusals() {
        let (Some(refused), Some(next)) = (refused, next.filter(|next| next.has_credentials())) else { continue };
        let first = dialog.of_side(Side::Client).next().is_some_and(|first| first.index() == refused.index());
        if !first || cx.session.start != Edge::Seen {
            continue;
        }
        let Some(package) = flow.package(Side::Client, next.index()) else { continue };
        let sent = || package.0.iter().filter_map(|index| cx.message(*index));
        let mut missing = Vec::new();
        if opens(refused.cx) && !sent().any(opens) {
            missing.push("the session Alert");
        }
        if tells_of_device(refused.cx) && !sent().any(tells_of_device) {
            missing.push("the DevInfo Replace");
        }
        if !missing.is_empty() {
            let text = format!("the answer to the challenge lacks {}; expected package 1 once more", missing.join(" and "));
            out.report(Place::Message(next.index()), text).related(Place::Message(turn.index()), "the challenge");
        }
    }
}

fn opens(cx: MessageCx<'_>) -> bool {
    cx.has_alert(1200) || cx.has_alert(1201)
}

fn tells_of_device(cx: MessageCx<'_>) -> bool {
    let items = cx.message.doc.of_tag(Tag::Replace).flat_map(Command::items);
    let uris = items.filter_map(|item: Item<'_>| item.source().or(item.target()));
    uris.into_iter().any(|uri| uri.to_ascii_lowercase().contains("devinfo/"))
}

/// Refusal upon refusal.
pub(in crate::rules) fn authentication_loop(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let most = out.number(options::authentication_loop::REFUSALS) as usize;
    let dialog = Dialog::of(cx.session);
    for side in [Side::Server, Side::Client] {
        let refusals: Vec<Refusal<'_, '_>> = dialog.refusals().filter(|refusal| refusal.turn.side == side).collect();
        if let Some(last) = refusals.get(most.saturating_sub(1)) {
            let text = format!("the {} refuses the credentials {most} times in this session", side.name());
            let finding = out.report(last.verdict.at, text);
            for before in refusals.iter().take(most.saturating_sub(1)) {
                finding.related(before.verdict.at, "a refusal before it");
            }
            return;
        }
    }
    let session = cx.session.session;
    if session.outcome != Outcome::AuthFailed {
        return;
    }
    let past = cx.with_server();
    let failed = past.take_while(|past| past.auth.as_ref().is_some_and(|auth| auth.failed)).take(most).count();
    // Told once for a row of failures.
    if failed + 1 == most {
        out.report(Place::Session, format!("{most} sessions of this device in a row end with refused credentials"));
    }
}

/// Credentials with a nonce that may be old, refused for good.
pub(in crate::rules) fn single_failure_not_rechallenged(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let dialog = Dialog::of(*cx);
    let Some(first) = dialog.of_side(Side::Client).find(|turn| turn.has_credentials()) else { return };
    let challenged = dialog.of_side(Side::Server).any(|turn| {
        turn.index() < first.index() && turn.verdict.is_some_and(|verdict| verdict.chal.is_some())
    });
    let Some(verdict) = dialog.verdict_on(first) else { return };
    let digest = matches!(first.scheme(), Some(Scheme::Md5 | Scheme::Mac));
    if digest && !challenged && cx.session.start == Edge::Seen && verdict.code == 403 && verdict.chal.is_none() {
        let text = "the first digest of the session is refused with 403 and no challenge; expected 401 with a new nonce";
        out.report(verdict.at, text).related(first.place(), "the credentials");
    }
}

/// A challenge to a server that has ended the session.
pub(in crate::rules) fn lone_challenge_from_client(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let dialog = Dialog::of(*cx);
    for turn in dialog.of_side(Side::Client) {
        let Some(verdict) = turn.verdict.filter(|verdict| verdict.refuses()) else { continue };
        let alone = turn.cx.message.doc.commands().count() == 1;
        let closed = |peer: &Turn<'_>| {
            let asks = |command: Command<'_>| command.tag().is_command() || command.0.child(Tag::Chal).is_some();
            peer.cx.has_final() && !peer.cx.message.doc.commands().any(asks)
        };
        let answered = dialog.turns().find(|peer| Some(peer.index()) == verdict.of);
        if alone && answered.is_some_and(closed) {
            let text = format!("Status {} stands alone, in answer to a server that had nothing more to do", verdict.code);
            out.at(turn.index(), verdict.status.0, text);
        }
    }
}

