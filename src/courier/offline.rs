//! The signed list of an offline-update bundle. The service has no call for it: it goes into the bundle's folder, beside the
//! metadata that `fioctl targets offline-update` put there.

use super::CourierError;
use super::acts::Done;
use super::fetch::document;
use super::held::{Bundle, Held, Status};
use super::submit::{How, Submitted, told};
use crate::bundle::signed::{documents, passed_on};
use crate::host::Disk;
use crate::host::disk::write_durably;
use crate::text::shown_path;
use crate::tuf::{Authority, Targets};
use std::path::Path;

/// Where the list stands in an offline-update bundle.
const LIST: &str = "tuf/bundle-targets.json";

/// Puts our signatures into the list of the offline-update bundle, unless they are there already, and reads it back.
///
/// # Errors
/// There is no such list, or it is another than was signed; it cannot be written.
pub(super) fn put(bundle: &Bundle, disk: &dyn Disk, how: &How<'_>) -> Result<Submitted, CourierError> {
    let folder = how.into.ok_or_else(|| {
        CourierError::Settings(format!(
            "the list of an offline-update bundle is not uploaded: it goes into that bundle's folder. Give the folder that \
             has {LIST} with --into DIR"
        ))
    })?;
    let list = disk.read(&folder.join(LIST), how.cap)?;
    let held = held(bundle, folder, &list)?;
    if held.absent.is_empty() {
        return told(bundle, held, Done::Before);
    }
    let path = folder.join(LIST);
    let document = document(LIST, &list)?;
    let root = bundle.chain.newest();
    let targets = Targets::read(document.root(), root.dialect)?;
    // A device refuses the whole list for one signature that does not count.
    let is_ours = |keyid: &str| bundle.ours.iter().any(|(ours, _)| ours == keyid);
    let authority = Authority::of(root, "targets", None)?;
    let mut all = passed_on(&targets.metadata, &authority, |keyid| is_ours(keyid.as_str()))?;
    all.extend(bundle.ours.iter().map(|(_, json)| json.clone()));
    let signed = document.root().require("signed")?.span();
    let files = documents((&bundle.manifest).into(), signed, &all, &[]);
    let parts: Vec<&[u8]> =
        files.get("upload/bundle-targets.json").into_iter().flatten().map(|part| &**part).collect();
    write_durably(disk, &path, 0o644, &parts)?;
    let back = disk.read(&path, how.cap)?;
    told(bundle, self::held(bundle, folder, &back)?, Done::Now)
}

fn held(bundle: &Bundle, folder: &Path, list: &[u8]) -> Result<Held, CourierError> {
    let document = document(LIST, list)?;
    Held::compared(bundle, document.root(), Status::Written)?.ok_or_else(|| {
        CourierError::Blocked(format!(
            "{}: it is another list than the one that was signed. Nothing was written",
            shown_path(&folder.join(LIST))
        ))
    })
}
