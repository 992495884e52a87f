//! Limits: how much a device reads. A longer file is refused whole, whoever signed it.

use super::findings::Findings;
use super::subject::{Subject, nowhere, root_place};
use crate::tuf::{Dialect, KeyId, PublicKey};

/// From this share of a limit on the officer is told, in percent.
const NEAR_PERCENT: u64 = 80;

pub(super) fn device_size(subject: &Subject<'_, '_>, out: &mut Findings<'_>) {
    let targets = final_length(subject);
    let (limits, readers) = (subject.dialect().read_limits(), subject.dialect().readers());
    let (most, most_of_root) = (limits.targets, limits.root);
    if targets > most {
        out.block(nowhere, || {
            format!(
                "targets.json will have {targets} bytes with all signatures; {readers} read at most {most} and refuse a longer \
                 file whole. Drop old versions (--prune) and make the request again."
            )
        });
    } else if is_near(targets, most) {
        out.warn(nowhere, || {
            format!(
                "targets.json will have {targets} bytes with all signatures, more than {NEAR_PERCENT} % of the {most} that \
                 {readers} read. Plan to drop old versions (--prune)."
            )
        });
    }
    let (newest, root) = (subject.root(), subject.root().bytes.len() as u64);
    let at = || root_place(newest, "");
    if root > most_of_root {
        out.block(at, || {
            format!(
                "Production root {} has {root} bytes; {readers} read at most {most_of_root} and refuse a longer one. Have \
                 the root's owners publish a smaller one.",
                newest.version
            )
        });
    } else if is_near(root, most_of_root) {
        out.warn(at, || {
            format!(
                "Production root {} has {root} bytes, more than {NEAR_PERCENT} % of the {most_of_root} that {readers} \
                 read. Tell the root's owners.",
                newest.version
            )
        });
    }
}

/// The page is measured once it is laid out, after all checks: `review::size` adds the finding.
pub(super) fn shown_whole(_: &Subject<'_, '_>, _: &mut Findings<'_>) {}

fn is_near(length: u64, limit: u64) -> bool {
    length.saturating_mul(100) > limit.saturating_mul(NEAR_PERCENT)
}

/// The length of the compact file once every key of the role that has not signed yet has done so.
pub(super) fn final_length(subject: &Subject<'_, '_>) -> u64 {
    let (situation, newest) = (subject.situation, subject.root());
    let there: Vec<&KeyId> = situation.signatures.iter().map(|one| &one.signature.keyid).collect();
    let present: usize = situation.signatures.iter().map(|one| one.signature.json.len() + 1).sum();
    let to_come: usize = newest
        .keyids(subject.role())
        .iter()
        .filter(|keyid| !there.contains(keyid))
        .filter_map(|keyid| Some(signature_length(newest.dialect, keyid, newest.keys.get(keyid)?) + 1))
        .sum();
    let envelope = "{\"signatures\":[],\"signed\":}".len();
    (envelope + situation.message.bytes().len() + present + to_come) as u64
}

/// The length of one signature as JSON.
fn signature_length(dialect: Dialect, keyid: &KeyId, key: &PublicKey) -> usize {
    // An RSA signature is as long as the modulus, which is most of the key; the others have 64 to 72 bytes.
    let bytes = if key.keytype() == "RSA" { key.subject_public_key_info().len() } else { 72 };
    dialect.signature_json(keyid, key, &vec![0; bytes]).len()
}
