//! Bugs that people met in the field: each is a test that names its story.
//!
//! A story that shows in a session is a page below `tests/stories`, written like the examples of a rule (`rules/README.md`
//! tells the format); the others are functions here. `docs/bug-stories.md` lists all of them, and what shows each.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "build/mod.rs"]
mod build;
#[path = "rules/capture.rs"]
#[allow(dead_code, reason = "the rules' own tests use more of it")]
mod capture;
#[path = "rules/check.rs"]
#[allow(dead_code, reason = "the rules' own tests use more of it")]
mod check;
#[path = "rules/compose.rs"]
#[allow(dead_code, reason = "the rules' own tests use more of it")]
mod compose;
#[path = "rules/enroll.rs"]
mod enroll;
#[path = "rules/handshake.rs"]
mod handshake;
#[path = "rules/har.rs"]
mod har;
#[path = "rules/push.rs"]
mod push;
#[path = "rules/run.rs"]
#[allow(dead_code, reason = "the rules' own tests use more of it")]
mod run;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use dmscope::examples::{binary, page};
use dmscope::limits::Limits;
use dmscope::report::show;
use dmscope::rules::runner::Runner;
use dmscope::rules::select::Selection;
use dmscope::rules::{ALL, Profile};
use dmscope::session::Session;
use dmscope::syncml::hresult;

use check::Found;
use compose::Sent;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The stories that are pages: name of the file, text.
fn pages() -> BTreeMap<String, String> {
    let files = std::fs::read_dir(root().join("tests/stories")).unwrap().flatten().map(|entry| entry.path());
    let named = files.map(|path: PathBuf| {
        (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&path).unwrap())
    });
    named.collect()
}

/// `B2` of `B02-commands-without-cmdid`.
fn number(name: &str) -> String {
    let digits = name.strip_prefix('B').and_then(|rest| rest.split('-').next()).unwrap();
    format!("B{}", digits.trim_start_matches('0'))
}

/// What the rules say of an example that its marks do not, and the other way round.
fn differences(example: &page::Example, sent: &[Sent<'_>], sessions: &[Session], rules: &[&str]) -> Vec<String> {
    let runner = Runner::new(&Selection::of(example.profile), &Limits::default());
    let runner = runner.with_credentials(example.credentials.clone());
    let found: Vec<Found> = check::findings(&runner, sessions, sent);
    let mut wrong = check::differences(|rule| rules.contains(&rule.id), sent, &found);
    wrong.extend(check::unseen(sessions, sent));
    wrong
}

#[test]
fn every_story_shows_in_its_session_however_it_was_recorded() {
    let mut wrong = Vec::new();
    for (name, text) in pages() {
        let examples = page::read(&text, |_| Profile::Windows).unwrap_or_else(|why| panic!("{name}: {why}"));
        let marks = examples.iter().flat_map(compose::messages).flat_map(|sent| sent.marks).map(|mark| mark.id);
        let marks: BTreeSet<String> = marks.collect();
        let rules: Vec<&str> = marks.iter().map(String::as_str).collect();
        assert!(!rules.is_empty() && rules.iter().all(|id| dmscope::rules::find(id).is_some()), "{name}: {rules:?}");
        for example in &examples {
            let sent = compose::messages(example);
            let marked = sent.iter().any(|sent| !sent.marks.is_empty());
            assert_eq!(marked, example.bad, "{name}, ## {}: marks", example.heading);
            let mut runs = vec![("capture", sent.clone(), run::as_file(&capture::file(&sent), "story.pcap").sessions)];
            runs.extend(har::file(&sent).map(|har| ("HAR", sent.clone(), run::as_file(&har, "story.har").sessions)));
            if !example.capture_only() {
                runs.push(("documents", sent.clone(), run::as_documents(&sent)));
                runs.extend(binary::encoded(&sent).map(|sent| ("WBXML", sent.clone(), run::as_documents(&sent))));
            }
            for (how, sent, sessions) in runs {
                let differs = differences(example, &sent, &sessions, &rules);
                wrong.extend(differs.iter().map(|why| format!("{name}, ## {} as {how}: {why}", example.heading)));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// The rows of `docs/bug-stories.md`: number, what it says of it.
fn listed() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(root().join("docs/bug-stories.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| B")).map(|line| {
        let (number, rest) = line.trim_start_matches("| ").split_once(" |").unwrap();
        (number.to_owned(), rest.to_owned())
    });
    rows.collect()
}

#[test]
fn the_list_has_every_story_once_and_what_shows_it() {
    let listed = listed();
    let numbers: Vec<&str> = listed.iter().map(|(number, _)| number.as_str()).collect();
    let all: Vec<String> = (1..=36).map(|number| format!("B{number}")).collect();
    assert_eq!(numbers, all);
    let source = std::fs::read_to_string(root().join("tests/stories.rs")).unwrap();
    let pages = pages();
    for (number, row) in &listed {
        let own: Vec<&String> =
            pages.iter().filter(|(name, _)| self::number(name) == *number).map(|(_, text)| text).collect();
        let function = format!("{}_", number.to_lowercase());
        let is_shown = !own.is_empty() || source.contains(&function);
        assert_eq!(is_shown, !row.contains("Not seen:"), "{number}: {row}");
        let marked = |id: &str| own.iter().any(|text| text.contains(&format!("{id} ")));
        let named = row.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-'));
        let named: Vec<&str> = named.filter(|word| word.starts_with("DM-") && word.matches('-').count() == 2).collect();
        assert!(named.iter().all(|id| dmscope::rules::find(id).is_some()), "{number} names {named:?}");
        for rule in ALL.iter().filter(|rule| marked(rule.id)) {
            assert!(named.contains(&rule.id), "{number} does not name {}", rule.id);
        }
    }
}

fn dmscope(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dmscope")).args(arguments).output().unwrap()
}

#[test]
fn b5_a_profile_without_any_command_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let profiles = [
        ("not xml", 3, "no device-management message"),
        ("<!-- nothing but a comment -->", 3, "no device-management message"),
        ("", 2, "the file is empty"),
    ];
    for (text, code, said) in profiles {
        let path = folder.path().join("profile.xml");
        std::fs::write(&path, text).unwrap();
        let output = dmscope(&["lint", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(code), "{text:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains(said), "{text:?}");
    }
}

/// What the program prints of a story's first example.
fn printed(story: &str, arguments: &[&str]) -> String {
    printed_of(&pages()[story], arguments)
}

/// What the program prints of the first example of a page.
fn printed_of(page: &str, arguments: &[&str]) -> String {
    let examples = page::read(page, |_| Profile::Windows).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("story.pcap");
    std::fs::write(&path, capture::file(&compose::messages(&examples[0]))).unwrap();
    String::from_utf8(dmscope(&[arguments, &[path.to_str().unwrap()]].concat()).stdout).unwrap()
}

#[test]
fn b6_the_answer_is_explained_beside_the_finding() {
    let said = printed("B06-add-of-a-node-that-exists", &["lint", "--select", "DM-URI-022"]);
    let note = said.lines().find(|line| line.contains("the answer: ")).expect(&said);
    assert!(note.ends_with("418 already exists (Add of a node that exists)"), "{said}");
}

#[test]
fn b11_each_command_is_shown_with_its_own_status() {
    let shown = printed("B11-only-the-first-status-is-read", &["show", "--as", "tree"]);
    let (_, replace) = shown.split_once("Replace 5  ./Device/Vendor/MSFT/RemoteLock/Lock").expect(&shown);
    assert!(replace.lines().nth(1).unwrap().contains("=> 405 command not allowed"), "{shown}");
}

#[test]
fn b16_what_a_rule_shows_is_told_before_what_experience_says() {
    let page = dmscope::rules::find("DM-ENR-020").unwrap().page.replacen("soap server policy", "soap server fault", 1);
    let said = printed_of(&page, &["diagnose"]);
    let at = |words: &str| said.find(words).unwrap_or_else(|| panic!("{words}: {said}"));
    assert!(
        at("the request has a BinarySecurityToken; AuthPolicy is") < at("enrollment of personal devices is blocked"),
        "{said}"
    );
}

#[test]
fn b20_a_device_that_stays_away_is_told() {
    let page = |behind: &str| {
        format!(
            "## Bad\n```soap client token connection=1\n…\n```\n```wap server\n…\n```\n{behind}\nother.example.test\n```\n"
        )
    };
    let away = printed_of(&page("```tls client 1 connection=2 after=700"), &["diagnose"]);
    assert!(away.contains("It stopped at first session") && away.contains("in the 11 minutes after"), "{away}");
    let soon = printed_of(&page("```tls client 1 connection=2 after=300"), &["diagnose"]);
    assert!(!soon.contains("It stopped"), "{soon}");
}

#[test]
fn b21_characters_that_do_not_belong_into_a_printable_string_are_read() {
    let mut request = std::fs::read(root().join("tests/rules/certificates/request.der")).unwrap();
    let name = request.windows(15).position(|bytes| bytes == b"ConfigMgrEnroll").unwrap();
    // The tag of a PrintableString, which may not hold an exclamation mark.
    request[name - 2] = 0x13;
    request[name + 9] = b'!';
    let request = dmscope::x509::CertificateRequest::read(&request).unwrap();
    assert_eq!(request.subject.map(|subject| subject.to_string()).as_deref(), Some("CN=ConfigMgr!nroll"));
    assert!(request.key.is_some() && request.signature.is_some());
}

#[test]
fn b28_the_number_beside_a_code_is_explained() {
    let story = &pages()["B28-accepted-and-silent"];
    let data = "<Data xmlns:msft=\"http://schemas.microsoft.com/MobileDevice/MDM\" msft:originalerror=\"0x86000002\">404</Data>";
    let text = story.replacen("<Data>202</Data>", data, 1);
    let examples = page::read(&text, |_| Profile::Windows).unwrap();
    let sessions = run::as_documents(&compose::messages(&examples[0])[..4]);
    let mut shown = Vec::new();
    let options = show::Options { form: show::Form::Tree, message: None, show_secrets: false };
    show::write(&sessions[0], &[String::new()], options, &|_| true, &mut shown).unwrap();
    let shown = String::from_utf8(shown).unwrap();
    assert!(
        shown.contains("404 not found (the node does not exist); originalerror 0x86000002, node not found"),
        "{shown}"
    );
}

#[test]
fn b17_b18_b20_b23_b25_numbers_of_dialogs_are_explained() {
    let said = |number: &str| hresult::meaning(number).unwrap_or_default();
    assert_eq!(said("0x801900C8"), "the server answered with HTTP status 200, but not with SOAP");
    assert_eq!(said("0x80190190"), "the server answered with HTTP status 400");
    assert!(said("0x80180008").starts_with("enrollment: "));
    assert!(said("0x87D101F4").starts_with("SyncML 500 command failed"));
    assert_eq!(said("0x87D1FDE8"), "the value read back is not the value that was set");
}
