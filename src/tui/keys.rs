//! Keys: the one table of what can be done, from which key presses are looked up, help is made, and the
//! configuration is checked.
//!
//! A key is written as `j`, `ctrl-d`, `shift-tab`, `enter`; a sequence as `g g`.

use std::collections::BTreeMap;
use std::fmt;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// One key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the table below says what each does")]
pub(crate) enum Action {
    Down,
    Up,
    Left,
    Right,
    HalfDown,
    HalfUp,
    PageDown,
    PageUp,
    First,
    Last,
    NextPane,
    PreviousPane,
    NextTab,
    PreviousTab,
    GoToTab,
    Tab(usize),
    Maximise,
    Wider,
    Narrower,
    Follow,
    Back,
    NextFinding,
    PreviousFinding,
    Search,
    Filter,
    Threshold,
    Secrets,
    Copy,
    Mark,
    NextMark,
    Note,
    Summary,
    Timeline,
    Story,
    Compare,
    Export,
    Command,
    Help,
    Redraw,
    Suspend,
    Escape,
    Quit,
}

/// Where help lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Move,
    Screen,
    Find,
    Do,
}

impl Group {
    pub(crate) const ALL: [Group; 4] = [Group::Find, Group::Move, Group::Screen, Group::Do];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Group::Move => "Move",
            Group::Screen => "Screen",
            Group::Find => "Find",
            Group::Do => "Do",
        }
    }
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) action: Action,
    /// Its name in the configuration and on the command line.
    pub(crate) name: &'static str,
    /// The keys it has by default.
    pub(crate) keys: &'static [&'static str],
    pub(crate) group: Group,
    pub(crate) help: &'static str,
    /// One word for the line at the bottom; empty for what is not told there.
    pub(crate) hint: &'static str,
}

const fn entry(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    group: Group,
    help: &'static str,
    hint: &'static str,
) -> Entry {
    Entry { action, name, keys, group, help, hint }
}

/// Everything that has a key.
pub(crate) const TABLE: &[Entry] = &[
    entry(
        Action::NextFinding,
        "next-finding",
        &["n"],
        Group::Find,
        "next finding (next hit while a search is on)",
        "finding",
    ),
    entry(Action::PreviousFinding, "previous-finding", &["N"], Group::Find, "the one before", ""),
    entry(
        Action::Follow,
        "follow",
        &["enter"],
        Group::Find,
        "open; a command's answer; a Status' command; a finding's place",
        "follow",
    ),
    entry(Action::Back, "back", &["backspace", "ctrl-o"], Group::Find, "back to where you came from", "back"),
    entry(Action::Search, "search", &["/"], Group::Find, "search text in all messages", "search"),
    entry(
        Action::Filter,
        "filter",
        &["f"],
        Group::Find,
        "show only what an expression holds for (docs/filter.md)",
        "filter",
    ),
    entry(Action::Threshold, "threshold", &["s"], Group::Find, "lowest severity shown: info, warning, error", ""),
    entry(Action::Summary, "summary", &["0", "S"], Group::Find, "the summary: what is in here", "summary"),
    entry(
        Action::Timeline,
        "timeline",
        &["T"],
        Group::Find,
        "the timeline of the session: waits, sizes, packages, retries",
        "timeline",
    ),
    entry(
        Action::Story,
        "story",
        &["D"],
        Group::Find,
        "the story of the device: how far it came, where it stopped and why",
        "story",
    ),
    entry(Action::Down, "down", &["j", "down"], Group::Move, "down; a count goes before: 5j", ""),
    entry(Action::Up, "up", &["k", "up"], Group::Move, "up", ""),
    entry(Action::Left, "left", &["h", "left"], Group::Move, "close; to the parent; scroll left", ""),
    entry(Action::Right, "right", &["l", "right"], Group::Move, "open; scroll right", ""),
    entry(Action::HalfDown, "half-down", &["ctrl-d"], Group::Move, "half a page down", ""),
    entry(Action::HalfUp, "half-up", &["ctrl-u"], Group::Move, "half a page up", ""),
    entry(Action::PageDown, "page-down", &["pagedown", "ctrl-f", "space"], Group::Move, "a page down", ""),
    entry(Action::PageUp, "page-up", &["pageup", "ctrl-b"], Group::Move, "a page up", ""),
    entry(Action::First, "first", &["g g", "home"], Group::Move, "to the first line, with a count to that line", ""),
    entry(Action::Last, "last", &["G", "end"], Group::Move, "to the last line", ""),
    entry(Action::NextPane, "next-pane", &["tab", "ctrl-w w", "ctrl-w ctrl-w"], Group::Screen, "next pane", "pane"),
    entry(Action::PreviousPane, "previous-pane", &["shift-tab"], Group::Screen, "the pane before", ""),
    entry(Action::NextTab, "next-tab", &["]"], Group::Screen, "next tab", "tab"),
    entry(Action::PreviousTab, "previous-tab", &["["], Group::Screen, "the tab before", ""),
    entry(Action::GoToTab, "go-to-tab", &["g t"], Group::Screen, "next tab, with a count that tab: 3gt", ""),
    entry(Action::Tab(0), "tab-tree", &["t t"], Group::Screen, "tab Tree: the elements", ""),
    entry(Action::Tab(1), "tab-xml", &["t x"], Group::Screen, "tab XML: the message as text", ""),
    entry(Action::Tab(2), "tab-hex", &["t h"], Group::Screen, "tab Hex: the body's bytes", ""),
    entry(Action::Tab(3), "tab-http", &["t p"], Group::Screen, "tab HTTP: start line and headers", ""),
    entry(Action::Tab(4), "tab-frames", &["t r"], Group::Screen, "tab TLS and frames: connection, TLS, packets", ""),
    entry(Action::Tab(5), "tab-findings", &["t f"], Group::Screen, "tab Findings: of this session", ""),
    entry(
        Action::Tab(6),
        "tab-explain",
        &["e", "t e"],
        Group::Screen,
        "tab Explain: the rule of the finding",
        "explain",
    ),
    entry(Action::Maximise, "maximise", &["z", "\\"], Group::Screen, "this pane on the whole screen, and back", "zoom"),
    entry(Action::Wider, "wider", &[">"], Group::Screen, "more room for the tree", ""),
    entry(Action::Narrower, "narrower", &["<"], Group::Screen, "less room for the tree", ""),
    entry(Action::Redraw, "redraw", &["ctrl-l"], Group::Screen, "draw everything again", ""),
    entry(Action::Copy, "copy", &["y"], Group::Do, "copy: element, LocURI, message, finding, issue report", "copy"),
    entry(
        Action::Export,
        "export",
        &["x"],
        Group::Do,
        "export the marked sessions, or this one: HAR, JSON lines, XML",
        "export",
    ),
    entry(Action::Compare, "compare", &["d"], Group::Do, "put two marked sessions side by side, and back", ""),
    entry(Action::Mark, "mark", &["m"], Group::Do, "mark the session or message, or take the mark away", ""),
    entry(Action::NextMark, "next-mark", &["'"], Group::Do, "to the next mark", ""),
    entry(Action::Note, "note", &[";"], Group::Do, "write a note on the session or message", ""),
    entry(Action::Secrets, "secrets", &["p"], Group::Do, "show or hide secrets", ""),
    entry(Action::Command, "command", &[":"], Group::Do, "command line", ""),
    entry(Action::Suspend, "suspend", &["ctrl-z"], Group::Do, "suspend; fg in the shell comes back", ""),
    entry(Action::Help, "help", &["?", "f1"], Group::Do, "this help", "help"),
    entry(Action::Escape, "escape", &["esc"], Group::Do, "close what is open; end a search, a filter", ""),
    entry(Action::Quit, "quit", &["q", "ctrl-c"], Group::Do, "quit", "quit"),
];

/// What a sequence of keys means so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Action(Action),
    /// Longer sequences begin with it.
    Prefix,
    Nothing,
}

/// The keys in force.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    bound: Vec<(Vec<Key>, Action)>,
}

impl Default for Keys {
    fn default() -> Keys {
        let mut keys = Keys { bound: Vec::new() };
        for entry in TABLE {
            let sequences = entry.keys.iter().filter_map(|text| sequence(text));
            keys.bound.extend(sequences.map(|keys| (keys, entry.action)));
        }
        keys
    }
}

impl Keys {
    /// What `pressed` means.
    pub(crate) fn find(&self, pressed: &[Key]) -> Found {
        if let Some((_, action)) = self.bound.iter().find(|(keys, _)| keys == pressed) {
            return Found::Action(*action);
        }
        match self.bound.iter().any(|(keys, _)| keys.starts_with(pressed)) {
            true => Found::Prefix,
            false => Found::Nothing,
        }
    }

    /// The keys of an action as the configuration writes them: `g g`.
    pub(crate) fn of(&self, action: Action) -> Vec<String> {
        let bound = self.bound.iter().filter(|(_, bound)| *bound == action);
        bound.map(|(keys, _)| keys.iter().map(Key::to_string).collect::<Vec<_>>().join(" ")).collect()
    }

    /// The same as help prints them: `gg`.
    pub(crate) fn printed(&self, action: Action) -> Vec<String> {
        self.bound.iter().filter(|(_, bound)| *bound == action).map(|(keys, _)| printed(keys)).collect()
    }

    /// What may follow `pressed`: the rest of the keys, and what they do.
    pub(crate) fn after(&self, pressed: &[Key]) -> Vec<(String, &'static str)> {
        let longer = self.bound.iter().filter_map(|(keys, action)| Some((keys.strip_prefix(pressed)?, action)));
        let told = longer.filter_map(|(rest, action)| {
            let entry = TABLE.iter().find(|entry| entry.action == *action)?;
            Some((printed(rest), entry.name))
        });
        told.collect()
    }

    /// The keys in force when some actions, by their names, are given other keys. What another action had of these it loses.
    ///
    /// # Errors
    /// A sentence that says which word is no action or no key, or which keys can never be reached.
    pub(crate) fn with(wanted: &BTreeMap<String, Vec<String>>) -> Result<Keys, String> {
        let mut set: Vec<(Vec<Key>, Action)> = Vec::new();
        let mut named = Vec::new();
        for (name, texts) in wanted {
            let Some(entry) = TABLE.iter().find(|entry| entry.name == name) else {
                return Err(format!("there is no action {name:?}; --print-config lists them"));
            };
            named.push(entry.action);
            for text in texts {
                let keys = sequence(text).ok_or_else(|| format!("{name}: {text:?} is no key; write j, ctrl-d, g g"))?;
                if keys.first().and_then(|key| key.digit()).is_some_and(|digit| digit > 0) {
                    return Err(format!("{name}: {text:?} is never reached: digits are counts"));
                }
                set.push((keys, entry.action));
            }
        }
        let mut keys = Keys::default();
        keys.bound.retain(|(bound, action)| {
            !named.contains(action) && !set.iter().any(|(set, _)| set.starts_with(bound) || bound.starts_with(set))
        });
        keys.bound.extend(set);
        for (at, (short, action)) in keys.bound.iter().enumerate() {
            let mut others = keys.bound.iter().enumerate().filter(|(other, _)| *other != at);
            if let Some((_, (_, other))) = others.find(|(_, (long, _))| long.starts_with(short)) {
                let name =
                    |action: Action| TABLE.iter().find(|entry| entry.action == action).map_or("", |entry| entry.name);
                return Err(format!("{:?} of {} hides keys of {}", printed(short), name(*action), name(*other)));
            }
        }
        Ok(keys)
    }
}

impl Key {
    /// The key of an event; letters carry their shift themselves.
    pub(crate) fn of(event: KeyEvent) -> Key {
        let kept = KeyModifiers::CONTROL | KeyModifiers::ALT;
        let (code, modifiers) = match event.code {
            KeyCode::BackTab => (KeyCode::BackTab, KeyModifiers::NONE),
            KeyCode::Char(letter) if event.modifiers.contains(KeyModifiers::CONTROL) => {
                (KeyCode::Char(letter.to_ascii_lowercase()), event.modifiers & kept)
            }
            code => (code, event.modifiers & kept),
        };
        Key { code, modifiers }
    }

    /// The key without its modifiers.
    pub(crate) fn code(self) -> KeyCode {
        self.code
    }

    /// The digit it types, for counts.
    pub(crate) fn digit(self) -> Option<usize> {
        match self.code {
            KeyCode::Char(digit) if self.modifiers.is_empty() => digit.to_digit(10).map(|digit| digit as usize),
            _ => None,
        }
    }
}

const NAMED: [(&str, KeyCode); 18] = [
    ("enter", KeyCode::Enter),
    ("backspace", KeyCode::Backspace),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("space", KeyCode::Char(' ')),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("insert", KeyCode::Insert),
    ("delete", KeyCode::Delete),
    ("f1", KeyCode::F(1)),
    ("f2", KeyCode::F(2)),
];

fn sequence(text: &str) -> Option<Vec<Key>> {
    let keys: Option<Vec<Key>> = text.split(' ').map(key).collect();
    keys.filter(|keys| !keys.is_empty())
}

fn key(text: &str) -> Option<Key> {
    let (modifiers, name) = match text.split_once('-') {
        Some(("ctrl", name)) if !name.is_empty() => (KeyModifiers::CONTROL, name),
        Some(("alt", name)) if !name.is_empty() => (KeyModifiers::ALT, name),
        _ => (KeyModifiers::NONE, text),
    };
    let named = NAMED.iter().find(|(known, _)| *known == name).map(|(_, code)| *code);
    let mut letters = name.chars();
    let single = letters.next().filter(|_| letters.next().is_none()).map(KeyCode::Char);
    Some(Key { code: named.or(single)?, modifiers })
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            f.write_str("ctrl-")?;
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            f.write_str("alt-")?;
        }
        match (NAMED.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::Char(letter)) => write!(f, "{letter}"),
            (None, code) => write!(f, "{code}"),
        }
    }
}

/// Letters that follow each other are written together, as in vi: `gg`, `gt`.
fn printed(keys: &[Key]) -> String {
    let words: Vec<String> = keys.iter().map(Key::to_string).collect();
    let gap = if words.iter().all(|word| word.chars().count() == 1) { "" } else { " " };
    words.join(gap)
}

#[cfg(test)]
pub(crate) fn typed(text: &str) -> Vec<KeyEvent> {
    let keys = text.split(' ').filter_map(|word| key(word).map(|key| KeyEvent::new(key.code, key.modifiers)));
    keys.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_table_is_read_and_no_two_are_the_same() {
        let written: usize = TABLE.iter().map(|entry| entry.keys.len()).sum();
        let keys = Keys::default();
        assert_eq!(keys.bound.len(), written);
        for (at, (sequence, action)) in keys.bound.iter().enumerate() {
            assert_eq!(keys.find(sequence), Found::Action(*action));
            let prefix_of =
                keys.bound.iter().enumerate().find(|(other, (longer, _))| *other != at && longer.starts_with(sequence));
            assert!(prefix_of.is_none(), "{} begins {:?}", printed(sequence), prefix_of);
        }
    }

    #[test]
    fn names_and_actions_are_told_once() {
        for (at, entry) in TABLE.iter().enumerate() {
            let same = |other: &&Entry| other.name == entry.name || other.action == entry.action;
            assert!(TABLE[at + 1..].iter().find(same).is_none(), "{}", entry.name);
            assert!(!entry.help.is_empty());
        }
    }

    #[test]
    fn keys_are_bound_anew() {
        let with = |wanted: &[(&str, &str)]| {
            let each =
                wanted.iter().map(|(name, keys)| ((*name).to_owned(), keys.split(',').map(str::to_owned).collect()));
            Keys::with(&each.collect())
        };
        let keys = with(&[("quit", "ctrl-q"), ("down", "n"), ("next-finding", "j")]).unwrap();
        assert_eq!(keys.of(Action::Quit), ["ctrl-q"]);
        assert_eq!(keys.find(&[key("n").unwrap()]), Found::Action(Action::Down));
        assert_eq!(keys.find(&[key("j").unwrap()]), Found::Action(Action::NextFinding));
        assert_eq!(keys.find(&[key("q").unwrap()]), Found::Nothing);
        assert_eq!(with(&[("last", "g")]).unwrap().of(Action::First), ["home"], "what is asked for goes before");
        assert!(with(&[("jump", "q")]).unwrap_err().contains("no action \"jump\""));
        assert!(with(&[("down", "strg-x")]).unwrap_err().contains("no key"));
        assert!(with(&[("down", "4")]).unwrap_err().contains("digits are counts"));
        assert_eq!(with(&[("down", "v"), ("up", "v w")]).unwrap_err(), "\"v\" of down hides keys of up");
    }

    #[test]
    fn sequences_wait_for_their_rest() {
        let keys = Keys::default();
        let g = key("g").unwrap();
        assert_eq!(keys.find(&[g]), Found::Prefix);
        assert_eq!(keys.find(&[g, g]), Found::Action(Action::First));
        assert!(keys.after(&[g]).contains(&("g".to_owned(), "first")));
        assert_eq!(keys.printed(Action::First), ["gg", "home"]);
        assert_eq!(keys.of(Action::First), ["g g", "home"]);
    }
}
