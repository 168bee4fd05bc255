//! tnetstrings, in which mitmproxy writes its flows: `LENGTH:PAYLOAD` and one byte for the type.
//!
//! In: bytes. Out: one value, borrowed, and what follows it. Bounds: [`MAX_DEPTH`], and the caller's on the number of values.

use std::borrow::Cow;

/// Values within values. A flow has about six.
const MAX_DEPTH: u32 = 16;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    /// Bytes or text.
    Bytes(&'a [u8]),
    Int(i64),
    Float(f64),
    Bool(bool),
    Null,
    List(Vec<Value<'a>>),
    Dict(Vec<(Value<'a>, Value<'a>)>),
}

/// The value of a key that is not there.
const ABSENT: &Value<'static> = &Value::Null;

impl<'a> Value<'a> {
    /// The value that `bytes` begin with, and the bytes behind it. `None` when it is cut or damaged, or has more than
    /// `most` values within it.
    pub(super) fn read(bytes: &'a [u8], most: usize) -> Option<(Value<'a>, &'a [u8])> {
        Value::inner(bytes, MAX_DEPTH, &mut { most })
    }

    fn inner(bytes: &'a [u8], depth: u32, left: &mut usize) -> Option<(Value<'a>, &'a [u8])> {
        *left = left.checked_sub(1)?;
        let depth = depth.checked_sub(1)?;
        let digits = bytes.iter().take(12).take_while(|byte| byte.is_ascii_digit()).count();
        let length = std::str::from_utf8(bytes.get(..digits)?).ok()?.parse().ok()?;
        let (payload, rest) = bytes.get(digits..)?.strip_prefix(b":")?.split_at_checked(length)?;
        let (kind, rest) = rest.split_first()?;
        let text = || std::str::from_utf8(payload).ok();
        let value = match kind {
            b',' | b';' => Value::Bytes(payload),
            b'#' => Value::Int(text()?.parse().ok()?),
            b'^' => Value::Float(text()?.parse().ok()?),
            b'!' => Value::Bool(payload == b"true"),
            b'~' => Value::Null,
            b']' => Value::List(Value::all(payload, depth, left)?),
            b'}' => {
                let mut pairs = Vec::new();
                let mut values = Value::all(payload, depth, left)?.into_iter();
                while let Some(key) = values.next() {
                    pairs.push((key, values.next()?));
                }
                Value::Dict(pairs)
            }
            _ => return None,
        };
        Some((value, rest))
    }

    fn all(mut payload: &'a [u8], depth: u32, left: &mut usize) -> Option<Vec<Value<'a>>> {
        let mut values = Vec::new();
        while !payload.is_empty() {
            let (value, rest) = Value::inner(payload, depth, left)?;
            values.push(value);
            payload = rest;
        }
        Some(values)
    }

    /// The value of a key; null when there is none.
    pub(super) fn get(&self, key: &str) -> &Value<'a> {
        let Value::Dict(pairs) = self else { return ABSENT };
        let found = pairs.iter().find(|(name, _)| matches!(name, Value::Bytes(bytes) if *bytes == key.as_bytes()));
        found.map_or(ABSENT, |(_, value)| value)
    }

    /// The elements of a list.
    pub(super) fn list(&self) -> &[Value<'a>] {
        if let Value::List(values) = self { values } else { &[] }
    }

    /// Bytes, when it has any.
    pub(super) fn bytes(&self) -> Option<&'a [u8]> {
        if let Value::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    /// Text; empty when it is none.
    pub(super) fn text(&self) -> Cow<'a, str> {
        self.bytes().map(String::from_utf8_lossy).unwrap_or_default()
    }

    /// A number.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Value::Int(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_values_of_every_type() {
        let bytes = b"62:4:type;4:http;1:a,3:1.5^1:b,2:-7#1:c,4:true!1:d,0:~1:e,4:1:x,]}rest";
        let (value, rest) = Value::read(bytes, 100).unwrap();
        assert_eq!((value.get("type").text(), value.get("a").number(), rest), ("http".into(), Some(1.5), &b"rest"[..]));
        assert_eq!(
            (value.get("b"), value.get("c"), value.get("d")),
            (&Value::Int(-7), &Value::Bool(true), &Value::Null)
        );
        assert_eq!((value.get("e").list().len(), value.get("none")), (1, &Value::Null));
    }

    #[test]
    fn what_is_cut_damaged_or_too_much_is_none() {
        for bytes in [&b"5:abc,"[..], b"x:", b"3:abc", b"3:abc?", b"99999999999:a,", b"8:1:a,1:b,}1", b"4:1:a,}"] {
            let read = Value::read(bytes, 100);
            assert!(read.is_none() || bytes.starts_with(b"8:"), "{}", String::from_utf8_lossy(bytes));
        }
        let deep =
            (0..40).fold(b"0:~".to_vec(), |inner, _| [format!("{}:", inner.len()).as_bytes(), &inner, b"]"].concat());
        assert_eq!(Value::read(&deep, 100), None);
        assert_eq!(Value::read(b"9:0:~0:~0:~]", 3), None);
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_a_value_or_none(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'1'), Just(b':'), Just(b'}')], 0..60)) {
            if let Some((_, rest)) = Value::read(&bytes, 1000) {
                prop_assert!(rest.len() < bytes.len());
            }
        }
    }
}
