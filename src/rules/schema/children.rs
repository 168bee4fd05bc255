//! Which children an element has: none that is unknown, all that are required, each as often as the DTD allows.

use std::collections::BTreeMap;

use super::{ElementCx, MessageCx, Severity, Sink, article, holds_protocol, quoted};
use crate::syncml::{Element, Header, Side, Tag, dtd};

/// An element that SyncML does not know.
pub(in crate::rules) fn unknown_element(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let Some(parent) = cx.element.parent().filter(|parent| holds_protocol(parent.tag())) else { return };
    let name = cx.element.name();
    let only_case = Tag::ALL.iter().any(|tag| tag.name().eq_ignore_ascii_case(name));
    if cx.element.namespace() == parent.namespace() && !only_case {
        out.report(cx.at(), format!("{} is no element of SyncML; it stands in {}", quoted(name), parent.name()));
    }
}

/// Elements of SyncML that device management does not use. Told once for each kind and message. What stands inside
/// another such element is told by that.
pub(in crate::rules) fn element_not_used_in_dm(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    if cx.message.header().is_none() {
        return;
    }
    let mut found: BTreeMap<Tag, Vec<Element<'_>>> = BTreeMap::new();
    for element in cx.message.doc.elements().filter(|element| is_unused(element.tag())) {
        if element.parent().is_none_or(|parent| !is_unused(parent.tag())) {
            found.entry(element.tag()).or_default().push(element);
        }
    }
    for (tag, elements) in found {
        let text = |first: Element<'_>| {
            let place = first.parent().map_or(String::new(), |parent| format!(" in {}", parent.name()));
            format!("{}{place} has no meaning in device management", tag.name())
        };
        out.first_of(cx.index, elements.into_iter(), text);
    }
}

fn is_unused(tag: Tag) -> bool {
    use Tag::*;
    matches!(
        tag,
        Archive | Lang | NoResp | NoResults | NumberOfChanges | SftDel | Map | MapItem | Put | Search | Sync | Move
            | Field | Filter | FilterType | Record | SourceParent | TargetParent
    )
}

/// An element without a child that it must have. What has a rule of its own is left to that: the parts of SyncHdr, CmdID
/// and references, the codes of Status and Alert, a Target that holds plain text.
pub(in crate::rules) fn missing_required_child(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let element = cx.element;
    let in_header = element.parent().is_some_and(|parent| parent.tag() == Tag::SyncHdr);
    let required = match element.tag() {
        Tag::Target | Tag::Source if in_header || element.value().is_some() => &[],
        tag => dtd::required(tag),
    };
    for missing in required.iter().filter(|tag| !element.has(**tag)) {
        let draft = out.report(cx.at(), format!("this {} has no {}", element.name(), missing.name()));
        if *missing == Tag::SyncHdr && cx.message.message.http.is_none() {
            draft.at_most(Severity::Info).help("Nothing, in a template that a server completes before it sends it.");
        }
    }
}

/// A child that stands twice where the DTD has it once. The Items of an Exec have a rule of their own.
pub(in crate::rules) fn repeated_single_child(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let parent = cx.element;
    if !has_twins(parent) {
        return;
    }
    for tag in singles(parent.tag()) {
        let mut all = parent.all(tag);
        let (Some(first), Some(second)) = (all.next(), all.next()) else { continue };
        let count = 2 + all.count();
        let text = format!("{} has {count} {}; expected one", article(parent.tag()), tag.name());
        out.at(cx.message.index, second, text).related(cx.message.at(first), "the first one");
    }
}

/// Whether two children have the same name.
fn has_twins(parent: Element<'_>) -> bool {
    const { assert!(Tag::COUNT <= 128) };
    let mut seen = 0_u128;
    parent.children().any(|child| {
        let (bit, before) = (1 << child.tag() as u32, seen);
        seen |= bit;
        before & bit != 0
    })
}

/// The children that an element has once at most.
fn singles(parent: Tag) -> impl Iterator<Item = Tag> {
    use Tag::*;
    let more: &[Tag] = match parent {
        SyncBody => &[Final],
        Results => &[Cmd],
        Item => &[MoreData],
        Chal => &[Meta],
        Meta => &[Format, Type, Mark, Size, NextNonce, MaxMsgSize, MaxObjSize],
        _ => &[],
    };
    let repeats = move |tag: &Tag| matches!((parent, tag), (_, Item | Add) | (Status, TargetRef | SourceRef));
    dtd::order(parent).iter().filter(move |tag| !repeats(tag)).chain(more).copied()
}

/// Credentials outside the header. The DTD has them in a Status too.
pub(in crate::rules) fn cred_at_command_level(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let Some(parent) = cx.element.parent() else { return };
    if !matches!(parent.tag(), Tag::SyncHdr | Tag::Status) {
        out.report(cx.at(), format!("Cred stands in {}; expected in SyncHdr", parent.name()));
    }
}

/// A body that says nothing. One with text in it has a rule of its own.
pub(in crate::rules) fn empty_sync_body(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    if cx.element.value().is_none() && cx.element.children().all(|child| child.tag() == Tag::Final) {
        let seen = if cx.element.child(Tag::Final).is_some() { "holds nothing but Final" } else { "is empty" };
        out.report(cx.at(), format!("SyncBody {seen}; expected at least the Status for SyncHdr"));
    }
}

/// A LocName anywhere but in the Source of the header.
pub(in crate::rules) fn locname_misuse(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let Some(holder) = cx.element.parent() else { return };
    let Some(owner) = holder.parent().map(Element::tag) else { return };
    let misused = match (owner, holder.tag()) {
        (Tag::Item, _) => true,
        (Tag::SyncHdr, Tag::Target) => !is_echo(cx),
        _ => false,
    };
    if misused {
        let place = format!("the {} of {}", holder.name(), article(owner));
        out.report(cx.at(), format!("LocName stands in {place}; it has a meaning in the Source of the SyncHdr alone"));
    }
}

/// Whether a server's Target repeats the name that the client gave itself, or may do so.
fn is_echo(cx: &ElementCx<'_>) -> bool {
    let session = cx.session();
    let said = |name: &str| cx.element.value() == Some(name);
    let names = session.of(Side::Client).filter_map(|(_, message)| message.header().and_then(Header::source_name));
    cx.message.side() == Some(Side::Server)
        && (session.has_hole(Side::Client, cx.message.index) || names.into_iter().any(said))
}
