//! Where an export goes: standard output, a file, a folder.
//!
//! A file comes into its place when it is whole: until then it has `.part` behind its name, and it is taken away where it
//! cannot be finished. Nothing that is there is replaced unless that was asked for.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{Folder, Har, Lines, Scope};

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One HTTP archive.
    Har,
    /// A folder of XML files.
    Xml,
    /// One JSON object a line.
    Jsonl,
}

/// Why an export cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// XML has no place of its own.
    #[error("XML is written to a folder, and none is named")]
    NoFolder,
    /// A file is wanted.
    #[error("{}: this is a folder; name a file", .0.display())]
    IsFolder(PathBuf),
    /// Something is there.
    #[error("{}: the file exists", .0.display())]
    Exists(PathBuf),
    /// Something is in there.
    #[error("{}: the folder is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// The world says no.
    #[error("{name}: cannot be written")]
    Unwritable {
        /// The file or folder.
        name: String,
        /// Why.
        source: io::Error,
    },
}

/// An export being written.
pub struct Target {
    name: String,
    to: To,
}

enum To {
    Har(Har<Out>),
    Lines(Lines<Out>),
    Folder(Folder),
}

impl Target {
    /// Opens the place that `path` names, standard output without one. `replace` what is there, or refuse to.
    ///
    /// # Errors
    /// It is there, is no place for that format, or cannot be made.
    pub fn open(format: Format, path: Option<&Path>, replace: bool) -> Result<Target, Error> {
        let path = path.filter(|path| path.as_os_str() != "-");
        let name = path.map_or_else(|| "standard output".to_owned(), |path| path.display().to_string());
        let unwritable = |source| Error::Unwritable { name: name.clone(), source };
        let to = match format {
            Format::Har => To::Har(Har::new(Out::open(path, replace)?).map_err(unwritable)?),
            Format::Jsonl => To::Lines(Lines::new(Out::open(path, replace)?)),
            Format::Xml => {
                let path = path.ok_or(Error::NoFolder)?;
                let folder = Folder::new(path, replace).map_err(|error| match error.kind() {
                    io::ErrorKind::AlreadyExists => Error::NotEmpty(path.to_owned()),
                    _ => unwritable(error),
                });
                To::Folder(folder?)
            }
        };
        Ok(Target { name, to })
    }

    /// Writes the messages of a session; says how many.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn session(&mut self, scope: Scope<'_>) -> Result<usize, Error> {
        let written = match &mut self.to {
            To::Har(har) => har.session(scope),
            To::Lines(lines) => lines.session(scope),
            To::Folder(folder) => folder.session(scope),
        };
        written.map_err(|source| Error::Unwritable { name: self.name.clone(), source })
    }

    /// Brings it into its place.
    ///
    /// # Errors
    /// It cannot be finished; then nothing of it is left.
    pub fn finish(self) -> Result<(), Error> {
        let Target { name, to } = self;
        let finished = match to {
            To::Har(har) => har.finish().and_then(Out::keep),
            To::Lines(lines) => lines.finish().and_then(Out::keep),
            To::Folder(folder) => folder.finish(),
        };
        finished.map_err(|source| Error::Unwritable { name, source })
    }
}

/// Standard output, or a file that comes into its place at the end.
enum Out {
    Stdout(BufWriter<io::StdoutLock<'static>>),
    File { to: BufWriter<File>, part: Part },
}

/// A file that is not whole yet.
struct Part {
    path: PathBuf,
    place: PathBuf,
    kept: bool,
}

impl Out {
    fn open(path: Option<&Path>, replace: bool) -> Result<Out, Error> {
        let Some(place) = path else {
            return Ok(Out::Stdout(BufWriter::new(io::stdout().lock())));
        };
        if place.is_dir() {
            return Err(Error::IsFolder(place.to_owned()));
        }
        if place.exists() && !replace {
            return Err(Error::Exists(place.to_owned()));
        }
        // Into a pipe or a device one writes as it is.
        let special = fs::metadata(place).is_ok_and(|meta| !meta.is_file());
        let mut name = place.as_os_str().to_owned();
        if !special {
            name.push(".part");
        }
        let path = PathBuf::from(name);
        let unwritable = |source| Error::Unwritable { name: place.display().to_string(), source };
        let file = File::create(&path).map_err(unwritable)?;
        let part = Part { path, place: place.to_owned(), kept: special };
        Ok(Out::File { to: BufWriter::new(file), part })
    }

    fn keep(self) -> io::Result<()> {
        match self {
            Out::Stdout(mut out) => out.flush(),
            Out::File { mut to, mut part } => {
                to.flush()?;
                if !part.kept {
                    fs::rename(&part.path, &part.place)?;
                    part.kept = true;
                }
                Ok(())
            }
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.kept {
            // There is nobody to tell that it cannot be taken away.
            drop(fs::remove_file(&self.path));
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Out::Stdout(out) => out.write(bytes),
            Out::File { to, .. } => to.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Out::Stdout(out) => out.flush(),
            Out::File { to, .. } => to.flush(),
        }
    }
}
