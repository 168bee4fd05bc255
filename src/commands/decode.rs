//! `dmscope decode`: one message from WBXML to XML, or back. A notification is read in `notification`.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::{Exit, notification, stdout};
use crate::anomaly::Anomaly;
use crate::cli;
use crate::escape;
use crate::limits::Limits;
use crate::octets::Octets;
use crate::syncml::Doc;
use crate::{wbxml, xml};

/// The public identifier of a document that does not say its type; below it, the string table does.
const UNKNOWN: u32 = 1;

pub(super) fn run(options: &cli::Decode) -> Result<Exit> {
    if options.notification {
        return notification::run(&options.file);
    }
    let limits = Limits::default();
    let name = if options.file.as_os_str() == "-" { "standard input".into() } else { options.file.to_string_lossy() };
    let body: Octets = read(&options.file, limits.body).with_context(|| format!("cannot read {name}"))?.into();
    if body.len() > limits.body {
        bail!("{name} has more than {} bytes, which no message has", limits.body);
    }
    if options.encode { encode(&name, &body, &limits) } else { decode(&name, &body, &limits) }
}

/// A file or standard input; one byte more than `most` where there is more.
pub(super) fn read(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let from: Box<dyn Read> = if path.as_os_str() == "-" { Box::new(io::stdin()) } else { Box::new(File::open(path)?) };
    let mut bytes = Vec::new();
    from.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn decode(name: &str, body: &Octets, limits: &Limits) -> Result<Exit> {
    if body.is_empty() {
        bail!("{name} is empty");
    }
    if !wbxml::sniff(body) {
        match body.trim_ascii_start().first() {
            Some(b'<') => bail!("{name} is not WBXML but looks like XML; --encode makes WBXML of it"),
            _ => bail!("{name} is not WBXML: no version, public identifier and character set at its start"),
        }
    }
    let doc = wbxml::parse(body, limits);
    let id = doc.prolog.as_ref().map_or(0, |prolog| prolog.public_id);
    if id > UNKNOWN && !wbxml::tables::PUBLIC.iter().any(|(known, ..)| *known == id) {
        bail!("{name} is WBXML of another kind: its public identifier is 0x{id:04X}, which is none of SyncML's");
    }
    if doc.root().is_none() {
        bail!(
            "{name} has no element{}",
            doc.notes.first().map(|note| format!(": {}", note.detail)).unwrap_or_default()
        );
    }
    let written = xml::write::write(&doc);
    let mut out = stdout();
    out.write_all(written.text.as_bytes())?;
    out.flush()?;
    for (count, what) in [
        (written.replaced, "characters that XML cannot hold are written as U+FFFD"),
        (written.renamed, "names that XML cannot hold are written with _"),
    ] {
        if count > 0 {
            tell("warning", name, &format!("{count} {what}"))?;
        }
    }
    notes(name, &doc)
}

fn encode(name: &str, body: &Octets, limits: &Limits) -> Result<Exit> {
    if wbxml::sniff(body) {
        bail!("{name} is not XML but looks like WBXML; without --encode it is made XML");
    }
    let doc = xml::parse(body, limits);
    if let Some(note) = doc.notes.iter().find(|note| note.kind.stops_decoding()) {
        bail!("{name} cannot be encoded: {}", place(note));
    }
    if doc.root().is_none() {
        bail!("{name} is not XML: it has no element");
    }
    if io::stdout().is_terminal() {
        bail!("WBXML is not for a terminal; send it to a file with > FILE");
    }
    let (bytes, beyond) = wbxml::encode::encode(&doc);
    io::stdout().write_all(&bytes)?;
    for path in beyond {
        let what = if path.contains("/@") {
            "is left out: WBXML of SyncML has no attributes"
        } else {
            "has no token: its name is spelled out"
        };
        tell("warning", name, &format!("{path} {what}"))?;
    }
    notes(name, &doc)
}

/// Tells what was noticed in reading, and how that makes the command end.
fn notes(name: &str, doc: &Doc) -> Result<Exit> {
    let mut exit = Exit::Clean;
    for note in &doc.notes {
        let stops = note.kind.stops_decoding();
        if stops && exit == Exit::Broken {
            // What stopped it first is the cause.
            continue;
        }
        tell(if stops { "error" } else { "warning" }, name, &place(note))?;
        if stops {
            exit = Exit::Broken;
        }
    }
    Ok(exit)
}

fn place(note: &Anomaly) -> String {
    format!("byte {}: {}", note.span.start, note.detail)
}

pub(super) fn tell(level: &str, name: &str, what: &str) -> io::Result<()> {
    let (name, what) = (escape::line(name), escape::line(what));
    writeln!(anstream::stderr(), "{level}: {name}: {what}")
}
