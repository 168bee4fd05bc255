//! The alert codes of device management (DMR 7, a closed list).

/// The name of an alert code; `None` for a code that is not on the list.
pub fn name(code: u16) -> Option<&'static str> {
    let name = match code {
        1100 => "display",
        1101 => "confirm or reject",
        1102 => "text input",
        1103 => "single choice",
        1104 => "multiple choice",
        1200 => "server-initiated session",
        1201 => "client-initiated session",
        1222 => "next message",
        1223 => "session abort",
        1224 => "client event",
        1225 => "no end of data",
        1226 => "generic alert",
        _ => return None,
    };
    Some(name)
}
