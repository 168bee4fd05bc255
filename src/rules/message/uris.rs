//! DM-MSG-019, DM-MSG-020 and DM-MSG-022: the URIs that a Status or Results repeats.
//!
//! URIs are compared as [`Key`]s. Those of a command are collected once, however many answers refer to it.

use foldhash::{HashMap, HashMapExt, HashSet};

use super::{Answer, answers};
use crate::rules::{SessionCx, Sink, quoted};
use crate::session::{At, Lookup};
use crate::syncml::uri::{Key, Naming};
use crate::syncml::{Command, Element, Item, Tag};

/// A TargetRef that is no Target of the command.
pub(in crate::rules) fn targetref_mismatch(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let mut known = Known::new(cx, Item::target);
    for (answer, reference, uri) in references(cx, Tag::TargetRef).filter(|(answer, ..)| !answer.command.is_for_header()) {
        let Some((at, command)) = answer.referred.filter(|(_, command)| !command.tag().is_container()) else { continue };
        if !known.holds(at, command, uri) {
            let text = format!("TargetRef is {}, which is no Target of this {}", quoted(uri), command.0.name());
            out.at(answer.cx.index, reference, text).related(at, "the command it answers");
        }
    }
}

/// A SourceRef that is no Source of the command, or not that of the header.
pub(in crate::rules) fn sourceref_mismatch(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let mut known = Known::new(cx, Item::source);
    for (answer, reference, uri) in references(cx, Tag::SourceRef) {
        if answer.command.is_for_header() {
            let Lookup::Found(message) = answer.message else { continue };
            let header = cx.session.messages.get(message).and_then(|message| message.header());
            let Some((header, source)) = header.and_then(|header| Some((header, header.source()?))) else { continue };
            if !Key::same(uri, source, known.naming) {
                let text = format!("SourceRef is {}; expected the Source of the header, {}", quoted(uri), quoted(source));
                let place = At { message, node: header.0.id() };
                out.at(answer.cx.index, reference, text).related(place, "the header it answers");
            }
            continue;
        }
        let Some((at, command)) = answer.referred.filter(|(_, command)| !command.tag().is_container()) else { continue };
        if !known.holds(at, command, uri) {
            let text = format!("SourceRef is {}, which is no Source of this {}", quoted(uri), command.0.name());
            out.at(answer.cx.index, reference, text).related(at, "the command it answers");
        }
    }
}

/// Results of another node than the Get asked for.
pub(in crate::rules) fn results_source_mismatch(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let mut known = Known::new(cx, Item::target);
    for answer in answers(cx).filter(|answer| answer.command.tag() == Tag::Results) {
        let Some((at, command)) = answer.referred.filter(|(_, command)| command.tag() == Tag::Get) else { continue };
        for item in answer.command.items() {
            let Some(uri) = item.source() else { continue };
            let element = item.0.child(Tag::Source).unwrap_or(item.0);
            if !known.hold_above(at, command, uri) {
                let text = format!("these Results are of {}, which is no Target of the Get nor below one", quoted(uri));
                out.at(answer.cx.index, element, text).related(at, "the Get it answers");
            }
        }
    }
}

/// Each reference of that name with its value.
fn references<'a>(cx: &SessionCx<'a>, tag: Tag) -> impl Iterator<Item = (Answer<'a>, Element<'a>, &'a str)> + use<'a> {
    let statuses = answers(cx).filter(|answer| answer.command.tag() == Tag::Status);
    statuses.flat_map(move |answer| {
        let references = answer.command.0.all(tag);
        references.filter_map(move |element| Some((answer, element, element.value().or_else(|| element.child_value(Tag::LocURI))?)))
    })
}

/// The URIs of commands that were looked at.
struct Known<'a> {
    naming: Naming,
    of: fn(Item<'a>) -> Option<&'a str>,
    keys: HashMap<At, HashSet<Key<'a>>>,
}

impl<'a> Known<'a> {
    fn new(cx: &SessionCx<'a>, of: fn(Item<'a>) -> Option<&'a str>) -> Known<'a> {
        Known { naming: cx.profile.naming(), of, keys: HashMap::new() }
    }

    fn keys(&mut self, at: At, command: Command<'a>) -> &HashSet<Key<'a>> {
        let (naming, of) = (self.naming, self.of);
        self.keys.entry(at).or_insert_with(|| command.items().filter_map(of).map(|uri| Key::node(uri, naming)).collect())
    }

    /// Whether a URI is one of the command's.
    fn holds(&mut self, at: At, command: Command<'a>, uri: &str) -> bool {
        let key = Key::node(uri, self.naming);
        self.keys(at, command).contains(&key)
    }

    /// Whether a URI, or a node above it, is one of the command's. True also where the command names none.
    fn hold_above(&mut self, at: At, command: Command<'a>, uri: &str) -> bool {
        if command.items().next().and_then(self.of) == Some(uri) {
            return true;
        }
        let key = Key::node(uri, self.naming);
        let keys = self.keys(at, command);
        keys.is_empty() || key.with_parents().any(|key| keys.contains(&key))
    }
}
