//! The suppression matrix: findings that say nothing new where another one stands.
//!
//! In: all drafts of a session, also those that will not be reported. Out: which of them to drop. A silenced finding
//! still silences others: the reason that hides it hides what follows from it too.

use super::finding::{Draft, Over, Place};
use super::{Reach, Rule};
use crate::session::{At, Session};
use crate::syncml::{Element, Tag};

/// What the findings of one session silence.
#[derive(Default)]
pub(super) struct Silence {
    session: Vec<&'static str>,
    messages: Vec<(usize, &'static str)>,
    units: Vec<(At, &'static str)>,
}

impl Silence {
    /// Collects what these findings silence.
    pub(super) fn of(session: &Session, drafts: &[Draft], over: &Over) -> Silence {
        let mut silence = Silence::default();
        for draft in drafts {
            silence.add(draft.rule, draft.place.message(), unit(session, draft.place));
        }
        for (rule, message) in over.places() {
            silence.add(rule, message, None);
        }
        silence.messages.sort_unstable();
        silence.messages.dedup();
        silence
    }

    /// A place wider than the reach silences in all of it.
    fn add(&mut self, rule: &'static Rule, message: Option<usize>, unit: Option<At>) {
        for (reach, rules) in rule.silences {
            for silenced in *rules {
                match (reach, message, unit) {
                    (Reach::Session, ..) | (_, None, _) => self.session.push(silenced),
                    (Reach::Message, Some(message), _) | (_, Some(message), None) => {
                        self.messages.push((message, silenced));
                    }
                    (Reach::Element, _, Some(unit)) => self.units.push((unit, silenced)),
                }
            }
        }
    }

    /// Whether a finding is silenced.
    pub(super) fn covers(&self, session: &Session, draft: &Draft) -> bool {
        let here = || unit(session, draft.place);
        self.covers_all(draft.rule, draft.place.message())
            || (!self.units.is_empty()
                && self.units.iter().any(|(at, silenced)| is(draft.rule, silenced) && Some(*at) == here()))
    }

    /// Whether all findings of a rule in a message are.
    pub(super) fn covers_all(&self, rule: &Rule, message: Option<usize>) -> bool {
        self.session.iter().any(|silenced| is(rule, silenced))
            || self.messages.iter().any(|(at, silenced)| Some(*at) == message && is(rule, silenced))
    }
}

fn is(rule: &Rule, silenced: &str) -> bool {
    rule.id == silenced || rule.family == silenced
}

/// What [`Reach::Element`] reaches: the command, Status, Results or header around a place, else the element itself.
fn unit(session: &Session, place: Place) -> Option<At> {
    let Place::Element(at) = place else { return None };
    let element = session.element(at)?;
    let mut around = std::iter::successors(Some(element), |element: &Element<'_>| element.parent());
    let unit = around.find(|element| element.tag().has_cmd_id() || element.tag() == Tag::SyncHdr);
    Some(At { message: at.message, node: unit.unwrap_or(element).id() })
}
