//! `dmscope view` in a real terminal: tmux types and reads the screen.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// How long a screen may take: a loaded machine is slow, a working program is not.
const PATIENCE: Duration = Duration::from_secs(20);

/// A tmux server of its own with one window, ended with it.
struct Tmux {
    socket: String,
}

impl Tmux {
    /// Runs a shell command in a terminal of that size; `None` where tmux is absent, which is told.
    fn start(name: &str, (width, height): (u16, u16), command: &str) -> Option<Tmux> {
        if let Err(error) = Command::new("tmux").arg("-V").output() {
            assert!(std::env::var_os("DMSCOPE_PEERS").is_none(), "tmux: {error}");
            eprintln!("SKIPPED: no tmux, the interactive view was not run in a terminal");
            return None;
        }
        let tmux = Tmux { socket: format!("dmscope-test-{}-{name}", std::process::id()) };
        let size = ["-x", &width.to_string(), "-y", &height.to_string()].map(str::to_owned);
        let started = Command::new("tmux")
            .args(["-L", &tmux.socket, "-f", "/dev/null", "new-session", "-d"])
            .args(size)
            .arg(command)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env_remove("NO_COLOR")
            .env("XDG_CONFIG_HOME", "/nonexistent")
            .env("XDG_STATE_HOME", "/nonexistent")
            .status()
            .unwrap();
        assert!(started.success());
        Some(tmux)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new("tmux").args(["-L", &self.socket]).args(arguments).output().unwrap()
    }

    fn keys(&self, keys: &str) {
        for key in keys.split(' ') {
            self.run(&["send-keys", key]);
        }
    }

    /// Types a text, letter by letter.
    fn types(&self, text: &str) {
        self.run(&["send-keys", "-l", text]);
    }

    fn screen(&self) -> String {
        String::from_utf8(self.run(&["capture-pane", "-p"]).stdout).unwrap()
    }

    /// Waits until the screen holds all of these.
    fn wait(&self, wanted: &[&str]) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            let missing: Vec<&&str> = wanted.iter().filter(|text| !screen.contains(**text)).collect();
            if missing.is_empty() {
                return screen;
            }
            assert!(Instant::now() < until, "{missing:?} is not on the screen:\n{screen}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

fn view(sample: &str) -> String {
    format!(
        "sh -c '{} view samples/{sample}; echo exit $?; stty -a | grep -o .icanon; read line'",
        env!("CARGO_BIN_EXE_dmscope")
    )
}

#[test]
fn walks_to_a_finding_and_leaves_the_terminal_as_it_was() {
    let Some(tmux) = Tmux::start("walk", (100, 30), &view("msgid-skipped.pcap")) else { return };
    tmux.wait(&["Summary", "DM-MSG-003", "MsgID is 5 after 2; expected 3"]);
    tmux.keys("n");
    tmux.wait(&["finding 1 of 1", "<MsgID>5</MsgID>", "← server 5"]);
    tmux.keys("e");
    tmux.wait(&["[Explain]", "msgid-gap"]);
    tmux.keys("t f Tab Tab Enter");
    tmux.wait(&["[XML]"]);
    tmux.keys("?");
    tmux.wait(&["Keys (esc closes)", "next finding"]);
    tmux.keys("Escape");
    tmux.run(&["resize-window", "-x", "60", "-y", "16"]);
    tmux.wait(&["DM-MSG-003"]);
    tmux.keys("q");
    let screen = tmux.wait(&["exit 0", " icanon"]);
    assert!(!screen.contains("Sessions"), "the screen before is back:\n{screen}");
}

/// The whole way of somebody who has a device that misbehaves: open, find, follow, search, copy, look at the times, quit.
#[test]
fn finds_follows_searches_copies_and_quits() {
    let Some(tmux) = Tmux::start("way", (100, 30), &view("atomic-rolled-back.pcap")) else { return };
    tmux.run(&["set-option", "-g", "set-clipboard", "on"]);
    tmux.wait(&["Summary", "DM-STA-021", "2× s1: Atomic failed: 507"]);
    tmux.keys("n");
    tmux.wait(&["finding 1 of 2", "<Data>507</Data>", "✗ 507 atomic failed", "↺ 216"]);
    tmux.keys("Tab Enter");
    tmux.wait(&["Commands of s1 message 2", "▾ Atomic 5", "1 rolled back, 1 failed"]);
    tmux.keys("BSpace");
    tmux.wait(&["Commands of s1 message 3"]);
    tmux.keys("/");
    tmux.types("firewall");
    tmux.wait(&["/firewall"]);
    tmux.keys("Enter");
    tmux.wait(&["hit 1 of 1 for \"firewall\"", "<LocURI>./Vendor/MSFT/Firewall/MdmStore/PublicProfile"]);
    tmux.keys("y u");
    tmux.wait(&["copied 60 bytes"]);
    let copied = String::from_utf8(tmux.run(&["show-buffer"]).stdout).unwrap();
    assert_eq!(copied, "./Vendor/MSFT/Firewall/MdmStore/PublicProfile/EnableFirewall");
    tmux.keys("T");
    tmux.wait(&["Timeline of s1", "package 3: the client answers", "slowest answer"]);
    tmux.keys("0");
    tmux.wait(&["Summary"]);
    tmux.types(":q");
    tmux.keys("Enter");
    tmux.wait(&["exit 0", " icanon"]);
}

/// Sessions are marked, compared, and exported to where the user says; the linter reads what was written.
#[test]
fn compares_and_exports() {
    let folder = tempfile::tempdir().unwrap();
    let sample = folder.path().join("a.pcap");
    std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/samples/md5-sessions.pcap"), &sample).unwrap();
    let command = format!("sh -c '{} view {}; read line'", env!("CARGO_BIN_EXE_dmscope"), sample.display());
    let Some(tmux) = Tmux::start("export", (110, 30), &command) else { return };
    tmux.wait(&["Summary", "2 complete sessions"]);
    tmux.keys("Tab j m j m d");
    tmux.wait(&["Two sessions: what differs", "status: 407 missing credentials", "| "]);
    tmux.keys("Enter");
    tmux.wait(&["Commands of s1 message 1"]);
    tmux.keys("x");
    tmux.wait(&["Export", "JSON lines, which dmscope reads again"]);
    tmux.keys("l");
    tmux.wait(&["export to: sessions.jsonl"]);
    tmux.keys("C-u");
    let out = folder.path().join("out.jsonl");
    tmux.types(&out.display().to_string());
    tmux.keys("Enter");
    tmux.wait(&["wrote 14 messages of 2 sessions to", "secrets masked"]);
    tmux.keys("q");
    let lint = Command::new(env!("CARGO_BIN_EXE_dmscope")).arg("lint").arg(&out).output().unwrap();
    assert!(lint.status.success(), "{}", String::from_utf8_lossy(&lint.stdout));
}

#[test]
fn the_mouse_selects_and_scrolls() {
    let Some(tmux) = Tmux::start("mouse", (100, 30), &view("msgid-skipped.pcap")) else { return };
    tmux.wait(&["DM-MSG-003"]);
    tmux.keys("n");
    tmux.wait(&["<MsgID>5</MsgID>"]);
    // A press and a release of the left button as terminals tell it, on the third row of the tree.
    tmux.types("\u{1b}[<0;8;4M\u{1b}[<0;8;4m");
    tmux.wait(&["Commands of s1 message 1"]);
    tmux.types("\u{1b}[<65;60;25M");
    tmux.wait(&["Commands of s1 message 1"]);
    tmux.keys("q");
    tmux.wait(&["exit 0", " icanon"]);
}

/// Ctrl-z gives the shell back its terminal, `fg` brings the view back as it was; and it may be resized all the while.
#[test]
fn suspends_and_comes_back() {
    let Some(tmux) = Tmux::start("suspend", (100, 30), "bash --norc --noprofile -i") else { return };
    if Command::new("bash").arg("--version").output().is_err() {
        eprintln!("SKIPPED: no bash, job control was not tried");
        return;
    }
    tmux.types(&format!("PS1='shell> '; clear; {} view samples/clean.pcap\n", env!("CARGO_BIN_EXE_dmscope")));
    tmux.wait(&["Summary", "No findings"]);
    tmux.keys("Tab");
    tmux.wait(&["Sessions", "→ client 1"]);
    tmux.keys("C-z");
    let screen = tmux.wait(&["shell>", "Stopped"]);
    assert!(!screen.contains("Sessions"), "{screen}");
    tmux.types("stty -a | grep -o .icanon\n");
    tmux.wait(&[" icanon"]);
    tmux.run(&["resize-window", "-x", "80", "-y", "24"]);
    tmux.types("fg\n");
    tmux.wait(&["Sessions", "→ client 1"]);
    for (width, height) in [("40", "10"), ("200", "50"), ("15", "3"), ("80", "24")] {
        tmux.run(&["resize-window", "-x", width, "-y", height]);
        std::thread::sleep(Duration::from_millis(30));
    }
    tmux.wait(&["Sessions", "→ client 1", "clean.pcap · 1 session"]);
    tmux.keys("q");
    tmux.wait(&["shell>"]);
    tmux.types("exit\n");
}

/// Marks and notes lie beside the capture; where nothing can be written, that is said.
#[test]
fn notes_come_back_and_what_cannot_be_kept_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let sample = folder.path().join("a.pcap");
    std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/samples/clean.pcap"), &sample).unwrap();
    let command = format!("sh -c '{} view {}; read line'", env!("CARGO_BIN_EXE_dmscope"), sample.display());
    let Some(tmux) = Tmux::start("notes", (100, 30), &command) else { return };
    tmux.wait(&["Summary", "1 complete session"]);
    tmux.keys("Tab");
    tmux.types(";look here");
    tmux.keys("Enter m");
    tmux.wait(&["marked", "★ ✎"]);
    tmux.keys("q");
    drop(tmux);
    let kept = std::fs::read_to_string(folder.path().join("a.pcap.notes.toml")).unwrap();
    assert!(kept.contains("look here") && kept.contains("marked = true"), "{kept}");
    let Some(tmux) = Tmux::start("notes-again", (100, 30), &command) else { return };
    tmux.wait(&["Summary", "1 complete session"]);
    tmux.keys("Tab");
    tmux.wait(&["★ ✎", "note: look here"]);
    drop(folder);
    tmux.keys("m");
    tmux.wait(&["a.pcap.notes.toml cannot be written, so notes and marks end with the program"]);
}

/// A terminal that goes away ends the program: to read on from it would keep a core busy for ever.
#[test]
fn a_terminal_that_goes_away_ends_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let command =
        format!("sh -c 'echo $$ > {}; exec {} view samples/clean.pcap'", pid.display(), env!("CARGO_BIN_EXE_dmscope"));
    let Some(tmux) = Tmux::start("hang-up", (80, 24), &command) else { return };
    tmux.wait(&["Summary", "No findings"]);
    let pid = std::fs::read_to_string(&pid).unwrap();
    let lives = || Command::new("kill").args(["-0", pid.trim()]).output().unwrap().status.success();
    assert!(lives());
    drop(tmux);
    let until = Instant::now() + PATIENCE;
    while lives() {
        assert!(Instant::now() < until, "it runs on without a terminal");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_file_that_grows_shows_what_comes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("growing.pcap");
    let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/msgid-skipped.pcap");
    let all = std::fs::read(sample).unwrap();
    let (first, rest) = all.split_at(all.len() / 3);
    std::fs::write(&path, first).unwrap();
    let command = format!("{} view -f {}", env!("CARGO_BIN_EXE_dmscope"), path.display());
    let Some(tmux) = Tmux::start("follow", (100, 30), &command) else { return };
    tmux.wait(&["1 session going on", "following"]);
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    std::io::Write::write_all(&mut file, rest).unwrap();
    tmux.wait(&["DM-MSG-003", "MsgID is 5 after 2", "following"]);
    std::fs::remove_file(&path).unwrap();
    tmux.wait(&["not followed any longer"]);
    tmux.keys("q");
}

#[test]
fn a_view_begins_filtered() {
    let command =
        format!("{} view --filter \"severity>=warning\" samples/msgid-skipped.pcap", env!("CARGO_BIN_EXE_dmscope"));
    let Some(tmux) = Tmux::start("filter", (100, 30), &command) else { return };
    tmux.wait(&["severity>=warning"]);
    tmux.keys("q");
}

#[test]
fn a_signal_gives_the_terminal_back() {
    let Some(tmux) = Tmux::start("signal", (80, 24), &view("clean.pcap")) else { return };
    tmux.wait(&["Summary", "No findings"]);
    let pane = String::from_utf8(tmux.run(&["list-panes", "-F", "#{pane_pid}"]).stdout).unwrap();
    let child = Command::new("pgrep").args(["-P", pane.trim()]).output();
    let Ok(child) = child else {
        eprintln!("SKIPPED: no pgrep, no signal was sent");
        return;
    };
    let child = String::from_utf8(child.stdout).unwrap();
    let child = child.split_whitespace().next().expect("the program is a child of the window's shell").to_owned();
    assert!(Command::new("kill").args(["-TERM", &child]).status().unwrap().success());
    tmux.wait(&["exit 0", " icanon"]);
}
