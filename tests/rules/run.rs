//! How an example runs: as bare documents, and in a file that goes through the whole program.

use std::path::Path;

use dmscope::engine::{self, Settings};
use dmscope::http::{Body, Captured, Encrypted, InputId};
use dmscope::input;
use dmscope::limits::Limits;
use dmscope::origin::Origin;
use dmscope::session::{Assembler, Session};
use dmscope::syncml::Message;
use dmscope::time::Time;
use dmscope::transcript::Document;

use super::build::Packet;
use super::capture;
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

/// What the program read from a file.
pub(crate) struct Read {
    /// The sessions.
    pub(crate) sessions: Vec<Session>,
    /// The connections it could not decrypt.
    pub(crate) encrypted: Vec<Encrypted>,
}

/// What is in a file with this content.
pub(crate) fn as_file(content: &[u8], name: &str) -> Read {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, content).expect("a file");
    read(&path)
}

/// What is in a capture of these packets of the messages.
pub(crate) fn as_capture(packets: &[Packet], sent: &[Sent<'_>]) -> Read {
    as_file(&capture::written(packets, sent), "example.pcap")
}

fn read(path: &Path) -> Read {
    let mut sessions = Vec::new();
    let inputs = input::collect(&[path.to_owned()], None).expect("a readable file");
    let settings = Settings { mmap: false, ..Settings::default() };
    let each = &mut |session| sessions.push(session);
    let reading = engine::read(&inputs, &settings, each, &mut |_| {}).expect("a readable file");
    Read { sessions, encrypted: reading.encrypted }
}
