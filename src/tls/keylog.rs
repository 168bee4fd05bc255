//! Key log files: read as a whole, or from where the last reading ended.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::keys::{Keys, Lines};

/// Bytes of one key log file that are read: that of a busy server may have been kept for months.
const MAX_FILE: u64 = 1 << 30;

/// Adds the key log in this file; `follow` reads on in it later, for a file that is still being written.
///
/// # Errors
/// The file cannot be read.
pub fn load(keys: &Keys, path: &Path, follow: bool) -> io::Result<Lines> {
    let mut text = Vec::new();
    File::open(path)?.take(MAX_FILE).read_to_end(&mut text)?;
    if follow {
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        keys.follow(path.to_owned(), whole as u64);
    }
    Ok(keys.add_log(&text))
}

/// What the file holds from this offset on, at most `limit` bytes; nothing when it cannot be read.
pub(super) fn read_from(path: &Path, offset: u64, limit: usize) -> Vec<u8> {
    let mut text = Vec::new();
    let read = || -> io::Result<File> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(file)
    };
    if let Ok(file) = read() {
        let _failed = file.take(limit as u64).read_to_end(&mut text);
    }
    text
}
