//! Keys and theme, from `view.toml` in the user's configuration directory.
//!
//! In: the file's text. Out: the keys and the theme in force, or a sentence that says which word is wrong.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
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
        let mut config = Config::of(&text).with_context(name)?;
        if let Some(name) = theme {
            config.theme = named(name).context("--theme")?;
        }
        if !colours {
            config.theme = Theme::mono();
        }
        Ok(config)
    }

    fn of(text: &str) -> Result<Config> {
        let file: File = toml::from_str(text)?;
        let theme = file.theme.as_deref().map_or(Ok(Theme::dark()), named)?;
        let mut keys = Keys::default();
        for (name, bound) in &file.keys {
            if let Err(why) = keys.bind(name, bound) {
                bail!("keys: {why}");
            }
        }
        Ok(Config { theme, keys })
    }

    /// The configuration in force, as a file that gives the same.
    pub fn print(&self) -> String {
        let mut out = format!("# Colours: {}\ntheme = \"{}\"\n\n[keys]\n", Theme::NAMES.join(", "), self.theme.name);
        for group in Group::ALL {
            // Writing to a string cannot fail.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_reads_back_as_the_same() {
        let config = Config::of("theme = \"light\"\n[keys]\nquit = [\"ctrl-q\", \"g q\"]\n").unwrap();
        let printed = config.print();
        assert!(printed.contains("theme = \"light\"") && printed.contains("quit = [\"ctrl-q\", \"g q\"]"), "{printed}");
        assert_eq!(Config::of(&printed).unwrap().print(), printed);
    }

    #[test]
    fn wrong_words_are_named() {
        let error = |text: &str| format!("{:#}", Config::of(text).unwrap_err());
        assert!(error("theme = \"pink\"").contains("no theme \"pink\"; there are dark, light, mono"));
        assert!(error("[keys]\nfly = [\"f\"]").contains("no action \"fly\""));
        assert!(error("colour = 1").contains("unknown field `colour`"));
    }
}
