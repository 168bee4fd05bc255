//! Provisioning documents (DM-PRV), one file a part.

mod application;
mod schedule;

pub(super) use application::*;
pub(super) use schedule::*;
