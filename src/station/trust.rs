//! What the station trusts: the production root chain, and which of its targets keys is the service's.

use super::StationError;
use crate::host::Disk;
use crate::text::{shown, shown_path};
use crate::tuf::chain::{MAX_CHAIN_BYTES, MAX_ROOTS};
use crate::tuf::root::{MAX_ROOT_BYTES, is_root_file};
use crate::tuf::{Chain, KeyId, PublicKey, Root, TufError, keyfile};
use std::path::Path;

/// The pinned roots and the pinned online key.
pub struct Trust {
    /// The production root chain, verified.
    pub chain: Chain,
    /// The id of the service's online targets key, where there is a service.
    pub online: Option<KeyId>,
}

/// A public key file of the service, as `ci-targets.pub`.
pub(crate) struct OnlineKey {
    /// The file, byte for byte.
    pub file: Vec<u8>,
    /// The key in it.
    pub public: PublicKey,
}

impl OnlineKey {
    /// Reads a key file that the officer gave.
    ///
    /// # Errors
    /// It cannot be read, or holds no key.
    pub(crate) fn read(disk: &dyn Disk, path: &Path) -> Result<OnlineKey, StationError> {
        let file = disk.read(path, 64 << 10)?;
        let public = keyfile::public_key(&path.to_string_lossy(), &file)?;
        Ok(OnlineKey { file, public })
    }
}

impl Trust {
    /// Is this the service's online key?
    pub(crate) fn is_online(&self, keyid: &KeyId) -> bool {
        self.online.as_ref() == Some(keyid)
    }

    /// The newest root.
    pub(crate) fn newest(&self) -> &Root {
        self.chain.newest()
    }
}

/// The id under which a root's `targets` role lists a public key.
///
/// # Errors
/// It does not list it.
pub(crate) fn online_key_in(root: &Root, public: &PublicKey) -> Result<KeyId, StationError> {
    let info = public.subject_public_key_info();
    root.keyids("targets")
        .iter()
        .find(|id| root.keys.get(*id).is_some_and(|key| key.subject_public_key_info() == info))
        .cloned()
        .ok_or_else(|| StationError::OnlineKey { keyid: public.factory_keyid(), root: root.version })
}

/// As [`online_key_in`], of a key that is to be pinned as the service's: one that the root notes an owner for is an
/// officer's, and with it pinned, what she signs would pass for the service's word.
///
/// # Errors
/// The root does not list it, or notes an owner for it.
pub(crate) fn service_key_in(root: &Root, public: &PublicKey) -> Result<KeyId, StationError> {
    let keyid = online_key_in(root, public)?;
    match root.owner(&keyid) {
        None => Ok(keyid),
        Some(owner) => {
            Err(StationError::OwnedKey { owner: shown(&owner.polis_id), keyid, root: root.version })
        }
    }
}

/// The roots in a folder: files `N.root.json`, whose number must be their version. Other files are passed over.
///
/// # Errors
/// A file is damaged, or its name says another version.
pub(crate) fn roots_in(disk: &dyn Disk, folder: &Path) -> Result<Vec<Root>, StationError> {
    let mut roots = Vec::new();
    let mut left = MAX_CHAIN_BYTES;
    for entry in disk.list(folder, 4 * MAX_ROOTS)? {
        if !is_root_file(&entry.name) {
            continue;
        }
        if let crate::host::disk::Kind::File(length) = entry.kind {
            left = left.checked_sub(length).ok_or_else(|| {
                let most = MAX_CHAIN_BYTES >> 20;
                let why = format!("{}: its roots have more than {most} MiB together", shown_path(folder));
                StationError::Tuf(TufError::Chain(why))
            })?;
        }
        let bytes = disk.read_beneath(folder, &entry.name, MAX_ROOT_BYTES)?;
        roots.push(Root::of_file(&entry.name, &bytes)?);
    }
    Ok(roots)
}

/// The roots at a path that the officer gave: a folder, a `.tgz` of `N.root.json`, or one root file.
///
/// # Errors
/// Nothing there is a root.
pub(crate) fn roots_at(disk: &dyn Disk, path: &Path) -> Result<Vec<Root>, StationError> {
    use crate::host::disk::Kind;
    let roots = match disk.kind(path)? {
        Some(Kind::Folder) => roots_in(disk, path)?,
        _ => {
            let bytes = disk.read(path, MAX_ARCHIVE_BYTES)?;
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            if bytes.starts_with(&[0x1f, 0x8b]) {
                roots_in_archive(&name, &bytes)?
            } else {
                vec![Root::parse(&name, &bytes)?]
            }
        }
    };
    if roots.is_empty() {
        return Err(StationError::NoRoots(crate::text::shown_path(path)));
    }
    Ok(roots)
}

/// A packed root chain longer than this is refused unread.
const MAX_ARCHIVE_BYTES: u64 = 16 << 20;

fn roots_in_archive(name: &str, archive: &[u8]) -> Result<Vec<Root>, StationError> {
    use std::io::Read as _;
    let fail = |e: std::io::Error| {
        StationError::Tuf(TufError::KeyFile {
            file: shown(name),
            why: format!("it is not a whole gzip'd tar archive ({e})"),
        })
    };
    // The cap holds for the unpacked stream too.
    let packed = flate2::read::MultiGzDecoder::new(archive).take(4 * MAX_ARCHIVE_BYTES);
    let mut tar = tar::Archive::new(packed);
    let mut roots = Vec::new();
    for entry in tar.entries().map_err(fail)? {
        let mut entry = entry.map_err(fail)?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let file = path.rsplit('/').next().unwrap_or_default().to_owned();
        if !entry.header().entry_type().is_file() || !is_root_file(&file) {
            continue;
        }
        if roots.len() == MAX_ROOTS {
            return Err(StationError::Tuf(TufError::Chain(format!("it has more than {MAX_ROOTS} roots"))));
        }
        let mut bytes = Vec::new();
        (&mut entry).take(MAX_ROOT_BYTES + 1).read_to_end(&mut bytes).map_err(fail)?;
        roots.push(Root::of_file(&file, &bytes)?);
    }
    Ok(roots)
}
