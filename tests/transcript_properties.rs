//! Recordings without packets: nothing in them makes the readers fail, and nothing in them is lost.
#![allow(clippy::unwrap_used, reason = "a test")]

use dmscope::http::{Captured, Event, InputId};
use dmscope::input;
use dmscope::limits::Limits;
use dmscope::transcript::{self, Document, Kind, Record, Summary};
use proptest::prelude::*;

fn records(kind: Kind, data: &[u8]) -> (Vec<Record>, Summary) {
    let mut records = Vec::new();
    let summary = transcript::read(kind, data, InputId(0), &Limits::default(), &mut |record| records.push(record));
    (records, summary)
}

fn documents(kind: Kind, data: &[u8]) -> Vec<Document> {
    let document = |record| match record {
        Record::Document(document) => Some(document),
        Record::Http(_) | Record::Push(_) | Record::Told(_) | Record::Remark(..) => None,
    };
    records(kind, data).0.into_iter().filter_map(document).collect()
}

/// Element content with all that could be taken for the end of a document.
fn content() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-z &;\n\t]{0,12}",
        Just("<!-- </SyncML> -->".to_owned()),
        Just("<![CDATA[</SyncML></s:Envelope><SyncML>]]>".to_owned()),
        Just("<LocURI a='</'>./Vendor</LocURI>".to_owned()),
        Just("<Final/>".to_owned()),
        Just("<Data><SyncML a=\">\"><b/></SyncML></Data>".to_owned()),
        Just("<Data>\n<?xml version=\"1.0\"?><wap-provisioningdoc/></Data>".to_owned()),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        (prop::collection::vec(inner, 0..4), "[A-Z][a-z]{1,6}")
            .prop_map(|(inner, name)| format!("<{name}>{}</{name}>", inner.concat()))
    })
}

fn document() -> impl Strategy<Value = String> {
    let root =
        prop_oneof![Just("SyncML"), Just("SYNCML"), Just("d:SyncML"), Just("s:Envelope"), Just("wap-provisioningdoc"),];
    let prolog =
        prop_oneof![Just(""), Just("<?xml version=\"1.0\"?>\n"), Just("<?xml version='1.0'?><!DOCTYPE SyncML>")];
    (root, prolog, content()).prop_map(|(root, prolog, inner)| format!("{prolog}<{root}><SyncHdr/>{inner}</{root}>"))
}

fn noise() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 :.\\[\\]\n\t\"'>=-]{0,30}",
        Just("a < b && c > d\n".to_owned()),
        Just("&lt;SyncML&gt; ".to_owned()),
        Just("<Item>x</Item> `<SyncML>` is an element\n".to_owned()),
        Just("</SyncML> zwölf\n".to_owned()),
        Just("<!-- a comment ".to_owned()),
        Just("<![CDATA[".to_owned()),
    ]
    .prop_map(|noise| format!("{noise}|"))
}

fn log() -> impl Strategy<Value = (String, Vec<(usize, String)>)> {
    (prop::collection::vec((noise(), document()), 0..6), noise()).prop_map(|(parts, tail)| {
        let mut text = String::new();
        let mut wanted = Vec::new();
        for (noise, document) in parts {
            text.push_str(&noise);
            wanted.push((text.len(), document.clone()));
            text.push_str(&document);
        }
        text.push_str(&tail);
        (text, wanted)
    })
}

/// A HAR with one exchange for each text, in the order of their times.
fn har(texts: &[String]) -> String {
    let entry = |(number, text): (usize, &String)| {
        serde_json::json!({
            "startedDateTime": format!("2026-01-02T03:04:{number:02}.000Z"), "time": 5.5, "connection": "7",
            "request": {"method": "POST", "url": "https://mdm.example/dm", "httpVersion": "HTTP/1.1", "bodySize": text.len(),
                        "headers": [{"name": "Content-Type", "value": "application/vnd.syncml.dm+xml"}],
                        "postData": {"mimeType": "application/vnd.syncml.dm+xml", "text": text}},
            "response": {"status": 200, "statusText": "OK", "headers": [], "content": {"size": text.len(), "text": text}},
        })
    };
    let entries: Vec<_> = texts.iter().enumerate().map(entry).collect();
    serde_json::json!({"log": {"version": "1.2", "entries": entries}}).to_string()
}

proptest! {
    #[test]
    fn every_document_of_a_log_is_given_back((text, wanted) in log()) {
        let found = documents(Kind::Log, text.as_bytes());
        let bodies: Vec<String> = found.iter().map(|one| String::from_utf8_lossy(&one.body.bytes).into_owned()).collect();
        let expected: Vec<String> = wanted.iter().map(|(_, document)| document.clone()).collect();
        prop_assert_eq!(bodies, expected);
        for (document, (start, _)) in found.iter().zip(&wanted) {
            prop_assert_eq!(document.body.origin.runs()[0].offset as usize, *start);
            let line_start = text[..*start].rfind('\n').map_or(0, |at| at + 1);
            let line = text[..*start].matches('\n').count() + 1;
            let column = text[line_start..*start].chars().count() + 1;
            prop_assert_eq!(document.position, Some((line as u32, column as u32)));
            prop_assert_eq!(&document.body.captured, &Captured::Whole);
        }
    }

    #[test]
    fn utf16_logs_hold_the_same_documents((text, _) in log()) {
        let utf16: Vec<u8> = "\u{FEFF}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let plain = documents(Kind::Log, text.as_bytes());
        let wide = documents(Kind::Log, &utf16);
        prop_assert_eq!(plain.len(), wide.len());
        for (plain, wide) in plain.iter().zip(&wide) {
            prop_assert_eq!((&plain.body.bytes, plain.position), (&wide.body.bytes, wide.position));
        }
    }

    #[test]
    fn a_log_that_ends_early_has_the_documents_before_its_end((text, wanted) in log(), end in 0usize..2000) {
        let end = text.char_indices().map(|(at, _)| at).nth(end).unwrap_or(text.len());
        let found = documents(Kind::Log, &text.as_bytes()[..end]);
        let whole = wanted.iter().filter(|(start, document)| start + document.len() <= end).count();
        prop_assert!(found.len() == whole || found.len() == whole + 1);
        prop_assert!(found.iter().take(whole).all(|document| document.body.captured == Captured::Whole));
    }

    #[test]
    fn a_har_that_ends_early_has_the_messages_before_its_end(texts in prop::collection::vec("[a-zé\"\\\\\n<>]{0,20}", 1..5), end in 0usize..4000) {
        let har = har(&texts);
        let whole = records(Kind::Har, har.as_bytes());
        prop_assert_eq!(whole.0.len(), texts.len() * 2);
        prop_assert!(whole.1.notes.is_empty(), "{:?}", whole.1.notes);
        let end = har.char_indices().map(|(at, _)| at).nth(end).unwrap_or(har.len());
        let (cut, summary) = records(Kind::Har, &har.as_bytes()[..end]);
        prop_assert_eq!(summary.notes.is_empty(), end == har.len());
        let mut partly = 0;
        for (part, full) in cut.iter().zip(&whole.0) {
            let (Record::Http(Event::Message(part)), Record::Http(Event::Message(full))) = (part, full) else { continue };
            prop_assert!(full.body.bytes.starts_with(&part.body.bytes), "{:?} {:?}", part.body, full.body);
            match part.body.captured {
                Captured::Whole => prop_assert_eq!(&part.body.bytes, &full.body.bytes),
                _ => partly += 1,
            }
        }
        prop_assert!(partly <= 1);
    }

    #[test]
    fn no_bytes_make_a_reader_fail(data in prop::collection::vec(any::<u8>(), 0..300)) {
        input::sniff(&data);
        for kind in Kind::ALL {
            records(*kind, &data);
        }
    }

    #[test]
    fn no_text_makes_a_reader_fail(pieces in prop::collection::vec(piece(), 0..40)) {
        let text = pieces.concat();
        input::sniff(text.as_bytes());
        for kind in Kind::ALL {
            records(*kind, text.as_bytes());
        }
    }
}

/// What the readers look for, in any order.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "<SyncML>",
        "</SyncML>",
        "<SyncML a=\"",
        "<Data>",
        "</Data>",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<?xml ",
        "?>",
        "<!DOCTYPE [",
        "]>",
        "<s:Envelope>",
        "</s:Envelope>",
        "\n",
        " ",
        "ü",
        "\\",
        "\\u00",
        "\"",
        "<",
        ">",
        "/",
        "=",
        "request:",
        "2026-01-02T03:04:05",
        "Z",
        "+01:00",
        "\n----- Input Header -----\n",
        "\n----- Input Body -----\n",
        "\n----- Response Header -----\n",
        "\n==========\n",
        "{\"log\":{\"entries\":[",
        "{\"request\":{\"postData\":{\"text\":\"",
        "\"}}}",
        "]}}",
        ",",
        "\\ud800",
        "\u{FEFF}",
        "<!-- ignore this line, closing SyncML tag added -->",
        "12:3:abc,",
        "\u{0}",
        "\u{2}\u{1}j",
    ])
}
