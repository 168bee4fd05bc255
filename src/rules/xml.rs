//! DM-XML: well-formedness and namespaces.

use super::finding::Place;
use super::{ElementCx, MessageCx, Severity, Sink, quoted};
use crate::anomaly::Kind::{XmlNotWellFormed, XmlSecondRoot};
use crate::syncml::doc::Form;
use crate::syncml::{Element, Kind, Tag};

const SYNCML: &str = "SYNCML:SYNCML1.2";
const METINF: &str = "syncml:metinf";

/// A document that is not well-formed. Told once per message: what comes behind the first fault mostly follows from it.
pub(super) fn not_well_formed(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let ours = matches!(cx.message.kind, Kind::SyncMl | Kind::Fragment | Kind::Soap | Kind::Provisioning);
    if !ours || cx.message.judged().is_err() {
        return;
    }
    let is_fault = |kind| matches!(kind, XmlNotWellFormed | XmlSecondRoot) && !cx.message.allows(kind);
    let mut faults = cx.message.doc.notes.iter().filter(|note| is_fault(note.kind));
    let Some(first) = faults.next() else { return };
    let place = match first.span.is_empty() {
        true => Place::Message(cx.index),
        false => Place::Bytes(cx.index, first.span),
    };
    let draft = out.report(place, first.detail.as_str());
    for other in faults.take(3).filter(|other| !other.span.is_empty()) {
        draft.related(Place::Bytes(cx.index, other.span), other.detail.as_str());
    }
}

/// A document that is not in the SyncML 1.2 namespace.
pub(super) fn wrong_namespace(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let seen = cx.element.namespace();
    if cx.element.parent().is_some() || cx.element.doc().form() == Form::Wbxml || seen == SYNCML {
        return;
    }
    let draft = out.report(cx.at(), format!("SyncML is in {}; expected {}", said(seen), quoted(SYNCML)));
    if is_dtd_url(seen) {
        draft.at_most(Severity::Warning);
    }
}

/// Children of Meta that are not in the MetInf namespace. Told once per message.
pub(super) fn metinf_namespace(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    if cx.message.doc.form() == Form::Wbxml {
        return;
    }
    let metas = cx.message.doc.elements().filter(|element| element.tag() == Tag::Meta);
    let children = metas.flat_map(Element::children).filter(|child| child.tag().is_metinf());
    let mut wrong = children.filter(|child| child.namespace() != METINF);
    let Some(first) = wrong.next() else { return };
    let more = match wrong.count() {
        0 => String::new(),
        more => format!("; the same for {more} more in this message"),
    };
    let text = format!("{} is in {}; expected {}{more}", first.name(), said(first.namespace()), quoted(METINF));
    out.at(cx.index, first, text);
}

fn said(namespace: &str) -> String {
    if namespace.is_empty() { "no namespace".into() } else { format!("the namespace {}", quoted(namespace)) }
}

/// The address of the DTD, which RP 5.4 gives as the namespace in one place.
fn is_dtd_url(namespace: &str) -> bool {
    namespace.starts_with("http") && namespace.to_ascii_lowercase().contains("syncml")
}
