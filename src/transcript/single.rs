//! A file that is one document.
//!
//! In: the file. Out: one document, the file as it stands, so that what is wrong around the root can be seen. A file
//! that turns out to hold several whole documents is read as a log is.

use super::carve::{Ending, carve};
use super::text::Text;
use super::{Document, Pushed, Record, body, log};
use crate::http::Captured;
use crate::limits::Limits;
use crate::origin::{Origin, Unit};
use crate::push::{Bearer, Framing, hex};

/// Reads an XML document.
pub fn read(data: &[u8], limits: &Limits, out: &mut dyn FnMut(Record)) {
    let text = Text::of(data);
    let (mut first, mut whole, mut several) = (None, false, false);
    carve(&text.bytes, &mut |found| {
        // A document that ends too early and one behind it may be one that is malformed; after a whole one begins another.
        several |= whole || found.ending == Ending::CutByTool;
        whole |= found.ending == Ending::Closed;
        first.get_or_insert(found.start);
    });
    // Inside another root, they are its payload.
    let several = several && first.is_some_and(|first| !has_tag(text.bytes.get(..first).unwrap_or_default()));
    match several {
        true => log::documents(&text, limits, out),
        false => binary(data, limits, out),
    }
}

fn has_tag(text: &[u8]) -> bool {
    memchr::memchr_iter(b'<', text).any(|at| text.get(at + 1).is_some_and(u8::is_ascii_alphabetic))
}

/// Hands on a file that is one message, whatever its bytes.
pub fn binary(data: &[u8], limits: &Limits, out: &mut dyn FnMut(Record)) {
    let body = body(data, Origin::file(0), Captured::Whole, limits);
    out(Record::Document(Document { body, side: None, at: None, position: Some((1, 1)) }));
}

/// Hands on a file that is one push, or its octets in hexadecimal. What looks like nothing is taken for the notification that
/// it is said to be.
pub fn push(data: &[u8], limits: &Limits, out: &mut dyn FnMut(Record)) {
    let written = Framing::sniff(data).is_none().then(|| hex::octets(data)).flatten();
    let (bytes, origin) = match &written {
        Some(octets) => (octets.as_slice(), Origin::covering(Unit::File, None)),
        None => (data, Origin::file(0)),
    };
    let framing = Framing::sniff(bytes).unwrap_or(Framing::Bare);
    let body = body(bytes, origin, Captured::Whole, limits);
    out(Record::Push(Pushed { body, bearer: Bearer::of_file(framing), at: None }));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(data: &[u8]) -> Vec<Document> {
        let mut documents = Vec::new();
        read(data, &Limits::default(), &mut |record| match record {
            Record::Document(document) => documents.push(document),
            other => panic!("{other:?}"),
        });
        documents
    }

    #[test]
    fn a_file_is_one_document_with_all_that_stands_around_it() {
        let payload = "<Add><Data><SyncML><a/></SyncML></Data><Data><SyncML><a/></SyncML></Data></Add>";
        for file in ["\u{FEFF} <!-- a --><SyncML/> x", "<Status/><Status/>", "<SyncML><SyncHdr>", "<Add>", payload] {
            let documents = read_all(file.as_bytes());
            assert_eq!(documents.len(), 1, "{file}");
            assert_eq!(&*documents[0].body.bytes, file.as_bytes());
        }
    }

    #[test]
    fn several_whole_documents_are_read_one_by_one() {
        let documents = read_all(b"<SyncML><SyncHdr/></SyncML>\n<SyncML><SyncBody/></SyncML>\n");
        assert_eq!(documents.len(), 2);
        assert_eq!(&*documents[1].body.bytes, b"<SyncML><SyncBody/></SyncML>");
        assert_eq!(documents[1].position, Some((2, 1)));
        let cut = read_all(b"<SyncML><SyncHdr/></SyncML> <SyncML><SyncBody>");
        assert!(cut.len() == 2 && cut[1].body.captured != Captured::Whole);
    }
}
