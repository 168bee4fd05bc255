//! Cases of TCP that captures really hold, on a consumer that keeps what it is given.

use super::*;
use crate::origin::Unit;
use crate::stream::End;

/// What one connection gave: per direction `bytes`, `<gap>` in them, and its end.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    number: u32,
    client: u16,
    from_start: bool,
    text: [String; 2],
    ends: [Option<End>; 2],
    notes: usize,
}

struct Collect {
    seen: Seen,
}

impl Collect {
    fn take(&mut self, streams: &mut [Stream; 2]) {
        for (stream, text) in streams.iter_mut().zip(&mut self.seen.text) {
            loop {
                text.push_str(&String::from_utf8_lossy(stream.bytes()));
                stream.consume(stream.bytes().len());
                let Some(gap) = stream.skip_gap() else { break };
                text.push_str(&format!("<{}>", gap.len.unwrap_or_default()));
            }
            self.seen.notes += stream.take_notes().len();
        }
    }
}

impl Consumer for Collect {
    type Context = ();
    type Event = Seen;

    fn open((): &(), opening: Opening, _: &Arc<Limits>) -> Collect {
        let Opening { number, client, from_start, .. } = opening;
        let (text, ends) = Default::default();
        Collect { seen: Seen { number, client: client.port(), from_start, text, ends, notes: 0 } }
    }

    fn speaker(first: &[u8]) -> Option<Role> {
        first.starts_with(b"hello").then_some(Role::Client)
    }

    fn advance(&mut self, streams: &mut [Stream; 2], _: &mut dyn FnMut(Seen)) {
        self.take(streams);
    }

    fn close(&mut self, streams: &mut [Stream; 2], _: Option<Time>, out: &mut dyn FnMut(Seen)) {
        self.take(streams);
        self.seen.ends = streams.each_ref().map(Stream::end);
        out(self.seen.clone());
    }

    fn held(&self) -> usize {
        0
    }

    fn wants_more(&self) -> bool {
        !self.seen.text[0].starts_with("ignore")
    }
}

const CLIENT: u16 = 50_000;
const SERVER: u16 = 80;

/// Feeds a table; every segment is a millisecond after the one before.
struct Feed {
    table: Table<Collect>,
    frame: u32,
    seen: Vec<Seen>,
}

impl Feed {
    fn new() -> Feed {
        Feed::with(&Limits::default())
    }

    fn with(limits: &Limits) -> Feed {
        Feed { table: Table::new((), limits), frame: 0, seen: Vec::new() }
    }

    /// From `source` to `destination`; flags as letters of S, A, F, R, and P for none.
    fn raw(&mut self, ports: (u16, u16), flags: &str, (seq, ack): (u32, u32), payload: &[u8], cut: u32) {
        self.frame += 1;
        let at = Some(Time(i64::from(self.frame) * 1_000_000));
        let address = |port| SocketAddr::from(([10, 0, 0, 1], port));
        let run = Run { at: 0, unit: Unit::Frame(self.frame), offset: 54, time: at, exact: true };
        let has = |letter| flags.contains(letter);
        let segment = Segment {
            source: address(ports.0),
            destination: address(ports.1),
            seq,
            ack,
            flags: Flags { syn: has('S'), ack: has('A'), fin: has('F'), rst: has('R') },
            payload,
            cut,
            origin: SegmentOrigin::Frame(run),
            at,
        };
        self.table.segment(&segment, &mut |seen| self.seen.push(seen));
    }

    fn client(&mut self, flags: &str, numbers: (u32, u32), payload: &str) {
        self.raw((CLIENT, SERVER), flags, numbers, payload.as_bytes(), 0);
    }

    fn server(&mut self, flags: &str, numbers: (u32, u32), payload: &str) {
        self.raw((SERVER, CLIENT), flags, numbers, payload.as_bytes(), 0);
    }

    /// A handshake with the initial numbers 100 and 500.
    fn open() -> Feed {
        let mut feed = Feed::new();
        feed.shake();
        feed
    }

    fn shake(&mut self) {
        self.client("S", (100, 0), "");
        self.server("SA", (500, 101), "");
        self.client("A", (101, 501), "");
    }

    fn finish(mut self) -> Vec<Seen> {
        self.table.finish(&mut |seen| self.seen.push(seen));
        self.seen
    }

    /// What the only connection gave.
    fn one(self) -> Seen {
        let seen = self.finish();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen[0].clone()
    }
}

#[test]
fn a_fin_with_data_ends_behind_the_data() {
    let mut feed = Feed::open();
    feed.client("AF", (101, 501), "bye");
    feed.server("A", (501, 105), "");
    feed.server("AF", (501, 105), "");
    assert_eq!(feed.seen.len(), 1, "closed at once");
    let seen = feed.one();
    assert_eq!(seen.text, ["bye", ""]);
    assert_eq!(seen.ends, [Some(End::Closed); 2]);
}

#[test]
fn a_fin_before_its_data_waits_for_it() {
    let mut feed = Feed::open();
    feed.server("A", (501, 101), "one");
    feed.server("AF", (507, 101), "");
    feed.client("AF", (101, 508), "");
    feed.server("A", (504, 101), "two");
    assert_eq!(feed.seen.len(), 1);
    assert_eq!(feed.one().text, ["", "onetwo"]);
}

#[test]
fn a_plain_ack_begins_nothing() {
    let mut feed = Feed::open();
    feed.client("A", (101, 501), "");
    feed.server("A", (501, 101), "data");
    feed.client("A", (101, 505), "");
    feed.client("A", (101, 505), "hello");
    let seen = feed.one();
    assert_eq!((seen.client, seen.from_start, seen.text), (CLIENT, true, ["hello".to_owned(), "data".to_owned()]));
}

#[test]
fn a_full_buffer_gives_up_the_gap_not_the_connection() {
    let mut feed = Feed::with(&Limits { out_of_order: 4, ..Limits::default() });
    feed.shake();
    for number in 0..10 {
        feed.client("A", (111 + number * 2, 501), "ab");
    }
    feed.client("A", (131, 501), "end");
    assert_eq!(feed.one().text[0], format!("<10>{}end", "ab".repeat(10)));
}

#[test]
fn keep_alives_and_probes_are_no_data() {
    let mut feed = Feed::open();
    feed.client("A", (101, 501), "hello");
    feed.client("A", (105, 501), "");
    feed.client("A", (105, 501), "\0");
    feed.server("A", (501, 106), "");
    // A zero-window probe: the next byte, sent again with more when the window opens.
    feed.client("A", (106, 501), " ");
    feed.server("A", (501, 106), "");
    feed.client("A", (106, 501), " you");
    let seen = feed.one();
    assert_eq!((seen.text[0].as_str(), seen.notes), ("hello you", 0));
}

#[test]
fn the_first_copy_wins_and_another_is_noted() {
    let mut feed = Feed::open();
    feed.client("A", (104, 501), "lo-you");
    feed.client("A", (101, 501), "helLO-");
    feed.client("A", (107, 501), "YOU!");
    let seen = feed.one();
    assert_eq!((seen.text[0].as_str(), seen.notes), ("hello-you!", 1), "the second was consumed before it came again");
}

#[test]
fn what_the_receiver_has_is_not_waited_for_long() {
    let mut feed = Feed::open();
    feed.client("A", (111, 501), "later");
    feed.server("A", (501, 116), "");
    assert!(feed.seen.is_empty());
    for _ in 0..70 {
        feed.server("A", (501, 116), "");
    }
    feed.client("RA", (116, 501), "");
    let seen = feed.one();
    assert_eq!((seen.text[0].as_str(), seen.ends[0]), ("<10>later", Some(End::Reset)));
}

#[test]
fn what_the_receiver_lacks_is_waited_for() {
    let mut feed = Feed::open();
    feed.client("A", (111, 501), "later");
    for _ in 0..300 {
        feed.server("A", (501, 101), "");
    }
    feed.client("A", (101, 501), "again----+");
    assert_eq!(feed.one().text[0], "again----+later");
}

#[test]
fn bytes_cut_off_in_capturing_are_a_gap_at_once() {
    let mut feed = Feed::open();
    feed.raw((CLIENT, SERVER), "A", (101, 501), b"hello", 20);
    feed.raw((CLIENT, SERVER), "A", (126, 501), b"", 7);
    feed.client("AF", (133, 501), "x");
    let seen = feed.one();
    assert_eq!((seen.text[0].as_str(), seen.ends[0]), ("hello<20><7>x", Some(End::Closed)));
}

#[test]
fn a_tail_that_was_acknowledged_is_a_gap_but_a_fin_alone_is_none() {
    let mut feed = Feed::open();
    feed.client("A", (101, 501), "hello");
    feed.server("A", (501, 126), "");
    assert_eq!(feed.one().text[0], "hello<20>");

    let mut feed = Feed::open();
    feed.client("A", (101, 501), "hello");
    feed.server("A", (501, 107), "");
    assert_eq!(feed.one().text[0], "hello");
}

#[test]
fn bytes_come_after_those_that_their_sender_had() {
    let mut feed = Feed::open();
    feed.server("A", (501, 106), "answer");
    assert!(feed.table.segments() == 4 && feed.seen.is_empty());
    feed.client("A", (101, 501), "hello");
    feed.client("R", (106, 0), "");
    assert_eq!(feed.one().text, ["hello", "answer"]);
}

#[test]
fn one_missing_byte_is_waited_for_like_many() {
    let mut feed = Feed::open();
    feed.server("A", (501, 101), "answe");
    feed.client("A", (101, 507), "hello");
    feed.server("A", (506, 106), "r");
    feed.client("A", (106, 507), " again");
    assert_eq!(feed.one().text, ["hello again", "answer"]);

    let mut feed = Feed::open();
    feed.server("A", (501, 101), "answe");
    feed.client("A", (101, 507), "hello");
    assert_eq!(feed.one().text, ["hello", "answe<1>"]);
}

#[test]
fn without_a_syn_the_content_or_the_port_tells_the_client() {
    for (ports, text, client) in [
        ((80, 50_000), "hello", 80),
        ((50_000, 80), "hello", 50_000),
        ((80, 50_000), "what", 50_000),
        ((50_000, 80), "what", 50_000),
    ] {
        let mut feed = Feed::new();
        feed.raw(ports, "A", (7, 9), text.as_bytes(), 0);
        let seen = feed.one();
        assert_eq!((seen.client, seen.from_start), (client, false), "{ports:?} {text}");
    }
}

#[test]
fn a_syn_ack_alone_tells_the_client_too() {
    let mut feed = Feed::new();
    feed.server("SA", (500, 101), "");
    feed.client("A", (101, 501), "what");
    let seen = feed.one();
    assert_eq!((seen.client, seen.from_start, seen.text[0].as_str()), (CLIENT, true, "what"));
}

#[test]
fn a_late_syn_tells_the_client_of_what_came() {
    // By its port, the side that sends first is the server.
    let mut feed = Feed::new();
    feed.raw((80, 50_000), "A", (101, 501), b"what", 0);
    feed.raw((80, 50_000), "S", (100, 0), b"", 0);
    feed.raw((50_000, 80), "SA", (500, 101), b"", 0);
    feed.raw((50_000, 80), "A", (501, 105), b"that", 0);
    let seen = feed.one();
    assert_eq!((seen.client, seen.text), (80, ["what".to_owned(), "that".to_owned()]));
}

/// Numbers of the connections that gave something, and how many there were in all.
fn numbers(feed: Feed) -> (Vec<u32>, u32) {
    let streams = feed.table.streams();
    (feed.finish().iter().map(|seen| seen.number).collect(), streams)
}

#[test]
fn connections_are_numbered_as_tshark_does() {
    // The same initial number again is the same connection, even after its end.
    let mut feed = Feed::new();
    feed.client("S", (100, 0), "");
    feed.server("RA", (0, 101), "");
    feed.shake();
    feed.client("A", (101, 501), "x");
    assert_eq!(numbers(feed), (vec![0], 1));

    // A late copy of its SYN does not begin it anew.
    let mut feed = Feed::open();
    feed.client("AF", (101, 501), "x");
    feed.server("AF", (501, 103), "");
    feed.client("S", (100, 0), "");
    feed.server("A", (501, 103), "");
    assert_eq!(numbers(feed), (vec![0], 1));

    // Another one is another connection, closed before or not.
    let mut feed = Feed::open();
    feed.client("A", (101, 501), "x");
    feed.client("S", (7000, 0), "");
    feed.server("SA", (900, 7001), "");
    feed.client("A", (7001, 901), "y");
    feed.client("AF", (7002, 901), "");
    feed.server("AF", (901, 7003), "");
    feed.client("A", (7003, 902), "");
    feed.server("S", (777, 0), "");
    feed.server("A", (778, 0), "z");
    assert_eq!(numbers(feed), (vec![0, 1, 2], 3));

    // A SYN-ACK never begins one, a SYN after data of an unseen beginning does.
    let mut feed = Feed::open();
    feed.server("SA", (9000, 8001), "");
    assert_eq!(numbers(feed), (vec![], 1));
    let mut feed = Feed::new();
    feed.client("A", (101, 501), "x");
    feed.client("S", (7000, 0), "");
    feed.client("A", (7001, 0), "y");
    assert_eq!(numbers(feed), (vec![0, 1], 2));
}

#[test]
fn a_syn_that_comes_late_begins_what_came() {
    let mut feed = Feed::new();
    feed.client("A", (106, 501), "world");
    feed.client("A", (101, 501), "hello");
    feed.client("S", (100, 0), "");
    assert_eq!(feed.table.streams(), 1);
    let seen = feed.one();
    assert_eq!((seen.from_start, seen.text[0].as_str()), (true, "helloworld"));
}

#[test]
fn the_connection_idle_for_longest_makes_room() {
    let limits = Limits { flows: 2, ..Limits::default() };
    let mut feed = Feed::with(&limits);
    for port in [1001, 1002, 1001, 1003] {
        feed.raw((port, 80), "A", (1, 1), b"x", 0);
    }
    let clients: Vec<u16> = feed.seen.iter().map(|seen| seen.client).collect();
    assert_eq!(clients, [1002]);
    let notes = feed.table.finish(&mut |_| {});
    assert_eq!(notes.iter().map(|note| note.kind).collect::<Vec<_>>(), [crate::anomaly::Kind::LimitFlows]);
}

#[test]
fn bytes_held_by_all_are_bounded() {
    let mut feed = Feed::with(&Limits { tcp_bytes: 1000, ..Limits::default() });
    for port in 1000..1100 {
        feed.raw((port, 80), "S", (1, 0), b"", 0);
        feed.raw((port, 80), "A", (50, 0), &[b'x'; 100], 0);
    }
    assert!((80..100).contains(&feed.seen.len()), "{}", feed.seen.len());
}

#[test]
fn what_nobody_reads_is_not_kept() {
    let mut feed = Feed::open();
    feed.client("A", (101, 501), "ignore me");
    assert_eq!(feed.seen.len(), 1);
    feed.client("A", (110, 501), "more");
    feed.server("AF", (501, 114), "more");
    assert_eq!((feed.table.streams(), feed.one().text[0].as_str()), (1, "ignore me"));
}

#[test]
fn two_sides_that_wait_for_each_other_are_freed() {
    let mut feed = Feed::open();
    feed.client("A", (101, 600), "hello");
    feed.server("A", (501, 200), "world");
    feed.client("A", (106, 600), "!");
    let seen = feed.one();
    assert!(seen.text[0].starts_with("hello") && seen.text[1].starts_with("world"), "{seen:?}");
}
