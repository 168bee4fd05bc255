//! dmscope reads captures of OMA DM (SyncML DM 1.2) traffic, reassembles device-management sessions and checks
//! them against a catalog of rules.
//!
//! Data flows one way:
//!
//! ```text
//! capture > link > defrag > tcp > http > syncml > session > rules > report
//!                        transcript (HAR, logs, single files) ^
//! ```
//!
//! `docs/architecture.md` tells what each module takes, gives and refuses to know.

pub mod anomaly;
pub mod bug;
pub mod capture;
pub mod cli;
pub mod commands;
pub mod config;
pub mod credentials;
pub mod defrag;
pub mod diff;
pub mod engine;
pub mod enroll;
pub mod escape;
pub mod examples;
pub mod export;
pub mod filter;
pub mod http;
pub mod input;
pub mod limits;
pub mod link;
pub mod near;
pub mod octets;
pub mod origin;
pub mod pattern;
pub mod push;
pub mod reach;
pub mod report;
pub mod rules;
pub mod session;
pub mod story;
pub mod stream;
pub mod suppress;
pub mod syncml;
pub mod table;
pub mod tcp;
pub mod time;
pub mod tls;
pub mod transcript;
pub mod tui;
pub mod wbxml;
pub mod workers;
pub mod x509;
pub mod xml;
