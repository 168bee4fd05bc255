//! Keeps what can be read only once, so that it can be read again: standard input, pipes.
//!
//! In: a reader. Out: the same bytes, which also go to a file without a name in the directory for temporary files: it
//! is gone when the program ends, however that comes. Where the disk has no room, the bytes pass all the same, and what
//! was kept is no longer the whole: [`Spool::of`] says so.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::capture::map::Data;
use crate::http::InputId;

/// See the module's head.
#[derive(Clone, Debug, Default)]
pub struct Spool(Arc<Mutex<HashMap<InputId, Kept>>>);

/// What is kept of an input; its error, when that is not all.
type Kept = Result<Arc<File>, String>;

impl Spool {
    fn lock(&self) -> MutexGuard<'_, HashMap<InputId, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A reader that keeps what it gives.
    pub(super) fn keep<'a>(&self, id: InputId, from: Box<dyn Read + 'a>) -> Box<dyn Read + 'a> {
        match tempfile::tempfile() {
            Ok(file) => {
                let file = Arc::new(file);
                self.lock().insert(id, Ok(Arc::clone(&file)));
                Box::new(Keeping { from, file: Some(file), spool: self.clone(), id })
            }
            Err(error) => {
                self.lost(id, &error);
                from
            }
        }
    }

    /// What was kept of an input so far.
    ///
    /// # Errors
    /// It was not kept, or not all of it.
    pub(super) fn of(&self, id: InputId) -> io::Result<Data> {
        match self.lock().get(&id) {
            Some(Ok(file)) => Data::of(file, true),
            Some(Err(why)) => Err(io::Error::other(why.clone())),
            None => Err(io::Error::other("it could be read only once")),
        }
    }

    fn lost(&self, id: InputId, error: &io::Error) {
        self.lock().insert(id, Err(format!("it could be read only once, and no copy was kept: {error}")));
    }
}

struct Keeping<'a> {
    from: Box<dyn Read + 'a>,
    file: Option<Arc<File>>,
    spool: Spool,
    id: InputId,
}

impl Read for Keeping<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(out)?;
        let kept = self.file.as_deref().map(|mut file| file.write_all(out.get(..count).unwrap_or_default()));
        if let Some(Err(error)) = kept {
            self.file = None;
            self.spool.lost(self.id, &error);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passed_is_kept() {
        let spool = Spool::default();
        let mut kept = spool.keep(InputId(3), Box::new(&b"some bytes"[..]));
        let mut passed = [0; 4];
        kept.read_exact(&mut passed).unwrap();
        assert_eq!((&passed, &*spool.of(InputId(3)).unwrap()), (b"some", &b"some"[..]));
        kept.read_to_end(&mut Vec::new()).unwrap();
        assert_eq!(&*spool.of(InputId(3)).unwrap(), b"some bytes");
        assert!(spool.of(InputId(0)).is_err());
    }

    #[test]
    fn what_could_not_be_kept_is_told() {
        let spool = Spool::default();
        spool.lost(InputId(0), &io::Error::other("the disk is full"));
        assert!(spool.of(InputId(0)).unwrap_err().to_string().ends_with("no copy was kept: the disk is full"));
    }
}
