//! **countersign**: review and countersign a Factory's production targets on an air-gapped station.
//!
//! Data goes one way. Each room uses only those above it:
//!
//! | room | what lives there | may use |
//! |---|---|---|
//! | [`text`], [`words`], [`json`], [`threads`], [`release`], [`host`] | the ground floor: foreign text, digests as words, the strict reader, work on both cores, this release, what the machine gives | - |
//! | [`tuf`] | what the metadata means | ground floor |
//! | [`tlog`] | a transparency log: tree, notes, checkpoints, proofs; knows no record | ground floor |
//! | [`ledger`] | what the log means: its lines, and what they add up to | `tlog` |
//! | [`bundle`] | what crosses the gap | `tuf` |
//! | [`vault`] | officers, sealing, shares, paper, passphrases: the only room that holds a secret | `ledger` |
//! | [`station`] | what the workstation remembers | `vault`, `bundle`, `ledger` |
//! | [`review`] | what the officer is shown | `tuf`, `bundle`, `station` (read) |
//! | [`ceremony`] | the acts, whole: the order of the safeguards stands here | all above |
//! | [`audit`] | the auditor's side | `ledger`, `bundle` |
//! | `courier` | the connected side: the Factory's API; only with the feature `courier`, the only room with sockets | `bundle`, `station` (trust), `tlog` |
//! | [`rehearsal`] | a made-up Factory | ground floor |
//! | [`guided`], [`cli`] | front ends: the guided run; one file a verb | `ceremony`, `audit` |

pub mod host;
pub mod json;
pub mod release;
pub mod text;
pub mod threads;
pub mod words;

pub mod ledger;
pub mod tlog;
pub mod tuf;

pub mod bundle;
#[cfg(feature = "station")]
pub mod station;
#[cfg(feature = "station")]
pub mod vault;

pub mod audit;
#[cfg(feature = "station")]
pub mod ceremony;
#[cfg(feature = "courier")]
pub(crate) mod courier;
#[cfg(feature = "station")]
pub mod rehearsal;
#[cfg(feature = "station")]
pub mod review;

pub mod cli;
#[cfg(feature = "station")]
pub mod guided;

#[cfg(all(test, feature = "station"))]
mod vectors;
