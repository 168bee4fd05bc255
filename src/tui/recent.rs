//! Texts that were typed before: searches, filters, notes and commands while the program runs; filters also from one run
//! to the next, in the user's state directory.
//!
//! Bounds: [`RECENT`] texts of each kind.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::prompt::Kind;

/// Former texts kept of each kind.
const RECENT: usize = 50;
/// Largest file that is read: fifty filters of the greatest length.
const LARGEST: u64 = 256 << 10;

/// Former texts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent(Vec<(Kind, String)>);

impl Recent {
    /// Those of a kind, the last one last.
    pub(crate) fn of(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| *known == kind).map(|(_, text)| text.as_str())
    }

    /// Keeps a text.
    pub(crate) fn keep(&mut self, kind: Kind, text: &str) {
        self.0.retain(|known| *known != (kind, text.to_owned()));
        self.0.push((kind, text.to_owned()));
        if self.of(kind).count() > RECENT
            && let Some(oldest) = self.0.iter().position(|(known, _)| *known == kind)
        {
            self.0.remove(oldest);
        }
    }
}

/// `$XDG_STATE_HOME/dmscope/filters`, else `~/.local/state/dmscope/filters`: one filter a line, the last one last.
pub(crate) fn path() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_STATE_HOME").or_else(|| set("HOME").map(|home| home.join(".local").join("state")))?;
    Some(base.join("dmscope").join("filters"))
}

/// The filters of former runs. What cannot be read is no history.
pub(crate) fn load(path: Option<&Path>) -> Recent {
    let small = |path: &&Path| fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= LARGEST);
    let text = path.filter(small).and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    let mut recent = Recent::default();
    text.lines().filter(|line| !line.trim().is_empty()).for_each(|line| recent.keep(Kind::Filter, line));
    recent
}

/// Keeps the filters for later runs. A history that cannot be kept is no reason to disturb.
pub(crate) fn keep(path: Option<&Path>, recent: &Recent) {
    let Some(path) = path else { return };
    drop(path.parent().map(fs::create_dir_all));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let text: String = recent.of(Kind::Filter).map(|filter| format!("{}\n", filter.replace('\n', " "))).collect();
    drop(options.open(path).and_then(|mut file| file.write_all(text.as_bytes())));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_come_back_in_the_next_run_and_searches_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/dmscope/filters");
        let mut recent = load(Some(&path));
        for number in 0..60 {
            recent.keep(Kind::Filter, &format!("msg-id = {number}"));
        }
        recent.keep(Kind::Search, "secret");
        keep(Some(&path), &recent);
        let again = load(Some(&path));
        assert_eq!((again.of(Kind::Filter).count(), again.of(Kind::Search).count()), (RECENT, 0));
        assert_eq!(again.of(Kind::Filter).next_back(), Some("msg-id = 59"));
    }

    #[test]
    fn a_history_that_is_none_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("filters");
        fs::write(&path, [0xff, 0xfe, b'\n']).unwrap();
        assert_eq!(load(Some(&path)).of(Kind::Filter).count(), 0);
        assert_eq!(load(Some(folder.path())).of(Kind::Filter).count(), 0);
        keep(Some(Path::new("/nonexistent/filters")), &Recent::default());
    }
}
