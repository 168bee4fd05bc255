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
