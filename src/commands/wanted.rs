//! Which sessions and messages of the inputs are wanted: what `--filter`, `--session` and `--message` say.

use crate::config;
use crate::credentials::Credentials;
use crate::filter::{Filter, Scene};
use crate::rules::runner::Runner;
use crate::rules::select::Selection;
use crate::session::Session;

/// What a filter leaves of sessions; rules run only when it asks for findings.
pub(super) struct Filtering<'a> {
    filter: Option<&'a Filter>,
    runner: Option<Runner>,
}

impl<'a> Filtering<'a> {
    pub(super) fn new(config: &'a config::Reading, selection: &Selection, credentials: Credentials) -> Filtering<'a> {
        let filter = config.filter.as_ref();
        let judges = filter.is_some_and(Filter::asks_for_findings);
        let runner = || Runner::new(selection, &config.engine.limits).with_credentials(credentials.clone());
        Filtering { filter, runner: judges.then(runner) }
    }

    /// Whether each message is wanted: those for which the filter holds; all, where it holds of the session alone.
    pub(super) fn messages(&self, session: &Session) -> Vec<bool> {
        let all = session.messages.len();
        let Some(filter) = self.filter else { return vec![true; all] };
        let findings = self.runner.as_ref().map(|runner| runner.run(session).drafts).unwrap_or_default();
        filter.messages(Scene { session, findings: &findings })
    }
}

/// Whether a session is the one that is named: by its key, or by its SessionID.
pub(super) fn is_named(session: &Session, name: &str) -> bool {
    session.key().eq_ignore_ascii_case(name) || session.session_id.as_deref() == Some(name)
}
