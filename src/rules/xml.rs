//! DM-XML: well-formedness, namespaces, and text.

use super::finding::Place;
use super::schema::holds_protocol;
use super::{ElementCx, MessageCx, Severity, Sink, quoted};
use crate::anomaly::{Anomaly, Kind as Note};
use crate::session::Flavor;
use crate::syncml::doc::Form;
use crate::syncml::read::is_syncml_type;
use crate::syncml::secret::is_secret;
use crate::syncml::{Element, Kind, Message, Side, Tag};

const SYNCML: &str = "SYNCML:SYNCML1.2";
const METINF: &str = "syncml:metinf";

/// A document that is not well-formed. Told once per message: what comes behind the first fault mostly follows from it.
pub(super) fn not_well_formed(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let mut faults = faults(cx.message);
    let Some(first) = faults.next() else { return };
    let draft = out.report(place(cx, first), first.detail.as_str());
    for other in faults.take(3).filter(|other| !other.span.is_empty()) {
        draft.related(Place::Bytes(cx.index, other.span), other.detail.as_str());
    }
}

/// The places where a document is not well-formed XML.
fn faults(message: &Message) -> impl Iterator<Item = &Anomaly> {
    let ours = matches!(message.kind, Kind::SyncMl | Kind::Fragment | Kind::Soap | Kind::Provisioning);
    let judged = ours && message.judged().is_ok();
    let is_fault = |kind| matches!(kind, Note::XmlNotWellFormed | Note::XmlSecondRoot) && !message.allows(kind);
    message.doc.notes.iter().filter(move |note| judged && is_fault(note.kind))
}

fn place(cx: &MessageCx<'_>, note: &Anomaly) -> Place {
    match note.span.is_empty() {
        true => Place::Message(cx.index),
        false => Place::Bytes(cx.index, note.span),
    }
}

/// Quotation marks of running text around an attribute value. Only explains a document that is not well-formed.
pub(super) fn copy_paste_quotes(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let pasted = |note: &Anomaly| pasted_quote(tag_from(cx.message.doc.bytes(), note.span.start as usize));
    let Some((note, quote)) = faults(cx.message).find_map(|note| Some((note, pasted(note)?))) else { return };
    out.report(place(cx, note), format!("{quote} stands where an attribute value needs `\"` or `'`"));
}

/// The text from a byte on to the end of the tag there, or as far as a tag goes.
fn tag_from(bytes: &[u8], start: usize) -> &[u8] {
    const LONGEST: usize = 300;
    let rest = bytes.get(start..).unwrap_or_default();
    let rest = rest.get(..LONGEST).unwrap_or(rest);
    rest.get(..memchr::memchr(b'>', rest).unwrap_or(rest.len())).unwrap_or_default()
}

/// The quotation mark of running text that opens an attribute value of a tag, or closes one.
fn pasted_quote(tag: &[u8]) -> Option<&'static str> {
    const PASTED: [(&str, &str); 8] = [
        ("\u{201C}", "U+201C (\u{201C})"),
        ("\u{201D}", "U+201D (\u{201D})"),
        ("\u{2018}", "U+2018 (\u{2018})"),
        ("\u{2019}", "U+2019 (\u{2019})"),
        ("&#39;", "`&#39;`"),
        ("&#34;", "`&#34;`"),
        ("&quot;", "`&quot;`"),
        ("&apos;", "`&apos;`"),
    ];
    let text = String::from_utf8_lossy(tag);
    let mut values = text.split('=').skip(1).map(str::trim_start);
    values.find_map(|value| {
        let open = value.strip_prefix(['"', '\'']).filter(|rest| !value.chars().next().is_some_and(|quote| rest.contains(quote)));
        let is_there = |quote: &str| value.starts_with(quote) || open.is_some_and(|rest| rest.contains(quote));
        PASTED.iter().find(|(quote, _)| is_there(quote)).map(|(_, name)| *name)
    })
}

/// XML of another kind, or a web page, in a DM exchange. A body that calls itself SyncML and is none belongs to
/// another rule, and so does an answer that is an HTTP error.
pub(super) fn wrong_root_element(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(http) = &cx.message.http else { return };
    let is_dm = cx.session.flavor == Flavor::Dm && cx.session.messages.iter().any(|message| message.kind == Kind::SyncMl);
    let failed = http.head.status != 0 && !(200..300).contains(&http.head.status);
    if !is_dm || failed || cx.message.judged().is_err() {
        return;
    }
    let seen = match (cx.message.kind, cx.message.doc.root()) {
        (Kind::Html, _) if !is_syncml_type(&cx.message.media_type()) => "a web page".to_owned(),
        (Kind::Fragment | Kind::Soap | Kind::Provisioning | Kind::OtherXml, Some(root)) => {
            format!("a document with the root {}", quoted(root.name()))
        }
        _ => return,
    };
    out.report(Place::Message(cx.index), format!("the body is {seen}; expected `SyncML`"));
}

/// An element whose name differs from a known one by case alone.
pub(super) fn element_name_case(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let name = cx.element.name();
    let Some(known) = Tag::ALL.iter().find(|tag| tag.name().eq_ignore_ascii_case(name)) else { return };
    let is_protocol = cx.element.parent().is_none_or(|parent| {
        let own = [parent.namespace(), METINF].contains(&cx.element.namespace());
        own && (holds_protocol(parent.tag()) || parent.tag() == Tag::Meta)
    });
    if is_protocol {
        out.report(cx.at(), format!("the element is called {}; expected {}", quoted(name), quoted(known.name())));
    }
}

/// Markup in the Data of an Item that is not escaped.
pub(super) fn unescaped_markup_in_data(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let in_item = cx.element.parent().is_some_and(|parent| parent.tag() == Tag::Item);
    let Some(child) = cx.element.children().next().filter(|_| in_item && cx.element.doc().form() == Form::Xml) else { return };
    let inherits = child.namespace() == cx.element.namespace();
    let namespace = if inherits { ", and so in the namespace of SyncML" } else { "" };
    let draft = out.report(cx.at(), format!("Data holds the element {} as markup{namespace}; expected it escaped", quoted(child.name())));
    if !inherits {
        draft.at_most(Severity::Info);
    }
}

/// A CDATA section in the Data of an Item from the server. Told once per message.
pub(super) fn cdata_in_data(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    if cx.side() != Some(Side::Server) || cx.message.doc.form() == Form::Wbxml {
        return;
    }
    let is_item = |data: &Element<'_>| data.parent().is_some_and(|parent| parent.tag() == Tag::Item);
    let sections = cx.message.doc.elements().filter(|element| element.tag() == Tag::Data && element.flags().cdata && is_item(element));
    out.first_of(cx.index, sections, |_| "Data is written as a CDATA section; escaped text is safer".into());
}

/// White space around a value that is compared. Told once per message: a pretty printer does it everywhere.
pub(super) fn whitespace_around_value(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let padded = |element: &Element<'_>| {
        is_compared(*element)
            && element.children().next().is_none()
            && element.value().is_some_and(|value| value.len() != element.text().len())
    };
    let text = |first: Element<'_>| {
        let expected = match first.tag() {
            Tag::NextNonce => "the value alone".to_owned(),
            _ => quoted(first.value().unwrap_or_default()),
        };
        format!("{} has white space around its value; expected {expected}", first.name())
    };
    out.first_of(cx.index, cx.message.doc.elements().filter(padded), text);
}

fn is_compared(element: Element<'_>) -> bool {
    use Tag::*;
    match element.tag() {
        CmdID | MsgID | SessionID | MsgRef | CmdRef | Cmd | LocURI | TargetRef | SourceRef | Format | Type | Mark | VerDTD
        | VerProto | NextNonce => true,
        Data => element.parent().is_some_and(|parent| matches!(parent.tag(), Alert | Status)),
        _ => false,
    }
}

/// An encoding other than the declared one. In a text file, the program that wrote it may have changed the encoding.
pub(super) fn encoding_declaration_mismatch(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let ours = matches!(cx.message.kind, Kind::SyncMl | Kind::Fragment | Kind::Soap | Kind::Provisioning);
    let Some(note) = cx.message.doc.notes.iter().find(|note| note.kind == Note::XmlEncoding) else { return };
    if !ours || cx.message.judged().is_err() {
        return;
    }
    let draft = out.report(place(cx, note), note.detail.as_str());
    if cx.message.position.is_some() {
        draft.at_most(Severity::Info).help("Look at what was sent: the program that wrote this file may have changed the encoding.");
    }
}

/// A DOCTYPE, or an entity of one.
pub(super) fn doctype_or_entity(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let mut notes = cx.message.doc.notes.iter().filter(|note| note.kind == Note::XmlDoctype);
    let Some(first) = notes.next() else { return };
    let draft = out.report(place(cx, first), first.detail.as_str());
    for other in notes.take(3) {
        draft.related(place(cx, other), other.detail.as_str());
    }
}

/// Text where only elements can stand. Text in place of a LocURI has a rule of its own.
pub(super) fn stray_text(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let element = cx.element;
    let in_its_place = matches!(element.tag(), Tag::Target | Tag::Source) && element.child(Tag::LocURI).is_none();
    let Some(text) = element.value().filter(|_| !in_its_place) else { return };
    let seen = match element.tag() {
        Tag::Item | Tag::Cred | Tag::Chal => "text".to_owned(),
        _ if is_secret(element) => "text".to_owned(),
        _ => format!("the text {}", quoted(text)),
    };
    out.report(cx.at(), format!("{seen} stands right in {}; expected elements alone", element.name()));
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
    let wrong = children.filter(|child| child.namespace() != METINF);
    let text = |first: Element<'_>| format!("{} is in {}; expected {}", first.name(), said(first.namespace()), quoted(METINF));
    out.first_of(cx.index, wrong, text);
}

fn said(namespace: &str) -> String {
    if namespace.is_empty() { "no namespace".into() } else { format!("the namespace {}", quoted(namespace)) }
}

/// The address of the DTD, which RP 5.4 gives as the namespace in one place.
fn is_dtd_url(namespace: &str) -> bool {
    namespace.starts_with("http") && namespace.to_ascii_lowercase().contains("syncml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_of_running_text_are_known_where_a_value_begins_or_ends() {
        let quote = |tag: &str| pasted_quote(tag_from(tag.as_bytes(), 0));
        assert_eq!(quote("<Format xmlns= \u{201C}syncml:metinf\u{201D}>int"), Some("U+201C (\u{201C})"));
        assert_eq!(quote("<Format xmlns=\"syncml:metinf\u{201D}>int"), Some("U+201D (\u{201D})"));
        assert_eq!(quote("xmlns=&#39;a&#39;>"), Some("`&#39;`"));
        assert_eq!(quote("<a b=\"\u{201C}c\u{201D}\">\u{201C}"), None);
        assert_eq!(quote("<a>x=\u{201C}"), None);
    }
}
