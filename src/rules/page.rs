//! The front matter of a rule's page, of the built-in rules and of a team's own.
//!
//! In: the text of a page. Out: its fields, each with its place, or what is wrong and where. The build script reads pages
//! by this file too, so it names no other module.

use std::collections::BTreeMap;

use toml::Spanned;

/// What stands between the two lines `+++` of a page.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Front {
    pub(crate) id: Spanned<String>,
    pub(crate) name: Spanned<String>,
    pub(crate) summary: String,
    pub(crate) fix: String,
    pub(crate) severity: Severities,
    pub(crate) fault: Option<Spanned<String>>,
    pub(crate) scope: Spanned<String>,
    #[serde(default)]
    pub(crate) since: String,
    #[serde(default)]
    pub(crate) spec: Vec<String>,
    /// Element names: the rule looks at each such element.
    #[serde(default)]
    pub(crate) on: Vec<Spanned<String>>,
    /// Element names: only where one of them stands in the element.
    #[serde(default)]
    pub(crate) has: Vec<String>,
    /// Element names: only where one of them does not.
    #[serde(default)]
    pub(crate) lacks: Vec<String>,
    /// Only where the element shows one of these signs.
    #[serde(default)]
    pub(crate) signs: Vec<String>,
    /// Anomaly kinds (variant names): there is no function.
    #[serde(default)]
    pub(crate) anomaly: Vec<String>,
    /// The function wants connections that could not be decrypted.
    #[serde(default)]
    pub(crate) encrypted: bool,
    /// What the function is called for: `exchange`, `enrollment`, `provisioning`, `notification`.
    pub(crate) subject: Option<String>,
    /// The function also wants messages that could not be read.
    #[serde(default)]
    pub(crate) any_message: bool,
    /// What it says depends on the text of secrets: where an export redacted them it does not judge.
    #[serde(default)]
    pub(crate) secrets: bool,
    #[serde(default)]
    pub(crate) silences: Silences,
    /// What the user may set.
    #[serde(default)]
    pub(crate) options: BTreeMap<String, OptionOfRule>,
    /// Why the page differs from the catalog it was made from: for the tests alone.
    #[serde(rename = "catalog-differs")]
    pub(crate) catalog_differs: Option<String>,
    /// Of own rules: the condition under which there is a finding.
    pub(crate) when: Option<Spanned<String>>,
    /// Of own rules: what the finding says.
    pub(crate) message: Option<Spanned<String>>,
    /// Of own rules: where the finding points, if not at what the rule looks at.
    pub(crate) at: Option<Spanned<String>>,
    /// Of own rules of scope session: whether sessions are judged of which a part was not captured.
    #[serde(default)]
    pub(crate) partial: bool,
}

/// What of a rule the user may set: a number with its bounds, or words to add to those the rule knows.
#[derive(serde::Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
#[allow(dead_code, reason = "the build script alone reads them")]
pub(crate) enum OptionOfRule {
    Number { default: u32, least: u32, most: u32, about: String },
    Words { default: Vec<String>, about: String },
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Severities {
    pub(crate) oma: Spanned<String>,
    pub(crate) windows: Spanned<String>,
}

#[derive(serde::Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Silences {
    pub(crate) session: Vec<String>,
    pub(crate) message: Vec<String>,
    pub(crate) element: Vec<String>,
}

const FENCE: &str = "+++\n";

/// The front matter of a page; else the byte of the page at which it goes wrong, and how. The page's lines end with line
/// feeds alone.
pub(crate) fn front(page: &str) -> Result<Front, (usize, String)> {
    let missing = || (0, "no front matter between +++ lines".to_owned());
    let rest = page.strip_prefix(FENCE).ok_or_else(missing)?;
    let (front, _) = rest.split_once("\n+++\n").ok_or_else(missing)?;
    toml::from_str(front).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        (FENCE.len() + at, error.message().to_owned())
    })
}

/// Where the byte `at` of a field's value stands in the page; the field's span is in the front matter.
pub(crate) fn place(page: &str, field: &Spanned<String>, at: usize) -> usize {
    let span = field.span();
    let from = FENCE.len() + span.start;
    let raw = page.get(from..FENCE.len() + span.end).unwrap_or_default();
    from + inside(raw, at)
}

/// Where the byte `at` of a TOML string's value stands in the string as it is written, quotes included.
fn inside(raw: &str, at: usize) -> usize {
    let three = raw.starts_with("'''") || raw.starts_with("\"\"\"");
    let mut place = if three { 3 } else { 1 };
    if three && raw.get(place..).is_some_and(|rest| rest.starts_with('\n')) {
        place += 1;
    }
    if raw.starts_with('\'') {
        return place + at;
    }
    let mut value = 0;
    while value < at {
        let rest = raw.get(place..).unwrap_or_default();
        let mut letters = rest.chars();
        match (letters.next(), letters.next()) {
            (Some('\\'), Some(kind)) => {
                let digits = match kind {
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    _ => 0,
                };
                let coded = rest.get(2..2 + digits).and_then(|code| u32::from_str_radix(code, 16).ok());
                if kind.is_whitespace() {
                    // The line goes on with the first letter of a later one.
                    place += 1 + rest.get(1..).map_or(0, |rest| rest.len() - rest.trim_start().len());
                } else {
                    value += coded.and_then(char::from_u32).map_or(1, char::len_utf8);
                    place += 2 + digits;
                }
            }
            (Some(letter), _) => {
                value += letter.len_utf8();
                place += letter.len_utf8();
            }
            (None, _) => break,
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_strings_are_those_of_the_text_as_it_is_written() {
        assert_eq!(inside("'abc'", 2), 3);
        assert_eq!(inside("'''\nabc'''", 1), 5);
        assert_eq!(inside("'''abc'''", 0), 3);
        assert_eq!(inside(r#""a\"bc""#, 2), 4);
        assert_eq!(inside(r#""\u00e4bc""#, 2), 7);
        assert_eq!(inside("\"\"\"a\\\n   b\"\"\"", 1), 4);
        assert_eq!(inside("\"ä\"", 2), 3);
        assert_eq!(inside("\"a\"", 99), 3);
    }

    #[test]
    fn what_is_wrong_with_the_front_matter_has_a_place() {
        assert_eq!(front("# a page").err().map(|(at, _)| at), Some(0));
        let (at, why) = front("+++\nid = \"A-001\"\nnme = 1\n+++\n").err().unwrap();
        assert_eq!(at, "+++\nid = \"A-001\"\n".len());
        assert!(why.starts_with("unknown field `nme`"), "{why}");
    }
}
