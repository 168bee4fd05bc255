//! Reports end to end: a toy MDM server is recorded while a device syncs with it, and each report on the recordings is held
//! against what its readers ask for: schemas, parsers, the escapes of a CI runner.
//!
//! Needs python3, tcpdump and the right to capture; for schemas `.ci/run` puts check-jsonschema and the schema of SARIF, as
//! published, below `target/peers`.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

mod peers;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const FORMATS: [&str; 9] = ["text", "concise", "json", "jsonl", "sarif", "junit", "github", "gitlab", "markdown"];

/// A folder with recordings of the toy server: `toy.pcap`, `server.log`, `toy.har`, and one message as `one.wbxml`.
struct Lab(tempfile::TempDir);

impl Lab {
    /// The recordings, made once; `None` where programs are missing.
    fn get() -> Option<&'static Lab> {
        static LAB: OnceLock<Option<Lab>> = OnceLock::new();
        LAB.get_or_init(Lab::record).as_ref()
    }

    fn record() -> Option<Lab> {
        if !peers::are_here(&["python3", "tcpdump"]) {
            return None;
        }
        let lab = Lab(tempfile::tempdir().unwrap());
        let script = Path::new(ROOT).join("tests/lab/toy.py");
        let mut toy = Command::new("python3");
        toy.arg(script).arg(lab.0.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut toy = peers::Running(toy.spawn().unwrap());
        let mut port = String::new();
        BufReader::new(toy.0.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let pcap = lab.path("toy.pcap");
        let recorder = peers::record(&pcap, &format!("tcp port {}", port.trim()))?;
        toy.0.stdin.take().unwrap().write_all(b"go\n").unwrap();
        assert!(toy.0.wait().unwrap().success());
        peers::stop(recorder, &pcap);
        assert!(lab.run(&["export", "toy.pcap", "--to", "har", "--out", "toy.har"]).status.success());
        fs::write(lab.path("one.xml"), DOCUMENT).unwrap();
        fs::write(lab.path("one.wbxml"), lab.run(&["decode", "--encode", "one.xml"]).stdout).unwrap();
        fs::remove_file(lab.path("one.xml")).unwrap();
        Some(lab)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        dmscope(self.0.path(), arguments)
    }

    fn report(&self, format: &str, more: &[&str]) -> String {
        let output = self.run(&[&["lint", "-q", "--format", format], more].concat());
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, format: &str, more: &[&str]) -> Value {
        serde_json::from_str(&self.report(format, more)).unwrap()
    }
}

/// A message whose second command has the CmdID of the first.
const DOCUMENT: &str = "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto>\
     <SessionID>1</SessionID><MsgID>1</MsgID><Target><LocURI>urn:uuid:1</LocURI></Target><Source><LocURI>http://127.0.0.1/dm\
     </LocURI></Source></SyncHdr><SyncBody><Get><CmdID>2</CmdID><Item><Target><LocURI>./DevDetail/SwV</LocURI></Target></Item>\
     </Get><Get><CmdID>2</CmdID><Item><Target><LocURI>./DevDetail/HwV</LocURI></Target></Item></Get><Final/></SyncBody></SyncML>";

fn dmscope(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dmscope"));
    command.args(arguments).current_dir(folder).env_remove("DMSCOPE_CONFIG").env_remove("SSLKEYLOGFILE");
    command.output().unwrap()
}

/// The recordings of the samples, as arguments.
fn samples() -> Vec<String> {
    let names = fs::read_dir(Path::new(ROOT).join("samples")).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    let recordings = names.filter(|name| [".pcap", ".pcapng", ".har", ".log"].iter().any(|end| name.ends_with(end)));
    let mut paths: Vec<String> = recordings.map(|name| format!("samples/{name}")).collect();
    paths.sort();
    paths
}

fn sample_report(format: &str) -> String {
    let samples = samples();
    let paths = samples.iter().map(String::as_str);
    let arguments: Vec<&str> = ["lint", "-q", "--format", format].into_iter().chain(paths).collect();
    String::from_utf8(dmscope(Path::new(ROOT), &arguments).stdout).unwrap()
}

fn array(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// How often each rule fired, by what one report says of its findings.
fn tally<'a>(rules: impl Iterator<Item = &'a str>) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    rules.for_each(|rule| *tally.entry(rule.to_owned()).or_default() += 1);
    tally
}

fn found(report: &Value) -> BTreeMap<String, usize> {
    tally(array(&report["findings"]).iter().map(|finding| text(&finding["rule"])))
}

#[test]
fn sarif_is_as_its_schema_says() {
    let Some(lab) = Lab::get() else { return };
    let example =
        ["lint", "-q", "--format=sarif", "--config=docs/examples/ci/dmscope.toml", "docs/examples/ci/recordings"];
    let known = String::from_utf8(dmscope(Path::new(ROOT), &example).stdout).unwrap();
    assert!(known.contains("\"suppressions\""));
    let reports = [("lab", lab.report("sarif", &["."])), ("samples", sample_report("sarif")), ("known", known)];
    let Some(schema) = peers::installed("checks/sarif-2.1.0.json") else { return };
    let folder = tempfile::tempdir().unwrap();
    for (name, report) in reports {
        let file = folder.path().join(name);
        fs::write(&file, report).unwrap();
        // One of its patterns has a bracket too many, which only older regular expressions take.
        peers::validate(&["--regex-variant=nonunicode", "--schemafile", schema.to_str().unwrap()], &file);
    }
}

#[test]
fn sarif_says_what_json_says() {
    let Some(lab) = Lab::get() else { return };
    let (log, report) = (lab.json("sarif", &["."]), lab.json("json", &["."]));
    let run = &log["runs"][0];
    let (results, findings) = (array(&run["results"]), array(&report["findings"]));
    assert_eq!(results.len(), findings.len());
    assert!(results.len() > 10);
    for (result, finding) in results.iter().zip(findings) {
        let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!((&result["ruleId"], &rule["id"]), (&finding["rule"], &finding["rule"]));
        assert_eq!(result["level"], if finding["severity"] == "info" { "note" } else { text(&finding["severity"]) });
        assert!(text(&result["message"]["text"]).starts_with(text(&finding["message"])));
        for name in ["dmscope/v1", "primaryLocationLineHash"] {
            assert_eq!(result["partialFingerprints"][name], finding["fingerprint"]);
        }
        // GitHub refuses a whole file for one result without a place in an artifact.
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], text(&finding["location"]["input"]).trim_start_matches("./"));
        assert_eq!(array(&result["locations"]).len(), 1);
        region(lab, &place["region"], &finding["location"]);
    }
}

/// The bytes of a region, and whether they are those of the place alone.
fn bytes_of(file: &Path, region: &Value) -> (Vec<u8>, bool) {
    let number = |name: &str| region[name].as_u64().unwrap() as usize;
    let (from, count) = (number("byteOffset"), number("byteLength"));
    (fs::read(file).unwrap()[from..from + count].to_vec(), region["message"].is_null())
}

/// Whether the bytes of a region in a capture are the place that JSON names, as far as its excerpt shows it. Gives whether
/// they are exact.
fn shows(file: &Path, region: &Value, location: &Value) -> bool {
    let (bytes, is_exact) = bytes_of(file, region);
    // A place of a session, not of a connection, whose bytes stand in one packet as they are.
    let can_be =
        ["session", "offset"].iter().all(|field| !location[field].is_null()) && location["last_frame"].is_null();
    assert_eq!(is_exact, can_be, "{location}");
    // A place without an element is a whole message: a document, or a push.
    let is_whole = || bytes.starts_with(b"<SyncML") || bytes.ends_with(b"mdm.example.test");
    let is_there = match location["excerpt"].as_str() {
        Some(excerpt) => bytes.starts_with(excerpt.split(['*', '…']).next().unwrap().as_bytes()),
        None => is_whole(),
    };
    assert!(is_there || !is_exact, "{location}: {}", String::from_utf8_lossy(&bytes));
    is_exact
}

/// A region where the place stands in the file, and then the one that JSON names.
fn region(lab: &Lab, region: &Value, location: &Value) {
    let input = text(&location["input"]).trim_start_matches("./");
    match input {
        "server.log" => {
            assert_eq!((&region["startLine"], &region["startColumn"]), (&location["line"], &location["column"]));
            let log = fs::read_to_string(lab.path(input)).unwrap();
            let line = log.lines().nth(region["startLine"].as_u64().unwrap() as usize - 1).unwrap();
            let rest: String = line.chars().skip(region["startColumn"].as_u64().unwrap() as usize - 1).collect();
            assert!(rest.starts_with('<'), "{rest}");
        }
        "one.wbxml" => {
            let at = |name: &str| region[name].as_u64().unwrap();
            let range = [at("byteOffset"), at("byteOffset") + at("byteLength")];
            assert_eq!(location["byte_range"], Value::from(range.to_vec()));
            assert!(range[1] <= fs::metadata(lab.path(input)).unwrap().len());
        }
        "toy.har" => {
            let har = fs::read_to_string(lab.path(input)).unwrap();
            let at = |line: &str, column: &str| {
                let number = |name: &str| region[name].as_u64().unwrap() as usize - 1;
                let before: usize = har.split_inclusive('\n').take(number(line)).map(str::len).sum();
                before + har[before..].chars().take(number(column)).map(char::len_utf8).sum::<usize>()
            };
            let entry = &har[at("startLine", "startColumn")..at("endLine", "endColumn")];
            let number = location["entry"].as_u64().unwrap() as usize;
            let log: Value = serde_json::from_str(&har).unwrap();
            assert_eq!(serde_json::from_str::<Value>(entry).unwrap(), log["log"]["entries"][number - 1]);
        }
        "toy.pcap" => assert!(shows(&lab.path(input), region, location), "{location}"),
        _ => panic!("{input}: {region}"),
    }
}

#[test]
fn regions_of_captures_are_the_elements_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let regions = |paths: &[&str]| {
        let report = |format| {
            let arguments =
                [&["lint", "-q", "--fail-on=never", "--keylog=samples/mutual-tls.keylog", "--format", format], paths];
            let output = dmscope(Path::new(ROOT), &arguments.concat());
            serde_json::from_slice::<Value>(&output.stdout).unwrap()
        };
        let (log, report) = (report("sarif"), report("json"));
        let region = |result: &Value| result["locations"][0]["physicalLocation"]["region"].clone();
        let regions: Vec<Value> = array(&log["runs"][0]["results"]).iter().map(region).collect();
        let locations = array(&report["findings"]).iter().map(|finding| finding["location"].clone());
        regions.into_iter().zip(locations).collect::<Vec<_>>()
    };
    let samples = samples();
    let captures: Vec<&str> = samples.iter().map(String::as_str).filter(|path| path.contains(".pcap")).collect();
    let (mut exact, mut covering) = (0, 0);
    for (region, location) in regions(&captures) {
        let file = Path::new(ROOT).join(text(&location["input"]));
        *if shows(&file, &region, &location) { &mut exact } else { &mut covering } += 1;
    }
    assert!(exact > 5 && covering > 0, "{exact} {covering}");
    // Without a map the file is read piece by piece; the places are the same.
    assert_eq!(regions(&[&["--no-mmap"], captures.as_slice()].concat()), regions(&captures));
    // What is packed has no place in the file.
    let packed = folder.path().join("a.pcap.gz");
    let mut gzip = flate2::write::GzEncoder::new(fs::File::create(&packed).unwrap(), flate2::Compression::default());
    gzip.write_all(&fs::read(Path::new(ROOT).join("samples/msgid-skipped.pcap")).unwrap()).unwrap();
    gzip.finish().unwrap();
    let packed = regions(&[packed.to_str().unwrap()]);
    assert!(!packed.is_empty() && packed.iter().all(|(region, _)| region.is_null()), "{packed:?}");
}

#[test]
fn what_explains_a_finding_is_a_flow_in_the_order_of_time() {
    let Some(lab) = Lab::get() else { return };
    let (log, report) = (lab.json("sarif", &["toy.pcap"]), lab.json("json", &["toy.pcap"]));
    let mut flows = 0;
    for (result, finding) in array(&log["runs"][0]["results"]).iter().zip(array(&report["findings"])) {
        let related = array(&finding["related"]);
        if related.is_empty() {
            assert!(result["codeFlows"].is_null());
            continue;
        }
        flows += 1;
        let steps = array(&result["codeFlows"][0]["threadFlows"][0]["locations"]);
        assert_eq!((steps.len(), array(&result["relatedLocations"]).len()), (related.len() + 1, related.len()));
        let frame = |step: &Value| {
            let name = text(&step["location"]["logicalLocations"][0]["fullyQualifiedName"]).to_owned();
            let number = name.split_once(" frame ").or_else(|| name.split_once(" frames ")).unwrap().1;
            number.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse::<u32>().unwrap()
        };
        assert!(steps.iter().map(frame).is_sorted(), "{steps:?}");
        assert!(steps.iter().all(|step| !text(&step["location"]["message"]["text"]).is_empty()));
    }
    assert!(flows > 1);
}

/// XML as Python's parser reads it: of each element tag, attributes, text and children.
fn tree(xml: &str) -> Value {
    const PARSE: &str = "import json, sys, xml.etree.ElementTree as tree\n\
         pack = lambda element: [element.tag, element.attrib, element.text or '', [pack(child) for child in element]]\n\
         print(json.dumps(pack(tree.fromstring(sys.stdin.buffer.read()))))";
    let mut python = Command::new("python3");
    let mut python = python.args(["-c", PARSE]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    python.stdin.take().unwrap().write_all(xml.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn junit_is_well_formed_and_adds_up() {
    let Some(lab) = Lab::get() else { return };
    let (root, report) = (tree(&lab.report("junit", &["."])), lab.json("json", &["."]));
    let number = |element: &Value, name: &str| text(&element[1][name]).parse::<usize>().unwrap();
    let (mut tests, mut failures, mut said) = (0, 0, BTreeMap::new());
    for suite in array(&root[3]) {
        let cases = array(&suite[3]);
        let with = |tag: &str| cases.iter().filter(|case| array(&case[3]).iter().any(|child| child[0] == tag)).count();
        let counted = ["tests", "failures", "skipped", "errors"].map(|name| number(suite, name));
        assert_eq!(counted, [cases.len(), with("failure"), with("skipped"), 0]);
        tests += cases.len();
        failures += with("failure");
        for case in cases.iter().filter(|case| text(&case[1]["name"]).starts_with("DM-")) {
            assert!(text(&case[1]["classname"]).starts_with(text(&suite[1]["name"])));
            let levels = ["error: ", "warning: ", "info: "];
            let lines = text(&case[3][0][2]).lines().filter(|line| levels.iter().any(|level| line.starts_with(level)));
            *said.entry(text(&case[1]["name"]).to_owned()).or_default() += lines.count();
        }
    }
    assert_eq!((number(&root, "tests"), number(&root, "failures")), (tests, failures));
    assert_eq!(said, found(&report));
    let suites: Vec<&Value> = array(&root[3]).iter().map(|suite| &suite[1]["name"]).collect();
    assert_eq!(suites, array(&report["inputs"]).iter().map(|input| &input["path"]).collect::<Vec<_>>());
}

/// What a runner makes of an annotation: level, properties, message.
fn annotation(line: &str) -> (String, BTreeMap<String, String>, String) {
    let (level, rest) = line.strip_prefix("::").unwrap().split_once(' ').unwrap();
    let (properties, message) = rest.split_once("::").unwrap();
    let data = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%");
    let property = |text: &str| {
        let (name, value) = text.split_once('=').unwrap();
        (name.to_owned(), data(&value.replace("%3A", ":").replace("%2C", ",")))
    };
    (level.to_owned(), properties.split(',').map(property).collect(), data(message))
}

#[test]
fn a_runner_reads_annotations_as_they_are_meant() {
    let Some(lab) = Lab::get() else { return };
    let name = "a,b:c%d\u{e9}.pcap";
    fs::create_dir_all(lab.path(".names")).unwrap();
    fs::copy(lab.path("toy.pcap"), lab.path(".names").join(name)).unwrap();
    let file = format!(".names/{name}");
    let report = lab.json("json", &[&file]);
    let lines = lab.report("github", &[&file]);
    let mut shown: BTreeMap<String, usize> = BTreeMap::new();
    let mut said = Vec::new();
    for line in lines.lines() {
        let (level, properties, message) = annotation(line);
        if let Some(more) = message.strip_suffix(" more findings; the other reports of this run have all of them") {
            assert_eq!(properties["title"], "dmscope");
            said.push(more.parse::<usize>().unwrap());
            continue;
        }
        *shown.entry(level).or_default() += 1;
        assert_eq!(properties["file"], file);
        assert!(!properties.contains_key("line"));
        let mut findings = array(&report["findings"]).iter();
        let first = message.lines().next().unwrap();
        let title = properties["title"].split_once(' ').unwrap().0;
        assert!(findings.any(|finding| finding["message"] == first && finding["rule"] == title), "{line}");
    }
    assert!(shown.values().all(|many| *many <= 10), "{shown:?}");
    let total = array(&report["findings"]).len();
    assert_eq!(said, [total - shown.values().sum::<usize>()]);
    // The node whose name a runner would act on is told of, and means the same when it is read.
    assert!(lines.contains("100%25,a:b|"), "{lines}");
}

#[test]
fn annotations_of_a_log_have_lines() {
    let Some(lab) = Lab::get() else { return };
    let report = lab.json("json", &["server.log"]);
    let places: BTreeSet<String> = array(&report["findings"])
        .iter()
        .map(|finding| format!("{},{}", finding["location"]["line"], finding["location"]["column"]))
        .collect();
    for line in lab.report("github", &["server.log"]).lines().filter(|line| !line.contains("title=dmscope::")) {
        let (_, properties, _) = annotation(line);
        assert!(places.contains(&format!("{},{}", properties["line"], properties["col"])), "{line}");
    }
}

#[test]
fn gitlab_has_an_issue_for_each_finding() {
    let Some(lab) = Lab::get() else { return };
    let (issues, report) = (lab.json("gitlab", &["."]), lab.json("json", &["."]));
    assert_eq!(tally(array(&issues).iter().map(|issue| text(&issue["check_name"]))), found(&report));
    let fingerprints: BTreeSet<&str> = array(&issues).iter().map(|issue| text(&issue["fingerprint"])).collect();
    assert_eq!(fingerprints.len(), array(&issues).len());
    for issue in array(&issues) {
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&text(&issue["severity"])));
        assert!(lab.path(text(&issue["location"]["path"])).is_file());
        assert!(issue["location"]["lines"]["begin"].as_u64().unwrap() > 0);
        assert!(!text(&issue["description"]).is_empty());
    }
}

#[test]
fn markdown_is_one_table() {
    let Some(lab) = Lab::get() else { return };
    let (page, report) = (lab.report("markdown", &["."]), lab.json("json", &["."]));
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    for row in &rows {
        assert_eq!(row.replace("\\|", "").matches('|').count(), 5, "{row}");
    }
    let rule = |row: &&str| row.split(" | ").nth(1).unwrap().split_once("<br>").unwrap().0.to_owned();
    let rules: Vec<String> = rows.iter().map(rule).collect();
    assert_eq!(tally(rules.iter().map(String::as_str)), found(&report));
}

#[test]
fn several_reports_in_one_run_are_those_of_several_runs() {
    let Some(lab) = Lab::get() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = |format: &str| folder.path().join(format).display().to_string();
    let formats: Vec<String> = FORMATS.iter().map(|format| format!("--format={format}={}", file(format))).collect();
    let arguments = ["lint", "-q", "toy.pcap", "server.log", "--format", "concise"].into_iter();
    let arguments: Vec<&str> = arguments.chain(formats.iter().map(String::as_str)).collect();
    let printed = lab.run(&arguments);
    assert_eq!(printed.status.code(), Some(1));
    for format in FORMATS {
        let alone = lab.report(format, &["toy.pcap", "server.log"]);
        assert_eq!(fs::read_to_string(file(format)).unwrap(), alone, "{format}");
        if format == "concise" {
            assert_eq!(String::from_utf8(printed.stdout.clone()).unwrap(), alone);
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let Some(lab) = Lab::get() else { return };
    for format in FORMATS {
        let with = |jobs| lab.report(format, &["--jobs", jobs, "."]);
        let one = with("1");
        assert!(!one.is_empty());
        for jobs in ["2", "8"] {
            assert_eq!(with(jobs), one, "{format}, {jobs} threads");
        }
    }
}

#[test]
fn a_baseline_of_one_run_knows_the_next_and_no_new_defect() {
    let Some((lab, next)) = Lab::get().zip(Lab::record()) else { return };
    let baseline = next.path(".baseline.toml").display().to_string();
    let lint = |lab: &Lab, more: &[&str]| {
        let arguments = ["lint", "-q", "--format=concise", "--fail-on=info", "--baseline", &baseline];
        let output = lab.run(&[&arguments, more].concat());
        let error = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap() + &error)
    };
    // Each recording by itself: they are two of one session.
    for recording in ["toy.pcap", "server.log"] {
        assert_eq!(lint(lab, &["--update-baseline", "--allow-stale", recording]).0, Some(0));
    }
    let log = fs::read_to_string(next.path("server.log")).unwrap();
    let device = log.split("urn:uuid:").nth(1).unwrap().split('<').next().unwrap();
    let log = log.replace(device, "11111111-2222-4333-8444-555555555555");
    let log = log.replace("<SessionID>1</SessionID>", "<SessionID>5C</SessionID>");
    assert!(!log.contains(device) && log.contains("<SessionID>5C"));
    fs::write(next.path("server.log"), &log).unwrap();
    for recording in ["toy.pcap", "server.log"] {
        assert_eq!(lint(&next, &[recording]), (Some(0), String::new()), "{recording}");
    }
    let command = log.find("<Get>").unwrap();
    let version = log[..command].rfind("<VerDTD>1.2").unwrap();
    fs::write(next.path("server.log"), log[..version].to_owned() + &log[version..].replacen("1.2", "1.1", 1)).unwrap();
    let (exit, told) = lint(&next, &["server.log"]);
    let rules: Vec<&str> = told.lines().map(|line| line.split(' ').nth(2).unwrap()).collect();
    assert_eq!((exit, rules), (Some(1), vec!["DM-HDR-001", "DM-HDR-003"]), "{told}");
}
