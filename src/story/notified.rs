//! What is kept of a push for the story of its device: a notification that a session answered or not, or a bootstrap.

use std::net::IpAddr;

use super::{Cause, Outcome, Stage, Stop, failure};
use crate::push::Content;
use crate::rules::Location;
use crate::rules::finding::Place;
use crate::rules::location::Locator;
use crate::session::{self, Session};
use crate::time::Time;

/// The stage.
pub(super) const STAGE: &str = "notification";

/// See the module's head.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) key: String,
    /// The device, once a session answered.
    pub(super) device: Option<String>,
    /// The address it was sent to.
    pub(super) to: Option<IpAddr>,
    pub(super) server: Option<String>,
    pub(super) at: Option<Time>,
    outcome: session::Outcome,
    /// What it asks for.
    asks: Vec<String>,
    /// How it asks.
    how: Vec<String>,
    place: Location,
}

impl Notice {
    pub(super) fn of(session: &Session) -> Option<Notice> {
        let message = session.messages.first()?;
        let push = message.push()?;
        let to = message.bearer.and_then(|bearer| bearer.ends).map(|(_, to)| to.ip());
        let (mut asks, mut how) = (Vec::new(), Vec::new());
        match (push.kind(), push.trigger()) {
            (_, Some(trigger)) => {
                asks.push(format!("from {}", trigger.server_name()));
                asks.push(format!("for session {}", trigger.session_id()));
                how.push(trigger.ui_mode.words().to_owned());
            }
            (Content::Bootstrap { .. }, None) => asks.push("a bootstrap".to_owned()),
            (_, None) => asks.push("it cannot be read".to_owned()),
        }
        how.extend(to.map(|to| format!("sent to {to}")));
        Some(Notice {
            key: session.key(),
            device: session.device.clone(),
            to,
            server: session.server.clone(),
            at: session.started(),
            outcome: session.outcome,
            asks,
            how,
            place: Locator::new(session, false).location(Place::Session),
        })
    }

    /// Whether no session answered it, as the capture shows.
    pub(super) fn is_unanswered(&self) -> bool {
        self.outcome == session::Outcome::Open
    }

    /// Its stage; `more` were sent besides it.
    pub(super) fn stage(&self, more: usize) -> Stage {
        let (outcome, came) = match self.outcome {
            session::Outcome::Open => (Outcome::Failed, Some("no session came in ten minutes")),
            session::Outcome::Incomplete => (Outcome::NotSeen, Some("whether a session came was not captured")),
            _ => (Outcome::Done, self.device.is_some().then_some("a session answered it")),
        };
        let mut stage = Stage::new(STAGE, outcome);
        stage.at = self.at;
        stage.said.clone_from(&self.asks);
        stage.said.extend(came.map(str::to_owned));
        stage.said.extend(self.how.iter().cloned());
        stage.said.extend((more > 0).then(|| format!("the last of {}", more + 1)));
        stage.place = Some(self.place.clone());
        stage
    }

    /// Where the story stops, when no session came.
    pub(super) fn stop(&self) -> Stop {
        let causes = [
            "The device is offline, or the push did not reach it",
            "It refused the digest: another password or nonce",
            "The user declined",
        ];
        let causes = causes.into_iter().map(Cause::known).collect();
        let mut stop = failure::stop(STAGE, "the device was notified, and no session came".to_owned(), None, causes);
        stop.next.push(
            "Recompute the digest: give the server's password to lint with --credentials (DM-NOT-006).".to_owned(),
        );
        stop.place = Some(self.place.clone());
        stop
    }
}
