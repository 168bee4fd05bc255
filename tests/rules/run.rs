//! The two ways an example runs: as bare documents, and inside a capture through the whole program.

use dmscope::http::{Body, Captured, InputId};
use dmscope::limits::Limits;
use dmscope::origin::Origin;
use dmscope::session::{Assembler, Session};
use dmscope::syncml::Message;
use dmscope::time::Time;
use dmscope::transcript::Document;

use super::compose::Sent;

/// The messages as documents without HTTP, put together to sessions.
pub(crate) fn as_documents(sent: &[Sent<'_>]) -> Vec<Session> {
    let mut sessions = Vec::new();
    let mut assembler = Assembler::new(&Limits::default());
    for sent in sent.iter().filter(|sent| !sent.lost) {
        assembler.document(message(sent), &mut |session| sessions.push(session));
    }
    assembler.finish(&mut |session| sessions.push(session));
    sessions
}

fn message(sent: &Sent<'_>) -> Message {
    let cut = sent.cut.unwrap_or(usize::MAX);
    let bytes = sent.body.get(..cut).unwrap_or(&sent.body);
    let mut body = Body::whole(bytes, Origin::file(0));
    if bytes.len() < sent.body.len() {
        body.captured = Captured::Partly(format!("{} of {} bytes were captured", bytes.len(), sent.body.len()));
    }
    let document = Document { body, side: Some(sent.side), at: Some(Time(sent.at)), position: None };
    Message::from_document(document, InputId(0), &Limits::default())
}
