//! A whole file as bytes: mapped where possible, read where the caller asks for that.
//!
//! With `unsafe`: what the program promises for it stands at the call.
#![allow(unsafe_code)]

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::ops::Deref;
use std::path::Path;

use memmap2::Mmap;

/// The bytes of a regular file.
#[derive(Debug)]
pub struct Data {
    bytes: Bytes,
}

#[derive(Debug)]
enum Bytes {
    Mapped(Mmap),
    Read(Vec<u8>),
}

impl Data {
    /// Opens the file at `path`. With `mmap` it is mapped and costs no memory of its own; another program that shortens
    /// it meanwhile ends this one with SIGBUS. Without, it is read into memory.
    ///
    /// # Errors
    /// The file cannot be opened, read or mapped, or is a directory, a pipe or a device (`InvalidInput`): those are
    /// for [`Source::Stream`](super::Source::Stream).
    pub fn open(path: &Path, mmap: bool) -> io::Result<Data> {
        // Asked before opening: opening a pipe waits for its writer.
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file"));
        }
        Data::of(&File::open(path)?, mmap)
    }

    /// The bytes of a file that is open, as [`Data::open`] gives them; read from where it stands, unless it is mapped.
    ///
    /// # Errors
    /// It cannot be read or mapped.
    pub fn of(mut file: &File, mmap: bool) -> io::Result<Data> {
        let length = file.metadata()?.len();
        if !mmap || length == 0 {
            let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
            file.read_to_end(&mut bytes)?;
            return Ok(Data { bytes: Bytes::Read(bytes) });
        }
        // SAFETY: the map is private to this value, read-only and never handed out as anything but `&[u8]` that borrows
        // it, so within this process nothing writes to it and nothing outlives it (a file that keeps standard input grows
        // meanwhile, past the end of the map). What is left is another process that
        // changes the file: shortening raises SIGBUS, which ends the program and cannot be observed by it; rewriting
        // bytes in place may change what a slice reads. No code here relies on two reads of a byte being equal for
        // memory safety: lengths read from the file are checked against the slice they index, by safe code, each time.
        let map = unsafe { Mmap::map(file)? };
        #[cfg(unix)]
        // Only a hint for read-ahead; a kernel that refuses it changes nothing.
        let _ = map.advise(memmap2::Advice::Sequential);
        Ok(Data { bytes: Bytes::Mapped(map) })
    }
}

impl Deref for Data {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Mapped(map) => map,
            Bytes::Read(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_and_read_files_are_the_same() {
        let dir = tempfile::tempdir().unwrap();
        for content in [&b""[..], b"some bytes"] {
            let path = dir.path().join("file");
            fs::write(&path, content).unwrap();
            assert_eq!(&*Data::open(&path, true).unwrap(), content);
            assert_eq!(&*Data::open(&path, false).unwrap(), content);
        }
    }

    #[test]
    fn what_is_no_regular_file_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Data::open(dir.path(), true).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(Data::open(&dir.path().join("none"), true).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
