//! A JSON text that ends too early, closed so that what is there can be read.

/// What the reader waits for inside an object or array.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wants {
    /// A key, or the end of the object.
    Key,
    /// The colon behind a key.
    Colon,
    /// A value.
    Value,
    /// A comma, or the end.
    Comma,
}

/// The first value of `cut`, ended where the text ends: an open string is closed there, a key without its value is
/// dropped, then everything open is closed. `None` when nothing of a value is there.
pub(super) fn close(cut: &str) -> Option<String> {
    let mut open: Vec<u8> = Vec::new();
    let mut wants = Wants::Value;
    // Where the text can be cut so that only closers are missing, and those closers.
    let mut safe: Option<(usize, Vec<u8>)> = None;
    let bytes = cut.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' if wants == Wants::Value => {
                open.push(if *byte == b'{' { b'}' } else { b']' });
                wants = if *byte == b'{' { Wants::Key } else { Wants::Value };
                safe = Some((at + 1, open.clone()));
            }
            b'}' | b']' => {
                open.pop();
                wants = Wants::Comma;
                if open.is_empty() {
                    return cut.get(..=at).map(str::to_owned);
                }
                safe = Some((at + 1, open.clone()));
            }
            b'"' => match string_end(bytes, at) {
                Some(end) => {
                    at = end - 1;
                    if wants == Wants::Key {
                        wants = Wants::Colon;
                    } else {
                        wants = Wants::Comma;
                        safe = Some((end, open.clone()));
                    }
                }
                None if wants == Wants::Value && !open.is_empty() => return cut_string(cut, at, &open),
                None => break,
            },
            b':' => wants = Wants::Value,
            b',' => wants = if open.last() == Some(&b'}') { Wants::Key } else { Wants::Value },
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ if wants == Wants::Value => {
                // A number or a word; one that ends with the text may be cut, so it counts once something follows.
                let len = bytes.iter().skip(at).take_while(|byte| !matches!(byte, b',' | b'}' | b']')).count();
                if at + len < bytes.len() {
                    wants = Wants::Comma;
                    safe = Some((at + len, open.clone()));
                }
                at += len.max(1) - 1;
            }
            _ => break,
        }
        at += 1;
    }
    let (end, open) = safe?;
    Some(join(cut.get(..end)?, &open))
}

fn join(start: &str, open: &[u8]) -> String {
    let mut closed = start.to_owned();
    closed.extend(open.iter().rev().map(|byte| char::from(*byte)));
    closed
}

/// One past the closing quote of the string at `at`.
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        let rest = bytes.get(at..)?;
        let step = memchr::memchr2(b'"', b'\\', rest)?;
        if rest.get(step) == Some(&b'"') {
            return Some(at + step + 1);
        }
        at += step + 2;
    }
}

/// Closes the string that begins at `at` where the text ends, without an escape that was cut.
fn cut_string(cut: &str, at: usize, open: &[u8]) -> Option<String> {
    let text = cut.get(at..)?;
    // The last 12 bytes hold any escape that can be cut: a surrogate pair is two of six.
    let mut from = text.len().saturating_sub(12).max(1);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let mut end = text.len();
    let mut seek = 1;
    while let Some(back) = text.get(seek..).and_then(|rest| memchr::memchr(b'\\', rest.as_bytes())) {
        let escape = seek + back;
        let len = if text.as_bytes().get(escape + 1) == Some(&b'u') { 6 } else { 2 };
        if escape + len > text.len() {
            end = escape;
            break;
        }
        seek = escape + len;
    }
    Some(join(&[cut.get(..at)?, text.get(..end)?, "\""].concat(), open))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn read(cut: &str) -> Value {
        serde_json::from_str(&close(cut).unwrap()).unwrap()
    }

    #[test]
    fn an_open_string_is_closed_where_the_text_ends() {
        assert_eq!(read(r#"{"a": {"b": "cd"#), serde_json::json!({"a": {"b": "cd"}}));
        assert_eq!(read(r#"{"a": "b\u00e"#), serde_json::json!({"a": "b"}));
        assert_eq!(read(r#"{"a": "b\"#), serde_json::json!({"a": "b"}));
        assert_eq!(read(r#"{"a": "b\\"#), serde_json::json!({"a": "b\\"}));
    }

    #[test]
    fn what_has_no_value_yet_is_dropped() {
        assert_eq!(read(r#"{"a": 1, "b"#), serde_json::json!({"a": 1}));
        assert_eq!(read(r#"{"a": 1, "b": 12"#), serde_json::json!({"a": 1}));
        assert_eq!(read(r#"{"a": [{"c": null}, "#), serde_json::json!({"a": [{"c": null}]}));
        assert_eq!(close("  "), None);
    }

    proptest! {
        #[test]
        fn any_beginning_can_be_closed(cut in 1usize..160) {
            let json = r#"{"a": [1, -2.5e3, {"b": "x\"y\\z\u00e4\ud83d\ude00"}, [], "ü"], "c": {"d": true, "e": null}, "f": ""}"#;
            let cut = json.char_indices().map(|(at, _)| at).nth(cut).unwrap_or(json.len());
            let closed = close(&json[..cut]).unwrap();
            prop_assert!(serde_json::from_str::<Value>(&super::super::mend_surrogates(&closed)).is_ok(), "{}", closed);
        }

        #[test]
        fn nothing_makes_it_panic(text in "[{}\\[\\]\",:\\\\ua1 ]{0,40}") {
            let _ = close(&text);
        }
    }
}
