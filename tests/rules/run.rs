//! How an example runs: as bare documents, and in a file that goes through the whole program.

use std::path::Path;

use dmscope::engine::{self, Settings};
pub(crate) use dmscope::examples::run::*;
use dmscope::http::Encrypted;
use dmscope::input;
use dmscope::session::Session;

use super::build::Packet;
use super::capture;
use super::compose::Sent;

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
