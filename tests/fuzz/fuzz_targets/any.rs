//! The target that `DMSCOPE_TARGET` names: one program for all of them is built once.
#![no_main]

use std::sync::OnceLock;

#[path = "../targets.rs"]
mod targets;

static TARGET: OnceLock<targets::Target> = OnceLock::new();

libfuzzer_sys::fuzz_target!(|data: &[u8]| TARGET.get_or_init(named)(data));

fn named() -> targets::Target {
    let name = std::env::var("DMSCOPE_TARGET").unwrap_or_default();
    let known = || targets::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let found = targets::ALL.iter().find(|(target, _)| *target == name);
    found.unwrap_or_else(|| panic!("DMSCOPE_TARGET is {name:?}; expected one of {}", known())).1
}
