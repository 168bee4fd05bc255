//! Which rules run, and how severe they are: profile, `--select`, `--ignore`, `--severity`.
//!
//! In: what the user wrote. Out: a [`Selection`], or the word that names no rule and the nearest that does.
//! A rule is named by id (`DM-MSG-014`), by name (`cmdref-unknown`), by both (`DM-MSG/cmdref-unknown`), or with its
//! whole family (`DM-MSG`); `DM-` may be left out, and letter case does not matter.

use super::{Profile, Rule, Severity};
pub(super) use crate::near::distance;

/// The rules with the severity each has in this run.
#[derive(Clone, Debug)]
pub struct Selection {
    profile: Profile,
    rules: Vec<(&'static Rule, Option<Severity>)>,
}

/// A word that names no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No rule or family has that name.
    #[error("no rule or family is named {given:?}{}", .nearest.as_ref().map(|near| format!("; did you mean {near:?}?")).unwrap_or_default())]
    Unknown {
        /// What was given.
        given: String,
        /// The name nearest to it.
        nearest: Option<String>,
    },
    /// `--severity` without `RULE=LEVEL`.
    #[error("{0:?} is not RULE=LEVEL with one of the levels error, warning, info, off")]
    Level(String),
}

impl Selection {
    /// All rules as a profile has them.
    pub fn of(profile: Profile) -> Selection {
        Selection { profile, rules: super::ALL.iter().map(|rule| (rule, rule.severity(profile))).collect() }
    }

    /// Keeps only these, when any is given.
    pub fn select(mut self, names: &[impl AsRef<str>]) -> Result<Selection, Error> {
        if names.is_empty() {
            return Ok(self);
        }
        let kept = self.named(names)?;
        for ((_, severity), kept) in self.rules.iter_mut().zip(kept) {
            *severity = severity.filter(|_| kept);
        }
        Ok(self)
    }

    /// Leaves these out, whatever was selected.
    pub fn ignore(mut self, names: &[impl AsRef<str>]) -> Result<Selection, Error> {
        let dropped = self.named(names)?;
        for ((_, severity), dropped) in self.rules.iter_mut().zip(dropped) {
            *severity = severity.filter(|_| !dropped);
        }
        Ok(self)
    }

    /// Sets severities, each `RULE=LEVEL`; also of rules that the profile has off. The last one given counts.
    pub fn severities(mut self, settings: &[impl AsRef<str>]) -> Result<Selection, Error> {
        for setting in settings {
            let setting = setting.as_ref();
            let (name, level) = setting.split_once('=').ok_or_else(|| Error::Level(setting.to_owned()))?;
            let level = level_of(level.trim()).ok_or_else(|| Error::Level(setting.to_owned()))?;
            let named = self.named(&[name])?;
            for ((_, severity), named) in self.rules.iter_mut().zip(named) {
                *severity = if named { level } else { *severity };
            }
        }
        Ok(self)
    }

    /// Some rules, for tests.
    #[cfg(test)]
    pub(crate) fn custom(profile: Profile, rules: &[(&'static Rule, Option<Severity>)]) -> Selection {
        Selection { profile, rules: rules.to_vec() }
    }

    /// The profile.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// All rules with their severity; `None` is off.
    pub fn rules(&self) -> impl Iterator<Item = (&'static Rule, Option<Severity>)> {
        self.rules.iter().copied()
    }

    /// The severity of a rule; `None` is off.
    pub fn severity(&self, rule: &Rule) -> Option<Severity> {
        self.rules.iter().find(|(known, _)| *known == rule).and_then(|(_, severity)| *severity)
    }

    fn named(&self, names: &[impl AsRef<str>]) -> Result<Vec<bool>, Error> {
        let mut named = vec![false; self.rules.len()];
        for name in names {
            let name = name.as_ref().trim();
            let hits: Vec<usize> = (0..named.len()).filter(|at| is_named(self.rules[*at].0, name)).collect();
            if hits.is_empty() {
                return Err(unknown(name, self.rules.iter().map(|(rule, _)| *rule)));
            }
            hits.into_iter().for_each(|at| named[at] = true);
        }
        Ok(named)
    }
}

fn level_of(word: &str) -> Option<Option<Severity>> {
    match word.to_ascii_lowercase().as_str() {
        "error" => Some(Some(Severity::Error)),
        "warning" | "warn" => Some(Some(Severity::Warning)),
        "info" => Some(Some(Severity::Info)),
        "off" => Some(None),
        _ => None,
    }
}

/// Whether a word names a rule, alone or with its family.
pub fn is_named(rule: &Rule, word: &str) -> bool {
    let same = |full: &str, word: &str| {
        full.eq_ignore_ascii_case(word)
            || full.strip_prefix("DM-").is_some_and(|short| short.eq_ignore_ascii_case(word))
    };
    match word.split_once('/') {
        Some((family, name)) => same(rule.family, family) && rule.name.eq_ignore_ascii_case(name),
        None => same(rule.id, word) || same(rule.family, word) || rule.name.eq_ignore_ascii_case(word),
    }
}

/// The error for a word that names none of these rules.
pub fn unknown<'a>(word: &str, rules: impl Iterator<Item = &'a Rule>) -> Error {
    let short = |name: &str| name.to_ascii_lowercase().trim_start_matches("dm-").to_owned();
    let wanted = short(word.rsplit('/').next().unwrap_or_default());
    let names = rules.flat_map(|rule| [rule.id, rule.name, rule.family]);
    let nearest = names.map(|name| (distance(&short(name), &wanted), name)).min();
    let near = nearest.filter(|(changes, _)| *changes <= 1 + wanted.len() / 4);
    Error::Unknown { given: word.to_owned(), nearest: near.map(|(_, name)| name.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture() -> Selection {
        const fn rule(id: &'static str, name: &'static str, family: &'static str) -> Rule {
            Rule {
                id,
                name,
                family,
                summary: "",
                fix: "",
                oma: None,
                windows: Some(Severity::Warning),
                fault: crate::rules::Fault::Both,
                scope: crate::rules::Scope::Message,
                since: "0.1.0",
                spec: &[],
                silences: &[],
                secrets: false,
                page: "",
                check: crate::rules::Check::Anomaly(&[]),
            }
        }
        static RULES: [Rule; 3] = [
            rule("DM-AAA-001", "one", "DM-AAA"),
            rule("DM-AAA-002", "two", "DM-AAA"),
            rule("DM-BBB-001", "three", "DM-BBB"),
        ];
        let rules: Vec<_> = RULES.iter().map(|rule| (rule, rule.windows)).collect();
        Selection::custom(Profile::Windows, &rules)
    }

    fn kept(selection: &Selection) -> Vec<&'static str> {
        selection.rules().filter(|(_, severity)| severity.is_some()).map(|(rule, _)| rule.name).collect()
    }

    #[test]
    fn rules_are_named_by_id_name_or_family() {
        let select = |names: &[&str]| kept(&fixture().select(names).unwrap());
        assert_eq!(select(&[]), ["one", "two", "three"]);
        assert_eq!(select(&["aaa"]), ["one", "two"]);
        assert_eq!(select(&["DM-AAA-002", "THREE"]), ["two", "three"]);
        assert_eq!(select(&["AAA/two"]), ["two"]);
        assert!(fixture().select(&["BBB/two"]).is_err());
        assert_eq!(kept(&fixture().select(&["DM-AAA"]).unwrap().ignore(&["one"]).unwrap()), ["two"]);
    }

    #[test]
    fn the_last_severity_counts() {
        let selection = fixture().severities(&["AAA=off", "one=error"]).unwrap();
        let severities: Vec<_> = selection.rules().map(|(_, severity)| severity).collect();
        assert_eq!(severities, [Some(Severity::Error), None, Some(Severity::Warning)]);
    }

    #[test]
    fn a_word_that_names_nothing_is_an_error() {
        let all = fixture();
        let error = all.clone().ignore(&["thre"]).unwrap_err();
        assert_eq!(error.to_string(), "no rule or family is named \"thre\"; did you mean \"three\"?");
        let error = all.clone().ignore(&["DM-AAA-003"]).unwrap_err();
        assert!(error.to_string().ends_with("did you mean \"DM-AAA-001\"?"), "{error}");
        let error = all.clone().ignore(&["completely-else"]).unwrap_err();
        assert_eq!(error.to_string(), "no rule or family is named \"completely-else\"");
        assert!(matches!(all.clone().select(&["no-such-rule"]), Err(Error::Unknown { .. })));
        assert!(matches!(all.clone().severities(&["DM-MSG-014"]), Err(Error::Level(_))));
        assert!(matches!(all.severities(&["one=fatal"]), Err(Error::Level(_))));
    }
}
