//! What happens in a session without faults, told in the large: how the device logs in, what the server asks for, how the
//! device fares. Made up by proptest; `talk` writes the messages.

use proptest::collection::vec;
use proptest::prelude::*;

/// One session.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) session_id: String,
    pub(crate) login: Login,
    /// Whether the user whom the server manages is logged in.
    pub(crate) user: bool,
    /// Generic alerts (1226) in the first package.
    pub(crate) alerts: usize,
    /// Whether both sides say how much they take.
    pub(crate) sizes: bool,
    /// Whether each Results stands right behind its Status.
    pub(crate) interleaved: bool,
    pub(crate) rounds: Vec<Round>,
    /// Whether the device says at the end of package 1 that it leaves the management.
    pub(crate) leaves: bool,
}

/// How the device authenticates itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    /// By TLS: not in SyncML at all.
    No,
    /// With the nonce it holds, right away; 212 for the whole session.
    Known,
    /// After a challenge; 212 for the whole session.
    Challenged,
    /// After a challenge; each message anew, since the server answers 200.
    Each,
}

/// What the server asks for, and how it is answered.
#[derive(Clone, Debug)]
pub(crate) enum Round {
    /// Commands in one message, the answers in one.
    Plain(Vec<Step>),
    /// The answers take two messages.
    Split(Vec<Step>),
    /// The device needs time, and says so that many times.
    Slow(Vec<Step>, usize),
    /// A value of the server in that many chunks.
    Object(Vec<String>),
    /// A value of the device in that many chunks.
    Results(Vec<String>),
}

/// A command of the server.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A Get of nodes; those marked do not exist.
    Get(Vec<bool>),
    /// Writes values to nodes that exist, one an Item; those marked are refused.
    Replace(Vec<(Value, bool)>),
    /// Adds nodes, one an Item; those marked exist already.
    Add(Vec<(Value, bool)>),
    /// Deletes a node.
    Delete,
    /// Starts something; accepted for later when marked.
    Exec(bool),
    /// All or nothing; fails at one of its commands.
    Atomic(Vec<Step>, Option<usize>),
    /// One after the other.
    Sequence(Vec<Step>),
}

/// A value with its format.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) format: &'static str,
    pub(crate) text: String,
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[A-Za-z0-9<>&\"'.,;é漢]{1,30}".prop_map(|text| ("chr", text)),
        any::<i32>().prop_map(|number| ("int", number.to_string())),
        any::<bool>().prop_map(|flag| ("bool", flag.to_string())),
        "([A-Za-z0-9+/]{4}){1,8}".prop_map(|text| ("b64", text)),
        "<a x=\"[a-z]{1,5}\">[a-z]{0,9}</a>".prop_map(|text| ("xml", text)),
    ];
    text.prop_map(|(format, text)| Value { format, text })
}

fn rarely() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.15)
}

fn simple() -> impl Strategy<Value = Step> {
    prop_oneof![
        vec((value(), rarely()), 1..4).prop_map(Step::Replace),
        vec((value(), rarely()), 1..3).prop_map(Step::Add),
        Just(Step::Delete),
        rarely().prop_map(Step::Exec),
    ]
}

/// Commands that can all succeed, one Item each, as they stand in an Atomic.
fn sound() -> impl Strategy<Value = Step> {
    prop_oneof![
        value().prop_map(|value| Step::Replace(vec![(value, false)])),
        value().prop_map(|value| Step::Add(vec![(value, false)])),
        Just(Step::Delete),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let atomic = vec(sound(), 1..5).prop_flat_map(|steps| {
        let fails = prop::option::weighted(0.4, 0..steps.len());
        (Just(steps), fails).prop_map(|(steps, fails)| Step::Atomic(steps, fails))
    });
    let get = vec(rarely(), 1..5).prop_map(Step::Get).boxed();
    let sequence = vec(prop_oneof![get.clone(), simple().boxed()], 1..4).prop_map(Step::Sequence);
    prop_oneof![4 => get, 4 => simple(), 2 => atomic, 1 => sequence]
}

fn chunks() -> impl Strategy<Value = Vec<String>> {
    vec("[a-z0-9]{1,40}", 2..5)
}

fn round() -> impl Strategy<Value = Round> {
    let steps = || vec(step(), 1..8);
    prop_oneof![
        6 => steps().prop_map(Round::Plain),
        1 => vec(step(), 2..8).prop_map(Round::Split),
        1 => (steps(), 1usize..4).prop_map(|(steps, times)| Round::Slow(steps, times)),
        1 => chunks().prop_map(Round::Object),
        1 => chunks().prop_map(Round::Results),
    ]
}

/// Sessions of any shape.
pub(crate) fn plan() -> impl Strategy<Value = Plan> {
    let login = prop::sample::select(vec![Login::No, Login::No, Login::Known, Login::Challenged, Login::Each]);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), prop::bool::weighted(0.1));
    let session_id = prop_oneof!["[0-9A-F]{1,4}", Just("0".to_owned())];
    (session_id, login, 0usize..4, vec(round(), 0..6), flags).prop_map(|(session_id, login, alerts, rounds, flags)| {
        let (user, sizes, interleaved, leaves) = flags;
        let rounds = if leaves { Vec::new() } else { rounds };
        Plan { session_id, login, user, alerts, sizes, interleaved, rounds, leaves }
    })
}
