//! The language: what it refuses, what it gives on a session, and that it is CEL.

use super::*;
use crate::credentials::Credentials;
use crate::http::{Body, InputId};
use crate::limits::Limits;
use crate::origin::Origin;
use crate::rules::Profile;
use crate::rules::facts::Facts;
use crate::session::{Assembler, Session};
use crate::syncml::{Message, Side};
use crate::transcript::Document;

mod oracle;

const SERVER: &str = "https://mdm.example.test/manage?token=hunter2";
const DEVICE: &str = "urn:uuid:1";

/// A message with this body.
fn message(side: Side, body: &str) -> Message {
    let (from, to) = if side == Side::Client { (DEVICE, SERVER) } else { (SERVER, DEVICE) };
    let header = format!(
        "<VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1</SessionID><MsgID>1</MsgID>\
         <Target><LocURI>{to}</LocURI></Target><Source><LocURI>{from}</LocURI></Source>"
    );
    let text = format!("<SyncML><SyncHdr>{header}</SyncHdr><SyncBody>{body}<Final/></SyncBody></SyncML>");
    let body = Body::whole(text.into_bytes(), Origin::default());
    Message::from_document(
        Document { body, side: Some(side), at: None, position: None },
        InputId(0),
        &Limits::default(),
    )
}

/// A session of a client's and a server's message.
fn session(client: &str, server: &str) -> Session {
    let mut sessions = Vec::new();
    let mut assembler = Assembler::new(&Limits::default());
    let out = &mut |session| sessions.push(session);
    assembler.document(message(Side::Client, client), out);
    assembler.document(message(Side::Server, server), out);
    assembler.finish(out);
    sessions.pop().unwrap()
}

fn usual() -> Session {
    session(
        "<Alert><CmdID>1</CmdID><Data>1201</Data></Alert>\
         <Replace><CmdID>2</CmdID><Item><Source><LocURI>./DevInfo/DevId</LocURI></Source><Data>urn:uuid:1</Data></Item></Replace>",
        "<Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><Data>200</Data></Status>\
         <Status><CmdID>2</CmdID><MsgRef>1</MsgRef><CmdRef>2</CmdRef><Cmd>Replace</Cmd><Data>406</Data></Status>\
         <Replace><CmdID>3</CmdID><Meta><Type>text/plain</Type></Meta>\
         <Item><Target><LocURI>./Vendor/MSFT/WiFi/Profile/Password</LocURI></Target><Meta><Format>chr</Format></Meta><Data>correct horse</Data></Item>\
         <Item><Target><LocURI>./Vendor/MSFT/B</LocURI></Target><Data>two\nlines</Data></Item></Replace>",
    )
}

/// What an expression gives at the first element of that name in the session; `E` where it has no result.
fn at(session: &Session, tag: Tag, kinds: &'static [Kind], text: &str) -> String {
    let expr = lowered(kinds, text).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"));
    let (facts, credentials) = (Facts::default(), Credentials::default());
    let cx = SessionCx { session, profile: Profile::Windows, credentials: &credentials, facts: &facts };
    let found = session.messages.iter().enumerate().rev().find_map(|(message, content)| {
        let element = content.doc.elements().find(|element| element.tag() == tag)?;
        Some(At { message, node: element.id() })
    });
    told(&mut Machine::new(cx, found.unwrap_or_else(|| views::of_message(0)), 100_000), &expr)
}

fn told<'a>(machine: &mut Machine<'a>, expr: &'a Expr) -> String {
    let value = machine.run(expr);
    match value {
        Ok(value) => show(machine, &value),
        Err(Stop::Budget) => "budget".into(),
        Err(_) => "E".into(),
    }
}

fn show<'a>(machine: &mut Machine<'a>, value: &Value<'a>) -> String {
    match value {
        Value::Text(text) => format!("{:?}", text.as_str()),
        Value::Double(value) => format!("{value:?}"),
        Value::List(list) => {
            let mut parts = Vec::new();
            let all = machine.walk(list, &mut |_, value| {
                parts.push(value);
                Ok(std::ops::ControlFlow::Continue(()))
            });
            all.unwrap();
            let parts: Vec<String> = parts.iter().map(|part| show(machine, part)).collect();
            format!("[{}]", parts.join(", "))
        }
        Value::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", show(machine, key), show(machine, value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Object(object) => object.kind.name().to_owned(),
        scalar => scalar.told().unwrap(),
    }
}

fn lowered(roots: &'static [Kind], text: &str) -> Result<Expr, Vec<String>> {
    let mut lowering = lower::Lowering::new(roots);
    let node = parse::expression(text).map_err(|wrong| vec![format!("{}: {}", wrong.at, wrong.message)])?;
    let (expr, _) = lowering.lower(&node);
    let wrong: Vec<String> = lowering.wrong.iter().map(|wrong| format!("{}: {}", wrong.at, wrong.message)).collect();
    if wrong.is_empty() { Ok(expr) } else { Err(wrong) }
}

const OF_ITEM: &[Kind] = &[Kind::Item, Kind::Command, Kind::Message, Kind::Header, Kind::Http, Kind::Session];
const OF_STATUS: &[Kind] = &[Kind::Status, Kind::Message, Kind::Header, Kind::Http, Kind::Session];

#[test]
fn fields_are_read_from_the_session() {
    let session = usual();
    let same = |text: &str, value: &str| assert_eq!(at(&session, Tag::Item, OF_ITEM, text), value, "{text}");
    same("item.target", r#""./Vendor/MSFT/WiFi/Profile/Password""#);
    same("item.format + item.type", r#""chrtext/plain""#);
    same("item.index", "1");
    same("item.size", "13");
    same("item.source", "null");
    same("item.moreData", "false");
    same("command.name + command.cmdId", r#""Replace3""#);
    same("command.items.map(i, i.target.split('/')[3])", r#"["WiFi", "B"]"#);
    same("command.items.size()", "2");
    same("command.items[1].data", "\"two\\nlines\"");
    same("command.items[2].data", "E");
    same("message.index", "2");
    same("message.side", r#""server""#);
    same("message.final && !message.first", "true");
    same("message.before.side", r#""client""#);
    same("message.before.before", "null");
    same("message.after", "E");
    same("message.statuses.map(s, s.code)", "[200, 406]");
    same("message.statuses.filter(s, !s.forHeader).map(s, s.command.name)", r#"["Replace"]"#);
    same("header.verProto", r#""DM/1.2""#);
    same("header.cred || header.noResp", "false");
    same("http", "E");
    same("has(message.http)", "false");
    same("session.device", r#""urn:uuid:1""#);
    same("session.messages.map(m, m.msgId)", r#"["1", "1"]"#);
    same("session.alerts.map(a, a.code)", "[1201]");
    same("session.commands.exists(c, c.status == 406 && c.source == './DevInfo/DevId')", "true");
    // Whether the last command was answered is not known.
    same("session.commands.filter(c, c.status == 406)", "E");
}

#[test]
fn a_status_knows_what_it_answers() {
    let session = usual();
    let same = |text: &str, value: &str| assert_eq!(at(&session, Tag::Status, OF_STATUS, text), value, "{text}");
    same("status.forHeader", "true");
    same("status.command", "null");
    same("status.command.name == null", "true");
    same("status.code", "200");
}

/// A field of nothing is nothing, and what needs a value has no result where it is missing.
#[test]
fn what_is_missing_is_null() {
    let session = usual();
    let same = |text: &str, value: &str| assert_eq!(at(&session, Tag::Item, OF_ITEM, text), value, "{text}");
    same("item.source == null", "true");
    same("has(item.source) || has(item.meta.mark)", "false");
    same("has(item.target) && has(item.meta.format)", "true");
    same("has(command.container.name)", "false");
    same("command.container.name == 'Atomic'", "false");
    same("item.source == 'x'", "false");
    same("item.source != 'x'", "true");
    same("item.source.startsWith('x')", "E");
    same("!item.source.startsWith('x')", "E");
    same("item.source.startsWith('x') || item.index == 1", "true");
    same("item.index == 2 && item.source.startsWith('x')", "false");
    same("item.source + 'x'", "E");
    same("item.source < 'x'", "E");
    same("'x' in command.targetRefs", "false");
    same("command.items.exists(i, i.source.startsWith('x'))", "false");
    same("command.items.all(i, i.source.startsWith('x'))", "false");
    same("command.items.filter(i, !i.source.startsWith('x')).size()", "0");
    same("command.items.exists_one(i, i.source.startsWith('x'))", "false");
    same("command.items.map(i, i.source.startsWith('x'))", "E");
    same("command.items.all(i, i.target == null)", "false");
    same("[item.source].all(s, s == null)", "true");
    same("command.answered", "E");
    same("has(command.answered) || has(command.status)", "false");
    same("session.commands.exists(c, c.status == 405)", "E");
    same("!session.commands.exists(c, c.status == 405)", "E");
    same("session.alerts.exists(a, !a.answered)", "true");
    same("session.commands.all(c, c.answered)", "false");
}

#[test]
fn elements_are_looked_at_by_name() {
    let of_element: &[Kind] = &[Kind::Element, Kind::Command, Kind::Message];
    let session = session("<Alert><CmdID>1</CmdID><Data>1201</Data></Alert>", "<Get><Item a:b='c'/></Get>");
    let same = |text: &str, value: &str| assert_eq!(at(&session, Tag::Item, of_element, text), value, "{text}");
    same("element.name", r#""Item""#);
    same("element.path", r#""/SyncML/SyncBody/Get/Item""#);
    same("element.attribute('b')", r#""c""#);
    same("element.attribute('c')", "null");
    same("element.parent.child('Item').name", r#""Item""#);
    same("element.parent.child('Itme')", "null");
    same("element.parent.parent.children.map(e, e.name)", r#"["Get", "Final"]"#);
    same("command.name", r#""Get""#);
}

#[test]
fn what_is_wrong_with_an_expression_is_said_with_what_was_meant() {
    let said = |text: &str| lowered(OF_ITEM, text).map(|expr| format!("{expr:?}")).unwrap_err().join(" | ");
    let same = |text: &str, message: &str| assert_eq!(said(text), message);
    same("item.tagret", "5: an item has no field `tagret`; did you mean `target`?");
    same("item.Target", "5: an item has no field `Target`; did you mean `target`?");
    same(
        "command.meta.meta",
        "13: a meta has no field `meta`; there are format, type, size, mark, version, maxMsgSize, maxObjSize",
    );
    same("target", "0: there is no `target` here; did you mean `item.target`?");
    same("itm.target", "0: there is no `itm` here; did you mean `item`?");
    same("item.target.size", "12: string has no fields");
    same(
        "command.items.target",
        "14: list(item) has no fields; look at its elements by exists(), all(), filter() or [0]",
    );
    same("item.target.lower()", "12: there is no function lower()");
    same("item.target.startWith('a')", "12: there is no function startWith(); did you mean startsWith()?");
    same("item.target()", "5: there is no function target(); `target` is a field: leave the parentheses away");
    same(
        "startsWith(item.target, 'a')",
        "0: there is no function startsWith(); it is called on a value: x.startsWith(…)",
    );
    same("exists(command.items, i, true)", "0: there is no function exists(); it is called on a list: x.exists(…)");
    same("item.target.startsWith()", "12: startsWith() takes 1 arguments, not 0");
    same("item.target.startsWith(1)", "23: startsWith() takes string, and this is int");
    same("item.index.startsWith('1')", "0: startsWith() is called on string, and this is int");
    same("size(item)", "5: size() takes string, list or map, and this is item");
    same("item.target && true", "0: a condition gives bool, and this is string");
    same("!item.index", "1: a condition gives bool, and this is int");
    same("item.target == 1", "0: `==` cannot stand between string and int: they are never equal");
    same("item == command", "0: `==` cannot stand between item and command: compare a field of both");
    same(
        "1 in 'abc'",
        "0: `in` cannot stand between int and string: a list of such values, or a map, stands behind `in`",
    );
    same(
        "1 + 1.5",
        "0: `+` cannot stand between int and double: both have to be ints, doubles, strings or lists; string() makes a string of a number",
    );
    same("1.5 % 2.0", "0: `%` cannot stand between double and double: both have to be ints");
    same("has(item)", "0: has() asks for one field: has(item.target)");
    same("command.items.exists(1, true)", "21: a name for each element stands here: exists(x, …)");
    same("command.items.exists(i)", "14: exists() takes a name and an expression: exists(x, …)");
    same("item.target.exists(i, true)", "0: exists() looks at a list or map, and this is string");
    same("item.target.matches('(')", "20: this is no regular expression: unclosed group");
    same(
        "item.target.matches(item.data)",
        "20: the pattern of matches() stands in the rule as a string: r\"^[0-9]+$\"",
    );
    same("item.target.matches('(a{1000}){1000}')", "20: this pattern takes too much memory: repeat less in it");
    same("[1, 'a'][0].x == {1.5: 2}", "18: double cannot be the key of a map");
    let deep = "[1].all(a, ".repeat(limits::RULE_VARIABLES + 1) + "true" + &")".repeat(limits::RULE_VARIABLES + 1);
    assert!(said(&deep).contains("at most"), "{}", said(&deep));
}

use crate::limits;

#[test]
fn the_budget_ends_what_takes_too_long() {
    let session = usual();
    let numbers = (0..40).map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
    let slow =
        "[N].all(a, [N].all(b, [N].all(c, [N].all(d, a + b + c + d >= 0))))".replace("[N]", &format!("[{numbers}]"));
    assert_eq!(at(&session, Tag::Item, OF_ITEM, &slow), "budget");
    // Neither may be passed over.
    assert_eq!(at(&session, Tag::Item, OF_ITEM, &format!("{slow} || true")), "budget");
    assert_eq!(at(&session, Tag::Item, OF_ITEM, &format!("[1].exists(x, {slow}) || true")), "budget");
    let grows = "['abcdefgh'].map(a, a + a + a + a).map(b, b + b + b + b).map(c, c + c + c + c).map(d, d + d + d + d)\
                 .map(e, e + e + e + e).map(f, f + f + f + f).map(g, g + g + g + g).map(h, h + h + h + h).map(i, i + i + i + i)";
    assert_eq!(at(&session, Tag::Item, OF_ITEM, grows), "budget");
}

fn filled(text: &str) -> String {
    let session = usual();
    let mut lowering = lower::Lowering::new(OF_ITEM);
    let pieces = template::read(text, &mut lowering);
    assert_eq!(lowering.wrong, []);
    let (facts, credentials) = (Facts::default(), Credentials::default());
    let cx = SessionCx { session: &session, profile: Profile::Windows, credentials: &credentials, facts: &facts };
    let element = session.messages[1].doc.elements().find(|element| element.tag() == Tag::Item).unwrap();
    template::fill(&pieces, Machine::new(cx, At { message: 1, node: element.id() }, 10_000).guarding())
}

#[test]
fn a_message_says_values_but_no_secrets() {
    assert_eq!(filled("{{{item.index}}} of {command.items.size()}"), "{1} of 2");
    assert_eq!(filled("{item.source} {command.targetRefs} {item.source + ''}"), "(none) (none) (none)");
    assert_eq!(filled("{command.items[1].data}"), "two lines");
    assert_eq!(filled("{command.items.map(i, i.index)}"), "1, 2");
    assert_eq!(filled("{1 / 0}"), "(?)");
    for secret in [
        "item.data",
        "'x' + item.data",
        "item.data.size()",
        "command.items.map(i, i.data)",
        "item.data.substring(3)",
        "session.server.lowerAscii()",
        "header.source",
    ] {
        assert_eq!(filled(&format!("<{{{secret}}}> {{item.index}}")), "<********> 1", "{secret}");
    }
}

#[test]
fn a_template_that_is_wrong_is_said_so() {
    let said = |text: &str| {
        let mut lowering = lower::Lowering::new(OF_ITEM);
        template::read(text, &mut lowering);
        lowering.wrong.iter().map(|wrong| format!("{}: {}", wrong.at, wrong.message)).collect::<Vec<_>>().join(" | ")
    };
    assert_eq!(said("a } b"), "2: this brace closes none; `}}` stands for the sign itself");
    assert_eq!(said("{item.target"), "12: `}` is expected here, not the end");
    assert_eq!(said("{item}"), "1: item is no text: name a field of it");
    assert_eq!(
        said("{itm.x} {}"),
        "1: there is no `itm` here; did you mean `item`? | 9: a value is expected here, not `}`"
    );
}
