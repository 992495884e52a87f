#!/usr/bin/env python3
"""Check an evidence pack with nothing but Python's standard library.

Usage: python3 verify.py PACK OUT

Checks every line, the tree and every checkpoint's root and every object's digest. Writes into the folder OUT what
openssl needs to check the signatures of the checkpoints: key.pem, and for each checkpoint <size>.txt and <size>.sig.
It is short so that it can be read before it is believed.
"""
import base64, hashlib, json, os, sys


def fail(why):
    sys.exit("NOT WHOLE: " + why)


def sha(data):
    return hashlib.sha256(data).digest()


def lines(pack):
    folder = os.path.join(pack, "events")
    for number, name in enumerate(sorted(os.listdir(folder))):
        if name != "%06d.jsonl" % number:
            fail("unexpected file events/" + name)
        with open(os.path.join(folder, name), "rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    fail("a torn line in events/" + name)
                yield line[:-1]


def split_note(path):
    note = open(path, "rb").read().decode("utf-8")
    text, _, signatures = note.rpartition("\n\n")
    return text + "\n", signatures.strip().split("\n")


def main(pack, out):
    name, key_id, key = open(os.path.join(pack, "vkey")).read().strip().split("+", 2)
    key = base64.b64decode(key)
    if key[0] != 1 or sha(name.encode() + b"\n" + key)[:4].hex() != key_id:
        fail("vkey is not an ed25519 key with its own id")

    folder = os.path.join(pack, "checkpoints")
    heads = {}
    for file in os.listdir(folder):
        text, signatures = split_note(os.path.join(folder, file))
        origin, size, root = text.split("\n")[:3]
        if origin != name or size != file:
            fail("checkpoints/" + file + " is another log's, or of another size")
        prefix = "\u2014 " + name + " "
        mine = [base64.b64decode(s[len(prefix):]) for s in signatures if s.startswith(prefix)]
        mine = [s[4:] for s in mine if s[:4].hex() == key_id]
        if len(mine) != 1:
            fail("checkpoints/" + file + " is not signed once by the key in vkey")
        heads[int(size)] = (text, base64.b64decode(root), mine[0])
    newest = max(heads)
    if open(os.path.join(pack, "checkpoint"), "rb").read() != open(os.path.join(folder, str(newest)), "rb").read():
        fail("checkpoint is not the newest of checkpoints/")

    # RFC 6962: leaf = SHA-256(0x00 || line), node = SHA-256(0x01 || left || right). `peaks` holds the roots of the
    # perfect subtrees so far, largest first.
    peaks, size, previous, named = [], 0, b"\0" * 32, set()

    def check(size):
        if size in heads:
            root = peaks[-1] if peaks else sha(b"")
            for left in reversed(peaks[:-1]):
                root = sha(b"\1" + left + root)
            if root != heads[size][1]:
                fail("the lines up to entry %d do not give the root of checkpoints/%d" % (size - 1, size))

    check(0)
    for line in lines(pack):
        entry = json.loads(line)
        if json.dumps(entry, separators=(",", ":")).encode() != line:
            fail("entry %d is not in the log's form" % size)
        if entry["seq"] != size or entry["prev"] != previous.hex():
            fail("entry %d does not follow the one before it" % size)
        for field in ("policy", "signed", "object", "to"):
            if entry["type"] in ("station.created", "sign.intent", "review.rendered", "root.pinned", "root.updated",
                                 "policy.changed") and len(entry.get(field, "")) == 64:
                if field != "signed" or entry["type"] == "sign.intent":
                    named.add(entry[field])
        previous = hash_ = sha(b"\0" + line)
        count = size
        while count & 1:
            hash_ = sha(b"\1" + peaks.pop() + hash_)
            count >>= 1
        peaks.append(hash_)
        size += 1
        check(size)
    if size != newest:
        fail("there are %d entries, and the newest checkpoint says %d" % (size, newest))

    folder = os.path.join(pack, "objects", "sha256")
    for file in os.listdir(folder):
        if sha(open(os.path.join(folder, file), "rb").read()).hex() != file:
            fail("objects/sha256/" + file + " has another digest")
        named.discard(file)
    if named:
        fail("missing objects: " + ", ".join(sorted(named)))

    os.makedirs(out, exist_ok=True)
    info = bytes.fromhex("302a300506032b6570032100") + key[1:]
    with open(os.path.join(out, "key.pem"), "w") as file:
        file.write("-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n" % base64.b64encode(info).decode())
    for size, (text, _, signature) in heads.items():
        open(os.path.join(out, "%d.txt" % size), "wb").write(text.encode())
        open(os.path.join(out, "%d.sig" % size), "wb").write(signature)
    print("%d entries, %d checkpoints: lines, tree and objects agree" % (newest, len(heads)))
    print("Log %s, key %s" % (name, key[1:].hex()))
    print("Now check the signatures with openssl: see VERIFY.md")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
