//! Where the packets and entries that a report names stand in their files.
//!
//! In: the inputs, and what is asked for of them. Out: an [`Extent`] for each. It is a second pass over the files, of which a
//! capture gives its record headers alone, so that who does not ask for it pays nothing. A unit that is not found has
//! no extent, as has an input that is no file any more: nothing is said of it then.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, BufReader};
use std::ops::ControlFlow;
use std::path::Path;

use super::Settings;
use crate::capture::{self, Source, map::Data};
use crate::http::InputId;
use crate::input::{Input, Kind};
use crate::origin::Unit;
use crate::transcript::{self, har};

/// What of its file a unit takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The captured bytes of a packet.
    Bytes {
        /// Offset of the first one.
        offset: u64,
        /// How many.
        length: u64,
    },
    /// An entry in a text: line and column, from 1, of its first character, and of the one behind its last.
    Lines((u32, u32), (u32, u32)),
}

/// The extents of units.
pub type Extents = HashMap<(InputId, Unit), Extent>;

/// Finds these units; none of them in an input that is packed.
pub fn extents(inputs: &[Input], settings: &Settings, wanted: &BTreeSet<(InputId, Unit)>) -> Extents {
    let mut found = Extents::new();
    let mut ids: Vec<InputId> = wanted.iter().map(|(id, _)| *id).collect();
    ids.dedup();
    for id in ids {
        let Some(input) = inputs.get(id.0 as usize) else { continue };
        let Some(path) = input.path.as_deref().filter(|path| path.is_file()) else { continue };
        let wanted: BTreeSet<Unit> =
            wanted.range((id, Unit::Frame(0))..=(id, Unit::File)).map(|(_, unit)| *unit).collect();
        let mut each = |unit, extent| {
            found.insert((id, unit), extent);
        };
        // What went away since it was read is a file without extents.
        let _ = match input.kind {
            Some(Kind::Pcap | Kind::Pcapng) => packets(path, settings, &wanted, &mut each),
            Some(Kind::Transcript(transcript::Kind::Har)) => entries(path, settings, &wanted, &mut each),
            _ => Ok(()),
        };
    }
    found
}

type Each<'a> = &'a mut dyn FnMut(Unit, Extent);

fn packets(path: &Path, settings: &Settings, wanted: &BTreeSet<Unit>, each: Each<'_>) -> io::Result<()> {
    let last = wanted.iter().next_back();
    let on_frame = &mut |frame: capture::Frame<'_>| {
        let unit = Unit::Frame(frame.no);
        if wanted.contains(&unit) {
            each(unit, Extent::Bytes { offset: frame.position, length: frame.bytes.len() as u64 });
        }
        if last.is_none_or(|last| unit >= *last) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    match settings.mmap {
        true => capture::read(Source::Bytes(&Data::open(path, true)?), &settings.limits, on_frame),
        false => {
            let file = BufReader::new(File::open(path)?);
            capture::read(Source::Stream(Box::new(file)), &settings.limits, on_frame)
        }
    };
    Ok(())
}

fn entries(path: &Path, settings: &Settings, wanted: &BTreeSet<Unit>, each: Each<'_>) -> io::Result<()> {
    let data = Data::open(path, settings.mmap)?;
    har::positions(&data, &settings.limits, &mut |number, from, to| {
        let unit = Unit::Entry(number);
        if wanted.contains(&unit) {
            each(unit, Extent::Lines(from, to));
        }
    });
    Ok(())
}
