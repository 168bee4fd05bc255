//! What is said of an export, against what is said of what was exported.

use std::collections::BTreeMap;

use dmscope::export::{Har, Lines, Scope};
use dmscope::limits::Limits;
use dmscope::rules::Rule;
use dmscope::rules::finding::Place;
use dmscope::rules::history::History;
use dmscope::rules::runner::Runner;
use dmscope::session::Session;

use super::run;

/// A format of an export that can be read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Lines,
    Har,
}

/// The sessions as they are read back from an export of them.
pub(crate) fn again(sessions: &[Session], form: Form, show_secrets: bool) -> Vec<Session> {
    if sessions.is_empty() {
        return Vec::new();
    }
    let scope = |session| Scope { session, paths: &[], wanted: &|_| true, show_secrets };
    match form {
        Form::Lines => {
            let mut lines = Lines::new(Vec::new());
            for session in sessions {
                lines.session(scope(session)).expect("memory takes all");
            }
            run::as_file(&lines.finish().expect("memory takes all"), "export.jsonl").sessions
        }
        Form::Har => {
            let mut har = Har::new(Vec::new()).expect("memory takes all");
            for session in sessions {
                har.session(scope(session)).expect("memory takes all");
            }
            run::as_file(&har.finish().expect("memory takes all"), "export.har").sessions
        }
    }
}

/// Where findings are: rule, session, message, element; and how many are there.
type Findings = BTreeMap<(&'static str, String, Option<usize>, Option<String>), (&'static Rule, usize)>;

fn findings(runner: &Runner, sessions: &[Session]) -> Findings {
    let mut history = History::new(&Limits::default());
    let mut found = Findings::new();
    for session in sessions {
        let drafts = runner.run_after(session, &history.before(session)).drafts;
        history.add(session);
        for draft in drafts {
            let path = match draft.place {
                Place::Element(at) => session.element(at).map(|element| element.path()),
                _ => None,
            };
            let key = (draft.rule.id, session.key(), draft.place.message(), path);
            found.entry(key).or_insert((draft.rule, 0)).1 += 1;
        }
    }
    found
}

/// What differs between the findings of sessions and those of their export: with secrets nothing may, without them only
/// rules that judge secrets may say less.
pub(crate) fn differences(runner: &Runner, sessions: &[Session], form: Form) -> Vec<String> {
    let before = findings(runner, sessions);
    let mut wrong = Vec::new();
    for show_secrets in [true, false] {
        let after = findings(runner, &again(sessions, form, show_secrets));
        let name = if show_secrets { "with secrets" } else { "masked" };
        for (key, (_, count)) in &after {
            if before.get(key).is_none_or(|(_, known)| known < count) {
                wrong.push(format!("{form:?} {name}: a finding of the export alone: {key:?}"));
            }
        }
        for (key, (rule, count)) in &before {
            let fewer = after.get(key).is_none_or(|(_, known)| known < count);
            if fewer && (show_secrets || !rule.secrets) {
                wrong.push(format!("{form:?} {name}: a finding is missing: {key:?}"));
            }
        }
    }
    wrong
}
