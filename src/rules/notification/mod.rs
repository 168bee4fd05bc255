//! Notifications (package 0) and bootstraps by WAP push (OMA DM Notification 1.2, DMS 5.7, WAP-230).
//!
//! `fields` judges the notification itself, `carried` what stands around it, `digest` its digest where the user gave the
//! secret, `answer` what follows on it.

mod answer;
mod carried;
mod digest;
mod fields;

pub(super) use answer::{duplicate_trigger, trigger_session_not_used, trigger_without_session};
pub(super) use carried::{bootstrap_security, trigger_push_headers, wap_push_to_windows};
pub(super) use digest::trigger_digest_wrong;
pub(super) use fields::{
    future_bits_set, server_id_length, trigger_session_zero, trigger_too_short, trigger_version,
};
