//! Real captures, read as the program reads them.

// Each test binary uses its own part of this module.
#![allow(dead_code, unreachable_pub)]

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use dmscope::capture::{self, Source, map};
use dmscope::http::{Conn, Event, Half, InputId, Message};
use dmscope::limits::Limits;
use dmscope::link::{Carried, Decoder};
use dmscope::tcp::Table;
use dmscope::tls::{Keys, load_key_log, read_key};

/// The folder with `captures/`, or a loud word that the test did not run.
pub fn captures() -> Option<PathBuf> {
    let found = std::env::var_os("DMSCOPE_CORPUS").map(|corpus| PathBuf::from(corpus).join("captures"));
    if found.is_none() {
        eprintln!("SKIPPED: DMSCOPE_CORPUS is not set, real captures were not read");
    }
    found
}

/// What was read from one capture.
pub struct Read {
    pub events: Vec<Event>,
    pub streams: u32,
    /// The captured bytes of all frames.
    pub frames: Vec<Vec<u8>>,
    /// Numbers of the frames that carry data over TCP.
    pub data: Vec<u32>,
    /// The secrets blocks.
    pub secrets: Vec<Vec<u8>>,
}

impl Read {
    pub fn messages(&self, half: Half) -> impl Iterator<Item = &Message> {
        self.events.iter().filter_map(move |event| match event {
            Event::Message(message) if message.half == half => Some(message),
            _ => None,
        })
    }
}

/// The keys in files of this folder: RSA keys where the name ends in `der`, or else key logs.
pub fn keys_beside(folder: &Path, names: &[&str]) -> Keys {
    let keys = Keys::new(&Limits::default());
    for file in names.iter().map(|name| folder.join(name)) {
        match file.extension().is_some_and(|ending| ending == "der") {
            true => read_key(&fs::read(&file).unwrap()).unwrap().into_iter().for_each(|key| keys.add_rsa(key)),
            false => assert!(load_key_log(&keys, &file, false).unwrap().secrets > 0),
        }
    }
    keys
}

/// Reads a capture with these keys, as if frame `lost` (from 1; 0 for none) had not been captured.
pub fn read_with(path: &Path, keys: Keys, lost: u32) -> Read {
    let data = map::Data::open(path, true).unwrap();
    // To the byte, downloads too.
    let limits = Limits { other_body: Limits::default().body, ..Limits::default() };
    let secrets = capture::read(Source::Bytes(&data), &limits, &mut |_| ControlFlow::Continue(())).secrets;
    secrets.iter().for_each(|block| assert!(keys.add_log(block).secrets > 0));
    let source = dmscope::http::Source::new(InputId(0), keys);
    let (mut decoder, mut table) = (Decoder::new(&limits), Table::<Conn>::new(source, &limits));
    let (mut events, mut frames, mut with_data) = (Vec::new(), Vec::new(), Vec::new());
    capture::read(Source::Bytes(&data), &limits, &mut |frame| {
        frames.push(frame.bytes.to_vec());
        if let Some(segment) = decoder.frame(&frame).and_then(Carried::segment).filter(|_| frame.no != lost) {
            with_data.extend((!segment.payload.is_empty()).then_some(frame.no));
            table.segment(&segment, &mut |event| events.push(event));
        }
        ControlFlow::Continue(())
    });
    table.finish(&mut |event| events.push(event));
    Read { events, streams: table.streams(), frames, data: with_data, secrets }
}
