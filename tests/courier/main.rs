//! The connected side, as people use it: the real programs against a stand-in for the Factory API on loopback.
//!
//! The stand-in (`factory_api.py`) needs python3; RSA keys need python3-cryptography, and TLS needs openssl.

// Here the pages' commands of the courier are looked at too.
#[path = "../suite/docs.rs"]
mod docs;
mod everyday;
mod faults;
// Here the answers of the service are among the readers.
#[path = "../suite/fuzz_corpus.rs"]
mod fuzz_corpus;
mod harness;
mod offline;
mod proxy;
mod rotation;
mod rounds;
mod screens;
mod secrets;
mod witnesses;
