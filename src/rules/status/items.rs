//! DM-STA-017 to DM-STA-019: the Statuses of a command with several Items.

use foldhash::HashSet;

use crate::rules::answers::{answered, called, last_words};
use crate::rules::{MessageCx, SessionCx, Sink, quoted};
use crate::session::At;
use crate::syncml::uri::Key;
use crate::syncml::{Command, Item};

/// One Status for several Items that names only some of them.
pub(in crate::rules) fn single_status_with_refs_for_many_items(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for many in answered_in_full(*cx) {
        let [(at, status)] = many.statuses.as_slice() else { continue };
        let left = many.not_named(*cx);
        if has_refs(*status) && !left.is_empty() {
            let (all, named) = (many.items(), many.items() - left.len());
            let text = format!("the one Status for {} names {named} of its {all} Items", called(many.command));
            out.report(*at, text).related(many.at, "the command");
        }
    }
}

/// Statuses for some Items of a command, and none for others.
pub(in crate::rules) fn item_status_incomplete(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for many in answered_in_full(*cx).filter(|many| many.statuses.len() > 1) {
        let left = many.not_named(*cx);
        let (Some((last, _)), [first, more @ ..]) = (many.statuses.last(), left.as_slice()) else { continue };
        if many.statuses.iter().all(|(_, status)| has_refs(*status)) {
            let uri = first.target().or_else(|| first.source()).unwrap_or_default();
            let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
            let text = format!("the Statuses for {} leave out {}{more}; expected one for each Item", called(many.command), quoted(uri));
            let item = At { message: many.at.message, node: first.0.id() };
            out.report(*last, text).related(item, "an Item without a Status");
        }
    }
}

/// Different Statuses for the Items of a command, and one that does not say for which it is.
pub(in crate::rules) fn item_status_without_ref(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let repeated = |at: At| cx.message(at.message).is_none_or(MessageCx::is_repeated);
    for exchange in cx.session.exchanges.iter().filter(|exchange| exchange.statuses.len() > 1) {
        let statuses: Vec<_> = last_words(*cx, exchange.command).filter(|(at, _)| !repeated(*at)).collect();
        let Some(command) = cx.session.command_at(exchange.command).filter(|command| command.items().count() > 1) else { continue };
        let codes: HashSet<_> = statuses.iter().filter_map(|(_, status)| status.code()).collect();
        if let Some((at, status)) = statuses.iter().find(|(_, status)| codes.len() > 1 && !has_refs(*status)) {
            let code = status.data().unwrap_or_default();
            let text = format!("nothing says for which Item of {} this {} is; expected a TargetRef", called(command), quoted(code));
            out.report(*at, text).related(exchange.command, "the command");
        }
    }
}

fn has_refs(status: Command<'_>) -> bool {
    status.target_refs().chain(status.source_refs()).next().is_some()
}

/// A command with several Items, and its Statuses.
struct Many<'a> {
    at: At,
    command: Command<'a>,
    statuses: Vec<(At, Command<'a>)>,
}

/// All such commands whose answer the capture shows to its end.
fn answered_in_full(cx: SessionCx<'_>) -> impl Iterator<Item = Many<'_>> {
    answered(cx).iter().flat_map(move |answered| {
        let many = answered.commands().filter(|command| command.items().nth(1).is_some());
        let many = many.map(|command| (answered.message.at(command.0), command));
        let many: Vec<_> = many.map(|(at, command)| Many { at, command, statuses: last_words(cx, at).collect() }).collect();
        many.into_iter()
    })
}

impl<'a> Many<'a> {
    fn items(&self) -> usize {
        self.command.items().count()
    }

    /// The Items that no Status names.
    fn not_named(&self, cx: SessionCx<'_>) -> Vec<Item<'a>> {
        let naming = cx.profile.naming();
        let refs = self.statuses.iter().flat_map(|(_, status)| status.target_refs().chain(status.source_refs()));
        let named: HashSet<Key<'_>> = refs.map(|uri| Key::node(uri, naming)).collect();
        let is_named = |item: &Item<'_>| {
            let mut uris = item.target().into_iter().chain(item.source()).peekable();
            uris.peek().is_none() || uris.any(|uri| named.contains(&Key::node(uri, naming)))
        };
        self.command.items().filter(|item| !is_named(item)).collect()
    }
}
