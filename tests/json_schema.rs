//! The published schemas of JSON output, `docs/*-v1.schema.json`, against what the program prints: of all samples, and of
//! recordings of others where `DMSCOPE_CORPUS` names some. A field that no schema knows fails, too.
//!
//! Needs check-jsonschema, which `.ci/run` puts below `target/peers`.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

mod peers;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// Commands that read recordings.
const READERS: [&str; 3] = ["lint", "sessions", "diagnose"];
const SCHEMAS: [&str; 4] = ["lint", "sessions", "diagnose", "rules"];

/// A rule that has no result where a value is no number.
const UNDECIDED: &str = "+++\nid = \"ACME-001\"\nname = \"undecided\"\nsummary = \"A number\"\nfix = \"Send another.\"\n\
     severity = { oma = \"error\", windows = \"error\" }\nscope = \"item\"\nwhen = 'int(item.data) > 0'\nmessage = 'x'\n+++\nWhy.\n";

/// The schemas in a folder, each object closed: users may see more fields in a later version, tests may not.
struct Closed(tempfile::TempDir);

impl Closed {
    fn new() -> Closed {
        let folder = tempfile::tempdir().unwrap();
        for command in SCHEMAS {
            let name = format!("{command}-v1.schema.json");
            let text = fs::read_to_string(Path::new(ROOT).join("docs").join(&name)).unwrap();
            let mut schema: Value = serde_json::from_str(&text).unwrap();
            close(&mut schema);
            fs::write(folder.path().join(name), schema.to_string()).unwrap();
        }
        Closed(folder)
    }

    fn schema(&self, command: &str) -> PathBuf {
        self.0.path().join(format!("{command}-v1.schema.json"))
    }

    /// What is printed is as the schema says; with what it was made of, for a failure.
    fn check(&self, arguments: &[&str]) {
        let file = self.0.path().join("output.json");
        fs::write(&file, dmscope(arguments)).unwrap();
        peers::validate(&["--schemafile", self.schema(arguments[0]).to_str().unwrap()], &file);
    }
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.contains_key("properties") {
                fields.insert("additionalProperties".to_owned(), false.into());
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(values) => values.iter_mut().for_each(close),
        _ => {}
    }
}

fn dmscope(arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dmscope"));
    command
        .args(arguments)
        .args(READERS.contains(&arguments[0]).then_some("-q"))
        .args(["--format", "json"])
        .current_dir(ROOT)
        .env_remove("SSLKEYLOGFILE");
    let output = command.output().unwrap();
    assert!(!output.stdout.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn schemas_are_schemas() {
    for command in SCHEMAS {
        let file = Path::new(ROOT).join(format!("docs/{command}-v1.schema.json"));
        if peers::validate(&["--check-metaschema"], &file).is_none() {
            return;
        }
    }
}

#[test]
fn what_is_printed_of_the_samples_is_as_the_schemas_say() {
    if peers::installed("checks/bin/check-jsonschema").is_none() {
        return;
    }
    let closed = Closed::new();
    for command in READERS {
        closed.check(&[command, "samples"]);
    }
    closed.check(&["rules", "--rules", "docs/examples/rules"]);
    closed.check(&["lint", "--fail-on", "never", "--keylog", "samples/mutual-tls.keylog", "samples/mutual-tls.pcap"]);
    closed.check(&["lint", "--credentials", "samples/credentials.toml", "samples/md5-nonce-not-decoded.pcap"]);
    closed.check(&["lint", "--config", "samples/dmscope.toml", "samples/alert-unanswered.pcap"]);
    for sample in ["samples/msgid-skipped.pcap", "samples/clean.pcap"] {
        closed.check(&["lint", "--baseline", "samples/baseline.toml", sample]);
    }
    fs::write(closed.0.path().join("ACME-001-undecided.md"), UNDECIDED).unwrap();
    closed.check(&["lint", "--rules", closed.0.path().to_str().unwrap(), "samples/clean.pcap"]);
}

#[test]
fn what_is_printed_of_recordings_of_others_is_as_the_schemas_say() {
    let Some(corpus) = std::env::var_os("DMSCOPE_CORPUS") else {
        eprintln!("SKIPPED: DMSCOPE_CORPUS is not set, no published recording was read");
        return;
    };
    if peers::installed("checks/bin/check-jsonschema").is_some() {
        READERS.iter().for_each(|command| Closed::new().check(&[command, corpus.to_str().unwrap()]));
    }
}

#[test]
fn the_page_tells_of_every_field() {
    fn names<'a>(schema: &'a Value, out: &mut Vec<&'a str>) {
        if let Some(properties) = schema["properties"].as_object() {
            out.extend(properties.keys().map(String::as_str));
        }
        match schema {
            Value::Object(fields) => fields.values().for_each(|value| names(value, out)),
            Value::Array(values) => values.iter().for_each(|value| names(value, out)),
            _ => {}
        }
    }
    let page = fs::read_to_string(Path::new(ROOT).join("docs/json-v1.md")).unwrap();
    for command in SCHEMAS {
        let text = fs::read_to_string(Path::new(ROOT).join(format!("docs/{command}-v1.schema.json"))).unwrap();
        let schema: Value = serde_json::from_str(&text).unwrap();
        let mut fields = Vec::new();
        names(&schema, &mut fields);
        let untold: Vec<&str> = fields.into_iter().filter(|field| !page.contains(&format!("`{field}`"))).collect();
        assert_eq!(untold, Vec::<&str>::new(), "docs/json-v1.md");
    }
}
