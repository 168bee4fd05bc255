//! A list of choices over the screen, each with its letter.

use super::keys::Key;
use crate::export::Format;
use ratatui::crossterm::event::KeyCode;

/// What is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Element,
    Uri,
    Message,
    Finding,
    Issue,
    Export(Format),
}

/// See the module's head.
#[derive(Clone, Debug)]
pub(crate) struct Menu {
    pub(crate) title: &'static str,
    pub(crate) choices: &'static [(char, &'static str, Choice)],
    pub(crate) cursor: usize,
}

/// What can be copied.
pub(crate) const COPY: Menu = Menu {
    title: "Copy",
    choices: &[
        ('e', "the element as XML", Choice::Element),
        ('u', "its LocURI", Choice::Uri),
        ('m', "the message as XML", Choice::Message),
        ('f', "the finding as text", Choice::Finding),
        ('i', "an issue report in Markdown", Choice::Issue),
    ],
    cursor: 0,
};

/// In what format sessions can be exported.
pub(crate) const EXPORT: Menu = Menu {
    title: "Export",
    choices: &[
        ('h', "HTTP archive (HAR)", Choice::Export(Format::Har)),
        ('l', "JSON lines, which dmscope reads again", Choice::Export(Format::Jsonl)),
        ('x', "a folder of XML files", Choice::Export(Format::Xml)),
    ],
    cursor: 0,
};

/// What a key did.
pub(crate) enum Chosen {
    More,
    Closed,
    This(Choice),
}

impl Menu {
    /// Takes a key.
    pub(crate) fn key(&mut self, key: Key) -> Chosen {
        let here = self.choices.get(self.cursor).map(|(.., choice)| *choice);
        match key.code() {
            KeyCode::Esc => Chosen::Closed,
            KeyCode::Enter => here.map_or(Chosen::Closed, Chosen::This),
            KeyCode::Down => self.step(1),
            KeyCode::Up => self.step(self.choices.len() - 1),
            KeyCode::Char(letter) => match self.choices.iter().find(|(known, ..)| *known == letter) {
                Some((.., choice)) => Chosen::This(*choice),
                None if letter == 'j' => self.step(1),
                None if letter == 'k' => self.step(self.choices.len() - 1),
                None if letter == 'q' => Chosen::Closed,
                None => Chosen::More,
            },
            _ => Chosen::More,
        }
    }

    fn step(&mut self, by: usize) -> Chosen {
        self.cursor = (self.cursor + by) % self.choices.len().max(1);
        Chosen::More
    }
}
