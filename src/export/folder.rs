//! A folder of messages: one pretty XML file each, and an index.
//!
//! Names are stable: session, place, sender (`s1-003-server.xml`). A body that is no document is written as it is
//! (`.txt`, `.bin`). `index.json` (schema `dmscope/index/1`) has a row for each message, also for those that were not
//! captured. What was written of a folder that could not be finished is taken away again.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Scope;
use super::jsonl::kind;
use crate::http::Captured;
use crate::origin::Unit;
use crate::syncml::secret::Secrets;
use crate::syncml::{Kind, Message};
use crate::xml;

const INDEX: &str = "index.json";

/// Writes messages to a folder.
pub struct Folder {
    path: PathBuf,
    /// Whether the folder was made for this.
    made: bool,
    replace: bool,
    written: Vec<PathBuf>,
    rows: Vec<Value>,
    finished: bool,
}

impl Folder {
    /// Makes the folder. One that is there must be empty, unless files in it may be replaced.
    ///
    /// # Errors
    /// It cannot be made, or holds files.
    pub fn new(path: &Path, replace: bool) -> io::Result<Folder> {
        let made = !path.exists();
        if made {
            fs::create_dir_all(path)?;
        } else if !replace && fs::read_dir(path)?.next().is_some() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the folder is not empty"));
        }
        let path = path.to_owned();
        Ok(Folder { path, made, replace, written: Vec::new(), rows: Vec::new(), finished: false })
    }

    /// Writes the messages of a session.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn session(&mut self, scope: Scope<'_>) -> io::Result<usize> {
        let mut written = 0;
        for (index, message) in scope.documents() {
            let file = match message.kind {
                Kind::Missing => None,
                _ => Some(self.message(scope, index, message)?),
            };
            written += usize::from(file.is_some());
            self.rows.push(row(scope, index, message, file));
        }
        Ok(written)
    }

    /// Writes the index.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let mut index = "{\"schema\": \"dmscope/index/1\", \"messages\": [".to_owned();
        for (number, row) in rows.iter().enumerate() {
            index.push_str(if number > 0 { ",\n" } else { "\n" });
            index.push_str(&row.to_string());
        }
        index.push_str("\n]}\n");
        self.file(INDEX, index.as_bytes())?;
        self.finished = true;
        Ok(())
    }

    fn message(&mut self, scope: Scope<'_>, index: usize, message: &Message) -> io::Result<String> {
        let side = message.side.map_or("message", |side| side.name());
        let name = format!("{}-{:03}-{side}", scope.session.key(), index + 1);
        if !message.doc.is_empty() {
            let secrets = if scope.show_secrets { Secrets::shown() } else { Secrets::of(&message.doc) };
            let name = format!("{name}.xml");
            self.file(&name, xml::write::masked(&message.doc, &secrets).text.as_bytes())?;
            return Ok(name);
        }
        let body = scope.body(message);
        let name = format!("{name}.{}", if body.bytes.text().is_some() { "txt" } else { "bin" });
        self.file(&name, &body.bytes)?;
        Ok(name)
    }

    fn file(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.path.join(name);
        let options = || fs::OpenOptions::new().write(true).clone();
        let mut file = match self.replace {
            true => options().create(true).truncate(true).open(&path)?,
            false => options().create_new(true).open(&path)?,
        };
        self.written.push(path);
        file.write_all(bytes)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        // There is nobody to tell what cannot be taken away.
        for path in &self.written {
            drop(fs::remove_file(path));
        }
        if self.made {
            drop(fs::remove_dir(&self.path));
        }
    }
}

fn row(scope: Scope<'_>, index: usize, message: &Message, file: Option<String>) -> Value {
    let runs = message.body.origin.runs();
    let units = |wanted: fn(Unit) -> Option<u32>| runs.iter().filter_map(|run| wanted(run.unit)).collect::<Vec<_>>();
    let frames = units(|unit| if let Unit::Frame(number) = unit { Some(number) } else { None });
    let entries = units(|unit| if let Unit::Entry(number) = unit { Some(number) } else { None });
    let note = match &message.body.captured {
        Captured::Whole => None,
        Captured::Partly(why) | Captured::Refused(why) => Some(why),
    };
    let mut row = json!({
        "session": scope.session.key(),
        "message": index + 1,
        "side": message.side.map(|side| side.name()),
        "kind": kind(message.kind),
        "file": file,
        "msg_id": message.msg_id(),
        "time": message.first.map(|time| time.exact().to_string()),
        "input": scope.path(message),
        "frames": frames,
        "entries": entries,
        "bytes": message.body.size(),
        "note": note,
    });
    if let Value::Object(fields) = &mut row {
        fields.retain(|_, value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()));
    }
    row
}
