//! Key log files: read as a whole, or from where the last reading ended.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::keys::{Keys, Lines};

/// Bytes of one key log file that are read: that of a busy server may have been kept for months.
const MAX_FILE: u64 = 1 << 30;
/// Bytes of it that are held at once: some lines, and no line is as long.
const MAX_PIECE: u64 = 1 << 16;

/// Adds the key log in this file; `follow` reads on in it later, for a file that is still being written.
///
/// # Errors
/// The file cannot be read.
pub fn load(keys: &Keys, path: &Path, follow: bool) -> io::Result<Lines> {
    let mut file = BufReader::new(File::open(path)?.take(MAX_FILE));
    let (mut lines, mut text) = (Lines::default(), Vec::new());
    let (mut read, mut whole) = (0, 0);
    while file.by_ref().take(MAX_PIECE).read_until(b'\n', &mut text)? > 0 {
        let added = keys.add_log(&text);
        lines.secrets += added.secrets;
        lines.other += added.other;
        read += text.len() as u64;
        whole = if text.ends_with(b"\n") { read } else { whole };
        text.clear();
    }
    if follow {
        keys.follow(path.to_owned(), whole);
    }
    Ok(lines)
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::limits::Limits;

    #[test]
    fn a_file_is_read_in_pieces_and_followed_from_its_last_whole_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let line = |random: &str| format!("CLIENT_RANDOM {} {}\n", random.repeat(32), "ab".repeat(48));
        let junk = "x".repeat(3 * MAX_PIECE as usize + 5) + "\n";
        let text = [line("01"), junk, line("02"), line("03")].concat();
        fs::write(file.path(), &text[..text.len() - 9]).unwrap();
        let keys = Keys::new(&Limits::default());
        assert_eq!(load(&keys, file.path(), true).unwrap().secrets, 2);
        assert!(keys.store().secrets(&[3; 32]).is_none());
        fs::write(file.path(), &text).unwrap();
        assert!(keys.store().secrets(&[2; 32]).is_some() && keys.store().secrets(&[3; 32]).is_some());
    }
}
