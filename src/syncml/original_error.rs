//! What a Status says in words: its code, and what Windows adds to it with `msft:originalerror`, an HRESULT (MS-MDM).

use super::{Command, Tag, hresult, status};
use crate::escape;

/// Longest value of the attribute that is repeated.
const MAX_VALUE: usize = 20;

/// What Windows adds to the code: `originalerror 0x86000002, node not found`. `None` where it adds nothing.
pub fn of(status: Command<'_>) -> Option<String> {
    let value = status.0.child(Tag::Data)?.attribute("originalerror")?;
    let meaning = hresult::meaning(value).map_or(String::new(), |meaning| format!(", {meaning}"));
    Some(format!("originalerror {}{meaning}", escape::shorten(&escape::line(value), MAX_VALUE)))
}

/// The code with its meaning and what Windows adds; `None` for a Status without code.
pub fn describe(status: Command<'_>) -> Option<String> {
    let code = status::describe(status.data()?);
    Some(match of(status) {
        Some(original) => format!("{code}; {original}"),
        None => code,
    })
}
