//! Witnesses of a station's log (C2SP `tlog-witness`): each is shown the newest head, with the proof that it continues
//! what the witness saw last, and cosigns it. Two tries at most; what does not verify is not kept.

use super::client::Wire;
use super::settings::Server;
use super::{CourierError, Options, Shelf};
use crate::host::{Disk, Host};
use crate::text::{shown, shown_path};
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::consistency::{LARGEST_CONSISTENCY, add_checkpoint, parse};
use crate::tlog::note::{LARGEST_NOTE, Note, VerifierKey};
use crate::tlog::tree::Hash;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;

/// The largest list of witnesses that is read.
const MAX_LIST_BYTES: u64 = 1 << 20;
/// More witnesses than this are no policy.
const MOST_WITNESSES: usize = 64;
/// Tries for each witness: a second one after it said which size it has.
const TRIES: u32 = 2;

/// A witness that is asked.
pub(crate) struct Witness {
    pub key: VerifierKey,
    server: Server,
}

impl Witness {
    /// The TCP port that it is asked at.
    pub(crate) fn port(&self) -> u16 {
        self.server.port
    }
}

/// Reads a list of witnesses: the lines `witness NAME VKEY URL` of a C2SP `tlog-policy`. Other lines say what counts, which
/// is the station's to judge.
///
/// # Errors
/// A line has another form, or two witnesses have one key.
pub(crate) fn read_list(disk: &dyn Disk, path: &Path) -> Result<Vec<Witness>, CourierError> {
    let bytes = disk.read(path, MAX_LIST_BYTES)?;
    let text = crate::text::utf8(&bytes)
        .map_err(|why| CourierError::Settings(format!("{}: {why}", shown_path(path))))?;
    let (mut witnesses, mut keys): (Vec<Witness>, _) = (Vec::new(), BTreeSet::new());
    for (number, line) in text.lines().enumerate() {
        let fail =
            |why: String| CourierError::Settings(format!("{}, line {}: {why}", shown_path(path), number + 1));
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["witness", _, key, address] => {
                let key = VerifierKey::parse(key).map_err(|e| fail(e.to_string()))?;
                if !key.is_witness() {
                    return Err(fail("this is not a witness's key (type 4)".to_owned()));
                }
                if !keys.insert(key.public().to_bytes()) || witnesses.len() == MOST_WITNESSES {
                    return Err(fail("a witness stands twice, or there are too many".to_owned()));
                }
                witnesses.push(Witness { key, server: Server::parse(address)? });
            }
            ["witness", _, _] => {}
            [] | ["log" | "group" | "quorum", ..] => {}
            [first, ..] if first.starts_with('#') => {}
            _ => return Err(fail("a line is `witness NAME VKEY URL`".to_owned())),
        }
    }
    Ok(witnesses)
}

/// The head of a log, and the proofs that come with it.
pub(crate) struct Head<'a> {
    key: VerifierKey,
    note: String,
    checkpoint: Checkpoint,
    bundle: Option<(&'a dyn Disk, &'a Path)>,
}

impl<'a> Head<'a> {
    /// The head of a signed bundle.
    pub(crate) fn of_bundle(
        disk: &'a dyn Disk,
        folder: &'a Path,
        key: VerifierKey,
    ) -> Result<Head<'a>, CourierError> {
        let note = disk.read_beneath(folder, "log/checkpoint", LARGEST_NOTE as u64)?.into_vec();
        Head::new(key, note, Some((disk, folder)))
    }

    /// A head that was kept, without its proofs: enough for a witness that has it, or that has none.
    pub(crate) fn kept(key: VerifierKey, note: Vec<u8>) -> Result<Head<'a>, CourierError> {
        Head::new(key, note, None)
    }

    fn new(
        key: VerifierKey,
        note: Vec<u8>,
        bundle: Option<(&'a dyn Disk, &'a Path)>,
    ) -> Result<Head<'a>, CourierError> {
        let fail =
            |e: String| CourierError::Blocked(format!("the head of the station's log does not hold: {e}"));
        let checkpoint = Checkpoint::verify(&note, &key).map_err(|e| fail(e.to_string()))?;
        let note = String::from_utf8(note).map_err(|e| fail(e.to_string()))?;
        Ok(Head { key, note, checkpoint, bundle })
    }

    /// The signed note.
    pub(crate) fn note(&self) -> &[u8] {
        self.note.as_bytes()
    }

    /// The proof that this head continues one of an earlier size.
    fn proof(&self, old: u64) -> Result<Vec<Hash>, String> {
        if old == 0 || old == self.checkpoint.size {
            return Ok(Vec::new());
        }
        if old > self.checkpoint.size {
            return Err(format!(
                "the witness has a head of {old} entries, and this one has {}: take the newest bundle. If it is the \
                 newest, the station was put back or copied: show the witness's head to the auditor",
                self.checkpoint.size
            ));
        }
        let none = || {
            format!(
                "the witness has a head of {old} entries, and there is no proof from there. Give the newest bundle; the \
                 station adds the proof to the next one"
            )
        };
        let (disk, folder) = self.bundle.ok_or_else(none)?;
        match disk.read_beneath(folder, &format!("log/consistency/{old}"), LARGEST_CONSISTENCY as u64) {
            Err(e) if e.is_missing() => Err(none()),
            Err(e) => Err(e.to_string()),
            Ok(text) => parse(&text).map_err(|e| e.to_string()),
        }
    }
}

/// What came of asking one witness.
#[derive(Debug, Serialize)]
pub(crate) struct Asked {
    /// The witness's name. Foreign text.
    pub witness: String,
    /// The size of the head that it was shown.
    pub size: u64,
    /// When it cosigned, in seconds since 1970.
    pub cosigned: Option<u64>,
    /// Why it did not.
    pub why: Option<String>,
}

/// Shows a head to each witness, and keeps what they cosign.
///
/// # Errors
/// What is kept cannot be read or written. What a witness answers is told, and is no error.
pub(crate) fn ask_all(
    witnesses: &[Witness],
    head: &Head<'_>,
    shelf: &Shelf,
    options: &Options,
    environment: &dyn Fn(&str) -> Option<String>,
    host: &Host,
) -> Result<Vec<Asked>, CourierError> {
    let ca = options.certificates(environment, host)?;
    let mut all = Vec::new();
    for witness in witnesses {
        let wire = Wire::new(&witness.server, ca.as_deref(), options.wait, host)?;
        let known = shelf.witnessed(&*host.disk, &head.key, &witness.key)?;
        let outcome = ask(&wire, witness, head, known);
        let (cosigned, why) = match outcome {
            Ok((time, note)) => {
                shelf.keep_cosigned(&*host.disk, &head.key, &witness.key, note.as_bytes())?;
                (Some(time), None)
            }
            Err(why) => (None, Some(why)),
        };
        all.push(Asked { witness: witness.key.name().to_owned(), size: head.checkpoint.size, cosigned, why });
    }
    Ok(all)
}

/// Asks one witness. Returns the time and the cosigned note, or why there is none.
fn ask(wire: &Wire<'_>, witness: &Witness, head: &Head<'_>, known: u64) -> Result<(u64, String), String> {
    let address = format!("{}/add-checkpoint", witness.server.base);
    // One that has forgotten, or that others showed a newer head, says so.
    let mut old = if known > head.checkpoint.size { 0 } else { known };
    for _ in 0..TRIES {
        let body = add_checkpoint(old, &head.proof(old)?, &head.note);
        let said = wire
            .post_text(&address, &body, LARGEST_NOTE as u64)
            .map_err(|trouble| format!("it gave no answer: {}", trouble.sentence("")))?;
        match said.status {
            200 => return cosigned(&said.body, witness, head),
            409 if said.kind.split(';').next().is_some_and(|kind| kind.trim() == "text/x.tlog.size") => {
                let size =
                    std::str::from_utf8(&said.body).ok().and_then(|text| size(text.strip_suffix('\n')?));
                let size = size.ok_or("it did not say which size it has")?;
                if size == old {
                    break;
                }
                old = size;
                // Whether there is a way from there is known before it is asked again.
                head.proof(old)?;
            }
            status => return Err(refusal(status, &head.key)),
        }
    }
    Err(format!("it has a head of {old} entries and another one at the next look: ask again later"))
}

/// A size: decimal, without a leading zero.
fn size(text: &str) -> Option<u64> {
    let is_plain = text == "0" || !text.starts_with('0');
    text.parse().ok().filter(|_| is_plain && text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The lines by this witness that verify over this very head, and no others.
fn cosigned(body: &[u8], witness: &Witness, head: &Head<'_>) -> Result<(u64, String), String> {
    let text = std::str::from_utf8(body).map_err(|_| "its answer is not text")?;
    let mut best: Option<(u64, String)> = None;
    for line in text.split_inclusive('\n').filter(|line| line.starts_with('\u{2014}') && line.ends_with('\n'))
    {
        let note = format!("{}{line}", head.note);
        let Ok(parsed) = Note::parse(note.as_bytes()) else { continue };
        if let Ok(Some(time)) = parsed.cosigned(&witness.key)
            && time > 0
            && best.as_ref().is_none_or(|(latest, _)| time > *latest)
        {
            best = Some((time, note));
        }
    }
    best.ok_or_else(|| "no line of its answer is its cosignature over this head".to_owned())
}

/// What a witness's refusal means to a person.
fn refusal(status: u16, key: &VerifierKey) -> String {
    match status {
        403 | 404 => format!(
            "it answered {status}: it does not know this log. Its operator must add the key {}",
            shown(&key.to_string())
        ),
        409 => {
            "it answered 409 and no size: it may hold another head of the same size. Show both to the auditor"
                .to_owned()
        }
        400 | 422 => format!(
            "it answered {status}: the proof does not hold. The bundle was changed on the way, or the log forked: export \
             again; if it stays, show it to the auditor"
        ),
        429 => "it answered 429: it was asked too often. Ask again later".to_owned(),
        _ => format!("it answered {status}: it is not well, or it is no witness. Ask again later"),
    }
}
