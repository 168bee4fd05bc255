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

    /// Every style with its name in the configuration.
    fn styles(&mut self) -> [(&'static str, &mut Style); 18] {
        [
            ("text", &mut self.text),
            ("dim", &mut self.dim),
            ("heading", &mut self.heading),
            ("border", &mut self.border),
            ("focus", &mut self.focus),
            ("cursor", &mut self.cursor),
            ("resting", &mut self.resting),
            ("error", &mut self.error),
            ("warning", &mut self.warning),
            ("info", &mut self.info),
            ("good", &mut self.good),
            ("element", &mut self.element),
            ("name", &mut self.name_style),
            ("value", &mut self.value),
            ("hit", &mut self.hit),
            ("mark", &mut self.mark),
            ("bar", &mut self.bar),
            ("key", &mut self.key),
        ]
    }

    /// Gives one of the styles another look.
    ///
    /// # Errors
    /// A sentence that says which word is wrong.
    pub(crate) fn set(&mut self, name: &str, look: &str) -> Result<(), String> {
        let mut styles = self.styles();
        let Some((_, style)) = styles.iter_mut().find(|(known, _)| *known == name) else {
            let known: Vec<&str> = styles.iter().map(|(known, _)| *known).collect();
            return Err(format!("there is no style {name:?}; there are {}", known.join(", ")));
        };
        **style = read(look).map_err(|why| format!("{name}: {why}"))?;
        Ok(())
    }

    /// Every style as the configuration writes it.
    pub(crate) fn written(&self) -> Vec<(&'static str, String)> {
        self.clone().styles().into_iter().map(|(name, style)| (name, write(*style))).collect()
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

/// What a style may have besides colours.
const MODIFIERS: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underlined", Modifier::UNDERLINED),
    ("reversed", Modifier::REVERSED),
];

/// A style in words: `bold lightred on black`.
fn read(look: &str) -> Result<Style, String> {
    let mut style = Style::new();
    let mut behind = false;
    for word in look.split_whitespace() {
        if word == "on" {
            behind = true;
        } else if let Some((_, modifier)) = MODIFIERS.iter().find(|(name, _)| *name == word) {
            style = style.add_modifier(*modifier);
        } else {
            let color: Color = word.parse().map_err(|_| {
                format!("{word:?} is no colour; write red, lightred, 203 or #ff5f5f, on COLOUR, bold, dim, italic, underlined, reversed")
            })?;
            style = if behind { style.bg(color) } else { style.fg(color) };
        }
    }
    Ok(style)
}

/// A style in words, for tests.
#[cfg(test)]
pub(crate) fn words(style: Style) -> String {
    write(Style {
        fg: style.fg.filter(|fg| *fg != Color::Reset),
        bg: style.bg.filter(|bg| *bg != Color::Reset),
        ..style
    })
}

fn write(style: Style) -> String {
    let modifiers = MODIFIERS.iter().filter(|(_, modifier)| style.add_modifier.contains(*modifier));
    let mut words: Vec<String> = modifiers.map(|(name, _)| (*name).to_owned()).collect();
    words.extend(style.fg.map(|color| color.to_string().to_lowercase()));
    words.extend(style.bg.map(|color| format!("on {}", color.to_string().to_lowercase())));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_are_written_as_they_are_read() {
        for name in Theme::NAMES {
            let theme = Theme::named(name).unwrap();
            for (_, written) in theme.written() {
                assert_eq!(write(read(&written).unwrap()), written);
            }
        }
        let mut theme = Theme::dark();
        theme.set("error", "bold #ff0000 on 17").unwrap();
        assert_eq!(
            theme.error,
            Style::new().fg(Color::Rgb(255, 0, 0)).bg(Color::Indexed(17)).add_modifier(Modifier::BOLD)
        );
        assert!(theme.set("error", "loud").unwrap_err().contains("\"loud\" is no colour"));
        assert!(theme.set("errors", "red").unwrap_err().contains("there is no style \"errors\"; there are text, dim"));
    }

    #[test]
    fn without_colours_there_are_none() {
        let colours = Theme::mono().written().into_iter().map(|(_, look)| look);
        assert!(colours.clone().all(|look| read(&look).unwrap().fg.is_none() && read(&look).unwrap().bg.is_none()));
    }

    #[test]
    fn themes_speak_the_sixteen_colours_alone() {
        for mut theme in [Theme::dark(), Theme::light()] {
            for (name, style) in theme.styles() {
                for color in [style.fg, style.bg].into_iter().flatten() {
                    assert!(!matches!(color, Color::Rgb(..) | Color::Indexed(_)), "{name}");
                }
            }
        }
    }
}
