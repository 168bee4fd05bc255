//! A folder with files, and the program run in it.

use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// One warning, DM-MSG-003; its server is 127.0.0.1.
pub(crate) const SAMPLE: &str = "samples/msgid-skipped.pcap";

/// A folder with files, and a program to run in it.
pub(crate) struct Place(tempfile::TempDir);

/// How a run ended: exit status, standard output, standard error.
pub(crate) type Ended = (i32, String, String);

impl Place {
    /// With a copy of the sample, and a `.git` that ends the search for files above.
    pub(crate) fn new() -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        std::fs::create_dir(place.path(".git")).unwrap();
        std::fs::copy(Path::new(ROOT).join(SAMPLE), place.path("a.pcap")).unwrap();
        place
    }

    pub(crate) fn with(text: &str) -> Place {
        let place = Place::new();
        place.write("dmscope.toml", text);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.run_in("", arguments, None)
    }

    pub(crate) fn run_in(&self, folder: &str, arguments: &[&str], variable: Option<&str>) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dmscope"));
        command.args(arguments).current_dir(self.path(folder)).env_remove("DMSCOPE_CONFIG").env_remove("SSLKEYLOGFILE");
        variable.map(|value| command.env("DMSCOPE_CONFIG", value));
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// What `lint --format concise` prints of the sample.
    pub(crate) fn lint(&self, more: &[&str]) -> Ended {
        self.run(&[&["lint", "-q", "--format", "concise", "a.pcap"], more].concat())
    }

    pub(crate) fn error(&self) -> String {
        let (exit, out, error) = self.run(&["lint", "a.pcap"]);
        assert_eq!((exit, out.as_str(), error.lines().count()), (2, "", 1), "{error}");
        error.trim_end().to_owned()
    }
}
