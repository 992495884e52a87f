//! The station's own small JSON records: sorted keys, one format each, unknown members refused, written durably.

use crate::host::Disk;
use crate::host::disk::write_durably;
use crate::text::shown;
use crate::vault::error::{CustodyError, CustodyResult};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;

/// The most bytes of a record that are read.
pub(crate) const RECORD_CAP: u64 = 256 << 10;

/// Reads a record whose member `format` must be `format`.
pub(crate) fn read_record<T: DeserializeOwned>(
    disk: &dyn Disk,
    path: &Path,
    format: &str,
) -> CustodyResult<T> {
    let bytes = disk.read(path, RECORD_CAP)?;
    parse_record(&bytes, format).map_err(|problem| CustodyError::BadFile { path: path.to_owned(), problem })
}

/// Reads a record from bytes; the error is a sentence, already escaped.
pub(crate) fn parse_record<T: DeserializeOwned>(bytes: &[u8], format: &str) -> Result<T, String> {
    #[derive(serde::Deserialize)]
    struct Head {
        format: String,
    }
    let head: Head = serde_json::from_slice(bytes).map_err(|e| shown(&e.to_string()))?;
    if head.format != format {
        return Err(format!("its format is \"{}\", \"{format}\" is known here", shown(&head.format)));
    }
    serde_json::from_slice(bytes).map_err(|e| shown(&e.to_string()))
}

/// A record's bytes: its members in the order of the type, which is alphabetical, and a newline.
pub(crate) fn record_bytes<T: Serialize>(record: &T) -> CustodyResult<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(record)
        .map_err(|e| CustodyError::Make { what: "a record as JSON".to_owned(), reason: e.to_string() })?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// A record's bytes for paper, where each line costs: the same members without white space.
pub(crate) fn compact_bytes<T: Serialize>(record: &T) -> CustodyResult<Vec<u8>> {
    serde_json::to_vec(record)
        .map_err(|e| CustodyError::Make { what: "a record as JSON".to_owned(), reason: e.to_string() })
}

/// Writes a record with mode 0600.
pub(crate) fn write_record<T: Serialize>(disk: &dyn Disk, path: &Path, record: &T) -> CustodyResult<()> {
    Ok(write_durably(disk, path, 0o600, &[&record_bytes(record)?])?)
}
