//! From the blocks of an example to the messages that are sent: `…` filled in, envelope added, marks taken out.

use crate::limits::Limits;
use crate::octets::Octets;
use crate::syncml::{Command, Doc, Side, Tag};
use crate::{wbxml, xml};

use super::binary;
use super::page::{Block, Example};

/// The device of the examples.
pub const DEVICE: &str = "urn:uuid:5f0c4d1e-7a3b-4c55-9d2e-1b6a8e94c7f0";
/// Their server.
pub const SERVER: &str = "https://mdm.example.test/manage";
/// Its name.
pub const HOST: &str = "mdm.example.test";

/// 2026-01-02T03:04:05Z, when examples begin. Nanoseconds since the epoch.
pub const START: i64 = 1_767_323_045_000_000_000;

const NANOSECONDS: i64 = 1_000_000_000;
const REST: &str = "…";

/// One message as it is sent.
#[derive(Clone, Debug)]
pub struct Sent<'a> {
    /// The block it comes from.
    pub block: &'a Block,
    /// Who sends it.
    pub side: Side,
    /// The HTTP head as the block gives it.
    pub head: Option<String>,
    /// The body, without marks.
    pub body: Octets,
    /// The findings expected in it.
    pub marks: Vec<Mark>,
    /// When its first byte is sent, nanoseconds since the epoch.
    pub at: i64,
    /// How many bytes of the body were captured, when not all.
    pub cut: Option<usize>,
    /// Whether it was not captured at all.
    pub lost: bool,
}

/// An expected finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// The rule's id.
    pub id: String,
    /// Where.
    pub spot: Spot,
}

/// Where in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// The session.
    Session,
    /// The message as a whole.
    Message,
    /// The element that ends at this byte.
    End(u32),
}

/// Makes the documents of blocks that are no SyncML, with their marks: of a block, its side, its text and the messages
/// before it. `None` for a block that is SyncML.
pub type Documents<'d> = &'d dyn Fn(&Block, Side, &str, &[Sent<'_>]) -> Option<String>;

/// The messages of an example, in the order they are sent.
///
/// # Errors
/// A block that cannot be put together, with its line; also one that is no SyncML.
pub fn messages(example: &Example) -> Result<Vec<Sent<'_>>, String> {
    let is_other = |block: &&Block| block.soap || block.wap || block.push || block.tls || block.handshake.is_some();
    match example.blocks.iter().find(is_other) {
        Some(block) => Err(format!("line {}: only syncml, wbxml and http blocks can be run here", block.line)),
        None => messages_with(example, &|_, _, _, _| None),
    }
}

/// The same with documents that are no SyncML.
///
/// # Errors
/// A block that cannot be put together, with its line.
pub fn messages_with<'e>(example: &'e Example, documents: Documents<'_>) -> Result<Vec<Sent<'e>>, String> {
    let mut sent: Vec<Sent<'_>> = Vec::new();
    let mut at = START;
    for block in &example.blocks {
        at = at.saturating_add(block.after.unwrap_or(NANOSECONDS / 10));
        let message = message(block, at, &sent, documents).map_err(|why| format!("line {}: {why}", block.line))?;
        sent.push(message);
    }
    Ok(sent)
}

fn message<'e>(block: &'e Block, at: i64, sent: &[Sent<'e>], documents: Documents<'_>) -> Result<Sent<'e>, String> {
    let side = block.side.unwrap_or(Side::Client);
    let peer = sent.iter().rev().find(|sent| sent.side != side && !sent.block.push);
    let (head, content) = head_and_content(block);
    let (content, changes) = if block.wbxml { binary::changes(content)? } else { (content.to_owned(), Vec::new()) };
    let text = documents(block, side, &content, sent).unwrap_or_else(|| document(block, side, &content, peer));
    let (body, marks) = take_marks(&text);
    let (body, marks) = match block.wbxml {
        true => binary::changed(&body.into_bytes().into(), &marks, &changes)?,
        false => (body.into_bytes().into(), marks),
    };
    Ok(Sent { block, side, head, body, marks, at, cut: block.cut, lost: block.lost })
}

const REQUEST: &str = "POST /manage HTTP/1.1
Host: mdm.example.test
User-Agent: MSFT OMA DM Client/1.2.0.1
Accept: application/vnd.syncml.dm+xml, application/vnd.syncml.dm+wbxml, application/octet-stream
Accept-Charset: UTF-8
Content-Type: application/vnd.syncml.dm+xml; charset=utf-8";

const RESPONSE: &str = "HTTP/1.1 200 OK
Cache-Control: private, no-store
Content-Type: application/vnd.syncml.dm+xml; charset=utf-8";

/// The head that a SyncML message travels with, its lines ended by line feeds alone.
pub fn head_of(message: &Sent<'_>) -> String {
    let usual = match message.side {
        Side::Client => REQUEST,
        Side::Server => RESPONSE,
    };
    match (&message.head, message.block.wbxml) {
        (Some(head), _) => head.clone(),
        (None, true) => usual.replace("dm+xml; charset=utf-8", "dm+wbxml"),
        (None, false) => usual.to_owned(),
    }
}

/// A message over HTTP/1: its head, with the length of the body where it says none, and the body.
pub fn over_http(head: &str, body: &[u8]) -> Vec<u8> {
    let lower = head.to_ascii_lowercase();
    let has = |name: &str| lower.lines().any(|line| line.starts_with(name));
    let mut bytes = head.trim_end().replace('\n', "\r\n").into_bytes();
    let is_empty_get = body.is_empty() && head.starts_with("GET ");
    if !has("content-length:") && !has("transfer-encoding:") && !is_empty_get {
        bytes.extend(format!("\r\nContent-Length: {}", body.len()).bytes());
    }
    bytes.extend(b"\r\n\r\n");
    match has("transfer-encoding:") {
        true => bytes.extend([format!("{:x}\r\n", body.len()).as_bytes(), body, b"\r\n0\r\n\r\n"].concat()),
        false => bytes.extend(body),
    }
    bytes
}

fn head_and_content(block: &Block) -> (Option<String>, &str) {
    match block.http {
        true => {
            let (head, content) = block.text.split_once("\n\n").unwrap_or((&block.text, ""));
            (Some(head.to_owned()), content)
        }
        false => (None, &block.text),
    }
}

fn parse(text: &str) -> Doc {
    xml::parse(&take_marks(text).0.into(), &Limits::default())
}

fn is_rest(line: &str) -> bool {
    take_marks(line).0.trim() == REST
}

fn document(block: &Block, side: Side, content: &str, peer: Option<&Sent<'_>>) -> String {
    let start = content.trim_start();
    let bare = take_marks(content).0;
    let whole = ["<SyncML", "<?xml", "<!", "<html"].iter().any(|root| bare.trim_start().starts_with(root));
    if block.raw || whole || !bare.trim_start().starts_with(['<', '…']) {
        return content.to_owned();
    }
    let (header, content) = match content.find("</SyncHdr>").filter(|_| start.starts_with("<SyncHdr>")) {
        Some(end) => {
            let end = end + "</SyncHdr>".len();
            // A mark on the header itself belongs to it.
            let line = content[end..].find('\n').map_or(content.len(), |line| end + line + 1);
            let end = if content[end..line].trim_start().starts_with("<!--") { line } else { end };
            (content[..end].trim_end().to_owned(), &content[end..])
        }
        None => (format!("<SyncHdr>\n{REST}\n</SyncHdr>"), content),
    };
    let header = fill(&header, |given| header_rest(given, block, side));
    let content = fill(content, |given| match (side, peer) {
        (Side::Client, _) if block.msg_id == "1" => package_1(given),
        (Side::Client, Some(peer)) if refusal(&document_of(peer)).is_some() => {
            let answers = answers(given, peer);
            let package_1 = package_1(&format!("{given}{answers}"));
            answers + &package_1
        }
        (_, Some(peer)) => answers(given, peer),
        _ => String::new(),
    });
    let end = if block.no_final || content.contains("<Final") { "" } else { "<Final/>\n" };
    let content = content.trim_matches('\n');
    let line = if content.is_empty() { "" } else { "\n" };
    format!("<SyncML xmlns=\"SYNCML:SYNCML1.2\">\n{header}\n<SyncBody>\n{content}{line}{end}</SyncBody>\n</SyncML>")
}

/// Replaces the first line that is `…` by what `rest` makes of the text around it.
fn fill(text: &str, rest: impl FnOnce(&str) -> String) -> String {
    match text.split_inclusive('\n').find(|line| is_rest(line)) {
        Some(line) => {
            let marks = line.trim().trim_start_matches(REST);
            text.replacen(line, &format!("{}{marks}\n", rest(text).trim_end()), 1)
        }
        None => text.to_owned(),
    }
}

fn header_rest(given: &str, block: &Block, side: Side) -> String {
    let (target, source) = match side {
        Side::Client => (SERVER, DEVICE),
        Side::Server => (DEVICE, SERVER),
    };
    let parts = [
        ("VerDTD", "1.2".to_owned()),
        ("VerProto", "DM/1.2".to_owned()),
        ("SessionID", "1".to_owned()),
        ("MsgID", block.msg_id.clone()),
        ("Target", format!("<LocURI>{target}</LocURI>")),
        ("Source", format!("<LocURI>{source}</LocURI>")),
    ];
    let missing = parts.iter().filter(|(name, _)| !given.contains(&format!("<{name}>")));
    missing.map(|(name, value)| format!("<{name}>{value}</{name}>\n")).collect()
}

/// CmdIDs that the block does not use.
struct Free {
    used: Vec<String>,
    next: u32,
}

impl Free {
    fn of(given: &str) -> Free {
        let ids = given.split("<CmdID>").skip(1).filter_map(|rest| rest.split('<').next());
        Free { used: ids.map(|id| id.trim().to_owned()).collect(), next: 0 }
    }

    fn id(&mut self) -> u32 {
        loop {
            self.next += 1;
            if !self.used.contains(&self.next.to_string()) {
                return self.next;
            }
        }
    }
}

fn package_1(given: &str) -> String {
    let mut free = Free::of(given);
    let mut out = String::new();
    if !given.contains("<Data>1200</Data>") && !given.contains("<Data>1201</Data>") {
        out += &format!("<Alert><CmdID>{}</CmdID><Data>1201</Data></Alert>\n", free.id());
    }
    if !given.contains("./DevInfo/DevId") {
        let nodes = [("DevId", DEVICE), ("Man", "Example"), ("Mod", "One"), ("DmV", "1.3"), ("Lang", "en-US")];
        let item = |(node, data)| {
            format!("<Item><Source><LocURI>./DevInfo/{node}</LocURI></Source><Data>{data}</Data></Item>\n")
        };
        let items: String = nodes.map(item).concat();
        out += &format!("<Replace><CmdID>{}</CmdID>\n{items}</Replace>\n", free.id());
    }
    out
}

/// The code by which a message refuses the other side's for its credentials.
fn refusal(doc: &Doc) -> Option<u16> {
    let code = doc.statuses().find(|status| status.is_for_header())?.code();
    code.filter(|code| matches!(code, 401 | 407))
}

fn document_of(sent: &Sent<'_>) -> Doc {
    match sent.block.wbxml {
        true => wbxml::parse(&sent.body, &Limits::default()),
        false => xml::parse(&sent.body, &Limits::default()),
    }
}

/// Status (and Results) for all of the peer's message that the block does not answer.
fn answers(given: &str, peer: &Sent<'_>) -> String {
    let own = parse(&format!("<SyncBody>{}</SyncBody>", given.replace(REST, "")));
    let (doc, refusal) = (document_of(peer), refusal(&own));
    let msg_ref = doc.header().and_then(|header| header.msg_id()).unwrap_or(&peer.block.msg_id);
    let answered = |cmd_ref: &str| {
        let refers = |status: &Command<'_>| {
            status.cmd_ref() == Some(cmd_ref) && status.msg_ref().is_none_or(|msg| msg == msg_ref)
        };
        own.statuses().any(|status| refers(&status))
    };
    let mut free = Free::of(given);
    let mut status = |cmd_ref: &str, cmd: &str, code: u16| {
        let cmd_id = free.id();
        format!(
            "<Status><CmdID>{cmd_id}</CmdID><MsgRef>{msg_ref}</MsgRef><CmdRef>{cmd_ref}</CmdRef><Cmd>{cmd}</Cmd><Data>{code}</Data></Status>\n"
        )
    };
    let mut out = String::new();
    if !answered("0") {
        let cred = doc.header().is_some_and(|header| header.cred().is_some());
        out += &status("0", "SyncHdr", if cred { 212 } else { 200 });
    }
    let open = |command: &Command<'_>| command.tag().is_command() && command.cmd_id().is_some_and(|id| !answered(id));
    let commands: Vec<Command<'_>> = doc.all_commands().filter(open).collect();
    for command in &commands {
        out += &status(command.cmd_id().unwrap_or_default(), command.tag().name(), refusal.unwrap_or(200));
    }
    for get in commands.iter().filter(|command| command.tag() == Tag::Get && refusal.is_none()) {
        let item = |uri| format!("<Item><Source><LocURI>{uri}</LocURI></Source><Data>1</Data></Item>");
        let items: String = get.items().filter_map(|item| item.target()).map(item).collect();
        let (cmd_id, cmd_ref) = (free.id(), get.cmd_id().unwrap_or_default());
        out += &format!(
            "<Results><CmdID>{cmd_id}</CmdID><MsgRef>{msg_ref}</MsgRef><CmdRef>{cmd_ref}</CmdRef>{items}</Results>\n"
        );
    }
    out
}

/// The text without its marks (and the blanks before each), and the marks.
pub fn take_marks(text: &str) -> (String, Vec<Mark>) {
    let (mut out, mut marks) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("<!-- ") {
        out.push_str(before);
        let comment = behind.split_once("-->").filter(|(words, _)| words.split_whitespace().next().is_some_and(is_id));
        let Some((words, behind)) = comment else {
            out.push_str("<!-- ");
            rest = behind;
            continue;
        };
        out.truncate(out.trim_end().len());
        let spot = match words.split_whitespace().last() {
            Some("session") => Spot::Session,
            Some("message") => Spot::Message,
            _ => Spot::End(u32::try_from(out.len()).unwrap_or(u32::MAX)),
        };
        let ids = words.split_whitespace().filter(|word| is_id(word));
        marks.extend(ids.map(|id| Mark { id: id.to_owned(), spot }));
        rest = behind;
    }
    out.push_str(rest);
    (out, marks)
}

/// Whether a word is the id of a rule: `DM-MSG-010`, `ACME-001`.
fn is_id(word: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
    let number = word.rsplit_once('-').map_or("", |(_, number)| number);
    word.starts_with(|first: char| first.is_ascii_uppercase())
        && word.bytes().all(is_part)
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_taken_out_with_the_blanks_before_them() {
        let (text, marks) = take_marks("<A/> <!-- DM-AAA-001 DM-BBB-002 -->\n<B/><!-- DM-CCC-003 message -->");
        assert_eq!(text, "<A/>\n<B/>");
        let ids: Vec<(&str, Spot)> = marks.iter().map(|mark| (mark.id.as_str(), mark.spot)).collect();
        let end = Spot::End(4);
        assert_eq!(ids, [("DM-AAA-001", end), ("DM-BBB-002", end), ("DM-CCC-003", Spot::Message)]);
    }

    #[test]
    fn the_rest_of_a_session_answers_every_command() {
        let block = |side, msg_id: &str, text: &str| Block {
            side: Some(side),
            msg_id: msg_id.into(),
            text: text.into(),
            ..Block::default()
        };
        let get = "…\n<Get><CmdID>1</CmdID><Item><Target><LocURI>./DevDetail/SwV</LocURI></Target></Item></Get>";
        let blocks =
            vec![block(Side::Client, "1", REST), block(Side::Server, "1", get), block(Side::Client, "2", REST)];
        let example = Example { heading: "Good".into(), line: 1, blocks, ..Example::default() };
        let docs: Vec<Doc> =
            messages(&example).unwrap().iter().map(|sent| xml::parse(&sent.body, &Limits::default())).collect();
        let told: Vec<String> = docs
            .iter()
            .map(|doc| doc.commands().map(|command| format!("{} ", command.tag().name())).collect())
            .collect();
        assert_eq!(told, ["Alert Replace ", "Status Status Status Get ", "Status Status Results "]);
        let ids: Vec<&str> = docs[1].commands().filter_map(Command::cmd_id).collect();
        assert_eq!(ids, ["2", "3", "4", "1"]);
        assert_eq!(docs[2].header().and_then(|header| header.target()), Some(SERVER));
        assert!(docs.iter().all(|doc| doc.notes.is_empty() && doc.final_mark().is_some()));
    }

    #[test]
    fn a_header_keeps_what_it_gives() {
        let text = "<SyncHdr>\n<VerDTD>1.1</VerDTD> <!-- DM-HDR-001 -->\n…\n</SyncHdr>\n…";
        let block = Block { side: Some(Side::Client), msg_id: "1".into(), text: text.into(), ..Block::default() };
        let text = document(&block, Side::Client, &block.text, None);
        let (text, marks) = take_marks(&text);
        let doc = parse(&text);
        let header = doc.header().expect("a header");
        assert_eq!(
            (header.ver_dtd(), header.ver_proto(), header.source()),
            (Some("1.1"), Some("DM/1.2"), Some(DEVICE))
        );
        assert_eq!(header.0.all(Tag::VerDTD).count(), 1);
        let end = header.0.child(Tag::VerDTD).map(|version| version.span().end);
        assert_eq!(marks, [Mark { id: "DM-HDR-001".into(), spot: Spot::End(end.expect("one")) }]);
    }
}
