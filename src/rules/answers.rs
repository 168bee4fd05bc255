//! Commands and their answers, as the rules ask for them.
//!
//! In: a session. Out: each message together with the package that answers it, up to `Final`. Left out is what the
//! capture does not show whole, and what may rightly stay unanswered.

use foldhash::{HashMap, HashMapExt};

use super::finding::Place;
use super::flow::{Flow, Package};
use super::{MessageCx, SessionCx};
use crate::session::At;
use crate::syncml::{Command, Side, Tag};

/// A message whose commands the other side has had to answer by the end of a package.
pub(super) struct Answered<'a> {
    /// The message.
    pub(super) message: MessageCx<'a>,
    /// What answers it.
    pub(super) package: Package,
    /// The last message of that package.
    pub(super) end: MessageCx<'a>,
}

/// All such messages of a session.
pub(super) fn answered<'a>(cx: SessionCx<'a>) -> &'a [Answered<'a>] {
    cx.facts.answered.get_or_init(|| find_answered(cx))
}

fn find_answered(cx: SessionCx<'_>) -> Vec<Answered<'_>> {
    let flow = Flow::of(cx);
    let messages = cx.readable().filter(|message| wants_answers(*message)).filter_map(|message| {
        let package = flow.package(message.side()?.peer(), message.index + 1)?;
        let (first, end) = (cx.message(*package.0.first()?)?, cx.message(package.end())?);
        let open = flow.aborts(message.index, &package)
            || flow.refuses(&package)
            || is_superseded(message, end)
            || answers_another(first, message);
        (!open).then_some(Answered { message, package, end })
    });
    messages.collect()
}

impl<'a> Answered<'a> {
    /// Where the answer ends: its `Final`.
    pub(super) fn place(&self) -> Place {
        let end = self.end.message.doc.final_mark();
        end.map_or(Place::Message(self.end.index), |mark| self.end.at(mark).into())
    }

    /// The Statuses of the answer.
    pub(super) fn statuses(&self) -> impl Iterator<Item = Command<'a>> {
        let session = self.message.in_session();
        self.package.0.iter().filter_map(move |index| session.message(*index)).flat_map(MessageCx::statuses)
    }

    /// The commands of the message, those in containers included.
    pub(super) fn commands(&self) -> impl Iterator<Item = Command<'a>> + use<'a> {
        self.message.commands().filter(|command| command.tag().is_command())
    }
}

/// The Statuses that say how a command ended, without those that only say it goes on. Nothing where its CmdID is not
/// its own.
pub(super) fn last_words(cx: SessionCx<'_>, command: At) -> impl Iterator<Item = (At, Command<'_>)> {
    let exchange = cx.session.exchange(command).filter(|_| !cx.session.is_ambiguous(command));
    let statuses = exchange.into_iter().flat_map(|exchange| &exchange.statuses);
    statuses.filter_map(move |at| Some((*at, cx.session.command_at(*at)?))).filter(|(_, status)| is_last_word(*status))
}

/// Neither 101 (in progress) nor 213 (chunk accepted): the answer itself comes later.
pub(super) fn is_last_word(status: Command<'_>) -> bool {
    !matches!(status.code(), Some(101 | 213))
}

/// `Get (CmdID 10)`.
pub(super) fn called(command: Command<'_>) -> String {
    format!("{} (CmdID {})", command.tag().name(), command.cmd_id().unwrap_or_default())
}

/// What a Status says it answers: `Get (CmdRef 10)`.
pub(super) fn answered_cmd(status: Command<'_>) -> String {
    let cmd = status.cmd().unwrap_or("a command");
    status.cmd_ref().map_or(cmd.to_owned(), |cmd_ref| format!("{cmd} (CmdRef {cmd_ref})"))
}

/// `the server's message 2`.
pub(super) fn name(message: MessageCx<'_>) -> String {
    let side = message.side().map_or("peer", Side::name);
    format!("the {side}'s message {}", message.message.msg_id().unwrap_or("without MsgID"))
}

/// Statuses and Results whose references fit no command: wrong references, by what they say they answer, with the
/// messages that hold them. The command they mean has its answer.
pub(super) struct Strays<'a>(HashMap<(&'a str, Option<&'a str>), Vec<usize>>);

impl<'a> Strays<'a> {
    /// Statuses whose `CmdRef` and `Cmd` fit no command of the message that they name.
    pub(super) fn of(cx: SessionCx<'a>) -> Strays<'a> {
        let mut strays: HashMap<_, Vec<usize>> = HashMap::new();
        for message in cx.readable() {
            for status in message.statuses() {
                let command =
                    cx.session.referred(message.index, status).found().and_then(|at| cx.session.command_at(at));
                let fits = command.is_some_and(|command| status.cmd().is_none_or(|cmd| cmd == command.tag().name()));
                if let Some(cmd_ref) = status.cmd_ref().filter(|_| !fits) {
                    let messages = strays.entry((cmd_ref, status.cmd())).or_default();
                    if messages.last() != Some(&message.index) {
                        messages.push(message.index);
                    }
                }
            }
        }
        Strays(strays)
    }

    /// Whether one of them, in that package, may be the answer to a command.
    pub(super) fn may_answer(&self, command: Command<'_>, package: &Package) -> bool {
        self.meant_for(command).iter().any(|index| package.0.binary_search(index).is_ok())
    }

    /// The messages with one that may be the answer to a command.
    pub(super) fn meant_for(&self, command: Command<'_>) -> Vec<usize> {
        let (cmd, cmd_id) = (command.tag().name(), command.cmd_id().unwrap_or_default());
        [Some(cmd), None].into_iter().filter_map(|cmd| self.0.get(&(cmd_id, cmd))).flatten().copied().collect()
    }
}

/// Whether the other side owes Statuses for the commands of a message and will be able to send them.
fn wants_answers(message: MessageCx<'_>) -> bool {
    let silent = message.message.header().is_some_and(|header| header.0.child(Tag::NoResp).is_some());
    let waiting = message.is_keep_alive() || message.answers().is_some_and(MessageCx::is_keep_alive);
    !(silent || waiting || message.commands().any(ends_the_device))
}

/// An Exec after which the device ends all sessions, restarts or erases itself.
pub(super) fn ends_the_device(command: Command<'_>) -> bool {
    const LAST: [&str; 3] = ["/unenroll", "/reboot/rebootnow", "/remotewipe/"];
    let leads_there = |uri: &str| {
        let uri = uri.to_ascii_lowercase();
        LAST.iter().any(|end| uri.contains(end))
    };
    command.tag() == Tag::Exec && command.items().filter_map(|item| item.target()).any(leads_there)
}

/// Whether a message of the same MsgID was sent after it, and before `end`: answers name that one.
fn is_superseded(message: MessageCx<'_>, end: MessageCx<'_>) -> bool {
    let later =
        message.message.msg_id().zip(message.side()).map(|(id, side)| message.session.message(side, id, end.index));
    later.is_none_or(|later| later.found() != Some(message.index))
}

/// Whether a message says that it answers another one than `message`: what lies between them was not captured.
fn answers_another(answer: MessageCx<'_>, message: MessageCx<'_>) -> bool {
    let named = answer.statuses().find(|status| status.is_for_header()).and_then(Command::msg_ref);
    named.is_some() && named != message.message.msg_id()
}
