//! Every bound of the program, with its default and its reason, in one place.
//!
//! Input is hostile: whatever grows with the input has a limit here. Reaching one is never silent, it is an
//! [`crate::anomaly::Anomaly`] of kind `limit.*` and shows in the report's notes.

/// The bounds of one run. [`Limits::default`] fits DM traffic, whose messages are kilobytes.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of one record or block of a capture file. Packets are at most 256 KiB; key logs may be longer.
    pub record: usize,
    /// Interfaces of one pcapng section.
    pub interfaces: usize,
    /// Bytes of TLS key logs kept from a capture.
    pub key_logs: usize,
    /// TLS connections of which key logs give the secrets; each costs some 300 bytes.
    pub secrets: usize,
    /// TLS sessions remembered because they may be resumed, where an RSA key is given.
    pub resumable: usize,
    /// Bytes of one TLS connection kept while its keys may still come, which is when a capture is read from a pipe.
    pub parked: usize,
    /// The same of all connections that ended meanwhile.
    pub parked_in_all: usize,
    /// TCP connections known at once, ended ones too while there is room: late packets of those are not new ones. A busy
    /// server's capture has tens of thousands; an open one costs about 1.5 KiB, an ended one 150 bytes.
    pub flows: usize,
    /// Segments kept per direction while waiting for a missing one. A window of 1 MiB is about 700 segments.
    pub out_of_order: usize,
    /// Bytes waiting in one direction: buffered stream and out-of-order segments. Above it, the message is given up.
    pub stream_bytes: usize,
    /// Bytes held by all connections together; above it the one idle for longest is given up.
    pub tcp_bytes: usize,
    /// IP datagrams being put together from fragments at once.
    pub fragmented_datagrams: usize,
    /// Fragments of one IP datagram. 64 KiB over the smallest links in use (576 bytes) are 119.
    pub fragments: usize,
    /// One HTTP head. nginx and IIS refuse above 16 to 32 KiB.
    pub http_head: usize,
    /// Headers in one head.
    pub http_headers: usize,
    /// Octets of the header table that each direction of an HTTP/2 connection teaches. Peers agree on 4096, browsers on 64 KiB.
    pub http2_table: usize,
    /// Requests of one connection that wait for their response, or open HTTP/2 streams. Beyond it the oldest is taken as
    /// unanswered.
    pub pipelined: usize,
    /// One body as it was sent. ADMX ingestion, the largest payload seen in the field, is a few MiB.
    pub body: usize,
    /// Bytes kept of a body that begins as no document, uncoded: pages of errors and answers in JSON are shorter, downloads are not.
    pub other_body: usize,
    /// One body after its content codings are removed.
    pub decoded_body: usize,
    /// Decoded bytes per coded byte, past the first MiB. Deflate cannot exceed 1032; real XML stays below 30.
    pub decode_ratio: usize,
    /// Content codings stacked on one body.
    pub codings: usize,
    /// Nodes of one document.
    pub nodes: usize,
    /// Depth of one document. A DM message needs about 12.
    pub depth: usize,
    /// Attributes of one element.
    pub attributes: usize,
    /// Sessions open at once; past it the one idle for longest is closed as it stands.
    pub sessions: usize,
    /// Messages of one session; past it the session is closed as it stands and a new one begins.
    pub session_messages: usize,
    /// Bytes of all open sessions together: bodies and documents that rules still need.
    pub session_bytes: usize,
    /// Bytes of requests that do not matter by themselves, kept until their responses tell; of their bodies, half as much.
    pub unanswered: usize,
    /// Bytes of bodies that wait to be read as documents, or were read and wait for their turn.
    pub bodies_under_way: usize,
    /// Bytes of closed sessions that wait to be judged, or for their turn to be reported: some hundred of usual size.
    pub sessions_under_way: usize,
    /// Entries of one HAR; what comes after is not read. A browser's recording of a day has some ten thousand.
    pub entries: usize,
    /// Sessions of a capture that are compared with those of another; each keeps its commands with their outcomes.
    pub compared: usize,
    /// One line of exported messages: the largest decoded body in base64, with room for what stands around it.
    pub line: usize,
    /// Unpacked bytes of a compressed capture per compressed byte, past the first 64 MiB.
    pub unpack_ratio: usize,
    /// Findings of one rule kept per session; the rest is counted.
    pub findings_per_rule: usize,
    /// Devices whose earlier sessions are remembered for rules that look over several; each costs a few hundred bytes.
    pub devices: usize,
    /// Hosts of an input told apart among the connections that cannot be decrypted. An office reaches some thousand.
    pub encrypted_hosts: usize,
    /// Names that are asked for in DNS, and addresses that they have; a device asks for some hundred a day.
    pub names: usize,
    /// Findings, sessions and unjudged messages kept for a report, each; the rest is counted. A finding has about 1 KiB.
    pub reported: usize,
    /// Steps that an own rule may take to judge one place: some milliseconds. A rule that looks at every item of a large
    /// message takes some thousand.
    pub rule_steps: u64,
    /// The same in one session, for all its places, and for a rule that looks at the whole session.
    pub rule_steps_per_session: u64,
}

/// Bytes of one expression of an own rule. The longest that one can read has some hundred.
pub const RULE_EXPRESSION: usize = 8 * KIB;
/// Levels of one expression: reading and running it use the stack for each.
pub const RULE_DEPTH: usize = 64;
/// Macros of an expression in each other: each multiplies what it costs to run.
pub const RULE_VARIABLES: usize = 6;
/// Bytes of a pattern of an own rule.
pub const RULE_PATTERN: usize = KIB;
/// Bytes of memory that a pattern may take, once for the pattern and once for running it.
pub const RULE_PATTERN_MEMORY: usize = 256 * KIB;
/// Bytes of an own rule's page. The longest of the built-in rules has 20 KiB.
pub const RULE_PAGE: u64 = 256 * KIB as u64;
/// Pages of own rules in one directory.
pub const RULE_PAGES: usize = 1000;

/// Unpacked bytes of a compressed input that no ratio is asked of: a minute of idling, or a log of one repeated line, packs
/// better than any bound.
pub const UNPACK_FREE: u64 = 64 * 1024 * 1024;

/// Bytes of a configuration file. One with a thousand entries has some 100 KiB.
pub const CONFIG: u64 = 1024 * 1024;

/// Entries of one list of a configuration file: far more than a person keeps in order.
pub const CONFIG_ENTRIES: usize = 10_000;

/// Bytes of a baseline. An entry has some 150.
pub const BASELINE: u64 = 32 * 1024 * 1024;

/// Entries of a baseline: kinds of faults, not faults. A server with more of them has other work to do.
pub const BASELINE_ENTRIES: usize = 100_000;

/// Comments for this program kept of one document: each is looked up in it.
pub const REMARKS: usize = 32;

/// Packets and entries whose comments for this program are kept: people write them by hand.
pub const REMARKED: usize = 10_000;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// What all that is kept may take together, unless `--max-memory` says otherwise.
pub const MEMORY: usize = 1024 * MIB;
/// With less than this a large message cannot be put together beside the others of a busy capture.
pub const LEAST_MEMORY: usize = 64 * MIB;

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            record: 16 * MIB,
            interfaces: 65_536,
            key_logs: 16 * MIB,
            secrets: 262_144,
            resumable: 65_536,
            parked: 4 * MIB,
            parked_in_all: 96 * MIB,
            flows: 90_112,
            out_of_order: 1024,
            stream_bytes: 16 * MIB,
            tcp_bytes: 160 * MIB,
            fragmented_datagrams: 256,
            fragments: 256,
            http_head: 64 * KIB,
            http_headers: 128,
            http2_table: 64 * KIB,
            pipelined: 256,
            body: 16 * MIB,
            other_body: 16 * KIB,
            decoded_body: 64 * MIB,
            decode_ratio: 200,
            codings: 4,
            nodes: 1_000_000,
            depth: 64,
            attributes: 64,
            sessions: 16_384,
            session_messages: 2_000,
            session_bytes: 48 * MIB,
            unanswered: 8 * MIB,
            bodies_under_way: 16 * MIB,
            sessions_under_way: 48 * MIB,
            entries: 1_000_000,
            compared: 10_000,
            line: 96 * MIB,
            unpack_ratio: 200,
            findings_per_rule: 100,
            devices: 16_384,
            encrypted_hosts: 16_384,
            names: 16_384,
            reported: 90_000,
            rule_steps: 200_000,
            rule_steps_per_session: 2_000_000,
        }
    }
}

impl Limits {
    /// The bounds for which all that is kept stays within `memory` bytes. Each pool has its share: what is given up does not depend
    /// on what another pool happens to hold, nor on threads.
    pub fn within(memory: usize) -> Limits {
        let mut limits = Limits::default();
        for (bound, _) in limits.pools() {
            let share = *bound as u128 * memory as u128 / MEMORY as u128;
            *bound = usize::try_from(share).unwrap_or(usize::MAX).max(1);
        }
        limits
    }

    /// What takes memory as the input wants it: each bound, and the bytes that one of what it counts takes, about.
    fn pools(&mut self) -> [(&mut usize, usize); 18] {
        [
            (&mut self.tcp_bytes, 1),
            (&mut self.parked_in_all, 1),
            (&mut self.flows, 1536),
            (&mut self.fragmented_datagrams, 64 * KIB),
            (&mut self.session_bytes, 1),
            (&mut self.unanswered, 1),
            (&mut self.bodies_under_way, 1),
            (&mut self.sessions_under_way, 1),
            (&mut self.key_logs, 1),
            (&mut self.secrets, 300),
            (&mut self.resumable, 300),
            (&mut self.devices, KIB),
            (&mut self.reported, KIB),
            (&mut self.names, 512),
            (&mut self.encrypted_hosts, 512),
            // The body that is being decoded, and what it was copied to.
            (&mut self.decoded_body, 2),
            (&mut self.body, 1),
            (&mut self.nodes, 64),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_pools_full_stay_within_the_memory_that_is_given() {
        for memory in [LEAST_MEMORY, 256 * MIB, MEMORY, 4 * MEMORY] {
            let all: usize = Limits::within(memory).pools().into_iter().map(|(bound, each)| *bound * each).sum();
            assert!(all <= memory, "{} MiB of {}", all / MIB, memory / MIB);
        }
        let mut limits = Limits::default();
        let defaults = limits.pools().map(|(bound, _)| *bound);
        assert_eq!(Limits::within(MEMORY).pools().map(|(bound, _)| *bound), defaults);
    }
}
