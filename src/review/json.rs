//! The review as JSON: for scripts, and the form whose digest names the review.
//!
//! Text from the bundle stands here as it is, in JSON strings; every character that is not printable ASCII is written
//! as an escape, so that the output is safe on a terminal too. It is written piece by piece: a review of a hundred
//! thousand targets is never a second copy of them in memory.

use super::Review;
use super::diff::{Added, Change, Changed};
use super::fleet::{Device, Move};
use super::model::BaselineState;
use super::trust::{Repository, Trust};
use crate::bundle::RequestKind;
use crate::json::{Kind, Value};
use crate::tuf::{Digest, Target};
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::json;
use serde_json::ser::Formatter;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::io;

impl Review<'_> {
    /// The review as one line of JSON, without a line feed at the end; its last member is the confirmation code.
    pub fn json(&self) -> String {
        self.confirmed(Detail::Whole)
    }

    fn confirmed(&self, detail: Detail) -> String {
        let mut out = Vec::new();
        // Writing to memory does not fail.
        let _ = write_form(&Form { review: self, detail }, &mut out);
        out.pop();
        out.extend_from_slice(format!(",\"confirm\":\"{}\"}}", self.confirm()).as_bytes());
        String::from_utf8(out).unwrap_or_default()
    }

    /// The bytes whose SHA-256 names the review, and is what approvals sign: the line without the confirmation code.
    pub(crate) fn form(&self) -> Vec<u8> {
        let mut out = Vec::new();
        // Writing to memory does not fail.
        let _ = self.write_json(&mut out);
        out
    }

    /// Writes the line without the confirmation code, which is derived from this line's digest.
    pub fn write_json(&self, out: &mut dyn io::Write) -> io::Result<()> {
        write_form(&Form { review: self, detail: Detail::Whole }, out)
    }

    /// The review as it is printed: where it is more than a page holds, with the names of the targets alone; where those
    /// are too much, with none.
    pub fn printed_json(&self) -> String {
        let fits = |line: &String| line.len() as u64 <= self.page_limit;
        let line = Some(self.json()).filter(fits);
        let line = line.or_else(|| Some(self.confirmed(Detail::Names)).filter(fits));
        line.unwrap_or_else(|| self.confirmed(Detail::Numbers))
    }
}

fn write_form(form: &Form<'_, '_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(out, Ascii);
    form.serialize(&mut serializer).map_err(io::Error::from)
}

/// What is said of the targets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// What becomes of each.
    Whole,
    /// Which they are.
    Names,
    /// How many they are.
    Numbers,
}

/// A review, with so much of its targets.
struct Form<'r, 'd> {
    review: &'r Review<'d>,
    detail: Detail,
}

/// SHA-256 of the JSON form, without the confirmation code.
pub(super) fn digest(review: &Review<'_>) -> Digest {
    let mut hasher = Hasher(Sha256::new());
    // Hashing does not fail.
    let _ = review.write_json(&mut io::BufWriter::with_capacity(1 << 16, &mut hasher));
    Digest(hasher.0.finalize().into())
}

struct Hasher(Sha256);

impl io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Compact JSON in printable ASCII.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(|c: char| !matches!(c, ' '..='~')) {
            out.write_all(&rest.as_bytes()[..at])?;
            let Some(odd) = rest[at..].chars().next() else { break };
            for unit in odd.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = &rest[at + odd.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }
}

impl Serialize for Form<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let review = self.review;
        let detail = if review.diff.is_shown { self.detail } else { Detail::Numbers };
        let (header, diff, trust) = (&review.header, &review.diff, &review.trust);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("request", &header.request.to_string())?;
        map.serialize_entry("factory", header.factory)?;
        map.serialize_entry("request_factory", header.request_factory)?;
        map.serialize_entry("kind", header.kind.name())?;
        map.serialize_entry("wave", header.wave)?;
        map.serialize_entry("tag", header.tag)?;
        map.serialize_entry("version", &header.version)?;
        map.serialize_entry("expires", &header.expires)?;
        map.serialize_entry("digest", &header.digest.to_string())?;
        map.serialize_entry("bytes", &header.bytes)?;
        map.serialize_entry("signable", &review.signable())?;
        map.serialize_entry("baseline_version", &header.baseline_version())?;
        map.serialize_entry("baseline", &header.baseline)?;
        map.serialize_entry("policy", &header.policy.to_string())?;
        map.serialize_entry("networked", &header.networked)?;
        map.serialize_entry("tool", header.tool)?;
        map.serialize_entry("findings", &review.findings)?;
        map.serialize_entry("since_last_signature", &trust.since)?;
        map.serialize_entry("root", &root(trust))?;
        if let Some(of) = trust.repository.as_ref().filter(|_| detail != Detail::Numbers) {
            map.serialize_entry("repository", &repository(of))?;
        }
        map.serialize_entry(
            "totals",
            &json!({
                "added": diff.added.len(),
                "removed": diff.removed.len(),
                "changed": diff.changed.len(),
                "kept": diff.kept,
            }),
        )?;
        if detail == Detail::Numbers {
            // Whoever counts on a list must not take this for an empty one.
            ["added", "removed", "changed"].iter().try_for_each(|list| map.serialize_entry(list, &()))?;
            return map.end();
        }
        if detail == Detail::Whole {
            map.serialize_entry("members", &Each(|| diff.members.iter()))?;
            map.serialize_entry("devices", &Each(|| diff.devices.iter()))?;
        }
        map.serialize_entry("added", &Each(|| diff.added.iter().map(|added| &added.target.name)))?;
        map.serialize_entry("removed", &Each(|| diff.removed.iter().map(|target| &target.name)))?;
        map.serialize_entry("changed", &Each(|| diff.changed.iter().map(|changed| &changed.after.name)))?;
        if detail == Detail::Names {
            return map.end();
        }
        map.serialize_entry("added_targets", &Each(|| diff.added.iter()))?;
        map.serialize_entry("removed_targets", &Each(|| diff.removed.iter().map(|target| Whole(target))))?;
        map.serialize_entry("changed_targets", &Each(|| diff.changed.iter()))?;
        if !diff.shown_whole.is_empty() {
            map.serialize_entry(
                match header.kind {
                    RequestKind::OfflineBundle => "named_targets",
                    _ => "kept_targets",
                },
                &Each(|| diff.shown_whole.iter().map(|one| Whole(one.target))),
            )?;
        }
        map.end()
    }
}

fn root(trust: &Trust) -> serde_json::Value {
    json!({
        "version": trust.root_version,
        "fingerprint": trust.root_fingerprint.to_string(),
        "expires": trust.root_expires.to_string(),
        "acknowledged": trust.acknowledged_root,
        "changes": trust.changes,
        "threshold": trust.threshold,
        "signers": trust.signers.iter().map(|signer| json!({
            "keyid": signer.keyid.as_str(),
            "keytype": signer.keytype,
            "owner": signer.owner,
            "online": signer.online,
            "own": signer.own,
            "signed": signer.signed,
        })).collect::<Vec<_>>(),
        "signature_problems": trust.problems,
    })
}

fn repository(of: &Repository) -> serde_json::Value {
    json!({
        "consistent_snapshot": of.consistent_snapshot,
        "spec_version": of.spec_version,
        "delegated": of.delegated,
        "unusable_keys": of.unusable_keys,
        "delegations": of.delegations.iter().map(|(role, words)| json!({
            "role": role,
            "delegation": words,
        })).collect::<Vec<_>>(),
    })
}

impl Serialize for BaselineState<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            BaselineState::Known { version, expires, digest, from_memory, vouched, compared } => {
                let mut known = json!({
                    "state": "known",
                    "version": version,
                    "expires": expires,
                    "digest": digest.to_string(),
                    "from_memory": from_memory,
                });
                if !vouched {
                    let of = |(version, digest): &(u64, Digest)| json!({"version": version, "digest": digest.to_string()});
                    known["compared_with"] = compared.as_ref().map(of).into();
                }
                known
            }
            BaselineState::FirstWave => json!({"state": "first-wave"}),
            BaselineState::Unknown => json!({"state": "unknown"}),
        }
        .serialize(serializer)
    }
}

/// A list that is made while it is written.
struct Each<F>(F);

impl<F, I> Serialize for Each<F>
where
    F: Fn() -> I,
    I: Iterator,
    I::Item: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        (self.0)().try_for_each(|item| list.serialize_element(&item))?;
        list.end()
    }
}

/// A target with its name and all that it holds.
struct Whole<'a, 'd>(&'a Target<'d>);

impl Serialize for Whole<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &self.0.name)?;
        map.serialize_entry("target", &Raw(self.0.value))?;
        map.end()
    }
}

impl Serialize for Added<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &self.target.name)?;
        map.serialize_entry("replaces", &self.replaces.map(|target| &target.name))?;
        map.serialize_entry("target", &Raw(self.target.value))?;
        if self.replaces.is_some() {
            let mut changes = self.listing();
            changes.retain(|change| !change.is_same());
            map.serialize_entry("changes", &changes)?;
        }
        map.end()
    }
}

impl Serialize for Changed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &self.after.name)?;
        map.serialize_entry("changes", &self.changes())?;
        map.end()
    }
}

impl Serialize for Change<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("path", &self.path)?;
        if let Some(before) = self.before {
            map.serialize_entry("before", &Raw(before))?;
        }
        if let Some(after) = self.after {
            map.serialize_entry("after", &Raw(after))?;
        }
        map.end()
    }
}

impl Serialize for Device<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let version = |targets: &[&Target<'_>]| -> Option<String> {
            Some(targets.first()?.version_text()?.into_owned())
        };
        let names = |targets: &[&Target<'_>]| -> Vec<String> {
            targets.iter().map(|target| target.name.to_string()).collect()
        };
        json!({
            "hardware_id": self.hardware_id,
            "moves": match self.moves() {
                Move::First => "first",
                Move::Up => "up",
                Move::Stays => "stays",
                Move::Down => "down",
                Move::Lost => "lost",
            },
            "now": {"version": version(&self.now), "targets": names(&self.now)},
            "then": {"version": version(&self.then), "targets": names(&self.then)},
        })
        .serialize(serializer)
    }
}

/// A value of the bundle, member by member; numbers as they are written.
struct Raw<'d>(Value<'d>);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = self.0;
        match value.kind() {
            Kind::Null => serializer.serialize_unit(),
            Kind::True => serializer.serialize_bool(true),
            Kind::False => serializer.serialize_bool(false),
            Kind::String => serializer.serialize_str(&value.as_str().unwrap_or_default()),
            Kind::Number => {
                let text = value.number_text().unwrap_or("0").to_owned();
                serde_json::value::RawValue::from_string(text)
                    .map_err(S::Error::custom)?
                    .serialize(serializer)
            }
            Kind::Array => Each(|| value.items().map(Raw)).serialize(serializer),
            Kind::Object => {
                let mut members: Vec<(Cow<'_, str>, Value<'_>)> =
                    value.members().map(|(key, value)| (key.text(), value)).collect();
                members.sort_by(|(a, _), (b, _)| a.cmp(b));
                let mut map = serializer.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(key, value)| map.serialize_entry(key, &Raw(*value)))?;
                map.end()
            }
        }
    }
}
