//! One binary for all tests of whole commands: it is linked once. A file is one subject, and its tests are its promises.
//!
//! On their own stand `tests/work.rs`, which counts allocations, `tests/custody_memory.rs`, which reads all of its
//! process's memory, and `tests/log_killed.rs`, which kills programs by the clock.

mod common;
mod support;

mod acts;
mod approvals;
mod assurance;
mod audit_acts;
mod audit_intents;
mod audit_packs;
mod audit_reconcile;
mod audit_rules;
mod audit_tools;
mod audit_verify;
mod bad_input;
mod bounds;
mod commands;
mod confinement;
mod connected;
mod custody_commands;
mod custody_never_leaked;
mod custody_paper;
mod dependencies;
mod docs;
mod everyday;
mod evidence;
mod fingerprint;
mod form;
mod fuzz_corpus;
mod golden;
mod guided;
mod heads;
mod histories;
mod log_crash;
mod log_end;
mod log_station;
mod offline_bundles;
mod passes;
mod recipe;
mod rehearse;
mod repository;
mod repository_trust;
mod rotation;
mod rules;
mod said;
mod slip;
mod station_files;
mod succession;
mod terminal;
mod transcripts;
mod trust;
mod walks;
mod whole;
