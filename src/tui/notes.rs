//! Marks and notes on sessions and messages, kept in a file beside the capture.
//!
//! In: the file's text, and what the user says. Out: the file's text. Places are named as reports name them (`s1`,
//! message 2), so that the file can be read without this program.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::input::Input;

/// A place: the number of a session, and of a message in it (from 1).
pub(crate) type Place = (u32, Option<u32>);

/// See the module's head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    /// Marked or noted places, in order.
    all: BTreeMap<Place, Said>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Said {
    marked: bool,
    text: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
struct File {
    #[serde(default)]
    note: Vec<Entry>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Entry {
    session: String,
    message: Option<u32>,
    #[serde(default)]
    marked: bool,
    #[serde(default)]
    text: String,
}

impl Notes {
    /// The file beside the first input: `capture.pcap.notes.toml`.
    pub(crate) fn path(inputs: &[Input]) -> Option<PathBuf> {
        let mut name = inputs.first()?.path.as_ref()?.clone().into_os_string();
        name.push(".notes.toml");
        Some(PathBuf::from(name))
    }

    /// Reads the file's text.
    ///
    /// # Errors
    /// It is not what [`Notes::write`] gives.
    pub(crate) fn read(text: &str) -> Result<Notes, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut notes = Notes::default();
        for entry in file.note {
            let number = entry.session.strip_prefix('s').and_then(|number| number.parse().ok());
            let number: u32 = number.ok_or_else(|| format!("{:?} is no session", entry.session))?;
            notes.all.insert((number, entry.message), Said { marked: entry.marked, text: entry.text });
        }
        Ok(notes)
    }

    /// The file's text.
    pub(crate) fn write(&self) -> String {
        let entries = self.all.iter().map(|((session, message), said)| Entry {
            session: format!("s{session}"),
            message: *message,
            marked: said.marked,
            text: said.text.clone(),
        });
        // A structure of strings and numbers can always be written.
        toml::to_string(&File { note: entries.collect() }).unwrap_or_default()
    }

    /// Marks a place, or takes its mark away. Returns whether it is marked now.
    pub(crate) fn mark(&mut self, place: Place) -> bool {
        let said = self.all.entry(place).or_default();
        said.marked = !said.marked;
        let marked = said.marked;
        self.all.retain(|_, said| said.marked || !said.text.is_empty());
        marked
    }

    /// Notes something at a place; nothing takes the note away.
    pub(crate) fn note(&mut self, place: Place, text: &str) {
        self.all.entry(place).or_default().text = text.trim().to_owned();
        self.all.retain(|_, said| said.marked || !said.text.is_empty());
    }

    /// The note at a place.
    pub(crate) fn text(&self, place: Place) -> Option<&str> {
        self.all.get(&place).map(|said| said.text.as_str()).filter(|text| !text.is_empty())
    }

    /// Whether a place is marked.
    pub(crate) fn is_marked(&self, place: Place) -> bool {
        self.all.get(&place).is_some_and(|said| said.marked)
    }

    /// The marked places, in order.
    pub(crate) fn marked(&self) -> impl Iterator<Item = Place> {
        self.all.iter().filter(|(_, said)| said.marked).map(|(place, _)| *place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let mut notes = Notes::default();
        assert!(notes.mark((1, None)) && notes.mark((2, Some(3))));
        notes.note((1, Some(1)), "the \"server\"\nforgot it");
        assert_eq!(Notes::read(&notes.write()).unwrap(), notes);
        assert!(!notes.mark((1, None)));
        notes.note((1, Some(1)), "");
        assert_eq!(notes.marked().collect::<Vec<_>>(), [(2, Some(3))]);
        assert_eq!(notes.write().matches("[[note]]").count(), 1);
        assert!(Notes::read("note = 1").is_err() && Notes::read("[[note]]\nsession = \"x\"").is_err());
    }
}
