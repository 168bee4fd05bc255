//! What differs between two sessions: commands aligned by kind, address and order; their outcomes compared.
//!
//! In: two sessions with what the rules say of them, each as an [`Outline`]. Out: a [`Diff`]. Ids, nonces and times
//! are left aside: where they break something, the findings differ. Bounds: those of `align`. Pure: it reads no input and
//! knows no screen.

mod align;
mod json;
mod outline;
mod pairs;
mod text;

pub use align::align;
pub use json::write as write_json;
pub use outline::{Fact, Outline, Step};
pub use pairs::{Pair, pair};
pub use text::{Mark, Shown, lines, write as write_text};

/// How much slower an answer must be to be worth a word: so many times, and at least so many seconds.
const SLOWER: (u32, u64) = (3, 1);

/// Two sessions side by side.
#[derive(Clone, Debug)]
pub struct Diff {
    /// What differs of the sessions as wholes.
    pub changes: Vec<Change>,
    /// Their messages and commands, in order.
    pub rows: Vec<Row>,
}

/// A message or command of one session, or of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its place among the steps of the first session.
    pub a: Option<usize>,
    /// The same of the second.
    pub b: Option<usize>,
    /// What differs of it.
    pub changes: Vec<Change>,
    /// What differs and is no fault: how long an answer took.
    pub note: Option<String>,
}

/// A fact that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it is: `status`, `results`.
    pub name: &'static str,
    /// The first session's.
    pub a: Option<String>,
    /// The second's.
    pub b: Option<String>,
}

impl Row {
    /// Whether both sessions have it, with nothing that differs.
    pub fn is_same(&self) -> bool {
        self.a.is_some() && self.b.is_some() && self.changes.is_empty()
    }
}

impl Diff {
    /// Compares two sessions.
    pub fn of(a: &Outline, b: &Outline) -> Diff {
        let keys = |outline: &Outline| outline.steps.iter().map(|step| step.key.clone()).collect::<Vec<_>>();
        let rows = align(&keys(a), &keys(b)).into_iter().map(|(at, bt)| row(a, b, at, bt));
        Diff { changes: changes(&a.facts, &b.facts), rows: rows.collect() }
    }

    /// Whether nothing differs.
    pub fn is_same(&self) -> bool {
        self.changes.is_empty() && self.rows.iter().all(Row::is_same)
    }
}

fn row(a: &Outline, b: &Outline, at: Option<usize>, bt: Option<usize>) -> Row {
    let both = at.and_then(|at| a.steps.get(at)).zip(bt.and_then(|bt| b.steps.get(bt)));
    let changes = both.map(|(a, b)| changes(&a.facts, &b.facts)).unwrap_or_default();
    Row { a: at, b: bt, changes, note: both.and_then(|(a, b)| slower(a, b)) }
}

/// The facts that differ, in their order.
fn changes(a: &[Fact], b: &[Fact]) -> Vec<Change> {
    let find = |facts: &[Fact], name: &str| facts.iter().find(|fact| fact.name == name).cloned();
    let mut names: Vec<&'static str> = a.iter().map(|fact| fact.name).collect();
    names.extend(b.iter().map(|fact| fact.name).filter(|name| find(a, name).is_none()));
    let change = |name: &'static str| {
        let (a, b) = (find(a, name), find(b, name));
        let same = a.as_ref().map(|fact| fact.hash) == b.as_ref().map(|fact| fact.hash);
        (!same).then(|| Change { name, a: a.map(|fact| fact.text), b: b.map(|fact| fact.text) })
    };
    names.into_iter().filter_map(change).collect()
}

fn slower(a: &Step, b: &Step) -> Option<String> {
    let (first, second) = a.after.zip(b.after)?;
    let (less, more) = (first.min(second), first.max(second));
    let (times, seconds) = SLOWER;
    let far = more.as_secs() >= seconds && less.saturating_mul(times) <= more;
    far.then(|| format!("came after {:.1} s and after {:.1} s", first.as_secs_f64(), second.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Body, InputId};
    use crate::limits::Limits;
    use crate::origin::Origin;
    use crate::session::{Assembler, Session};
    use crate::syncml::{Message, Side};
    use crate::time::Time;
    use crate::transcript::Document;

    /// A session of a device with three messages: MsgIDs and CmdIDs from `first` on, the status of the second command, and
    /// seconds until the answer comes.
    fn session(device: &str, first: u32, status: u16, seconds: i64, nonce: &str) -> Session {
        let header = |id: u32, source: &str, target: &str| {
            format!(
                "<SyncHdr><VerProto>DM/1.2</VerProto><SessionID>{first}</SessionID><MsgID>{id}</MsgID>\
                 <Target><LocURI>{target}</LocURI></Target><Source><LocURI>{source}</LocURI></Source></SyncHdr>"
            )
        };
        let (server, next) = ("https://a/b", first + 1);
        let asked = format!(
            "{}<SyncBody><Alert><CmdID>{first}</CmdID><Data>1201</Data></Alert>\
             <Replace><CmdID>{next}</CmdID><Item><Source><LocURI>./DevInfo/DevId</LocURI></Source><Data>{device}</Data></Item></Replace></SyncBody>",
            header(1, device, server)
        );
        let told = format!(
            "{}<SyncBody><Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd>\
             <Chal><Meta><Type>syncml:auth-md5</Type><NextNonce>{nonce}</NextNonce></Meta></Chal><Data>212</Data></Status>\
             <Get><CmdID>{next}</CmdID><Item><Target><LocURI>./DevDetail/SwV</LocURI></Target></Item></Get></SyncBody>",
            header(1, server, device)
        );
        let answered = format!(
            "{}<SyncBody><Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>{next}</CmdRef><Cmd>Get</Cmd><Data>{status}</Data></Status></SyncBody>",
            header(2, device, server)
        );
        let (mut sessions, mut assembler) = (Vec::new(), Assembler::new(&Limits::default()));
        for (text, side, at) in
            [(asked, Side::Client, 0), (told, Side::Server, seconds), (answered, Side::Client, seconds + 1)]
        {
            let body = Body::whole(format!("<SyncML>{text}</SyncML>").into_bytes(), Origin::default());
            let document = Document { body, side: Some(side), at: Some(Time(at * 1_000_000_000)), position: None };
            let message = Message::from_document(document, InputId(0), &Limits::default());
            assembler.document(message, &mut |session| sessions.push(session));
        }
        assembler.finish(&mut |session| sessions.push(session));
        assert_eq!(sessions.len(), 1);
        sessions.remove(0)
    }

    fn diff(a: &Session, b: &Session) -> (Diff, Vec<String>) {
        let (a, b) = (Outline::of(a, &[], false), Outline::of(b, &[], false));
        let diff = Diff::of(&a, &b);
        let lines = lines(&a, &b, &diff, false);
        (
            diff,
            lines.iter().map(|line| format!("{}{}{}", line.left.trim(), line.mark.sign(), line.right.trim())).collect(),
        )
    }

    #[test]
    fn ids_nonces_and_names_make_no_difference() {
        let (diff, lines) =
            diff(&session("urn:one", 1, 200, 1, "bm9uY2U="), &session("urn:another", 7, 200, 2, "b3RoZXI="));
        assert!(diff.is_same(), "{lines:?}");
        assert_eq!(lines, ["… 6 more, the same on both sides "]);
    }

    #[test]
    fn outcomes_and_slow_answers_are_told() {
        let (diff, lines) = diff(&session("urn:one", 1, 200, 1, "x"), &session("urn:one", 1, 404, 9, "x"));
        assert!(!diff.is_same());
        assert!(lines.iter().any(|line| line.starts_with("status: 200 OK|status: 404")), "{lines:?}");
        assert!(lines.iter().any(|line| line.contains("came after 1.0 s and after 9.0 s")), "{lines:?}");
    }

    #[test]
    fn a_slow_answer_alone_is_no_difference() {
        assert!(diff(&session("urn:one", 1, 200, 1, "x"), &session("urn:one", 1, 200, 9, "x")).0.is_same());
    }

    #[test]
    fn sessions_of_a_device_go_together() {
        let outline = |device: &str| Outline::of(&session(device, 1, 200, 1, "x"), &[], false);
        let (a, b) = ([outline("urn:one"), outline("urn:two")], [outline("urn:two"), outline("urn:three")]);
        assert_eq!(pair(&a, &b), [(Some(0), None), (Some(1), Some(0)), (None, Some(1))]);
        assert_eq!(pair(&a[..1], &b[1..]), [(Some(0), Some(0))]);
    }
}
