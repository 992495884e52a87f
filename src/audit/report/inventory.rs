//! Which keys and officers a station has, as its log tells: each in one row, with what was last done with it.

use super::html::escape;
use crate::host::clock::Time;
use crate::ledger::record::SealedKey;
use crate::ledger::{Entry, Record};
use crate::text::shown;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A targets key.
#[derive(Default)]
struct Key {
    keytype: String,
    /// Who opens it, as it was sealed last.
    opens: String,
    sealed: Option<(u64, Time)>,
    drilled: Option<Time>,
    backed_up: Option<Time>,
    retired: Option<Time>,
    signatures: u64,
}

struct Officer {
    key: String,
    added: (u64, Time),
    retired: Option<Time>,
}

/// The rows.
#[derive(Default)]
pub(super) struct Inventory {
    keys: BTreeMap<String, Key>,
    officers: BTreeMap<String, Officer>,
}

impl Inventory {
    /// Takes the next entry into account.
    pub(super) fn see(&mut self, entry: &Entry<'_>) {
        let (seq, time) = (entry.seq(), entry.time());
        match entry.record() {
            Record::OfficerAdded(added) => {
                let officer = Officer { key: shown(&added.key), added: (seq, time), retired: None };
                self.officers.insert(shown(&added.officer), officer);
            }
            Record::OfficerRetired(retired) => {
                if let Some(officer) = self.officers.get_mut(&shown(&retired.officer)) {
                    officer.retired = Some(time);
                }
            }
            Record::SignResult(result) => self.keys.entry(shown(&result.keyid)).or_default().signatures += 1,
            Record::KeyDrilled(key) => self.key(key).drilled = Some(time),
            Record::KeyBackedUp(key) => self.key(key).backed_up = Some(time),
            Record::KeyRetired(key) => self.key(key).retired = Some(time),
            Record::KeyImported(key)
            | Record::KeyGenerated(key)
            | Record::KeySealed(key)
            | Record::KeyRestored(key) => {
                let names: Vec<String> = key.officers.iter().map(|name| shown(name)).collect();
                let row = self.key(key);
                row.opens = format!("{} of {}", key.quorum, names.join(", "));
                row.sealed = Some((seq, time));
                row.retired = None;
                // A drill of an earlier sealing proves nothing about this one.
                row.drilled = None;
            }
            _ => {}
        }
    }

    fn key(&mut self, key: &SealedKey<'_>) -> &mut Key {
        let row = self.keys.entry(shown(&key.keyid)).or_default();
        row.keytype = shown(&key.keytype);
        row
    }

    /// The tables.
    pub(super) fn write(&self, out: &mut String) {
        out.push_str(
            "<h2>Keys and officers</h2>\n<table><tr><th>Key</th><th>Type</th><th>Opens with</th><th>Sealed last</th>\
             <th>Last drill of this sealing</th><th>Last backup</th><th>Signatures</th><th>Retired</th></tr>\n",
        );
        let day = |time: Option<Time>| time.map_or_else(|| "never".to_owned(), |time| time.to_string());
        let left = |time: Option<Time>| time.map_or_else(String::new, |time| time.to_string());
        // Writing to a string cannot fail.
        for (keyid, key) in &self.keys {
            let sealed = key.sealed.map_or_else(
                || "never on this station".to_owned(),
                |(seq, time)| format!("{time} (entry {seq})"),
            );
            let _ = writeln!(
                out,
                "<tr><td class=\"m\">{}</td><td>{}</td><td>{}</td><td>{sealed}</td><td>{}</td><td>{}</td>\
                 <td class=\"n\">{}</td><td>{}</td></tr>",
                escape(keyid),
                escape(&key.keytype),
                escape(&key.opens),
                day(key.drilled),
                day(key.backed_up),
                key.signatures,
                left(key.retired)
            );
        }
        out.push_str(
            "</table>\n<table><tr><th>Officer</th><th>Approval key</th><th>Added</th><th>Retired</th></tr>\n",
        );
        for (name, officer) in &self.officers {
            let (seq, added) = officer.added;
            let _ = writeln!(
                out,
                "<tr><td>{}</td><td class=\"m\">{}</td><td>{added} (entry {seq})</td><td>{}</td></tr>",
                escape(name),
                escape(&officer.key),
                left(officer.retired)
            );
        }
        out.push_str("</table>\n");
    }
}
