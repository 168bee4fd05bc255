//! The open sessions: by number, by device, and by how long they are idle.
//!
//! It keeps the sums that the bounds are checked against; what happens when one is reached is for the assembler.

use std::collections::{BTreeMap, HashMap};

use super::open::Open;
use crate::syncml::Message;

/// See the module's head.
#[derive(Clone, Default)]
pub(super) struct Table {
    open: HashMap<u32, Open>,
    devices: HashMap<String, Vec<u32>>,
    ages: BTreeMap<u64, u32>,
    ticks: u64,
    bytes: usize,
}

impl Table {
    /// Number of open sessions.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Bytes that they hold.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// A session by its number.
    pub(super) fn get(&self, number: u32) -> Option<&Open> {
        self.open.get(&number)
    }

    /// The same, to change it. Messages are added by [`Table::push`].
    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut Open> {
        self.open.get_mut(&number)
    }

    /// The sessions of a device, oldest first.
    pub(super) fn of_device(&self, device: &str) -> impl Iterator<Item = &Open> {
        let numbers = self.devices.get(device).map(Vec::as_slice).unwrap_or_default();
        numbers.iter().filter_map(|number| self.open.get(number))
    }

    /// Whether a device has a session.
    pub(super) fn knows_device(&self, device: &str) -> bool {
        self.devices.contains_key(device)
    }

    /// The session that is idle for longest.
    pub(super) fn idlest(&self) -> Option<u32> {
        self.ages.first_key_value().map(|(_, number)| *number)
    }

    /// The sessions that have grown since a tick, the one that did so longest ago first.
    pub(super) fn grown_since(&self, tick: u64) -> impl Iterator<Item = (u64, u32)> {
        self.ages.range(tick.saturating_add(1)..).map(|(tick, number)| (*tick, *number))
    }

    /// The numbers of all, in order.
    pub(super) fn numbers(&self) -> Vec<u32> {
        let mut numbers: Vec<u32> = self.open.keys().copied().collect();
        numbers.sort_unstable();
        numbers
    }

    /// Adds a session without messages.
    pub(super) fn insert(&mut self, open: Open) {
        self.open.insert(open.number, open);
    }

    /// Adds a message to a session; gives its index there.
    pub(super) fn push(&mut self, number: u32, message: Message) -> Option<usize> {
        let open = self.open.get_mut(&number)?;
        let (bytes, unknown) = (open.bytes, open.device.is_none());
        let index = open.push(message);
        self.bytes = self.bytes.saturating_add(open.bytes.saturating_sub(bytes));
        self.ticks += 1;
        self.ages.remove(&open.tick);
        self.ages.insert(self.ticks, number);
        open.tick = self.ticks;
        if let Some(device) = open.device.as_ref().filter(|_| unknown) {
            self.devices.entry(device.clone()).or_default().push(number);
        }
        Some(index)
    }

    /// Takes a session out.
    pub(super) fn remove(&mut self, number: u32) -> Option<Open> {
        let open = self.open.remove(&number)?;
        self.ages.remove(&open.tick);
        self.bytes = self.bytes.saturating_sub(open.bytes);
        if let Some(device) = &open.device
            && let Some(sessions) = self.devices.get_mut(device)
        {
            sessions.retain(|known| *known != number);
            if sessions.is_empty() {
                self.devices.remove(device);
            }
        }
        Some(open)
    }

    /// Whether nothing at all is kept.
    #[cfg(test)]
    pub(super) fn is_clear(&self) -> bool {
        self.open.is_empty() && self.devices.is_empty() && self.ages.is_empty() && self.bytes == 0
    }
}
