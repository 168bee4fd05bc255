//! Tests of the XML reader.

use proptest::prelude::*;

use super::*;
use crate::syncml::{Command, Element, Tag, dtd};

fn read(xml: &str) -> Doc {
    parse(&xml.as_bytes().into(), &Limits::default())
}

fn notes(xml: &str) -> Vec<String> {
    read(xml).notes.iter().map(|note| format!("{} {}", note.span.start, note.detail)).collect()
}

/// The tree in short: `a(b "text" c)`.
fn tree(element: Element<'_>) -> String {
    let mut out = element.name().to_owned();
    if element.value().is_some() {
        out.push_str(&format!(" {:?}", element.text()));
    }
    let children: Vec<String> = element.children().map(tree).collect();
    if !children.is_empty() {
        out.push_str(&format!("({})", children.join(" ")));
    }
    out
}

fn shape(xml: &str) -> String {
    read(xml).root().map(tree).unwrap_or_default()
}

#[test]
fn spans_are_those_of_the_body() {
    let xml =
        "<?xml version='1.0'?>\n<SyncML xmlns='SYNCML:SYNCML1.2'><SyncHdr><MsgID> 1 </MsgID><x/></SyncHdr></SyncML>";
    let doc = read(xml);
    assert!(doc.notes.is_empty(), "{:?}", doc.notes);
    let root = doc.root().unwrap();
    assert_eq!(root.span().slice(xml.as_bytes()), &xml.as_bytes()[22..]);
    let header = root.child(Tag::SyncHdr).unwrap();
    let id = header.child(Tag::MsgID).unwrap();
    assert_eq!((id.text(), id.value()), (" 1 ", Some("1")));
    assert_eq!(id.inner().slice(xml.as_bytes()), b" 1 ");
    assert_eq!(id.namespace(), "SYNCML:SYNCML1.2");
    let x = header.children().last().unwrap();
    assert!(x.flags().empty_tag && x.inner().is_empty());
    assert_eq!(x.span().slice(xml.as_bytes()), b"<x/>");
}

#[test]
fn references_and_cdata_become_text() {
    let doc = read("<Data a='1 &lt;\n2'>a&amp;b<![CDATA[<c>]]>&#x41;\r\n</Data>");
    let data = doc.root().unwrap();
    assert_eq!(data.text(), "a&b<c>A\n");
    assert!(data.flags().cdata && !data.flags().mixed);
    assert_eq!(data.attribute("a"), Some("1 < 2"));
    assert!(doc.notes.is_empty());
}

#[test]
fn white_space_between_elements_is_no_text() {
    let doc = read("<a>\n <b> </b>\n <c/>\n</a>");
    assert_eq!(doc.root().unwrap().text(), "");
    assert_eq!(doc.elements().nth(1).unwrap().text(), " ");
    let doc = read("<a>x<b/>y</a>");
    assert_eq!((doc.root().unwrap().text(), doc.root().unwrap().flags().mixed), ("xy", true));
}

#[test]
fn namespaces_follow_their_scope() {
    let doc = read("<s:a xmlns:s='u:1' xmlns='u:2'><b><s:c xmlns:s='u:3'/></b><d xmlns=''/><s:e/><t:f/></s:a>");
    let all: Vec<(&str, &str, bool)> =
        doc.elements().map(|element| (element.name(), element.namespace(), element.flags().prefixed)).collect();
    let wanted = [
        ("a", "u:1", true),
        ("b", "u:2", false),
        ("c", "u:3", true),
        ("d", "", false),
        ("e", "u:1", true),
        ("f", "", true),
    ];
    assert_eq!(all, wanted);
}

#[test]
fn end_tags_that_do_not_match_close_what_they_name() {
    assert_eq!(notes("<a><b><c>1</b></a>"), ["10 </b> where </c> should stand"]);
    assert_eq!(shape("<a><b><c>1</b><d/></a>"), "a(b(c \"1\") d)");
    assert!(read("<a><b><c>1</b></a>").elements().nth(2).unwrap().flags().unclosed);
    assert_eq!(shape("<a><LocURI>x</LocUri><b/></a>"), "a(LocURI \"x\" b)");
    assert_eq!(shape("<a><b>x</d></b></a>"), "a(b \"x\")");
    assert_eq!(notes("<a></a></b>"), ["7 </b> closes nothing"]);
}

#[test]
fn a_tag_without_its_bracket_does_not_swallow_the_next() {
    assert_eq!(shape("<a><LocURI>x</LocURI<b>y</b></a>"), "a(LocURI \"x\" b \"y\")");
    assert_eq!(notes("<a><b<c/></b></a>"), ["3 the tag <b> is not closed before the next `<`"]);
    assert_eq!(shape("<a x='1><b y='2'/></a>"), "a(b)");
    assert_eq!(shape("<a>1 < 2 and 3 > 1</a>"), "a \"1 < 2 and 3 > 1\"");
    assert_eq!(shape("<a>x & y</a>"), "a \"x & y\"");
}

#[test]
fn a_cut_document_keeps_what_there_is() {
    let doc = read("<a><b>text</b><c>mo");
    assert_eq!(doc.root().map(tree).unwrap(), "a(b \"text\" c \"mo\")");
    assert!(doc.root().unwrap().flags().unclosed);
    assert_eq!(notes("<a><b>text</b><c>mo"), ["19 the document ends without </c> </a>"]);
    assert_eq!(shape("<a><![CDATA[half"), "a \"half\"");
}

#[test]
fn what_stands_outside_the_root_is_noted() {
    assert_eq!(notes("<a/><b/>"), ["5 a second root element, b"]);
    assert_eq!(read("<a/><b/>").elements().count(), 2);
    assert_eq!(notes("<a/>tail"), ["4 text outside the root element, \"tail\""]);
    assert_eq!(notes(" <?xml version='1.0'?><a/>"), ["1 an XML declaration that is not at the very start"]);
    assert_eq!(notes(""), ["0 no element"]);
    assert_eq!(notes("{\"json\": \"<\"}").len(), 1);
}

#[test]
fn entities_of_a_dtd_are_not_expanded() {
    let doc = read("<!DOCTYPE a [<!ENTITY b \"bbb\">]><a>&b;&c d;</a>");
    assert_eq!(doc.root().unwrap().text(), "&b;&c d;");
    let kinds: Vec<Kind> = doc.notes.iter().map(|note| note.kind).collect();
    assert_eq!(kinds, [Kind::XmlDoctype, Kind::XmlDoctype, Kind::XmlNotWellFormed]);
    assert_eq!(notes("<a>&nbsp;</a>"), ["3 &nbsp; is no reference that XML knows"]);
}

#[test]
fn limits_end_the_reading() {
    let limits = Limits { depth: 3, nodes: 5, attributes: 2, ..Limits::default() };
    for (xml, nodes) in
        [("<a><b><c><d/></c></b></a>", 3), ("<a><b/><b/><b/><b/><b/><b/></a>", 5), ("<a><b x='1' y='2' z='3'/></a>", 2)]
    {
        let doc = parse(&xml.as_bytes().into(), &limits);
        assert_eq!((doc.len(), doc.notes.len(), doc.notes[0].kind), (nodes, 1, Kind::LimitDocument), "{xml}");
    }
}

#[test]
fn decoded_text_stays_in_proportion() {
    let xml = format!("<a>{}</a>", "x&amp;<b>&amp;</b>".repeat(20_000));
    let doc = read(&xml);
    assert_eq!(doc.notes[0].kind, Kind::LimitDocument);
}

#[test]
fn garbage_has_few_notes() {
    assert!(notes(&"< & ]]> </".repeat(10_000)).len() <= NOTES + 1);
    assert!(notes(&format!("<a>{}</a>", "&x;".repeat(10_000))).len() <= NOTES + 1);
}

fn check_spans(doc: &Doc) {
    for element in doc.elements() {
        let (span, inner) = (element.span(), element.inner());
        assert!(span.start <= span.end && span.end as usize <= doc.bytes().len(), "{element:?}");
        assert!(span.start <= inner.start && inner.end <= span.end, "{element:?} {span:?} {inner:?}");
        if let Some(parent) = element.parent() {
            let around = parent.inner();
            assert!(around.start <= span.start && span.end <= around.end, "{element:?} in {parent:?}");
        }
        element.attributes().for_each(|(name, _)| assert!(!name.is_empty()));
    }
    for note in &doc.notes {
        assert!(note.span.start <= note.span.end && note.span.end as usize <= doc.bytes().len(), "{note:?}");
    }
}

const SAMPLE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><!-- ä --><SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncHdr>\
    <VerDTD>1.2</VerDTD><Meta><m:Size xmlns:m='syncml:metinf'>5</m:Size></Meta></SyncHdr><SyncBody><Replace>\
    <Item><Data>a &amp; b &#246;<![CDATA[<x>]]></Data></Item></Replace><Final/></SyncBody></SyncML>";

#[test]
fn every_truncation_reads() {
    for cut in 0..SAMPLE.len() {
        let doc = parse(&SAMPLE.as_bytes()[..cut].into(), &Limits::default());
        check_spans(&doc);
        assert!(!doc.notes.is_empty(), "cut at {cut}");
    }
    assert!(read(SAMPLE).notes.is_empty(), "{:?}", notes(SAMPLE));
}

/// A well-formed element, at most `depth` deep.
fn generated() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        "[a-z ]{0,6}",
        Just("&amp;".to_owned()),
        Just("<![CDATA[<&]]>".to_owned()),
        Just("<!--c-->".to_owned())
    ];
    let leaf = ("[A-Za-z]{1,8}", text.clone()).prop_map(|(name, text)| format!("<{name}>{text}</{name}>"));
    leaf.prop_recursive(6, 64, 6, move |inner| {
        let part = prop_oneof![inner, text.clone()];
        ("[A-Za-z]{1,8}", "[a-z]{0,3}", prop::collection::vec(part, 0..6))
            .prop_map(|(name, value, parts)| format!("<{name} k='{value}'>{}</{name}>", parts.concat()))
    })
}

/// What quick-xml says of a document: opening and closing with names.
fn events(xml: &str) -> Vec<String> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    let mut out = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => out.push(format!("+{}", start.name().as_ref())),
            Event::End(end) => out.push(format!("-{}", end.name().as_ref())),
            Event::Eof => return out,
            _ => {}
        }
    }
}

fn walked(element: Element<'_>, out: &mut Vec<String>) {
    out.push(format!("+{}", element.name()));
    element.children().for_each(|child| walked(child, out));
    out.push(format!("-{}", element.name()));
}

/// Elements of SyncML in any order, most of them where none belongs.
fn disarranged() -> impl Strategy<Value = String> {
    const NAMES: [&str; 16] = [
        "SyncML", "SyncHdr", "SyncBody", "Status", "Results", "Atomic", "Sequence", "Add", "Get", "Item", "Target",
        "LocURI", "CmdID", "Data", "Meta", "own",
    ];
    let text = prop::sample::select(vec!["", " ", "200", " 404\n", "20x", "1", "12345", "a&amp;b", "x\r\n", "]"]);
    let name = || prop::sample::select(NAMES.to_vec());
    let leaf = (name(), text).prop_map(|(name, text)| format!("<{name}>{text}</{name}>"));
    let tree = leaf.prop_recursive(6, 64, 6, move |inner| {
        (name(), prop::collection::vec(inner, 0..6))
            .prop_map(|(name, inner)| format!("<{name}>{}</{name}>", inner.concat()))
    });
    (tree, 0..12_usize).prop_map(|(mut xml, cut)| {
        xml.truncate(xml.len() - cut.min(xml.len()));
        xml
    })
}

/// Where the children of an element stand in the order of the DTD, those that it says nothing of left out.
fn is_in_order(element: Element<'_>) -> bool {
    let ranks = element.children().map(|child| dtd::rank(element.tag(), child.tag())).filter(|rank| *rank != 0);
    ranks.is_sorted()
}

/// Compares what an element is marked with, which is seen while it is read, with what stands in it.
fn check_marks(element: Element<'_>) {
    let tags: Vec<Tag> = element.children().map(Element::tag).collect();
    let below = tags.iter().fold(0, |all, tag| all | tag.bit());
    let has_two = (1..tags.len()).any(|at| tags[..at].iter().any(|tag| tag.bit() == tags[at].bit()));
    let holds_nothing =
        |child: Element<'_>| child.flags().unclosed || (child.children().next().is_none() && child.value().is_none());
    let flags = element.flags();
    assert_eq!(element.tags_below(), below, "{element:?}");
    assert_eq!((flags.twins, flags.disordered), (has_two, !is_in_order(element)), "{element:?}");
    assert_eq!(flags.hollow, element.children().any(holds_nothing), "{element:?}");
    assert_eq!(flags.lacking, dtd::may_lack(element.tag(), below), "{element:?}");
    let is_space = |char: char| " \t\r\n".contains(char);
    assert_eq!(flags.blank, element.text().trim_matches(is_space).is_empty(), "{element:?}");
    assert_eq!(flags.padded, !flags.blank && element.text().trim_matches(is_space) != element.text(), "{element:?}");
    let data = if element.tag().has_cmd_id() { element.child_value(Tag::Data) } else { None };
    let is_code = |data: &&str| (3..=4).contains(&data.len()) && data.bytes().all(|byte| byte.is_ascii_digit());
    assert_eq!(element.code(), data.filter(is_code).and_then(|data| data.parse().ok()), "{element:?}");
}

/// The same of the commands that a document lists: those of `SyncBody`, and those in containers there.
fn check_commands(doc: &Doc) {
    let top = doc.sync_body().into_iter().flat_map(Element::children).filter(|child| child.tag().has_cmd_id());
    let all: Vec<_> = top.flat_map(|top| Command(top).with_nested()).collect();
    assert_eq!(doc.all_commands().collect::<Vec<_>>(), all);
    let is_top = |command: &Command<'_>| command.0.parent() == doc.sync_body();
    assert_eq!(doc.commands().collect::<Vec<_>>(), all.iter().copied().filter(is_top).collect::<Vec<_>>());
    assert_eq!(doc.flags().astray, doc.elements().filter(|element| element.tag().has_cmd_id()).count() != all.len());
}

proptest! {
    #[test]
    fn marks_and_lists_tell_what_stands_in_the_document(xml in disarranged()) {
        let doc = read(&xml);
        doc.elements().for_each(check_marks);
        check_commands(&doc);
    }

    #[test]
    fn any_bytes_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        check_spans(&parse(&bytes.into(), &Limits::default()));
    }

    #[test]
    fn any_markup_reads(parts in prop::collection::vec(prop::sample::select(vec![
        "<", ">", "</", "/>", "a", "SyncML", " ", "=", "'", "\"", "&", ";", "&amp;", "<![CDATA[", "]]>", "<!--", "-->",
        "<?", "?>", "xmlns", ":", "ä", "<!DOCTYPE", "[", "]", "<a>", "</a>", "<b c='d'>", "</b>", "\u{feff}", "\r\n",
    ]), 0..60)) {
        check_spans(&read(&parts.concat()));
    }

    #[test]
    fn well_formed_documents_give_quick_xmls_tree(xml in generated()) {
        let doc = read(&xml);
        prop_assert!(doc.notes.is_empty(), "{:?} in {}", doc.notes, xml);
        let mut found = Vec::new();
        walked(doc.root().unwrap(), &mut found);
        prop_assert_eq!(found, events(&xml));
        check_spans(&doc);
    }
}
