#!/usr/bin/env python3
"""Check an evidence pack with nothing but Python's standard library.

Usage: python3 -I verify.py PACK OUT

Checks every line, the tree, every checkpoint's root and every object's digest, that each act of officers stands behind
the signatures of those who have to sign it, and before each signature counts approvals and who opened the key. Writes
into OUT, a new or empty folder, what openssl needs to check the signatures: of each checkpoint <size>.txt and <size>.sig,
of each act and decision acts/<entry>.txt, .sig and .pem, and at the end key.pem, the log's key.

Ends with 0 when all of it agrees; with 1 and one line `NOT WHOLE: where: why` when not; with 2 when it could not check.
The pack is foreign: no link in it is followed, only regular files up to a size are opened, and at most a line, a note,
a review or a piece of another object is held in memory. It is short so that it can be read before it is believed.
"""
import sys

# Python looks for modules beside the script first, and there a pack could bring a json.py of its own. -I forbids that
# too, but can be forgotten.
if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
    del sys.path[0]
import base64, hashlib, json, os, re, stat

LARGEST_KEY = 4096
LARGEST_NOTE = 128 << 10
LARGEST_OBJECT = 1 << 30
LARGEST_POLICY = 1 << 20
LARGEST_REVIEW = 1 << 28
LINES_PER_FILE = 1000
LONGEST_LINE = 65535

SIZE = "0|[1-9][0-9]{0,15}"
DIGEST = "[0-9a-f]{64}"
# The members of an entry that name an object, by the entry's type; those with a question mark, an object or nothing.
NAMES = {
    "station.created": ["policy"],
    "root.pinned": ["object"],
    "root.updated": ["object"],
    "online_key.pinned": ["object"],
    "policy.changed": ["to"],
    "review.rendered": ["policy", "object"],
    "review.kept": ["text", "html"],
    "sign.intent": ["signed", "policy"],
    "sign.result": ["signed", "policy"],
    "witness.cosigned": ["note"],
    "witness.stale": ["note"],
    "anchor.judged": ["note", "own?"],
    "station.succeeds": ["note"],
    "mark.taken_over": ["signed?"],
}


def fail(where, why):
    print("NOT WHOLE: %s: %s" % (where, why))
    sys.exit(1)


def sha(data):
    return hashlib.sha256(data).digest()


def folder(pack, name):
    """The path of a folder of the pack, on which there is no link."""
    path = pack
    for part in name.split("/"):
        path = os.path.join(path, part)
        if not os.path.lexists(path):
            fail(name, "it is missing")
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            fail(name, "it is not a folder")
    return path


def names(pack, where, form):
    """The names in a folder of the pack, in no order; each must have the form."""
    with os.scandir(folder(pack, where)) as found:
        for entry in found:
            if not re.fullmatch(form, entry.name):
                fail(where, "an unexpected name, " + ascii(entry.name))
            yield entry.name


def opened(pack, name, largest):
    """Opens a file of the pack, whose folder was looked at in main()."""
    path = os.path.join(pack, name)
    if not os.path.lexists(path):
        fail(name, "it is missing")
    facts = os.lstat(path)
    if not stat.S_ISREG(facts.st_mode):
        fail(name, "it is not a regular file")
    if facts.st_size > largest:
        fail(name, "it has %d bytes, and %d are the most" % (facts.st_size, largest))
    return open(path, "rb")


def content(pack, name, largest):
    with opened(pack, name, largest) as file:
        return file.read(min(largest, os.fstat(file.fileno()).st_size))


def digest(pack, name):
    """The digest of an object, which is read in pieces."""
    hash_, left = hashlib.sha256(), LARGEST_OBJECT
    with opened(pack, name, LARGEST_OBJECT) as file:
        while left > 0:
            piece = file.read(1 << 20)
            if not piece:
                break
            hash_.update(piece)
            left -= len(piece)
    return hash_.hexdigest()


def lines(pack):
    """The name of the file and the line, for each line; nothing that is longer than a line can be."""
    count = sum(1 for _ in names(pack, "events", r"[0-9]{6}\.jsonl"))
    for number in range(max(count, 1)):
        name = "events/%06d.jsonl" % number
        with opened(pack, name, LINES_PER_FILE * (LONGEST_LINE + 1)) as file:
            while line := file.readline(LONGEST_LINE + 1):
                yield name, line


def read_key(pack):
    """The log's name, the key's id and its 32 bytes."""
    text = content(pack, "vkey", LARGEST_KEY)
    try:
        name, key_id, key = text.decode().split("+", 2)
        key = base64.b64decode(key.strip())
    except ValueError:
        fail("vkey", "it is not name+id+key")
    if not name or not name.isprintable() or " " in name:
        fail("vkey", "the name is not one")
    if len(key) != 33 or key[0] != 1 or sha(name.encode() + b"\n" + key)[:4].hex() != key_id:
        fail("vkey", "it is not an ed25519 key with its own id")
    if text.decode() != "%s+%s+%s\n" % (name, key_id, base64.b64encode(key).decode()):
        fail("vkey", "it is not one line")
    return name, key_id, key[1:]


def read_checkpoint(pack, size, name, key_id):
    """The text that is signed, the root that it says, and the signature by the key in vkey."""
    where = "checkpoints/%d" % size
    try:
        note = content(pack, where, LARGEST_NOTE).decode()
        text, _, signatures = note.rpartition("\n\n")
        *signatures, rest = signatures.split("\n")
        origin, said, root = text.split("\n")[:3]
        root = base64.b64decode(root, validate=True)
        prefix = "\u2014 " + name + " "
        mine = [base64.b64decode(s[len(prefix):], validate=True) for s in signatures if s.startswith(prefix)]
    except ValueError:
        fail(where, "it is not a signed note with origin, size and root")
    if rest or not all(s.startswith("\u2014 ") for s in signatures) or any(c < " " and c != "\n" for c in note):
        fail(where, "it has something else in it than text and signatures")
    if origin != name or said != str(size) or len(root) != 32:
        fail(where, "it is another log's, or of another size")
    mine = [s[4:] for s in mine if s[:4].hex() == key_id]
    if len(mine) != 1 or len(mine[0]) != 64:
        fail(where, "it is not signed once by the key in vkey")
    return text + "\n", root, mine[0]


def read_entry(size, line, previous):
    """Takes a line apart; returns the entry, and the digests that it names objects by."""
    where = "entry %d" % size
    if not line.endswith(b"\n"):
        fail(where, "the line is cut off, or too long")
    try:
        text = line[:-1].decode("ascii")
        entry = json.loads(text)
        # There is one way to write an entry. A member that is there twice, for one, does not come back.
        is_same = json.dumps(entry, separators=(",", ":")) == text
    except (ValueError, RecursionError):
        fail(where, "it is not JSON in ASCII")
    if not is_same or not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
        fail(where, "it is not in the log's form")
    # In Python 1 == 1.0 == True.
    if type(entry.get("seq")) is not int or entry["seq"] != size:
        fail(where, "it does not say that it is entry %d" % size)
    if entry.get("prev") != previous.hex():
        fail(where, "it does not name the hash of the line before it: one of the two was changed")
    named = [(member, entry.get(member.rstrip("?"))) for member in NAMES.get(entry["type"], [])]
    named = [one for member, one in named if one != "" or not member.endswith("?")]
    if entry["type"] == "request.imported":
        # Inside a string the quotes would be escaped.
        named += re.findall('"sha256":"([^"]*)"', text)
    if not all(isinstance(one, str) and re.fullmatch(DIGEST, one) for one in named):
        fail(where, "it names an object by what is not a digest")
    return entry, named


class Acts:
    """Who has to sign which act, and did they? The signatures stand in the entries right before it (docs/log.md). And what
    officers decided about requests."""

    def __init__(self, pack, keep):
        self.pack, self.keep, self.log = pack, keep, None
        self.keys, self.retired, self.fresh, self.staffed = {}, set(), set(), set()
        self.sealed, self.nonces, self.signed, self.again = {}, set(), [], None
        self.decisions, self.newest, self.intents, self.given, self.expired = {}, {}, {}, set(), set()
        self.counted = 0

    def see(self, size, entry):
        kind, where = entry["type"], "entry %d" % size
        if kind == "station.created" and "format" in entry:
            if entry["format"] != "countersign/log/2":
                fail(where, "the log's format is not known")
            self.log = entry["log_key"]
        if kind in ("approval.granted", "approval.denied"):
            self.decision(where, size, entry, kind.partition(".")[2])
        if kind == "approval.expired":
            self.expired.add(entry["nonce"])
        if kind == "sign.intent":
            self.count(where, entry)
            self.intents[size] = entry
            self.counted += 1
        if kind == "sign.result" and entry["intent"] in self.intents:  # what it rests on stands still
            self.count(where, self.intents.pop(entry["intent"]))
        if self.log is None:  # 0.1: acts were not signed
            return self.remember(entry, kind)
        if kind == "act.signed":
            return self.signature(where, size, entry)
        if kind == "review.rendered":
            self.review(where, entry)
        said = {member: value for member, value in list(entry.items())[6:]}
        digest = sha(json.dumps(said, separators=(",", ":")).encode()).hex()
        signers = {one["officer"] for one in self.signed if (one["act"], one["digest"]) == (kind, digest)}
        self.signed = []
        if not self.enough(where, entry, kind, signers):
            fail(where, "it is not signed by those who have to sign it")
        self.remember(entry, kind)

    def review(self, where, entry):
        """The review that approvals sign is an object, and it says what the entry says of it."""
        name = "objects/sha256/" + entry["review"]
        if digest(self.pack, name) != entry["review"]:
            fail(name, "its bytes have another digest")
        try:
            # A number with thousands of digits may stand in what was reviewed; Python does not read one.
            text = content(self.pack, name, LARGEST_REVIEW)
            review = json.loads(text, parse_int=lambda digits: int(digits) if len(digits) < 20 else digits)
            of = review["request"], review["digest"], review["policy"], review["root"]["version"], review["signable"]
            found = [{"check": one["check"], "severity": one["severity"]} for one in review["findings"]]
        except (ValueError, RecursionError, KeyError, TypeError):
            fail(where, "the review that it names is not a review")
        found = [one for at, one in enumerate(found) if at == 0 or one != found[at - 1]]
        blocked = any(one["severity"] == "block" for one in found)
        said = entry["request"], entry["signed"], entry["policy"], entry["root_version"], not blocked
        if of != said or entry["signable"] is blocked or found != entry["findings"]:
            fail(where, "it says something else than the review that it names")

    def signature(self, where, size, entry):
        name = entry["officer"]
        if entry["actor"] != name or self.keys.get(name) != entry["key"] or name in self.retired:
            fail(where, "the signature is not by an officer who serves, or not with her key")
        if entry["nonce"] in self.nonces:
            fail(where, "the same signature stands in the log before")
        self.nonces.add(entry["nonce"])
        self.staffed.add(name)
        self.signed.append(entry)
        members = {"officer": name, "key": entry["key"], "log": self.log, "time": entry["time"]}
        members.update((member, entry[member]) for member in ("act", "digest", "nonce"))
        message = "countersign/act/1\n" + json.dumps(members, separators=(",", ":"))
        self.keep("acts/%d.txt" % size, message.encode())
        self.keep("acts/%d.sig" % size, base64.b64decode(entry["sig"], validate=True))
        self.keep("acts/%d.pem" % size, pem(bytes.fromhex(entry["key"])))

    def decision(self, where, size, entry, decided):
        """An officer's decision about a request; the newest counts."""
        name = entry["officer"]
        if entry["actor"] != name or self.keys.get(name) != entry["key"] or name in self.retired:
            fail(where, "the decision is not by an officer who serves, or not with her key")
        if entry["nonce"] in self.given:
            fail(where, "the same decision stands in the log before")
        self.given.add(entry["nonce"])
        self.decisions[size] = entry, decided
        self.newest[entry["request"], name] = size
        members = {member: entry[member] for member in ("officer", "key", "request", "review", "policy")}
        members.update(decision=decided, reason=entry["reason"], nonce=entry["nonce"], expires=entry["expires"])
        message = "countersign/approval/1\n" + json.dumps(members, separators=(",", ":"))
        self.keep("acts/%d.txt" % size, message.encode())
        self.keep("acts/%d.sig" % size, base64.b64decode(entry["sig"], validate=True))
        self.keep("acts/%d.pem" % size, pem(bytes.fromhex(entry["key"])))

    def count(self, where, entry):
        """Before a signature: have as many officers approved as the policy asks, does nobody refuse, and do as many open
        the key as its sealing asks?"""
        request, approved = entry["request"], set()
        for one in entry["approvals"]:
            name, (given, decided) = one["officer"], self.decisions.get(one["seq"], ({}, None))
            same = all(given.get(member) == entry[member] for member in ("request", "review", "policy"))
            if decided != "granted" or given["officer"] != name or not same:
                fail(where, "entry %d is no approval of this review by this officer" % one["seq"])
            if self.newest[request, name] != one["seq"] or name in self.retired:
                fail(where, "the approval in entry %d does not stand" % one["seq"])
            if given["expires"] < entry["time"] or given["nonce"] in self.expired:
                fail(where, "the approval in entry %d had expired" % one["seq"])
            approved.add(name)
        for (about, name), seq in self.newest.items():
            if about == request and self.decisions[seq][1] == "denied":
                fail(where, "the refusal in entry %d stands" % seq)
        if len(approved) < self.approvals(where, entry["policy"]):
            fail(where, "fewer officers approved than the policy asks")
        sealed, openers = self.sealed.get(entry["keyid"]), set(entry["officers"])
        if not sealed or not sealed[0] or len(openers) < sealed[-1][0]:
            fail(where, "fewer officers opened the key than it is sealed to")
        if openers - set(sealed[-1][1]) or openers & self.retired:
            fail(where, "somebody opened the key who does not hold it, or serves no more")

    def enough(self, where, entry, kind, signers):
        actor, staffed = entry["actor"], self.staffed
        if kind == "sign.in_doubt":
            if entry["resolution"] == "the same bytes were signed again":
                return self.again == (entry["keyid"], entry["signed"])
            return entry["resolution"] == "" or actor in signers
        if kind in ("time.statement", "witness.added", "witness.retired"):
            return actor in signers
        if kind == "request.imported" and actor in self.keys:
            return actor in signers
        if kind in ("sign.intent", "key.drilled", "anchor.settled"):
            return set(entry["officers"]) <= signers and actor in signers
        if kind == "key.sealed":
            by = entry["detail"].partition("sealed anew by ")[2].partition("; before: ")[0].split(", ")
            return set(by) <= signers and actor in signers
        if kind == "officer.retired":
            gone = entry["reason"].startswith("never finished: ") and entry["officer"] not in staffed
            return gone or actor in signers
        if kind == "key.restored":
            known = any(self.holding(entry) == one for one in self.sealed.get(entry["keyid"], [None])[1:])
            return known or not staffed or actor in signers
        if kind == "policy.changed" and staffed:
            count = max(self.approvals(where, entry[which]) for which in ("from", "to"))
            return len(signers) >= count and actor in signers
        if kind == "online_key.pinned" and staffed:
            sealings = [one[-1] for one in self.sealed.values() if one[0]]
            most = max((one[0] for one in sealings), default=1)
            able = [len(signers & set(one[1])) >= most for one in sealings if one[0] == most]
            return actor in signers and (any(able) or not able)
        return True

    def approvals(self, where, policy):
        text = content(self.pack, "objects/sha256/" + policy, LARGEST_POLICY).decode()
        found = re.search(r"(?m)^[^#\n]*\bcount\s*=\s*([0-9]+)", text)
        if not found:
            fail(where, "its policy does not say how many approvals it asks for")
        return int(found[1])

    @staticmethod
    def holding(entry):
        return entry["quorum"], entry["officers"], entry["set"]

    def remember(self, entry, kind):
        """Officers count once their adding came to its end, or they did something. Of a key: is it in the vault, and
        its sealings, the newest last."""
        if kind == "officer.added":
            self.keys[entry["officer"]] = entry["key"]
            self.retired.discard(entry["officer"])
            self.fresh.add(entry["officer"])
        elif kind == "session.opened":
            self.fresh = set()
        elif kind == "session.closed" and entry["exit"] == 0:
            self.staffed |= self.fresh
        elif kind == "officer.retired":
            self.retired.add(entry["officer"])
        elif kind == "sign.result":
            self.again = entry["keyid"], entry["signed"]
        elif kind in ("approval.granted", "approval.denied", "officer.auth.failed"):
            self.staffed.add(entry["officer"])
        elif kind == "key.retired" and entry["keyid"] in self.sealed:
            self.sealed[entry["keyid"]][0] = False
        elif kind in ("key.imported", "key.generated", "key.sealed", "key.restored"):
            before = self.sealed.get(entry["keyid"], [True])
            self.sealed[entry["keyid"]] = [True] + before[1:] + [self.holding(entry)]
        if kind in ("key.imported", "key.generated", "key.sealed"):
            self.staffed |= set(entry["officers"])


def pem(key):
    """An ed25519 key as openssl reads it."""
    info = base64.b64encode(bytes.fromhex("302a300506032b6570032100") + key).decode()
    return b"-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n" % info.encode()


def main(pack, keep):
    for where in ("events", "checkpoints", "objects/sha256"):
        folder(pack, where)
    name, key_id, key = read_key(pack)
    newest = max((int(size) for size in names(pack, "checkpoints", SIZE)), default=None)
    if newest is None:
        fail("checkpoints", "there is none")
    if content(pack, "checkpoint", LARGEST_NOTE) != content(pack, "checkpoints/%d" % newest, LARGEST_NOTE):
        fail("checkpoint", "it is not the newest of checkpoints/, which is %d" % newest)

    # RFC 6962: leaf = SHA-256(0x00 || line), node = SHA-256(0x01 || left || right). `peaks` holds the roots of the
    # perfect subtrees so far, largest first.
    peaks, size, previous = [], 0, b"\0" * 32

    def check():
        """Compares the root with that of the checkpoint of this size; returns how many there are, 0 or 1."""
        if not os.path.lexists(os.path.join(pack, "checkpoints", str(size))):
            return 0
        text, said, signature = read_checkpoint(pack, size, name, key_id)
        root = peaks[-1] if peaks else sha(b"")
        for left in reversed(peaks[:-1]):
            root = sha(b"\1" + left + root)
        if root != said:
            where = "entry %d" % (size - 1) if size else "checkpoints/0"
            fail(where, "the lines up to here do not give the root of checkpoints/%d" % size)
        keep("%d.txt" % size, text.encode())
        keep("%d.sig" % size, signature)
        return 1

    kept, acts = check(), Acts(pack, keep)
    for file, line in lines(pack):
        if file != "events/%06d.jsonl" % (size // LINES_PER_FILE):
            fail("entry %d" % size, "it stands in %s" % file)
        entry, named = read_entry(size, line, previous)
        if entry["type"] == "review.rendered" and acts.log is not None:
            named.append(entry["review"])
        for one in named:
            if not os.path.lexists(os.path.join(pack, "objects", "sha256", one)):
                fail("entry %d" % size, "the object %s that it names is missing" % one)
        acts.see(size, entry)
        previous = hash_ = sha(b"\0" + line[:-1])
        count = size
        while count & 1:
            hash_ = sha(b"\1" + peaks.pop() + hash_)
            count >>= 1
        peaks.append(hash_)
        size += 1
        kept += check()
    if size != newest:
        fail("entry %d" % min(size, newest), "there are %d entries, and the newest checkpoint says %d" % (size, newest))

    for file in names(pack, "objects/sha256", DIGEST):
        if digest(pack, "objects/sha256/" + file) != file:
            fail("objects/sha256/" + file, "its bytes have another digest")

    keep("key.pem", pem(key))
    print("%d entries, %d checkpoints: lines, tree and objects agree" % (size, kept))
    if acts.log is not None:
        print("Officers' signatures before their acts: %d" % len(acts.nonces))
    print("Officers' decisions: %d; intents to sign with approvals and quorum: %d" % (len(acts.decisions), acts.counted))
    print("Log %s, key %s" % (ascii(name)[1:-1], key.hex()))
    print("Now check the signatures with openssl: see VERIFY.md")


def cannot(why):
    print("NOT CHECKED: " + why, file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    pack, out = sys.argv[1:]

    def keep(name, data):
        try:
            os.makedirs(os.path.dirname(os.path.join(out, name)), exist_ok=True)
            with open(os.path.join(out, name), "xb") as file:
                file.write(data)
        except OSError as problem:
            cannot("OUT cannot be written: " + ascii(problem))

    try:
        os.makedirs(out, exist_ok=True)
        if os.listdir(out):
            cannot("OUT is not empty: give a new folder, so that nothing old is taken for this pack's")
    except OSError as problem:
        cannot("OUT cannot be made: " + ascii(problem))
    try:
        main(pack, keep)
    except Exception as problem:
        # A stick that cannot be read, for one. What cannot be checked is not whole.
        fail("pack", "it could not be read to its end: " + ascii(problem))
