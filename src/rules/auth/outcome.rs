//! DM-AUT-015, 016, 018, 020, 021, 026, 029, 033, 034 and 036: what a side was told of its credentials, and what it
//! sends after that.

use super::dialog::{Cred, Dialog, Scheme, Turn, Verdict};
use super::hmac;
use crate::rules::finding::Place;
use crate::rules::security::is_exposed;
use crate::rules::{MessageCx, SessionCx, Sink, quoted};
use crate::syncml::{Command, Header, Side, Tag};

/// The two sides.
const SIDES: [Side; 2] = [Side::Client, Side::Server];

/// A scheme that changes after it was accepted. Where the other side asks for it, that is at fault.
pub(in crate::rules) fn auth_scheme_changed(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let dialog = Dialog::of(*cx);
    for side in SIDES {
        let accepts = |turn: &&Turn<'_>| dialog.verdict_on(turn).is_some_and(Verdict::accepts);
        let accepted = dialog.of_side(side).filter(accepts).find_map(|turn| Some((turn, turn.scheme()?)));
        let Some((first, scheme)) = accepted else { continue };
        let mut later = dialog.turns().filter(|turn| turn.index() > first.index());
        let change = later.find_map(|turn| match turn.side == side {
            true => turn.scheme().filter(|new| *new != scheme).map(|new| (turn.place(), new.name(), "the credentials are")),
            false => {
                let verdict = turn.verdict.filter(|verdict| verdict.refuses())?;
                let chal = verdict.chal.filter(|chal| chal.scheme() != scheme)?;
                Some((turn.cx.at(chal.0).into(), chal.scheme().name(), "this Chal asks for"))
            }
        });
        if let Some((place, name, what)) = change {
            let text = format!("{what} {}, but {} was accepted before; expected the same", quoted(name), quoted(scheme.name()));
            out.report(place, text).related(first.place(), "the credentials that were accepted");
        }
    }
}

/// A message without credentials after 200.
pub(in crate::rules) fn cred_not_repeated_after_200(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let dialog = Dialog::of(*cx);
    for turn in dialog.turns().filter(|turn| turn.cred.is_some()) {
        let Some(verdict) = dialog.verdict_on(turn).filter(|verdict| verdict.code == 200) else { continue };
        let Some(next) = dialog.next(turn).filter(|next| !next.has_credentials() && !next.cx.has_alert(1223)) else { continue };
        let text = "the message has no Cred, though the last one was answered with 200 and not with 212; expected it once more";
        out.report(next.header(), text).related(verdict.at, "the answer to the credentials");
        return;
    }
}

/// Credentials that are not asked for any more.
pub(in crate::rules) fn cred_after_212(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let dialog = Dialog::of(*cx);
    for side in SIDES {
        let mut accepted = dialog.of_side(side).filter(|turn| dialog.verdict_on(turn).is_some_and(|verdict| verdict.code == 212));
        let Some(first) = accepted.next() else { continue };
        let again = dialog.next(first).filter(|next| next.cred.is_some());
        if let Some((next, cred)) = again.and_then(|next| Some((next, next.cred?))) {
            let text = "Cred is sent once more, though 212 accepted it for the session";
            out.at(next.index(), cred.0, text);
        }
    }
}

/// Commands beside a refusal.
pub(in crate::rules) fn commands_in_auth_failure_answer(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(verdict) = Verdict::in_message(*cx).filter(|verdict| verdict.refuses()) else { return };
    // A client that was refused itself begins anew: it may refuse the server in the same message.
    let refused = verdict.of.and_then(|of| cx.in_session().message(of)).and_then(Verdict::in_message);
    if refused.is_some_and(Verdict::refuses) {
        return;
    }
    let others = cx.message.doc.commands().filter(|command| command.tag() != Tag::Status).map(|command| command.0);
    let code = verdict.code;
    out.first_of(cx.index, others, |element| {
        format!("{} stands beside Status {code} for SyncHdr; expected nothing but Statuses", element.name())
    });
}

/// Commands of a refused message that have no Status.
pub(in crate::rules) fn statuses_missing_in_auth_failure_answer(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(verdict) = Verdict::in_message(*cx).filter(|verdict| verdict.refuses() && cx.has_final()) else { return };
    let Some(refused) = verdict.of.and_then(|of| cx.in_session().message(of)).filter(|refused| refused.message.is_readable()) else {
        return;
    };
    if refused.message.header().is_some_and(|header| header.0.child(Tag::NoResp).is_some()) {
        return;
    }
    let refers = |status: Command<'_>, id: &str| {
        status.cmd_ref() == Some(id) && status.msg_ref().is_none_or(|msg| Some(msg) == refused.message.msg_id())
    };
    let open = |command: &Command<'_>| {
        let id = command.cmd_id().filter(|_| command.0.child(Tag::NoResp).is_none());
        command.tag().is_command() && id.is_some_and(|id| !cx.statuses().any(|status| refers(status, id)))
    };
    let mut missing = refused.message.doc.commands().filter(open);
    if let Some(first) = missing.next() {
        let all: Vec<&str> = std::iter::once(first).chain(missing).map(|command| command.tag().name()).take(8).collect();
        let text = format!("Status {} refuses the message, but {} has no Status; expected one for each command", verdict.code, all.join(", "));
        out.report(cx.at(verdict.status.0), text).related(refused.at(first.0), "the first command without one");
    }
}

/// 212 for a message that was authenticated by its MAC.
pub(in crate::rules) fn status_212_for_mac(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let dialog = Dialog::of(*cx);
    for turn in dialog.turns() {
        let Some(verdict) = turn.verdict.filter(|verdict| verdict.code == 212) else { continue };
        let of = dialog.turns().find(|before| Some(before.index()) == verdict.of);
        if of.is_some_and(|of| of.mac.is_some() && of.cred.is_none()) {
            let text = "a message with x-syncml-hmac is answered with 212; expected 200 with the next nonce";
            out.report(verdict.at, text);
        }
    }
}

/// A MAC that is not there any more.
pub(in crate::rules) fn hmac_dropped(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let dialog = Dialog::of(*cx);
    for side in SIDES {
        let Some(first) = dialog.of_side(side).find(|turn| turn.mac.is_some()) else { continue };
        let mut later = dialog.of_side(side).filter(|turn| turn.index() > first.index());
        let bare = later.find(|turn| turn.mac.is_none() && hmac::is_known(turn.cx.message));
        if let Some(bare) = bare {
            let text = "the message has no x-syncml-hmac, but an earlier one of this side had; expected it in each";
            out.report(Place::Message(bare.index()), text).related(Place::Message(first.index()), "the first message with it");
        }
    }
}

/// A server that anybody on the way could be.
pub(in crate::rules) fn server_not_authenticated(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let dialog = Dialog::of(*cx);
    if dialog.of_side(Side::Server).any(Turn::has_credentials) {
        return;
    }
    let exposed = dialog.of_side(Side::Server).filter(|turn| turn.cx.message.http.as_ref().is_some_and(is_exposed));
    let manages = |command: &Command<'_>| command.tag().is_command() && command.tag() != Tag::Alert;
    let first = exposed.into_iter().find_map(|turn| Some((turn, turn.cx.message.doc.commands().find(manages)?)));
    if let Some((turn, command)) = first {
        let text = format!("the server sends this {} without TLS and without credentials of its own", command.tag().name());
        out.at(turn.index(), command.0, text);
    }
}

/// 401 for missing credentials, 407 for wrong ones.
pub(in crate::rules) fn code_401_407_confused(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let dialog = Dialog::of(*cx);
    for refusal in dialog.refusals() {
        let Some(refused) = refusal.refused else { continue };
        let asked = refusal.verdict.chal.map(|chal| chal.scheme());
        let what = match (refusal.verdict.code, refused.scheme()) {
            (407, Some(scheme)) if asked.is_none_or(|asked| asked == scheme) => "407 (credentials missing) for a message that has some; expected 401",
            (401, None) if !may_have_others(refused, asked) => "401 (credentials wrong) for a message that has none; expected 407",
            _ => continue,
        };
        out.report(refusal.verdict.at, what);
    }
}

/// Whether a message without `Cred` may have had credentials elsewhere: in an HTTP header, perhaps one that the
/// recording left out.
fn may_have_others(turn: &Turn<'_>, asked: Option<Scheme<'_>>) -> bool {
    let http = turn.cx.message.http.as_ref();
    let authorized = http.is_some_and(|http| http.head.header("authorization").is_some());
    authorized || (asked == Some(Scheme::Mac) && !hmac::is_known(turn.cx.message))
}

/// A user that becomes another one.
pub(in crate::rules) fn username_changes(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let dialog = Dialog::of(*cx);
    for side in SIDES {
        let name = |turn: &Turn<'_>| turn.cx.message.header().and_then(Header::source_name).map(str::to_owned);
        if !changed(dialog, side, name, "the LocName of Source", out) {
            let user = |turn: &Turn<'_>| turn.cred.and_then(Cred::basic).map(|(user, _)| user);
            changed(dialog, side, user, "the user of Cred", out);
        }
    }
}

/// Reports the first message whose `user` is another than the first one's.
fn changed(
    dialog: &Dialog<'_>,
    side: Side,
    user: impl Fn(&Turn<'_>) -> Option<String>,
    what: &str,
    out: &mut Sink<'_>,
) -> bool {
    let mut named = dialog.of_side(side).filter_map(|turn| Some((turn, user(turn)?)));
    let Some((first, name)) = named.next() else { return false };
    let Some((other, _)) = named.find(|(_, other)| *other != name) else { return false };
    out.report(other.header(), format!("{what} is another than before; expected the same user in the whole session"))
        .related(first.header(), "the first message that names one");
    true
}
