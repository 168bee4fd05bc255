//! The servers whose connections could not be decrypted, each once for an input.
//!
//! In: encrypted connections. Out: one for each host and cause of a failure, with their number. Bound: `limits.encrypted_hosts`; connections to
//! further hosts are not kept.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::http::{Encrypted, InputId};
use crate::limits::Limits;
use crate::tls::Cause;

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    all: Vec<Encrypted>,
    known: HashMap<(InputId, String, Option<Cause>), usize>,
    left_out: bool,
}

impl Hosts {
    /// Adds a connection.
    pub(super) fn add(&mut self, encrypted: Encrypted, limits: &Limits) {
        let Some(host) = encrypted.host() else { return };
        let room = self.all.len() < limits.encrypted_hosts;
        // One that failed says nothing of those that worked, nor of those that failed for another reason.
        let cause = encrypted.facts().failure().map(|failure| failure.cause);
        match self.known.entry((encrypted.connection.input, host, cause)) {
            Entry::Occupied(known) => {
                if let Some(known) = self.all.get_mut(*known.get()) {
                    known.connections += encrypted.connections;
                }
            }
            Entry::Vacant(free) if room => {
                free.insert(self.all.len());
                self.all.push(encrypted);
            }
            Entry::Vacant(_) => self.left_out = true,
        }
    }

    /// Whether some were left out since the last call.
    pub(super) fn take_left_out(&mut self) -> bool {
        std::mem::take(&mut self.left_out)
    }

    /// All of them, in the order they were first seen.
    pub(super) fn finish(self) -> Vec<Encrypted> {
        self.all
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::http::Connection;
    use crate::origin::Origin;

    fn to(host: &str, number: u32) -> Encrypted {
        let input = InputId(0);
        let connection = Connection {
            input,
            number,
            client: None,
            server: None,
            tls: Some(true),
            handshake: None,
            from_start: true,
        };
        let server_name = Some(host.to_owned());
        Encrypted { connection: Arc::new(connection), server_name, origin: Origin::default(), connections: 1 }
    }

    #[test]
    fn each_host_is_kept_once_up_to_the_limit() {
        let limits = Limits { encrypted_hosts: 2, ..Limits::default() };
        let mut hosts = Hosts::default();
        for (number, host) in ["a", "b", "a", "c", "a"].into_iter().enumerate() {
            hosts.add(to(host, number as u32), &limits);
        }
        assert!(hosts.take_left_out() && !hosts.take_left_out());
        let all: Vec<_> = hosts.finish().into_iter().map(|one| (one.host(), one.connections)).collect();
        assert_eq!(all, [(Some("a".to_owned()), 3), (Some("b".to_owned()), 1)]);
    }
}
