//! Elements of provisioning documents, with their attributes.

use super::{Writer, global, number};
use crate::syncml::Element;
use crate::wbxml::provisioning;

/// The attributes of an element that are no namespaces.
pub(super) fn of<'a>(element: Element<'a>) -> impl Iterator<Item = (&'a str, &'a str)> {
    element.attributes().filter(|(name, _)| *name != "xmlns" && !name.starts_with("xmlns:"))
}

impl Writer<'_> {
    /// Writes an element, its attributes and those below it. Text has no place there.
    pub(super) fn with_attributes(&mut self, element: Element<'_>) {
        let has = |there: bool, bit: u8| if there { bit } else { 0 };
        let has_children = element.children().next().is_some();
        let has_attributes = of(element).next().is_some();
        self.tag(element, has(has_children, global::CONTENT) | has(has_attributes, global::ATTRIBUTES));
        for (name, value) in of(element) {
            self.attribute(name, value);
        }
        self.out.extend(has_attributes.then_some(global::END));
        element.children().for_each(|child| self.element(child));
        self.out.extend(has_children.then_some(global::END));
    }

    fn attribute(&mut self, name: &str, value: &str) {
        let rest = match provisioning::start(self.attribute_page, name, value) {
            Some((page, token, known)) => {
                if page != self.attribute_page {
                    self.out.extend([global::SWITCH_PAGE, page]);
                    self.attribute_page = page;
                }
                self.out.push(token);
                value.get(known.len()..).unwrap_or_default()
            }
            None => {
                let index = self.string(name);
                self.out.push(global::LITERAL);
                number(index, &mut self.out);
                value
            }
        };
        match provisioning::value_token(self.attribute_page, rest) {
            Some(token) => self.out.push(token),
            None => self.text(rest),
        }
    }
}

#[cfg(test)]
mod tests {

    use proptest::prelude::*;

    use crate::limits::Limits;
    use crate::syncml::Doc;
    use crate::wbxml::encode::encode;
    use crate::{wbxml, xml};

    fn parse(text: &str) -> Doc {
        xml::parse(&text.as_bytes().into(), &Limits::default())
    }

    fn outline(doc: &Doc) -> Vec<String> {
        let row = |element: crate::syncml::Element<'_>| {
            let attributes: Vec<String> = element.attributes().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{} {}", element.path(), attributes.join(" "))
        };
        doc.elements().map(row).collect()
    }

    fn back(doc: &Doc) -> (Vec<u8>, Doc) {
        let (bytes, beyond) = encode(doc);
        assert!(beyond.is_empty(), "{beyond:?}");
        let again = wbxml::parse(&bytes.as_slice().into(), &Limits::default());
        (bytes, again)
    }

    #[test]
    fn a_document_comes_back_with_its_attributes() {
        let doc = parse(
            "<wap-provisioningdoc version='1.1'><characteristic type='APPLICATION'><parm name='APPID' value='w7'/>\
             <parm name='INIT'/><parm name='Own' value='a' datatype='string'/><characteristic type='APPAUTH'>\
             <parm name='AAUTHLEVEL' value='APPSRV'/><parm name='AAUTHTYPE' value='DIGEST'/></characteristic>\
             </characteristic><characteristic type='NAPDEF'><parm name='NAPID' value='GSM-GPRS'/></characteristic>\
             </wap-provisioningdoc>",
        );
        let (bytes, again) = back(&doc);
        assert_eq!((outline(&again), again.notes.len()), (outline(&doc), 0), "{bytes:02X?}");
        // Version 1.1, then APPLICATION on page 1 of attributes, APPID, and the value.
        let start = b"\x02\x0B\x6A\x09datatype\0\xC5\x45\x031.1\0\x01\xC6\x00\x01\x55\x01\x87\x36\x06\x03w7\0\x01";
        assert!(bytes.starts_with(start), "{bytes:02X?}");
        assert!(memchr::memmem::find(&bytes, &[0x30, 0x06, 0x8D, 0x01]).is_some(), "{bytes:02X?}");
    }

    proptest! {
        #[test]
        fn any_document_comes_back(parms in prop::collection::vec(("[A-Z-]{1,9}", "[ -~é]{0,20}", "[a-z]{1,9}"), 1..6)) {
            let parms: String = parms.iter().map(|(name, value, other)| {
                let value = value.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
                format!("<parm name=\"{name}\" value=\"{value}\" x-{other}=\"{other}\"/>")
            }).collect();
            let doc = parse(&format!("<wap-provisioningdoc version=\"1.0\">{parms}</wap-provisioningdoc>"));
            let (.., again) = back(&doc);
            prop_assert_eq!(outline(&again), outline(&doc));
        }
    }
}
