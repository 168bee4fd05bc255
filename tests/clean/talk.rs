//! The messages of a planned session, as a device and a server without faults write them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

use super::plan::{Login, Plan, Round, Step, Value};

/// The server.
pub(crate) const SERVER: &str = "https://mdm.example.test/omadm";
/// The user whose credentials the device sends.
pub(crate) const USER: &str = "fleet";
/// The password.
pub(crate) const PASSWORD: &str = "Sesame-4711";

/// The name that a device gives itself.
pub(crate) fn device(number: usize) -> String {
    format!("urn:uuid:00000000-0000-4000-8000-{number:012x}")
}

/// The octets of the nonce with that number; the device holds number 0 at first.
pub(crate) fn nonce(device: usize, number: usize) -> Vec<u8> {
    Md5::digest(format!("nonce {device} {number}")).to_vec()
}

fn digest(nonce: &[u8]) -> String {
    let inner = STANDARD.encode(Md5::digest(format!("{USER}:{PASSWORD}")));
    STANDARD.encode(Md5::digest([inner.as_bytes(), b":", nonce].concat()))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The messages, the client's and the server's in turn, and how many nonces the device has used up.
pub(crate) fn messages(plan: &Plan, device: usize, nonces: &mut usize) -> Vec<String> {
    let mut talk = Talk {
        plan,
        device,
        nonces,
        sent: Vec::new(),
        counts: [0, 0],
        open: Vec::new(),
        cred: None,
        chal: None,
        existing: 0,
    };
    talk.package_1();
    for round in &plan.rounds {
        talk.round(round);
    }
    talk.server(|_| {}, true);
    talk.sent
}

/// A command that waits for its answer, with the answer.
struct Open {
    cmd: &'static str,
    cmd_id: usize,
    msg: usize,
    statuses: Vec<(Option<String>, u16)>,
    results: Vec<(String, String)>,
}

struct Talk<'a> {
    plan: &'a Plan,
    device: usize,
    nonces: &'a mut usize,
    sent: Vec<String>,
    /// Messages of the client and of the server.
    counts: [usize; 2],
    /// What the next message of the other side answers.
    open: Vec<Open>,
    /// The client's credentials in its next messages.
    cred: Option<String>,
    /// What the server adds to its next Status of the header.
    chal: Option<(u16, String)>,
    /// Number of nodes made so far.
    existing: usize,
}

const CLIENT: usize = 0;
const SERVER_SIDE: usize = 1;

/// A message being written.
struct Draft {
    body: String,
    next: usize,
    open: Vec<Open>,
    msg: usize,
}

impl Draft {
    fn id(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    /// A command that will be answered by one Status 200.
    fn ask(&mut self, cmd: &'static str, rest: &str) {
        self.ask_for(cmd, rest, vec![(None, 200)], Vec::new());
    }

    fn ask_for(
        &mut self,
        cmd: &'static str,
        rest: &str,
        statuses: Vec<(Option<String>, u16)>,
        results: Vec<(String, String)>,
    ) {
        let cmd_id = self.id();
        self.body += &format!("<{cmd}><CmdID>{cmd_id}</CmdID>{rest}</{cmd}>");
        self.open.push(Open { cmd, cmd_id, msg: self.msg, statuses, results });
    }

    fn status(&mut self, msg_ref: usize, cmd_ref: usize, cmd: &str, reference: Option<&str>, chal: &str, code: u16) {
        let id = self.id();
        let reference = reference.map(|uri| format!("<TargetRef>{uri}</TargetRef>")).unwrap_or_default();
        self.body += &format!(
            "<Status><CmdID>{id}</CmdID><MsgRef>{msg_ref}</MsgRef><CmdRef>{cmd_ref}</CmdRef><Cmd>{cmd}</Cmd>{reference}{chal}\
             <Data>{code}</Data></Status>"
        );
    }

    fn results(&mut self, open: &Open, item: &str) -> usize {
        let id = self.id();
        let (msg, cmd_id) = (open.msg, open.cmd_id);
        self.body +=
            &format!("<Results><CmdID>{id}</CmdID><MsgRef>{msg}</MsgRef><CmdRef>{cmd_id}</CmdRef>{item}</Results>");
        id
    }

    /// Status, and Results for a Get.
    fn answer(&mut self, open: &Open, interleaved: bool) -> String {
        for (reference, code) in &open.statuses {
            self.status(open.msg, open.cmd_id, open.cmd, reference.as_deref(), "", *code);
        }
        if open.results.is_empty() {
            return String::new();
        }
        let item = |(uri, value): &(String, String)| {
            format!("<Item><Source><LocURI>{uri}</LocURI></Source><Data>{}</Data></Item>", escaped(value))
        };
        let items: String = open.results.iter().map(item).collect();
        if interleaved {
            self.results(open, &items);
            return String::new();
        }
        items
    }
}

fn meta(format: &str) -> String {
    format!("<Meta><Format xmlns=\"syncml:metinf\">{format}</Format></Meta>")
}

fn item(uri: &str, value: &Value) -> String {
    let Value { format, text } = value;
    format!("<Item><Target><LocURI>{uri}</LocURI></Target>{}<Data>{}</Data></Item>", meta(format), escaped(text))
}

fn bare(uri: &str) -> String {
    format!("<Item><Target><LocURI>{uri}</LocURI></Target></Item>")
}

fn alert(kind: &str, format: &str, data: &str) -> String {
    format!(
        "<Item><Meta><Format xmlns=\"syncml:metinf\">{format}</Format><Type xmlns=\"syncml:metinf\">{kind}</Type></Meta>\
         <Data>{data}</Data></Item>"
    )
}

impl Talk<'_> {
    fn draft(&mut self, side: usize) -> Draft {
        self.counts[side] += 1;
        Draft { body: String::new(), next: 0, open: Vec::new(), msg: self.counts[side] }
    }

    fn send(&mut self, side: usize, draft: Draft, last: bool) {
        let device = device(self.device);
        let (target, source) = if side == CLIENT { (SERVER, device.as_str()) } else { (device.as_str(), SERVER) };
        let name =
            if side == CLIENT && self.cred.is_some() { format!("<LocName>{USER}</LocName>") } else { String::new() };
        let cred = self.cred.as_ref().filter(|_| side == CLIENT).map(|data| {
            format!(
                "<Cred><Meta><Format xmlns=\"syncml:metinf\">b64</Format><Type xmlns=\"syncml:metinf\">syncml:auth-md5</Type>\
                 </Meta><Data>{data}</Data></Cred>"
            )
        });
        let sizes = "<Meta><MaxMsgSize xmlns=\"syncml:metinf\">32768</MaxMsgSize>\
                     <MaxObjSize xmlns=\"syncml:metinf\">1048576</MaxObjSize></Meta>";
        let sizes = if self.plan.sizes && side == CLIENT { sizes } else { "" };
        let (session_id, msg) = (&self.plan.session_id, draft.msg);
        let (cred, last) = (cred.unwrap_or_default(), if last { "<Final/>" } else { "" });
        self.sent.push(format!(
            "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto>\
             <SessionID>{session_id}</SessionID><MsgID>{msg}</MsgID><Target><LocURI>{target}</LocURI></Target>\
             <Source><LocURI>{source}</LocURI>{name}</Source>{cred}{sizes}</SyncHdr><SyncBody>{}{last}</SyncBody></SyncML>",
            draft.body
        ));
        self.open = draft.open;
    }

    /// The client's first package, and what of it the server makes it send again.
    fn package_1(&mut self) {
        if matches!(self.plan.login, Login::Known) {
            self.cred = Some(digest(&nonce(self.device, *self.nonces)));
        }
        let first = self.draft(CLIENT);
        self.introduce(first);
        match self.plan.login {
            Login::No => {}
            Login::Known => self.next_nonce(212),
            Login::Challenged | Login::Each => {
                *self.nonces += 1;
                let next = nonce(self.device, *self.nonces);
                self.chal = Some((407, STANDARD.encode(&next)));
                for open in &mut self.open {
                    open.statuses = vec![(None, 407)];
                }
                self.server(|_| {}, true);
                self.cred = Some(digest(&next));
                let mut again = self.draft(CLIENT);
                again.status(1, 0, "SyncHdr", None, "", 200);
                self.introduce(again);
                self.next_nonce(if self.plan.login == Login::Each { 200 } else { 212 });
            }
        }
    }

    /// The server takes the credentials, for one message (200) or for all (212), and gives the next nonce.
    fn next_nonce(&mut self, code: u16) {
        *self.nonces += 1;
        self.chal = Some((code, STANDARD.encode(nonce(self.device, *self.nonces))));
    }

    fn introduce(&mut self, mut draft: Draft) {
        draft.ask("Alert", "<Data>1201</Data>");
        let login = alert("com.microsoft/MDM/LoginStatus", "chr", if self.plan.user { "user" } else { "others" });
        draft.ask("Alert", &format!("<Data>1224</Data>{login}"));
        let id = device(self.device);
        let nodes = [("DevId", id.as_str()), ("Man", "Contoso"), ("Mod", "Lab"), ("DmV", "1.3"), ("Lang", "en-US")];
        let item = |(name, value): (&str, &str)| {
            format!("<Item><Source><LocURI>./DevInfo/{name}</LocURI></Source><Data>{value}</Data></Item>")
        };
        let items: String = nodes.into_iter().map(item).collect();
        draft.ask("Replace", &items);
        for number in 0..self.plan.alerts {
            let kind = format!("Reversed-Domain-Name:com.example.event{number}");
            draft.ask("Alert", &format!("<Data>1226</Data>{}", alert(&kind, "int", &number.to_string())));
        }
        if self.plan.leaves {
            let bye = alert("com.microsoft:mdm.unenrollment.userrequest", "int", "1");
            draft.ask("Alert", &format!("<Data>1226</Data>{bye}"));
        }
        self.send(CLIENT, draft, true);
    }

    /// A message of the server: answers to all of the client's, then commands.
    fn server(&mut self, commands: impl FnOnce(&mut Draft), last: bool) {
        let mut draft = self.draft(SERVER_SIDE);
        let (code, chal) = self.chal.take().unwrap_or((200, String::new()));
        let chal = if chal.is_empty() { chal } else { challenge(&chal) };
        draft.status(self.counts[CLIENT], 0, "SyncHdr", None, &chal, code);
        for open in std::mem::take(&mut self.open) {
            draft.answer(&open, true);
        }
        commands(&mut draft);
        self.send(SERVER_SIDE, draft, last);
    }

    /// The client's message begins with the Status of the server's header.
    fn client(&mut self) -> Draft {
        match self.plan.login {
            Login::Each => {
                self.cred = Some(digest(&nonce(self.device, *self.nonces)));
                self.next_nonce(200);
            }
            _ => self.cred = None,
        }
        let mut draft = self.draft(CLIENT);
        draft.status(self.counts[SERVER_SIDE], 0, "SyncHdr", None, "", 200);
        draft
    }

    fn answers(&self, draft: &mut Draft, open: &[Open]) {
        let left: Vec<String> = open.iter().map(|open| draft.answer(open, self.plan.interleaved)).collect();
        for (open, items) in open.iter().zip(left).filter(|(_, items)| !items.is_empty()) {
            draft.results(open, &items);
        }
    }

    fn round(&mut self, round: &Round) {
        match round {
            Round::Plain(steps) => {
                let open = self.ask(steps);
                let mut draft = self.client();
                self.answers(&mut draft, &open);
                self.send(CLIENT, draft, true);
            }
            Round::Split(steps) => {
                let open = self.ask(steps);
                // A container and what is in it are answered in one message.
                let tops: Vec<usize> = (1..open.len()).filter(|at| open[*at].cmd_id > open[at - 1].cmd_id).collect();
                let half = tops.get(tops.len() / 2).copied().unwrap_or(open.len());
                let mut draft = self.client();
                self.answers(&mut draft, &open[..half]);
                self.send(CLIENT, draft, false);
                self.server(|draft| draft.ask("Alert", "<Data>1222</Data>"), false);
                self.rest(&open[half..]);
            }
            Round::Slow(steps, times) => {
                let open = self.ask(steps);
                for _ in 0..*times {
                    self.turn_of_nonces();
                    let mut draft = self.draft(CLIENT);
                    let kind = "Reversed-Domain-Name:com.microsoft.mdm.requestpending";
                    draft.ask("Alert", &format!("<Data>1224</Data>{}", alert(kind, "int", "1")));
                    self.send(CLIENT, draft, false);
                    self.server(|draft| draft.ask("Alert", "<Data>1222</Data>"), false);
                }
                self.rest(&open);
            }
            Round::Object(chunks) if self.plan.sizes => self.object(&filled(chunks)),
            Round::Object(chunks) => self.object(chunks),
            Round::Results(chunks) => self.large_results(chunks),
        }
    }

    fn turn_of_nonces(&mut self) {
        if self.plan.login == Login::Each {
            self.cred = Some(digest(&nonce(self.device, *self.nonces)));
            self.next_nonce(200);
        } else {
            self.cred = None;
        }
    }

    /// The rest of the answers, after an Alert 1222 of the server.
    fn rest(&mut self, open: &[Open]) {
        let mut draft = self.client();
        for alert in std::mem::take(&mut self.open) {
            draft.answer(&alert, true);
        }
        self.answers(&mut draft, open);
        self.send(CLIENT, draft, true);
    }

    /// A message with these commands; what is to be answered.
    fn ask(&mut self, steps: &[Step]) -> Vec<Open> {
        let mut writer = Writer { existing: self.existing, user: self.plan.user };
        let write = |draft: &mut Draft| steps.iter().for_each(|step| writer.step(draft, step, None));
        self.server(write, true);
        self.existing = writer.existing;
        std::mem::take(&mut self.open)
    }

    /// A value of the server in chunks.
    fn object(&mut self, chunks: &[String]) {
        self.existing += 1;
        let uri = format!("./Device/Vendor/MSFT/Large/Node{}", self.existing);
        let size: usize = chunks.iter().map(String::len).sum();
        for (number, chunk) in chunks.iter().enumerate() {
            let last = number + 1 == chunks.len();
            let size = if number == 0 { format!("<Size xmlns=\"syncml:metinf\">{size}</Size>") } else { String::new() };
            let (more, code) = if last { ("", 200) } else { ("<MoreData/>", 213) };
            let item = format!(
                "<Item><Target><LocURI>{uri}</LocURI></Target><Meta><Format xmlns=\"syncml:metinf\">chr</Format>{size}</Meta>\
                 <Data>{chunk}</Data>{more}</Item>"
            );
            self.server(|draft| draft.ask_for("Replace", &item, vec![(None, code)], Vec::new()), last);
            let open = std::mem::take(&mut self.open);
            let mut draft = self.client();
            self.answers(&mut draft, &open);
            if !last {
                draft.ask("Alert", "<Data>1222</Data>");
            }
            self.send(CLIENT, draft, last);
        }
    }

    /// A value of the device in chunks.
    fn large_results(&mut self, chunks: &[String]) {
        self.existing += 1;
        let uri = format!("./Device/Vendor/MSFT/Log/Node{}", self.existing);
        self.server(|draft| draft.ask("Get", &bare(&uri)), true);
        let get = std::mem::take(&mut self.open);
        let size: usize = chunks.iter().map(String::len).sum();
        for (number, chunk) in chunks.iter().enumerate() {
            let last = number + 1 == chunks.len();
            let mut draft = self.client();
            for alert in std::mem::take(&mut self.open) {
                draft.answer(&alert, true);
            }
            for get in get.iter().filter(|_| number == 0) {
                draft.answer(get, true);
            }
            let size = if number == 0 {
                format!("<Meta><Size xmlns=\"syncml:metinf\">{size}</Size></Meta>")
            } else {
                String::new()
            };
            let more = if last { "" } else { "<MoreData/>" };
            let item = format!("<Item><Source><LocURI>{uri}</LocURI></Source>{size}<Data>{chunk}</Data>{more}</Item>");
            let (id, msg) = (get.first().map(|get| draft.results(get, &item)), draft.msg);
            self.send(CLIENT, draft, last);
            if !last {
                let write = move |draft: &mut Draft| {
                    draft.status(msg, id.unwrap_or_default(), "Results", None, "", 213);
                    draft.ask("Alert", "<Data>1222</Data>");
                };
                self.server(write, false);
            }
        }
    }
}

/// The chunks as long as they have to be where the message has room: only what does not fit is cut.
fn filled(chunks: &[String]) -> Vec<String> {
    const ROOM: usize = 31_000;
    let rest = chunks.last().into_iter().cloned();
    let full = chunks.iter().map(|chunk| chunk.chars().cycle().take(ROOM).collect());
    full.take(chunks.len() - 1).chain(rest).collect()
}

fn challenge(nonce: &str) -> String {
    format!(
        "<Chal><Meta><Format xmlns=\"syncml:metinf\">b64</Format><Type xmlns=\"syncml:metinf\">syncml:auth-md5</Type>\
         <NextNonce xmlns=\"syncml:metinf\">{nonce}</NextNonce></Meta></Chal>"
    )
}

/// Writes commands of the server, and knows which nodes there are.
struct Writer {
    existing: usize,
    user: bool,
}

impl Writer {
    /// A node that no command has named yet.
    fn node(&mut self) -> String {
        self.existing += 1;
        let number = self.existing;
        let root = match number % 5 {
            0 if self.user => "./User/Vendor/MSFT",
            1 => "./Vendor/MSFT",
            _ => "./Device/Vendor/MSFT",
        };
        format!("{root}/Policy/Config/Area{}/Setting{number}", number / 7)
    }

    /// Writes a command; `code` is what an Atomic around it makes of it.
    fn step(&mut self, draft: &mut Draft, step: &Step, code: Option<u16>) {
        match step {
            Step::Get(missing) => {
                let nodes: Vec<(String, u16)> =
                    missing.iter().map(|missing| (self.node(), if *missing { 404 } else { 200 })).collect();
                let found = nodes.iter().filter(|(_, code)| *code == 200);
                let results = found.map(|(uri, _)| (uri.clone(), "1".to_owned())).collect();
                let items: String = nodes.iter().map(|(uri, _)| bare(uri)).collect();
                draft.ask_for("Get", &items, statuses(&nodes), results);
            }
            Step::Replace(values) => self.write(draft, "Replace", values, code.unwrap_or(200), 405),
            Step::Add(values) => self.write(draft, "Add", values, code.unwrap_or(200), 418),
            Step::Delete => {
                let item = bare(&self.node());
                draft.ask_for("Delete", &item, vec![(None, code.unwrap_or(200))], Vec::new());
            }
            Step::Exec(later) => {
                let item = bare(&self.node());
                draft.ask_for("Exec", &item, vec![(None, if *later { 202 } else { 200 })], Vec::new());
            }
            Step::Atomic(steps, fails) => {
                let inside = |at: usize| match fails {
                    None => 200,
                    Some(fails) if at == *fails => 500,
                    Some(fails) if at < *fails => 216,
                    Some(_) => 215,
                };
                let code = if fails.is_some() { 507 } else { 200 };
                self.container(
                    draft,
                    "Atomic",
                    code,
                    steps.iter().enumerate().map(|(at, step)| (step, Some(inside(at)))),
                );
            }
            Step::Sequence(steps) => self.container(draft, "Sequence", 200, steps.iter().map(|step| (step, None))),
        }
    }

    fn container<'a>(
        &mut self,
        draft: &mut Draft,
        cmd: &'static str,
        code: u16,
        steps: impl Iterator<Item = (&'a Step, Option<u16>)>,
    ) {
        draft.ask_for(cmd, "", vec![(None, code)], Vec::new());
        let end = format!("</{cmd}>");
        draft.body.truncate(draft.body.len() - end.len());
        for (step, code) in steps {
            self.step(draft, step, code);
        }
        draft.body += &end;
    }

    fn write(&mut self, draft: &mut Draft, cmd: &'static str, values: &[(Value, bool)], code: u16, refused: u16) {
        let nodes: Vec<(String, u16)> =
            values.iter().map(|(_, no)| (self.node(), if *no { refused } else { code })).collect();
        let items: String = nodes.iter().zip(values).map(|((uri, _), (value, _))| item(uri, value)).collect();
        draft.ask_for(cmd, &items, statuses(&nodes), Vec::new());
    }
}

/// One Status where all items fared alike, else one for each.
fn statuses(nodes: &[(String, u16)]) -> Vec<(Option<String>, u16)> {
    match nodes {
        [(_, first), rest @ ..] if rest.iter().all(|(_, code)| code == first) => vec![(None, *first)],
        nodes => nodes.iter().map(|(uri, code)| (Some(uri.clone()), *code)).collect(),
    }
}
