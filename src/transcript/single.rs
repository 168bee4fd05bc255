//! A file that is one document.
//!
//! In: the file. Out: one document, the file as it stands, so that what is wrong around the root can be seen. A file
//! that turns out to hold several whole documents is read as a log is.

use super::carve::{Ending, carve};
use super::text::Text;
use super::{Document, Record, body, log};
use crate::http::Captured;
use crate::limits::Limits;
use crate::origin::Origin;

/// Reads an XML document.
pub fn read(data: &[u8], limits: &Limits, out: &mut dyn FnMut(Record)) {
    let text = Text::of(data);
    let mut whole = 0;
    let mut cut = false;
    carve(&text.bytes, &mut |found| {
        whole += usize::from(found.ending == Ending::Closed);
        cut |= found.ending == Ending::CutByTool;
    });
    match whole > 1 || cut {
        true => log::documents(&text, limits, out),
        false => binary(data, limits, out),
    }
}

/// Hands on a file that is one message, whatever its bytes.
pub fn binary(data: &[u8], limits: &Limits, out: &mut dyn FnMut(Record)) {
    let body = body(data, Origin::file(0), Captured::Whole, limits);
    out(Record::Document(Document { body, side: None, at: None, position: Some((1, 1)) }));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(data: &[u8]) -> Vec<Document> {
        let mut documents = Vec::new();
        read(data, &Limits::default(), &mut |record| match record {
            Record::Document(document) => documents.push(document),
            Record::Http(event) => panic!("{event:?}"),
        });
        documents
    }

    #[test]
    fn a_file_is_one_document_with_all_that_stands_around_it() {
        for file in ["\u{FEFF} <!-- a --><SyncML/> x", "<Status/><Status/>", "<SyncML><SyncHdr>", "<Add>"] {
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
    }
}
