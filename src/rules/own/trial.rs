//! A page tried on a session without becoming a rule: rules live as long as the program, and a fuzzer tries millions.

use super::eval::{Machine, Stop};
use super::types::Kind;
use super::{Own, read, template, views};
use crate::credentials::Credentials;
use crate::limits::Limits;
use crate::rules::Profile;
use crate::rules::context::SessionCx;
use crate::rules::facts::Facts;
use crate::session::{At, Session};

/// What the rule of a page says of a session, everywhere; `None` for a place that it cannot judge. Else what is wrong with the page, each
/// with its byte.
///
/// # Errors
/// The page is no rule.
pub fn try_page(text: &str, session: &Session, limits: &Limits) -> Result<Vec<Option<String>>, Vec<(usize, String)>> {
    let read::Read { page, wrong, .. } = read::page(text, None);
    let Some(page) = page else { return Err(wrong.into_iter().map(|wrong| (wrong.at, wrong.message)).collect()) };
    let (facts, credentials) = (Facts::default(), Credentials::default());
    let cx = SessionCx { session, profile: Profile::Windows, credentials: &credentials, facts: &facts };
    let said = places(&page.own, cx).into_iter().filter_map(|at| say(&page.own, cx, at, limits.rule_steps));
    Ok(said.collect())
}

fn say<'a>(own: &'a Own, cx: SessionCx<'a>, at: At, steps: u64) -> Option<Option<String>> {
    match Machine::new(cx, at, steps).holds(&own.when) {
        Ok(true) => Some(Some(template::fill(&own.message, Machine::new(cx, at, steps).guarding()))),
        Ok(false) | Err(Stop::Absent | Stop::Unknown) => None,
        Err(Stop::Broken(_) | Stop::Budget) => Some(None),
    }
}

fn places(own: &Own, cx: SessionCx<'_>) -> Vec<At> {
    let Some(tags) = own.tags() else {
        let messages = cx.readable().map(|message| views::of_message(message.index));
        return if own.kind == Kind::Session { vec![views::of_message(0)] } else { messages.collect() };
    };
    let elements =
        cx.readable().flat_map(|message| message.message.doc.elements().map(move |element| (message, element)));
    elements
        .filter(|(_, element)| tags.contains(&element.tag()))
        .map(|(message, element)| message.at(element))
        .collect()
}
