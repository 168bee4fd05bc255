//! What a layer noticed about its input that is not as it should be.
//!
//! Parsers do not fail on content: they return what they could read and a list of [`Anomaly`]. Whether one of
//! them is a finding, and how severe, is for the rules to say (a rule page names the kinds it reports).

use crate::origin::Span;

/// One observation. `span` is in the bytes of the thing it is attached to (a body, a head, a stream).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anomaly {
    /// What it is.
    pub kind: Kind,
    /// Where, in the bytes that the notes are attached to; empty when it concerns the whole.
    pub span: Span,
    /// The values in it, one sentence without a full stop. Never holds a secret.
    pub detail: String,
}

impl Anomaly {
    /// An anomaly at a place.
    pub fn new(kind: Kind, span: Span, detail: impl Into<String>) -> Anomaly {
        Anomaly { kind, span, detail: detail.into() }
    }
}

/// Observations of one layer that may repeat without end: the first of each kind is kept, the rest are counted.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    notes: Vec<(Anomaly, u64)>,
}

impl Tally {
    /// Takes an observation; `detail` is asked only for the first of its kind.
    pub fn note(&mut self, kind: Kind, detail: impl FnOnce() -> String) {
        match self.notes.iter_mut().find(|(first, _)| first.kind == kind) {
            Some((_, more)) => *more += 1,
            None => self.notes.push((Anomaly::new(kind, Span::default(), detail()), 0)),
        }
    }

    /// One anomaly for each kind, in the order they were first seen; the detail says how often it came again.
    pub fn finish(self) -> Vec<Anomaly> {
        let told = |(mut note, more): (Anomaly, u64)| {
            if more > 0 {
                note.detail.push_str(&format!("; {more} more like this"));
            }
            note
        };
        self.notes.into_iter().map(told).collect()
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal),+ $(,)?) => {
        /// The closed list of observations. The code is what pages and JSON use.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[$doc])* $name),+ }

        impl Kind {
            /// All kinds, in order.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),+];

            /// The stable name, `layer.what`.
            pub fn code(self) -> &'static str {
                match self { $(Kind::$name => $code),+ }
            }
        }
    };
}

kinds! {
    /// The capture file ends inside a block or record.
    CaptureTruncated = "capture.truncated",
    /// A block or record of the capture file cannot be right; what follows it could not be read.
    CaptureMalformed = "capture.malformed",
    /// Packets that the recorder could not keep up with.
    CaptureDropped = "capture.dropped",
    /// Packets were cut by the snap length.
    PacketCut = "capture.packet-cut",
    /// A link type that this program does not read.
    LinkUnknown = "link.unknown",
    /// Datagrams of secure WAP push.
    PushSecured = "push.secured",
    /// IP fragments that never became a whole datagram.
    FragmentsIncomplete = "ip.fragments-incomplete",
    /// IP fragments that overlap with different bytes.
    FragmentsOverlap = "ip.fragments-overlap",
    /// Segments that overlap with different bytes; the first copy was used.
    TcpOverlapDiffers = "tcp.overlap-differs",
    /// Bytes of a stream were not captured.
    TcpGap = "tcp.gap",
    /// The head is not HTTP as RFC 9112 has it, but could be read leniently.
    HttpLenient = "http.lenient",
    /// Bytes that are not HTTP where a message should begin.
    HttpUnparsable = "http.unparsable",
    /// `Content-Length` values that contradict each other, or stand beside `Transfer-Encoding`.
    HttpLengthConflict = "http.length-conflict",
    /// The chunked coding is broken.
    HttpChunkInvalid = "http.chunk-invalid",
    /// The body is shorter than the head says, or bytes inside it were not captured.
    HttpBodyIncomplete = "http.body-incomplete",
    /// An HTTP/2 frame that RFC 9113 does not allow.
    Http2Frame = "http2.frame",
    /// Fields of an HTTP/2 head that were taught by heads that were not captured.
    Http2Unknown = "http2.unknown-field",
    /// A content coding that could not be removed (not what the head says, damaged, unknown).
    CodingInvalid = "http.coding-invalid",
    /// The XML is not well-formed.
    XmlNotWellFormed = "xml.not-well-formed",
    /// More than one root element: well-formed for a piece of a document, not for a whole one.
    XmlSecondRoot = "xml.second-root",
    /// A DOCTYPE or an entity that is not predefined. Never expanded.
    XmlDoctype = "xml.doctype",
    /// A character, or a reference to one, that no XML document may hold.
    XmlCharacter = "xml.character",
    /// Bytes that are no text in the document's encoding.
    XmlBytes = "xml.bytes",
    /// The encoding is another one than the document declares, or is not declared where it has to be.
    XmlEncoding = "xml.encoding",
    /// The WBXML version is not 1.1 to 1.3.
    WbxmlVersion = "wbxml.version",
    /// The public identifier is none of SyncML's.
    WbxmlPublicId = "wbxml.public-id",
    /// An index points outside the string table, or at an entry without an end.
    WbxmlStringTable = "wbxml.string-table",
    /// A tag token that its code page does not have.
    WbxmlTag = "wbxml.tag",
    /// A switch to a code page that SyncML does not have.
    WbxmlPage = "wbxml.page",
    /// END without an open element, or bytes behind the root.
    WbxmlUnbalanced = "wbxml.unbalanced",
    /// The document ends with elements open. Decoding stops there.
    WbxmlUnclosed = "wbxml.unclosed",
    /// The character set is not UTF-8.
    WbxmlCharset = "wbxml.charset",
    /// A tag with attributes, which SyncML's tables do not have.
    WbxmlAttributes = "wbxml.attributes",
    /// A length or number that runs past the end, or is longer than five bytes. Decoding stops there.
    WbxmlOverrun = "wbxml.overrun",
    /// A tag spelled out in the string table.
    WbxmlLiteral = "wbxml.literal",
    /// An extension token or a processing instruction.
    WbxmlExtension = "wbxml.extension",
    /// A character written as a number.
    WbxmlEntity = "wbxml.entity",
    /// An inline string without an end. Decoding stops there.
    WbxmlString = "wbxml.string",
    /// A string that is not valid in the document's character set.
    WbxmlText = "wbxml.text",
    /// Text that the recording tool cut; the document's end is missing for that reason.
    SourceTruncated = "source.truncated",
    /// An input file is damaged from here on; what stood before was used.
    SourceDamaged = "source.damaged",
    /// An input of a known kind that this version cannot read.
    SourceUnsupported = "source.unsupported",
    /// A limit on the entries of a recording was reached.
    LimitEntries = "limit.entries",
    /// A limit on what is kept of a capture file was reached.
    LimitCapture = "limit.capture",
    /// A limit on flows was reached.
    LimitFlows = "limit.flows",
    /// A limit on stream buffers was reached.
    LimitStream = "limit.stream",
    /// A limit on body size was reached.
    LimitBody = "limit.body",
    /// A limit on decoded size or ratio was reached.
    LimitDecoded = "limit.decoded",
    /// A limit on document size or depth was reached.
    LimitDocument = "limit.document",
    /// A limit on open sessions was reached.
    LimitSessions = "limit.sessions",
}

impl Kind {
    /// Whether the document that has this note was not read as its sender meant it: nothing above framing can be judged.
    pub fn stops_decoding(self) -> bool {
        matches!(
            self,
            Kind::XmlNotWellFormed
                | Kind::XmlCharacter
                | Kind::XmlSecondRoot
                | Kind::LimitDocument
                | Kind::WbxmlUnclosed
                | Kind::WbxmlOverrun
                | Kind::WbxmlString
        )
    }
}
