//! What of a rule the user may set, as its page declares it.
//!
//! The build script makes a constant of each option of a page; the rule's function asks its [`super::Sink`] for the
//! value by it. So an option that no function reads is dead code, and does not compile.

use std::collections::BTreeMap;
use std::fmt;

use super::Rule;

/// An option of a rule.
#[derive(Debug)]
pub struct RuleOption {
    /// `minimum-minutes`.
    pub name: &'static str,
    /// What it sets, in a few words.
    pub about: &'static str,
    /// What its values are.
    pub kind: OptionKind,
}

/// What the values of an option are.
#[derive(Clone, Copy, Debug)]
pub enum OptionKind {
    /// A number.
    Number {
        /// Its value where nothing is set.
        default: u32,
        /// The least that may be set.
        least: u32,
        /// The most that may be set.
        most: u32,
    },
    /// Words, such as names that the rule is to know.
    Words {
        /// Those of it where nothing is set.
        default: &'static [&'static str],
    },
}

/// A value that the user set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionValue {
    /// A number.
    Number(u32),
    /// Words.
    Words(Vec<String>),
}

/// An option as the function of its rule asks for it.
#[derive(Clone, Copy)]
pub(in crate::rules) struct NumberOption {
    pub(super) name: &'static str,
    pub(super) default: u32,
}

/// The same of words.
#[derive(Clone, Copy)]
pub(in crate::rules) struct WordsOption {
    pub(super) name: &'static str,
    pub(super) default: &'static [&'static str],
}

/// The options that the user set.
#[derive(Clone, Debug, Default)]
pub struct Options(BTreeMap<(&'static str, &'static str), OptionValue>);

impl Options {
    /// Sets an option of a rule.
    ///
    /// # Errors
    /// The rule has no such option, or it cannot have that value: a few words that say what it can.
    pub fn set(&mut self, rule: &'static Rule, name: &str, value: OptionValue) -> Result<(), String> {
        let Some(option) = rule.options.iter().find(|option| option.name == name) else {
            return Err(unknown(rule, name));
        };
        option.kind.allows(&value)?;
        self.0.insert((rule.id, option.name), value);
        Ok(())
    }

    pub(super) fn number(&self, rule: &Rule, option: NumberOption) -> u32 {
        match self.of(rule, option.name) {
            Some(OptionValue::Number(number)) => *number,
            _ => option.default,
        }
    }

    /// Whether one of the words is as asked for.
    pub(super) fn any_word(&self, rule: &Rule, option: WordsOption, mut is: impl FnMut(&str) -> bool) -> bool {
        match self.of(rule, option.name) {
            Some(OptionValue::Words(words)) => words.iter().any(|word| is(word)),
            _ => option.default.iter().any(|word| is(word)),
        }
    }

    fn of(&self, rule: &Rule, name: &'static str) -> Option<&OptionValue> {
        // Nearly always nothing is set.
        if self.0.is_empty() { None } else { self.0.get(&(rule.id, name)) }
    }
}

impl OptionKind {
    /// Whether an option can have a value; else a few words that say what it can.
    fn allows(self, value: &OptionValue) -> Result<(), String> {
        match (self, value) {
            (OptionKind::Number { least, most, .. }, OptionValue::Number(number))
                if (least..=most).contains(number) =>
            {
                Ok(())
            }
            (OptionKind::Words { .. }, OptionValue::Words(words)) if !words.iter().any(String::is_empty) => Ok(()),
            _ => Err(format!("expected {self}")),
        }
    }
}

impl fmt::Display for OptionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OptionKind::Number { least, most, .. } => write!(f, "a number from {least} to {most}"),
            OptionKind::Words { .. } => f.write_str("a list of words"),
        }
    }
}

fn unknown(rule: &Rule, name: &str) -> String {
    let names = || rule.options.iter().map(|option| option.name);
    let meant = match crate::near::nearest(name, names()) {
        Some(near) => format!("; did you mean {near:?}?"),
        None if rule.options.is_empty() => "; it has none".to_owned(),
        None => format!("; there are {}", names().collect::<Vec<_>>().join(", ")),
    };
    format!("{} has no option {name:?}{meant}", rule.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    static RULE: Rule = Rule {
        options: &[
            RuleOption {
                name: "minimum-minutes",
                about: "",
                kind: OptionKind::Number { default: 60, least: 1, most: 100 },
            },
            RuleOption { name: "words", about: "", kind: OptionKind::Words { default: &["admin"] } },
        ],
        ..Rule::of_test("DM-TST-001", crate::rules::Severity::Info, &[], crate::rules::Check::Anomaly(&[]))
    };
    const MINIMUM: NumberOption = NumberOption { name: "minimum-minutes", default: 60 };
    const WORDS: WordsOption = WordsOption { name: "words", default: &["admin"] };

    #[test]
    fn what_is_set_counts_and_the_default_else() {
        let mut options = Options::default();
        assert_eq!(options.number(&RULE, MINIMUM), 60);
        assert!(options.any_word(&RULE, WORDS, |word| word == "admin"));
        options.set(&RULE, "minimum-minutes", OptionValue::Number(5)).unwrap();
        options.set(&RULE, "words", OptionValue::Words(vec!["root".into()])).unwrap();
        assert_eq!(options.number(&RULE, MINIMUM), 5);
        assert!(
            options.any_word(&RULE, WORDS, |word| word == "root")
                && !options.any_word(&RULE, WORDS, |word| word == "admin")
        );
    }

    #[test]
    fn what_cannot_be_set_is_told() {
        let set = |name: &str, value| Options::default().set(&RULE, name, value).unwrap_err();
        assert_eq!(set("minimum-minutes", OptionValue::Number(0)), "expected a number from 1 to 100");
        assert_eq!(set("words", OptionValue::Number(1)), "expected a list of words");
        assert_eq!(set("words", OptionValue::Words(vec![String::new()])), "expected a list of words");
        assert_eq!(
            set("minimun-minutes", OptionValue::Number(1)),
            "DM-TST-001 has no option \"minimun-minutes\"; did you mean \"minimum-minutes\"?"
        );
        assert_eq!(
            set("x", OptionValue::Number(1)),
            "DM-TST-001 has no option \"x\"; there are minimum-minutes, words"
        );
    }
}
