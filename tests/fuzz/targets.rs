//! One function for each parser of outside bytes. The fuzzers call them, and `cargo test` calls them with every input
//! kept in `corpus/`: what a fuzzer once found stays found.

use std::ops::ControlFlow;
use std::sync::Arc;

use dmscope::capture::{self, Source};
use dmscope::http::InputId;
use dmscope::limits::Limits;
use dmscope::syncml::Doc;
use dmscope::{input, link, transcript, wbxml, xml};

/// A target: any bytes, and a panic where something is wrong.
type Target = fn(&[u8]);

/// Name and function of every target.
pub(crate) const ALL: &[(&str, Target)] = &[
    ("capture", capture),
    ("har", har),
    ("log", log),
    ("viewer", viewer),
    ("single", single),
    ("wbxml", wbxml),
    ("xml", xml),
];

/// Small bounds, so that a small input can reach them.
fn limits() -> Limits {
    Limits { nodes: 10_000, decoded_body: 1 << 20, ..Limits::default() }
}

/// Capture container, link layers, IP, fragments; whole and as a stream.
pub(crate) fn capture(data: &[u8]) {
    for source in [Source::Bytes(data), Source::Stream(Box::new(data))] {
        let mut decoder = link::Decoder::new(&limits());
        capture::read(source, &limits(), &mut |frame| {
            assert!(frame.bytes.len() <= data.len().max(1 << 26));
            decoder.frame(&frame);
            ControlFlow::Continue(())
        });
        decoder.finish();
    }
}

fn recording(kind: transcript::Kind, data: &[u8]) {
    input::sniff(data);
    transcript::read(kind, data, InputId(0), &limits(), &mut |record| {
        if let transcript::Record::Document(document) = record {
            xml::parse(&document.body.bytes, &limits());
        }
    });
}

/// HAR.
pub(crate) fn har(data: &[u8]) {
    recording(transcript::Kind::Har, data);
}

/// Text with documents in it.
pub(crate) fn log(data: &[u8]) {
    recording(transcript::Kind::Log, data);
}

/// A saved SyncML Viewer stream.
pub(crate) fn viewer(data: &[u8]) {
    recording(transcript::Kind::SyncmlViewer, data);
}

/// A single document.
pub(crate) fn single(data: &[u8]) {
    recording(transcript::Kind::Xml, data);
}

/// Spans lie inside the bytes, and children inside their parents.
fn check(doc: &Doc) {
    for element in doc.elements() {
        assert!(element.span().range().end <= doc.bytes().len());
        if let Some(parent) = element.parent() {
            assert!(parent.span().start <= element.span().start && element.span().end <= parent.span().end);
        }
        element.text();
        element.attributes().count();
    }
}

/// Text XML to a document.
pub(crate) fn xml(data: &[u8]) {
    check(&xml::parse(&Arc::from(data), &limits()));
}

/// WBXML to a document, and that to WBXML again.
pub(crate) fn wbxml(data: &[u8]) {
    let doc = wbxml::parse(&Arc::from(data), &limits());
    check(&doc);
    let (again, _) = wbxml::encode::encode(&doc);
    check(&wbxml::parse(&Arc::from(again), &limits()));
}
