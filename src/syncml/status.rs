//! The status codes of SyncML and what Windows means by them.
//!
//! The list of RP 10 is closed: any other code below 1000 is invalid; 1000 to 1999 belong to applications. The notes
//! for Windows follow Microsoft's description of its OMA DM client and MS-MDM 2.2.6.1.

/// One code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The code.
    pub code: u16,
    /// Its name in the specification, in lower case.
    pub name: &'static str,
    /// What it says when it comes from Windows; empty where the name says it all.
    pub windows: &'static str,
    /// How much it has to do with device management.
    pub class: Class,
}

/// How much a code has to do with device management.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Named by the device-management representation.
    Core,
    /// Usable.
    General,
    /// Has a meaning in data synchronization only.
    DataSync,
    /// Reserved or undefined: never valid.
    Reserved,
}

/// The code, when it is on the list.
pub fn lookup(code: u16) -> Option<&'static Status> {
    let at = ALL.binary_search_by_key(&code, |status| status.code).ok()?;
    ALL.get(at)
}

/// The code in words: `404 not found (the node does not exist)`.
pub fn describe(code: &str) -> String {
    let code = crate::escape::line(code);
    match code.parse::<u16>().ok().map(|number| (number, lookup(number))) {
        Some((_, Some(status))) if status.windows.is_empty() => format!("{code} {}", status.name),
        Some((_, Some(status))) => format!("{code} {} ({})", status.name, status.windows),
        Some((1000..=1999, None)) => format!("{code} application specific"),
        _ => format!("{code} (not a SyncML status code)"),
    }
}

const fn core(code: u16, name: &'static str, windows: &'static str) -> Status {
    Status { code, name, windows, class: Class::Core }
}

const fn general(code: u16, name: &'static str, windows: &'static str) -> Status {
    Status { code, name, windows, class: Class::General }
}

const fn sync(code: u16, name: &'static str) -> Status {
    Status { code, name, windows: "", class: Class::DataSync }
}

const fn reserved(code: u16, name: &'static str) -> Status {
    Status { code, name, windows: "", class: Class::Reserved }
}

/// All codes, in order.
pub static ALL: &[Status] = &[
    general(101, "in progress", ""),
    core(200, "OK", ""),
    general(201, "item added", ""),
    core(202, "accepted for processing", "asynchronous work, for example an Exec"),
    sync(203, "non-authoritative response"),
    general(204, "no content", ""),
    sync(205, "reset content"),
    sync(206, "partial content"),
    sync(207, "conflict resolved with merge"),
    sync(208, "conflict resolved, client won"),
    sync(209, "conflict resolved with duplicate"),
    sync(210, "deleted without archive"),
    sync(211, "item not deleted"),
    core(212, "authentication accepted", "for the rest of the session"),
    core(213, "chunk accepted and buffered", ""),
    core(214, "operation cancelled", "no more commands are processed in the session"),
    core(215, "not executed", "the user cancelled, or a Sequence was left"),
    core(216, "atomic rollback OK", ""),
    general(300, "multiple choices", ""),
    general(301, "moved permanently", ""),
    general(302, "found", ""),
    general(303, "see other", ""),
    general(304, "not modified", ""),
    general(305, "use proxy", ""),
    general(400, "bad request", "malformed SyncML, a command without CmdID, or no command where one must stand"),
    core(401, "invalid credentials", ""),
    general(402, "payment needed", ""),
    core(403, "forbidden", "understood, but refused"),
    core(404, "not found", "the node does not exist"),
    core(405, "command not allowed", "a write to a read-only node, or a command the session does not take"),
    core(406, "optional feature not supported", "a property the CSP does not support"),
    core(407, "missing credentials", ""),
    core(408, "request timeout", ""),
    sync(409, "conflict"),
    general(410, "gone", ""),
    general(411, "size required", ""),
    core(412, "incomplete command", ""),
    core(413, "request entity too large", ""),
    core(414, "URI too long", ""),
    core(415, "unsupported media type or format", "also data that could not be parsed"),
    core(416, "requested size too big", ""),
    general(417, "retry later", ""),
    core(418, "already exists", "Add of a node that exists"),
    sync(419, "conflict resolved with server data"),
    core(420, "device full", ""),
    sync(421, "unknown search grammar"),
    general(422, "bad CGI script", ""),
    sync(423, "soft-delete conflict"),
    core(424, "size mismatch", ""),
    core(425, "permission denied", "access denied"),
    general(426, "partial item not accepted", ""),
    sync(427, "item not empty"),
    sync(428, "move failed"),
    core(500, "command failed", "an error with no code of its own; also Get or Atomic inside Atomic"),
    general(501, "command not implemented", ""),
    general(502, "bad gateway", ""),
    general(503, "service unavailable", ""),
    general(504, "gateway timeout", ""),
    general(505, "DTD version not supported", ""),
    general(506, "processing error", ""),
    core(507, "atomic failed", "one command of the block failed; also the parent of a nested Atomic"),
    sync(508, "refresh required"),
    reserved(509, "reserved"),
    core(510, "data store failure", ""),
    general(511, "server failure", ""),
    sync(512, "synchronization failed"),
    general(513, "protocol version not supported", ""),
    general(514, "operation cancelled before processing", ""),
    reserved(515, "undefined"),
    core(516, "atomic rollback failed", ""),
    core(517, "atomic response too large", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_it_can_be_searched() {
        assert!(ALL.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert_eq!(lookup(418).unwrap().name, "already exists");
        assert_eq!(lookup(299), None);
    }

    #[test]
    fn codes_in_words() {
        assert_eq!(describe("404"), "404 not found (the node does not exist)");
        assert_eq!(describe("200"), "200 OK");
        assert_eq!(describe("1501"), "1501 application specific");
        assert_eq!(describe("299"), "299 (not a SyncML status code)");
        assert_eq!(describe("\u{1b}x"), "\\u{1b}x (not a SyncML status code)");
    }
}
