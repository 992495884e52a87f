//! **countersign**: review and countersign a Factory's production targets on an air-gapped station.
//!
//! Data goes one way. Each room uses only those above it:
//!
//! | room | what lives there | may use |
//! |---|---|---|
//! | [`text`], [`words`], [`json`], [`threads`], [`release`], [`host`] | the ground floor: foreign text, digests as words, the strict reader, work on both cores, this release, what the machine gives | - |
//! | [`tuf`] | what the metadata means | ground floor |
//! | [`log`] | the tamper-evident log; knows nothing of TUF | ground floor |
//! | [`bundle`] | what crosses the gap | `tuf` |
//! | [`station`] | what the workstation remembers | `tuf`, `bundle`, `log` |
//! | [`review`] | what the officer is shown | `tuf`, `bundle`, `station` (read) |
//! | [`ceremony`] | the acts; the only room that opens a private key | all above |
//! | [`audit`] | the auditor's side | `log`, `tuf` |
//! | [`rehearsal`] | a made-up Factory | ground floor |
//! | [`cli`] | one file a verb | all above |

pub mod host;
pub mod json;
pub mod release;
pub mod text;
pub mod threads;
pub mod words;

pub mod log;
pub mod tuf;

pub mod bundle;
pub mod station;

pub mod audit;
pub mod ceremony;
pub mod rehearsal;
pub mod review;

pub mod cli;
