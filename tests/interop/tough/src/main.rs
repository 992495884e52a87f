//! tough, for the tests: `refresh` is a client of a repository in a folder, `make` writes metadata for fixtures.

use aws_lc_rs::rand::SystemRandom;
use serde_json::json;
use std::error::Error;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use tough::editor::signed::SignedRole;
use tough::editor::targets::TargetsEditor;
use tough::key_source::{KeySource, LocalKeySource};
use tough::schema::{KeyHolder, PathPattern, PathSet, Root, Signed, Target, Targets};
use tough::{FilesystemTransport, Prefix, RepositoryLoader, TargetName};
use url::Url;

const EXPIRES: &str = "2036-11-23T00:00:00Z";

type Done = Result<(), Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Done {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["refresh", root, repository, target, out] => refresh(root, repository, target, out).await,
        ["make", out, keys, threshold] => make(Path::new(out), Path::new(keys), threshold.parse()?).await,
        _ => Err("refresh ROOT REPOSITORY TARGET OUT | make OUT KEYS THRESHOLD".into()),
    }
}

/// Refreshes from `REPOSITORY/metadata` and saves a target out of `REPOSITORY/targets`.
async fn refresh(root: &str, repository: &str, target: &str, out: &str) -> Done {
    let root = tokio::fs::read(root).await?;
    let folder = |name: &str| Url::from_directory_path(Path::new(repository).join(name)).map_err(|()| "a path");
    let loader = RepositoryLoader::new(&root, folder("metadata")?, folder("targets")?);
    let repository = loader.transport(FilesystemTransport).load().await?;
    repository.save_target(&TargetName::new(target)?, out, Prefix::None).await?;
    Ok(())
}

/// Keys of tough's own choice of files: PKCS#8 in DER for ed25519 and ECDSA, PEM for RSA.
fn key(folder: &Path, name: &str) -> Box<dyn KeySource> {
    Box::new(LocalKeySource { path: folder.join(name) })
}

async fn make(out: &Path, keys: &Path, threshold: usize) -> Done {
    let all = ["root-ed25519.der", "root-rsa.pem", "root-ecdsa.der", "ed25519.der", "rsa.pem", "ecdsa.der", "online.der"];
    let mut listed = serde_json::Map::new();
    let mut ids = Vec::new();
    for name in all {
        let key = key(keys, name).as_sign().await.map_err(|e| e.to_string())?.tuf_key();
        let id = serde_json::to_value(key.key_id()?)?;
        listed.insert(id.as_str().ok_or("an id")?.to_owned(), serde_json::to_value(&key)?);
        ids.push(id);
    }
    let root_sources = || all[..3].iter().map(|name| key(keys, name)).collect::<Vec<_>>();
    for version in [1u64, 2] {
        // The second root drops the first root key.
        let root_ids = &ids[version as usize - 1..3];
        let root: Root = serde_json::from_value(json!({
            "_type": "root", "spec_version": "1.0.0", "consistent_snapshot": false, "version": version, "expires": EXPIRES,
            "keys": listed,
            "roles": {
                "root": { "keyids": root_ids, "threshold": threshold },
                "targets": { "keyids": ids[3..6], "threshold": threshold },
                "snapshot": { "keyids": ids[6..], "threshold": 1 },
                "timestamp": { "keyids": ids[6..], "threshold": 1 },
            },
        }))?;
        let all_root_keys: Root = {
            let mut holder = serde_json::to_value(&root)?;
            holder["roles"]["root"]["keyids"] = json!(ids[..3]);
            serde_json::from_value(holder)?
        };
        let holder = KeyHolder::Root(all_root_keys);
        let signed = SignedRole::new(root, &holder, &root_sources(), &SystemRandom::new()).await?;
        signed.write(out.join("roots"), true).await?;
    }

    let root: Signed<Root> = serde_json::from_slice(&std::fs::read(out.join("roots/2.root.json"))?)?;
    let version = |number| NonZeroU64::new(number).ok_or("a version");
    let mut firmware = TargetsEditor::new("firmware");
    firmware.version(version(1)?).expires(EXPIRES.parse()?);
    firmware.add_target("firmware/a.bin", file(keys, "rsa.pem").await?)?;
    let firmware_keys = [key(keys, "firmware.der")];
    let delegated = firmware.create_signed(&firmware_keys).await?;
    let firmware_key = firmware_keys[0].as_sign().await.map_err(|e| e.to_string())?.tuf_key();
    let firmware_id = firmware_key.key_id()?;

    let empty: Targets = serde_json::from_value(json!({
        "_type": "targets", "spec_version": "1.0.0", "version": 1, "expires": EXPIRES, "targets": {},
        "delegations": { "keys": {}, "roles": [] },
    }))?;
    let mut targets = TargetsEditor::from_targets("targets", empty, KeyHolder::Root(root.signed));
    targets.version(version(3)?).expires(EXPIRES.parse()?);
    targets.add_target("app.tar", file(keys, "ecdsa.der").await?)?;
    targets.delegate_role(
        delegated,
        PathSet::Paths(vec![PathPattern::new("firmware/*")?, PathPattern::new("*.bin")?]),
        true,
        [(firmware_id.clone(), firmware_key)].into(),
        vec![firmware_id],
        version(1)?,
    )?;
    let sources: Vec<_> = all[3..3 + threshold].iter().map(|name| key(keys, name)).collect();
    targets.sign(&sources).await?.write(out, false).await?;
    Ok(())
}

/// Any file will do as a target.
async fn file(folder: &Path, name: &str) -> Result<Target, Box<dyn Error>> {
    let path: PathBuf = folder.join(name);
    Ok(Target::from_path(path).await?)
}
