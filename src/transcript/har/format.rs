//! HAR 1.2 as producers really write it: every field may be missing, null, or of another type.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};

/// One entry of `log.entries`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Entry<'a> {
    #[serde(borrow)]
    pub(super) started_date_time: Scalar<'a>,
    #[serde(borrow)]
    pub(super) time: Scalar<'a>,
    #[serde(borrow)]
    pub(super) request: Option<Request<'a>>,
    #[serde(borrow)]
    pub(super) response: Option<Response<'a>>,
    #[serde(borrow)]
    pub(super) timings: Option<Timings<'a>>,
    #[serde(borrow, rename = "serverIPAddress")]
    pub(super) server_ip_address: Scalar<'a>,
    #[serde(borrow)]
    pub(super) connection: Scalar<'a>,
    #[serde(borrow)]
    pub(super) comment: Scalar<'a>,
    #[serde(borrow, rename = "_http")]
    pub(super) http: Scalar<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Request<'a> {
    #[serde(borrow)]
    pub(super) method: Scalar<'a>,
    #[serde(borrow)]
    pub(super) url: Scalar<'a>,
    #[serde(borrow)]
    pub(super) http_version: Scalar<'a>,
    #[serde(borrow)]
    pub(super) headers: Vec<Header<'a>>,
    #[serde(borrow)]
    pub(super) post_data: Option<Content<'a>>,
    #[serde(borrow)]
    pub(super) body_size: Scalar<'a>,
    #[serde(borrow, rename = "_side")]
    pub(super) side: Scalar<'a>,
    #[serde(borrow, rename = "_captured")]
    pub(super) captured: Scalar<'a>,
    #[serde(borrow, rename = "_bytes")]
    pub(super) bytes: Scalar<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Response<'a> {
    #[serde(borrow)]
    pub(super) status: Scalar<'a>,
    #[serde(borrow)]
    pub(super) status_text: Scalar<'a>,
    #[serde(borrow)]
    pub(super) http_version: Scalar<'a>,
    #[serde(borrow)]
    pub(super) headers: Vec<Header<'a>>,
    #[serde(borrow)]
    pub(super) content: Option<Content<'a>>,
    #[serde(borrow)]
    pub(super) body_size: Scalar<'a>,
    #[serde(borrow, rename = "_error")]
    pub(super) error: Scalar<'a>,
    #[serde(borrow, rename = "_captured")]
    pub(super) captured: Scalar<'a>,
    #[serde(borrow, rename = "_bytes")]
    pub(super) bytes: Scalar<'a>,
}

/// `postData` and `content`, which differ only in which fields they usually have.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Content<'a> {
    #[serde(borrow)]
    pub(super) mime_type: Scalar<'a>,
    #[serde(borrow)]
    pub(super) size: Scalar<'a>,
    #[serde(borrow)]
    pub(super) text: Scalar<'a>,
    #[serde(borrow)]
    pub(super) encoding: Scalar<'a>,
    #[serde(borrow)]
    pub(super) comment: Scalar<'a>,
    pub(super) params: Option<Vec<IgnoredAny>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Header<'a> {
    #[serde(borrow)]
    pub(super) name: Scalar<'a>,
    #[serde(borrow)]
    pub(super) value: Scalar<'a>,
}

/// Milliseconds of the phases; -1 where a phase does not apply.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Timings<'a> {
    #[serde(borrow)]
    pub(super) send: Scalar<'a>,
    #[serde(borrow)]
    pub(super) wait: Scalar<'a>,
    #[serde(borrow)]
    pub(super) receive: Scalar<'a>,
}

/// `log.creator`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Creator<'a> {
    #[serde(borrow)]
    pub(super) name: Scalar<'a>,
}

/// A value that should be a string or a number. Anything else reads as [`Scalar::None`].
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Scalar<'a> {
    #[default]
    None,
    Number(f64),
    Text(Cow<'a, str>),
}

impl Scalar<'_> {
    /// The text; of a number, its digits; empty when there is none.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match self {
            Scalar::None => Cow::Borrowed(""),
            Scalar::Number(number) => Cow::Owned(number.to_string()),
            Scalar::Text(text) => Cow::Borrowed(text),
        }
    }

    /// The text, when there is one, even an empty one.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Scalar::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, also one written as a string; HAR says "not known" with -1.
    pub(super) fn number(&self) -> Option<f64> {
        let number = match self {
            Scalar::None => return None,
            Scalar::Number(number) => *number,
            Scalar::Text(text) => text.trim().parse().ok()?,
        };
        (number >= 0.0 && number.is_finite()).then_some(number)
    }

    /// The number as a count.
    pub(super) fn count(&self) -> Option<u64> {
        self.number().map(|number| number as u64)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a number")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number as f64))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number as f64))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Scalar::None)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Scalar::None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_of_any_type_are_read() {
        let json = r#"{"connection": 443, "time": "12.5", "serverIPAddress": null, "startedDateTime": ["x"],
                       "request": {"method": {"a": 1}, "url": "u\u0041"}, "unknown": {}}"#;
        let entry: Entry<'_> = serde_json::from_str(json).unwrap();
        assert_eq!(entry.connection.text(), "443");
        assert_eq!(entry.time.number(), Some(12.5));
        assert_eq!(entry.server_ip_address, Scalar::None);
        assert_eq!(entry.started_date_time, Scalar::None);
        let request = entry.request.unwrap();
        assert_eq!((request.method.text(), request.url.text()), ("".into(), "uA".into()));
        assert_eq!(Scalar::Number(-1.0).count(), None);
    }
}
