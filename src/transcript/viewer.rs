//! The stream that SyncML Viewer saves: messages as event tracing gave them, re-indented, comments between them.
//!
//! In: the file. Out: its messages. The comments that hold a date are in local time, in the culture of the recording
//! machine: they are not times. Which side sent a message is not stored. A message that the tool closed because event
//! tracing had cut it is marked as cut.

use super::text::Text;
use super::{Record, log};
use crate::limits::Limits;

/// Reads a saved stream.
pub fn read(data: &[u8], limits: &Limits, out: &mut dyn FnMut(Record)) {
    log::documents(&Text::of(data), limits, out);
}
