//! The line at the bottom in which text is typed: search, filter, note, command.
//!
//! In: keys. Out: the text, and whether it is done. Bounds: [`MAX`] characters.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::keys::TABLE;
use super::recent::Recent;
use crate::export::Format;
use crate::filter::{self, Filter};

/// Longest text, in characters.
const MAX: usize = 1000;
/// What is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Search,
    Filter,
    Note,
    Command,
    Export(Format),
}

impl Kind {
    /// What stands before the text.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Kind::Search => "/",
            Kind::Filter => "filter: ",
            Kind::Note => "note: ",
            Kind::Command => ":",
            Kind::Export(_) => "export to: ",
        }
    }
}

/// See the module's head.
#[derive(Clone, Debug)]
pub(crate) struct Prompt {
    pub(crate) kind: Kind,
    text: Vec<char>,
    cursor: usize,
    /// Which of the former texts stands here, from the last one back.
    recalled: Option<usize>,
    /// Candidates that Tab goes through, where the word begins, and which one stands there.
    completing: Option<(usize, Vec<String>, usize)>,
}

/// What a key did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    More,
    Done(String),
    Cancelled,
}

impl Prompt {
    /// An open prompt with that text in it.
    pub(crate) fn new(kind: Kind, text: &str) -> Prompt {
        let text: Vec<char> = text.chars().take(MAX).collect();
        Prompt { kind, cursor: text.len(), text, recalled: None, completing: None }
    }

    /// What was typed.
    pub(crate) fn text(&self) -> String {
        self.text.iter().collect()
    }

    /// What was typed before the cursor, and from it on.
    pub(crate) fn halves(&self) -> (String, String) {
        let (before, after) = self.text.split_at(self.cursor.min(self.text.len()));
        (before.iter().collect(), after.iter().collect())
    }

    /// What is wrong with the text so far.
    pub(crate) fn error(&self) -> Option<String> {
        let text = self.text();
        match self.kind {
            Kind::Filter if !text.trim().is_empty() => Filter::parse(&text).err().map(|error| error.to_string()),
            _ => None,
        }
    }

    /// What Tab can make of the last word.
    pub(crate) fn candidates(&self) -> Vec<String> {
        match &self.completing {
            Some((_, words, _)) => words.clone(),
            None => self.complete().1,
        }
    }

    fn complete(&self) -> (usize, Vec<String>) {
        let (before, _) = self.halves();
        match self.kind {
            Kind::Filter => {
                let (at, words) = filter::complete(&before);
                (before.get(..at).map_or(0, |done| done.chars().count()), words)
            }
            Kind::Command => {
                let names = TABLE.iter().map(|entry| entry.name).chain(["theme dark", "theme light", "theme mono"]);
                (0, names.filter(|name| name.starts_with(&before)).map(str::to_owned).collect())
            }
            Kind::Search | Kind::Note | Kind::Export(_) => (self.cursor, Vec::new()),
        }
    }

    /// Takes a key.
    pub(crate) fn key(&mut self, event: KeyEvent, recent: &Recent) -> Typed {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        if !matches!(event.code, KeyCode::Tab | KeyCode::BackTab) {
            self.completing = None;
        }
        match event.code {
            KeyCode::Esc => return Typed::Cancelled,
            KeyCode::Char('c' | 'g') if control => return Typed::Cancelled,
            KeyCode::Enter => return Typed::Done(self.text()),
            KeyCode::Backspace if self.text.is_empty() => return Typed::Cancelled,
            KeyCode::Backspace => {
                if let Some(at) = self.cursor.checked_sub(1) {
                    self.text.remove(at);
                    self.cursor = at;
                }
            }
            KeyCode::Delete if self.cursor < self.text.len() => drop(self.text.remove(self.cursor)),
            KeyCode::Left => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Right => self.cursor = (self.cursor + 1).min(self.text.len()),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            KeyCode::Char('a') if control => self.cursor = 0,
            KeyCode::Char('e') if control => self.cursor = self.text.len(),
            KeyCode::Char('u') if control => drop(self.text.drain(..std::mem::take(&mut self.cursor))),
            KeyCode::Char('w') if control => self.erase_word(),
            KeyCode::Up => self.recall(recent, true),
            KeyCode::Down => self.recall(recent, false),
            KeyCode::Tab => self.next_candidate(true),
            KeyCode::BackTab => self.next_candidate(false),
            KeyCode::Char(letter) if !control => self.insert(letter),
            _ => {}
        }
        Typed::More
    }

    /// Inserts a letter where the cursor is.
    pub(crate) fn insert(&mut self, letter: char) {
        if self.text.len() < MAX && !letter.is_control() {
            self.text.insert(self.cursor, letter);
            self.cursor += 1;
        }
    }

    fn erase_word(&mut self) {
        let before = self.text.get(..self.cursor).unwrap_or_default();
        let spaces = before.iter().rev().take_while(|letter| letter.is_whitespace()).count();
        let word = before.iter().rev().skip(spaces).take_while(|letter| !letter.is_whitespace()).count();
        let from = self.cursor - spaces - word;
        self.text.drain(from..self.cursor);
        self.cursor = from;
    }

    fn recall(&mut self, recent: &Recent, older: bool) {
        let at = match (self.recalled, older) {
            (None, true) => Some(0),
            (Some(at), true) => Some(at + 1),
            (Some(at), false) => at.checked_sub(1),
            (None, false) => return,
        };
        let text = at.map(|at| recent.of(self.kind).nth_back(at));
        match text {
            Some(None) => {}
            Some(Some(text)) => {
                *self = Prompt { recalled: at, ..Prompt::new(self.kind, text) };
            }
            None => *self = Prompt::new(self.kind, ""),
        }
    }

    fn next_candidate(&mut self, forward: bool) {
        let (start, words, at) = match self.completing.take() {
            Some((start, words, at)) => {
                let step = if forward { 1 } else { words.len().saturating_sub(1) };
                let next = (at + step).checked_rem(words.len()).unwrap_or(0);
                (start, words, next)
            }
            None => {
                let (start, words) = self.complete();
                (start, words, 0)
            }
        };
        let Some(word) = words.get(at) else { return };
        self.text.splice(start..self.cursor, word.chars());
        self.cursor = start + word.chars().count();
        self.completing = (words.len() > 1).then_some((start, words, at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keys::typed;

    fn press(prompt: &mut Prompt, keys: &str) -> Typed {
        typed(keys).into_iter().map(|key| prompt.key(key, &Recent::default())).last().unwrap()
    }

    #[test]
    fn text_is_edited_as_in_a_shell() {
        let mut prompt = Prompt::new(Kind::Search, "");
        press(&mut prompt, "a b space c left X");
        assert_eq!(prompt.text(), "ab Xc");
        press(&mut prompt, "ctrl-w");
        assert_eq!(prompt.halves(), ("ab ".to_owned(), "c".to_owned()));
        assert_eq!(press(&mut prompt, "ctrl-u enter"), Typed::Done("c".to_owned()));
        assert_eq!(press(&mut prompt, "delete backspace"), Typed::Cancelled);
    }

    #[test]
    fn words_of_a_filter_are_completed() {
        let mut prompt = Prompt::new(Kind::Filter, "sev");
        press(&mut prompt, "tab space = space w tab");
        assert_eq!((prompt.text().as_str(), prompt.error()), ("severity = warning", None));
        assert!(Prompt::new(Kind::Filter, "sev").error().is_some());
    }

    #[test]
    fn former_texts_come_back() {
        let mut recent = Recent::default();
        ["one", "two", "one"].iter().for_each(|text| recent.keep(Kind::Search, text));
        let mut prompt = Prompt::new(Kind::Search, "");
        let up = typed("up").remove(0);
        prompt.key(up, &recent);
        assert_eq!(prompt.text(), "one");
        prompt.key(up, &recent);
        prompt.key(up, &recent);
        assert_eq!(prompt.text(), "two");
    }
}
