//! The plain way to do what countersign does, and the limits of the machine: what measurements are compared with.
//!
//! Everything here goes through `serde_json::Value`, sorted maps and whole copies, as a program would that was written
//! without a thought about speed; it makes none of countersign's checks beyond signatures and names.
//!
//! ```text
//! naive verify TARGETS ROOT             signatures of one file
//! naive compare OLD NEW                 names added, removed and changed
//! naive sign TARGETS ROOT KEYS OUT      verify, sign, write wave-create.json with fsync
//! naive hash FILE [PASSES [OUT]]        the limit: read, SHA-512 so many times, write with fsync
//! naive read FILE…                      the limit: read
//! naive limits FILE                     rates of this machine on this file, in GB/s
//! naive scrypt FACTOR                   what one scrypt of age takes with this work factor, in milliseconds
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256, Sha512};
use std::error::Error;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Instant;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["verify", targets, root] => verify(&targets_of(targets)?, &json_of(root)?),
        ["compare", old, new] => compare(&targets_of(old)?, &targets_of(new)?),
        ["sign", targets, root, keys, out] => sign(targets, root, keys, Path::new(out)),
        ["hash", file] => hash(file, 1, None),
        ["hash", file, passes] => hash(file, passes.parse()?, None),
        ["hash", file, passes, out] => hash(file, passes.parse()?, Some(Path::new(out))),
        ["read", files @ ..] => read(files),
        ["limits", file] => limits(file),
        ["scrypt", factor] => scrypt(factor.parse()?),
        _ => Err("usage: naive verify|compare|sign|hash|read|limits FILE…, or naive scrypt FACTOR".into()),
    }
}

fn json_of(path: &str) -> Outcome<Value> {
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}

/// A targets file, or the one tag of the service's answer.
fn targets_of(path: &str) -> Outcome<Value> {
    match json_of(path)? {
        Value::Object(map) if map.contains_key("signed") => Ok(Value::Object(map)),
        Value::Object(map) => map.into_iter().next().map(|(_, value)| value).ok_or("no tag".into()),
        _ => Err("not targets".into()),
    }
}

fn text<'v>(value: &'v Value, what: &str) -> Outcome<&'v str> {
    value.as_str().ok_or_else(|| format!("{what} is not a string").into())
}

fn verify(targets: &Value, root: &Value) -> Outcome<()> {
    let role = &root["signed"]["roles"]["targets"];
    let canonical = serde_json::to_vec(&targets["signed"])?;
    let mut good = std::collections::BTreeSet::new();
    for signature in targets["signatures"].as_array().ok_or("no signatures")? {
        let keyid = text(&signature["keyid"], "keyid")?;
        if !role["keyids"].as_array().is_some_and(|ids| ids.iter().any(|id| id == keyid)) {
            continue;
        }
        let public = hex::decode(text(&root["signed"]["keys"][keyid]["keyval"]["public"], "public")?)?;
        let key = VerifyingKey::from_bytes(public.as_slice().try_into()?)?;
        let bytes = STANDARD.decode(text(&signature["sig"], "sig")?)?;
        key.verify_strict(&canonical, &Signature::from_slice(&bytes)?)?;
        good.insert(keyid.to_owned());
    }
    println!("{} good signatures, threshold {}", good.len(), role["threshold"]);
    Ok(())
}

fn compare(old: &Value, new: &Value) -> Outcome<()> {
    let members = |value: &Value| value["signed"]["targets"].as_object().cloned().ok_or("no targets");
    let (old, new): (Map<_, _>, Map<_, _>) = (members(old)?, members(new)?);
    let added: Vec<_> = new.iter().filter(|(name, _)| !old.contains_key(*name)).collect();
    let removed: Vec<_> = old.keys().filter(|name| !new.contains_key(*name)).collect();
    let changed: Vec<_> =
        new.iter().filter(|(name, value)| old.get(*name).is_some_and(|before| before != *value)).collect();
    println!("{}", json!({"added": added, "removed": removed, "changed": changed}));
    Ok(())
}

fn sign(targets: &str, root: &str, keys: &str, out: &Path) -> Outcome<()> {
    let (mut targets, root) = (targets_of(targets)?, json_of(root)?);
    verify(&targets, &root)?;
    let (keyid, key) = private_key(keys)?;
    let canonical = serde_json::to_vec(&targets["signed"])?;
    let signature = key.sign(&canonical);
    let signature =
        json!({"keyid": keyid, "method": "ed25519", "sig": STANDARD.encode(signature.to_bytes())});
    targets["signatures"] = json!([signature]);
    std::fs::create_dir_all(out)?;
    let version = targets["signed"]["version"].to_string();
    let mut body = json!({"name": "naive", "tag": "production", "version": version});
    // Moved, not copied.
    body["targets"] = targets;
    write_synced(&out.join("wave-create.json"), &serde_json::to_vec(&body)?)
}

fn private_key(path: &str) -> Outcome<(String, SigningKey)> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(std::fs::File::open(path)?));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        if let Some(id) =
            name.strip_prefix("tufrepo/keys/fioctl-targets-").and_then(|n| n.strip_suffix(".sec"))
        {
            let mut content = String::new();
            entry.read_to_string(&mut content)?;
            let key: Value = serde_json::from_str(&content)?;
            let seed = hex::decode(text(&key["keyval"]["private"], "private")?)?;
            return Ok((id.to_owned(), SigningKey::from_bytes(seed.as_slice().try_into()?)));
        }
    }
    Err("no private key in the file".into())
}

fn write_synced(path: &Path, bytes: &[u8]) -> Outcome<()> {
    let mut file = std::fs::File::create(path)?;
    file.write_all(bytes)?;
    Ok(file.sync_all()?)
}

fn hash(path: &str, passes: u32, out: Option<&Path>) -> Outcome<()> {
    let bytes = std::fs::read(path)?;
    for _ in 0..passes {
        println!("{}", hex::encode(Sha512::digest(&bytes)));
    }
    out.map_or(Ok(()), |out| write_synced(out, &bytes))
}

fn read(paths: &[&str]) -> Outcome<()> {
    let files = paths.iter().map(std::fs::read).collect::<Result<Vec<_>, _>>()?;
    println!("{} bytes", files.iter().map(Vec::len).sum::<usize>());
    Ok(())
}

/// Rates on this file: each the best of several runs, because everything else on the machine only ever slows it down.
fn limits(path: &str) -> Outcome<()> {
    let bytes = std::fs::read(path)?;
    let gigabytes = bytes.len() as f64 / 1e9;
    let rate = |what: &str, work: &mut dyn FnMut()| {
        let best = (0..5).map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        });
        let best = best.fold(f64::INFINITY, f64::min);
        println!("{what:<44} {:>6.2} GB/s {:>9.2} ms", gigabytes / best, best * 1e3);
    };
    rate("read from the page cache into fresh memory", &mut || keep(std::fs::read(path)));
    rate("first touch of fresh memory", &mut || keep(vec![1u8; bytes.len()]));
    rate("SHA-512", &mut || keep(Sha512::digest(&bytes)));
    rate("SHA-256", &mut || keep(Sha256::digest(&bytes)));
    rate("UTF-8 validation", &mut || keep(std::str::from_utf8(&bytes)));
    rate("JSON validation, serde_json", &mut || keep(serde_json::from_slice::<IgnoredAny>(&bytes)));
    rate("parse into serde_json::Value", &mut || keep(serde_json::from_slice::<Value>(&bytes)));
    let limits = countersign::testing::json::Limits { bytes: u64::from(u32::MAX) - 1, depth: u16::MAX };
    rate("countersign's strict reader", &mut || {
        keep(countersign::testing::json::Document::parse("t", bytes.as_slice(), limits));
    });
    Ok(())
}

/// The median of several, because a single one is now and then interrupted.
fn scrypt(factor: u8) -> Outcome<()> {
    let mut milliseconds = Vec::new();
    for _ in 0..9 {
        let mut recipient = age::scrypt::Recipient::new("nobody's passphrase".to_owned().into());
        recipient.set_work_factor(factor);
        let start = Instant::now();
        keep(age::encrypt(&recipient, b"nothing")?);
        milliseconds.push(start.elapsed().as_secs_f64() * 1e3);
    }
    milliseconds.sort_by(f64::total_cmp);
    println!("{:.1}", milliseconds[milliseconds.len() / 2]);
    Ok(())
}

/// Makes sure that a result is worked out, and lets go of it.
fn keep<T>(value: T) {
    std::hint::black_box(&value);
}
