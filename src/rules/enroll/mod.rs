//! Enrollment exchanges (DM-ENR), one file a step.

mod discovery;
mod fault;
mod services;

pub(super) use discovery::*;
pub(super) use fault::*;
pub(super) use services::*;
