//! Follows a file that grows: goes on reading where others would be at the end, until it is told to stop.
//!
//! A capture is read on, packet by packet. A text is read anew when it has grown, because what comes may change what
//! the end of it meant; that is done the more seldom the longer it takes. A file that was removed, cut short, or
//! whose name was given to another one is not followed any longer, and the report says so.

use std::cell::Cell;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{InputReport, Listener, OnIdle, Run};
use crate::anomaly::{Anomaly, Kind as Note};
use crate::capture::{self, Source, map::Data};
use crate::http::InputId;
use crate::input::{Error, Input, Kind};
use crate::origin::Span;
use crate::transcript;
use crate::workers::Crew;

/// Time between two looks at a file at whose end one is.
const PAUSE: Duration = Duration::from_millis(100);
/// A text is read anew after this many times what reading it took.
const REST: u32 = 4;

impl Run<'_> {
    /// Reads a file as it grows.
    pub(super) fn follow(&mut self, id: InputId, input: &Input, path: &Path) -> Result<InputReport, Error> {
        let unreadable = |source| Error::Unreadable { name: input.name.clone(), source };
        let file = File::open(path).map_err(unreadable)?;
        let kind = match input.kind {
            Some(kind) => kind,
            None => input.kind_of(&Data::of(&file, false).map_err(unreadable)?)?,
        };
        match kind {
            Kind::Transcript(recording) => self.follow_text(id, input, recording, path),
            _ => Ok(self.follow_capture(id, input, kind, path, file)),
        }
    }

    fn follow_capture(&mut self, id: InputId, input: &Input, kind: Kind, path: &Path, file: File) -> InputReport {
        let (limits, keys, stop) = (&self.settings.limits, &self.settings.keys, self.stop);
        keys.expect_more(kind == Kind::Pcapng || keys.follows());
        let mut on_key_log = |text: &[u8]| {
            keys.add_log(text);
        };
        let ended = Cell::new(None);
        let mut report = self.packets(Crew::ALONE, id, &input.name, kind, None, |on_frame, idle| {
            let growing = Growing { file, path, position: 0, stop, idle, ended: &ended };
            capture::read_with_keys(Source::Stream(Box::new(growing)), limits, on_frame, Some(&mut on_key_log))
        });
        report.notes.extend(ended.take().map(note));
        report
    }

    fn follow_text(
        &mut self,
        id: InputId,
        input: &Input,
        kind: transcript::Kind,
        path: &Path,
    ) -> Result<InputReport, Error> {
        let unreadable = |source| Error::Unreadable { name: input.name.clone(), source };
        let before = self.assembler.clone();
        let mut length = 0;
        loop {
            let started = Instant::now();
            let file = File::open(path).map_err(unreadable)?;
            let data = Data::of(&file, false).map_err(unreadable)?;
            length = data.len().max(length);
            self.assembler = before.clone();
            self.listener.anew();
            let mut report = self.transcript(id, input, kind, &data);
            drop(data);
            let took = started.elapsed();
            let mut ended = None;
            while !self.stop.load(Ordering::Relaxed) {
                self.listener.idle(self.done + length as u64, &self.assembler);
                thread::sleep(PAUSE);
                ended = changed(&file, path, length as u64);
                let grown = file.metadata().is_ok_and(|now| now.len() > length as u64);
                if ended.is_some() || (grown && started.elapsed() >= took * REST) {
                    break;
                }
            }
            if ended.is_some() || self.stop.load(Ordering::Relaxed) {
                report.notes.extend(ended.map(note));
                return Ok(report);
            }
        }
    }
}

/// A file that is waited for at its end.
struct Growing<'a> {
    file: File,
    path: &'a Path,
    position: u64,
    stop: &'a AtomicBool,
    idle: OnIdle<'a>,
    /// Why it is not followed any longer.
    ended: &'a Cell<Option<&'static str>>,
}

impl Read for Growing<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let ended = changed(&self.file, self.path, self.position);
            let count = self.file.read(out)?;
            self.position += count as u64;
            if count > 0 || out.is_empty() || self.stop.load(Ordering::Relaxed) {
                return Ok(count);
            }
            if ended.is_some() {
                self.ended.set(ended);
                return Ok(0);
            }
            (self.idle)();
            thread::sleep(PAUSE);
        }
    }
}

/// Why a file that was read up to `position` cannot be followed any longer.
fn changed(file: &File, path: &Path, position: u64) -> Option<&'static str> {
    let shorter = file.metadata().is_ok_and(|now| now.len() < position);
    match fs::metadata(path) {
        _ if shorter => Some("the file was cut short"),
        Err(_) => Some("the file was removed or renamed"),
        Ok(now) if file.metadata().is_ok_and(|known| !is_same(&known, &now)) => {
            Some("another file has its name now (it was rotated)")
        }
        Ok(_) => None,
    }
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(_one: &Metadata, _other: &Metadata) -> bool {
    true
}

fn note(why: &'static str) -> Anomaly {
    let detail = format!("{why}: it is not followed any longer, what was read of it stays");
    Anomaly::new(Note::SourceTruncated, Span::default(), detail)
}
