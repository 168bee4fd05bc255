//! One function for each parser of outside bytes. The fuzzers call them, and `cargo test` calls them with every input
//! kept in `corpus/`: what a fuzzer once found stays found.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;

use dmscope::capture::{self, Source};
use dmscope::enroll::Provisioning;
use dmscope::examples::{binary, compose, page, run};
use dmscope::export::{Har, Lines, Scope};
use dmscope::filter::{Filter, Scene};
use dmscope::http::{Body, Captured, Conn, Event, InputId};
use dmscope::limits::Limits;
use dmscope::link::Datagram;
use dmscope::origin::{Origin, Run, Unit};
use dmscope::push::{Framing, Push, hex, secret};
use dmscope::reach::Names;
use dmscope::report::{self, Lint};
use dmscope::rules::Profile;
use dmscope::rules::location::Locator;
use dmscope::rules::own;
use dmscope::rules::runner::Runner;
use dmscope::rules::select::Selection;
use dmscope::session::{Assembler, Enrollment, Session};
use dmscope::story::{Heard, Seen, Teller};
use dmscope::stream::{End, Stream};
use dmscope::suppress::Baseline;
use dmscope::syncml::{Doc, Message};
use dmscope::tcp::{Consumer, Flags, Opening, Segment, SegmentOrigin, Table};
use dmscope::tls::{Keys, read_key};
use dmscope::{engine, http, input, link, transcript, wbxml, x509, xml};

/// A target: any bytes, and a panic where something is wrong.
pub(crate) type Target = fn(&[u8]);

/// Name and function of every target.
pub(crate) const ALL: &[(&str, Target)] = &[
    ("program", program),
    ("export", export),
    ("capture", capture),
    ("dns", dns),
    ("segments", segments),
    ("codings", codings),
    ("har", har),
    ("log", log),
    ("messages", messages),
    ("saz", saz),
    ("mitm", mitm),
    ("burp", burp),
    ("http", http),
    ("hpack", hpack),
    ("tls", tls),
    ("keylog", keylog),
    ("keyfile", keyfile),
    ("certificate", certificate),
    ("viewer", viewer),
    ("single", single),
    ("wbxml", wbxml),
    ("xml", xml),
    ("soap", soap),
    ("provisioning", provisioning),
    ("push", push),
    ("config", config),
    ("baseline", baseline),
    ("rule", rule),
    ("expression", expression),
    ("filter", filter),
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

/// Datagrams of DNS, each behind its length in one byte.
pub(crate) fn dns(data: &[u8]) {
    let mut names = Names::new(&limits());
    let mut rest = data;
    while let Some((length, behind)) = rest.split_first() {
        let (payload, behind) = behind.split_at(usize::from(*length).min(behind.len()));
        let (source, destination) = (SocketAddr::from(([10, 0, 0, 1], 5353)), SocketAddr::from(([10, 0, 0, 53], 53)));
        let run = Run { at: 0, unit: Unit::Frame(1), offset: 42, time: None, exact: true };
        names.take(&Datagram { source, destination, payload, cut: 0, run, at: None });
        rest = behind;
    }
    let unreached = names.finish(Vec::new(), InputId(0));
    assert!(unreached.len() <= data.len());
}

/// A file of any kind, as the inputs of the program.
fn with_file(data: &[u8], each: fn(&[input::Input])) {
    let path =
        std::env::temp_dir().join(format!("dmscope-fuzz-{}-{:?}", std::process::id(), std::thread::current().id()));
    std::fs::write(&path, data).expect("a folder for temporary files");
    if let Ok(inputs) = input::collect(std::slice::from_ref(&path), None) {
        each(&inputs);
    }
    std::fs::remove_file(&path).expect("the file just written");
}

fn settings() -> engine::Settings {
    engine::Settings { limits: limits(), ..engine::Settings::default() }
}

/// The whole program on a file of any kind: read, judged, told as a story, reported; nothing a terminal obeys is printed.
pub(crate) fn program(data: &[u8]) {
    with_file(data, judge);
}

/// A file of any kind, exported in both formats, and that read again: as many messages come back as went out.
pub(crate) fn export(data: &[u8]) {
    with_file(data, |inputs| {
        let mut har = Har::new(Vec::new()).expect("memory");
        let mut lines = Lines::new(Vec::new());
        let mut written = 0;
        let mut each = |session: Session| {
            let scope = Scope { session: &session, paths: &[], wanted: &|_| true, show_secrets: false };
            har.session(scope).expect("memory");
            written += lines.session(scope).expect("memory");
        };
        if engine::read(inputs, &settings(), &mut each, &mut |_| {}).is_err() {
            return;
        }
        let lines = lines.finish().expect("memory");
        assert_eq!(written, lines.iter().filter(|byte| **byte == b'\n').count(), "a line for each message");
        let mut read = 0;
        transcript::read(transcript::Kind::Messages, &lines, InputId(0), &limits(), &mut |record| {
            read += usize::from(!matches!(record, transcript::Record::Remark(..)));
        });
        assert_eq!(read, written, "what was exported is read again");
        let har = har.finish().expect("memory");
        transcript::read(transcript::Kind::Har, &har, InputId(0), &limits(), &mut |_| {});
    });
}

fn judge(inputs: &[input::Input]) {
    let settings = settings();
    let runner = Runner::new(&Selection::of(Profile::Windows), &settings.limits);
    let mut lint = Lint::default();
    let mut teller = Teller::new(&settings.limits);
    let mut each = |session: Session| {
        let mut locator = Locator::new(&session, false);
        let outcome = runner.run(&session);
        assert!(outcome.bugs.is_empty(), "{:?}", outcome.bugs);
        lint.findings.extend(outcome.drafts.into_iter().map(|draft| locator.finding(draft)));
        if let Some(heard) = Heard::of(&session) {
            teller.take(heard);
        }
    };
    let Ok(read) = engine::read(inputs, &settings, &mut each, &mut |_| {}) else { return };
    let stories = teller.tell(&lint.findings, read.seen());
    let mut out = Vec::new();
    report::text::write(&lint, report::text::Options::default(), &mut out).expect("memory");
    report::sarif::write(&lint, &mut out).expect("memory");
    let page = report::story::Page { stories: &stories, paths: &[], notes: &[] };
    report::story::text(&page, &mut out).expect("memory");
    // Colours of our own end with `m`; a report removes them where no terminal is.
    let printed = anstream::adapter::strip_bytes(&out).into_vec();
    assert!(!printed.iter().any(|byte| *byte == 0x1b || *byte == 0), "something that a terminal obeys");
}

/// A sequence of TCP segments. Each has a head of six bytes: which connection (4 bits), which side and flags, the sequence
/// number in steps of a few bytes, the length, bytes that were cut off.
pub(crate) fn segments(data: &[u8]) {
    let mut table: Table<Conn> = Table::new(http::Source::from(InputId(0)), &Arc::new(limits()));
    let mut rest = data;
    let mut frame = 0;
    while let Some(([to, flags, seq_high, seq_low, length, cut], behind)) = rest.split_first_chunk() {
        let (payload, behind) = behind.split_at(usize::from(*length).min(behind.len()));
        let client = SocketAddr::from(([10, 0, 0, 1], 50_000 + u16::from(to & 15)));
        let server = SocketAddr::from(([10, 0, 0, 2], if to & 16 == 0 { 80 } else { 443 }));
        let (source, destination) = if flags & 1 == 0 { (client, server) } else { (server, client) };
        frame += 1;
        let bit = |bit: u8| flags & bit != 0;
        let seq = u32::from(u16::from_be_bytes([*seq_high, *seq_low]));
        // Near the end of the numbers, so that they wrap.
        let seq = if bit(64) { seq } else { seq.wrapping_sub(300) };
        let run = Run { at: 0, unit: Unit::Frame(frame), offset: 54, time: None, exact: true };
        let segment = Segment {
            source,
            destination,
            seq,
            ack: seq,
            flags: Flags { syn: bit(2), ack: bit(4), fin: bit(8), rst: bit(16) },
            payload,
            cut: u32::from(*cut & 15),
            origin: SegmentOrigin::Frame(run),
            at: None,
        };
        table.segment(&segment, &mut |_| {});
        rest = behind;
    }
    table.finish(&mut |_| {});
}

/// Content codings: the first byte names two, the rest is the coded body.
pub(crate) fn codings(data: &[u8]) {
    const NAMES: [&str; 6] = ["gzip", "deflate", "br", "zstd", "identity", "x-unknown"];
    let Some((which, coded)) = data.split_first() else { return };
    let name = |number: u8| NAMES[usize::from(number) % NAMES.len()];
    let names = [name(which & 15), name(which >> 4)];
    let (limits, mut notes) = (limits(), Vec::new());
    let body = http::body::decode(coded, Origin::file(0), names.into_iter(), Captured::Whole, &limits, &mut notes);
    assert!(body.bytes.len() <= limits.decoded_body);
}

/// SOAP of enrollment: one message after the other, put together to an enrollment that is told.
pub(crate) fn soap(data: &[u8]) {
    let mut assembler = Assembler::new(&limits());
    let mut teller = Teller::new(&limits());
    let mut each = |session: Session| {
        if let Some(enrollment) = Enrollment::of(&session) {
            let known = |index: Option<usize>| index.is_none_or(|index| index < session.messages.len());
            assert!(enrollment.exchanges.iter().all(|asked| known(asked.request) && known(asked.response)));
        }
        if let Some(heard) = Heard::of(&session) {
            teller.take(heard);
        }
    };
    for part in data.split(|byte| *byte == 0) {
        let body = Body::whole(part, Origin::file(0));
        let document = transcript::Document { body, side: None, at: None, position: None };
        assembler.document(Message::from_document(document, InputId(0), &limits()), &mut each);
    }
    assembler.finish(&mut each);
    teller.tell(&[], Seen::default());
}

/// A provisioning document, and the certificates in it.
pub(crate) fn provisioning(data: &[u8]) {
    let doc = xml::parse(&data.into(), &limits());
    let Some(document) = Provisioning::of(&doc) else { return };
    document.poll().map(|poll| poll.words());
    document.application().map(|account| (account.addr().is_some(), account.auths().count()));
    for der in document.certificates().filter_map(|certificate| certificate.der()) {
        x509::Certificate::read(&der);
        x509::CertificateRequest::read(&der);
        x509::SignedMessage::read(&der);
    }
}

/// A configuration file.
pub(crate) fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Err(wrong) = dmscope::config::File::parse(text) {
        assert!(wrong.line > 0 && wrong.column > 0 && !wrong.what.contains('\n'), "{wrong}");
    }
}

/// A baseline: what is read is written and reads back.
pub(crate) fn baseline(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Baseline::parse(text) {
        Ok(baseline) => assert_eq!(Baseline::parse(&baseline.text()).as_ref(), Ok(&baseline)),
        Err(wrong) => assert!(wrong.line > 0 && wrong.column > 0 && !wrong.what.contains('\n'), "{wrong}"),
    }
}

/// A session for own rules to look at.
fn some_session() -> Session {
    const PAGE: &str = "## Good\n```syncml client 1\n…\n```\n```syncml server 1\n…\n<Get><CmdID>9</CmdID><Item><Target>\
        <LocURI>./DevDetail/SwV</LocURI></Target></Item></Get>\n```\n```syncml client 2\n…\n```\n```syncml server 2\n…\n```\n";
    let examples = page::read(PAGE, |_| Profile::Windows).expect("an example");
    let sent = compose::messages(&examples[0]).expect("messages");
    run::as_http(&sent).pop().expect("a session")
}

/// The page of an own rule: the rule on a session, and its examples.
pub(crate) fn rule(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match own::try_page(text, &some_session(), &limits()) {
        Ok(said) => assert!(said.iter().flatten().all(|text| text.len() < 1 << 20)),
        Err(wrong) => assert!(wrong.iter().all(|(at, what)| *at <= text.len() && !what.is_empty()), "{wrong:?}"),
    }
    let Ok(examples) = page::read(text, |_| Profile::Windows) else { return };
    for example in &examples {
        let Ok(sent) = compose::messages(example) else { continue };
        run::as_http(&sent);
        run::as_documents(&sent);
        binary::encoded(&sent);
    }
}

/// A string of TOML.
fn quoted(text: &str) -> String {
    let letters = text.chars().map(|letter| match letter.is_ascii_alphanumeric() {
        true => letter.to_string(),
        false => format!("\\U{:08X}", u32::from(letter)),
    });
    format!("\"{}\"", letters.collect::<String>())
}

/// An expression of an own rule, in each place that one can stand in.
pub(crate) fn expression(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let page = |scope: &str, on: &str, when: &str, message: &str| {
        let level = "severity = { oma = \"info\", windows = \"info\" }";
        let fields =
            format!("scope = \"{scope}\"\non = [{on}]\nwhen = {}\nmessage = {}", quoted(when), quoted(message));
        rule(
            format!("+++\nid = \"A-1\"\nname = \"a\"\nsummary = \"a\"\nfix = \"a\"\n{level}\n{fields}\n+++\n")
                .as_bytes(),
        );
    };
    for (scope, on) in [("session", ""), ("item", ""), ("element", "\"Data\"")] {
        page(scope, on, text, "a");
        page(scope, on, "true", &format!("{{{text}}}"));
    }
}

/// A filter of the view, on a session.
pub(crate) fn filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Filter::parse(text) {
        Ok(filter) => {
            let session = some_session();
            let shown = filter.messages(Scene { session: &session, findings: &[] });
            assert_eq!(shown.len(), session.messages.len());
        }
        Err(wrong) => assert!(!wrong.to_string().contains(['\n', '\u{1b}']), "{wrong}"),
    }
    let (at, _) = dmscope::filter::complete(text);
    assert!(text.is_char_boundary(at));
}

/// Exported messages, put together to sessions again.
pub(crate) fn messages(data: &[u8]) {
    input::sniff(data);
    let mut assembler = Assembler::new(&limits());
    let each = &mut |session: Session| assert!(session.messages.len() <= 4 << 20);
    transcript::read(transcript::Kind::Messages, data, InputId(0), &limits(), &mut |record| match record {
        transcript::Record::Told(told) => assembler.told(*told, InputId(0), each),
        transcript::Record::Http(event) => assembler.http(event, each),
        transcript::Record::Push(pushed) => assembler.pushed(Message::from_push(pushed, InputId(0)), each),
        transcript::Record::Document(document) => {
            assembler.document(Message::from_document(document, InputId(0), &limits()), each);
        }
        transcript::Record::Remark(..) => {}
    });
    assembler.finish(each);
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

/// A Fiddler archive.
pub(crate) fn saz(data: &[u8]) {
    recording(transcript::Kind::Saz, data);
}

/// A mitmproxy flow file.
pub(crate) fn mitm(data: &[u8]) {
    recording(transcript::Kind::Mitm, data);
}

/// A Burp item list.
pub(crate) fn burp(data: &[u8]) {
    recording(transcript::Kind::Burp, data);
}

/// A certificate, and all that is told of it.
pub(crate) fn certificate(data: &[u8]) {
    let certificate = dmscope::x509::Certificate::read(data);
    certificate.covers("mdm.example.test");
    let facts = dmscope::tls::Facts {
        server_certificates: vec![data.into()],
        client_certificates: vec![data.into()],
        sealed: Some(dmscope::tls::Sealed::Failed),
        ..dmscope::tls::Facts::default()
    };
    assert!(dmscope::report::tls::lines(&facts).iter().all(|line| !line.contains(['\n', '\u{1b}'])));
}

/// A connection of HTTP/1 or HTTP/2. The input is a list of turns: who speaks and how many bytes (in one byte: the
/// highest bit is the side, seven bits the length, 127 for a gap), and the bytes.
pub(crate) fn http(data: &[u8]) {
    connection(&InputId(0).into(), data);
}

/// The same over TLS: before the turns stand the key log, or the private key, that opens it, and its length in two bytes.
pub(crate) fn tls(data: &[u8]) {
    let Some((length, rest)) = data.split_first_chunk() else { return };
    let (secrets, turns) = rest.split_at(usize::from(u16::from_be_bytes(*length)).min(rest.len()));
    let keys = Keys::new(&limits());
    keys.add_log(secrets);
    read_key(secrets).into_iter().flatten().for_each(|key| keys.add_rsa(key));
    connection(&http::Source::new(InputId(0), keys), turns);
}

/// A key log.
pub(crate) fn keylog(data: &[u8]) {
    let lines = Keys::new(&limits()).add_log(data);
    assert!(lines.secrets + lines.other <= data.len());
}

/// A file with a private key.
pub(crate) fn keyfile(data: &[u8]) {
    let _ = read_key(data);
}

/// Header blocks of one direction of HTTP/2, each behind its length in one byte; the first byte says whether they begin with
/// the connection.
pub(crate) fn hpack(data: &[u8]) {
    let Some((start, mut rest)) = data.split_first() else { return };
    let mut decoder = http::hpack::Decoder::new(start & 1 == 1, 4096);
    while let Some((length, behind)) = rest.split_first() {
        let (block, behind) = behind.split_at(usize::from(*length).min(behind.len()));
        let mut fields = 0;
        let _ = decoder.decode(block, &mut |_| fields += 1);
        assert!(fields <= block.len());
        rest = behind;
    }
}

fn connection(source: &http::Source, data: &[u8]) {
    const GAP: usize = 127;
    let address = |port| std::net::SocketAddr::from(([10, 0, 0, 1], port));
    let opening = Opening { number: 0, client: address(50_000), server: address(80), from_start: true };
    let limits = Arc::new(limits());
    let mut conn = Conn::open(source, opening, &limits);
    let mut streams: [Stream; 2] = Default::default();
    let mut rest = data;
    let mut out = |_: Event| {};
    while let Some((turn, behind)) = rest.split_first() {
        let stream = &mut streams[usize::from(turn >> 7)];
        stream.seen = true;
        let length = usize::from(turn & 0x7f);
        if length == GAP {
            stream.gap(behind.first().map(|len| u64::from(*len)));
            rest = behind.get(1..).unwrap_or_default();
        } else {
            let (bytes, behind) = behind.split_at(length.min(behind.len()));
            stream.append(bytes, Run { at: 0, unit: Unit::Frame(1), offset: 0, time: None, exact: true });
            rest = behind;
        }
        conn.advance(&mut streams, &mut out);
        assert!(conn.held() <= 4 * data.len() + (1 << 20), "more is kept than came");
    }
    streams.iter_mut().for_each(|stream| stream.close(End::Unknown));
    conn.close(&mut streams, None, &mut out);
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
    check(&xml::parse(&data.into(), &limits()));
}

/// WBXML to a document, and that to WBXML again.
pub(crate) fn wbxml(data: &[u8]) {
    let doc = wbxml::parse(&data.into(), &limits());
    check(&doc);
    let (again, _) = wbxml::encode::encode(&doc);
    check(&wbxml::parse(&again.into(), &limits()));
}

/// A push, whatever stands around it, and all that is told of it; the same of octets in hexadecimal.
pub(crate) fn push(data: &[u8]) {
    let written = hex::octets(data);
    for bytes in [data].into_iter().chain(written.as_deref()) {
        let found = Framing::sniff(bytes);
        for framing in Framing::ALL {
            let push = Push::read(bytes, framing);
            assert!(push.content_at + push.content.len() <= bytes.len());
            assert_eq!(secret::masked(bytes, framing).len(), bytes.len());
            let lines = dmscope::report::push::lines(bytes, framing, true);
            assert!(lines.iter().all(|(name, said)| !format!("{name}{said}").contains(['\n', '\u{1b}'])));
            assert!(found != Some(framing) || push.is_ours());
        }
    }
}
