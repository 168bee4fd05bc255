//! What the PATHs of the command line are: files, directories, globs, standard input.
//!
//! In: what the user typed. Out: a list of [`Input`]s, each with its kind, told by content. Errors are for things named
//! that are not there or cannot be used; each is one line that says what, where and what to do.

mod kind;
mod order;
mod walk;

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use self::kind::{Kind, UnknownKind, is_text, sniff};
use crate::transcript;

/// One thing to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// What reports call it: the path as typed or found, `-` for standard input.
    pub name: String,
    /// The file; `None` for standard input.
    pub path: Option<PathBuf>,
    /// Its kind; `None` for standard input and pipes, which can be looked at only once: see [`Input::kind_of`].
    pub kind: Option<Kind>,
    /// Inputs of one group are messages of one recording, in order: the single documents of a directory. Every other
    /// input has a group of its own. Inputs of a group follow each other.
    pub group: u32,
}

/// What was named and cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing is there.
    #[error("{0}: no such file or directory")]
    Missing(String),
    /// A glob that nothing matches.
    #[error("{0}: no file matches this pattern")]
    NoMatch(String),
    /// A pattern that is none.
    #[error("{pattern}: not a valid pattern: {why}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// It is there and cannot be opened or read.
    #[error("{name}: cannot be read: {source}")]
    Unreadable {
        /// The file or directory.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// It holds no byte.
    #[error("{0}: the file is empty")]
    Empty(String),
    /// Its content is of no known kind.
    #[error("{name}: {looks}; name its kind with --input-kind if it is one of {}", kind::names())]
    Unknown {
        /// The file.
        name: String,
        /// What it seems to be.
        looks: &'static str,
    },
    /// Its kind is known, but not read by this version.
    #[error("{name}: {why}")]
    Unsupported {
        /// The file.
        name: String,
        /// The kind.
        kind: Kind,
        /// What to do instead.
        why: &'static str,
    },
    /// A directory in which nothing can be read.
    #[error("{name}: no capture, HAR, log or message in this directory (files of other kinds: {files})")]
    Nothing {
        /// The directory.
        name: String,
        /// Files in it, all of no known kind.
        files: usize,
    },
}

/// Bytes of a file that are looked at to tell its kind.
const HEAD: usize = 16 * 1024;

/// Lists what `paths` name, in the order they are named; a file that is named twice is read once. With `forced`,
/// every file is taken as that kind.
///
/// # Errors
/// The first path that cannot be used, see [`Error`].
pub fn collect(paths: &[PathBuf], forced: Option<Kind>) -> Result<Vec<Input>, Error> {
    let mut found = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            found.push(Input { name: "-".to_owned(), path: None, kind: forced, group: 0 });
            continue;
        }
        for named in walk::expand(path)? {
            match fs::metadata(&named) {
                Ok(meta) if meta.is_dir() => directory(&named, forced, &mut found)?,
                Ok(_) => found.push(file(&named, forced)?),
                Err(error) => return Err(unreadable(&named, error)),
            }
        }
    }
    Ok(grouped(found))
}

impl Input {
    /// The kind of this input, whose content begins with `data` (all of it, or a few KiB).
    ///
    /// # Errors
    /// The content is empty, of no known kind, or of one that is not read.
    pub fn kind_of(&self, data: &[u8]) -> Result<Kind, Error> {
        match self.kind {
            Some(kind) => Ok(kind),
            None => named_kind(&self.name, data),
        }
    }
}

/// A file that was named: it must be readable, and any text will do.
fn file(path: &Path, forced: Option<Kind>) -> Result<Input, Error> {
    let name = path.display().to_string();
    let input = |kind| Input { name: name.clone(), path: Some(path.to_owned()), kind, group: 0 };
    let unreadable = |error| unreadable(path, error);
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Ok(input(forced));
    }
    let head = head(path, HEAD).map_err(unreadable)?;
    if head.is_empty() {
        return Err(Error::Empty(name));
    }
    match forced {
        Some(kind) => supported(&name, kind).map(|kind| input(Some(kind))),
        None => match kind::sniff_file(path, &head).map_err(unreadable)? {
            Some(kind) => supported(&name, kind).map(|kind| input(Some(kind))),
            None => named_kind(&name, &head).map(|kind| input(Some(kind))),
        },
    }
}

fn named_kind(name: &str, head: &[u8]) -> Result<Kind, Error> {
    if head.is_empty() {
        return Err(Error::Empty(name.to_owned()));
    }
    let begins_xml = || transcript::text::Text::of(head).bytes.trim_ascii_start().starts_with(b"<");
    match sniff(head) {
        Some(kind) => supported(name, kind),
        None if is_text(head) && begins_xml() => Ok(Kind::Transcript(transcript::Kind::Xml)),
        None if is_text(head) => Ok(Kind::Transcript(transcript::Kind::Log)),
        None => Err(Error::Unknown { name: name.to_owned(), looks: kind::looks(head) }),
    }
}

fn supported(name: &str, kind: Kind) -> Result<Kind, Error> {
    match kind.unsupported() {
        Some(why) => Err(Error::Unsupported { name: name.to_owned(), kind, why }),
        None => Ok(kind),
    }
}

/// All readable inputs below a directory. What is of no known kind is passed over.
fn directory(path: &Path, forced: Option<Kind>, found: &mut Vec<Input>) -> Result<(), Error> {
    let before = found.len();
    let mut others = 0;
    for entry in walk::files(path) {
        let path = entry?;
        let head = head(&path, HEAD).map_err(|error| unreadable(&path, error))?;
        let kind = match forced {
            Some(kind) => Some(kind).filter(|_| !head.is_empty()),
            None => kind::sniff_file(&path, &head).map_err(|error| unreadable(&path, error))?,
        };
        match kind {
            Some(kind) => {
                found.push(Input { name: path.display().to_string(), path: Some(path), kind: Some(kind), group: 0 })
            }
            None => others += 1,
        }
    }
    match found.len() == before {
        true => Err(Error::Nothing { name: path.display().to_string(), files: others }),
        false => Ok(()),
    }
}

/// Drops what was found twice, and brings the single documents of a directory together, in natural order.
fn grouped(found: Vec<Input>) -> Vec<Input> {
    let mut seen = HashSet::new();
    let mut groups: Vec<Vec<Input>> = Vec::new();
    let mut directories: HashMap<PathBuf, usize> = HashMap::new();
    for input in found {
        let identity = input.path.as_deref().map(|path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()));
        if !seen.insert(identity) {
            continue;
        }
        let parent = input.path.as_deref().and_then(Path::parent).map(Path::to_owned);
        match (input.kind, parent) {
            (Some(Kind::Transcript(kind)), Some(parent)) if kind.is_single() => {
                let group = *directories.entry(parent).or_insert(groups.len());
                match groups.get_mut(group) {
                    Some(inputs) => inputs.push(input),
                    None => groups.push(vec![input]),
                }
            }
            _ => groups.push(vec![input]),
        }
    }
    let mut inputs = Vec::new();
    for (number, mut group) in groups.into_iter().enumerate() {
        group.sort_by(|a, b| order::natural(&a.name, &b.name));
        let group = group.into_iter().map(|input| Input { group: u32::try_from(number).unwrap_or(u32::MAX), ..input });
        inputs.extend(group);
    }
    inputs
}

fn head(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(most);
    File::open(path)?.take(most as u64).read_to_end(&mut head)?;
    Ok(head)
}

fn unreadable(path: &Path, source: io::Error) -> Error {
    let name = path.display().to_string();
    match source.kind() {
        io::ErrorKind::NotFound => Error::Missing(name),
        _ => Error::Unreadable { name, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] = b"<SyncML><SyncHdr/></SyncML>";

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        dir
    }

    fn names(dir: &Path, inputs: &[Input]) -> Vec<String> {
        let strip = |input: &Input| {
            let path = input.path.as_ref().unwrap();
            format!("{}:{}", input.group, path.strip_prefix(dir).unwrap().display())
        };
        inputs.iter().map(strip).collect()
    }

    fn line(paths: &[PathBuf]) -> String {
        collect(paths, None).unwrap_err().to_string()
    }

    #[test]
    fn documents_of_a_directory_are_one_group_in_natural_order() {
        let pcap = [&[0xD4, 0xC3, 0xB2, 0xA1][..], &[0; 20]].concat();
        let dir = folder(&[
            ("10.xml", MESSAGE),
            ("2.xml", MESSAGE),
            ("a.pcap", &pcap),
            ("sub/1.xml", MESSAGE),
            (".hidden", MESSAGE),
            ("notes.txt", b"nothing"),
            (".gitignore", b"*.xml"),
        ]);
        let inputs = collect(&[dir.path().to_owned()], None).unwrap();
        assert_eq!(names(dir.path(), &inputs), ["0:2.xml", "0:10.xml", "1:a.pcap", "2:sub/1.xml"]);
        let twice =
            collect(&[dir.path().join("10.xml"), dir.path().to_owned(), dir.path().join("2.xml")], None).unwrap();
        assert_eq!(names(dir.path(), &twice), names(dir.path(), &inputs));
    }

    #[test]
    fn globs_are_expanded_when_the_shell_did_not() {
        let dir =
            folder(&[("a/2.xml", MESSAGE), ("a/10.xml", MESSAGE), ("b/1.xml", MESSAGE), ("b/1.har", b"{\"log\":{}}")]);
        let glob = |pattern: &str| collect(&[dir.path().join(pattern)], None).map(|found| names(dir.path(), &found));
        assert_eq!(glob("*/*.xml").unwrap(), ["0:a/2.xml", "0:a/10.xml", "1:b/1.xml"]);
        assert_eq!(glob("b/1.{xml,har}").unwrap(), ["0:b/1.har", "1:b/1.xml"]);
        assert_eq!(glob("?").unwrap().len(), 4);
        assert_eq!(glob("**/1.xml").unwrap(), ["0:b/1.xml"]);
        assert!(glob("*.none").unwrap_err().to_string().ends_with("/*.none: no file matches this pattern"));
        assert!(matches!(glob("a[/x"), Err(Error::Pattern { .. })));
    }

    #[test]
    fn what_cannot_be_used_is_one_line() {
        let dir = folder(&[("a.png", b"\x89PNG\r\n\x1A\n\0\0"), ("empty", b""), ("x.evtx", b"ElfFile\0")]);
        let at = |name: &str| vec![dir.path().join(name)];
        assert!(line(&at("none")).ends_with("none: no such file or directory"));
        assert!(line(&at("empty")).ends_with("empty: the file is empty"));
        assert!(
            line(&at("a.png")).contains("a.png: a PNG image; name its kind with --input-kind"),
            "{}",
            line(&at("a.png"))
        );
        assert!(line(&at("x.evtx")).contains("event logs are not read yet"));
        for error in ["none", "empty", "a.png", "x.evtx"] {
            assert!(!line(&at(error)).contains('\n'));
        }
        let without = folder(&[("a.png", b"\x89PNG\r\n\x1A\n\0\0"), ("notes", b"text")]);
        assert!(line(&[without.path().to_owned()]).ends_with("in this directory (files of other kinds: 2)"));
    }

    #[test]
    fn any_text_that_is_named_is_read() {
        let dir = folder(&[("notes", b"text"), ("other.xml", b"<project/>")]);
        let kind = |name: &str| collect(&[dir.path().join(name)], None).unwrap()[0].kind.unwrap().name();
        assert_eq!((kind("notes"), kind("other.xml")), ("log", "xml"));
        let forced = collect(&[dir.path().to_owned()], Some("har".parse().unwrap())).unwrap();
        assert_eq!(forced.len(), 2);
    }

    #[test]
    fn a_long_log_is_known_by_a_message_anywhere() {
        let long = [&b"line\n".repeat(40_000)[..], MESSAGE].concat();
        let dir = folder(&[("a.log", &long)]);
        assert_eq!(collect(&[dir.path().to_owned()], None).unwrap()[0].kind.unwrap().name(), "log");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_its_own_directory_is_no_loop() {
        let dir = folder(&[("a/1.xml", MESSAGE)]);
        std::os::unix::fs::symlink(dir.path(), dir.path().join("a/up")).unwrap();
        assert_eq!(collect(&[dir.path().to_owned()], None).unwrap().len(), 1);
    }

    #[test]
    fn standard_input_is_looked_at_when_it_was_read() {
        let inputs = collect(&[PathBuf::from("-")], None).unwrap();
        assert_eq!((inputs[0].name.as_str(), inputs[0].kind), ("-", None));
        assert_eq!(inputs[0].kind_of(MESSAGE).unwrap().name(), "xml");
        assert_eq!(inputs[0].kind_of(b"").unwrap_err().to_string(), "-: the file is empty");
    }
}
