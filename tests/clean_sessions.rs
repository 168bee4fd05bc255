//! No false alarms: sessions without faults, however they are made up, give no error under either profile, and no warning
//! but those that `docs/false-positives.md` defends by name. The same for what real clients wrote.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

#[path = "build/mod.rs"]
mod build;
#[path = "clean/plan.rs"]
mod plan;
#[path = "clean/talk.rs"]
mod talk;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dmscope::credentials::Credentials;
use dmscope::engine::{self, Settings};
use dmscope::export::{Lines, Scope};
use dmscope::input;
use dmscope::limits::Limits;
use dmscope::rules::history::History;
use dmscope::rules::location::Locator;
use dmscope::rules::runner::Runner;
use dmscope::rules::select::Selection;
use dmscope::rules::{Profile, Severity};
use dmscope::session::{Edge, Outcome, Session};
use dmscope::syncml::Side;
use proptest::collection::vec;
use proptest::prelude::*;

use build::{Conversation, Packet};
use plan::Plan;

/// The ids in one section of `docs/false-positives.md`.
fn defended(section: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/false-positives.md")).unwrap();
    let (_, rest) = text.split_once(&format!("\n## {section}\n")).unwrap_or_else(|| panic!("no section {section:?}"));
    let rows = rest.split("\n## ").next().unwrap().lines().filter_map(|line| line.strip_prefix("| DM-"));
    rows.map(|row| format!("DM-{}", row.split(' ').next().unwrap())).collect()
}

fn sessions(path: &Path) -> Vec<Session> {
    let inputs = input::collect(&[path.to_owned()], None).unwrap();
    let settings = Settings { mmap: false, ..Settings::default() };
    let mut sessions = Vec::new();
    engine::read(&inputs, &settings, &mut |session| sessions.push(session), &mut |_| {}).unwrap();
    sessions
}

/// A warning or error: the rule, its severity, who is to blame, what is said.
type Fault = (&'static str, Severity, &'static str, String);

/// The warnings and errors of sessions.
fn faults(sessions: &[Session], profile: Profile, credentials: &Credentials) -> Vec<Fault> {
    let runner = Runner::new(&Selection::of(profile), &Limits::default()).with_credentials(credentials.clone());
    let mut history = History::new(&Limits::default());
    let mut faults = Vec::new();
    for session in sessions {
        let outcome = runner.run_after(session, &history.before(session));
        assert!(outcome.bugs.is_empty(), "{:?}", outcome.bugs);
        history.add(session);
        let mut locator = Locator::new(session, false);
        for draft in outcome.drafts.into_iter().filter(|draft| draft.severity > Severity::Info) {
            let finding = locator.finding(draft);
            let (place, excerpt) =
                (finding.location.path.unwrap_or_default(), finding.location.excerpt.unwrap_or_default());
            faults.push((
                finding.rule.id,
                finding.severity,
                finding.fault,
                format!("{} at {place}: {excerpt}", finding.message),
            ));
        }
    }
    faults
}

/// How a session travels.
#[derive(Clone, Copy, Debug)]
struct Travel {
    wbxml: bool,
    /// Payload bytes of a packet.
    mss: usize,
    /// Whether each exchange has a connection of its own.
    reconnects: bool,
}

fn travel() -> impl Strategy<Value = Travel> {
    (prop::bool::weighted(0.3), 200usize..1460, prop::bool::weighted(0.2)).prop_map(|(wbxml, mss, reconnects)| Travel {
        wbxml,
        mss,
        reconnects,
    })
}

fn body(text: &str, wbxml: bool) -> Vec<u8> {
    if !wbxml {
        return text.as_bytes().to_vec();
    }
    let doc = dmscope::xml::parse(&text.as_bytes().into(), &Limits::default());
    let (bytes, left_out) = dmscope::wbxml::encode::encode(&doc);
    assert!(left_out.is_empty(), "{left_out:?}");
    bytes
}

/// The packets of a session of a device.
fn packets(messages: &[String], device: usize, at: i64, travel: Travel) -> Vec<Packet> {
    let kind =
        if travel.wbxml { "application/vnd.syncml.dm+wbxml" } else { "application/vnd.syncml.dm+xml; charset=utf-8" };
    let mut packets = Vec::new();
    let open = |exchange: usize| {
        let client = format!(
            "127.0.{}.{}:{}",
            device / 250,
            1 + device % 250,
            50_000 + at / 1_000_000_000 % 5000 + exchange as i64
        );
        Conversation::new(&client, "127.0.0.1:80").mss(travel.mss).at(build::START + at + exchange as i64 * 200_000_000)
    };
    let mut line = open(0);
    for (exchange, pair) in messages.chunks(2).enumerate() {
        if travel.reconnects && exchange > 0 {
            packets.extend(std::mem::replace(&mut line, open(exchange)).close());
        }
        let (request, response) = (body(&pair[0], travel.wbxml), body(&pair[1], travel.wbxml));
        let head = format!(
            "POST /omadm?mode=Maintenance&Platform=WoA HTTP/1.1\r\nHost: mdm.example.test\r\nUser-Agent: MSFT OMA DM Client/1.2.0.1\r\n\
             Accept: application/vnd.syncml.dm+xml, application/vnd.syncml.dm+wbxml, application/octet-stream\r\n\
             Accept-Charset: UTF-8\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            request.len()
        );
        let answer = format!(
            "HTTP/1.1 200 OK\r\nCache-Control: private, no-store\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            response.len()
        );
        line = line.client(&[head.as_bytes(), &request].concat()).server(&[answer.as_bytes(), &response].concat());
    }
    packets.extend(line.close());
    packets
}

fn credentials() -> Credentials {
    let entry = |device: usize| {
        format!(
            "[[credentials]]\ndevice = \"{}\"\nuser = \"{}\"\nsecret = \"{}\"\nnonce = \"{}\"\n",
            talk::device(device),
            talk::USER,
            talk::PASSWORD,
            STANDARD.encode(talk::nonce(device, 0))
        )
    };
    Credentials::parse(&[entry(1), entry(2)].concat()).unwrap()
}

/// The packets of sessions of two devices: those of one device follow each other, an hour apart.
fn capture(plans: &[(Plan, Travel)]) -> Vec<Packet> {
    let mut all = Vec::new();
    let mut nonces = [0; 3];
    for (number, (plan, travel)) in plans.iter().enumerate() {
        let device = 1 + number % 2;
        // Each SessionID is used once, and the first may be any.
        let session_id = match number {
            0 => plan.session_id.clone(),
            _ => format!("{number}{}", plan.session_id.chars().take(3).collect::<String>()),
        };
        // Who left does not come back.
        let plan = Plan { session_id, leaves: plan.leaves && number + 2 >= plans.len(), ..plan.clone() };
        let messages = talk::messages(&plan, device, &mut nonces[device]);
        all.extend(packets(&messages, device, number as i64 / 2 * 3_600_000_000_000 + device as i64, *travel));
    }
    all.sort_by_key(|packet| packet.at);
    all
}

fn recorded(packets: &[Packet]) -> Vec<Session> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clean.pcap");
    std::fs::write(&path, build::pcap(packets)).unwrap();
    sessions(&path)
}

/// The sessions as they are read back from an export of them.
fn exported(sessions: &[Session], show_secrets: bool) -> Vec<Session> {
    let mut lines = Lines::new(Vec::new());
    for session in sessions {
        lines.session(Scope { session, paths: &[], wanted: &|_| true, show_secrets }).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clean.jsonl");
    std::fs::write(&path, lines.finish().unwrap()).unwrap();
    self::sessions(&path)
}

/// How many cases are tried, where `PROPTEST_CASES` does not say it.
fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(24), max_shrink_iters: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_export_is_judged_as_the_session(
        plans in vec((plan::plan(), travel()), 1..4),
        lost in vec(any::<prop::sample::Index>(), 0..3),
    ) {
        let mut packets = capture(&plans);
        for lost in lost {
            packets.remove(lost.index(packets.len()));
        }
        let sessions = recorded(&packets);
        for profile in [Profile::Windows, Profile::Oma] {
            let before = faults(&sessions, profile, &credentials());
            prop_assert_eq!(&before, &faults(&exported(&sessions, true), profile, &credentials()));
            let mut known = before.iter().map(|(rule, severity, ..)| (*rule, *severity)).collect::<Vec<_>>();
            for (rule, severity, _, text) in faults(&exported(&sessions, false), profile, &credentials()) {
                let place = known.iter().position(|known| *known == (rule, severity));
                prop_assert!(place.is_some(), "masked, {}: {}", rule, text);
                known.remove(place.unwrap());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(48), max_shrink_iters: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sessions_without_faults_are_clean(plans in vec((plan::plan(), travel()), 1..5)) {
        let sessions = recorded(&capture(&plans));
        prop_assert_eq!(sessions.len(), plans.len());
        let is_whole = |session: &Session| session.start == Edge::Seen && session.end == Edge::Seen;
        prop_assert!(sessions.iter().all(|session| is_whole(session) && session.outcome == Outcome::Complete));
        let fine = defended("Generated sessions");
        for (profile, credentials) in [
            (Profile::Windows, Credentials::default()),
            (Profile::Oma, Credentials::default()),
            (Profile::Windows, credentials()),
        ] {
            let faults = faults(&sessions, profile, &credentials);
            let wrong: Vec<_> =
                faults.iter().filter(|(rule, severity, ..)| *severity == Severity::Error || !fine.contains(*rule)).collect();
            prop_assert!(wrong.is_empty(), "{:?}: {:#?}", profile, wrong);
        }
    }

    #[test]
    fn what_was_lost_in_capturing_is_no_error(
        plans in vec((plan::plan(), travel()), 1..3),
        lost in vec(any::<prop::sample::Index>(), 1..3),
    ) {
        // Connections that follow each other are read to their end late when something of them is missing.
        let plans: Vec<_> = plans.into_iter().map(|(plan, travel)| (plan, Travel { reconnects: false, ..travel })).collect();
        let mut packets = capture(&plans);
        for lost in lost {
            packets.remove(lost.index(packets.len()));
        }
        let sessions = recorded(&packets);
        for profile in [Profile::Windows, Profile::Oma] {
            let faults = faults(&sessions, profile, &credentials());
            let wrong: Vec<_> = faults.iter().filter(|(_, severity, ..)| *severity == Severity::Error).collect();
            prop_assert!(wrong.is_empty(), "{:?}: {:#?}", profile, wrong);
        }
    }
}

/// What clients wrote: messages that were taken down from programs, and recordings.
fn written_by_clients(root: &Path) -> Vec<PathBuf> {
    let manifest = std::fs::read_to_string(root.join("corpus/manifest.tsv")).unwrap();
    let rows = manifest.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    // The examples of a specification were written by nobody's program.
    let messages = rows.filter(|row| row.len() > 6 && row[6].starts_with("client-msg") && row[1] != "oma-spec");
    let mut paths: Vec<PathBuf> = messages.map(|row| root.join("corpus").join(row[0])).collect();
    // Of the recordings those that were made with such examples are left out, too.
    let folders = ["dpkt", "har", "mitm", "pcapng-conformance", "suricata-verify", "tcpflow", "wireshark"];
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| root.join("captures").join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path()) {
            match path.extension().and_then(|extension| extension.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("pcap" | "pcapng" | "har" | "saz" | "xml" | "gz" | "zst") => paths.push(path),
                _ => {}
            }
        }
    }
    paths.sort();
    paths
}

#[test]
fn what_real_clients_wrote_is_clean() {
    let Some(root) = std::env::var_os("DMSCOPE_CORPUS") else {
        eprintln!("SKIPPED: DMSCOPE_CORPUS is not set, no message of a real client was read");
        return;
    };
    let (warnings, by_oma) = (defended("Real clients"), defended("Real clients of Windows under the profile oma"));
    let (mut seen, mut needed, mut wrong) = (0, BTreeSet::new(), Vec::new());
    for path in written_by_clients(Path::new(&root)) {
        let Ok(inputs) = input::collect(std::slice::from_ref(&path), None) else { continue };
        let settings = Settings { threads: 2, ..Settings::default() };
        let mut sessions = Vec::new();
        engine::read(&inputs, &settings, &mut |session| sessions.push(session), &mut |_| {}).unwrap();
        seen += sessions.iter().flat_map(|session| session.of(Side::Client)).count();
        for profile in [Profile::Windows, Profile::Oma] {
            let faults = faults(&sessions, profile, &Credentials::default());
            for (rule, severity, _, text) in
                faults.into_iter().filter(|(_, _, fault, _)| matches!(*fault, "client" | "both"))
            {
                let fine = match profile {
                    Profile::Oma if by_oma.contains(rule) => &by_oma,
                    _ => &warnings,
                };
                if !fine.contains(rule) || (severity == Severity::Error && !std::ptr::eq(fine, &by_oma)) {
                    wrong.push(format!("{}: {profile:?} {} {rule}: {text}", path.display(), severity.name()));
                } else {
                    needed.insert(rule);
                }
            }
        }
    }
    assert!(seen > 60, "{seen} messages");
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    let idle: Vec<_> = warnings.union(&by_oma).filter(|rule| !needed.contains(rule.as_str())).collect();
    assert!(idle.is_empty(), "docs/false-positives.md defends what nobody says: {idle:?}");
}

/// Each answer on a connection of its own, which ends before the next begins.
#[test]
fn an_answer_that_was_lost_with_its_connection_has_its_place() {
    let steps = vec![plan::Step::Get(vec![false])];
    let plan = Plan {
        session_id: "A".into(),
        login: plan::Login::No,
        user: false,
        alerts: 0,
        sizes: false,
        interleaved: false,
        rounds: vec![plan::Round::Plain(steps)],
        leaves: false,
    };
    let all = capture(&[(plan, Travel { wbxml: false, mss: 1460, reconnects: true })]);
    for lost in 0..all.len() {
        let mut packets = all.clone();
        packets.remove(lost);
        let faults = faults(&recorded(&packets), Profile::Windows, &Credentials::default());
        let errors: Vec<_> = faults.iter().filter(|(_, severity, ..)| *severity == Severity::Error).collect();
        assert!(errors.is_empty(), "without packet {lost}: {errors:#?}");
    }
}

/// A device that needs time answers nothing in its next message: its MsgID alone tells that an exchange before it was lost.
#[test]
fn an_exchange_that_was_lost_before_a_device_needs_time_is_missed() {
    let get = || vec![plan::Step::Get(vec![false])];
    let plan = |login| Plan {
        session_id: "A".into(),
        login,
        user: false,
        alerts: 0,
        sizes: false,
        interleaved: false,
        rounds: vec![plan::Round::Plain(get()), plan::Round::Slow(get(), 2), plan::Round::Plain(get())],
        leaves: false,
    };
    for login in [plan::Login::No, plan::Login::Each] {
        let all = capture(&[(plan(login), Travel { wbxml: false, mss: 1460, reconnects: false })]);
        for (first, second) in (0..all.len()).flat_map(|second| (0..second).map(move |first| (first, second))) {
            let mut packets = all.clone();
            packets.remove(second);
            packets.remove(first);
            let faults = faults(&recorded(&packets), Profile::Windows, &credentials());
            let errors: Vec<_> = faults.iter().filter(|(_, severity, ..)| *severity == Severity::Error).collect();
            assert!(errors.is_empty(), "{login:?}, without packets {first} and {second}: {errors:#?}");
        }
    }
}
