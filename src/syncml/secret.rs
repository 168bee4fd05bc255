//! What of a document must not be shown: credentials, nonces, tokens, private values.
//!
//! In: a document, a header, a URL. Out: which parts are secret, and the same text with [`MASK`] in their place. The
//! mask is always of one length, so that it tells nothing of what it hides. Places are known by the protocol (`Cred`,
//! `NextNonce`), by the node that an item addresses, and by the names of elements and parameters in payloads,
//! escaped ones included. Base64 payloads of nodes that may hold a secret are hidden whole.

use std::borrow::Cow;
use std::ops::Range;

use super::doc::{Doc, Element, NodeId};
use super::tag::Tag;
use super::view::Item;
use crate::origin::Span;

mod markup;
mod name;

pub use markup::spans as in_bytes;

/// What stands in place of a secret.
pub const MASK: &str = "********";

/// A secret of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// Its own text.
    Text,
    /// Parts of its own text, which is given with those masked.
    Pieces(String),
    /// An attribute's value, by its place among the attributes.
    Attribute(usize),
}

/// The secret parts of one document.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// Sorted by node.
    parts: Vec<(NodeId, Part)>,
}

#[derive(Clone, Debug)]
enum Part {
    /// The element's own text.
    Text,
    /// Pieces of its text.
    Pieces(Vec<Range<usize>>),
    /// An attribute, by its place among the attributes.
    Attribute(usize),
}

impl Secrets {
    /// Finds the secrets of a document.
    pub fn of(doc: &Doc) -> Secrets {
        let mut secrets = Secrets::default();
        let mut hidden: Vec<bool> = Vec::with_capacity(doc.len());
        for element in doc.elements() {
            let above = element.parent().and_then(|parent| hidden.get(parent.id().0 as usize)).copied();
            let inside = above.unwrap_or(false);
            let secret = inside || names_secret(element);
            hidden.push(secret);
            secrets.add(element, inside, secret);
        }
        secrets
    }

    /// Nothing is secret: `--show-secrets`.
    pub fn shown() -> Secrets {
        Secrets::default()
    }

    /// True when the document holds none.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// `inside` a secret element the attributes are secret too; its own say only what kind of secret it is.
    fn add(&mut self, element: Element<'_>, inside: bool, secret: bool) {
        let id = element.id();
        for (at, (name, value)) in element.attributes().enumerate() {
            let hide = !name.starts_with("xmlns") && (inside || attribute_is_secret(element, name));
            if hide && !value.is_empty() {
                self.parts.push((id, Part::Attribute(at)));
            }
        }
        if element.value().is_none() {
            return;
        }
        let pieces = match element.tag() {
            _ if secret => return self.parts.push((id, Part::Text)),
            Tag::LocURI => name::parameters(element.text()),
            _ => markup::pieces(element.text().as_bytes()),
        };
        if !pieces.is_empty() {
            self.parts.push((id, Part::Pieces(pieces)));
        }
    }

    fn of_node(&self, node: NodeId) -> impl Iterator<Item = &Part> {
        let from = self.parts.partition_point(|(known, _)| *known < node);
        let rest = self.parts.get(from..).unwrap_or_default();
        rest.iter().take_while(move |(known, _)| *known == node).map(|(_, part)| part)
    }

    /// The element's own text with its secrets masked.
    pub fn text<'a>(&self, element: Element<'a>) -> Cow<'a, str> {
        let text = element.text();
        for part in self.of_node(element.id()) {
            match part {
                Part::Text => return Cow::Borrowed(MASK),
                Part::Pieces(pieces) => return Cow::Owned(mask_pieces(text, pieces)),
                Part::Attribute(_) => {}
            }
        }
        Cow::Borrowed(text)
    }

    /// The attributes with secret values masked.
    pub fn attributes<'a>(&self, element: Element<'a>) -> impl Iterator<Item = (&'a str, &'a str)> {
        element.attributes().enumerate().map(move |(at, (name, value))| {
            let hide = self.of_node(element.id()).any(|part| matches!(part, Part::Attribute(known) if *known == at));
            (name, if hide { MASK } else { value })
        })
    }

    /// Whether the element's own text is secret, all of it or in part.
    pub fn hides(&self, node: NodeId) -> bool {
        self.of_node(node).any(|part| !matches!(part, Part::Attribute(_)))
    }

    /// Each secret, with the element that holds it.
    pub fn iter<'a>(&self, doc: &'a Doc) -> impl Iterator<Item = (Element<'a>, Secret)> {
        self.parts.iter().filter_map(|(node, part)| {
            let element = doc.element(*node)?;
            let secret = match part {
                Part::Text => Secret::Text,
                Part::Pieces(pieces) => Secret::Pieces(mask_pieces(element.text(), pieces)),
                Part::Attribute(at) => Secret::Attribute(*at),
            };
            Some((element, secret))
        })
    }

    /// Whether the mask stands in place of some: the document was redacted before it was read.
    pub(super) fn are_redacted(&self, doc: &Doc) -> bool {
        self.iter(doc).any(|(element, secret)| match secret {
            Secret::Text | Secret::Pieces(_) => element.text().contains(MASK),
            Secret::Attribute(at) => element.attributes().nth(at).is_some_and(|(_, value)| value.contains(MASK)),
        })
    }

    /// The secrets as stretches of [`Doc::bytes`], sorted, apart from each other. Wide where the exact stretch is not known.
    pub fn spans(&self, doc: &Doc) -> Vec<Span> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut spans = markup::spans(doc.bytes());
        for (node, part) in &self.parts {
            let Some(element) = doc.element(*node) else { continue };
            let span = match part {
                Part::Text | Part::Pieces(_) => element.inner(),
                Part::Attribute(_) => Span { start: element.span().start, end: element.inner().start },
            };
            // The markup scan already found the pieces, unless they are escaped in a way that it does not read.
            let found = |part: &Part| match part {
                Part::Text => false,
                Part::Pieces(pieces) => spans.iter().filter(|known| span.overlaps(**known)).count() >= pieces.len(),
                Part::Attribute(_) => spans.iter().any(|known| span.overlaps(*known)),
            };
            if !found(part) {
                spans.push(span);
            }
        }
        merge(spans)
    }
}

/// Whether the text of an element must not be quoted in a finding.
pub fn is_secret(element: Element<'_>) -> bool {
    let mut at = Some(element);
    while let Some(element) = at {
        if names_secret(element) {
            return true;
        }
        at = element.parent();
    }
    !markup::pieces(element.text().as_bytes()).is_empty()
}

/// A header's value with its secrets masked; the scheme and the algorithm stay.
pub fn header<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    if name.eq_ignore_ascii_case("authorization") || name.eq_ignore_ascii_case("proxy-authorization") {
        return match value.trim().split_once(' ') {
            Some((scheme, _)) => Cow::Owned(format!("{scheme} {MASK}")),
            None => Cow::Borrowed(MASK),
        };
    }
    if name.eq_ignore_ascii_case("x-syncml-hmac") {
        let parts = value.split(',').map(|part| match part.split_once('=') {
            Some((key, _)) if key.trim().eq_ignore_ascii_case("algorithm") => part.to_owned(),
            // Whether there are quotes is a question of form.
            Some((key, value)) if value.trim().starts_with('"') => format!("{key}=\"{MASK}\""),
            Some((key, _)) => format!("{key}={MASK}"),
            None => part.to_owned(),
        });
        return Cow::Owned(parts.collect::<Vec<_>>().join(","));
    }
    let whole = ["cookie", "set-cookie", "x-api-key", "x-auth-token"];
    if whole.iter().any(|known| name.eq_ignore_ascii_case(known)) { MASK.into() } else { url(value) }
}

/// A URL, or a form, with the values of secret parameters masked.
pub fn url(url: &str) -> Cow<'_, str> {
    let pieces = name::parameters(url);
    if pieces.is_empty() { Cow::Borrowed(url) } else { Cow::Owned(mask_pieces(url, &pieces)) }
}

/// Where the secrets of markup and of form fields stand in a text that is no document, sorted and apart from each other.
pub fn in_text(text: &str) -> Vec<Span> {
    let fields = name::parameters(text).into_iter().map(|range| Span::new(range.start, range.end));
    merge(markup::spans(text.as_bytes()).into_iter().chain(fields).collect())
}

/// A text that is no document, with the secrets of markup and of form fields in it masked.
pub fn mask(text: &str) -> String {
    let markup = mask_pieces(text, &markup::pieces(text.as_bytes()));
    mask_pieces(&markup, &name::parameters(&markup))
}

fn names_secret(element: Element<'_>) -> bool {
    match element.tag() {
        Tag::NextNonce => true,
        Tag::Data => match element.parent() {
            Some(above) if above.tag() == Tag::Cred => true,
            Some(above) if above.tag() == Tag::Item => item_is_secret(Item(above)),
            _ => false,
        },
        Tag::Other => name::is_secret_element(element.name().as_bytes()),
        _ => false,
    }
}

fn item_is_secret(item: Item<'_>) -> bool {
    let encoded = item.effective(Tag::Format).is_some_and(|format| matches!(format, "b64" | "bin"));
    [item.target(), item.source()]
        .into_iter()
        .flatten()
        .any(|uri| name::is_secret_node(uri.as_bytes()) || (encoded && name::may_hold_secret(uri.as_bytes())))
        || item.effective(Tag::Type).is_some_and(|kind| kind.ends_with("UserToken"))
}

/// `<parm name="AAUTHSECRET" value="…"/>`, and the form field that carries the token of a federated sign-in.
fn attribute_is_secret(element: Element<'_>, name: &str) -> bool {
    name.eq_ignore_ascii_case("value")
        && element.attribute("name").is_some_and(|name| name::is_secret_parameter(name.as_bytes()))
}

fn mask_pieces(text: &str, pieces: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for piece in pieces {
        out.push_str(text.get(at..piece.start).unwrap_or_default());
        out.push_str(MASK);
        at = piece.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// The spans sorted, and apart from each other.
pub fn merge(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort();
    let mut out: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans.into_iter().filter(|span| !span.is_empty()) {
        match out.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => out.push(span),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::syncml::render::Rendering;

    fn doc(xml: &str) -> Doc {
        crate::xml::parse(&xml.as_bytes().into(), &Limits::default())
    }

    /// Renders the document, and shows its bytes with the spans masked: neither may hold the word HIDDEN.
    fn assert_masked(xml: &str) {
        let doc = doc(xml);
        let rendering = Rendering::new(&doc, false);
        assert!(!rendering.text().contains("HIDDEN"), "{}", rendering.text());
        assert!(rendering.text().contains(MASK), "{}", rendering.text());
        let pieces: Vec<_> = rendering.secrets().spans(&doc).into_iter().map(Span::range).collect();
        let source = mask_pieces(xml, &pieces);
        assert!(!source.contains("HIDDEN"), "{source}");
    }

    fn item(uri: &str, rest: &str) -> String {
        format!("<Replace><Item><Target><LocURI>{uri}</LocURI></Target>{rest}</Item></Replace>")
    }

    #[test]
    fn credentials_and_nonces() {
        assert_masked("<SyncHdr><Cred><Meta><Type>syncml:auth-md5</Type></Meta><Data>HIDDEN</Data></Cred></SyncHdr>");
        assert_masked("<Status><Chal><Meta><NextNonce xmlns='syncml:metinf'>HIDDEN</NextNonce></Meta></Chal></Status>");
    }

    #[test]
    fn nodes_by_their_address() {
        assert_masked(&item("./Device/Vendor/MSFT/Accounts/Users/a/Password", "<Data>HIDDEN</Data>"));
        assert_masked(&item("./SyncML/DMAcc/a/AppAuth/b/AAuthSecret", "<Data>HIDDEN&amp;</Data>"));
        assert_masked(&item("./A/&#80;assword", "<Data>HIDDEN</Data>"));
        assert_masked(&item(
            "./Vendor/MSFT/WiFi/Profile/a/WlanXml",
            "<Meta><Format>b64</Format></Meta><Data>HIDDEN</Data>",
        ));
        assert_masked(
            "<Alert><Item><Meta><Type>com.microsoft/MDM/AADUserToken</Type></Meta><Data>HIDDEN</Data></Item></Alert>",
        );
        let result = "<Results><Item><Source><LocURI>./A/L2tpPsk</LocURI></Source><Data>HIDDEN</Data></Item></Results>";
        assert_masked(result);
    }

    #[test]
    fn tokens_in_addresses() {
        assert_masked("<SyncHdr><Target><LocURI>https://a/b?token=HIDDEN&amp;c=d</LocURI></Target></SyncHdr>");
    }

    #[test]
    fn payloads_escaped_or_not() {
        assert_masked(&item("./W/WlanXml", "<Data>&lt;keyMaterial&gt;HIDDEN&lt;/keyMaterial&gt;</Data>"));
        assert_masked(&item("./W/WlanXml", "<Data><![CDATA[<a:keyMaterial>HIDDEN</a:keyMaterial>]]></Data>"));
        assert_masked(&item("./W/WlanXml", "<Data><keyMaterial><b c='HIDDEN'>HIDDEN</b></keyMaterial></Data>"));
        assert_masked(&item("./V", "<Data>&#60;Password&#62;HIDDEN&#60;/Password&#62;</Data>"));
        assert_masked("<characteristic type='APPAUTH'><parm name='AAUTHSECRET' value='HIDDEN'/></characteristic>");
    }

    #[test]
    fn soap_tokens() {
        assert_masked(
            "<s:Envelope xmlns:s='s'><o:BinarySecurityToken xmlns:o='o'>HIDDEN</o:BinarySecurityToken></s:Envelope>",
        );
        assert_masked(
            "<UsernameToken><Username>a</Username><o:Password xmlns:o='o'>HIDDEN</o:Password></UsernameToken>",
        );
    }

    #[test]
    fn the_kind_of_a_token_is_no_secret() {
        let token = doc("<BinarySecurityToken ValueType='urn:PKCS10'>abc</BinarySecurityToken>");
        assert_eq!(
            Rendering::new(&token, false).text(),
            "<BinarySecurityToken ValueType=\"urn:PKCS10\">********</BinarySecurityToken>\n"
        );
    }

    #[test]
    fn what_is_no_secret_stays() {
        let policy = item("./Vendor/MSFT/Policy/Config/DeviceLock/AllowSimpleDevicePassword", "<Data>1</Data>");
        let wlan = item("./W/WlanXml", "<Data>&lt;name&gt;office&lt;/name&gt;</Data>");
        for xml in [policy, wlan, "<Status><Cmd>Get</Cmd><Data>200</Data></Status>".to_owned()] {
            assert!(Secrets::of(&doc(&xml)).is_empty(), "{xml}");
        }
    }

    #[test]
    fn a_mask_does_not_tell_the_length() {
        let short = Rendering::new(&doc("<Password>a</Password>"), false).text().to_owned();
        assert_eq!(short, Rendering::new(&doc("<Password>abcdefghijklmnop</Password>"), false).text());
    }

    #[test]
    fn rules_can_ask_before_they_quote() {
        let doc = doc(&item("./A/Password", "<Data>x</Data>"));
        let secret: Vec<&str> = doc.elements().filter(|element| is_secret(*element)).map(Element::name).collect();
        assert_eq!(secret, ["Data"]);
    }

    #[test]
    fn headers_and_urls() {
        assert_eq!(header("Authorization", "Basic YTpi"), "Basic ********");
        assert_eq!(header("Cookie", "a=b"), MASK);
        assert_eq!(
            header("x-syncml-hmac", "algorithm=MD5, username=\"u\", mac=abc="),
            "algorithm=MD5, username=\"********\", mac=********"
        );
        assert_eq!(header("Content-Type", "application/vnd.syncml.dm+xml"), "application/vnd.syncml.dm+xml");
        assert_eq!(url("https://a/b?token=abc&mode=x"), "https://a/b?token=********&mode=x");
    }
}
