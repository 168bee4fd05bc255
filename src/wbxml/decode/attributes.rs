//! Attributes, which provisioning documents have: a token for each name, perhaps with a value or the beginning of one, and
//! behind it the pieces of the value.

use super::{Decoder, Stop, global};
use crate::anomaly::Kind;
use crate::syncml::doc::Text;
use crate::wbxml::provisioning;

/// An attribute under way.
struct Open {
    name: Text,
    /// The only piece of the value so far, in its place.
    only: Text,
    value: String,
    pieces: usize,
}

impl Open {
    fn new(name: Text) -> Open {
        Open { name, only: Text::None, value: String::new(), pieces: 0 }
    }
}

impl Decoder<'_> {
    /// Reads the attributes of the element just opened, up to their END.
    pub(super) fn attributes(&mut self) -> Result<(), Stop> {
        let first = self.builder.attribute_count();
        let mut open: Option<Open> = None;
        loop {
            let at = self.reader.at;
            if self.builder.attribute_count() - first > self.limits.attributes {
                let most = self.limits.attributes;
                return Err(self.limit(at, format!("an element with more than {most} attributes")));
            }
            match self.reader.byte()? {
                global::END => {
                    self.close_attribute(open);
                    return Ok(());
                }
                global::SWITCH_PAGE => self.attribute_page = self.page_of_provisioning(at)?,
                global::LITERAL => {
                    let index = self.reader.number()?;
                    let name = self.table_string(index, at).unwrap_or_default();
                    self.close_attribute(open.replace(Open::new(Text::Bytes(name))));
                }
                token if is_value(token) => self.piece(token, at, &mut open)?,
                token => {
                    let begun = self.begun(token, at);
                    self.close_attribute(open.replace(begun));
                }
            }
        }
    }

    /// The attribute that a token begins.
    fn begun(&mut self, token: u8, at: usize) -> Open {
        let Some((name, value)) = provisioning::attribute(self.attribute_page, token) else {
            let page = self.attribute_page;
            self.note(Kind::WbxmlTag, at, format!("attribute token {token:02X} is not defined on code page {page}"));
            return Open::new(self.builder.pool(&format!("unknown-0x{token:02X}")));
        };
        let mut open = Open::new(self.word(name));
        if !value.is_empty() {
            open.pieces = 1;
            open.value = value.to_owned();
            open.only = self.word(value);
        }
        open
    }

    /// What a token stands for, in the pool.
    fn word(&mut self, word: &'static str) -> Text {
        if let Some((_, text)) = self.words.iter().find(|(known, _)| *known == word) {
            return *text;
        }
        let text = self.builder.pool(word);
        self.words.push((word, text));
        text
    }

    fn close_attribute(&mut self, open: Option<Open>) {
        let Some(open) = open else { return };
        let value = if open.pieces > 1 { self.builder.pool(&open.value) } else { open.only };
        self.builder.attribute(open.name, value);
    }

    /// One piece of a value.
    fn piece(&mut self, token: u8, at: usize, open: &mut Option<Open>) -> Result<(), Stop> {
        let text = match token {
            global::STR_I => {
                let span = self.reader.terminated()?;
                self.text_at(span, at)
            }
            global::STR_T => {
                let index = self.reader.number()?;
                let span = self.table_string(index, at);
                span.map_or(Text::None, |span| self.text_at(span, at))
            }
            global::ENTITY => {
                let number = self.reader.number()?;
                let shown = char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER).to_string();
                self.builder.pool(&shown)
            }
            global::OPAQUE => {
                let len = self.reader.number()? as usize;
                let span = self.reader.take(len)?;
                // Not in its place: a text that is cut out there would leave its length behind.
                match self.opaque_text(span) {
                    Text::Bytes(span) => self.builder.pool(&String::from_utf8_lossy(self.reader.slice(span))),
                    text => text,
                }
            }
            token if global::EXT_I.contains(&token) => return self.reader.terminated().map(|_| ()),
            token if global::EXT_T.contains(&token) => return self.reader.number().map(|_| ()),
            token if global::EXT.contains(&token) => return Ok(()),
            token => match provisioning::value(self.attribute_page, token) {
                Some(value) => self.word(value),
                None => {
                    let page = self.attribute_page;
                    self.note(
                        Kind::WbxmlTag,
                        at,
                        format!("value token {token:02X} is not defined on code page {page}"),
                    );
                    self.builder.pool(&format!("unknown-0x{token:02X}"))
                }
            },
        };
        let Some(open) = open else { return Ok(()) };
        open.pieces += 1;
        open.only = text;
        open.value.push_str(self.builder.doc().text_of(text));
        self.in_proportion(open.value.len(), at)
    }
}

/// Whether a token is a piece of a value; all others begin an attribute.
fn is_value(token: u8) -> bool {
    token >= 0x80 || matches!(token, global::ENTITY | global::STR_I) || global::EXT_I.contains(&token)
}

#[cfg(test)]
mod tests {

    use crate::anomaly::Kind;
    use crate::limits::Limits;
    use crate::syncml::Doc;
    use crate::wbxml::parse;

    fn decode(bytes: &[u8]) -> Doc {
        parse(&bytes.into(), &Limits::default())
    }

    /// A document with one `parm` that has these attributes.
    fn parm(attributes: &[u8]) -> Vec<u8> {
        [&[0x03, 0x0B, 0x6A, 0x02, b'T', 0x00, 0xC5, 0x46, 0x01, 0x87], attributes, &[0x01, 0x01]].concat()
    }

    fn attributes(bytes: &[u8]) -> Vec<String> {
        let doc = decode(bytes);
        let parm = doc.elements().last().expect("an element");
        parm.attributes().map(|(name, value)| format!("{name}={value}")).collect()
    }

    #[test]
    fn names_and_values_are_put_together_of_their_pieces() {
        assert_eq!(decode(&parm(&[])).root().and_then(|root| root.attribute("version")), Some("1.0"));
        let whole = [0x15, 0x06, 0x03, b'a', 0x00];
        assert_eq!(attributes(&parm(&whole)), ["name=PROXY-ID", "value=a"]);
        let pieces = [0x05, 0x03, b'N', 0x00, 0x06, 0x83, 0x00, 0x9C, 0x02, 0x81, 0x69, 0xC3, 0x01, b'o'];
        assert_eq!(attributes(&parm(&pieces)), ["name=N", "value=THTTP-BASIC\u{e9}o"]);
        let second_page = [0x00, 0x01, 0x33, 0x06, 0x91, 0x93];
        assert_eq!(attributes(&parm(&second_page)), ["name=AAUTHTYPE", "value=HTTP-DIGEST"]);
        let spelled = [0x2B, 0x04, 0x00, 0x03, b'1', 0x00];
        assert_eq!(attributes(&parm(&spelled)), ["name=MASTER", "T=1"]);
        assert_eq!(attributes(&parm(&[0x06])), ["value="]);
    }

    #[test]
    fn what_is_not_defined_is_noted_and_kept_by_its_number() {
        let notes = |bytes: &[u8]| decode(bytes).notes.iter().map(|note| note.kind).collect::<Vec<_>>();
        let unknown = parm(&[0x40 | 0x2D, 0x03, b'a', 0x00, 0x06, 0xFF]);
        assert_eq!(attributes(&unknown), ["unknown-0x6D=a", "value=unknown-0xFF"]);
        assert_eq!(notes(&unknown), [Kind::WbxmlTag, Kind::WbxmlTag]);
        assert_eq!(notes(&parm(&[0x00, 0x07, 0x15])), [Kind::WbxmlPage, Kind::WbxmlTag]);
        assert_eq!(notes(&parm(&[0x03, b'a'])), [Kind::WbxmlUnclosed]);
        assert_eq!(notes(&parm(&[0x05].repeat(10_000))), [Kind::LimitDocument]);
        assert_eq!(notes(&parm(&[])), []);
    }

    #[test]
    fn values_end_at_a_bound() {
        let table = [b"x".repeat(0x3FFF), vec![0]].concat();
        let uses = [0x83, 0x00].repeat(1000);
        let inner = [&[0xC5, 0x46, 0x01, 0x87, 0x06], uses.as_slice(), &[0x01, 0x01]].concat();
        let doc = decode(&[&[0x03, 0x0B, 0x6A, 0x81, 0x80, 0x00], table.as_slice(), &inner].concat());
        assert_eq!(doc.notes.iter().map(|note| note.kind).collect::<Vec<_>>(), [Kind::LimitDocument]);
    }
}
