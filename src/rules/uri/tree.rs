//! DM-URI-010, DM-URI-022, DM-URI-023, DM-URI-025 and DM-URI-026: what the session has shown of a node.
//!
//! Commands are taken in their order, each item with the last Status that is about it. Work grows with the number of
//! items, however they are spread over commands.

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use super::{Address, addresses, names, of_commands};
use crate::rules::gate::sign;
use crate::rules::{Profile, SessionCx, Sink, quoted};
use crate::session::{At, Edge, Exchange, Session};
use crate::syncml::uri::{Key, Naming};
use crate::syncml::{Command, Element, Item, Side, Tag};

/// An address that is longer or deeper than the device said it takes.
pub(in crate::rules) fn locuri_too_long(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let [total, segment, depth] = limits(cx);
    if total.is_none() && segment.is_none() && depth.is_none() {
        return;
    }
    for message in cx.readable().filter(|message| message.side() == Some(Side::Server)) {
        for address in of_commands(message) {
            let names = || names(address.uri).filter(|name| *name != ".");
            let longest = names().map(|name| name.chars().count()).max().unwrap_or_default();
            let sizes = [
                (address.uri.chars().count(), "characters long", total),
                (longest, "characters long in one of its names", segment),
                (names().count(), "names deep", depth),
            ];
            let over = sizes.into_iter().find_map(|(size, what, limit)| {
                let (name, (most, at)) = limit.filter(|(_, (most, _))| size > *most)?;
                Some((format!("LocURI is {}, {size} {what}; the device's {name} is {most}", quoted(address.uri)), at))
            });
            if let Some((text, at)) = over {
                out.at(message.index, address.element, text).related(at, "the limit of the device");
            }
        }
    }
}

/// A limit of the device: its name, how much, above 0, and the item that says so.
type Limit = Option<(&'static str, (usize, At))>;

/// The limits of the device on a whole URI, on a name and on the number of names.
fn limits(cx: &SessionCx<'_>) -> [Limit; 3] {
    const NAMES: [&str; 3] = ["MaxTotLen", "MaxSegLen", "MaxDepth"];
    let naming = cx.profile.naming();
    let folder = Key::of("./DevDetail/URI", naming);
    let mut found: [Limit; 3] = [None; 3];
    for message in cx.readable().filter(|message| message.side() == Some(Side::Client)) {
        let results = message.message.doc.of_tag(Tag::Results);
        for item in results.flat_map(Command::items) {
            let Some(source) = item.source().filter(|source| is_as_short(source)) else { continue };
            let key = Key::of(source, naming);
            if key.with_parents().nth(1).is_none_or(|parent| parent != folder) {
                continue;
            }
            let most = item.data().and_then(Element::value).and_then(|value| value.parse().ok()).filter(|most| *most > 0);
            for (name, slot) in NAMES.into_iter().zip(&mut found).filter(|(_, slot)| slot.is_none()) {
                if key == Key::of(&format!("./DevDetail/URI/{name}"), naming) {
                    *slot = most.map(|most| (name, (most, message.at(item.0))));
                }
            }
        }
    }
    found
}

/// Whether a URI is no longer than that of a limit in its longest spelling: a glance that spares most of them.
fn is_as_short(uri: &str) -> bool {
    uri.len() <= "./Device/DevDetail/URI/MaxTotLen/".len() || memchr::memchr(b'%', uri.as_bytes()).is_some()
}

/// An Add of a node that the session has shown to exist.
pub(in crate::rules) fn add_existing_node(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let steps = steps(*cx, Tag::Add);
    // When a node was last seen, and by what; when it was last deleted.
    let mut seen: HashMap<Key<'_>, (usize, At)> = HashMap::new();
    let mut deleted: HashMap<Key<'_>, usize> = HashMap::new();
    for (now, step) in steps.iter().enumerate() {
        for (item, target) in &step.items {
            let is_done = target.answer.is_some_and(|answer| (200..300).contains(&answer.code));
            match (step.command.tag(), target.answer) {
                (Tag::Add, Some(answer)) if answer.code == 418 => {
                    let known = seen.get(&target.key).copied();
                    let gone = |when| target.key.with_parents().any(|key| deleted.get(&key).is_some_and(|at| *at > when));
                    if let Some((_, evidence)) = known.filter(|(when, _)| !gone(*when)) {
                        let text = format!(
                            "this Add of {} was answered 418; the session had shown before that the node exists",
                            quoted(target.address.uri)
                        );
                        let draft = out.at(step.exchange.command.message, item.0, text);
                        draft.related(evidence, "it exists by this").related(answer.at, "the answer");
                    }
                }
                (Tag::Add | Tag::Copy | Tag::Get | Tag::Replace, Some(answer)) if is_done => {
                    seen.insert(target.key.clone(), (now, answer.at));
                }
                (Tag::Delete, answer) if is_done || answer.is_none() => {
                    deleted.insert(target.key.clone(), now);
                }
                _ => {}
            }
        }
        for (at, item) in step.results(cx.session) {
            let key = item.source().map(|source| Key::node(source, step.naming));
            key.map(|key| seen.insert(key, (now, at)));
        }
    }
}

/// A Replace of a node that does not exist.
pub(in crate::rules) fn replace_missing_node(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let steps = steps(*cx, Tag::Replace);
    let mut added = HashSet::new();
    let hole = first_hole(cx.session);
    for step in steps {
        let message = step.exchange.command.message;
        for (item, target) in &step.items {
            match (step.command.tag(), target.answer.map(|answer| (answer.code, answer.at))) {
                (Tag::Add | Tag::Copy, _) => {
                    added.insert(target.key.clone());
                }
                (Tag::Replace, Some((404, at))) if !added.contains(&target.key) && message < hole => {
                    let text = format!("this Replace of {} was answered 404: the node does not exist, and nothing has added it", quoted(target.address.uri));
                    out.at(message, item.0, text).related(at, "the answer");
                }
                _ => {}
            }
        }
    }
}

/// A Copy from or to a node that has children.
pub(in crate::rules) fn copy_of_interior_node(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let steps = steps(*cx, Tag::Copy);
    let mut interior: HashMap<Key<'_>, At> = HashMap::new();
    for step in steps {
        if step.command.tag() == Tag::Copy {
            let Some(message) = cx.message(step.exchange.command.message) else { continue };
            for address in addresses(message, step.command) {
                if let Some(at) = interior.get(&address.key(step.naming)) {
                    let text = format!("this Copy has {} as its {}, which is an interior node; expected a leaf", quoted(address.uri), address.end.name());
                    out.at(message.index, address.element, text).related(*at, "its format is node");
                }
            }
        }
        for (at, item) in step.results(cx.session).filter(|(_, item)| item.format() == "node") {
            item.source().map(|source| interior.insert(Key::node(source, step.naming), at));
        }
    }
}

/// A node that answers although it was deleted.
pub(in crate::rules) fn node_alive_after_delete(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let steps = steps(*cx, Tag::Delete);
    // The answer to the last Delete of a node; when a node was last written.
    let mut deleted: HashMap<Key<'_>, (usize, At)> = HashMap::new();
    let mut written: HashMap<Key<'_>, usize> = HashMap::new();
    let mut message = 0;
    for (now, step) in steps.iter().enumerate() {
        let at = step.exchange.command.message;
        let tag = step.command.tag();
        if is_hole_between(cx.session, message, at) || matches!(tag, Tag::Exec | Tag::Copy) {
            deleted.clear();
        }
        message = at;
        for (_, target) in &step.items {
            match (tag, target.answer) {
                (Tag::Delete, Some(answer)) if answer.code == 200 => {
                    deleted.insert(target.key.clone(), (now, answer.at));
                }
                (Tag::Delete, _) => {
                    deleted.remove(&target.key);
                }
                (Tag::Add | Tag::Replace, _) => {
                    for key in target.key.with_parents() {
                        deleted.remove(&key);
                    }
                    written.insert(target.key.clone(), now);
                }
                (Tag::Get, Some(answer)) if answer.code == 200 && !has_defaults(&target.key, cx.profile) => {
                    let since = |when: usize| target.key.with_parents().any(|key| written.get(&key).is_some_and(|at| *at > when));
                    let gone = target.key.with_parents().find_map(|key| deleted.get(&key).copied());
                    // In one message the order is free; what came before the Delete's answer was asked before it.
                    let Some((_, delete)) = gone.filter(|(when, delete)| at > delete.message && !since(*when)) else { continue };
                    let text = format!("the Get of {} is answered 200, although its Delete was answered 200 before; expected 404", quoted(target.address.uri));
                    out.report(answer.at, text).related(delete, "the answer to the Delete");
                }
                _ => {}
            }
        }
    }
}

/// Nodes that exist whatever was deleted: they show what all sources together say.
fn has_defaults(key: &Key<'_>, profile: Profile) -> bool {
    let results = ["./Vendor/MSFT/Policy/Result", "./User/Vendor/MSFT/Policy/Result"];
    let naming = profile.naming();
    profile == Profile::Windows && key.with_parents().any(|key| results.iter().any(|node| Key::of(node, naming) == key))
}

/// A command of the server with its answers.
pub(in crate::rules) struct Step<'a> {
    exchange: &'a Exchange,
    command: Command<'a>,
    naming: Naming,
    items: Vec<(Item<'a>, Aim<'a>)>,
}

/// What an item of a command is about.
struct Aim<'a> {
    address: &'a Address<'a>,
    key: Key<'a>,
    /// `None` when it was not answered, or what was done was undone.
    answer: Option<Answer>,
}

/// A Status for an item.
#[derive(Clone, Copy)]
struct Answer {
    at: At,
    code: u16,
}

impl<'a> Step<'a> {
    fn results(&self, session: &'a Session) -> impl Iterator<Item = (At, Item<'a>)> + use<'a> {
        let results = self.exchange.results.iter().filter_map(|at| Some((*at, session.command_at(*at)?)));
        results.flat_map(|(at, results)| results.items().map(move |item| (At { message: at.message, node: item.0.id() }, item)))
    }
}

/// The commands of the server, in order; none where no such command is among them.
fn steps<'a>(cx: SessionCx<'a>, with: Tag) -> &'a [Step<'a>] {
    let is_with = |exchange: &Exchange| cx.session.command_at(exchange.command).is_some_and(|command| command.tag() == with);
    if !cx.session.exchanges.iter().any(is_with) {
        return &[];
    }
    cx.facts.steps.get_or_init(|| all_steps(cx))
}

fn all_steps(cx: SessionCx<'_>) -> Vec<Step<'_>> {
    let naming = cx.profile.naming();
    let steps = cx.session.exchanges.iter().filter_map(|exchange| {
        let message = cx.message(exchange.command.message).filter(|message| message.side() == Some(Side::Server))?;
        let command = cx.session.command_at(exchange.command)?;
        let counts = !cx.session.is_ambiguous(exchange.command) && !is_undone(cx.session, exchange, command);
        let answers = if counts { Answers::of(cx.session, exchange, naming) } else { Answers::default() };
        // What is said of a property is not said of the node; a Get of either shows it.
        let nodes = addresses(message, command).iter().filter(|address| {
            address.end == Tag::Target && (command.tag() == Tag::Get || !address.shows(sign::query))
        });
        let items = nodes.filter_map(|address| {
            let item = address.element.parent()?.parent().map(Item)?;
            Some((item, Aim { address, key: address.node(naming), answer: answers.to(&address.key(naming)) }))
        });
        Some(Step { exchange, command, naming, items: items.collect() })
    });
    steps.collect()
}

/// The last Status for each item of a command, and for all of them.
#[derive(Default)]
struct Answers<'a> {
    each: HashMap<Key<'a>, Answer>,
    all: Option<Answer>,
}

impl<'a> Answers<'a> {
    fn of(session: &'a Session, exchange: &'a Exchange, naming: Naming) -> Answers<'a> {
        let mut answers = Answers::default();
        for at in &exchange.statuses {
            let Some(status) = session.command_at(*at) else { continue };
            let Some(answer) = status.code().map(|code| Answer { at: *at, code }) else { continue };
            let mut references = status.target_refs().peekable();
            if references.peek().is_none() {
                answers.all = Some(answer);
            }
            answers.each.extend(references.map(|uri| (Key::of(uri, naming), answer)));
        }
        answers
    }

    fn to(&self, key: &Key<'_>) -> Option<Answer> {
        self.each.get(key).copied().or(self.all)
    }
}

/// Whether a block around a command was not carried out as a whole.
fn is_undone(session: &Session, exchange: &Exchange, command: Command<'_>) -> bool {
    let around = std::iter::successors(command.container(), |command| command.container());
    let blocks = around.filter_map(|block| session.exchange(At { message: exchange.command.message, node: block.0.id() }));
    let mut codes = blocks.flat_map(|block| &block.statuses).filter_map(|at| session.command_at(*at)?.code());
    codes.any(|code| !(200..300).contains(&code))
}

/// The first message that cannot be read or that something is missing before; the number of messages when there is none.
fn first_hole(session: &Session) -> usize {
    if session.start != Edge::Seen {
        return 0;
    }
    let hole = session.messages.iter().position(|message| message.judged().is_err() || !message.is_well_formed());
    hole.unwrap_or(session.messages.len())
}

fn is_hole_between(session: &Session, from: usize, until: usize) -> bool {
    session.has_hole_between(Side::Server, from, until) || session.has_hole_between(Side::Client, from, until)
}
