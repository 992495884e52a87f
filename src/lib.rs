//! **countersign**: review and countersign a Factory's production targets on an air-gapped station.
//!
//! Data goes one way. Each room uses only those above it:
//!
//! | room | what lives there | may use |
//! |---|---|---|
//! | `text`, `words`, `page`, `json`, `threads`, `release`, `host` | the ground floor: foreign text, digests as words, all HTML, the strict reader, work on both cores, this release, what the machine gives | - |
//! | `tuf` | what the metadata means | ground floor |
//! | `tlog` | a transparency log: tree, notes, checkpoints, proofs; knows no record | ground floor |
//! | `ledger` | what the log means: its lines, and what they add up to | `tlog` |
//! | `bundle` | what crosses the gap | `tuf` |
//! | `vault` | officers, sealing, shares, paper, passphrases: the only room that holds a secret | `ledger` |
//! | `station` | what the workstation remembers | `vault`, `bundle`, `ledger` |
//! | `review` | what the officer is shown | `tuf`, `bundle`, `station` (read) |
//! | `ceremony` | the acts, whole: the order of the safeguards stands here | all above |
//! | `audit` | the auditor's side | `ledger`, `bundle` |
//! | `courier` | the connected side: the Factory's API; only with the feature `courier`, the only room with sockets | `bundle`, `station` (trust), `tlog` |
//! | `rehearsal` | a made-up Factory | ground floor |
//! | `guided`, `cli` | front ends: the guided run; one file a verb | `ceremony`, `audit` |

// Each program uses a part of the shared rooms: what nobody uses, and what need not be public, is looked for in the
// build that has all of them.
#![cfg_attr(feature = "courier", warn(unreachable_pub))]
// The documents are for who reads the crate: cargo doc --document-private-items.
#![allow(rustdoc::private_intra_doc_links)]
#![cfg_attr(not(feature = "courier"), allow(dead_code, unused_imports))]

mod host;
mod json;
mod page;
mod release;
mod text;
mod threads;
mod words;

mod ledger;
mod tlog;
mod tuf;

mod bundle;
#[cfg(feature = "station")]
mod station;
#[cfg(feature = "station")]
mod vault;

mod audit;
#[cfg(feature = "station")]
mod ceremony;
#[cfg(feature = "courier")]
mod courier;
#[cfg(feature = "station")]
mod rehearsal;
#[cfg(feature = "station")]
mod review;

mod cli;
#[cfg(feature = "station")]
mod guided;

#[cfg(all(test, feature = "station"))]
mod vectors;

#[cfg(feature = "station")]
#[doc(hidden)]
pub mod testing;

pub use cli::audit::main as audit_main;
#[cfg(feature = "courier")]
pub use cli::courier::main as courier_main;
#[cfg(feature = "station")]
pub use cli::main;
pub use host::Host;
