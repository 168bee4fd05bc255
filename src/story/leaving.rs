//! How a device leaves the management: who wanted it, what was said, and whether it really left.

use std::time::Duration;

use super::managing::Managed;
use super::{Outcome, Stage};
use crate::session::Session;
use crate::syncml::{Command, Item, Side, Tag, uri};
use crate::time::Time;

/// The type of the alert by which a device says goodbye.
const USER_REQUEST: &str = "com.microsoft:mdm.unenrollment.userrequest";

/// What a session says of leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Goodbye {
    /// The server's Exec on the Unenroll node.
    pub(super) ordered: bool,
    /// The device's alert.
    pub(super) said: bool,
    /// The code with which the server answered the alert.
    pub(super) answer: Option<u16>,
    /// The code with which the device answered the Exec; it should answer none.
    pub(super) refused: Option<u16>,
}

pub(super) fn of(session: &Session) -> Option<Goodbye> {
    let mut goodbye = Goodbye { ordered: false, said: false, answer: None, refused: None };
    for exchange in &session.exchanges {
        let Some(command) = session.command_at(exchange.command) else { continue };
        let side = session.messages.get(exchange.command.message).and_then(|message| message.side);
        let code = exchange.statuses.last().and_then(|status| session.command_at(*status)?.code());
        if side == Some(Side::Server) && command.tag() == Tag::Exec && command.items().any(is_unenroll) {
            goodbye.ordered = true;
            goodbye.refused = code.filter(|code| *code >= 400);
        }
        if side == Some(Side::Client) && command.code() == Some(1226) && is_goodbye(command) {
            goodbye.said = true;
            goodbye.answer = code;
        }
    }
    (goodbye.ordered || goodbye.said).then_some(goodbye)
}

fn is_goodbye(alert: Command<'_>) -> bool {
    alert.items().any(|item| item.media_type().trim().eq_ignore_ascii_case(USER_REQUEST))
}

fn is_unenroll(item: Item<'_>) -> bool {
    let path = item.target().map(uri::path).unwrap_or_default();
    let mut names = path.trim_end_matches('/').rsplit('/');
    let last = names.next().is_some_and(|name| name.eq_ignore_ascii_case("Unenroll"));
    last && names.any(|name| name.eq_ignore_ascii_case("DMClient"))
}

/// The stage of leaving of a device whose sessions these are, in order; `until` is the end of the capture.
pub(super) fn stage(sessions: &[Managed], until: Option<Time>) -> Option<Stage> {
    let at = sessions.iter().rposition(|session| session.goodbye.is_some())?;
    let (session, goodbye) = (sessions.get(at)?, sessions.get(at)?.goodbye?);
    let ordered =
        sessions.get(..=at)?.iter().rev().find(|session| session.goodbye.is_some_and(|goodbye| goodbye.ordered));
    let mut stage = Stage::new("unenrollment", Outcome::Done);
    stage.at = ordered.map_or(session.from, |ordered| ordered.from);
    stage.took = stage.at.zip(session.to).map(|(from, to)| to.since(from));
    stage.place = Some(session.place.clone());
    let who = match ordered {
        Some(ordered) => {
            format!("the server ordered it (Exec on Unenroll in {}): by its administrator or by itself", ordered.key)
        }
        None => "the user asked for it on the device".to_owned(),
    };
    stage.said.push(who);
    if let Some(code) = goodbye.refused {
        stage.outcome = Outcome::Failed;
        stage.said.push(format!("the device answered the Exec with {code}: it did not leave by that"));
    }
    let refused = session.http_error.filter(|_| goodbye.said);
    match (goodbye.said, goodbye.answer, refused) {
        (true, _, Some(status)) => stage.said.push(format!(
            "the device said goodbye in {} and was refused with HTTP {status}; it leaves all the same, and the server still has it on its list",
            session.key
        )),
        (true, Some(code), _) if code >= 400 => {
            stage.said.push(format!("the device said goodbye in {}; the server answered {code}", session.key));
        }
        (true, ..) => stage.said.push(format!("the device said goodbye in {}", session.key)),
        (false, ..) => stage.said.push("no goodbye of the device was captured".into()),
    }
    let later = sessions.get(at + 1..).unwrap_or_default();
    match later.first().and_then(|later| later.from) {
        Some(came) => {
            stage.outcome = Outcome::Failed;
            let many = later.len();
            stage.said.push(format!(
                "it did not leave: it came again at {} ({many} session{})",
                super::tell::clock(came),
                if many == 1 { "" } else { "s" }
            ));
        }
        None => {
            let silent = session
                .to
                .zip(until)
                .map(|(to, until)| until.since(to))
                .filter(|silent| *silent >= Duration::from_secs(1));
            let silent =
                silent.map(super::tell::duration).map_or("the capture ends there".to_owned(), |for_how_long| {
                    format!("the capture goes on for {for_how_long}")
                });
            stage.said.push(format!("no later check-in was seen; {silent}"));
        }
    }
    if stage.outcome == Outcome::Done {
        let mut removes =
            "the client now removes its MDM certificates, policies, account and scheduled tasks".to_owned();
        if session.entra {
            removes.push_str("; the device carries a token of Entra: that registration is removed too, so keep a local administrator");
        }
        stage.said.push(removes);
    }
    Some(stage)
}
