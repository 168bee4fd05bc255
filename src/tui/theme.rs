//! What things look like. Every colour means something that a sign or a word says too, so that a screen without
//! colours loses nothing.
//!
//! The colours are the terminal's own sixteen, in which its user made text readable on its background; plain text has
//! the terminal's own colour. `mono` uses weight, underline and reverse alone.

use ratatui::style::{Color, Modifier, Style};

use crate::rules::Severity;

/// The styles, by what they are for.
#[derive(Clone, Debug)]
pub(crate) struct Theme {
    /// Its name in the configuration.
    pub(crate) name: &'static str,
    pub(crate) text: Style,
    pub(crate) dim: Style,
    pub(crate) heading: Style,
    pub(crate) border: Style,
    /// The border of the pane that has the keys.
    pub(crate) focus: Style,
    /// The line of the cursor in the pane that has the keys.
    pub(crate) cursor: Style,
    /// The same in the other panes.
    pub(crate) resting: Style,
    pub(crate) error: Style,
    pub(crate) warning: Style,
    pub(crate) info: Style,
    pub(crate) good: Style,
    /// Names of elements.
    pub(crate) element: Style,
    /// Names of attributes, header names, URIs.
    pub(crate) name_style: Style,
    pub(crate) value: Style,
    /// What a search found, the bytes of the selected element.
    pub(crate) hit: Style,
    pub(crate) mark: Style,
    pub(crate) bar: Style,
    pub(crate) key: Style,
}

const fn fg(color: Color) -> Style {
    Style::new().fg(color)
}

impl Theme {
    /// The names of all themes.
    pub(crate) const NAMES: [&'static str; 3] = ["dark", "light", "mono"];

    /// The theme of that name.
    pub(crate) fn named(name: &str) -> Option<Theme> {
        match name {
            "dark" => Some(Theme::dark()),
            "light" => Some(Theme::light()),
            "mono" => Some(Theme::mono()),
            _ => None,
        }
    }

    /// For dark terminals.
    pub(crate) fn dark() -> Theme {
        Theme {
            name: "dark",
            text: Style::new(),
            dim: Style::new().add_modifier(Modifier::DIM),
            heading: fg(Color::Cyan).add_modifier(Modifier::BOLD),
            border: Style::new().add_modifier(Modifier::DIM),
            focus: fg(Color::Cyan),
            cursor: Style::new().add_modifier(Modifier::REVERSED),
            resting: Style::new().add_modifier(Modifier::BOLD),
            error: fg(Color::LightRed).add_modifier(Modifier::BOLD),
            warning: fg(Color::Yellow),
            info: fg(Color::LightBlue),
            good: fg(Color::Green),
            element: fg(Color::Cyan),
            name_style: fg(Color::LightBlue),
            value: Style::new(),
            hit: Style::new().fg(Color::Black).bg(Color::Yellow),
            mark: fg(Color::LightMagenta).add_modifier(Modifier::BOLD),
            bar: Style::new().add_modifier(Modifier::REVERSED),
            key: Style::new().add_modifier(Modifier::BOLD),
        }
    }

    /// For light terminals: no yellow and no bright colours on the background.
    pub(crate) fn light() -> Theme {
        Theme {
            name: "light",
            heading: fg(Color::Blue).add_modifier(Modifier::BOLD),
            focus: fg(Color::Blue),
            error: fg(Color::Red).add_modifier(Modifier::BOLD),
            warning: fg(Color::Magenta),
            info: fg(Color::Blue),
            element: fg(Color::Blue),
            name_style: fg(Color::Magenta),
            hit: Style::new().fg(Color::White).bg(Color::Blue),
            mark: fg(Color::Magenta).add_modifier(Modifier::BOLD),
            ..Theme::dark()
        }
    }

    /// Without colours.
    pub(crate) fn mono() -> Theme {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        Theme {
            name: "mono",
            dim: plain,
            heading: bold,
            border: plain,
            focus: bold,
            error: bold,
            warning: plain,
            info: plain,
            good: plain,
            element: bold,
            name_style: plain,
            hit: plain.add_modifier(Modifier::REVERSED),
            mark: bold,
            ..Theme::dark()
        }
    }

    /// The style of a severity.
    pub(crate) fn severity(&self, severity: Severity) -> Style {
        match severity {
            Severity::Error => self.error,
            Severity::Warning => self.warning,
            Severity::Info => self.info,
        }
    }

    /// The letter of a severity and its style; a space where there is none.
    pub(crate) fn badge(&self, severity: Option<Severity>) -> (&'static str, Style) {
        match severity {
            Some(Severity::Error) => ("E", self.error),
            Some(Severity::Warning) => ("W", self.warning),
            Some(Severity::Info) => ("i", self.info),
            None => (" ", self.text),
        }
    }
}
