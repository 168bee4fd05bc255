//! The rule engine: what a rule is, and the list of all of them.
//!
//! A rule is a page in `rules/<family>/` and, unless it only reports an anomaly, a function of the same name in
//! `src/rules/<family>.rs`. The page's front matter is the single source of id, name, severities, scope and what
//! the rule looks at; the build script makes [`ALL`] from the pages. `rules/README.md` tells how to write one.

use crate::anomaly;
use crate::syncml::Tag;
use crate::syncml::uri::Naming;

mod announced;
mod answers;
pub mod area;
mod by_tag;
pub mod context;
mod enrolled;
pub mod enrollment;
pub mod facts;
pub mod finding;
mod flow;
pub mod gate;
pub mod history;
mod lines;
pub mod location;
pub mod notified;
mod option;
pub mod own;
mod page;
pub mod pending;
mod redactions;
mod regular;
pub mod runner;
pub mod select;
mod silence;
mod variants;

pub use context::{CaptureCx, ElementCx, EncryptedCx, MessageCx, SessionCx};
pub use enrollment::{EnrollmentCx, ExchangeCx, ProvisioningCx};
pub use finding::{Draft, Finding, Location, Sink, quoted};
use gate::Gate;
pub use notified::NotificationCx;
use option::{NumberOption, WordsOption};
pub use option::{OptionKind, OptionValue, Options, RuleOption};

/// How bad a finding is. Ordered: `Info < Warning < Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A diagnosis.
    Info,
    /// Breaks a SHOULD, or is risky.
    Warning,
    /// Breaks a MUST, or interoperation.
    Error,
}

impl Severity {
    /// `error`, `warning`, `info`.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        }
    }
}

/// Which client the server talks to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Windows' MDM client.
    #[default]
    Windows,
    /// Any client that follows OMA DM 1.2.
    Oma,
}

impl Profile {
    /// How node names are compared under it.
    pub fn naming(self) -> Naming {
        match self {
            Profile::Windows => Naming::Windows,
            Profile::Oma => Naming::Oma,
        }
    }
}

/// Who is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Whichever side sent the message.
    Sender,
    /// The device.
    Client,
    /// The server.
    Server,
    /// The network, or the capture.
    Network,
    /// Both sides.
    Both,
}

impl Fault {
    /// The word of the catalog.
    pub fn name(self) -> &'static str {
        match self {
            Fault::Sender => "sender",
            Fault::Client => "client",
            Fault::Server => "server",
            Fault::Network => "network",
            Fault::Both => "both",
        }
    }
}

/// What a rule judges at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One message.
    Message,
    /// One command; of own rules alone, as those that follow.
    Command,
    /// One Status.
    Status,
    /// One Alert.
    Alert,
    /// One item.
    Item,
    /// One element.
    Element,
    /// One session.
    Session,
    /// Several sessions.
    Capture,
}

impl Scope {
    /// The word of the catalog.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Message => "message",
            Scope::Command => "command",
            Scope::Status => "status",
            Scope::Alert => "alert",
            Scope::Item => "item",
            Scope::Element => "element",
            Scope::Session => "session",
            Scope::Capture => "capture",
        }
    }
}

/// How far a finding silences another rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// In the whole session.
    Session,
    /// In the same message.
    Message,
    /// In the same command, Status, Results or SyncHdr; where it stands in none, at the same element.
    Element,
}

/// A rule on single elements.
pub type OnElement = fn(&ElementCx<'_>, &mut Sink<'_>);
/// A rule on messages.
pub type OnMessage = fn(&MessageCx<'_>, &mut Sink<'_>);
/// A rule on sessions.
pub type OnSession = fn(&SessionCx<'_>, &mut Sink<'_>);
/// A rule over several sessions.
pub type OnCapture = fn(&CaptureCx<'_>, &mut Sink<'_>);

/// What a rule looks at, and the function that does it.
#[derive(Clone, Copy)]
pub enum Check {
    /// Reports these anomalies; there is no function.
    Anomaly(&'static [anomaly::Kind]),
    /// Called for each element with one of these tags, in readable SyncML documents.
    Element(&'static [Tag], OnElement),
    /// Called for each readable SyncML message.
    Message(OnMessage),
    /// Called for every message, also those that are empty, unreadable or missing.
    AnyMessage(OnMessage),
    /// Called for each session.
    Session(OnSession),
    /// Called for each session, with what is remembered of those before it.
    Capture(OnCapture),
    /// Called for each exchange of an enrollment.
    Exchange(fn(&ExchangeCx<'_>, &mut Sink<'_>)),
    /// Called for each enrollment.
    Enrollment(fn(&EnrollmentCx<'_>, &mut Sink<'_>)),
    /// Called for each provisioning document that was captured whole and is well-formed.
    Provisioning(fn(&ProvisioningCx<'_>, &mut Sink<'_>)),
    /// Called for each push that was captured whole.
    Notification(fn(&NotificationCx<'_>, &mut Sink<'_>)),
    /// Called at the end for each host whose connections could not be decrypted; gives a finding's message.
    Encrypted(fn(&EncryptedCx<'_>) -> Option<String>),
    /// An own rule: an expression.
    Own(&'static own::Own),
}

/// A rule: the metadata of its page and its check.
pub struct Rule {
    /// `DM-MSG-014`.
    pub id: &'static str,
    /// `cmdref-unknown`.
    pub name: &'static str,
    /// `DM-MSG`.
    pub family: &'static str,
    /// One line: what it reports.
    pub summary: &'static str,
    /// One line: what to change.
    pub fix: &'static str,
    /// Severity for any OMA client; `None` when the rule is off.
    pub oma: Option<Severity>,
    /// Severity for Windows; `None` when the rule is off.
    pub windows: Option<Severity>,
    /// Who is to blame.
    pub fault: Fault,
    /// What it judges at a time.
    pub scope: Scope,
    /// First version that has it.
    pub since: &'static str,
    /// Sections of the specifications.
    pub spec: &'static [&'static str],
    /// Rules (ids) and families that are not reported where this one fires.
    pub silences: &'static [(Reach, &'static [&'static str])],
    /// Whether what it says depends on the text of secrets, so that it does not judge what an export redacted.
    pub secrets: bool,
    /// What an element must show for the check to be called.
    pub gate: Gate,
    /// What the user may set.
    pub options: &'static [RuleOption],
    /// The page, front matter included.
    pub page: &'static str,
    /// The check.
    pub check: Check,
}

#[cfg(test)]
impl Rule {
    /// A rule without a page, to try the engine with.
    pub(crate) const fn of_test(
        id: &'static str,
        severity: Severity,
        silences: &'static [(Reach, &'static [&'static str])],
        check: Check,
    ) -> Rule {
        Rule {
            id,
            name: id,
            family: "DM-TST",
            summary: "",
            fix: "",
            oma: Some(severity),
            windows: Some(severity),
            fault: Fault::Sender,
            scope: Scope::Message,
            since: "0.1.0",
            spec: &[],
            silences,
            secrets: false,
            gate: Gate::OPEN,
            options: &[],
            page: "",
            check,
        }
    }
}

impl Rule {
    /// Its severity under a profile; `None` when it is off.
    pub fn severity(&self, profile: Profile) -> Option<Severity> {
        match profile {
            Profile::Windows => self.windows,
            Profile::Oma => self.oma,
        }
    }
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// The rule with this id or name, without case.
pub fn find(id_or_name: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.id.eq_ignore_ascii_case(id_or_name) || rule.name.eq_ignore_ascii_case(id_or_name))
}
