#!/usr/bin/env python3
"""Writes tests/interop/fixtures/python-{1,2} with python-tuf: metadata at thresholds 1 and 2, with keys of every type.

Run it by hand when the fixtures are to be made anew: `python_fixtures.py DIR`. The private keys that it leaves beside
the metadata are thrown away with the tests: they protect nothing.
"""

import sys
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path

from securesystemslib.formats import encode_canonical
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import DelegatedRole, Delegations, Metadata, Root, TargetFile, Targets

EXPIRES = datetime(2036, 11, 23, tzinfo=timezone.utc)


def old_ecdsa():
    """A P-256 key under the key type that securesystemslib wrote before 0.27."""
    signer = CryptoSigner.generate_ecdsa()
    key = signer.public_key
    content = {"keytype": "ecdsa-sha2-nistp256", "scheme": key.scheme, "keyval": key.keyval}
    keyid = sha256(encode_canonical(content).encode()).hexdigest()
    return CryptoSigner(signer._private_key, SSlibKey(keyid, **content))


def write(path, metadata):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(metadata.to_bytes())


def make(folder, threshold):
    root_keys = [CryptoSigner.generate_ed25519(), CryptoSigner.generate_rsa(size=2048), old_ecdsa()]
    targets_keys = [CryptoSigner.generate_ed25519(), CryptoSigner.generate_rsa(size=2048), CryptoSigner.generate_ecdsa()]
    online = CryptoSigner.generate_ed25519()
    root = Metadata(Root(version=1, expires=EXPIRES, consistent_snapshot=True))
    for signer in root_keys:
        root.signed.add_key(signer.public_key, "root")
    for signer in targets_keys:
        root.signed.add_key(signer.public_key, "targets")
    for role in ("snapshot", "timestamp"):
        root.signed.add_key(online.public_key, role)
    root.signed.roles["root"].threshold = threshold
    root.signed.roles["targets"].threshold = threshold
    for signer in root_keys[:threshold]:
        root.sign(signer, append=True)
    write(folder / "roots/1.root.json", root)

    # The second root drops the first root key: those of the first sign it, and those of the second.
    root.signed.version = 2
    gone = root_keys[0].public_key.keyid
    root.signed.revoke_key(gone, "root")
    root.signatures.clear()
    for signer in root_keys:
        root.sign(signer, append=True)
    write(folder / "roots/2.root.json", root)

    firmware = CryptoSigner.generate_ed25519()
    role = DelegatedRole("firmware", [firmware.public_key.keyid], 1, True, paths=["firmware/*", "*.bin"])
    delegations = Delegations({firmware.public_key.keyid: firmware.public_key}, {"firmware": role})
    file = lambda path, content: TargetFile.from_data(path, content, ["sha256", "sha512"])
    targets = Targets(
        version=3,
        expires=EXPIRES,
        targets={"app.tar": file("app.tar", b"an app"), "notes/\u00e9t\u00e9.txt": file("notes", b"summer\n")},
        delegations=delegations,
    )
    targets = Metadata(targets)
    for signer in targets_keys[:threshold]:
        targets.sign(signer, append=True)
    write(folder / "targets.json", targets)
    delegated = Metadata(Targets(version=1, expires=EXPIRES, targets={"firmware/a.bin": file("a.bin", b"firmware")}))
    delegated.sign(firmware)
    write(folder / "firmware.json", delegated)
    keys = folder / "keys"
    keys.mkdir(exist_ok=True)
    for name, signer in [("ed25519", targets_keys[0]), ("rsa", targets_keys[1]), ("ecdsa", targets_keys[2])]:
        (keys / f"{name}.pem").write_bytes(signer.private_bytes)
    (keys / "firmware.pem").write_bytes(firmware.private_bytes)


for threshold in (1, 2):
    make(Path(sys.argv[1]) / f"python-{threshold}", threshold)
