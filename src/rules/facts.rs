//! What several rules ask of one session, worked out when the first of them asks.

use std::cell::{Cell, OnceCell};
use std::ops::Range;

use super::answers::Answered;
use super::auth::Dialog;
use super::flow::Flow;
use super::gate::Shown;
use super::message::Answer;
use super::uri::{Address, Step};
use crate::session::At;

/// See the module's head. Made anew for each session that is judged.
#[derive(Default)]
pub struct Facts<'a> {
    /// What each message shows, readable or not.
    pub(super) shown: OnceCell<Vec<Shown>>,
    pub(super) flow: OnceCell<Flow>,
    /// Of each message, whether it was sent before.
    pub(super) repeated: OnceCell<Vec<bool>>,
    pub(super) answers: OnceCell<Vec<Answer<'a>>>,
    pub(super) answered: OnceCell<Vec<Answered<'a>>>,
    pub(super) dialog: OnceCell<Dialog<'a>>,
    pub(super) addresses: OnceCell<Vec<Address<'a>>>,
    /// The addresses that a rule asked for last: the next rule asks for the same, or for those behind them.
    pub(super) addressed: Cell<Range<usize>>,
    pub(super) steps: OnceCell<Vec<Step<'a>>>,
    /// Commands that the other side ended its package without answering, in order.
    pub(super) unanswered: OnceCell<Vec<At>>,
}
