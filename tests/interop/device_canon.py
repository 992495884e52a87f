#!/usr/bin/env python3
"""Three programs on the same documents: this product (the digest that a review names), a device (device_canon, which
is jsoncpp), and fioctl (its own signatures in the fixtures, which are over the very bytes that it posted).

device_canon.py COUNTERSIGN DEVICE_CANON FIXTURES
"""

import base64
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

COUNTERSIGN, DEVICE, FIXTURES = sys.argv[1], sys.argv[2], Path(sys.argv[3])
failures = []


def expect(holds, what):
    if not holds:
        failures.append(what)
        print(f"FAILED: {what}", file=sys.stderr)


def run(station, *arguments):
    command = [COUNTERSIGN, "--station", station, "--json", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def make_station(folder, factory):
    step = FIXTURES / factory / "5-two-officers"
    newest = json.loads((step / "prod-roots/4.root.json").read_bytes())
    made = run(folder, "init", "--factory", "f", "--roots", str(step / "prod-roots"), "--online-key",
               str(step / "ci-targets.pub"), "--fingerprint", fingerprint(newest["signed"]), "--networked")
    assert made.returncode == 0, made.stderr


def fingerprint(signed):
    # A root is ASCII without odd numbers: json.dumps writes what all programs hash.
    return hashlib.sha256(json.dumps(signed, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def ours(station, file):
    """The digest of the bytes that would be signed, and whether the review calls them portable; None if refused."""
    imported = run(station, "import", str(file), "--tag", "production")
    if imported.returncode != 0:
        return None, False
    review = json.loads(run(station, "review", json.loads(imported.stdout)["request"]).stdout)
    return review["digest"], not any(f["check"] == "canonical-portable" for f in review["findings"])


def device(file):
    return subprocess.run([DEVICE, str(file)], capture_output=True, check=True).stdout


def posted(wave):
    """The bytes of `signed` as fioctl posted them, and its signatures over them."""
    start = wave.index(b'"signed":') + len(b'"signed":')
    return wave[start : wave.index(b',"signatures":', start)], json.loads(wave)["targets"]["signatures"]


def holds(root, signature, message):
    key = root["signed"]["keys"][signature["keyid"]]
    sig, public = base64.b64decode(signature["sig"]), key["keyval"]["public"]
    try:
        if key["keytype"] == "ED25519":
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(sig, message)
        else:
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
            load_pem_public_key(public.encode()).verify(sig, message, pss, hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def fixtures(folder):
    """fioctl's own waves: portable ones agree in all three programs, the odd ones do not."""
    for factory in ("acme", "rsa", "odd"):
        station = f"{folder}/{factory}"
        make_station(station, factory)
        for file in sorted((FIXTURES / factory).glob("[1-5]*/wave-create.json")):
            name = file.relative_to(FIXTURES)
            root = json.loads(sorted(file.parent.glob("prod-roots/*.json"))[-1].read_bytes())
            digest, portable = ours(station, file)
            by_device, (by_fioctl, signatures) = device(file), posted(file.read_bytes())
            expect(all(holds(root, one, by_fioctl) for one in signatures), f"{name}: fioctl signs what it posts")
            expect(portable == (factory != "odd"), f"{name}: the review calls it portable: {portable}")
            same = hashlib.sha256(by_device).hexdigest() == digest and by_device == by_fioctl
            expect(same == portable, f"{name}: portable {portable}, the same bytes in all three {same}")
            taken = all(holds(root, one, by_device) for one in signatures)
            expect(taken == portable, f"{name}: a device takes fioctl's signature: {taken}")
        print(f"  {factory}: the review and three programs agree on what is portable")


# What fioctl signs for what CI has, in the odd fixtures: the signature over the posted bytes holds (see above).
def in_the_odd_fixture(ci, posted_bytes):
    expect(ci in (FIXTURES / "odd/1-populate/ci-targets.json").read_bytes(), f"CI has {ci!r}")
    expect(posted_bytes in (FIXTURES / "odd/1-populate/wave-create.json").read_bytes(), f"fioctl posts {posted_bytes!r}")


# A member of `custom` as text. Who hashes other bytes than we would: the device, by running it; or fioctl, as its
# signature in the odd fixtures shows, or as its sources say (it passes `custom` through as it stands).
SOURCES = "fioctl, by its sources"
PLAIN = {
    "ASCII": '"plain / text"', "escapes that all write": r'"a\nb\rc\td\"e\\"', "2^53": "9007199254740992",
    "negative": "-1", "nested": '{"a":[1,true,null],"b":{}}',
}
ODD = {
    "a character outside ASCII": ('"\u00ef"', "device"),
    "U+2028": ('"\u2028"', "device"),
    "a control character": (r'"\u0001"', SOURCES),
    "backspace": (r'"\b"', "device"),
    "<": ('"<b>"', "fioctl, in the odd fixtures"),
    "&": ('"a & b"', "fioctl, in the odd fixtures"),
    "a fraction": ("1.5", SOURCES),
    "an exponent": ("1e3", "device"),
    "above 2^53": ("9007199254740993", "fioctl, in the odd fixtures"),
    "above 64 bits": ("18446744073709551616", "device"),
    "minus zero": ("-0", "device"),
    "keys out of order": ('{"b":1,"a":2}', SOURCES),
    "an escape that is not needed": (r'"\u0041"', SOURCES),
    "an escaped slash": (r'"a\/b"', SOURCES),
    "a key twice": ('{"a":1,"a":2}', "nobody: it is not read"),
}


def constructs(folder):
    station = f"{folder}/constructs"
    make_station(station, "acme")
    in_the_odd_fixture(b"<b>", b"\\u003cb\\u003e")
    in_the_odd_fixture(b"&amp;", b"\\u0026amp;")
    in_the_odd_fixture(b"9007199254740993", b"9007199254740992,9007199254740992")
    wave = (FIXTURES / "acme/2-update/wave-create.json").read_text()
    documents = [(what, raw, None) for what, raw in PLAIN.items()]
    documents += [(what, raw, who) for what, (raw, who) in ODD.items()]
    for what, raw, who in documents:
        file = Path(folder) / "made-up.json"
        file.write_text(wave.replace('"custom":{', '"custom":{"a-note":' + raw + ",", 1))
        digest, portable = ours(station, file)
        differs = hashlib.sha256(device(file)).hexdigest() != digest
        expect(portable == (who is None), f"{what}: the review calls it portable: {portable}")
        expect((digest is None) == (who == "nobody: it is not read"), f"{what}: read: {digest is not None}")
        if digest is not None:
            expect(differs == (who == "device"), f"{what}: a device hashes other bytes: {differs}")
        verdict = "portable" if portable else "refused" if digest is None else f"blocked; other bytes: {who}"
        print(f"  {what:<30} {verdict}")


with tempfile.TemporaryDirectory() as folder:
    fixtures(folder)
    constructs(folder)
sys.exit(1 if failures else 0)
