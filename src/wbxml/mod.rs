//! WAP Binary XML (WAP-192) for SyncML and provisioning documents, read into the same [`Doc`](crate::syncml::Doc) as text XML.
//!
//! In: a body. Out: a document whose spans lie in the binary, and notes. Nothing fails: unknown tokens become
//! elements named `unknown-0xNN`, and where decoding cannot go on (a length past the end) the document ends with a
//! note. Bounds: `limits.nodes`, `limits.depth`. Embedded WBXML in opaque data is decoded in place.

mod decode;
pub mod encode;
mod provisioning;
pub mod tables;

pub use decode::{parse, sniff};
