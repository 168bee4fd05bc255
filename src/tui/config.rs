//! Keys and theme, from `view.toml` in the user's configuration directory.
//!
//! In: the file's text. Out: the keys and the theme in force, or a sentence that says which word is wrong.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow};
use serde::Deserialize;

use super::keys::{Group, Keys, TABLE};
use super::theme::Theme;

/// Keys and theme.
#[derive(Clone, Debug)]
pub struct Config {
    pub(super) theme: Theme,
    pub(super) keys: Keys,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    theme: Option<String>,
    #[serde(default)]
    colors: BTreeMap<String, String>,
    #[serde(default)]
    keys: BTreeMap<String, Vec<String>>,
}

impl Config {
    /// Where the file is looked for: `$XDG_CONFIG_HOME/dmscope/view.toml`, else `~/.config/dmscope/view.toml`.
    pub fn path() -> Option<PathBuf> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let base = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")))?;
        Some(base.join("dmscope").join("view.toml"))
    }

    /// The file's settings where there is a file, with the theme of the command line before its own; without `colours`
    /// the theme is `mono`, whatever was chosen.
    ///
    /// # Errors
    /// The file cannot be read, or a word in it or the theme's name is unknown.
    pub fn load(theme: Option<&str>, colours: bool) -> Result<Config> {
        let text = match Config::path() {
            Some(path) if path.is_file() => {
                std::fs::read_to_string(&path).with_context(|| format!("{}: cannot be read", path.display()))?
            }
            _ => String::new(),
        };
        let name = || Config::path().map(|path| path.display().to_string()).unwrap_or_default();
        let theme = theme.map(|name| named(name).context("--theme")).transpose()?;
        let mut config = Config::of(&text, theme).with_context(name)?;
        if !colours {
            config.theme = Theme::mono();
        }
        Ok(config)
    }

    /// `chosen` goes before the file's theme; the file's colours change either.
    fn of(text: &str, chosen: Option<Theme>) -> Result<Config> {
        let file: File = toml::from_str(text).map_err(|error| anyhow!(in_a_line(&error, text)))?;
        let of_file = file.theme.as_deref().map_or(Ok(Theme::dark()), named)?;
        let mut theme = chosen.unwrap_or(of_file);
        for (name, look) in &file.colors {
            theme.set(name, look).map_err(|why| anyhow!("colors: {why}"))?;
        }
        let keys = Keys::with(&file.keys).map_err(|why| anyhow!("keys: {why}"))?;
        Ok(Config { theme, keys })
    }

    /// The configuration in force, as a file that gives the same.
    pub fn print(&self) -> String {
        let mut out = format!("# Themes: {}\ntheme = \"{}\"\n\n", Theme::NAMES.join(", "), self.theme.name);
        out += "# What differs from the theme: a colour (red, lightred, 203, #ff5f5f), on a colour, bold, dim, italic, underlined, reversed\n[colors]\n";
        for (name, look) in self.theme.written() {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{name} = {look:?}");
        }
        out += "\n[keys]\n";
        for group in Group::ALL {
            let _ = writeln!(out, "# {}", group.title());
            for entry in TABLE.iter().filter(|entry| entry.group == group) {
                let keys: Vec<String> = self.keys.of(entry.action).iter().map(|keys| format!("{keys:?}")).collect();
                let _ = writeln!(out, "{} = [{}]  # {}", entry.name, keys.join(", "), entry.help);
            }
        }
        out
    }
}

fn named(name: &str) -> Result<Theme> {
    let known = Theme::NAMES.join(", ");
    Theme::named(name).with_context(|| format!("there is no theme {name:?}; there are {known}"))
}

/// What is wrong with a TOML text and where, on one line.
fn in_a_line(error: &toml::de::Error, text: &str) -> String {
    let said = error.message().lines().collect::<Vec<_>>().join("; ");
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else { return said };
    let line = before.matches('\n').count() + 1;
    format!("line {line}: {said}")
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Config {
        pub(in crate::tui) fn read(text: &str) -> Result<Config> {
            Config::of(text, None)
        }
    }

    #[test]
    fn what_is_printed_reads_back_as_the_same() {
        let defaults = Config::read("").unwrap().print();
        assert_eq!(Config::read(&defaults).unwrap().print(), defaults);
        let config = Config::read(
            "theme = \"light\"\n[colors]\nerror = \"bold red on white\"\n[keys]\nquit = [\"ctrl-q\", \"v q\"]\n",
        );
        let printed = config.unwrap().print();
        for kept in ["theme = \"light\"", "error = \"bold red on white\"", "quit = [\"ctrl-q\", \"v q\"]"] {
            assert!(printed.contains(kept), "{printed}");
        }
        assert_eq!(Config::read(&printed).unwrap().print(), printed);
    }

    #[test]
    fn the_command_line_goes_before_the_file() {
        let config = Config::of("theme = \"dark\"\n[colors]\ngood = \"blue\"", Some(Theme::light())).unwrap();
        assert!(config.print().contains("theme = \"light\"") && config.print().contains("good = \"blue\""));
    }

    #[test]
    fn wrong_words_are_named_on_one_line() {
        let error = |text: &str| format!("{:#}", Config::read(text).unwrap_err());
        let wrong = [
            ("theme = \"pink\"", "no theme \"pink\"; there are dark, light, mono"),
            ("[keys]\nfly = [\"f\"]", "keys: there is no action \"fly\""),
            ("[keys]\nquit = [\"f\"", "line 2: "),
            ("\ncolour = 1", "line 2: unknown field `colour`"),
            ("[colors]\nerror = \"pinkish\"", "colors: error: \"pinkish\" is no colour"),
        ];
        for (text, said) in wrong {
            assert!(error(text).contains(said) && !error(text).contains('\n'), "{}", error(text));
        }
    }
}
