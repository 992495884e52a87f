//! Which keys and officers a station has, as its log tells: each in one row, with what was last done with it.

use crate::host::clock::Time;
use crate::ledger::record::SealedKey;
use crate::ledger::{Entry, Record};
use crate::page::{Columns, row, table};
use crate::text::shown;
use maud::{Markup, html};
use std::collections::BTreeMap;

const KEY: Columns<8> = [
    ("Key", "code"),
    ("Type", "word"),
    ("Opens with", ""),
    ("Sealed last", ""),
    ("Last drill of this sealing", ""),
    ("Last backup", ""),
    ("Signatures", "number"),
    ("Retired", ""),
];
const OFFICER: Columns<4> = [("Officer", ""), ("Approval key", "code"), ("Added", ""), ("Retired", "")];

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

    pub(super) fn tables(&self) -> Markup {
        let day =
            |time: Option<Time>, none: &str| time.map_or_else(|| none.to_owned(), |time| time.to_string());
        let entry = |(seq, time): (u64, Time)| format!("{time} (entry {seq})");
        html! {
            (table(&KEY, html! {
                @for (keyid, key) in &self.keys {
                    (row(&KEY, [
                        keyid,
                        &key.keytype,
                        &key.opens,
                        &key.sealed.map_or_else(|| "never on this station".to_owned(), entry),
                        &day(key.drilled, "never"),
                        &day(key.backed_up, "never"),
                        &key.signatures,
                        &day(key.retired, ""),
                    ]))
                }
            }))
            (table(&OFFICER, html! {
                @for (name, officer) in &self.officers {
                    (row(&OFFICER, [name, &officer.key, &entry(officer.added), &day(officer.retired, "")]))
                }
            }))
        }
    }
}
