//! What this station signed and saw: the marks that no later request may fall behind.
//!
//! They prevent a second signature for one tag and version with another content, and a step back behind what devices may
//! already have. The log is their only memory.

use crate::bundle::RequestKind;
use crate::bundle::manifest::DELEGATING_FILE;
use crate::ledger::acts::MADE;
use crate::ledger::record::MarkTakenOver;
use crate::ledger::{Entry, Record};
use crate::tuf::KeyId;
use std::collections::{BTreeMap, BTreeSet};

/// A signature that this station made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedMark {
    /// Metadata version.
    pub version: u64,
    /// Digest of the canonical `signed`.
    pub signed: String,
    /// The key that signed.
    pub keyid: String,
    /// The wave, or nothing.
    pub wave: String,
    /// The request's digest.
    pub request: String,
    /// The number of the log entry (`sign.intent`), so that a signature in doubt counts as made.
    pub seq: u64,
}

/// Production targets whose signatures reached the threshold when this station saw them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeenMark {
    /// Metadata version.
    pub version: u64,
    /// Digest of the canonical `signed`.
    pub signed: String,
    /// The request that brought them.
    pub request: String,
}

/// The marks of one device tag.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TagHistory {
    /// The newest production targets seen.
    pub baseline: Option<SeenMark>,
    /// Every signature made, in order.
    pub signed: Vec<SignedMark>,
}

impl TagHistory {
    /// The highest version that this station signed or saw in production for the tag.
    pub(crate) fn high_water(&self) -> Option<u64> {
        let seen = self.baseline.as_ref().map(|mark| mark.version);
        self.signed.iter().map(|mark| mark.version).chain(seen).max()
    }

    /// Was this content signed here, or seen here as production's?
    pub(crate) fn has(&self, digest: &str) -> bool {
        self.seen_as_production(digest) || self.signed.iter().any(|mark| mark.signed == digest)
    }

    /// Was this content seen here as production's?
    pub(crate) fn seen_as_production(&self, digest: &str) -> bool {
        self.baseline.as_ref().is_some_and(|seen| seen.signed == digest)
    }

    /// The newest content, of this version or an older one, that was signed or seen here: version and digest.
    pub(crate) fn newest_up_to(&self, version: u64) -> Option<(u64, &str)> {
        let signed = self.signed.iter().map(|mark| (mark.version, mark.signed.as_str()));
        let seen = self.baseline.iter().map(|mark| (mark.version, mark.signed.as_str()));
        // Of one version, what was seen in production goes before what was signed.
        signed.chain(seen).filter(|(of, _)| *of <= version).max_by_key(|(of, _)| *of)
    }

    /// What was signed here above a version, each content once, in order.
    pub(crate) fn signed_above(&self, version: u64) -> Vec<&SignedMark> {
        let mut above: Vec<&SignedMark> = Vec::new();
        for mark in self.signed.iter().filter(|mark| mark.version > version) {
            if above.iter().all(|known| known.signed != mark.signed) {
                above.push(mark);
            }
        }
        above
    }

    /// Remembers production targets; an older version than the one remembered changes nothing. Was it new?
    pub(crate) fn saw(&mut self, mark: SeenMark) -> bool {
        let is_new = self.baseline.as_ref().is_none_or(|known| known.version < mark.version);
        if is_new {
            self.baseline = Some(mark);
        }
        is_new
    }

    /// The signatures made for one version.
    pub(crate) fn signed_for(&self, version: u64) -> impl Iterator<Item = &SignedMark> {
        self.signed.iter().filter(move |mark| mark.version == version)
    }
}

/// All marks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct History {
    /// The root version under which the officer last signed, or that she confirmed when the station was made.
    pub acknowledged_root: u64,
    /// By device tag.
    pub tags: BTreeMap<String, TagHistory>,
    /// The signatures made over lists of offline bundles. A list has the version of the production targets that it names,
    /// and never becomes them.
    pub lists: Vec<SignedMark>,
    /// The newest evidence of each kind that was seen, by its file's name in a request.
    pub files: BTreeMap<String, SeenMark>,
    /// The keys that are or were in the vault.
    pub vault: BTreeSet<String>,
    /// Keys that were retired on the station whose log this one continues.
    pub retired: BTreeSet<String>,
    /// The log that this one continues, in words, until the first signature here.
    pub continues: Option<String>,
    /// Intents that stood after the newest checkpoint, with their tag: somebody may have put them there, so they are no
    /// marks unless an officer says that a signature was made. Until one says what it was, nothing else is signed.
    recovered: BTreeMap<u64, (Option<String>, SignedMark)>,
}

/// What a mark is that came from the log that this one continues: bytes that were signed …
pub(crate) const SIGNED: &str = "signed";
/// … the list of an offline bundle that was …
pub(crate) const LIST: &str = "list";
/// … production targets that were seen …
pub(crate) const SEEN: &str = "seen";
/// … or a key that was retired.
pub(crate) const RETIRED: &str = "retired";

/// The name under which `request.imported` lists the production targets that a request proved: `baseline-VERSION`.
pub(crate) fn baseline_object(version: u64) -> String {
    format!("{BASELINE}{version}")
}

/// The version of the production targets that `request.imported` lists under this name, if it is such a name.
pub(crate) fn baseline_version(name: &str) -> Option<u64> {
    name.strip_prefix(BASELINE)?.parse().ok()
}

const BASELINE: &str = "baseline-";

/// Is a request of this kind about the targets of a tag? The list of an offline bundle is not.
fn is_of_tag(kind: &str) -> bool {
    kind != RequestKind::OfflineBundle.name()
}

impl History {
    /// Takes the next entry of the log into account: replaying the whole log rebuilds the marks.
    pub(crate) fn see(&mut self, entry: &Entry<'_>) {
        let seq = entry.seq();
        match entry.record() {
            Record::RootPinned(root) => self.acknowledge(root.version),
            Record::RequestImported(taken) => {
                for file in &taken.objects {
                    let Some(version) = baseline_version(&file.name) else { continue };
                    let (signed, request) = (file.sha256.to_string(), taken.request.to_string());
                    self.saw(&taken.tag, SeenMark { version, signed, request });
                }
            }
            Record::EvidenceSeen(seen) => {
                let (signed, request) = (seen.signed.to_string(), seen.request.to_string());
                self.saw_file(&seen.file, SeenMark { version: seen.version, signed, request });
            }
            Record::KeyImported(key) | Record::KeyGenerated(key) | Record::KeyRestored(key) => {
                self.vault.insert(key.keyid.to_string());
            }
            Record::SignIntent(intent) => {
                let mark = SignedMark {
                    version: intent.version,
                    signed: intent.signed.to_string(),
                    keyid: intent.keyid.to_string(),
                    wave: intent.wave.to_string(),
                    request: intent.request.to_string(),
                    seq,
                };
                self.signs(is_of_tag(&intent.kind).then_some(&*intent.tag), mark);
                self.acknowledge(intent.root_version);
            }
            Record::SignRecovered(intent) => {
                let mark = SignedMark {
                    version: intent.version,
                    signed: intent.signed.to_string(),
                    keyid: intent.keyid.to_string(),
                    wave: intent.wave.to_string(),
                    request: intent.request.to_string(),
                    seq,
                };
                let tag = is_of_tag(&intent.kind).then(|| intent.tag.to_string());
                self.recovered.insert(seq, (tag, mark));
            }
            Record::StationSucceeds(succeeds) => {
                self.continues = Some(format!("{}, {} entries", succeeds.origin, succeeds.size));
            }
            Record::MarkTakenOver(mark) => self.take_over(seq, mark),
            Record::SignResult(_) => self.continues = None,
            Record::SignAborted(aborted) => self.gave_up(aborted.intent),
            Record::SignInDoubt(doubt) if doubt.resolution == MADE => {
                if let Some((tag, mark)) = self.recovered.remove(&doubt.intent) {
                    self.signs(tag.as_deref(), mark);
                }
            }
            _ => {}
        }
    }

    /// A mark of the log that this one continues. Its request is the old station's, and not here.
    fn take_over(&mut self, seq: u64, mark: &MarkTakenOver<'_>) {
        let (version, signed, request) = (mark.version, mark.signed.to_string(), String::new());
        match mark.what.as_ref() {
            RETIRED => {
                self.retired.insert(mark.keyid.to_string());
            }
            SEEN => {
                self.saw(&mark.tag, SeenMark { version, signed, request });
            }
            what @ (SIGNED | LIST) => {
                let (keyid, wave) = (mark.keyid.to_string(), mark.wave.to_string());
                let tag = (what == SIGNED).then_some(&*mark.tag);
                self.signs(tag, SignedMark { version, signed, keyid, wave, request, seq });
            }
            _ => {}
        }
    }

    /// Remembers production targets for a tag; see [`TagHistory::saw`].
    pub(crate) fn saw(&mut self, tag: &str, mark: SeenMark) -> bool {
        self.tags.entry(tag.to_owned()).or_default().saw(mark)
    }

    /// Remembers that these bytes are about to be signed: as the targets of a tag, or as the list of an offline bundle.
    pub(crate) fn signs(&mut self, tag: Option<&str>, mark: SignedMark) {
        let marks = match tag {
            Some(tag) => &mut self.tags.entry(tag.to_owned()).or_default().signed,
            None => &mut self.lists,
        };
        if !marks.iter().any(|known| known.signed == mark.signed && known.keyid == mark.keyid) {
            marks.push(mark);
        }
    }

    /// Every signature made.
    pub(crate) fn marks(&self) -> impl Iterator<Item = &SignedMark> {
        self.tags.values().flat_map(|tag| &tag.signed).chain(&self.lists)
    }

    /// Did this station sign this content with this key?
    pub(crate) fn made(&self, keyid: &KeyId, digest: &str) -> bool {
        self.marks().any(|mark| mark.signed == digest && mark.keyid == keyid.as_str())
    }

    /// The newest version of the top-level targets metadata of a repository that this station signed or saw, also as the
    /// file that delegates to another role.
    pub(crate) fn delegating_version(&self) -> Option<u64> {
        let own = self.tags.get("targets").and_then(TagHistory::high_water);
        own.max(self.file_version(DELEGATING_FILE))
    }

    /// Does this station know targets metadata that delegates of this version with another content? There must never be
    /// two.
    pub(crate) fn other_delegating(&self, version: u64, digest: &str) -> bool {
        let own = self.tags.get("targets");
        let signed = own.into_iter().flat_map(|own| own.signed_for(version)).map(|mark| &mark.signed);
        let seen =
            own.and_then(|own| own.baseline.as_ref()).into_iter().chain(self.files.get(DELEGATING_FILE));
        let seen = seen.filter(|mark| mark.version == version).map(|mark| &mark.signed);
        signed.chain(seen).any(|known| known != digest)
    }

    /// The newest version of a file of evidence that was seen.
    pub(crate) fn file_version(&self, name: &str) -> Option<u64> {
        self.files.get(name).map(|mark| mark.version)
    }

    /// Remembers a file of evidence; an older version than the one remembered changes nothing.
    pub(crate) fn saw_file(&mut self, name: &str, mark: SeenMark) {
        if self.file_version(name).is_none_or(|known| known < mark.version) {
            self.files.insert(name.to_owned(), mark);
        }
    }

    /// Is or was the key in this station's vault?
    pub(crate) fn had(&self, keyid: &KeyId) -> bool {
        self.vault.contains(keyid.as_str())
    }

    /// Forgets a mark whose intent was given up before anything was signed.
    pub(crate) fn gave_up(&mut self, intent: u64) {
        self.lists.retain(|mark| mark.seq != intent);
        for history in self.tags.values_mut() {
            history.signed.retain(|mark| mark.seq != intent);
        }
    }

    /// The officer signs under this root, so she knows it.
    pub(crate) fn acknowledge(&mut self, root: u64) {
        self.acknowledged_root = self.acknowledged_root.max(root);
    }
}
