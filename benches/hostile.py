#!/usr/bin/env python3
"""Measures what hostile requests cost: every shape that a megabyte, or eight, can hold, through import and review.

    benches/hostile.py [--bytes N…] [--only WORD…] [--program PATH]

It makes a Factory and a repository with keys of its own, a station for each, and a request of each shape; then it runs
`import`, `review`, `review --json` and `review --html` and prints, as Markdown, the most that any of the four took: seconds
of processor time (of both cores together, so that other work on the machine does not matter), memory, and the bytes of what
was printed or written. docs/performance.md keeps a run, and says what is aimed at.
needs: python3-cryptography
"""
import argparse, base64, hashlib, io, json, os, resource, shutil, subprocess, sys, tarfile, tempfile, time
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

FAR = "2030-01-01T00:00:00Z"
EXPIRES = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() + 300 * 86400))


def written(value):
    """Canonical form, as long as the text is ASCII and the numbers are whole."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class Key:
    def __init__(self, name, factory=True):
        self.private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
        self.factory = factory
        public = self.private.public_key()
        raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
        if factory:
            self.public = {"keytype": "ED25519", "keyval": {"public": raw}}
            of = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            self.public = {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": raw}}
            of = written(self.public).encode()
        self.id = hashlib.sha256(of).hexdigest()

    def secret(self):
        raw = self.private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()).hex()
        return {"keytype": "ED25519", "keyval": {"private": raw}}

    def sign(self, text):
        sig = self.private.sign(text.encode())
        if self.factory:
            return {"keyid": self.id, "method": "ed25519", "sig": base64.b64encode(sig).decode()}
        return {"keyid": self.id, "sig": sig.hex()}


def envelope(signed, *keys):
    text = signed if isinstance(signed, str) else written(signed)
    return '{"signatures":%s,"signed":%s}' % (written([key.sign(text) for key in keys]), text)


class Factory:
    ROOT, ONLINE, OFFLINE, OTHER = (Key("factory " + n) for n in ("root", "online", "offline", "other"))

    @classmethod
    def root(cls, version=1, more=None, roles=None):
        keys = {k.id: k.public for k in (cls.ROOT, cls.ONLINE, cls.OFFLINE, cls.OTHER)}
        keys.update(more or {})
        role = lambda n, *ks: {"keyids": [k.id for k in ks], "threshold": n}
        all_roles = {"root": role(1, cls.ROOT), "targets": role(2, cls.ONLINE, cls.OFFLINE),
                     "snapshot": role(1, cls.OTHER), "timestamp": role(1, cls.OTHER)}
        all_roles.update(roles or {})
        return envelope({"_type": "Root", "consistent_snapshot": False, "expires": FAR, "keys": keys,
                         "roles": all_roles, "version": version}, cls.ROOT)

    @staticmethod
    def targets(version, targets):
        return '{"_type":"Targets","expires":"%s","targets":{%s},"version":%d}' % (EXPIRES, targets, version)


def target(name, version, hardware='"hw"', more="", tags='"production"'):
    return ('"%s":{"custom":{"arch":"x86_64","hardwareIds":[%s],"name":"n","tags":[%s],"version":"%s"%s},'
            '"hashes":{"sha256":"%s"},"length":0}'
            % (name, hardware, tags, version, more, hashlib.sha256(name.encode()).hexdigest()))


def listed(count, one, between=","):
    return between.join(one(i) for i in range(count))


def apps(count, uri="x"):
    return ',"docker_compose_apps":{%s}' % listed(count, lambda i: '"a%06d":{"uri":"%s"}' % (i, uri))


def ids(count):
    return listed(count, lambda i: '"h%06d"' % i)


def wave(i, status="complete", tag="production", version=None):
    return {"name": "w%06d" % i, "status": status, "tag": tag, "version": str(version or 100 + i)}


# A shape is a function of a number of bytes to what a request holds beside what every request has: files by their names, and
# members of the manifest under "request".

def wave_of(proposal, production=None, version=43, **more):
    """A wave that CI built and that production's targets stand beside: what is not said otherwise is in order."""
    files = {"targets.json": '{"signatures":[],"signed":%s}' % Factory.targets(version, proposal),
             "ci-targets.json": envelope(Factory.targets(version, proposal), Factory.ONLINE),
             "waves.json": {"next": None, "total": 0, "waves": []}}
    if production is not None:
        files["current.json"] = envelope(Factory.targets(42, production), Factory.ONLINE, Factory.OFFLINE)
        listed_wave = {"name": "w42", "status": "complete", "tag": "production", "version": "42"}
        files["waves.json"] = {"next": None, "total": 1, "waves": [listed_wave]}
    files["request"] = {"version": version, "wave": "w%d" % version}
    files.update(more)
    return files


PLAIN = target("hw-lmp-43", 43)


def first_wave(n):
    """What an honest first wave of that size would be, and signable: everything that can differ does."""
    def one(i):
        digest = hashlib.sha256(b"app %d" % i).hexdigest()
        uri = "hub.foundries.io/fixture/app@sha256:" + digest
        more = ',"docker_compose_apps":{"app-%d":{"uri":"%s"}},"lmp-manifest-sha":"%s","uri":"https://ci.example/%d"' % (
            i % 8, uri, digest[:40], i)
        text = target("gateway-%06d-43" % i, 43, '"gateway-%06d"' % i, more).replace('"name":"n"', '"name":"gateway-%06d"' % i)
        return written(json.loads("{%s}" % text))[1:-1]
    proposal = listed(n // len(one(0)) // 2, one)
    return wave_of(proposal)


def alone(proposal, production=None):
    """Without the CI targets: the bytes are all in what is to be signed, and what it is compared with."""
    made = wave_of(proposal, production)
    del made["ci-targets.json"]
    return made


def look_alikes(n):
    name = lambda i: "".join("\u0430\u0435\u043e\u0440\u0441\u0445"[(i // 6**k) % 6] for k in range(12))
    return alone(listed(n // 260, lambda i: target(name(i), 43)))


def look_alike_ids(n):
    name = lambda i: "".join("\u200b\u200c"[i >> k & 1] for k in range(20))
    return alone(target("t-43", 43, listed(n // 64, lambda i: '"a%s"' % name(i))))


def many_waves(n, **how):
    waves = [wave(i, version=1 + i % 42, **how) for i in range(n // 75)]
    return wave_of(PLAIN, target("hw-lmp-42", 42), **{"waves.json": {"next": None, "total": len(waves), "waves": waves}})


def many_keys_root(n):
    count = min(n, 1 << 20) // 250
    more = {key.id: key.public for key in (Key("k%d" % i) for i in range(count))}
    first, second = Factory.root(), Factory.root(2, more, {"more": {"keyids": list(more), "threshold": 1}})
    return wave_of(PLAIN, **{"prod-roots/1.root.json": first, "prod-roots/2.root.json": second})


def many_roots(n):
    one = len(Factory.root())
    roots = {"prod-roots/%d.root.json" % v: Factory.root(v) for v in range(1, min(n // one, 4000) + 1)}
    return wave_of(PLAIN, **roots)


def anchors(n):
    line = "\u2014 witness.example/w%06d " + base64.b64encode(b"k" * 76).decode() + "\n"
    each = min(n // 16, 64 << 10)
    note = "countersign.example/log\n9\n%s\n\n" % base64.b64encode(b"r" * 32).decode()
    text = note + "".join(line % i for i in range((each - len(note)) // len(line.encode()) - 1))
    return wave_of(PLAIN, **{"anchors/a%02d.note" % i: text for i in range(16)})


def bundle(n, production):
    """The same few names again and again, beside a target of many hardware ids and many waves that are active."""
    names = '"hw-lmp-42",' * (n // 2 // 12)
    signed = ('{"_type":"Targets","expires":"%s","targets":{},"version":43,"x-fio-offline-bundle":'
              '{"tag":"production","targets":[%s],"type":"prod"}}' % (EXPIRES, names[:-1]))
    waves = [wave(i, status="active", version=7) for i in range(n // 4 // 75)]
    current = target("hw-lmp-42", 42, ids(n // 4 // 12) if production else '"hw"')
    made = wave_of(current, target("hw-lmp-41", 41) if not production else current + "," + target("z-43", 43, ids(n // 4 // 12)))
    made["targets.json"] = '{"signatures":[],"signed":%s}' % signed
    made["waves.json"] = {"next": None, "total": len(waves), "waves": waves}
    made["request"] = {"version": 43, "wave": "", "kind": "offline-bundle"}
    return made


FACTORY = {
    "a signable first wave": first_wave,
    "hardware ids x apps": lambda n: alone(target("t-43", 43, ids(n // 30)), target("t-42", 42, ids(n // 60), apps(n // 60))),
    "a long name x odd numbers": lambda n: alone(target("n" * (n // 2), 43, '"hw"', ',"x":[%s]' % listed(n // 8, lambda i: "1.5"))),
    "a long key, all escapes": lambda n: alone(target("t-43", 43, '"hw"', ',"%s":{%s}' % ("\\u006b" * (n // 12), listed(n // 28, lambda i: '"%06d":0' % i)))),
    "one old target x many new": lambda n: alone(listed(n // 400, lambda i: target("new-%06d" % i, 43)), target("t-42", 42, '"hw"', apps(n // 60))),
    "targets that hold nothing": lambda n: alone(listed(n // 13, lambda i: '"%07d":{}' % i)),
    "targets all removed": lambda n: wave_of(PLAIN, listed(n // 220, lambda i: target("old-%06d" % i, 42, '"h%06d"' % i))),
    "targets all changed": lambda n: alone(listed(n // 440, lambda i: target("t-%06d" % i, 43)), listed(n // 440, lambda i: target("t-%06d" % i, 42))),
    "look-alike names": look_alikes,
    "look-alike hardware ids": look_alike_ids,
    "look-alike apps": lambda n: alone(target("t-43", 43, '"hw"', ',"docker_compose_apps":{%s}' % listed(n // 60, lambda i: '"%s":{"uri":"x"}' % "".join("\u0430\u0435\u043e\u0440"[(i // 4**k) % 4] for k in range(10))))),
    "tags": lambda n: alone(target("t-43", 43, '"hw"', "", listed(n // 10, lambda i: '"g%06d"' % i))),
    "Factories that apps name": lambda n: alone(target("t-43", 43, '"hw"', ',"docker_compose_apps":{%s}' % listed(n // 60, lambda i: '"a%06d":{"uri":"hub.foundries.io/f%06d/a@x"}' % (i, i)))),
    "members of signed": lambda n: dict(alone(PLAIN), **{"targets.json": '{"signatures":[],"signed":{"_type":"Targets","expires":"%s","targets":{%s},"version":43%s}}' % (EXPIRES, PLAIN, listed(n // 11, lambda i: ',"x%06d":0' % i, ""))}),
    "signatures": lambda n: dict(alone(PLAIN), **{"targets.json": '{"signatures":[%s],"signed":%s}' % (listed(n // 130, lambda i: '{"keyid":"%064x","method":"ed25519","sig":"%s"}' % (i, "A" * 32)), Factory.targets(43, PLAIN))}),
    "64 signatures by one key": lambda n: dict(alone(listed(n // 220, lambda i: target("t-%06d" % i, 43))), signed_by=64),
    "members of a signature": lambda n: dict(alone(PLAIN), **{"targets.json": '{"signatures":[{"keyid":"%064x","method":"ed25519","sig":"AAAA"%s}],"signed":%s}' % (7, listed(n // 11, lambda i: ',"x%06d":0' % i, ""), Factory.targets(43, PLAIN))}),
    "waves, complete": many_waves,
    "waves, active": lambda n: many_waves(n, status="active"),
    "waves of one name": lambda n: wave_of(PLAIN, target("hw-lmp-42", 42), **{"waves.json": {"waves": [wave(7)] * (n // 75)}}),
    "waves not understood": lambda n: many_waves(n, status="ACTIVE"),
    "members of waves.json": lambda n: wave_of(PLAIN, **{"waves.json": '{"waves":[]%s}' % listed(n // 13, lambda i: ',"x%06d":"y"' % i, "")}),
    "keys in a root": many_keys_root,
    "roots": many_roots,
    "heads of the log": anchors,
    "versions to drop": lambda n: dict(wave_of(PLAIN, listed(n // 2 // 220, lambda i: target("o-%06d" % i, 42))), request={"version": 43, "wave": "w43", "prune": list(range(1, n // 16))}),
    "files in the manifest": lambda n: dict(wave_of(PLAIN), request={"version": 43, "wave": "w43", "listed": n // 110}),
    "a bundle's names x hardware ids": lambda n: bundle(n, True),
    "a bundle's names x waves": lambda n: bundle(n, False),
}


class Repository:
    ROOT, TARGETS, ROLE = (Key("repository " + n, False) for n in ("root", "targets", "role"))

    @classmethod
    def root(cls):
        role = lambda key: {"keyids": [key.id], "threshold": 1}
        return envelope({"_type": "root", "spec_version": "1.0.31", "version": 1, "expires": FAR, "consistent_snapshot": True,
                         "keys": {k.id: k.public for k in (cls.ROOT, cls.TARGETS)},
                         "roles": {"root": role(cls.ROOT), "targets": role(cls.TARGETS), "snapshot": role(cls.ROOT),
                                   "timestamp": role(cls.ROOT)}}, cls.ROOT)

    @classmethod
    def targets(cls, version, files="", delegations=None, *keys):
        tail = "" if delegations is None else ',"delegations":' + delegations
        # Members in the order of canonical form.
        signed = '{"_type":"targets"%s,"expires":"%s","spec_version":"1.0.31","targets":{%s},"version":%d}' % (
            tail, EXPIRES, files, version)
        return envelope(signed, *keys)


def file(name):
    return '"%s":{"hashes":{"sha256":"%s"},"length":3}' % (name, hashlib.sha256(name.encode()).hexdigest())


def role(name, paths='"paths":["p/*"]', keyids=None, threshold=1):
    keyids = keyids or '"%s"' % Repository.ROLE.id
    return '{"keyids":[%s],"name":"%s",%s,"terminating":false,"threshold":%d}' % (keyids, name, paths, threshold)


def delegations(roles, keys=None):
    keys = keys or '"%s":%s' % (Repository.ROLE.id, written(Repository.ROLE.public))
    return '{"keys":{%s},"roles":[%s]}' % (keys, roles)


def delegating(new, old=None):
    """The top-level metadata itself, with other delegations than today."""
    made = {"new": Repository.targets(2, file("a.bin"), delegations(new) if isinstance(new, str) else new[0])}
    made["baseline"] = Repository.targets(1, file("a.bin"), delegations(old) if old else None, Repository.TARGETS)
    return made


def within(paths, files):
    """Metadata of a delegated role, whose targets are held against its paths."""
    top = Repository.targets(2, "", delegations(role("firmware", paths)), Repository.TARGETS)
    return {"new": Repository.targets(1, files), "delegated": top}


def key_of(i):
    return '"%064x":{"keytype":"ed25519","keyval":{"public":"%064x"},"scheme":"ed25519"}' % (i, i)


def many_keyids(n, reverse=False):
    order = range(n // 220)
    order = reversed(order) if reverse else order
    keys = listed(n // 220, key_of)
    return delegations(role("r", keyids=",".join('"%064x"' % i for i in order)), keys)


REPOSITORY = {
    "targets of a repository": lambda n: {"new": Repository.targets(1, listed(n // 110, lambda i: file("f/%06d" % i)))},
    "delegated roles": lambda n: delegating(listed(min(n // 170, 4096), lambda i: role("r%06d" % i))),
    "delegated roles, all changed": lambda n: delegating(listed(min(n // 340, 4096), lambda i: role("r%06d" % i, '"paths":["q/*"]')), listed(min(n // 340, 4096), lambda i: role("r%06d" % i))),
    "delegated roles, reversed": lambda n: delegating(listed(min(n // 340, 4096), lambda i: role("r%06d" % (5000 - i))), listed(min(n // 340, 4096), lambda i: role("r%06d" % (5001 - min(n // 340, 4096) + i)))),
    "keys of a delegated role": lambda n: {"new": Repository.targets(2, file("a.bin"), many_keyids(n)), "baseline": Repository.targets(1, file("a.bin"), None, Repository.TARGETS)},
    "keys of a role, reversed": lambda n: {"new": Repository.targets(2, file("a.bin"), many_keyids(n // 2)), "baseline": Repository.targets(1, file("a.bin"), many_keyids(n // 2, True), Repository.TARGETS)},
    "keys that are in no role": lambda n: delegating([delegations("", listed(n // 140, key_of))]),
    "patterns of a role, all changed": lambda n: delegating(role("r", '"paths":[%s]' % listed(n // 20, lambda i: '"p/%06d"' % i)), role("r", '"paths":[%s]' % listed(n // 20, lambda i: '"q/%06d"' % i))),
    "patterns x targets": lambda n: within('"paths":[%s]' % listed(n // 20, lambda i: '"p/%06d*"' % i), listed(n // 220, lambda i: file("p/x%06d" % i))),
    "patterns that begin with a star": lambda n: within('"paths":[%s]' % listed(n // 20, lambda i: '"*%06dx"' % i), listed(n // 220, lambda i: file("%06d" % i))),
    "a long pattern x a long name": lambda n: within('"paths":["%s"]' % ("*a" * (n // 8) + "b"), file("a" * (n // 4))),
    "a pattern of brackets": lambda n: within('"paths":["%s"]' % ("[" * (n // 4)), file("[" * (n // 4))),
    "a set of many characters": lambda n: within('"paths":["*[%s]x"]' % ("a" * (n // 4)), file("b" * (n // 4))),
    "stars x slashes": lambda n: within('"paths":[%s]' % listed(n // 90, lambda i: '"%s%06d"' % ("*/" * 10, i)), listed(n // 220, lambda i: file("a/" * 10 + "%06d" % i))),
    "hash prefixes x targets": lambda n: within('"path_hash_prefixes":[%s]' % listed(n // 20, lambda i: '"%06x"' % (i * 7)), listed(n // 220, lambda i: file("p/%06d" % i))),
}


class Desk:
    """A station, and the commands at it."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def fresh(self):
        """A copy of it, at which nothing was taken in yet."""
        copy = self.folder + "-copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.folder, copy)
        return Desk(self.program, copy)

    def done(self, *arguments):
        if self.run(*arguments)[2] != 0:
            sys.exit(self.said())

    def run(self, *arguments):
        """Seconds of processor time, bytes of memory, exit code and the bytes printed."""
        with open(self.folder + "/out", "wb") as output, open(self.folder + "/err", "wb") as errors:
            process = subprocess.Popen([self.program, "--station", self.folder + "/station", *arguments], stdout=output,
                                       stderr=errors, stdin=subprocess.DEVNULL)
            _, status, used = os.wait4(process.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        printed = os.path.getsize(self.folder + "/out") + os.path.getsize(self.folder + "/err")
        return used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, code, printed

    def said(self, name="err"):
        with open(self.folder + "/" + name, encoding="utf-8", errors="replace") as text:
            return text.read()

    def measure(self, *how):
        """What the four commands took, at most; the request's own exit code, and whether it could be signed."""
        most, codes = [0, 0, 0], []
        page = self.folder + "/page.html"
        for arguments in (("--json", "import", *how), ("review",), ("--json", "review"), ("review", "--html", page)):
            seconds, memory, code, printed = self.run(*arguments)
            if "--html" in arguments and os.path.exists(page):
                printed = max(printed, os.path.getsize(page))
                os.remove(page)
            most = [max(pair) for pair in zip(most, (seconds, memory, printed))]
            codes.append(code)
            if "import" in arguments and code != 0:
                return most, "refused: " + self.said()[:90].replace("\n", " ")
            if code not in (0, 3):
                return most, "exit %d: %s" % (code, self.said()[:300])
        return most, "blocked" if 3 in codes else "can be signed"


def write_request(folder, made):
    shutil.rmtree(folder, ignore_errors=True)
    of = made.pop("request", {})
    made.setdefault("prod-roots/1.root.json", Factory.root())
    more = of.pop("listed", 0)
    for i in range(more):
        made["ci-roots/%d.root.json" % i] = "{}"
    if made.pop("signed_by", None):
        signature = Factory.OFFLINE.sign("something else")
        head = made["targets.json"].replace('"signatures":[]', '"signatures":%s' % written([signature] * 64))
        made["targets.json"] = head
    files = {}
    for name, content in made.items():
        data = (content if isinstance(content, str) else written(content)).encode()
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as output:
            output.write(data)
        files[name] = {"length": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest = {"created": "2026-11-01T00:00:00Z", "factory": "fixture", "files": files, "format": "countersign/request/1",
                "kind": "wave", "tag": "production", "tool": "hostile.py", **of}
    with open(folder + "/request.json", "w") as output:
        output.write(written(manifest))
    return sum(one["length"] for one in files.values())


def write(path, text):
    with open(path, "w", encoding="utf-8") as output:
        output.write(text)
    return path


def fingerprint(root):
    return hashlib.sha256(written(json.loads(root)["signed"]).encode()).hexdigest()


def make_desk(program, folder, name, root, *arguments):
    """A station with an officer and a key: what is in order can be signed."""
    os.makedirs(folder + "/roots")
    write(folder + "/roots/1.root.json", root)
    desk = Desk(program, folder)
    desk.done("init", "--networked", "--factory", name, "--roots", folder + "/roots", "--fingerprint", fingerprint(root),
              *arguments)
    passphrase = write(folder + "/passphrase", "mara walks eleven quiet harbours")
    os.chmod(passphrase, 0o600)
    desk.done("officer", "add", "mara", "--work-factor", "12", "--passphrase-file", "mara=" + passphrase)
    return desk


def factory_desk(program, folder):
    os.makedirs(folder)
    online = write(folder + "/ci-targets.pub", written(Factory.ONLINE.public))
    desk = make_desk(program, folder, "fixture", Factory.root(), "--online-key", online)
    with tarfile.open(folder + "/keys.tgz", "w:gz") as archive:
        for ending, key in (("pub", Factory.OFFLINE.public), ("sec", Factory.OFFLINE.secret())):
            content = written(key).encode()
            member = tarfile.TarInfo("tufrepo/keys/fioctl-targets-%s.%s" % (Factory.OFFLINE.id, ending))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    desk.done("key", "import", folder + "/keys.tgz", "--officers", "mara", "--quorum", "1")
    return desk


def repository_desk(program, folder):
    os.makedirs(folder)
    desk = make_desk(program, folder, "apps.example", Repository.root())
    pem = Repository.TARGETS.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    desk.done("key", "import", write(folder + "/key.pem", pem.decode()), "--officers", "mara", "--quorum", "1")
    return desk


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bytes", type=int, nargs="+", default=[1_000_000, 8 << 20])
    parser.add_argument("--only", nargs="*", default=[""])
    parser.add_argument("--program", default=os.path.join(os.path.dirname(__file__), "../target/release/countersign"))
    arguments = parser.parse_args()
    program = os.path.abspath(arguments.program)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print("| shape | bytes | processor seconds | MB of memory | bytes of output | |\n|---|---|---|---|---|---|")
    wanted = lambda shapes: [pair for pair in shapes.items() if any(word in pair[0] for word in arguments.only)]
    with tempfile.TemporaryDirectory() as folder:
        factory = factory_desk(program, folder + "/factory")
        repository = repository_desk(program, folder + "/repository")
        for size in arguments.bytes:
            for name, shape in wanted(FACTORY):
                length = write_request(folder + "/request", shape(size))
                report(name, length, factory.fresh().measure(folder + "/request"))
            for name, shape in wanted(REPOSITORY):
                made, how = shape(size), []
                for key, option in (("baseline", "--baseline"), ("delegated", "--delegated-by")):
                    if key in made:
                        how += [option, write("%s/%s.json" % (folder, key), made[key])]
                how += ["--role", "firmware"] if "delegated" in made else []
                new = write(folder + "/new.json", made["new"])
                report(name, sum(map(len, made.values())), repository.fresh().measure(new, *how))


def report(name, length, measured):
    (seconds, memory, printed), end = measured
    print("| %s | %d | %.2f | %d | %d | %s |" % (name, length, seconds, memory / 1e6, printed, end), flush=True)


if __name__ == "__main__":
    main()
