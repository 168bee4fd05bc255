//! TOML files of the user, read so that what is wrong with one can be told with its place.
//!
//! In: a file. Out: its tables with the bytes where each thing stands, or one line that says what is wrong. Bounds: the
//! caller names the largest size.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use toml::Spanned;
use toml::de::DeTable;

use crate::near;

/// What is wrong in the text of a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {what}")]
pub struct Wrong {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What.
    pub what: String,
}

/// The text of a file.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a>(pub &'a str);

impl<'a> Text<'a> {
    /// Reads it as TOML.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(self) -> Result<Spanned<DeTable<'a>>, Wrong> {
        DeTable::parse(self.0).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            self.wrong(at, error.message().lines().next().unwrap_or_default())
        })
    }

    /// What is wrong at a byte of it.
    pub fn wrong(self, at: usize, what: impl Into<String>) -> Wrong {
        let before = self.0.get(..at).unwrap_or(self.0);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Wrong { line: self.line(at), column: 1 + line.chars().count(), what: what.into() }
    }

    /// The line of a byte, from 1.
    pub fn line(self, at: usize) -> usize {
        let before = self.0.as_bytes().get(..at).unwrap_or(self.0.as_bytes());
        1 + memchr::memchr_iter(b'\n', before).count()
    }

    /// Refuses the first key of a table that is none of `names`.
    ///
    /// # Errors
    /// There is one.
    pub fn known(self, table: &DeTable<'_>, names: &[&str]) -> Result<(), Wrong> {
        let unknown = table.keys().filter(|key| !names.contains(&&**key.get_ref()));
        let Some(key) = unknown.min_by_key(|key| key.span().start) else { return Ok(()) };
        let what = match near::nearest(key.get_ref(), names.iter().copied()) {
            Some(near) => format!("unknown key {:?}; did you mean {near:?}?", key.get_ref()),
            None => format!("unknown key {:?}; there are {}", key.get_ref(), names.join(", ")),
        };
        Err(self.wrong(key.span().start, what))
    }
}

/// The text of a file of at most `most` bytes; else a few words on why it cannot be read.
///
/// # Errors
/// It is not there, may not be read, is too long or no text.
pub fn load(path: &Path, most: u64) -> Result<String, String> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(most + 1).read_to_string(&mut text));
    match read {
        Ok(length) if length as u64 > most => Err(format!("longer than {} MiB", most >> 20)),
        Ok(_) => Ok(text),
        Err(error) => Err(reason(&error)),
    }
}

/// Why a file cannot be read, in the words of the other inputs.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "is a directory".to_owned(),
        io::ErrorKind::InvalidData => "not text in UTF-8".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_lines_and_columns() {
        let text = Text("a = 1\nb = \"ö\" c\n");
        assert_eq!(text.wrong(0, "x").to_string(), "1:1: x");
        assert_eq!(text.wrong(14, "x").to_string(), "2:8: x");
        assert_eq!(text.wrong(1000, "x").to_string(), "3:1: x");
        assert_eq!(text.parse().unwrap_err().line, 2);
    }

    #[test]
    fn unknown_keys_are_told_with_the_nearest() {
        let known = |text: &'static str| {
            let table = Text(text).parse().unwrap();
            Text(text).known(table.get_ref(), &["select", "ignore"]).unwrap_err().to_string()
        };
        assert_eq!(known("ignore = 1\nselekt = 2"), "2:1: unknown key \"selekt\"; did you mean \"select\"?");
        assert_eq!(known("x = 1"), "1:1: unknown key \"x\"; there are select, ignore");
    }
}
