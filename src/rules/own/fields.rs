//! The fields of the things that rules look at: one table, from which expressions are checked and run, and against which
//! the table of `docs/own-rules.md` is tested.

use std::ops::ControlFlow;

use super::types::{Base, Kind, Type};
use super::value::Value;
use super::views::*;
use crate::rules::context::SessionCx;
use crate::session::At;
use crate::syncml::{Command, Item, Tag};

/// A field of a kind of thing.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) gives: Type,
    pub(super) read: Read,
    /// What it holds, for the documentation.
    pub(super) doc: &'static str,
}

/// How a field is read.
pub(super) enum Read {
    /// The text of the first element at this path below; without white space around it, and missing where it is empty.
    Text(&'static [Tag]),
    /// A value that is worked out; `None` where it is missing.
    Value(for<'a> fn(SessionCx<'a>, At) -> Option<Value<'a>>),
    /// The same; `None` where the capture does not show it.
    Shown(for<'a> fn(SessionCx<'a>, At) -> Option<Value<'a>>),
    /// A list.
    Each(Each),
}

/// Walks along a list, and stops when it is told to.
pub(super) type Each = for<'a> fn(SessionCx<'a>, At, Visit<'_, 'a>);

/// What is told each value of a list.
pub(super) type Visit<'v, 'a> = &'v mut dyn FnMut(Value<'a>) -> ControlFlow<()>;

const fn text(name: &'static str, path: &'static [Tag], doc: &'static str) -> Field {
    Field { name, gives: Type::TEXT, read: Read::Text(path), doc }
}

const fn value(
    name: &'static str,
    gives: Type,
    read: for<'a> fn(SessionCx<'a>, At) -> Option<Value<'a>>,
    doc: &'static str,
) -> Field {
    Field { name, gives, read: Read::Value(read), doc }
}

const fn shown(
    name: &'static str,
    gives: Type,
    read: for<'a> fn(SessionCx<'a>, At) -> Option<Value<'a>>,
    doc: &'static str,
) -> Field {
    Field { name, gives, read: Read::Shown(read), doc }
}

const fn object(
    name: &'static str,
    kind: Kind,
    read: for<'a> fn(SessionCx<'a>, At) -> Option<Value<'a>>,
    doc: &'static str,
) -> Field {
    value(name, Base::Object(kind).one(), read, doc)
}

const fn each(name: &'static str, of: Base, read: Each, doc: &'static str) -> Field {
    Field { name, gives: of.list(), read: Read::Each(read), doc }
}

impl Kind {
    /// Its fields.
    pub(super) fn fields(self) -> &'static [Field] {
        match self {
            Kind::Session => SESSION,
            Kind::Message => MESSAGE,
            Kind::Header => HEADER,
            Kind::Http => HTTP,
            Kind::Command => COMMAND,
            Kind::Status => STATUS,
            Kind::Alert => ALERT,
            Kind::Item => ITEM,
            Kind::Meta => META,
            Kind::Element => ELEMENT,
        }
    }

    /// The field of that name.
    pub(super) fn field(self, name: &str) -> Option<&'static Field> {
        self.fields().iter().find(|field| field.name == name)
    }
}

const LOC_URI_OF_TARGET: &[Tag] = &[Tag::Target, Tag::LocURI];
const LOC_URI_OF_SOURCE: &[Tag] = &[Tag::Source, Tag::LocURI];

const SESSION: &[Field] = &[
    value("key", Type::TEXT, |cx, _| Some(cx.session.key().into()), "the key that reports print: `s1`"),
    shown("sessionId", Type::TEXT, |cx, _| cx.session.session_id.as_deref().map(Value::from), "`SessionID` as sent"),
    shown("device", Type::TEXT, |cx, _| cx.session.device.as_deref().map(Value::from), "URI of the device"),
    shown("server", Type::TEXT, |cx, _| cx.session.server.as_deref().map(Value::from), "URI of the server"),
    value(
        "outcome",
        Type::TEXT,
        |cx, _| Some(cx.session.outcome.name().into()),
        "`complete`, `aborted`, `auth-failed`, `incomplete` or `open`",
    ),
    shown(
        "started",
        Type::TEXT,
        |cx, _| Some(cx.session.started()?.to_string().into()),
        "time of the first message, UTC",
    ),
    shown("ended", Type::TEXT, |cx, _| Some(cx.session.ended()?.to_string().into()), "time of the last message, UTC"),
    shown("milliseconds", Type::INT, session_length, "how long it took"),
    value(
        "whole",
        Type::BOOL,
        |cx, _| Some(Value::Bool(is_whole(cx))),
        "whether all of it was captured and can be read",
    ),
    each("messages", Base::Object(Kind::Message), messages, "its messages that can be read, each once"),
    each(
        "commands",
        Base::Object(Kind::Command),
        |cx, _, visit| commands_of_all(cx, Kind::Command, visit),
        "their commands",
    ),
    each(
        "statuses",
        Base::Object(Kind::Status),
        |cx, _, visit| commands_of_all(cx, Kind::Status, visit),
        "their Statuses",
    ),
    each("alerts", Base::Object(Kind::Alert), |cx, _, visit| commands_of_all(cx, Kind::Alert, visit), "their Alerts"),
];

const MESSAGE: &[Field] = &[
    value("msgId", Type::TEXT, |cx, at| message(cx, at)?.message.msg_id().map(Value::from), "`MsgID`"),
    value("index", Type::INT, |_, at| Some(int(at.message + 1)), "its number in the session, from 1"),
    shown(
        "side",
        Type::TEXT,
        |cx, at| Some(message(cx, at)?.side()?.name().into()),
        "who sent it: `client` or `server`",
    ),
    shown(
        "time",
        Type::TEXT,
        |cx, at| Some(message(cx, at)?.message.first?.to_string().into()),
        "when it was sent, UTC",
    ),
    shown("milliseconds", Type::INT, since_the_one_before, "time since the message before it"),
    value(
        "size",
        Type::INT,
        |cx, at| Some(int(message(cx, at)?.message.body.size() as usize)),
        "bytes of its body, content codings removed",
    ),
    value("form", Type::TEXT, |cx, at| Some(form(message(cx, at)?).into()), "`xml` or `wbxml`"),
    value(
        "final",
        Type::BOOL,
        |cx, at| Some(Value::Bool(message(cx, at)?.has_final())),
        "whether `Final` stands in it",
    ),
    value(
        "first",
        Type::BOOL,
        |cx, at| Some(Value::Bool(message(cx, at)?.is_package_1())),
        "whether it opens the session",
    ),
    object("header", Kind::Header, header_of, "its `SyncHdr`"),
    shown("http", Base::Object(Kind::Http).one(), http_of, "how it travelled"),
    object("session", Kind::Session, |_, at| Some(thing(Kind::Session, at)), "the session it lies in"),
    shown("before", Base::Object(Kind::Message).one(), before, "the message it answers; null where there is none"),
    shown("after", Base::Object(Kind::Message).one(), after, "the message that answers it; null where there is none"),
    each(
        "commands",
        Base::Object(Kind::Command),
        |cx, at, visit| commands(cx, at, Kind::Command, visit),
        "its commands, those in containers included",
    ),
    each("statuses", Base::Object(Kind::Status), |cx, at, visit| commands(cx, at, Kind::Status, visit), "its Statuses"),
    each("results", Base::Object(Kind::Command), results, "its Results"),
    each("alerts", Base::Object(Kind::Alert), |cx, at, visit| commands(cx, at, Kind::Alert, visit), "its Alerts"),
];

const HEADER: &[Field] = &[
    text("verDtd", &[Tag::VerDTD], "`VerDTD`"),
    text("verProto", &[Tag::VerProto], "`VerProto`"),
    text("sessionId", &[Tag::SessionID], "`SessionID`"),
    text("msgId", &[Tag::MsgID], "`MsgID`"),
    text("target", LOC_URI_OF_TARGET, "`Target/LocURI`"),
    text("targetName", &[Tag::Target, Tag::LocName], "`Target/LocName`"),
    text("source", LOC_URI_OF_SOURCE, "`Source/LocURI`"),
    text("sourceName", &[Tag::Source, Tag::LocName], "`Source/LocName`"),
    text("respUri", &[Tag::RespURI], "`RespURI`"),
    value("noResp", Type::BOOL, |cx, at| has_child(cx, at, Tag::NoResp), "whether `NoResp` stands in it"),
    value("cred", Type::BOOL, |cx, at| has_child(cx, at, Tag::Cred), "whether credentials stand in it"),
    text("credType", &[Tag::Cred, Tag::Meta, Tag::Type], "`Cred/Meta/Type`: `syncml:auth-md5`"),
    text("credFormat", &[Tag::Cred, Tag::Meta, Tag::Format], "`Cred/Meta/Format`"),
    value("maxMsgSize", Type::INT, |cx, at| number(cx, at, &[Tag::Meta, Tag::MaxMsgSize]), "`Meta/MaxMsgSize`"),
    value("maxObjSize", Type::INT, |cx, at| number(cx, at, &[Tag::Meta, Tag::MaxObjSize]), "`Meta/MaxObjSize`"),
];

const HTTP: &[Field] = &[
    shown("method", Type::TEXT, |cx, at| some(&request(cx, at)?.method), "method of the request"),
    shown("path", Type::TEXT, |cx, at| some(&request(cx, at)?.target), "target of the request, its query included"),
    shown("host", Type::TEXT, |cx, at| header(request(cx, at)?, "host"), "`Host` of the request"),
    value(
        "status",
        Type::INT,
        |cx, at| Some(head(cx, at)?.status).filter(|code| *code > 0).map(|code| int(code.into())),
        "status code; null for a request",
    ),
    value("version", Type::TEXT, |cx, at| some(&head(cx, at)?.version), "`HTTP/1.1`"),
    shown("contentType", Type::TEXT, |cx, at| header(head(cx, at)?, "content-type"), "`Content-Type`"),
    value(
        "mediaType",
        Type::TEXT,
        |cx, at| Some(head(cx, at)?.media_type()).filter(|name| !name.is_empty()).map(Value::from),
        "the same without parameters, in lower case",
    ),
    shown(
        "tls",
        Type::BOOL,
        |cx, at| message(cx, at)?.message.http.as_ref()?.connection.tls.map(Value::Bool),
        "whether it ran over TLS",
    ),
];

const NAME_OF: Field =
    value("name", Type::TEXT, |cx, at| Some(element(cx, at)?.name().into()), "which command: `Replace`");
const CMD_ID: Field = text("cmdId", &[Tag::CmdID], "`CmdID`");
const DATA: Field = text("data", &[Tag::Data], "its own `Data`");
const CODE: Field = value(
    "code",
    Type::INT,
    |cx, at| command(cx, at)?.code().map(|code| int(code.into())),
    "its own `Data` as a code of three or four digits",
);
const ITEMS: Field = each("items", Base::Object(Kind::Item), items, "its `Item`s");
const CORRELATOR: Field = text("correlator", &[Tag::Correlator], "`Correlator`");
const MESSAGE_OF: Field =
    object("message", Kind::Message, |_, at| Some(thing(Kind::Message, at)), "the message it stands in");
const FIRST_TARGET: Field = text("target", &[Tag::Item, Tag::Target, Tag::LocURI], "`Target/LocURI` of its first item");
const FIRST_SOURCE: Field = text("source", &[Tag::Item, Tag::Source, Tag::LocURI], "`Source/LocURI` of its first item");
const MSG_REF: Field = text("msgRef", &[Tag::MsgRef], "`MsgRef`");
const CMD_REF: Field = text("cmdRef", &[Tag::CmdRef], "`CmdRef`");
const CMD: Field = text("cmd", &[Tag::Cmd], "`Cmd`");
const TARGET_REFS: Field = each(
    "targetRefs",
    Base::Text,
    |cx, at, visit| texts(command(cx, at).into_iter().flat_map(Command::target_refs), visit),
    "`TargetRef`s",
);
const SOURCE_REFS: Field = each(
    "sourceRefs",
    Base::Text,
    |cx, at, visit| texts(command(cx, at).into_iter().flat_map(Command::source_refs), visit),
    "`SourceRef`s",
);
const STATUSES: Field = each("statuses", Base::Object(Kind::Status), statuses, "the Statuses that answer it");
const LAST_STATUS: Field =
    shown("status", Type::INT, last_status, "code of the last Status that answers it; null where none does");
const ANSWERED: Field = shown(
    "answered",
    Type::BOOL,
    answered,
    "whether a Status answers it: false where the other side ended its package without one",
);
const META_OF: Field = object(
    "meta",
    Kind::Meta,
    |cx, at| Some(node(at, Kind::Meta, element(cx, at)?.child(Tag::Meta)?)),
    "its own `Meta`",
);

const COMMAND: &[Field] = &[
    NAME_OF,
    CMD_ID,
    FIRST_TARGET,
    FIRST_SOURCE,
    each(
        "targets",
        Base::Text,
        |cx, at, visit| texts(command(cx, at).into_iter().flat_map(Command::items).filter_map(Item::target), visit),
        "`Target/LocURI` of each item that has one",
    ),
    ITEMS,
    DATA,
    CODE,
    META_OF,
    CORRELATOR,
    value("noResp", Type::BOOL, |cx, at| has_child(cx, at, Tag::NoResp), "whether `NoResp` stands in it"),
    STATUSES,
    LAST_STATUS,
    ANSWERED,
    each("results", Base::Object(Kind::Command), answering_results, "the Results that answer it"),
    object(
        "container",
        Kind::Command,
        |cx, at| Some(node(at, Kind::Command, command(cx, at)?.container()?.0)),
        "the Atomic or Sequence around it",
    ),
    each("commands", Base::Object(Kind::Command), nested, "the commands in it, where it is an Atomic or Sequence"),
    MSG_REF,
    CMD_REF,
    CMD,
    TARGET_REFS,
    SOURCE_REFS,
    MESSAGE_OF,
];

const STATUS: &[Field] = &[
    CMD_ID,
    CODE,
    DATA,
    MSG_REF,
    CMD_REF,
    CMD,
    TARGET_REFS,
    SOURCE_REFS,
    ITEMS,
    shown("command", Base::Object(Kind::Command).one(), referred, "the command it answers; null where there is none"),
    value(
        "forHeader",
        Type::BOOL,
        |cx, at| Some(Value::Bool(command(cx, at)?.is_for_header())),
        "whether it answers the header",
    ),
    value(
        "challenge",
        Type::BOOL,
        |cx, at| Some(Value::Bool(command(cx, at)?.challenges())),
        "whether it asks for credentials",
    ),
    MESSAGE_OF,
];

const ALERT: &[Field] = &[
    CMD_ID,
    CODE,
    DATA,
    value(
        "type",
        Type::TEXT,
        |cx, at| Some(command(cx, at)?.items().next()?.effective(Tag::Type)?.into()),
        "`Meta/Type` of its first item",
    ),
    value(
        "format",
        Type::TEXT,
        |cx, at| Some(command(cx, at)?.items().next()?.effective(Tag::Format)?.into()),
        "`Meta/Format` of its first item",
    ),
    FIRST_SOURCE,
    FIRST_TARGET,
    ITEMS,
    CORRELATOR,
    STATUSES,
    LAST_STATUS,
    ANSWERED,
    MESSAGE_OF,
];

const ITEM: &[Field] = &[
    text("target", LOC_URI_OF_TARGET, "`Target/LocURI`"),
    text("targetName", &[Tag::Target, Tag::LocName], "`Target/LocName`"),
    text("source", LOC_URI_OF_SOURCE, "`Source/LocURI`"),
    text("sourceName", &[Tag::Source, Tag::LocName], "`Source/LocName`"),
    text("data", &[Tag::Data], "`Data`, where it is text"),
    value(
        "size",
        Type::INT,
        |cx, at| Some(int(element(cx, at)?.child(Tag::Data)?.inner().range().len())),
        "bytes of `Data` as written, markup included",
    ),
    value(
        "format",
        Type::TEXT,
        |cx, at| Some(item(cx, at)?.format().into()),
        "the format in force: its own `Meta`'s, else its command's, else `chr`",
    ),
    value(
        "type",
        Type::TEXT,
        |cx, at| Some(item(cx, at)?.media_type().into()),
        "the type in force: its own `Meta`'s, else its command's, else `text/plain`",
    ),
    META_OF,
    value("moreData", Type::BOOL, |cx, at| has_child(cx, at, Tag::MoreData), "whether `MoreData` stands in it"),
    value("index", Type::INT, item_index, "its number in the command, from 1"),
    object("command", Kind::Command, around, "the command it stands in"),
];

const META: &[Field] = &[
    text("format", &[Tag::Format], "`Format`"),
    text("type", &[Tag::Type], "`Type`"),
    text("size", &[Tag::Size], "`Size`"),
    text("mark", &[Tag::Mark], "`Mark`"),
    text("version", &[Tag::Version], "`Version`"),
    text("maxMsgSize", &[Tag::MaxMsgSize], "`MaxMsgSize`"),
    text("maxObjSize", &[Tag::MaxObjSize], "`MaxObjSize`"),
];

const ELEMENT: &[Field] = &[
    value("name", Type::TEXT, |cx, at| Some(element(cx, at)?.name().into()), "its name, without prefix"),
    text("text", &[], "its own text"),
    value("namespace", Type::TEXT, |cx, at| some(element(cx, at)?.namespace()), "the URI of its namespace"),
    value("path", Type::TEXT, |cx, at| Some(element(cx, at)?.path().into()), "`/SyncML/SyncHdr/MsgID`"),
    object(
        "parent",
        Kind::Element,
        |cx, at| Some(node(at, Kind::Element, element(cx, at)?.parent()?)),
        "the element around it",
    ),
    each("children", Base::Object(Kind::Element), children, "the elements in it"),
    object("command", Kind::Command, around, "the command, Status or Results it stands in"),
    MESSAGE_OF,
];
