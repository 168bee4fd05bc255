//! Marks and notes on sessions and messages, kept in a file beside the capture.
//!
//! In: the file's text, and what the user says. Out: the file's text. Places are named as reports name them (`s1`,
//! message 2), so that the file can be read without this program.

use std::collections::BTreeMap;
use std::fs;
use std::io;
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

/// Where the notes are kept.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    /// The file beside the first input: `capture.pcap.notes.toml`; else why nothing is kept.
    file: Result<PathBuf, String>,
    /// The inputs that places are counted in.
    inputs: Vec<String>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
struct File {
    /// Names of the inputs: the number of a session depends on them.
    #[serde(default)]
    inputs: Vec<String>,
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
    /// Reads the file's text.
    ///
    /// # Errors
    /// It is not what [`Notes::write`] gives.
    fn read(text: &str) -> Result<(Notes, Vec<String>), String> {
        let file: File = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        let mut notes = Notes::default();
        for entry in file.note {
            let number = entry.session.strip_prefix('s').and_then(|number| number.parse().ok());
            let number: u32 = number.ok_or_else(|| format!("{:?} is no session", entry.session))?;
            if entry.message == Some(0) {
                return Err("messages are counted from 1".to_owned());
            }
            notes.all.insert((number, entry.message), Said { marked: entry.marked, text: entry.text });
        }
        Ok((notes, file.inputs))
    }

    /// The file's text; places are counted in these inputs.
    pub(crate) fn write(&self, inputs: &[String]) -> String {
        let entries = self.all.iter().map(|((session, message), said)| Entry {
            session: format!("s{session}"),
            message: *message,
            marked: said.marked,
            text: said.text.clone(),
        });
        // A structure of strings and numbers can always be written.
        toml::to_string(&File { inputs: inputs.to_vec(), note: entries.collect() }).unwrap_or_default()
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

impl Home {
    /// The notes beside the first input, where there are some, and what has to be said of them.
    pub(crate) fn open(inputs: &[Input]) -> (Home, Notes, Option<String>) {
        let names: Vec<String> = inputs.iter().map(|input| input.name.clone()).collect();
        let Some(path) = inputs.first().and_then(|input| input.path.as_ref()) else {
            let why = "standard input has no place for notes: they end with the program".to_owned();
            return (Home { file: Err(why), inputs: names }, Notes::default(), None);
        };
        let mut name = path.clone().into_os_string();
        name.push(".notes.toml");
        let file = PathBuf::from(name);
        let read = match fs::read_to_string(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return (Home { file: Ok(file), inputs: names }, Notes::default(), None);
            }
            read => read.map_err(|error| error.to_string()),
        };
        match read.and_then(|text| Notes::read(&text)) {
            Ok((notes, inputs)) => {
                let file_names = |names: &[String]| -> Vec<String> {
                    names.iter().map(|name| name.rsplit('/').next().unwrap_or(name).to_owned()).collect()
                };
                let same = inputs.is_empty() || file_names(&inputs) == file_names(&names);
                let said = "these notes were written with other inputs: sessions may have other numbers here";
                (Home { file: Ok(file), inputs: names }, notes, (!same).then(|| said.to_owned()))
            }
            // What cannot be read is not ours to overwrite.
            Err(why) => {
                let said = format!("{} cannot be read and is left as it is: {why}", file.display());
                (Home { file: Err(said.clone()), inputs: names }, Notes::default(), Some(said))
            }
        }
    }

    /// Keeps the notes. A file without any is taken away.
    ///
    /// # Errors
    /// A sentence that says why they are not kept.
    pub(crate) fn keep(&self, notes: &Notes) -> Result<(), String> {
        let file = self.file.as_ref().map_err(Clone::clone)?;
        let kept = if notes.all.is_empty() {
            fs::remove_file(file)
                .or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
        } else {
            // Written beside and renamed: what was kept before is there until the new text is.
            let fresh = file.with_extension("toml.new");
            fs::write(&fresh, notes.write(&self.inputs)).and_then(|()| fs::rename(&fresh, file))
        };
        kept.map_err(|error| {
            format!("{} cannot be written, so notes and marks end with the program: {error}", file.display())
        })
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
        assert_eq!(Notes::read(&notes.write(&["a".to_owned()])).unwrap(), (notes.clone(), vec!["a".to_owned()]));
        assert!(!notes.mark((1, None)));
        notes.note((1, Some(1)), "");
        assert_eq!(notes.marked().collect::<Vec<_>>(), [(2, Some(3))]);
        assert_eq!(notes.write(&[]).matches("[[note]]").count(), 1);
        assert!(Notes::read("note = 1").is_err() && Notes::read("[[note]]\nsession = \"x\"").is_err());
    }

    fn input(path: &std::path::Path) -> Vec<Input> {
        crate::input::collect(&[path.to_owned()], None).unwrap()
    }

    fn sample(folder: &std::path::Path) -> PathBuf {
        let path = folder.join("a.pcap");
        fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/samples/clean.pcap"), &path).unwrap();
        path
    }

    #[test]
    fn notes_lie_beside_the_capture() {
        let folder = tempfile::tempdir().unwrap();
        let path = sample(folder.path());
        let (home, mut notes, said) = Home::open(&input(&path));
        assert_eq!((notes.clone(), said), (Notes::default(), None));
        notes.mark((1, Some(2)));
        home.keep(&notes).unwrap();
        assert_eq!(Home::open(&input(&path)).1, notes);
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        notes.mark((1, Some(2)));
        home.keep(&notes).unwrap();
        assert!(!folder.path().join("a.pcap.notes.toml").exists());
    }

    #[test]
    fn what_cannot_be_kept_is_said_and_what_is_not_ours_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = sample(folder.path());
        let theirs = folder.path().join("a.pcap.notes.toml");
        fs::write(&theirs, "[[note]]\nsession = \"s1\"\nmessage = 0\n").unwrap();
        let (home, mut notes, said) = Home::open(&input(&path));
        assert!(said.unwrap().ends_with("left as it is: messages are counted from 1"));
        notes.mark((1, None));
        assert!(home.keep(&notes).unwrap_err().contains("left as it is"));
        assert!(fs::read_to_string(&theirs).unwrap().contains("message = 0"));
        fs::remove_file(&theirs).unwrap();
        let inputs = input(&path);
        let (home, ..) = Home::open(&inputs);
        // Whoever runs the tests as root may write everywhere, but not into a folder that is gone.
        drop(folder);
        assert!(home.keep(&notes).unwrap_err().contains("cannot be written, so notes and marks end with the program"));
    }
}
