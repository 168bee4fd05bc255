//! DM-WIN-003 to DM-WIN-005: for whom a session is, and whether its commands are for the same.

use super::after;
use super::known::{commands_of_server, providers};
use super::request::has_word;
use crate::rules::alert;
use crate::rules::{CaptureCx, MessageCx, SessionCx, Severity, Sink, quoted};
use crate::session::Session;
use crate::syncml::uri::{Key, Naming};
use crate::syncml::{Command, Element, Side, Tag};

/// Commands for the user in a session without one.
pub(in crate::rules) fn user_target_without_user(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let status = alert::login_status(*cx);
    let machine = || cx.session.of(Side::Client).find_map(|(index, message)| {
        let head = message.http.as_ref().and_then(|http| http.request_head())?;
        has_word(head, "mode=machine").then_some(index)
    });
    let nobody = |word: &str| word.eq_ignore_ascii_case("others") || word.eq_ignore_ascii_case("none");
    let why = match (status, machine()) {
        (Some((_, word)), _) if nobody(word) => format!("LoginStatus is {}", quoted(word)),
        (None, Some(_)) => "its requests say mode=Machine".to_owned(),
        _ => return,
    };
    let text = |name: &str| format!("{name} below ./User in a session without a user ({why})");
    if let (Some(draft), Some((at, _))) = (first_below(*cx, out, &["User/"], text), status) {
        draft.related(at, "who is logged in");
    }
}

/// Commands that a session of user or device synchronization is not for. Nodes without `./User` and `./Device` are
/// another rule's.
pub(in crate::rules) fn command_outside_synctype(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let Some((at, kind)) = alert::sync_type(*cx) else { return };
    let (wrong, expected) = match kind.to_ascii_lowercase().as_str() {
        "user" => (["Device/"], "./User"),
        "device" => (["User/"], "./Device"),
        _ => return,
    };
    let text = |name: &str| format!("{name} below ./{} in a session of {kind} synchronization; expected {expected}", wrong[0].trim_end_matches('/'));
    if let Some(draft) = first_below(*cx, out, &wrong, text) {
        draft.related(at, "the kind of synchronization");
    }
}

/// Reports the first of the server's commands on a node below one of these roots, and how many there are.
fn first_below<'o>(
    cx: SessionCx<'_>,
    out: &'o mut Sink<'_>,
    roots: &[&str],
    text: impl Fn(&str) -> String,
) -> Option<&'o mut crate::rules::Draft> {
    let is_below = |uri: &str| {
        let path = uri.strip_prefix("./").unwrap_or(uri);
        roots.iter().any(|root| after(path, root).is_some())
    };
    let mut targets = commands_of_server(cx)
        .flat_map(|(message, command)| targets(command).map(move |(element, uri)| (message, command, element, uri)))
        .filter(|(.., uri)| is_below(uri));
    let (message, command, element, _) = targets.next()?;
    let more = match targets.count() {
        0 => String::new(),
        more => format!("; the same for {more} more"),
    };
    Some(out.at(message.index, element, text(command.0.name()) + &more))
}

/// The nodes that a command addresses: the element that names each, and its URI.
fn targets<'a>(command: Command<'a>) -> impl Iterator<Item = (Element<'a>, &'a str)> {
    command.items().filter_map(|item| {
        let element = item.0.child(Tag::Target)?.child(Tag::LocURI)?;
        Some((element, element.value()?))
    })
}

/// A command for a provider that the device does not have. Told once for each name.
pub(in crate::rules) fn unknown_provider_id(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let session = cx.session.session;
    let enrolled = cx.enrolled().and_then(|enrolled| enrolled.provider.clone());
    let mut own: Vec<Box<str>> = enrolled.iter().cloned().chain(providers(session)).collect();
    own.extend(cx.earlier().flat_map(|past| past.known.providers.iter().cloned()));
    let Some(right) = own.first().cloned() else { return };
    for (message, command) in commands_of_server(cx.session) {
        for (element, uri) in targets(command) {
            let Some((name, _)) = super::below_provider(uri) else { continue };
            let known = own.iter().any(|own| Key::same(own, name, Naming::Windows));
            if known || (enrolled.is_none() && !is_not_found(session, message, command)) {
                continue;
            }
            let why = if enrolled.is_some() { "with which it was enrolled" } else { "whose nodes it has" };
            let text = format!("the device has no provider {}; expected {}, {why}", quoted(name), quoted(&right));
            let finding = out.at(message.index, element, text);
            if enrolled.is_none() {
                finding.at_most(Severity::Warning);
            }
            own.push(name.into());
        }
    }
}

/// Whether the device says of a command with one item that there is no such node.
fn is_not_found(session: &Session, message: MessageCx<'_>, command: Command<'_>) -> bool {
    let at = message.at(command.0);
    let exchange = session.exchange(at).filter(|_| !session.is_ambiguous(at) && command.items().count() == 1);
    let mut codes = exchange.into_iter().flat_map(|exchange| &exchange.statuses).filter_map(|at| session.command_at(*at)?.code());
    codes.next() == Some(404)
}
