//! Which connection an exchange of a recording ran on.
//!
//! In: what the tool says of it. Out: the connection and the number of the exchange on it. Bound: one entry for each
//! exchange at most, and those are bounded by `limits.entries`.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::http::{Connection, InputId};

/// The connections of one recording.
#[derive(Debug)]
pub(super) struct Roads {
    input: InputId,
    known: HashMap<String, (Arc<Connection>, u32)>,
    count: u32,
}

impl Roads {
    pub(super) fn new(input: InputId) -> Roads {
        Roads { input, known: HashMap::new(), count: 0 }
    }

    /// The connection that `key` names, or one of its own where the recording names none.
    pub(super) fn of(
        &mut self,
        key: Option<String>,
        client: Option<SocketAddr>,
        server: Option<SocketAddr>,
        tls: Option<bool>,
    ) -> (Arc<Connection>, u32) {
        if let Some((connection, exchanges)) = key.as_ref().and_then(|key| self.known.get_mut(key)) {
            *exchanges += 1;
            return (connection.clone(), *exchanges - 1);
        }
        let number = self.count;
        self.count = self.count.saturating_add(1);
        let connection =
            Arc::new(Connection { input: self.input, number, client, server, tls, handshake: None, from_start: false });
        if let Some(key) = key {
            self.known.insert(key, (connection.clone(), 1));
        }
        (connection, 0)
    }
}
