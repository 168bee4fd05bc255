//! `Format`, `Type` and the other children of `Meta`.

use foldhash::{HashMap, HashMapExt};

use super::{ElementCx, MessageCx, SessionCx, Sink, article, command_of, quoted};
use crate::session::{At, Session};
use crate::syncml::uri::Key;
use crate::syncml::{Element, Item, Side, Tag};

const FORMATS: [&str; 11] = ["b64", "bin", "bool", "chr", "int", "node", "null", "xml", "date", "time", "float"];

/// A Format that is not on the list.
pub(in crate::rules) fn unknown_format(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let Some(seen) = cx.element.value().filter(|_| is_in_meta(cx.element)) else { return };
    if FORMATS.contains(&seen) {
        return;
    }
    let expected = match FORMATS.iter().find(|known| known.eq_ignore_ascii_case(seen)) {
        Some(known) => quoted(known),
        None => format!("one of {}", FORMATS.join(", ")),
    };
    out.report(cx.at(), format!("Format is {}; expected {expected}", quoted(seen)));
}

/// A Type that is neither a media type nor a name with parts.
pub(in crate::rules) fn type_syntax(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let Some(seen) = cx.element.value().filter(|_| is_in_meta(cx.element)) else { return };
    if seen != "text/plain" && !has_parts(seen) {
        out.report(cx.at(), format!("Type is {}; expected a media type such as `text/plain`, or a URN", quoted(seen)));
    }
}

/// Whether a type is of several parts, none of them empty: `text/plain`, `com.microsoft:mdm.event`, `syncml:auth-md5`.
fn has_parts(name: &str) -> bool {
    let name = name.split(';').next().unwrap_or_default().trim();
    let mut parts = name.split(['/', '.', ':']);
    name.contains(['/', '.', ':']) && parts.all(|part| !part.trim().is_empty())
}

/// A child of Meta beside it.
pub(in crate::rules) fn type_or_format_outside_meta(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let Some(parent) = cx.element.parent().map(Element::tag) else { return };
    if !matches!(parent, Tag::Meta | Tag::MetInf | Tag::Other) {
        out.report(cx.at(), format!("{} stands in {}; expected in its Meta", cx.element.name(), article(parent)));
    }
}

fn is_in_meta(element: Element<'_>) -> bool {
    element.parent().is_some_and(|parent| parent.tag() == Tag::Meta)
}

/// Results with another Format than that the value was written with.
pub(in crate::rules) fn results_format_lost(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let mut written: HashMap<Key<'_>, (At, &str)> = HashMap::new();
    for message in cx.readable() {
        let items = |is: fn(Tag) -> bool| {
            let commands = message.commands().filter(move |command| is(command.tag()));
            commands.flat_map(|command| command.items().map(move |item| (command, item)))
        };
        let key = |uri| Key::of(uri, cx.profile.naming());
        match message.side() {
            Some(Side::Server) => {
                for (command, item) in items(|tag| matches!(tag, Tag::Add | Tag::Replace)) {
                    let format = item.format();
                    if written.is_empty() && !may_be_lost(format) {
                        continue;
                    }
                    let Some(uri) = item.target().filter(|_| succeeded(cx.session, message.at(command.0))) else { continue };
                    written.insert(key(uri), (message.at(item.0), format));
                }
            }
            Some(Side::Client) if !written.is_empty() => {
                for (_, item) in items(|tag| tag == Tag::Results) {
                    let Some(uri) = item.source().or(item.target()) else { continue };
                    let Some((write, format)) = written.get(&key(uri)) else { continue };
                    let at = message.at(item.0);
                    if item.data().is_some() && is_lost(format, item.format()) && !is_later_chunk(cx.session, at) {
                        let seen = match item.effective(Tag::Format) {
                            Some(seen) => format!("the Format {}", quoted(seen)),
                            None => "no Format, which means `chr`".into(),
                        };
                        let text = format!("the value of {} has {seen}; it was written as {}", quoted(uri), quoted(format));
                        out.report(at, text).related(*write, "where it was written");
                    }
                }
            }
            _ => {}
        }
    }
}

/// Whether a command was carried out, all of it.
fn succeeded(session: &Session, command: At) -> bool {
    let statuses = session.exchange(command).map(|exchange| exchange.statuses.as_slice()).unwrap_or_default();
    let code = |at: &At| session.command_at(*at).and_then(|status| status.code());
    !statuses.is_empty() && statuses.iter().all(|at| code(at).is_some_and(|code| (200..300).contains(&code)))
}

fn may_be_lost(written: &str) -> bool {
    FORMATS.contains(&written) && !matches!(written, "chr" | "node" | "null")
}

fn is_lost(written: &str, read: &str) -> bool {
    let class = |format| if format == "bin" { "b64" } else { format };
    may_be_lost(written)
        && read != "null"
        && class(written) != class(read)
}

/// Binary data that does not say of what type it is. Told once for each message.
pub(in crate::rules) fn large_text_without_type(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let untold = |item: &Item<'_>| {
        matches!(command_of(*item), Tag::Add | Tag::Replace | Tag::Results)
            && matches!(item.format(), "b64" | "bin")
            && item.effective(Tag::Type).is_none()
            && item.data().is_some_and(|data| data.value().is_some())
            && !is_later_chunk(cx.session, cx.at(item.0))
    };
    let items = cx.commands().flat_map(|command| command.items()).filter(untold).map(|item| item.0);
    let text = |item| format!("Data of format {} has no Type, which means `text/plain`", quoted(Item(item).format()));
    out.first_of(cx.index, items, text);
}

/// A chunk of a large object that is not the first: its Meta is that of the first.
fn is_later_chunk(session: &Session, item: At) -> bool {
    session.objects.iter().any(|object| object.chunks.iter().skip(1).any(|chunk| *chunk == item))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_parts() {
        for good in ["text/plain", "text/plain; charset=utf-8", "com.microsoft/MDM/LoginStatus", "syncml:auth-md5", "Reversed-Domain-Name: org.x"] {
            assert!(has_parts(good), "{good}");
        }
        for bad in ["text", "text/", "/plain", ":", "text plain"] {
            assert!(!has_parts(bad), "{bad}");
        }
    }

    #[test]
    fn bin_and_b64_are_one() {
        assert!(is_lost("int", "chr") && is_lost("b64", "chr"));
        assert!(!is_lost("bin", "b64") && !is_lost("chr", "int") && !is_lost("string", "chr"));
    }
}
