//! The messages of an example as WBXML.

use std::sync::Arc;

use dmscope::limits::Limits;
use dmscope::syncml::Doc;
use dmscope::{wbxml, xml};

use super::compose::{Mark, Sent, Spot};

/// The same messages; `None` when one of them is more than WBXML can say (an unknown element, a syntax error, a namespace,
/// how Data was written).
pub(crate) fn encoded<'a>(sent: &[Sent<'a>]) -> Option<Vec<Sent<'a>>> {
    sent.iter().map(message).collect()
}

fn message<'a>(sent: &Sent<'a>) -> Option<Sent<'a>> {
    let text = xml::parse(&sent.body, &Limits::default());
    let plain =
        text.notes.is_empty() && text.elements().all(|element| element.attributes().all(|(name, _)| name == "xmlns"));
    let named = text.root().is_some_and(|root| root.namespace() == "SYNCML:SYNCML1.2");
    let metinf = text.elements().all(|element| !element.tag().is_metinf() || element.namespace() == "syncml:metinf");
    let written = text.elements().any(|element| element.flags().cdata || element.flags().payload);
    if !plain || !named || !metinf || written || sent.head.is_some() || sent.cut.is_some() {
        return None;
    }
    let (bytes, left_out) = wbxml::encode::encode(&text);
    let body: Arc<[u8]> = bytes.into();
    let binary = wbxml::parse(&body, &Limits::default());
    let marks: Option<Vec<Mark>> = sent.marks.iter().map(|mark| moved(mark, &text, &binary)).collect();
    Some(Sent { body, marks: marks?, ..sent.clone() }).filter(|_| left_out.is_empty())
}

/// The mark at the same element of the other document.
fn moved(mark: &Mark, from: &Doc, to: &Doc) -> Option<Mark> {
    let Spot::End(end) = mark.spot else { return Some(mark.clone()) };
    let path = from.elements().find(|element| element.span().end == end)?.path();
    let there = to.elements().find(|element| element.path() == path)?;
    Some(Mark { spot: Spot::End(there.span().end), ..mark.clone() })
}
