//! DM-SCH: which elements stand where (RP 7).

use std::collections::BTreeMap;

use super::{ElementCx, MessageCx, Sink, quoted};
use crate::syncml::{Element, Tag};

/// Children in another order than the DTD's. Told once per kind of parent and message: who writes one Status in the
/// wrong order writes all so.
pub(super) fn child_order(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let mut wrong: BTreeMap<Tag, (Misplaced<'_>, usize)> = BTreeMap::new();
    for element in cx.message.doc.elements().filter(|element| !element.flags().payload) {
        if let Some(misplaced) = misplaced(element) {
            wrong.entry(element.tag()).and_modify(|(_, more)| *more += 1).or_insert((misplaced, 0));
        }
    }
    for (tag, (Misplaced { child, before }, more)) in wrong {
        let parent = tag.name();
        let expected: Vec<&str> = child.parent().into_iter().flat_map(|parent| present(parent, order_in(tag))).collect();
        let more = if more > 0 { format!("; {more} more {parent} of this message likewise") } else { String::new() };
        let text = format!("in this {parent}, {} stands behind {}; expected {}{more}", child.name(), before.name(), expected.join(", "));
        out.at(cx.index, child, text).related(cx.at(before), "it belongs before this");
    }
}

/// A child that stands behind one that should follow it.
struct Misplaced<'a> {
    child: Element<'a>,
    before: Element<'a>,
}

fn misplaced(element: Element<'_>) -> Option<Misplaced<'_>> {
    let order = order_in(element.tag());
    let mut highest: Option<(usize, Element<'_>)> = None;
    for child in element.children() {
        let Some(rank) = rank(order, child.tag()) else { continue };
        match highest {
            Some((above, before)) if above > rank => return Some(Misplaced { child, before }),
            _ => highest = Some((rank, child)),
        }
    }
    None
}

/// An element that SyncML does not know.
pub(super) fn unknown_element(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let Some(parent) = cx.element.parent().filter(|parent| holds_protocol(parent.tag())) else { return };
    let name = cx.element.name();
    let only_case = Tag::ALL.iter().any(|tag| tag.name().eq_ignore_ascii_case(name));
    if cx.element.namespace() == parent.namespace() && !only_case {
        out.report(cx.at(), format!("{} is no element of SyncML; it stands in {}", quoted(name), parent.name()));
    }
}

/// A Final that is not the empty last child of SyncBody.
pub(super) fn final_position(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let text = match cx.element.parent() {
        Some(parent) if parent.tag() != Tag::SyncBody => format!("Final stands in {}; expected in SyncBody", parent.name()),
        _ if cx.element.value().is_some() || cx.element.children().next().is_some() => "Final has content; expected none".into(),
        _ => match cx.element.next_sibling() {
            Some(behind) => format!("{} stands behind Final; expected Final at the end of SyncBody", quoted(behind.name())),
            None => return,
        },
    };
    out.report(cx.at(), text);
}

/// Elements whose children are all part of the protocol. Meta is a free container, Data is payload.
fn holds_protocol(tag: Tag) -> bool {
    matches!(tag, Tag::SyncML | Tag::SyncBody | Tag::Chal) || !order_in(tag).is_empty()
}

/// The children of an element in the order of the DTD; empty where the order is free. `Add` stands for any command.
/// `MoreData` is left out: the text puts it before `Data`, the DTD behind.
fn order_in(parent: Tag) -> &'static [Tag] {
    use Tag::*;
    match parent {
        SyncML => &[SyncHdr, SyncBody],
        SyncHdr => &[VerDTD, VerProto, SessionID, MsgID, Target, Source, RespURI, NoResp, Cred, Meta],
        Status => &[CmdID, MsgRef, CmdRef, Cmd, TargetRef, SourceRef, Cred, Chal, Data, Item],
        Results => &[CmdID, MsgRef, CmdRef, Meta, TargetRef, SourceRef, Item],
        Add | Replace | Copy => &[CmdID, NoResp, Cred, Meta, Item],
        Delete => &[CmdID, NoResp, Archive, SftDel, Cred, Meta, Item],
        Get => &[CmdID, NoResp, Lang, Cred, Meta, Item],
        Exec => &[CmdID, NoResp, Cred, Meta, Correlator, Item],
        Alert => &[CmdID, NoResp, Cred, Data, Correlator, Item],
        Atomic | Sequence => &[CmdID, NoResp, Meta, Add],
        Item => &[Target, Source, SourceParent, TargetParent, Meta, Data],
        Target => &[LocURI, LocName, Filter],
        Source => &[LocURI, LocName],
        Cred => &[Meta, Data],
        _ => &[],
    }
}

fn rank(order: &[Tag], child: Tag) -> Option<usize> {
    let child = if child.is_command() { Tag::Add } else { child };
    order.iter().position(|tag| *tag == child)
}

/// The names of the children that an element has, in the order of the DTD.
fn present<'a>(element: Element<'a>, order: &'static [Tag]) -> impl Iterator<Item = &'static str> + use<'a> {
    order.iter().filter(move |tag| element.children().any(|child| rank(&[**tag], child.tag()).is_some())).map(|tag| match tag {
        Tag::Add => "the commands",
        tag => tag.name(),
    })
}
