#!/usr/bin/env python3
"""A repository in a folder, made and published with python-tuf; all but its targets role is signed here.

  make DIR N       roots with N of two officers for targets, signed targets and a delegated role at version 1, target
                   files, the officers' keys in DIR/keys; DIR/new-targets.json and new-firmware.json are to be signed
  publish DIR      takes what was signed from DIR/publish, and raises snapshot and timestamp to it
"""

import copy
import json
import shutil
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole, Delegations, Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp,
)
from tuf.api.serialization.json import JSONSerializer

FILES = {"app.tar": b"the first app\n", "notes/\u00e9t\u00e9.txt": b"summer\n", "firmware/a.bin": b"the first firmware\n"}
EXPIRES = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=200)


def write(path, metadata):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(metadata.to_bytes(JSONSerializer(compact=False)))


def publish_file(folder, path, content):
    """Targets under their path, and for consistent snapshots under their hash: before the file's name, or as tough
    has it, before the folder's."""
    target = TargetFile.from_data(path, content, ["sha256", "sha512"])
    names = [Path(path)] + [Path(path).with_name(f"{digest}.{Path(path).name}") for digest in target.hashes.values()]
    names += [Path(f"{digest}.{path}") for digest in target.hashes.values()]
    for name in names:
        (folder / "targets" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "targets" / name).write_bytes(content)
    return target


def make(folder, threshold):
    folder.mkdir(parents=True)
    # RSA beside ed25519: tough and openssl write both, and officers have either.
    officers = [CryptoSigner.generate_ed25519(), CryptoSigner.generate_rsa(size=2048)]
    root_keys = [CryptoSigner.generate_ecdsa(), CryptoSigner.generate_rsa(size=2048)]
    online, firmware = CryptoSigner.generate_ed25519(), CryptoSigner.generate_ed25519()
    (folder / "keys").mkdir()
    for name, signer in [("alice", officers[0]), ("bob", officers[1]), ("carol", firmware), ("online", online)]:
        (folder / f"keys/{name}.pem").write_bytes(signer.private_bytes)
    root = Metadata(Root(version=1, expires=EXPIRES, consistent_snapshot=True))
    for signer in root_keys:
        root.signed.add_key(signer.public_key, "root")
    for signer in officers:
        root.signed.add_key(signer.public_key, "targets")
    for role in ("snapshot", "timestamp"):
        root.signed.add_key(online.public_key, role)
    root.signed.roles["root"].threshold = 2
    root.signed.roles["targets"].threshold = threshold
    for version in (1, 2):
        root.signed.version = version
        root.signatures.clear()
        for signer in root_keys:
            root.sign(signer, append=True)
        write(folder / f"metadata/{version}.root.json", root)
    role = DelegatedRole("firmware", [firmware.public_key.keyid], 1, True, paths=["firmware/*"])
    targets = Targets(version=1, expires=EXPIRES, delegations=Delegations({firmware.public_key.keyid: firmware.public_key}, {"firmware": role}))
    delegated = Targets(version=1, expires=EXPIRES)
    for path, content in FILES.items():
        (delegated if path.startswith("firmware/") else targets).targets[path] = publish_file(folder, path, content)
    current = Metadata(copy.deepcopy(targets))
    for signer in officers[:threshold]:
        current.sign(signer, append=True)
    write(folder / "metadata/1.targets.json", current)
    current = Metadata(copy.deepcopy(delegated))
    current.sign(firmware)
    write(folder / "metadata/1.firmware.json", current)
    raise_snapshot(folder, online, {"targets.json": 1, "firmware.json": 1}, 1)

    targets.version = 2
    targets.targets["app.tar"] = publish_file(folder, "app.tar", b"the second app\n")
    targets.targets["docs.html"] = publish_file(folder, "docs.html", b"<p>new</p>\n")
    targets.targets["docs.html"].unrecognized_fields["custom"] = {"note": "two\nlines & a <tag>, \u00e9t\u00e9", "n": [1, -2]}
    write(folder / "new-targets.json", Metadata(targets))
    delegated.version = 2
    delegated.targets["firmware/a.bin"] = publish_file(folder, "firmware/a.bin", b"the second firmware\n")
    write(folder / "new-firmware.json", Metadata(delegated))


def raise_snapshot(folder, online, versions, version):
    meta = {name: MetaFile(version=number) for name, number in versions.items()}
    snapshot = Metadata(Snapshot(version=version, expires=EXPIRES, meta=meta))
    timestamp = Metadata(Timestamp(version=version, expires=EXPIRES, snapshot_meta=MetaFile(version=version)))
    for metadata, name in [(snapshot, f"{version}.snapshot.json"), (timestamp, "timestamp.json")]:
        metadata.sign(online)
        write(folder / "metadata" / name, metadata)


def publish(folder):
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    online = CryptoSigner(load_pem_private_key((folder / "keys/online.pem").read_bytes(), None))
    for file in (folder / "publish").glob("*.json"):
        if file.name[0].isdigit():
            shutil.copy(file, folder / "metadata")
    raise_snapshot(folder, online, {"targets.json": 2, "firmware.json": 2}, 2)


match sys.argv[1:]:
    case ["make", folder, threshold]:
        make(Path(folder), int(threshold))
    case ["publish", folder]:
        publish(Path(folder))
    case _:
        sys.exit(__doc__)
