//! `dmscope decode --notification`: the fields of a WAP push, in words.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::decode::{read, tell};
use super::{Exit, stdout};
use crate::input;
use crate::push::{Content, Framing, Push, Short, TRIGGER, Trigger, hex};
use crate::report;

/// Bytes that are read: a datagram has 64 KiB, with blanks in hexadecimal four times as many, or `0x` and commas.
const MOST: usize = 512 * 1024;

pub(super) fn run(named: &Path) -> Result<Exit> {
    let (name, content) = content(named)?;
    let written = Some(&content).filter(|content| input::is_text(content)).and_then(|content| hex::octets(content));
    let bytes = written.unwrap_or(content);
    if bytes.is_empty() {
        bail!("{name} is empty");
    }
    // What looks like nothing is shown as the notification that it should be, but for a push that is about something else.
    let read_whole = |framing: &Framing| Push::read(&bytes, *framing).fault.is_none();
    let other = || [Framing::Wsp, Framing::Wtp].into_iter().find(read_whole);
    let framing = Framing::sniff(&bytes).or_else(other).unwrap_or(Framing::Bare);
    let mut out = stdout();
    report::push::write(&report::push::lines(&bytes, framing, true), &mut out)?;
    out.flush()?;
    let push = Push::read(&bytes, framing);
    match (push.kind(), Trigger::read(push.content)) {
        (Content::Trigger, Err(Short { octets })) => {
            tell(
                "error",
                &name,
                &format!("the notification has {octets} octets; the fields before the server's name take {TRIGGER}"),
            )?;
            Ok(Exit::Broken)
        }
        _ => Ok(Exit::Clean),
    }
}

/// What was named: a file, standard input, or the octets themselves.
fn content(named: &Path) -> Result<(String, Vec<u8>)> {
    let text = named.to_string_lossy();
    let (name, bytes) = match hex::octets(text.as_bytes()).filter(|_| !named.exists()) {
        Some(octets) => ("the octets".to_owned(), octets),
        None => {
            let name = if text == "-" { "standard input".to_owned() } else { text.into_owned() };
            let bytes = read(named, MOST).with_context(|| format!("cannot read {name}"))?;
            (name, bytes)
        }
    };
    if bytes.len() > MOST {
        bail!("{name} has more than {} bytes, which no push has", MOST);
    }
    Ok((name, bytes))
}
