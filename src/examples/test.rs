//! The pages of own rules, tested: each example in all forms that need no packets.

use super::check::{differences, findings, unseen};
use super::compose::{Sent, messages};
use super::page::{Example, examples};
use super::{binary, run};
use crate::limits::Limits;
use crate::rules::Rule;
use crate::rules::runner::Runner;
use crate::rules::select::Selection;
use crate::session::Session;

/// What came of one example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// Its heading.
    pub heading: String,
    /// Line of that in the page.
    pub line: usize,
    /// What is wrong with it; empty when it holds.
    pub wrong: Vec<String>,
}

/// Runs the examples of a rule's page, beside all built-in rules and these own ones.
///
/// # Errors
/// What is wrong with the page itself, with its line.
pub fn test(rule: &'static Rule, own: &[&'static Rule], limits: &Limits) -> Result<Vec<Tested>, String> {
    let examples = examples(rule)?;
    for (bad, word) in [(true, "Bad"), (false, "Good")] {
        if !examples.iter().any(|example| example.bad == bad) {
            return Err(format!("line 1: there is no section ## {word}"));
        }
    }
    Ok(examples.iter().map(|example| one(rule, example, own, limits)).collect())
}

fn one(rule: &'static Rule, example: &Example, own: &[&'static Rule], limits: &Limits) -> Tested {
    let wrong = match messages(example) {
        Ok(sent) => wrong(rule, example, &sent, own, limits),
        Err(why) => vec![why],
    };
    Tested { heading: example.heading.clone(), line: example.line, wrong }
}

fn wrong(
    rule: &'static Rule,
    example: &Example,
    sent: &[Sent<'_>],
    own: &[&'static Rule],
    limits: &Limits,
) -> Vec<String> {
    let marked = sent.iter().flat_map(|sent| &sent.marks).any(|mark| mark.id == rule.id);
    match (sent.is_empty(), marked, example.bad) {
        (true, ..) => return vec!["there is no message in it".to_owned()],
        (_, false, true) => return vec![format!("nothing in it is marked <!-- {} -->", rule.id)],
        (_, true, false) => return vec![format!("a finding of {} is marked in a good example", rule.id)],
        _ => {}
    }
    let runner = Runner::new(&Selection::of(example.profile).with(own), limits);
    let runner = runner.with_credentials(example.credentials.clone());
    let said = |sessions: &[Session], sent: &[Sent<'_>]| {
        let mut wrong = differences(|known| known == rule, sent, &findings(&runner, sessions, sent));
        wrong.extend(unseen(sessions, sent));
        wrong
    };
    let wrong = said(&run::as_http(sent), sent);
    if !wrong.is_empty() || example.capture_only() {
        return wrong;
    }
    let named = |form: &str, wrong: Vec<String>| wrong.into_iter().map(|what| format!("{form}: {what}")).collect();
    let wrong: Vec<String> = named("without HTTP", said(&run::as_documents(sent), sent));
    if !wrong.is_empty() {
        return wrong;
    }
    let sent = binary::encoded(sent);
    sent.map(|sent| named("in WBXML", said(&run::as_documents(&sent), &sent))).unwrap_or_default()
}
