//! Which rules run, and how severe they are: profile, `--select`, `--ignore`, `--severity`, and the same of `dmscope.toml`.
//!
//! In: what the user wrote. Out: a [`Selection`], or the word that names no rule and the nearest that does.
//! A rule is named by id (`DM-MSG-014`), by name (`cmdref-unknown`), by both (`DM-MSG/cmdref-unknown`), or with its
//! whole family (`DM-MSG`); `DM-` may be left out, and letter case does not matter.

use std::path::Path;

use super::area::{Area, Seen};
use super::{OptionValue, Options, Profile, Rule, Severity};
pub(super) use crate::near::distance;

/// The rules with the severity each has in this run.
#[derive(Clone, Debug)]
pub struct Selection {
    profile: Profile,
    rules: Vec<Chosen>,
    options: Options,
    /// Whether what is asked for now is the last word.
    last_word: bool,
    overrides: Vec<Override>,
}

/// A rule with its severity; `None` is off.
#[derive(Clone, Copy, Debug)]
struct Chosen {
    rule: &'static Rule,
    severity: Option<Severity>,
    /// Whether no override changes it.
    settled: bool,
}

/// Severities in an area.
#[derive(Clone, Debug)]
struct Override {
    area: Area,
    /// By the place of the rule in the selection.
    levels: Vec<(usize, Option<Severity>)>,
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
        Selection::made(profile, super::ALL.iter().map(|rule| (rule, rule.severity(profile))))
    }

    fn made(profile: Profile, rules: impl Iterator<Item = (&'static Rule, Option<Severity>)>) -> Selection {
        let rules = rules.map(|(rule, severity)| Chosen { rule, severity, settled: false }).collect();
        Selection { profile, rules, options: Options::default(), last_word: false, overrides: Vec::new() }
    }

    /// What is asked for from here on no override changes.
    pub fn with_last_word(mut self) -> Selection {
        self.last_word = true;
        self
    }

    /// These rules too, as its profile has them.
    pub fn with(mut self, own: &[&'static Rule]) -> Selection {
        let chosen = |rule: &&'static Rule| Chosen { rule, severity: rule.severity(self.profile), settled: false };
        self.rules.extend(own.iter().map(chosen));
        self
    }

    /// Keeps only these, when any is given.
    pub fn select(mut self, names: &[impl AsRef<str>]) -> Result<Selection, Error> {
        if names.is_empty() {
            return Ok(self);
        }
        let dropped = self.named(names)?.into_iter().map(|kept| !kept).collect();
        self.drop(dropped);
        Ok(self)
    }

    /// Leaves these out, whatever was selected.
    pub fn ignore(mut self, names: &[impl AsRef<str>]) -> Result<Selection, Error> {
        let dropped = self.named(names)?;
        self.drop(dropped);
        Ok(self)
    }

    fn drop(&mut self, dropped: Vec<bool>) {
        for (chosen, _) in self.rules.iter_mut().zip(dropped).filter(|(_, dropped)| *dropped) {
            chosen.severity = None;
            chosen.settled |= self.last_word;
        }
    }

    /// Sets severities, each `RULE=LEVEL`; also of rules that the profile has off. The last one given counts.
    pub fn severities(mut self, settings: &[impl AsRef<str>]) -> Result<Selection, Error> {
        for (at, severity) in self.levels(settings)? {
            let chosen = &mut self.rules[at];
            (chosen.severity, chosen.settled) = (severity, chosen.settled | self.last_word);
        }
        Ok(self)
    }

    /// Sets severities in an area alone. Of several, the last one counts.
    pub fn override_in(mut self, area: Area, settings: &[impl AsRef<str>]) -> Result<Selection, Error> {
        let levels = self.levels(settings)?;
        self.overrides.push(Override { area, levels });
        Ok(self)
    }

    /// Looks which of these inputs overrides of paths, which are relative to `folder`, hold for.
    pub fn for_inputs<'n>(mut self, folder: &Path, names: impl Iterator<Item = &'n str> + Clone) -> Selection {
        self.overrides.iter_mut().for_each(|each| each.area.for_inputs(folder, names.clone()));
        self
    }

    /// Sets an option of a rule.
    ///
    /// # Errors
    /// The rule has no such option, or it cannot have that value: a few words that say what it can.
    pub fn set(mut self, rule: &'static Rule, option: &str, value: OptionValue) -> Result<Selection, String> {
        self.options.set(rule, option, value)?;
        Ok(self)
    }

    /// Some rules, for tests.
    #[cfg(test)]
    pub(crate) fn custom(profile: Profile, rules: &[(&'static Rule, Option<Severity>)]) -> Selection {
        Selection::made(profile, rules.iter().copied())
    }

    /// The options that were set.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The profile.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// All rules with their severity; `None` is off.
    pub fn rules(&self) -> impl Iterator<Item = (&'static Rule, Option<Severity>)> {
        self.rules.iter().map(|chosen| (chosen.rule, chosen.severity))
    }

    /// The severity of a rule; `None` is off.
    pub fn severity(&self, rule: &Rule) -> Option<Severity> {
        self.rules().find(|(known, _)| *known == rule).and_then(|(_, severity)| severity)
    }

    /// Whether a rule is on, everywhere or by an override.
    pub(super) fn may_report(&self, rule: &Rule) -> bool {
        let Some(at) = self.rules.iter().position(|chosen| chosen.rule == rule) else { return false };
        let levels = || self.overrides.iter().flat_map(|each| &each.levels);
        self.rules[at].severity.is_some()
            || (!self.rules[at].settled && levels().any(|(number, severity)| *number == at && severity.is_some()))
    }

    /// Which overrides hold where something was seen; empty when none does.
    pub(super) fn overrides_for(&self, seen: Seen<'_>) -> Vec<usize> {
        let all = self.overrides.iter().enumerate();
        all.filter(|(_, each)| each.area.holds(seen)).map(|(number, _)| number).collect()
    }

    /// The same with these overrides in force.
    pub(super) fn overridden(&self, numbers: &[usize]) -> Selection {
        let mut selection = Selection { overrides: Vec::new(), ..self.clone() };
        let levels = numbers.iter().filter_map(|number| self.overrides.get(*number)).flat_map(|each| &each.levels);
        for (at, severity) in levels {
            if let Some(chosen) = selection.rules.get_mut(*at).filter(|chosen| !chosen.settled) {
                chosen.severity = *severity;
            }
        }
        selection
    }

    /// What some `RULE=LEVEL` say, by the place of the rule.
    fn levels(&self, settings: &[impl AsRef<str>]) -> Result<Vec<(usize, Option<Severity>)>, Error> {
        let mut levels = Vec::new();
        for setting in settings {
            let setting = setting.as_ref();
            let (name, level) = setting.split_once('=').ok_or_else(|| Error::Level(setting.to_owned()))?;
            let level = level_of(level.trim()).ok_or_else(|| Error::Level(setting.to_owned()))?;
            let named = self.named(&[name])?.into_iter().enumerate().filter(|(_, named)| *named);
            levels.extend(named.map(|(at, _)| (at, level)));
        }
        Ok(levels)
    }

    fn named(&self, names: &[impl AsRef<str>]) -> Result<Vec<bool>, Error> {
        let mut named = vec![false; self.rules.len()];
        for name in names {
            let name = name.as_ref().trim();
            let hits: Vec<usize> = (0..named.len()).filter(|at| is_named(self.rules[*at].rule, name)).collect();
            if hits.is_empty() {
                return Err(unknown(name, self.rules.iter().map(|chosen| chosen.rule)));
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
                gate: crate::rules::gate::Gate::OPEN,
                options: &[],
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
    fn overrides_hold_in_their_area_and_not_against_the_last_word() {
        let area = |server: &str| Area::new(Vec::new(), vec![crate::pattern::Pattern::new(server)], Vec::new());
        let selection = fixture().ignore(&["two"]).unwrap();
        let selection = selection.override_in(area("a.*"), &["AAA=error", "three=off"]).unwrap();
        let selection = selection.override_in(area("*.test"), &["one=info"]).unwrap();
        let selection = selection.with_last_word().severities(&["three=info"]).unwrap();
        let at = |server| {
            let seen = Seen { server: Some(server), ..Seen::default() };
            let chosen = selection.overridden(&selection.overrides_for(seen));
            chosen.rules().map(|(_, severity)| severity).collect::<Vec<_>>()
        };
        use Severity::{Error, Info, Warning};
        assert_eq!(at("b"), [Some(Warning), None, Some(Info)]);
        assert_eq!(at("a.b"), [Some(Error), Some(Error), Some(Info)]);
        assert_eq!(at("a.test"), [Some(Info), Some(Error), Some(Info)]);
        let only = selection.select(&["three"]).unwrap();
        assert_eq!(kept(&only.overridden(&[0, 1])), ["three"]);
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
