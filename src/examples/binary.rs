//! The messages of an example as WBXML: all of it, or the blocks that say so.

use crate::limits::Limits;
use crate::octets::Octets;
use crate::syncml::{Doc, Element};
use crate::{wbxml, xml};

use super::compose::{Mark, Sent, Spot};

/// The same messages; `None` when one of them is more than WBXML can say (an unknown element, a syntax error, a namespace,
/// how Data was written).
pub fn encoded<'a>(sent: &[Sent<'a>]) -> Option<Vec<Sent<'a>>> {
    sent.iter().map(|sent| if sent.block.push { Some(sent.clone()) } else { message(sent) }).collect()
}

fn message<'a>(sent: &Sent<'a>) -> Option<Sent<'a>> {
    let text = xml::parse(&sent.body, &Limits::default());
    let is_wap = text.root().is_some_and(|root| root.name() == "wap-provisioningdoc");
    let bare = |element: Element<'_>| element.attributes().all(|(name, _)| name == "xmlns");
    let plain = text.notes.is_empty() && (is_wap || text.elements().all(bare));
    let named = is_wap || text.root().is_some_and(|root| root.namespace() == "SYNCML:SYNCML1.2");
    let metinf = text.elements().all(|element| !element.tag().is_metinf() || element.namespace() == "syncml:metinf");
    let written = text.elements().any(|element| element.flags().cdata || element.flags().payload);
    if !plain || !named || !metinf || written || sent.head.is_some() || sent.cut.is_some() || sent.block.wbxml {
        return None;
    }
    let (bytes, left_out) = wbxml::encode::encode(&text);
    let body: Octets = bytes.into();
    let binary = wbxml::parse(&body, &Limits::default());
    let marks: Option<Vec<Mark>> = sent.marks.iter().map(|mark| moved(mark, &text, &binary)).collect();
    Some(Sent { body, marks: marks?, ..sent.clone() }).filter(|_| left_out.is_empty())
}

/// Some bytes in place of others.
pub type Change = (Vec<u8>, Vec<u8>);

/// The text of a `wbxml` block without the lines that change bytes, and what these say. Their marks stay in the text.
///
/// # Errors
/// A word of such a line that is no byte.
pub fn changes(text: &str) -> Result<(String, Vec<Change>), String> {
    let (mut kept, mut changes) = (String::new(), Vec::new());
    for line in text.split_inclusive('\n') {
        let (said, marks) = line.split_once("<!--").map_or((line, None), |(said, mark)| (said, Some(mark)));
        let said = said.split('#').next().unwrap_or_default();
        match said.split_once("=>").filter(|_| !said.starts_with('<')) {
            Some((old, new)) => {
                changes.push((hex(old)?, hex(new)?));
                kept.extend(marks.map(|marks| format!("<!--{}\n", marks.trim_end())));
            }
            None => kept.push_str(line),
        }
    }
    Ok((kept, changes))
}

/// Bytes as pairs of digits, or as text in quotes.
fn hex(text: &str) -> Result<Vec<u8>, String> {
    let byte = |word: &str| u8::from_str_radix(word, 16).map_err(|_| format!("{word:?} is no byte"));
    let mut bytes = Vec::new();
    for word in text.split_whitespace() {
        match word.strip_prefix('"') {
            Some(text) => bytes.extend(text.trim_end_matches('"').bytes()),
            None => bytes.push(byte(word)?),
        }
    }
    Ok(bytes)
}

/// A document as WBXML with the first of these bytes replaced, and its marks at the same elements.
///
/// # Errors
/// WBXML cannot say it, or has no such bytes.
pub fn changed(body: &Octets, marks: &[Mark], changes: &[Change]) -> Result<(Octets, Vec<Mark>), String> {
    let text = xml::parse(body, &Limits::default());
    let (mut bytes, left_out) = wbxml::encode::encode(&text);
    if !left_out.is_empty() {
        return Err(format!("no WBXML for {left_out:?}"));
    }
    let binary = wbxml::parse(&bytes.as_slice().into(), &Limits::default());
    let mut marks: Vec<Mark> = marks.iter().filter_map(|mark| moved(mark, &text, &binary)).collect();
    for (old, new) in changes {
        let at = memchr::memmem::find(&bytes, old).ok_or_else(|| format!("{old:02X?} is not in {bytes:02X?}"))?;
        let behind = at + old.len();
        bytes.splice(at..behind, new.iter().copied());
        for mark in &mut marks {
            if let Spot::End(end) = &mut mark.spot
                && *end as usize >= behind
            {
                *end = *end + new.len() as u32 - old.len() as u32;
            }
        }
    }
    Ok((bytes.into(), marks))
}

/// The mark at the same element of the other document.
fn moved(mark: &Mark, from: &Doc, to: &Doc) -> Option<Mark> {
    let Spot::End(end) = mark.spot else { return Some(mark.clone()) };
    let path = from.elements().find(|element| element.span().end == end)?.path();
    let there = to.elements().find(|element| element.path() == path)?;
    Some(Mark { spot: Spot::End(there.span().end), ..mark.clone() })
}
