//! fioctl's key file: a gzip'd tar of unencrypted keys, some of them retired or for another role.

use super::keyfile::parse_public;
use super::{KeyId, PrivateKey, PublicKey, Root, TufError};
use crate::text::shown;
use std::collections::BTreeMap;
use std::io::Read as _;
use zeroize::Zeroizing;

/// A key file longer than this, packed, is refused unread.
pub(crate) const MAX_KEYFILE_BYTES: u64 = 1 << 20;
/// One file in it.
const MAX_ENTRY_BYTES: u64 = super::private::MAX_PRIVATE_BYTES;
/// Files in it.
const MAX_ENTRIES: usize = 256;

/// The key of a key file that may sign.
pub struct ActiveKey {
    /// The id under which the root lists it.
    pub keyid: KeyId,
    /// The public half, as the root lists it.
    pub public: PublicKey,
    /// The private half.
    pub private: PrivateKey,
    /// The `.sec` file, byte for byte: what is sealed and backed up, so that fioctl can read what comes back.
    pub secret: Zeroizing<Vec<u8>>,
}

/// Takes the active offline targets key out of a key file: the one that the root's `targets` role lists and that is
/// not the service's online key. Retired keys and root keys in the same file are passed over, as fioctl does.
///
/// # Errors
/// The archive cannot be read; it holds no such key, or several; or the private half does not fit the public one.
pub(super) fn active_key(
    name: &str,
    archive: &[u8],
    root: &Root,
    online: Option<&KeyId>,
) -> Result<ActiveKey, TufError> {
    let fail = |why: String| TufError::KeyFile { file: shown(name), why };
    let files = unpack(archive).map_err(|why| {
        fail(format!("{why}. A key file is what `fioctl keys tuf rotate-offline-key --keys` wrote"))
    })?;
    let mut active: Vec<(KeyId, String)> = Vec::new();
    let mut is_online = false;
    for (path, content) in files.iter().filter(|(path, _)| path.ends_with(".pub")) {
        let Some(key) = parse_public(path, content) else { continue };
        let listed =
            root.keyids("targets").iter().find(|id| root.keys.get(*id).is_some_and(|listed| *listed == key));
        match listed {
            Some(keyid) if Some(keyid) == online => is_online = true,
            Some(keyid) => active.push((keyid.clone(), path.clone())),
            None => {}
        }
    }
    let (keyid, public_path) = match active.as_slice() {
        [one] => one.clone(),
        [] if is_online => {
            return Err(fail(
                "the key in it is the service's online targets key, not the offline one".to_owned(),
            ));
        }
        [] => {
            return Err(fail(format!(
                "none of its keys is a targets key of the pinned root (version {}). If the key was rotated, \
                 import a request that brings the newer root first",
                root.version
            )));
        }
        several => {
            let ids: Vec<_> = several.iter().map(|(id, _)| id.short()).collect();
            return Err(fail(format!(
                "it holds {} active targets keys ({}), one is needed",
                several.len(),
                ids.join(", ")
            )));
        }
    };
    let secret_path = format!("{}.sec", public_path.trim_end_matches(".pub"));
    let Some(secret) = files.get(&secret_path) else {
        return Err(fail(format!("{} is missing beside its .pub", shown(&secret_path))));
    };
    let private = PrivateKey::parse(&secret_path, secret)?;
    let Some(public) = root.keys.get(&keyid) else {
        return Err(fail(format!("the root does not list {keyid}")));
    };
    if private.public() != public
        && private.public().subject_public_key_info() != public.subject_public_key_info()
    {
        return Err(fail(format!("the private half in {} does not belong to its .pub", shown(&secret_path))));
    }
    Ok(ActiveKey { keyid, public: public.clone(), private, secret: secret.clone() })
}

/// Unpacks the regular files of the archive, within the caps.
fn unpack(archive: &[u8]) -> Result<BTreeMap<String, Zeroizing<Vec<u8>>>, String> {
    if archive.len() as u64 > MAX_KEYFILE_BYTES {
        return Err(format!("it has {} bytes, no key file is that long", archive.len()));
    }
    // The cap holds for the unpacked stream too: a small archive can unpack to terabytes.
    let packed = flate2::read::MultiGzDecoder::new(archive).take(16 * MAX_KEYFILE_BYTES);
    let mut tar = tar::Archive::new(packed);
    let mut files = BTreeMap::new();
    let entries = tar.entries().map_err(|e| format!("it is not a gzip'd tar archive ({e})"))?;
    for (index, entry) in entries.enumerate() {
        let mut entry = entry.map_err(|e| format!("it is not a whole gzip'd tar archive ({e})"))?;
        if index == MAX_ENTRIES {
            return Err(format!("it holds more than {MAX_ENTRIES} files"));
        }
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let length = entry.header().size().unwrap_or(u64::MAX);
        if length > MAX_ENTRY_BYTES {
            return Err(format!("{} in it has {length} bytes, no key is that long", shown(&path)));
        }
        let mut content = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or(0)));
        (&mut entry)
            .take(MAX_ENTRY_BYTES)
            .read_to_end(&mut content)
            .map_err(|e| format!("{} in it cannot be read ({e})", shown(&path)))?;
        files.insert(path, content);
    }
    Ok(files)
}
