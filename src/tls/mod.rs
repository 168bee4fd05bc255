//! TLS, read passively: two streams of records in, two streams of plaintext out where there are keys.
//!
//! In: what TCP reassembled, and [`Keys`]. Out: plaintext with gaps and the way back to the frames, and [`Facts`]: what the
//! handshake tells with or without keys. It decrypts SSL 3.0 to TLS 1.3 and never fails: what cannot be opened is a gap.
//! Bounds: one record and one handshake message for each direction, `limits.secrets`, `limits.resumable`.

mod cipher;
mod facts;
mod failure;
mod half;
mod handshake;
mod keyfile;
mod keylog;
mod keys;
mod negotiation;
mod reader;
mod record;
mod schedule;
mod suite;
#[cfg(test)]
mod tests;
mod told;
mod version;
mod wire;

pub use facts::{Alert, Facts, Handshake, Sealed, Seen, Side};
pub use failure::{Cause, Failure, Fault};
pub use handshake::is_old_hello;
pub use keyfile::{KeyError, RsaKey, read as read_key};
pub use keylog::load as load_key_log;
pub use keys::{Keys, Lines};
pub use reader::{Phase, Tls};
pub use suite::{KeyExchange, Suite};
pub use version::Version;
