//! The place of elements: among their sisters, and in the right parent.

use std::collections::BTreeMap;

use super::{ElementCx, MessageCx, Severity, Sink, quoted};
use crate::syncml::{Element, Tag, dtd};

/// Children in another order than the DTD's. Told once per kind of parent and message: who writes one Status in the
/// wrong order writes all so.
pub(in crate::rules) fn child_order(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let mut wrong: BTreeMap<Tag, (Misplaced<'_>, usize)> = BTreeMap::new();
    for element in cx.message.doc.elements().filter(|element| !element.flags().payload) {
        if let Some(misplaced) = misplaced(element) {
            wrong.entry(element.tag()).and_modify(|(_, more)| *more += 1).or_insert((misplaced, 0));
        }
    }
    for (tag, (Misplaced { child, before }, more)) in wrong {
        let parent = tag.name();
        let expected: Vec<&str> = child.parent().into_iter().flat_map(|parent| present(parent)).collect();
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
    let mut highest: Option<(u8, Element<'_>)> = None;
    for child in element.children() {
        let rank = dtd::rank(element.tag(), child.tag());
        match highest {
            _ if rank == 0 => {}
            Some((above, before)) if above > rank => return Some(Misplaced { child, before }),
            _ => highest = Some((rank, child)),
        }
    }
    None
}

/// A Final that is not the empty last child of SyncBody.
pub(in crate::rules) fn final_position(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let text = match cx.element.parent() {
        Some(parent) if parent.tag() != Tag::SyncBody => format!("Final stands in {}; expected in SyncBody", parent.name()),
        _ if cx.element.value().is_some() || cx.element.children().next().is_some() => "Final has content; expected none".into(),
        _ => match cx.element.next_sibling() {
            Some(behind) if behind.tag() != Tag::Final => {
                format!("{} stands behind Final; expected Final at the end of SyncBody", quoted(behind.name()))
            }
            _ => return,
        },
    };
    out.report(cx.at(), text);
}

/// A MoreData that does not close its Item.
pub(in crate::rules) fn moredata_position(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let is_behind = |data: &Element<'_>| data.span().start > cx.element.span().start;
    match cx.element.parent() {
        Some(parent) if parent.tag() != Tag::Item => {
            out.report(cx.at(), format!("MoreData stands in {}; expected in an Item", parent.name()));
        }
        _ if cx.element.value().is_some() || cx.element.children().next().is_some() => {
            out.report(cx.at(), "MoreData has content; expected none");
        }
        Some(item) => {
            if let Some(data) = item.child(Tag::Data).filter(is_behind) {
                let draft = out.report(cx.at(), "MoreData stands before Data; expected behind it");
                draft.at_most(Severity::Warning).related(cx.message.at(data), "it belongs behind this");
            }
        }
        None => {}
    }
}

/// A Correlator in another element than Exec and Alert, or without a value.
pub(in crate::rules) fn correlator_position(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    match cx.element.parent() {
        Some(parent) if !matches!(parent.tag(), Tag::Exec | Tag::Alert) => {
            out.report(cx.at(), format!("Correlator stands in {}; expected in an Exec or an Alert", parent.name()));
        }
        _ if cx.element.value().is_none() => drop(out.report(cx.at(), "Correlator is empty; expected a value")),
        _ => {}
    }
}

/// The names of the children that an element has, in the order of the DTD.
fn present(element: Element<'_>) -> impl Iterator<Item = &'static str> {
    let has = move |rank: usize| element.children().any(|child| usize::from(dtd::rank(element.tag(), child.tag())) == rank);
    let present = dtd::order(element.tag()).iter().enumerate().filter(move |(place, _)| has(place + 1));
    present.map(|(_, tag)| if *tag == Tag::Add { "the commands" } else { tag.name() })
}
