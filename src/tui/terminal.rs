//! The terminal: taken over, and given back whatever happens: at the end, on a panic, on a signal, while suspended.

use std::io::{self, Stdout, Write as _};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::crossterm::{cursor, execute};

/// A terminal that was taken over.
pub(crate) struct Screen {
    pub(crate) terminal: Terminal<CrosstermBackend<Stdout>>,
}

/// What signals ask for.
pub(crate) struct Signals {
    end: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
}

impl Screen {
    /// Takes the terminal over. A panic from here on gives it back before it says what happened.
    pub(crate) fn enter() -> io::Result<Screen> {
        let told = panic::take_hook();
        let owner = std::thread::current().id();
        panic::set_hook(Box::new(move |panic| {
            // The thread that reads does not own the screen.
            if std::thread::current().id() == owner {
                leave();
            }
            told(panic);
        }));
        take()?;
        Ok(Screen { terminal: Terminal::new(CrosstermBackend::new(io::stdout()))? })
    }

    /// Asks the terminal to put a text on the clipboard (OSC 52), which works over SSH, too.
    pub(crate) fn copy(&mut self, text: &str) -> io::Result<()> {
        let coded = base64::engine::general_purpose::STANDARD.encode(text);
        let mut out = io::stdout();
        write!(out, "\u{1b}]52;c;{coded}\u{7}")?;
        out.flush()
    }

    /// Gives the terminal back, stops the program as the shell's job control has it, and takes it over again.
    pub(crate) fn suspend(&mut self) -> io::Result<()> {
        leave();
        #[cfg(unix)]
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)?;
        take()?;
        self.terminal.clear()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste)
}

/// What cannot be given back because the terminal is gone needs no giving back.
fn leave() {
    drop(execute!(io::stdout(), DisableBracketedPaste, DisableMouseCapture, LeaveAlternateScreen, cursor::Show));
    drop(disable_raw_mode());
    drop(io::stdout().flush());
}

impl Signals {
    /// From here on SIGTERM, SIGINT and SIGTSTP are asked for, not obeyed. SIGHUP is obeyed: the terminal is gone, so there
    /// is nothing to give back, and whoever reads from it reads its end for ever.
    pub(crate) fn watch() -> io::Result<Signals> {
        let (end, stop) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        #[cfg(unix)]
        {
            use signal_hook::consts::{SIGINT, SIGTERM, SIGTSTP};
            for signal in [SIGTERM, SIGINT] {
                signal_hook::flag::register(signal, Arc::clone(&end))?;
            }
            signal_hook::flag::register(SIGTSTP, Arc::clone(&stop))?;
        }
        Ok(Signals { end, stop })
    }

    /// Whether the program has to end.
    pub(crate) fn end(&self) -> bool {
        self.end.load(Ordering::Relaxed)
    }

    /// Whether it has to stop for a while, once.
    pub(crate) fn stop(&self) -> bool {
        self.stop.swap(false, Ordering::Relaxed)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::*;

    /// Run by the test below, in a terminal.
    #[test]
    #[ignore = "takes the terminal over and panics"]
    fn panics_with_the_terminal_taken() {
        let _screen = Screen::enter().unwrap();
        panic!("in the middle of it");
    }

    #[test]
    #[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
    fn a_panic_gives_the_terminal_back() {
        if let Err(error) = Command::new("tmux").arg("-V").output() {
            assert!(std::env::var_os("DMSCOPE_PEERS").is_none(), "tmux: {error}");
            eprintln!("SKIPPED: no tmux, no panic was tried in a terminal");
            return;
        }
        let socket = format!("dmscope-panic-{}", std::process::id());
        let tmux = |arguments: &[&str]| Command::new("tmux").args(["-L", &socket]).args(arguments).output().unwrap();
        let program = std::env::current_exe().unwrap();
        let test = "tui::terminal::tests::panics_with_the_terminal_taken";
        let command = format!(
            "sh -c '{} --ignored --exact {test} --nocapture; stty -a | grep -o .icanon; read line'",
            program.display()
        );
        tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", &command]);
        let until = Instant::now() + Duration::from_secs(20);
        let screen = loop {
            let screen = String::from_utf8(tmux(&["capture-pane", "-p"]).stdout).unwrap();
            if screen.contains("icanon") || Instant::now() > until {
                break screen;
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        let mode = tmux(&["display-message", "-p", "#{alternate_on} #{mouse_any_flag} #{cursor_flag}"]).stdout;
        tmux(&["kill-server"]);
        assert!(screen.contains(" icanon") && screen.contains("in the middle of it"), "{screen}");
        assert_eq!(String::from_utf8(mode).unwrap().trim(), "0 0 1", "main screen, no mouse, a cursor");
    }
}
