//! DM-ATM-001 to DM-ATM-007, DM-ATM-015 and DM-ATM-017: what may stand in an Atomic or a Sequence.

use foldhash::{HashMap, HashMapExt};

use super::{around, is_in_atomic};
use crate::rules::{ElementCx, Sink, quoted};
use crate::syncml::uri::Key;
use crate::syncml::{Command, Element, Tag};

/// An Atomic in an Atomic.
pub(in crate::rules) fn nested_atomic(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    if let Some(outer) = around(cx.element).find(|element| element.tag() == Tag::Atomic) {
        out.report(cx.at(), "this Atomic stands in another one").related(cx.message.at(outer), "the outer Atomic");
    }
}

/// A Get in an Atomic.
pub(in crate::rules) fn get_in_atomic(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    if let Some(atomic) = around(cx.element).find(|element| element.tag() == Tag::Atomic) {
        out.report(cx.at(), "this Get stands in an Atomic").related(cx.message.at(atomic), "the Atomic");
    }
}

/// A command in an Atomic that cannot be undone, or is none of device management.
pub(in crate::rules) fn illegal_command_in_atomic(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let Some(atomic) = cx.element.parent().filter(|parent| parent.tag() == Tag::Atomic) else { return };
    let text = format!("{} stands in an Atomic; expected Add, Alert, Copy, Delete or Replace", cx.element.name());
    out.report(cx.at(), text).related(cx.message.at(atomic), "the Atomic");
}

/// A container that holds no command.
pub(in crate::rules) fn empty_container(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    if cx.command().nested().next().is_none() {
        out.report(cx.at(), format!("this {} holds no command", cx.element.name()));
    }
}

/// A Sequence in a Sequence.
pub(in crate::rules) fn nested_sequence(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    if let Some(outer) = cx.element.parent().filter(|parent| parent.tag() == Tag::Sequence) {
        out.report(cx.at(), "this Sequence stands in another one").related(cx.message.at(outer), "the outer Sequence");
    }
}

/// Something in a container that is no command.
pub(in crate::rules) fn illegal_element_in_container(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for child in cx.element.children().filter(|child| !may_stand_in(cx.element, *child)) {
        let text = format!("{} stands in this {}; expected commands only", quoted(child.name()), cx.element.name());
        out.report(cx.message.at(child), text);
    }
}

fn may_stand_in(container: Element<'_>, child: Element<'_>) -> bool {
    match child.tag() {
        // `Cred` is told by a rule on credentials.
        Tag::CmdID | Tag::NoResp | Tag::Meta | Tag::Cred => true,
        Tag::Put | Tag::Search => false,
        // A name in the wrong case is told by a rule on names; other namespaces are free.
        Tag::Other => {
            let only_case = Tag::ALL.iter().any(|tag| tag.name().eq_ignore_ascii_case(child.name()));
            only_case || child.namespace() != container.namespace()
        }
        tag => tag.is_command(),
    }
}

/// A node that an Atomic first adds and then replaces.
pub(in crate::rules) fn add_then_replace_same_node(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let naming = cx.message.profile.naming();
    let mut added: HashMap<Key<'_>, Element<'_>> = HashMap::new();
    for command in members(cx.command()) {
        for item in command.items() {
            let Some(uri) = item.target() else { continue };
            let key = Key::node(uri, naming);
            match (command.tag(), added.get(&key)) {
                (Tag::Add, _) => drop(added.insert(key, item.0)),
                (Tag::Replace, Some(add)) => {
                    let text = format!("{} is replaced in the Atomic that adds it; expected one Add with the final value", quoted(uri));
                    out.report(cx.message.at(item.0), text).related(cx.message.at(*add), "it is added here");
                }
                _ => {}
            }
        }
    }
}

/// The commands of an Atomic, those of its Sequences included. What stands in an Atomic inside it belongs to that.
fn members(atomic: Command<'_>) -> impl Iterator<Item = Command<'_>> {
    atomic.nested().flat_map(|command| {
        let inner = (command.tag() == Tag::Sequence).then(|| command.nested());
        std::iter::once(command).chain(inner.into_iter().flatten())
    })
}

/// A chunk of a large object in a container.
pub(in crate::rules) fn atomic_split_over_messages(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let container = around(cx.element).find(|element| matches!(element.tag(), Tag::Atomic | Tag::Sequence));
    if let Some(container) = container {
        let name = container.name();
        let text = format!("MoreData stands in this {name}, which has to end in this message; expected all of the data");
        out.report(cx.at(), text).related(cx.message.at(container), "it begins here");
    }
}

/// An Atomic in a Sequence.
pub(in crate::rules) fn atomic_in_sequence(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    if let Some(sequence) = cx.element.parent().filter(|parent| parent.tag() == Tag::Sequence) {
        let text = "this Atomic stands in a Sequence; expected it beside the Sequence";
        out.report(cx.at(), text).related(cx.message.at(sequence), "the Sequence");
    }
}

/// Whether a command is an Atomic or stands in one.
pub(super) fn is_of_atomic(command: Command<'_>) -> bool {
    command.tag() == Tag::Atomic || is_in_atomic(command)
}
