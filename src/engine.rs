//! Connects the stages: opens each input, runs its bytes through the pipeline and hands on closed sessions.
//!
//! In: a list of inputs. Out: sessions, in the order they close, and an [`InputReport`] for each input. The only module
//! that knows all stages; it holds no state but what one input needs. Memory is bounded by `limits`: captures are
//! mapped or read as they come, only standard input that is no capture is read whole, up to 1 GiB.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::anomaly::{Anomaly, Kind as Note};
use crate::capture::{self, Format, Frame, Source, Summary, map::Data};
use crate::http::{self, Conn, Encrypted, Event, InputId};
use crate::input::{Error, Input, Kind};
use crate::limits::Limits;
use crate::link::{self, Carried, DNS, Datagram};
use crate::origin::{Span, Unit};
use crate::reach::{Names, Unreached};
use crate::session::{Arrival, Assembler, Session};
use crate::story::Seen;
use crate::syncml::Message;
use crate::tcp;
use crate::time::Time;
use crate::tls::Keys;
use crate::transcript::{self, Pushed, Record};
use crate::workers::{self, Crew};
use remarks::Remarks;

mod again;
mod encrypted;
mod extents;
mod follow;
mod pushed;
mod remarks;
mod spool;

pub use again::again;
pub use extents::{Extent, Extents, extents};
pub use spool::Spool;

/// Bytes of standard input from which its kind is told.
const HEAD: usize = 16 * 1024;
/// Bytes of standard input that are read when it is no capture: a text has to be in memory as a whole.
const STDIN_LIMIT: u64 = 1 << 30;
/// Frames between two signs of progress.
const STEP: u64 = 4096;
/// Bytes of a capture file beside those of a packet: what progress is told in are bytes of the file, about.
const RECORD: u64 = 16;
/// Records of a recording without packets between two signs of progress.
const RECORDS: u64 = 64;

/// What reading needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The bounds.
    pub limits: Limits,
    /// Map files, or read them into memory first.
    pub mmap: bool,
    /// What decrypts TLS; secrets blocks of the captures are added.
    pub keys: Keys,
    /// Threads that read documents and judge sessions.
    pub threads: usize,
    /// Whether reading goes on at the end of the last input, as the file grows, until it is told to stop.
    pub follow: bool,
    /// Where inputs are kept that can be read only once, if they are to be read [`again`].
    pub spool: Option<Spool>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            limits: Limits::default(),
            mmap: true,
            keys: Keys::default(),
            threads: 1,
            follow: false,
            spool: None,
        }
    }
}

/// What was read from one input.
#[derive(Debug)]
pub struct InputReport {
    /// Its number, which places in findings carry.
    pub id: InputId,
    /// Its name, as reports print it.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Packets; 0 for an input without packets.
    pub packets: u64,
    /// Bytes: captured bytes of the packets, or the size of the input.
    pub bytes: u64,
    /// TCP connections.
    pub tcp_streams: u64,
    /// Whether it was compressed, so that what it holds has no place in the file.
    pub packed: bool,
    /// What was noticed about the input as a whole.
    pub notes: Vec<Anomaly>,
}

/// What was seen in all inputs together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Messages of device management, enrollment and provisioning.
    pub messages: u64,
    /// Sessions of device management.
    pub sessions: u64,
    /// Enrollments.
    pub enrollments: u64,
    /// Pushes: notifications and bootstraps.
    pub pushes: u64,
    /// HTTP messages and documents that are none of these.
    pub other: u64,
}

/// What [`read`] found besides the sessions.
#[derive(Debug, Default)]
pub struct Reading {
    /// One for each input, in order.
    pub inputs: Vec<InputReport>,
    /// Sums over all.
    pub totals: Totals,
    /// Servers whose connections could not be decrypted.
    pub encrypted: Vec<Encrypted>,
    /// Hosts that were not reached.
    pub unreached: Vec<Unreached>,
    /// Time of the last packet, where there are packets.
    pub until: Option<Time>,
}

impl Reading {
    /// What stories are told from besides messages.
    pub fn seen(&self) -> Seen<'_> {
        Seen { encrypted: &self.encrypted, unreached: &self.unreached, until: self.until }
    }
}

/// Who is told what is read.
pub trait Listener {
    /// A session closed.
    fn session(&mut self, session: Session);

    /// So many bytes of all inputs were read, and these sessions are open. Told often.
    fn pulse(&mut self, done: u64, open: &Assembler);

    /// Nothing more is there at this time of an input that is followed.
    fn idle(&mut self, done: u64, open: &Assembler) {
        self.pulse(done, open);
    }

    /// The sessions of the last input come, maybe again: it is a text that is followed, and has grown. Those that do not
    /// come until it is [`Listener::idle`] are no more: they were made of the piece of a message.
    fn anew(&mut self) {}
}

/// A listener made of two functions.
struct Functions<'a> {
    each: &'a mut dyn FnMut(Session),
    progress: &'a mut dyn FnMut(u64),
}

impl Listener for Functions<'_> {
    fn session(&mut self, session: Session) {
        (self.each)(session);
    }

    fn pulse(&mut self, done: u64, _open: &Assembler) {
        (self.progress)(done);
    }
}

/// Reads `inputs` in order and hands each session to `each` when it closes. `progress` is told from time to time how
/// many bytes of all inputs were read.
///
/// # Errors
/// An input that cannot be opened or read, or whose kind cannot be told; what came before it was handed on.
pub fn read(
    inputs: &[Input],
    settings: &Settings,
    each: &mut dyn FnMut(Session),
    progress: &mut dyn FnMut(u64),
) -> Result<Reading, Error> {
    read_until(inputs, settings, &AtomicBool::new(false), &mut Functions { each, progress })
}

/// The same until `stop` is set: then packets and inputs that follow are left out, as if the recording ended there.
///
/// # Errors
/// As [`read`].
pub fn read_until(
    inputs: &[Input],
    settings: &Settings,
    stop: &AtomicBool,
    listener: &mut dyn Listener,
) -> Result<Reading, Error> {
    let mut run = Run::new(settings, stop, listener);
    let mut reports = Vec::new();
    for (number, input) in inputs.iter().enumerate().take_while(|_| !stop.load(Ordering::Relaxed)) {
        let id = InputId(u32::try_from(number).unwrap_or(u32::MAX));
        let follow = settings.follow && number + 1 == inputs.len();
        let mut report = run.input(id, input, follow)?;
        let ends = inputs.get(number + 1).is_none_or(|next| next.group != input.group);
        if ends {
            run.assembler.finish(&mut |session| run.listener.session(session));
        }
        report.notes.extend(run.assembler.take_notes());
        if run.encrypted.take_left_out() {
            let detail = format!("encrypted connections to more than {} hosts", settings.limits.encrypted_hosts);
            report.notes.push(Anomaly::new(Note::LimitFlows, Span::default(), detail));
        }
        reports.push(report);
    }
    Ok(run.finish(reports))
}

/// Reads packets from an interface for as long as `go_on` says, and hands each session to `each` when it closes.
#[cfg(feature = "live")]
pub fn watch(
    live: &mut capture::live::Live,
    name: &str,
    settings: &Settings,
    go_on: &mut dyn FnMut() -> bool,
    each: &mut dyn FnMut(Session),
) -> Reading {
    settings.keys.expect_more(settings.keys.follows());
    let stop = AtomicBool::new(false);
    let mut listener = Functions { each, progress: &mut |_| {} };
    let mut run = Run::new(settings, &stop, &mut listener);
    let mut report = run.packets(Crew::ALONE, InputId(0), name, Kind::Pcap, None, |on_frame, _| {
        live.run(&settings.limits, go_on, on_frame)
    });
    run.assembler.finish(&mut |session| run.listener.session(session));
    report.notes.extend(run.assembler.take_notes());
    run.finish(vec![report])
}

/// What takes the packets of a capture.
type OnFrame<'a> = &'a mut dyn FnMut(Frame<'_>) -> ControlFlow<()>;

/// What is told that nothing more is there at this time.
type OnIdle<'a> = &'a dyn Fn();

struct Run<'a> {
    settings: &'a Settings,
    stop: &'a AtomicBool,
    assembler: Assembler,
    encrypted: encrypted::Hosts,
    listener: Remarks<'a>,
    done: u64,
    until: Option<Time>,
    unreached: Vec<Unreached>,
}

impl<'a> Run<'a> {
    fn new(settings: &'a Settings, stop: &'a AtomicBool, listener: &'a mut dyn Listener) -> Run<'a> {
        let assembler = Assembler::new(&settings.limits);
        let listener = Remarks::new(listener);
        Run {
            settings,
            stop,
            assembler,
            encrypted: encrypted::Hosts::default(),
            listener,
            done: 0,
            until: None,
            unreached: Vec::new(),
        }
    }

    fn finish(self, inputs: Vec<InputReport>) -> Reading {
        let counts = self.assembler.counts();
        let totals = Totals {
            messages: counts.messages,
            sessions: counts.sessions,
            enrollments: counts.enrollments,
            pushes: counts.pushes,
            other: counts.dropped,
        };
        Reading { inputs, totals, encrypted: self.encrypted.finish(), unreached: self.unreached, until: self.until }
    }

    fn input(&mut self, id: InputId, input: &Input, follow: bool) -> Result<InputReport, Error> {
        let unreadable = |source| Error::Unreadable { name: input.name.clone(), source };
        let regular = input.path.as_deref().filter(|path| path.is_file());
        let mut size = None;
        let mut report = match (regular, &input.path) {
            (Some(path), _) if follow => self.follow(id, input, path)?,
            (Some(path), _) if !self.settings.mmap && input.kind.is_some_and(Kind::is_capture) => {
                self.unmapped(id, input, path).map_err(unreadable)?
            }
            (Some(path), _) => {
                let data = Data::open(path, self.settings.mmap).map_err(unreadable)?;
                let kind = input.kind_of(&data)?;
                size = Some(data.len() as u64);
                self.bytes(id, input, kind, &data)
            }
            (None, Some(path)) => self.once(id, input, Box::new(File::open(path).map_err(unreadable)?))?,
            (None, None) => self.once(id, input, Box::new(io::stdin().lock()))?,
        };
        self.done += size.unwrap_or(report.bytes);
        self.listener.pulse(self.done, &self.assembler);
        report.notes.dedup();
        Ok(report)
    }

    fn bytes(&mut self, id: InputId, input: &Input, kind: Kind, data: &[u8]) -> InputReport {
        match kind {
            Kind::Pcap | Kind::Pcapng => self.capture(id, input, kind, Source::Bytes(data)),
            Kind::Transcript(recording) => self.transcript(id, input, recording, data),
        }
    }

    /// A capture file that is read as it lies on the disk, piece by piece.
    fn unmapped(&mut self, id: InputId, input: &Input, path: &Path) -> io::Result<InputReport> {
        let Settings { limits, keys, .. } = self.settings;
        let crew = self.crew(workers::BATCH);
        let kind = input.kind.unwrap_or(Kind::Pcap);
        let mut on_key_log = |text: &[u8]| {
            keys.add_log(text);
        };
        if kind == Kind::Pcapng {
            let source = Source::Stream(Box::new(File::open(path)?));
            capture::read_with_keys(source, limits, &mut |_| self.go_on(), Some(&mut on_key_log));
        }
        let taken = Cell::new(0);
        let source = Source::Stream(Box::new(Counted { from: File::open(path)?, taken: &taken }));
        Ok(self.packets(crew, id, &input.name, kind, Some(&taken), |on_frame, _| {
            capture::read_with_keys(source, limits, on_frame, Some(&mut on_key_log))
        }))
    }

    /// An input that can be read only once; what was kept of it, once it was read.
    fn once(&mut self, id: InputId, input: &Input, from: Box<dyn Read + '_>) -> Result<InputReport, Error> {
        if let Some(data) = self.settings.spool.as_ref().and_then(|spool| spool.of(id).ok()) {
            let kind = input.kind_of(&data)?;
            return Ok(self.bytes(id, input, kind, &data));
        }
        match &self.settings.spool {
            Some(spool) => {
                let kept = spool.keep(id, from);
                self.stream(id, input, Box::new(kept))
            }
            None => self.stream(id, input, from),
        }
    }

    /// Standard input or a pipe: captures are read as they come, anything else as a whole.
    fn stream(&mut self, id: InputId, input: &Input, mut from: Box<dyn Read + '_>) -> Result<InputReport, Error> {
        let unreadable = |source| Error::Unreadable { name: input.name.clone(), source };
        let mut head = Vec::new();
        from.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(unreadable)?;
        let kind = input.kind_of(&head)?;
        if kind.is_capture() {
            return Ok(self.capture(id, input, kind, Source::Stream(Box::new(head.chain(from)))));
        }
        if kind == Kind::Transcript(transcript::Kind::Messages) && head.trim_ascii_start().starts_with(b"{") {
            return self.lines(id, input, kind, BufReader::new(head.chain(from))).map_err(unreadable);
        }
        from.by_ref().take(STDIN_LIMIT).read_to_end(&mut head).map_err(unreadable)?;
        let more = from.read(&mut [0]).map_err(unreadable)? > 0;
        let mut report = self.bytes(id, input, kind, &head);
        if more {
            let detail = format!("only the first {STDIN_LIMIT} bytes were read");
            report.notes.push(Anomaly::new(Note::SourceTruncated, Span::default(), detail));
        }
        Ok(report)
    }

    /// Exported messages are read as they come.
    fn lines(&mut self, id: InputId, input: &Input, kind: Kind, mut from: impl BufRead) -> io::Result<InputReport> {
        let limits = &self.settings.limits;
        let Run { assembler, listener, done, stop, .. } = self;
        let mut reader = transcript::messages::Reader::new(id, limits);
        let (mut line, mut bytes) = (Vec::new(), 0);
        while !stop.load(Ordering::Relaxed) {
            line.clear();
            let most = limits.line as u64 + 1;
            let read = from.by_ref().take(most).read_until(b'\n', &mut line)? as u64;
            bytes += read;
            match read {
                0 => break,
                read if read == most && !line.ends_with(b"\n") => {
                    bytes += from.skip_until(b'\n')? as u64;
                    reader.too_long();
                }
                _ => reader.line(&line, &mut |record| take(record, id, limits, assembler, listener)),
            }
            listener.pulse(*done + bytes, assembler);
        }
        let notes = reader.finish();
        let name = input.name.clone();
        Ok(InputReport { id, name, kind, packets: 0, bytes, tcp_streams: 0, packed: false, notes })
    }

    fn capture(&mut self, id: InputId, input: &Input, kind: Kind, source: Source<'_>) -> InputReport {
        let Settings { limits, keys, .. } = self.settings;
        // What a pipe brings next may be long in coming.
        let crew = self.crew(if matches!(source, Source::Bytes(_)) { workers::BATCH } else { 0 });
        let mut on_key_log = |text: &[u8]| {
            keys.add_log(text);
        };
        match source {
            // Secrets blocks may stand behind the packets that they are for.
            Source::Bytes(bytes) if kind == Kind::Pcapng => {
                let mut pass = |_: Frame<'_>| self.go_on();
                capture::read_with_keys(Source::Bytes(bytes), limits, &mut pass, Some(&mut on_key_log));
            }
            Source::Bytes(_) => {}
            Source::Stream(_) => keys.expect_more(kind == Kind::Pcapng || keys.follows()),
        }
        let taken = Cell::new(0);
        let (source, packed) = match source {
            Source::Bytes(bytes) if matches!(capture::sniff(bytes), Some(Format::Gzip | Format::Zstd)) => {
                (Source::Stream(Box::new(Counted { from: bytes, taken: &taken })), Some(&taken))
            }
            source => (source, None),
        };
        self.packets(crew, id, &input.name, kind, packed, |on_frame, _| {
            capture::read_with_keys(source, limits, on_frame, Some(&mut on_key_log))
        })
    }

    fn crew(&self, batch: usize) -> Crew {
        let Settings { limits, threads, .. } = self.settings;
        Crew { threads: *threads, most: limits.bodies_under_way, batch }
    }

    fn go_on(&self) -> ControlFlow<()> {
        if self.stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Runs the packets that `read` gives through the pipeline; with one thread, without delay. `taken` has the bytes
    /// read so far, where the file is packed.
    fn packets(
        &mut self,
        crew: Crew,
        id: InputId,
        name: &str,
        kind: Kind,
        taken: Option<&Cell<u64>>,
        read: impl FnOnce(OnFrame<'_>, OnIdle<'_>) -> Summary,
    ) -> InputReport {
        let limits = &self.settings.limits;
        let mut decoder = link::Decoder::new(limits);
        let keys = self.settings.keys.clone();
        let source = http::Source::new(id, keys.clone());
        let mut table: tcp::Table<Conn> = tcp::Table::new(source.clone(), limits);
        let mut names = Names::new(limits);
        let Run { assembler, encrypted, listener, done, stop, .. } = self;
        let (frames, bytes, mut latest) = (Cell::new(0u64), Cell::new(0u64), None);
        let so_far = || *done + taken.map_or(bytes.get() + frames.get() * RECORD, Cell::get);
        let told = RefCell::new((assembler, listener));
        let (summary, mut notes) = workers::run(crew, &|job| arrival(job, id, limits), |workers| {
            let mut take = |arrival| {
                if let Some(arrival) = arrival {
                    let (assembler, listener) = &mut *told.borrow_mut();
                    assembler.arrived(arrival, &mut |session| listener.session(session));
                }
            };
            let mut give = |job: Job| {
                if let Job::Http(Event::Encrypted(connection)) = &job {
                    encrypted.add(connection.clone(), limits);
                }
                let size = job.size();
                workers.give(job, size, &mut take);
            };
            let idle = || {
                let (assembler, listener) = &mut *told.borrow_mut();
                listener.idle(so_far(), assembler);
            };
            let mut on_frame = |frame: Frame<'_>| {
                frames.set(frames.get() + 1);
                bytes.set(bytes.get() + frame.bytes.len() as u64);
                latest = latest.max(frame.at);
                if let Some(comment) = frame.comment {
                    told.borrow_mut().1.remark(id, Unit::Frame(frame.no), comment);
                }
                if frames.get().is_multiple_of(STEP) {
                    let (assembler, listener) = &mut *told.borrow_mut();
                    listener.pulse(so_far(), assembler);
                }
                match decoder.frame(&frame) {
                    Some(Carried::Segment(segment)) => table.segment(&segment, &mut |event| give(Job::Http(event))),
                    Some(Carried::Datagram(datagram)) if is_dns(&datagram) => names.take(&datagram),
                    Some(Carried::Datagram(datagram)) => give(Job::Push(pushed::of(&datagram))),
                    None => {}
                }
                if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let mut summary = read(&mut on_frame, &idle);
            let mut notes = std::mem::take(&mut summary.notes);
            notes.extend(decoder.finish());
            let mut hand_on = |event| give(Job::Http(event));
            notes.extend(table.finish(&mut hand_on));
            keys.expect_more(false);
            source.read_parked(&mut hand_on);
            workers.finish(&mut take);
            (summary, notes)
        });
        if keys.take_left_out() {
            let detail = format!("the key logs name more than {} connections; the rest was left out", limits.secrets);
            notes.push(Anomaly::new(Note::LimitCapture, Span::default(), detail));
        }
        self.unreached.extend(names.finish(table.attempts(), id));
        self.assembler.until(latest);
        self.until = self.until.max(latest);
        if let Some(error) = &summary.failed {
            notes.push(Anomaly::new(Note::CaptureTruncated, Span::default(), format!("reading ended: {error}")));
        }
        if summary.dropped > 0 {
            let detail = format!("the recorder lost {} packets", summary.dropped);
            notes.push(Anomaly::new(Note::CaptureDropped, Span::default(), detail));
        }
        InputReport {
            id,
            name: name.to_owned(),
            kind,
            packets: summary.packets,
            bytes: summary.bytes,
            tcp_streams: u64::from(table.streams()),
            packed: summary.packed.is_some(),
            notes,
        }
    }

    fn transcript(&mut self, id: InputId, input: &Input, kind: transcript::Kind, data: &[u8]) -> InputReport {
        let limits = &self.settings.limits;
        let Run { assembler, listener, done, stop, .. } = self;
        let (mut records, mut read) = (0u64, 0);
        let summary = transcript::read(kind, data, id, limits, &mut |record| {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            read = read.max(file_offset(&record));
            take(record, id, limits, assembler, listener);
            records += 1;
            if records.is_multiple_of(RECORDS) {
                listener.pulse(*done + read, assembler);
            }
        });
        InputReport {
            id,
            name: input.name.clone(),
            kind: Kind::Transcript(kind),
            packets: 0,
            bytes: data.len() as u64,
            tcp_streams: 0,
            packed: summary.packed,
            notes: summary.notes,
        }
    }
}

/// Hands a record of a recording to the sessions.
fn take(record: Record, id: InputId, limits: &Limits, assembler: &mut Assembler, listener: &mut Remarks<'_>) {
    if let Record::Remark(unit, text) = &record {
        return listener.remark(id, *unit, text);
    }
    let each = &mut |session| listener.session(session);
    match record {
        Record::Http(event) => assembler.http(event, each),
        Record::Document(document) => assembler.document(Message::from_document(document, id, limits), each),
        Record::Push(pushed) => assembler.pushed(Message::from_push(pushed, id), each),
        Record::Told(told) => assembler.told(*told, id, each),
        Record::Remark(..) => {}
    }
}

impl Job {
    /// Bytes that it holds.
    fn size(&self) -> usize {
        match self {
            Job::Http(event) => event.size(),
            Job::Push(pushed) => pushed.body.bytes.len(),
        }
    }
}

fn arrival(job: Job, input: InputId, limits: &Limits) -> Option<Arrival> {
    match job {
        Job::Http(event) => Some(Arrival::of(event, limits)),
        Job::Push(pushed) => Arrival::of_push(pushed, input),
    }
}

/// Where a document of a text begins in its file; 0 where that is not known.
fn file_offset(record: &Record) -> u64 {
    let Record::Document(document) = record else { return 0 };
    document.body.origin.runs().first().filter(|run| run.exact && run.unit == Unit::File).map_or(0, |run| run.offset)
}

/// What a capture hands on, to be read without order.
enum Job {
    Http(Event),
    Push(Pushed),
}

/// Whether it is of DNS, not a push.
fn is_dns(datagram: &Datagram<'_>) -> bool {
    [datagram.source, datagram.destination].iter().any(|end| end.port() == DNS)
}

/// Counts what is read.
struct Counted<'a, R> {
    from: R,
    taken: &'a Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(out)?;
        self.taken.set(self.taken.get() + count as u64);
        Ok(count)
    }
}
