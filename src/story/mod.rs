//! What happened to a device, as a story: how far enrollment came, where it stopped and why, how it was managed, how it left.
//!
//! In: what was heard of sessions as they close ([`Heard`], [`Teller::take`]), then the findings of the rules and the connections that could not be
//! decrypted. Out: one [`Story`] for each device. Bounds: `limits.devices` stories, and the constants of the parts. What the
//! capture does not show is said, and never guessed.

pub mod code;
mod contact;
mod enrolling;
mod failure;
mod leaving;
mod managing;
mod notified;
mod tell;
mod trouble;

use crate::rules::Location;
use crate::time::Time;
use std::time::Duration;

pub use contact::Seen;
pub use tell::{Heard, Teller, duration};

/// How far a stage came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was gone through.
    Done,
    /// The story stops here.
    Failed,
    /// It has not begun.
    NotReached,
    /// Whether it was gone through was not captured.
    NotSeen,
}

impl Outcome {
    /// The word of reports.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Failed => "failed",
            Outcome::NotReached => "not reached",
            Outcome::NotSeen => "not seen",
        }
    }
}

/// One stage of a story.
#[derive(Clone, Debug)]
pub struct Stage {
    /// `discovery`, `sign-in`, `policy`, `certificate`, `provisioning`, `notification`, `first session`, `later sessions`,
    /// `unenrollment`.
    pub name: &'static str,
    /// When it began.
    pub at: Option<Time>,
    /// How long it took.
    pub took: Option<Duration>,
    /// How far it came.
    pub outcome: Outcome,
    /// What is worth knowing of it.
    pub said: Vec<String>,
    /// Where it is in the input.
    pub place: Option<Location>,
}

impl Stage {
    fn new(name: &'static str, outcome: Outcome) -> Stage {
        Stage { name, at: None, took: None, outcome, said: Vec::new(), place: None }
    }
}

/// Something that is likely the cause, with what speaks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What.
    pub text: String,
    /// What of the capture speaks for it; empty for what only experience says.
    pub evidence: Vec<String>,
}

impl Cause {
    fn shown(text: impl Into<String>, evidence: impl Into<String>) -> Cause {
        Cause { text: text.into(), evidence: vec![evidence.into()] }
    }

    fn known(text: impl Into<String>) -> Cause {
        Cause { text: text.into(), evidence: Vec::new() }
    }
}

/// Where and why a story stops.
#[derive(Clone, Debug)]
pub struct Stop {
    /// The stage at which it stopped.
    pub stage: &'static str,
    /// What happened, one sentence.
    pub what: String,
    /// The error that the device shows, with its meaning, where it can be told.
    pub code: Option<(u32, String)>,
    /// Likely causes, the likeliest first.
    pub causes: Vec<Cause>,
    /// What to do next.
    pub next: Vec<String>,
    /// Where it is in the input.
    pub place: Option<Location>,
}

/// The story of one device.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// The device, as it names itself.
    pub device: Option<String>,
    /// The user.
    pub user: Option<String>,
    /// The server.
    pub server: Option<String>,
    /// The keys of its sessions, for `dmscope show --session`.
    pub sessions: Vec<String>,
    /// When it began and ended.
    pub from: Option<Time>,
    /// When it ended.
    pub to: Option<Time>,
    /// The stages, in order.
    pub stages: Vec<Stage>,
    /// Where it stopped; `None` when nothing did.
    pub stop: Option<Stop>,
    /// When the device comes of itself, in words.
    pub schedule: Option<String>,
    /// What went wrong in management, with counts.
    pub trouble: Vec<String>,
    /// What the capture does not show.
    pub not_shown: Vec<String>,
}

impl Story {
    /// The story in one sentence.
    pub fn verdict(&self) -> String {
        if let Some(stop) = &self.stop {
            return format!("it stopped at {}: {}", stop.stage, stop.what);
        }
        let done = |name: &str| self.stages.iter().any(|stage| stage.name == name && stage.outcome == Outcome::Done);
        let trouble = if self.trouble.is_empty() { "" } else { ", with trouble" };
        let what = match () {
            () if done("unenrollment") => "the device left the management",
            () if done("provisioning") && done("first session") => "the device enrolled and is managed",
            () if done("renewal") => "the certificate was renewed",
            () if done("provisioning") => "the device enrolled; its first session was not seen",
            () if done("first session") || done("later sessions") => {
                "the device is managed; its enrollment was not captured"
            }
            () => "the capture shows no end of it",
        };
        format!("{what}{trouble}")
    }
}
