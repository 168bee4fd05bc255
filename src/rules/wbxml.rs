//! DM-WBX: documents in WBXML. What the decoder notes as it stands is reported without a function.

use super::finding::Place;
use super::{ElementCx, MessageCx, Severity, Sink, options};
use crate::anomaly::{Anomaly, Kind as Note};
use crate::syncml::doc::Form;
use crate::syncml::{Element, Item, Tag};

/// How the decoder calls elements whose token it does not know.
const UNKNOWN: &str = "unknown-0x";

/// A version that is not 1.1 to 1.3.
pub(super) fn unsupported_wbxml_version(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let is_oldest = cx.message.doc.prolog.as_ref().is_some_and(|prolog| prolog.version == 0);
    report(cx, out, Note::WbxmlVersion, if is_oldest { Severity::Warning } else { Severity::Error });
}

/// A public identifier of another version than `VerDTD`.
pub(super) fn public_id_version_mismatch(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let given = cx.message.doc.prolog.as_ref().and_then(|prolog| prolog.public_text.as_deref());
    let Some(version) = given.and_then(syncml_version) else { return };
    let Some(element) = cx.message.header().and_then(|header| header.0.child(Tag::VerDTD)) else { return };
    let known = element.value().filter(|said| ["1.0", "1.1", "1.2"].contains(said));
    if let Some(said) = known.filter(|said| *said != version) {
        let text = format!("the public identifier names SyncML {version}, VerDTD is {said}; expected the same version");
        out.at(cx.index, element, text);
    }
}

/// The version in `-//SYNCML//DTD SyncML 1.2//EN`.
fn syncml_version(public: &str) -> Option<&str> {
    let (name, version) = public.split_at_checked("-//SYNCML//DTD SyncML ".len())?;
    name.eq_ignore_ascii_case("-//SYNCML//DTD SyncML ").then(|| version.split("//").next())?
}

/// An element that a code page of its neighbours has: told once, what follows is misread as well.
pub(super) fn element_from_wrong_page(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    if cx.message.doc.form() != Form::Wbxml {
        return;
    }
    let wrong = cx.message.doc.elements().filter(|element| !element.flags().payload && is_misplaced(*element));
    out.first_of(cx.index, wrong, |element| {
        let name = element.name();
        let parent = element.parent().map_or("the document", Element::name);
        match element.tag().is_metinf() {
            true => format!("{name} of code page 1 stands in {parent}; expected a switch to code page 0 before it"),
            false => format!("{name} of code page 0 stands in {parent}; expected a switch to code page 1 before it"),
        }
    });
}

fn is_misplaced(element: Element<'_>) -> bool {
    let in_meta = element.parent().is_some_and(|parent| parent.tag() == Tag::Meta || parent.tag().is_metinf());
    // A sender that puts these right beside their values switches pages correctly: that is for DM-SCH-014 to say.
    let beside = matches!(element.tag(), Tag::Type | Tag::Format | Tag::Mark | Tag::Size | Tag::NextNonce) && !in_meta;
    element.tag() != Tag::Other && !beside && element.tag().is_metinf() != in_meta
}

/// A character set that is not UTF-8. US-ASCII is part of it.
pub(super) fn wbxml_charset_not_utf8(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let is_ascii = cx.message.doc.prolog.as_ref().is_some_and(|prolog| prolog.charset == 3);
    report(cx, out, Note::WbxmlCharset, if is_ascii { Severity::Info } else { Severity::Error });
}

/// An element whose name is spelled out.
pub(super) fn literal_tag_in_syncml(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let name = cx.element.name();
    if cx.element.doc().form() == Form::Wbxml && !name.starts_with(UNKNOWN) {
        let place = Place::Bytes(cx.message.index, cx.element.span());
        out.report(place, format!("element {name:?} is spelled out in the string table; expected a token"));
    }
}

/// Tokens that SyncML has no use for. A character by its number is legal.
pub(super) fn extension_or_pi_token(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    report(cx, out, Note::WbxmlExtension, Severity::Error);
    report(cx, out, Note::WbxmlEntity, Severity::Info);
}

/// Base64 where WBXML could hold the bytes.
pub(super) fn binary_as_base64_in_wbxml(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let (data, item) = (cx.element, cx.element.parent().filter(|parent| parent.tag() == Tag::Item));
    let is_base64 = item.is_some_and(|item| Item(item).format() == "b64");
    let most = || out.number(options::binary_as_base64_in_wbxml::MAXIMUM_BYTES) as usize;
    if is_base64 && data.doc().form() == Form::Wbxml && !data.flags().opaque && data.text().len() > most() {
        let text = format!("{} bytes of base64 in WBXML; opaque data with Format bin takes a quarter less", data.text().len());
        out.report(cx.at(), text);
    }
}

/// The first note of a kind, and how many there are.
fn report(cx: &MessageCx<'_>, out: &mut Sink<'_>, kind: Note, most: Severity) {
    let ours = |note: &&Anomaly| note.kind == kind && cx.message.judged().is_ok();
    let mut notes = cx.message.doc.notes.iter().filter(ours);
    let Some(first) = notes.next() else { return };
    let more = match notes.count() {
        0 => String::new(),
        more => format!("; {more} more in this message"),
    };
    out.report(Place::Bytes(cx.index, first.span), format!("{}{more}", first.detail)).at_most(most);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_the_formal_name() {
        assert_eq!(syncml_version("-//SYNCML//DTD SyncML 1.2//EN"), Some("1.2"));
        assert_eq!(syncml_version("-//syncml//dtd syncml 1.1//EN"), Some("1.1"));
        assert_eq!(syncml_version("-//SYNCML//DTD MetInf 1.2//EN"), None);
        assert_eq!(syncml_version("-//"), None);
    }
}
