//! Disks that count, fail or lose writes, keys that sign anything, and stations made for a test.

pub mod counting_disk;
pub mod crash_disk;
pub mod failing_disk;
pub mod filled;
pub mod made_up_station;
pub mod ready;
pub mod signer;
pub mod witness;
