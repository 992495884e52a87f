"""A loopback stand-in for the Factory API that fioctl talks to: TUF metadata, waves, rollouts, a fleet that updates, faults.

    python3 factory_api.py --factory acme --state DIR            prints PORT=…; DIR gets targets.keys.tgz, requests.jsonl, …
    python3 factory_api.py --factory acme --no-auth --seed x --devices 30 --clock 2026-11-27T08:00:00Z --fault drop-body:targets

Only the standard library is needed; RSA keys (--keys rsa2048|rsa4096) need `cryptography`, which is also used for speed
when it is there. Everything is derived from --seed, so that two runs with the same seed, clock and requests answer alike.
Listens on 127.0.0.1 only. What the real service answers where its code is not public is marked GUESS below.

As a module (as the older stand-in): Factory(name, ci_targets, kind, seedbase=…), F[name] = factory, serve(port).

This copy has more than the one that it was taken from: OAuth tokens (--oauth-client); /_control/stage; a root update checks a
transaction id that is given, and keeps one signature a key where several officers send theirs; an offline bundle's list is of
the type Targets, as aktualizr-lite's own tests have it.
"""
import argparse, base64, copy, datetime, hashlib, hmac, io, json, os, re, socket, ssl, sys, tarfile, threading, time, traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlparse, parse_qs, unquote
try:
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa, padding
    from cryptography.hazmat.primitives import serialization as ser, hashes
except ImportError:
    ed25519 = None

# ---------------------------------------------------------------- ed25519 without a library (RFC 8032)
_P = 2**255 - 19; _L = 2**252 + 27742317777372353535851937790883648493; _D = -121665 * pow(121666, _P - 2, _P) % _P
_I = pow(2, (_P - 1) // 4, _P)
def _padd(a, b):
    x = (a[1] - a[0]) * (b[1] - b[0]) % _P; y = (a[1] + a[0]) * (b[1] + b[0]) % _P
    t = 2 * a[3] * b[3] * _D % _P; z = 2 * a[2] * b[2] % _P; e, f, g, h = y - x, z - t, z + t, y + x
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)
def _pmul(s, p):
    q = (0, 1, 1, 0)
    while s:
        if s & 1: q = _padd(q, p)
        p = _padd(p, p); s >>= 1
    return q
def _xrec(y, sign):
    if y >= _P: return None
    x2 = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    if not x2: return None if sign else 0
    x = pow(x2, (_P + 3) // 8, _P)
    if (x * x - x2) % _P: x = x * _I % _P
    if (x * x - x2) % _P: return None
    return _P - x if (x & 1) != sign else x
_BY = 4 * pow(5, _P - 2, _P) % _P; _BX = _xrec(_BY, 0); _B = (_BX, _BY, 1, _BX * _BY % _P)
def _enc(p):
    zi = pow(p[2], _P - 2, _P); x, y = p[0] * zi % _P, p[1] * zi % _P
    return (y | (x & 1) << 255).to_bytes(32, 'little')
def _dec(b):
    if len(b) != 32: return None
    n = int.from_bytes(b, 'little'); y = n & (2**255 - 1); x = _xrec(y, n >> 255)
    return None if x is None else (x, y, 1, x * y % _P)
def _h(*a): return int.from_bytes(hashlib.sha512(b''.join(a)).digest(), 'little')
def ed_secret(seed):
    h = hashlib.sha512(seed).digest(); a = int.from_bytes(h[:32], 'little') & (2**254 - 8) | 2**254
    return a, h[32:]
def ed_public(seed): return _enc(_pmul(ed_secret(seed)[0], _B))
def ed_sign(seed, msg):
    a, prefix = ed_secret(seed); pk = _enc(_pmul(a, _B)); r = _h(prefix, msg) % _L; big = _enc(_pmul(r, _B))
    return big + ((r + _h(big, pk, msg) % _L * a) % _L).to_bytes(32, 'little')
def ed_verify(pk, msg, sig):
    if len(sig) != 64: return False
    A, R, s = _dec(pk), _dec(sig[:32]), int.from_bytes(sig[32:], 'little')
    if not A or not R or s >= _L: return False
    p, q = _pmul(s, _B), _padd(R, _pmul(_h(sig[:32], pk, msg) % _L, A))
    return not (p[0] * q[2] - q[0] * p[2]) % _P and not (p[1] * q[2] - q[1] * p[2]) % _P

# ---------------------------------------------------------------- canonical forms
def canon_str(s, device=False):
    out = ['"']
    for c in s:
        e = {'"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t'}.get(c)
        if e is None and device and c in '\b\f': e = {'\b': '\\b', '\f': '\\f'}[c]
        if e is None and device and (ord(c) < 32 or ord(c) > 126):   # jsoncpp writes \uXXXX, in pairs above U+FFFF
            e = json.dumps(c)[1:-1]
        out.append(c if e is None else e)
    return ''.join(out) + '"'
def canon(v, device=False):
    """What fioctl hashes; with device=True what a device (jsoncpp) hashes. They differ on non-ASCII text only."""
    if v is None: return 'null'
    if v is True: return 'true'
    if v is False: return 'false'
    if isinstance(v, int): return str(v)
    if isinstance(v, str): return canon_str(v, device)
    if isinstance(v, list): return '[' + ','.join(canon(x, device) for x in v) + ']'
    if isinstance(v, dict):
        return '{' + ','.join(canon_str(k, device) + ':' + canon(v[k], device) for k in sorted(v, key=lambda k: k.encode())) + '}'
    raise TypeError(f'a number that is not an integer: {v!r}')
def strict_json(raw):
    def pairs(ps):
        d = {}
        for k, v in ps:
            if k in d: raise ValueError(f'the member {k!r} stands twice')
            d[k] = v
        return d
    return json.loads(raw, object_pairs_hook=pairs)

# ---------------------------------------------------------------- keys
class Key:
    def __init__(self, kind, seed=None, pem=None):
        self.kind = kind.upper(); self.sk = None
        if self.kind == 'ED25519':
            self.seed = seed or os.urandom(32)
            if ed25519:
                self.sk = ed25519.Ed25519PrivateKey.from_private_bytes(self.seed)
                raw = self.sk.public_key().public_bytes(ser.Encoding.Raw, ser.PublicFormat.Raw)
            else: raw = ed_public(self.seed)
            self.pub, self.priv = raw.hex(), self.seed.hex()
            der = bytes.fromhex('302a300506032b6570032100') + raw
        else:
            if not ed25519: raise SystemExit('RSA keys need the Python package cryptography')
            bits = int(self.kind[3:] or 2048); self.kind = 'RSA'
            self.sk = ser.load_pem_private_key(pem.encode(), None) if pem else rsa.generate_private_key(65537, bits)
            self.pub = self.sk.public_key().public_bytes(ser.Encoding.PEM, ser.PublicFormat.SubjectPublicKeyInfo).decode()
            self.priv = self.sk.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.TraditionalOpenSSL, ser.NoEncryption()).decode()
            der = self.sk.public_key().public_bytes(ser.Encoding.DER, ser.PublicFormat.SubjectPublicKeyInfo)
        self.id = hashlib.sha256(der).hexdigest()
    def public(self): return {"keytype": self.kind, "keyval": {"public": self.pub}}
    def private(self): return {"keytype": self.kind, "keyval": {"private": self.priv}}
    def sign(self, signed):
        b = canon(signed).encode()
        if self.kind == 'ED25519':
            return {"keyid": self.id, "method": "ed25519", "sig": base64.b64encode(self.sk.sign(b) if self.sk else ed_sign(self.seed, b)).decode()}
        s = self.sk.sign(b, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        return {"keyid": self.id, "method": "rsassa-pss-sha256", "sig": base64.b64encode(s).decode()}
def verify(key, body, sig, method):
    """One signature as a device checks it: key as in root, body in bytes, sig in base64."""
    try: raw = base64.b64decode(sig, validate=True)
    except Exception: return False
    pub = key['keyval']['public'].strip()
    if key['keytype'].upper() == 'ED25519':
        return method == 'ed25519' and ed_verify_any(bytes.fromhex(pub), body, raw)
    if method not in ('rsassa-pss', 'rsassa-pss-sha256') or not ed25519: return False
    try: ser.load_pem_public_key(pub.encode()).verify(raw, body, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()); return True
    except Exception: return False
def ed_verify_any(pk, body, sig):
    if not ed25519: return ed_verify(pk, body, sig)
    try: ed25519.Ed25519PublicKey.from_public_bytes(pk).verify(sig, body); return True
    except Exception: return False

VERIFY = os.environ.get('FACTORY_API_VERIFY', 'device')   # device: bytes as devices hash them · fioctl: as fioctl hashes them · off
RECORD = os.environ.get('FACTORY_API_RECORD', '.')
class Refused(Exception):
    def __init__(self, code, message, errors=None, headers=None): self.code, self.message, self.errors, self.headers = code, message, errors, headers or {}

def check_signatures(root, doc, need_offline=1, online=None):
    """Verifies doc's signatures under root's targets role by a device's rules. Returns the key ids that hold.
    Whole-file refusals: a key id twice, an unknown method. Unknown key ids are skipped."""
    role, seen, good = root['signed']['roles']['targets'], set(), []
    body = canon(doc['signed'], device=VERIFY == 'device').encode(); bodies = [body]
    if VERIFY == 'fioctl':                                # fioctl passes `custom` through with HTML escapes
        bodies.append(re.sub('[<>&\u2028\u2029]', lambda m: '\\u%04x' % ord(m[0]), body.decode()).encode())
    for s in doc['signatures']:
        kid = s.get('keyid')
        if kid in seen: raise Refused(422, 'Invalid signatures', {'signatures': f'key id {kid} stands twice'})
        seen.add(kid)
        if str(s.get('method')).lower() not in ('ed25519', 'rsassa-pss', 'rsassa-pss-sha256'):
            raise Refused(422, 'Invalid signatures', {'signatures': f'unknown method {s.get("method")}'})
        if kid not in role['keyids'] or kid not in root['signed']['keys']: continue
        if VERIFY != 'off' and not any(verify(root['signed']['keys'][kid], x, s.get('sig', ''), s['method'].lower()) for x in bodies):
            raise Refused(422, 'Invalid signatures', {'signatures': f'the signature by {kid} does not verify'})
        good.append(kid)
    if len([k for k in good if k != online]) < need_offline:
        raise Refused(422, 'Invalid signatures', {'signatures': 'no valid signature by an offline targets key of the production root'})
    return good

# ---------------------------------------------------------------- time
class Clock:
    """Real time, or a fixed start that only /_control/tick moves."""
    def __init__(self, start=None): self.t = start
    def now(self): return self.t if self.t is not None else time.time()
    def text(self, t=None): return datetime.datetime.fromtimestamp(self.now() if t is None else t, datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')
CLOCK = Clock()
def parse_time(s):
    if not isinstance(s, str) or not re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ', s): return None
    try: return datetime.datetime.strptime(s, '%Y-%m-%dT%H:%M:%SZ').replace(tzinfo=datetime.timezone.utc).timestamp()
    except ValueError: return None
def pick(*a):   # a number in [0,1) that depends on its arguments alone
    return int.from_bytes(hashlib.sha256('/'.join(map(str, a)).encode()).digest()[:6], 'big') / 2**48

# ---------------------------------------------------------------- the Factory
class Factory:
    def __init__(self, name, ci_targets, kind='ED25519', expires='2036-01-01T00:00:00Z', seedbase=None, keys=None):
        self.name, self.kind, self.seed, self.expires = name, kind, seedbase or os.urandom(8).hex(), expires
        self.keys = keys or {}
        k = lambda n: self.key(n) if seedbase or keys else Key(kind)
        self.first, self.online, self.snap, self.ts = k('root'), k('targets'), k('snapshot'), k('timestamp')
        signed = {"_type": "Root", "consistent_snapshot": False, "expires": expires,
          "keys": {x.id: x.public() for x in (self.first, self.online, self.snap, self.ts)},
          "roles": {r: {"keyids": [x.id], "threshold": 1} for r, x in (('root', self.first), ('targets', self.online), ('snapshot', self.snap), ('timestamp', self.ts))}, "version": 1}
        r = {"signatures": [self.first.sign(signed)], "signed": signed}
        self.ci, self.prod = [r], [r]
        self.update, self.ptargets, self.waves = None, {}, {}
        self.ci_targets, self.ci_version = ci_targets, 0
        self.groups, self.devices, self.next_group = {}, {}, 1
        self.delay = (60, 1800)
    def key(self, n):
        if n not in self.keys:
            self.keys[n] = Key(self.kind, hashlib.sha256((self.seed + n).encode()).digest()) if self.kind.upper() == 'ED25519' else Key(self.kind)
        return self.keys[n]
    def take_offline(self, officers=1):
        """What `fioctl keys tuf rotate-offline-key` leaves: root 2 by an offline root key, root 3 with offline targets keys."""
        root, tk = self.key('offline-root'), [self.key(f'offline-targets-{i}') for i in range(officers)]
        def step(version, targets, threshold, old):
            signed = copy.deepcopy(self.ci[-1]['signed']); signed['version'] = version
            signed['x-changelog'] = {"polis-id": "u1", "message": "keys taken offline", "timestamp": "2026-01-01T00:00:00Z"}
            for x in [root, *targets]: signed['keys'][x.id] = x.public()
            signed['roles']['root'] = {"keyids": [root.id], "threshold": 1}
            signed['roles']['targets'] = {"keyids": [x.id for x in targets] + [self.online.id], "threshold": threshold}
            signed['keys'] = {i: v for i, v in signed['keys'].items() if any(i in r['keyids'] for r in signed['roles'].values())}
            return {"signatures": [x.sign(signed) for x in {old.id: old, root.id: root}.values()], "signed": signed}
        self.ci.append(step(2, [], 1, self.first)); self.prod.append(step(2, [], 1, self.first))
        c, p = step(3, tk, 1, root), step(3, tk, 1 + officers, root)
        self.ci.append(c); self.prod.append(p)
        return root, tk
    def ci_meta(self):
        top = max((int(t["custom"]["version"]) for t in self.ci_targets.values()), default=1)
        signed = {"_type": "Targets", "expires": self.expires, "targets": self.ci_targets, "version": max(top, self.ci_version)}
        return {"signatures": [self.online.sign(signed)], "signed": signed}
    # -- the fleet
    def add_devices(self, n, group=None, tag='production', prod=True, version=0):
        for _ in range(n):
            i = len(self.devices); h = hashlib.sha256(f'{self.seed}/{self.name}/device/{i}'.encode()).hexdigest()
            uuid = f'{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:32]}'
            offline = pick(self.seed, uuid, 'offline') < 0.125
            self.devices[uuid] = {"uuid": uuid, "name": f"{self.name}-{i:05d}", "group": group, "tag": tag, "prod": prod, "version": version,
                "hwid": sorted({t['custom']['hardwareIds'][0] for t in self.ci_targets.values()} or {'hw'})[i % max(1, len({t['custom']['hardwareIds'][0] for t in self.ci_targets.values()}))],
                "created": CLOCK.now(), "seen": CLOCK.now() - (3 * 86400 if offline else int(pick(self.seed, uuid, 'seen') * 3600)), "offline": offline, "due": None}
    def offer(self, d):
        """The version that this device is offered now: an active wave that was rolled out to it, or production."""
        for w in self.waves.values():
            if w['status'] == 'active' and w['tag'] == d['tag'] and (d['uuid'] in w['_devices'] or d['group'] is not None and d['group'] in w['_full']): return int(w['version'])
        t = self.ptargets.get(d['tag'])
        return max((int(x['custom']['version']) for x in t['signed']['targets'].values()), default=0) if t else 0
    def advance(self):
        now = CLOCK.now()
        for d in self.devices.values():
            if not d['prod'] or d['offline']: continue
            v = self.offer(d)
            if v <= d['version']: d['due'] = None                     # no downgrade (LmP v95 and later)
            elif not d['due'] or d['due'][0] != v:
                lo, hi = self.delay; d['due'] = [v, now + lo + pick(self.seed, d['uuid'], v) * (hi - lo)]
            if d['due'] and d['due'][1] <= now: d['version'], d['seen'], d['due'] = d['due'][0], d['due'][1], None
            elif now - d['seen'] > 1800: d['seen'] = now - int(pick(self.seed, d['uuid'], int(now)) * 600)
    def matching(self, tag): return [d for d in self.devices.values() if d['prod'] and d['tag'] == tag]
    def stage(self, public, beside):
        """What root officers do who were given a public targets key: an update is open, the next roots list the key, in place of
        the offline ones or beside them (with a threshold of one more), and the offline root key has signed them. fioctl only
        takes keys that it made itself."""
        pub = public['keyval']['public']
        if public['keytype'].upper() == 'ED25519': der = bytes.fromhex('302a300506032b6570032100') + bytes.fromhex(pub)
        else: der = ser.load_pem_public_key(pub.encode()).public_bytes(ser.Encoding.DER, ser.PublicFormat.SubjectPublicKeyInfo)
        kid, root = hashlib.sha256(der).hexdigest(), self.key('offline-root')
        def step(current):
            signed = copy.deepcopy(current['signed']); signed['version'] += 1; role = signed['roles']['targets']
            signed['x-changelog'] = {"polis-id": "u1", "message": "a key that was made on the station", "timestamp": CLOCK.text()}
            role['keyids'] = [kid, self.online.id] if not beside else [kid, *role['keyids']]
            if beside and role['threshold'] > 1: role['threshold'] += 1
            signed['keys'][kid] = public
            signed['keys'] = {i: v for i, v in signed['keys'].items() if any(i in r['keyids'] for r in signed['roles'].values())}
            return {"signatures": [root.sign(signed)], "signed": signed}
        self.update = {"ci": step(self.ci[-1]), "prod": step(self.prod[-1]), "tsigs": {}, "wsigs": {}}
    # -- waves
    def wave_public(self, w, targets=False):
        o = {k: v for k, v in w.items() if not k.startswith('_') and (targets or k != 'targets')}
        return copy.deepcopy(o)
    def enough(self, w):
        role = self.prod[-1]['signed']['roles']['targets']
        have = {s['keyid'] for s in w['targets']['signatures']} & set(role['keyids'])
        if len(have) < role['threshold']:
            raise Refused(409, f"Wave {w['name']} has {len(have)} of {role['threshold']} required signatures; sign it first")   # GUESS: 409
    def create(self, raw, who):
        b = body_object(raw); errors = {}
        for f in ('name', 'version', 'tag'):
            if not isinstance(b.get(f), str) or not b[f]: errors[f] = 'Missing data for required field.'
        if not isinstance(b.get('targets'), dict) or not isinstance(b['targets'].get('signed'), dict) or not isinstance(b['targets'].get('signatures'), list): errors['targets'] = 'Not a signed TUF object.'
        if errors: raise Refused(400, 'Invalid request', errors)
        name, version, tag, doc = b['name'], b['version'], b['tag'], b['targets']; signed = doc['signed']
        if not re.fullmatch(r'[A-Za-z0-9][A-Za-z0-9._-]{0,63}', name): errors['name'] = 'Invalid wave name.'          # GUESS: the exact rule
        if not re.fullmatch(r'[1-9]\d{0,8}', version): errors['version'] = 'Not a valid integer.'
        if str(signed.get('_type', '')).lower() != 'targets': errors['targets'] = '_type is not Targets.'
        if errors: raise Refused(400, 'Invalid request', errors)
        if name in self.waves: raise Refused(409, f'A wave with the name {name} already exists')
        active = [w['name'] for w in self.waves.values() if w['status'] == 'active' and w['tag'] == tag]
        if active: raise Refused(409, f'There is already an active wave for the tag {tag}: {active[0]}')
        try: check_signatures(self.prod[-1], doc, 1, self.online.id)
        except TypeError as e: raise Refused(422, 'Invalid targets', {'targets': str(e)})
        e = parse_time(signed.get('expires'))
        if e is None: errors['expires'] = 'not RFC 3339 in UTC with whole seconds'
        elif e <= CLOCK.now(): errors['expires'] = 'in the past'
        if signed.get('version') != int(version): errors['version'] = f"the metadata version is {signed.get('version')}, the wave's is {version}"
        cur = self.ptargets.get(tag, {"signed": {"version": 0, "targets": {}}})['signed']
        if int(version) <= cur['version']: errors['version'] = f"must be above the production targets' version {cur['version']}"
        new = 0
        for n, t in (signed.get('targets') or {}).items():
            try: v = t['custom']['version']; tags = t['custom']['tags']
            except Exception: errors[n] = 'no custom version or tags'; continue
            if n in cur['targets']:
                if t != cur['targets'][n]: errors[n] = 'differs from the production target of the same name'
                continue
            new += v == version; ci = self.ci_targets.get(n)
            if v != version or tags != [tag]: errors[n] = f'a new target must have version {version} and the tag {tag}'
            elif not ci or ci['hashes'] != t.get('hashes') or VERIFY == 'device' and {**ci, 'custom': {**ci['custom'], 'tags': tags}} != t: errors[n] = 'is not a CI target, or differs from it'
        if not new and 'version' not in errors: errors['targets'] = f'no target of version {version}'
        if errors: raise Refused(422, 'Invalid targets', errors)
        kept = {'signed': signed, 'signatures': [s for s in doc['signatures'] if s['keyid'] != self.online.id]}
        kept['signatures'].insert(0, self.online.sign(signed))
        w = {"name": name, "version": version, "tag": tag, "targets": kept, "status": "active", "rollout-groups": {}, "rollout-history": [],
             "change-meta": {"created-by": who, "created-at": CLOCK.text(), "updated-by": "", "updated-at": ""}, "_devices": {}, "_full": [], "_n": len(self.waves)}
        self.waves[name] = w
        return self.wave_public(w)
    def sign_wave(self, w, raw):
        b = body_object(raw); self.must_be_active(w)
        if not isinstance(b.get('signatures'), list) or not b['signatures']: raise Refused(400, 'Invalid request', {'signatures': 'Missing data for required field.'})
        have = {s['keyid'] for s in w['targets']['signatures']}
        for s in b['signatures']:
            if s.get('keyid') in have: raise Refused(409, f"The wave is already signed by {s['keyid']}")        # GUESS: 409
        check_signatures(self.prod[-1], {'signed': w['targets']['signed'], 'signatures': b['signatures']}, 1, self.online.id)
        w['targets']['signatures'] += b['signatures']
    def must_be_active(self, w):
        if w['status'] != 'active': raise Refused(409, f"Wave {w['name']} is {w['status']}: only an active wave can be changed")   # GUESS: 409
    def finish(self, w, status, who):
        self.must_be_active(w)
        if status == 'complete': self.enough(w); self.ptargets[w['tag']] = copy.deepcopy(w['targets'])
        w['status'] = status; w['change-meta'].update({"updated-by": who, "updated-at": CLOCK.text()})
        return self.wave_public(w)
    def rollout(self, w, raw, who):
        b = body_object(raw); errors = {}
        unknown = set(b) - {'group', 'limit', 'percentage', 'uuids', 'dry-run', 'return-uuids', 'return-names'}
        if unknown: errors.update({k: 'Unknown field.' for k in unknown})
        group, limit, pct, uuids = b.get('group') or None, b.get('limit') or 0, b.get('percentage') or 0, b.get('uuids') or []
        if not isinstance(limit, int) or isinstance(limit, bool) or not 0 <= limit <= 10000: errors['limit'] = 'Must be between 1 and 10000.'
        if not isinstance(pct, int) or isinstance(pct, bool) or not 0 <= pct <= 100: errors['percentage'] = 'Must be between 1 and 100.'
        if limit and pct: errors['limit'] = 'limit and percentage exclude each other'
        if not isinstance(uuids, list) or len(uuids) > 10000 or any(not isinstance(u, str) or len(u) > 60 for u in uuids): errors['uuids'] = 'At most 10000 values of at most 60 characters.'; uuids = []
        if not group and not limit and not pct and not uuids: errors['group'] = 'One of group, limit, percentage, uuids is required.'
        if errors: raise Refused(400, 'Invalid request', errors)
        self.must_be_active(w); self.enough(w)
        if not self.groups and not self.devices: return {**self.wave_public(w), "device-num": 3, "device-uuids": [], "device-names": []}   # no fleet: as the older stand-in
        if group and group not in self.groups: raise Refused(404, f'Device group {group} does not exist')
        pool = [d for d in self.matching(w['tag']) if not group or d['group'] == group]
        if uuids:
            by = {d['uuid']: d for d in pool}; bad = [u for u in uuids if u not in by]
            if bad: raise Refused(400, 'Some devices cannot take this wave', {u: 'no production device with the tag ' + w['tag'] + (f' in the group {group}' if group else '') for u in bad[:20]})
            pool = [by[u] for u in dict.fromkeys(uuids)]
        full = bool(group) and not uuids and not limit and not pct
        if limit or pct:
            num = limit or max(1, len(pool) * pct // 100)
            free = [d for d in pool if d['uuid'] not in w['_devices'] and d['group'] not in w['_full'] and d['version'] < int(w['version'])]
            free.sort(key=lambda d: (d['offline'], pick(self.seed, w['name'], len(w['rollout-history']), d['uuid'])))   # recently active ones first
            pool = free[:num]
        res = self.wave_public(w); res.update({"device-num": len(pool), "device-uuids": [], "device-names": []})
        if len(pool) <= 10000:
            if b.get('return-uuids'): res["device-uuids"] = [d['uuid'] for d in pool]
            if b.get('return-names'): res["device-names"] = [d['name'] for d in pool]
        if b.get('dry-run'): return res
        at = CLOCK.text()
        for d in pool: w['_devices'].setdefault(d['uuid'], at)
        if full and group not in w['_full']: w['_full'].append(group)
        ref = lambda g: {"group-id": self.groups[g]['id'], "group-name": g, "created-at": at, "created-by": who}
        for g in ([group] if group else []): w['rollout-groups'].setdefault(str(self.groups[g]['id']), ref(g))
        w['rollout-history'].append({"group-name": group or "", "rollout-by": who, "rollout-at": at, "is-full-group": full, "is-factory-wide": not group, "num-devices": len(pool)})
        res.update(self.wave_public(w)); return res
    def status(self, w, hours):
        """fioctl's description: totals count production devices with the wave's tag. GUESS: factory-wide rollouts count as scheduled too."""
        V, now = int(w['version']), CLOCK.now(); all_ = self.matching(w['tag'])
        started = {r['group-name']: r['created-at'] for r in w['rollout-groups'].values()}
        reached = lambda d: d['uuid'] in w['_devices'] or d['group'] in w['_full']
        valid = {int(t['custom']['version']) for t in self.ptargets.get(w['tag'], {"signed": {"targets": {}}})['signed']['targets'].values()} | ({V} if w['status'] == 'active' else set())
        def of(name, ds, at=''):
            c = {}
            for d in ds: c[d['version']] = c.get(d['version'], 0) + 1
            sched = [d for d in ds if d['version'] < V and (w['status'] == 'complete' or w['status'] == 'active' and reached(d))]
            return {"name": name, "rollout-at": at, "devices-total": len(ds), "devices-online": sum(now - d['seen'] <= hours * 3600 for d in ds),
                "devices-on-wave-version": sum(d['version'] == V for d in ds), "devices-on-newer-version": sum(d['version'] > V for d in ds),
                "devices-on-older-version": sum(d['version'] < V for d in ds), "devices-scheduled-for-update": len(sched),
                "targets": [{"version": v, "devices": n, "is-orphan": v not in valid} for v, n in sorted(c.items(), reverse=True)]}
        names = sorted({d['group'] for d in all_ if d['group']} - set(started)) + ([None] if any(d['group'] is None for d in all_) else [])
        roll = [of(g, [d for d in all_ if d['group'] == g], at) for g, at in sorted(started.items(), key=lambda x: x[1])]
        other = [of(g or '', [d for d in all_ if d['group'] == g]) for g in names]
        done = [d for d in all_ if d['version'] >= V and (w['status'] != 'active' or reached(d) or d['group'] in started)]
        sched = sum(g["devices-scheduled-for-update"] for g in roll + other)
        return {"name": w['name'], "version": V, "tag": w['tag'], "status": w['status'], "created-at": w['change-meta']['created-at'], "finished-at": w['change-meta']['updated-at'],
            "total-devices": len(all_), "updated-devices": len(done), "scheduled-devices": sched, "unscheduled-devices": max(0, len(all_) - len(done) - sched), "rollout-groups": roll, "other-groups": other}
    def factory_status(self, hours):
        now = CLOCK.now()
        def tag(name, ds, latest, valid):
            c = {}
            for d in ds: c[d['version']] = c.get(d['version'], 0) + 1
            g = lambda n, x: {"name": n, "devices-total": len(x), "devices-online": sum(now - d['seen'] <= hours * 3600 for d in x), "devices-on-latest": sum(d['version'] == latest for d in x), "devices-on-orphan": sum(d['version'] not in valid for d in x)}
            return {**g(name, ds), "latest-target": latest, "targets": [{"version": v, "devices": n, "is-orphan": v not in valid} for v, n in sorted(c.items(), reverse=True)],
                    "device-groups": [g(n or '', [d for d in ds if d['group'] == n]) for n in sorted({d['group'] for d in ds}, key=lambda x: x or '~')]}
        prod, wave, test = [], [], []
        for t in sorted({d['tag'] for d in self.devices.values() if d['prod']}):
            vs = {int(x['custom']['version']) for x in self.ptargets[t]['signed']['targets'].values()} if t in self.ptargets else set()
            prod.append(tag(t, self.matching(t), max(vs, default=0), vs))
            for w in self.waves.values():
                if w['status'] == 'active' and w['tag'] == t:
                    wave.append(tag(t, [d for d in self.matching(t) if d['uuid'] in w['_devices'] or d['group'] in w['_full']], int(w['version']), vs | {int(w['version'])}))
        for t in sorted({d['tag'] for d in self.devices.values() if not d['prod']}):
            vs = {int(x['custom']['version']) for x in self.ci_targets.values() if t in x['custom']['tags']}
            test.append(tag(t, [d for d in self.devices.values() if not d['prod'] and d['tag'] == t], max(vs, default=0), vs))
        return {"total-devices": len(self.devices), "tags": test, "prod-tags": prod, "wave-tags": wave}
    def device_json(self, d):
        t = next((n for n, x in self.ci_targets.items() if x['custom']['version'] == str(d['version']) and d['hwid'] in x['custom']['hardwareIds']), '')
        return {"uuid": d['uuid'], "name": d['name'], "owner": "u1", "factory": self.name, "device-group": d['group'] or "", "last-seen": CLOCK.text(d['seen']).replace('Z', '+00:00'),
            "ostree-hash": self.ci_targets[t]['hashes']['sha256'] if t else "", "target-name": t, "current-update": "", "tag": d['tag'], "docker-apps": [], "status": "OK",
            "up-to-date": self.offer(d) <= d['version'], "public-key": "", "is-prod": d['prod'], "is-wave": any(w['status'] == 'active' and d['uuid'] in w['_devices'] for w in self.waves.values()),
            "change-meta": {"created-at": CLOCK.text(d['created']), "created-by": "", "updated-at": "", "updated-by": ""}}
    # -- an offline bundle
    def bundle(self, target, raw):
        b = body_object(raw); tag, wave, prod = b.get('tag') or '', b.get('wave') or '', bool(b.get('production')) or bool(b.get('wave'))
        if wave:
            w = self.waves.get(wave)
            if not w or w['status'] != 'active': raise Refused(404, f'No active wave {wave}')
            targets, tag = w['targets'], w['tag']
        elif prod:
            if tag not in self.ptargets: raise Refused(404, f'No production targets for the tag {tag}')
            targets = self.ptargets[tag]
        else: targets = self.tagged(tag)
        if target not in targets['signed']['targets']: raise Refused(404, f'Target {target} is not there')
        until = CLOCK.text(CLOCK.now() + 86400 * int(b.get('expires-in-days') or 30))
        prev = ((b.get('bundle-targets') or {}).get('signed') or {}).get('x-fio-offline-bundle', {}).get('targets', [])
        kind = 'prod' if prod else 'ci'
        signed = {"_type": "Targets", "expires": until, "version": 1, "x-fio-offline-bundle": {"type": kind, "tag": tag, "targets": sorted({*prev, target})}}
        snap = {"_type": "Snapshot", "expires": until, "version": targets['signed']['version'], "meta": {"targets.json": {"version": targets['signed']['version']}}}
        ts = {"_type": "Timestamp", "expires": until, "version": targets['signed']['version'], "meta": {"snapshot.json": {"version": snap['version']}}}
        s = lambda k, x: {"signatures": [k.sign(x)], "signed": x}
        return {"timestamp": s(self.ts, ts), "snapshot": s(self.snap, snap), "targets": targets, "bundle-targets": s(self.online, signed)}
    def tagged(self, tag):
        m = self.ci_meta()
        if not tag: return m
        signed = {**m['signed'], "targets": {n: t for n, t in self.ci_targets.items() if tag in t['custom']['tags']}}
        return {"signatures": [self.online.sign(signed)], "signed": signed}

def body_object(raw):
    try: b = strict_json(raw)
    except ValueError as e: raise Refused(400, f'The request body is not JSON: {e}')
    if not isinstance(b, dict): raise Refused(400, 'The request body is not an object')
    return b

# ---------------------------------------------------------------- HTTP
F, LOG, TOKENS, CLIENTS, FAULTS, LOCK = {}, [], {}, {}, [], threading.RLock()
SET = {'auth': False, 'latency': 0.0, 'state': None, 'trap': None, 'quiet': True, 'control': True, 'save': lambda: None, 'pad': 64 << 20, 'slow': 30.0, 'hang': 3600.0}
TRAPPED = []
SCOPES = {'targets:read', 'targets:read-update', 'devices:read', 'devices:read-update', 'ci:read'}
FAULT_KINDS = ('drop', 'drop-body', 'lost-reply', 'truncate', '500', '502', '503', '429', '401', '403', '404', 'slow', 'hang', 'oversize', 'redirect', 'redirect-same',
               'redirect-loop', 'html', 'empty', 'garbage', 'gzip', 'null', 'stale', 'swap', 'tamper', 'duplicate-key', 'bom', '206', '204')
def add_fault(spec):
    """KIND[:REGEX[:TIMES[:SKIP]]]: REGEX is searched in "METHOD path?query"; TIMES 0: for ever; SKIP: so many matching requests pass first."""
    p = spec.split(':'); kind = p[0]
    if kind not in FAULT_KINDS: raise ValueError(f'unknown fault {kind}; known: {" ".join(FAULT_KINDS)}')
    FAULTS.append({'kind': kind, 'match': re.compile(p[1] if len(p) > 1 and p[1] else '.'), 'times': int(p[2]) if len(p) > 2 and p[2] else 1, 'skip': int(p[3]) if len(p) > 3 else 0, 'ever': len(p) > 2 and p[2] == '0'})
def take_fault(what):
    with LOCK:
        for f in FAULTS:
            if not f['match'].search(what) or not f['ever'] and f['times'] < 1: continue
            if f['skip'] > 0: f['skip'] -= 1; continue
            if not f['ever']: f['times'] -= 1
            return f['kind']
    return None

class H(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'; server_version = 'stand-in'; sys_version = ''
    def log_message(self, *a): pass
    def do_GET(self): self.go('GET')
    def do_POST(self): self.go('POST')
    def do_PUT(self): self.go('PUT')
    def do_PATCH(self): self.go('PATCH')
    def do_DELETE(self): self.go('DELETE')
    def send(self, code, body=b'', ctype='application/json', headers=None, length=None, close=False):
        self.send_response(code)
        for k, v in (headers or {}).items(): self.send_header(k, v)
        if ctype: self.send_header('Content-Type', ctype)
        if code not in (204, 304): self.send_header('Content-Length', str(len(body) if length is None else length))
        if close: self.send_header('Connection', 'close'); self.close_connection = True
        self.end_headers()
        if code not in (204, 304): self.wfile.write(body)
    def cut(self):
        try: self.wfile.flush(); self.connection.shutdown(socket.SHUT_RDWR)
        except OSError: pass
        self.close_connection = True
    def body(self):
        if (self.headers.get('Transfer-Encoding') or '').lower() == 'chunked':
            out = b''
            while True:
                n = int(self.rfile.readline(64).split(b';')[0] or b'0', 16); out += self.rfile.read(n); self.rfile.readline(8)
                if not n or len(out) > 64 << 20: return out
        return self.rfile.read(int(self.headers.get('Content-Length') or 0))
    def go(self, m):
        raw = self.body()
        u = urlparse(self.path); q = parse_qs(u.query, keep_blank_values=True); p = unquote(u.path)
        if SET['control'] and p.startswith('/_control/'): return self.control(m, p, raw)
        what = f'{m} {self.path}'; kind = take_fault(what)
        LOG.append((m, self.path, raw)); self.record(m, raw, kind)
        if SET['latency']: time.sleep(SET['latency'])
        try:
            if kind == 'drop': return self.cut()
            if kind == 'hang': time.sleep(SET['hang']); return self.cut()
            if kind in ('500', '502', '503', '429'):
                html = f'<html><head><title>{kind}</title></head><body><center><h1>{kind}</h1></center></body></html>'.encode()
                return self.send(int(kind), html, 'text/html', {'Retry-After': '1'} if kind in ('503', '429') else None)
            if kind in ('401', '403', '404'): return self.refuse(Refused(int(kind), {'401': 'Authorization required', '403': 'Missing scope', '404': 'Not found'}[kind]))
            if kind in ('redirect', 'redirect-same', 'redirect-loop'):
                to = {'redirect': (SET['trap'] or 'http://127.0.0.2:9') + self.path, 'redirect-same': '/_control/moved' + self.path, 'redirect-loop': self.path}[kind]
                return self.send(302, b'', None, {'Location': to})
            with LOCK:
                try: code, out = self.route(m, p, q, raw)
                except Refused as e: code, out = e, None
                SET['save']()
            if kind == 'lost-reply': return self.cut()
            if isinstance(code, Refused): return self.refuse(code)
            b = out if isinstance(out, bytes) else json.dumps(out).encode()
            self.reply(code, b, kind, p)
        except (BrokenPipeError, ConnectionResetError): self.close_connection = True
        except Exception as e:
            if not SET['quiet']: traceback.print_exc()
            try: self.send(500, json.dumps({"message": f'stand-in: {e!r}'}).encode())
            except OSError: pass
    def reply(self, code, b, kind, p):
        if kind == 'drop-body': self.send(code, b[:len(b) // 2], length=len(b)); return self.cut()
        if kind == 'truncate': b = b[:max(1, len(b) * 2 // 3)]
        elif kind == 'html': return self.send(200, b'<!doctype html><title>Sign in</title><p>Please sign in to this network.</p>', 'text/html')
        elif kind == 'empty': b = b''
        elif kind == 'null': b = b'null'
        elif kind == 'bom': b = b'\xef\xbb\xbf' + b
        elif kind == 'garbage': self.wfile.write(b'\x15\x03\x01\x00\x02\x02\x16'); return self.cut()
        elif kind == 'swap': b = b'{"waves":[],"total":0,"next":null}' if b'"signed"' in b else b'{"signatures":[],"signed":{"_type":"Targets","expires":"2036-01-01T00:00:00Z","targets":{},"version":1}}'
        elif kind == 'duplicate-key': b = b'{"signed":{},' + b.lstrip()[1:] if b[:1] == b'{' else b
        elif kind == 'tamper': b = re.sub(rb'("sha256": ?")([0-9a-f])', lambda x: x[1] + (b'0' if x[2] != b'0' else b'1'), b, count=1)
        elif kind == 'stale': b = self.stale(p, b)
        elif kind in ('206', '204'): code = int(kind)
        elif kind == 'gzip':
            import gzip; return self.send(code, gzip.compress(b), headers={'Content-Encoding': 'gzip'})
        elif kind == 'oversize':
            self.send_response(code); self.send_header('Content-Type', 'application/json'); self.send_header('Connection', 'close'); self.close_connection = True; self.end_headers()
            self.wfile.write(b[:-1]); pad = b' ' * 65536
            for _ in range(SET['pad'] // len(pad)): self.wfile.write(pad)
            return self.wfile.write(b[-1:])
        elif kind == 'slow':
            self.send_response(code); self.send_header('Content-Length', str(len(b))); self.send_header('Content-Type', 'application/json'); self.end_headers()
            for i in range(60): self.wfile.write(b[len(b) * i // 60:len(b) * (i + 1) // 60]); self.wfile.flush(); time.sleep(SET['slow'] / 60)
            return
        self.send(code, b)
    def stale(self, p, b):
        """An older, validly signed answer: a rollback by whoever stands in between."""
        f = F.get(p.split('/')[3] if p.count('/') > 3 else '')
        if not f: return b
        if 'root.json' in p: return json.dumps((f.prod if 'production' in self.path else f.ci)[0]).encode()
        old = getattr(f, 'older', {}).get('prod' if 'prod-targets' in p else 'ci')
        return old or b
    def refuse(self, e):
        o = {"message": e.message}
        if e.errors: o["errors"] = e.errors
        self.send(e.code, json.dumps(o).encode(), headers=e.headers)
    def record(self, m, raw, kind):
        h = self.headers; entry = {"method": m, "path": self.path, "length": len(raw), "sha256": hashlib.sha256(raw).hexdigest(), "user-agent": h.get('User-Agent'), "content-type": h.get('Content-Type'),
            "token": 'OSF-TOKEN' if h.get('OSF-TOKEN') else 'bearer' if h.get('Authorization') else None, "accept-encoding": h.get('Accept-Encoding'), "fault": kind}
        try:
            with LOCK, open(os.path.join(RECORD, 'requests.log'), 'a') as f: f.write(f'{m} {self.path} {len(raw)}\n')
            if SET['state']:
                with LOCK, open(os.path.join(SET['state'], 'requests.jsonl'), 'a') as f: f.write(json.dumps(entry) + '\n')
        except OSError: pass
    def who(self, factory, need):
        """Token check. GUESS: the texts. A token is given as OSF-TOKEN, or as Authorization: Bearer base64(access token)."""
        if not SET['auth']: return 'u1'
        tok = self.headers.get('OSF-TOKEN') or ''
        a = self.headers.get('Authorization') or ''
        if not tok and a.startswith('Bearer '):
            try: tok = base64.b64decode(a[7:]).decode()
            except ValueError: pass
        t = next((v for k, v in TOKENS.items() if hmac.compare_digest(k.encode(), tok.encode())), None)
        if not t: raise Refused(401, 'Authorization required')
        if t['expires'] and CLOCK.now() > t['expires']: raise Refused(401, 'The token has expired')
        if t['factory'] and factory and t['factory'] != factory: raise Refused(404, f'Factory {factory} does not exist')
        have = t['scopes'] | {s.replace('read-update', 'read') for s in t['scopes']}
        if need - have: raise Refused(403, 'Missing scope: ' + ', '.join(sorted(need - have)))
        return t['user']
    def factory(self, name):
        if name not in F: raise Refused(404, f'Factory {name} does not exist')
        F[name].advance(); return F[name]
    def page(self, q, items, key, default=20):
        def num(n, d, top):
            try: v = int(q.get(n, [d])[0])
            except ValueError: raise Refused(400, 'Invalid request', {n: 'Not a valid integer.'})
            if not 1 <= v <= top: raise Refused(400, 'Invalid request', {n: f'Must be between 1 and {top}.'})
            return v
        limit, page = num('limit', default, 1000), num('page', 1, 10**9); total = len(items); pages = max(1, -(-total // limit)); nxt = None
        if page < pages:
            rest = [(k, v[0]) for k, v in q.items() if k not in ('page', 'limit')]
            nxt = f"http://{self.headers.get('Host')}{urlparse(self.path).path}?" + '&'.join(f'{k}={v}' for k, v in [*rest, ('limit', limit), ('page', page + 1)])
        return {key: items[(page - 1) * limit:page * limit], "total": total, "page": page, "pages": pages, "limit": limit, "next": nxt}
    def oauth(self, raw):
        """Client credentials and refresh: gives out access tokens that hold for an hour."""
        b = {k: v[0] for k, v in parse_qs(raw.decode()).items()}
        c = CLIENTS.get(b.get('client_id'))
        if not c or not hmac.compare_digest(c['secret'], b.get('client_secret', '')): raise Refused(401, 'invalid_client')
        if b.get('grant_type') == 'refresh_token' and b.get('refresh_token') not in c['refresh']: raise Refused(400, 'invalid_grant')
        if b.get('grant_type') not in ('refresh_token', 'client_credentials'): raise Refused(400, 'unsupported_grant_type')
        access, refresh = os.urandom(16).hex(), os.urandom(16).hex(); c['refresh'].add(refresh)
        TOKENS[access] = {"scopes": c['scopes'], "factory": None, "user": "u1", "expires": CLOCK.now() + 3600}
        return 200, {"token_type": "bearer", "access_token": access, "refresh_token": refresh, "expires_in": 3600, "scope": ' '.join(sorted(c['scopes'])), "orgs": [{"name": n} for n in F]}
    def route(self, m, p, q, raw):
        if p == '/oauth/token/' and m == 'POST': return self.oauth(raw)
        mm = re.match(r'/ota/repo/([^/]+)/api/v1/user_repo/(.*)$', p)
        if mm:
            self.who(mm[1], {'targets:read' if m == 'GET' else 'targets:read-update'}); f = self.factory(mm[1])
            return self.repo(m, f, mm[2], q, raw)
        mm = re.match(r'/ota/devices/([^/]*)/?(.*)$', p)
        if mm: return self.devices(m, mm[1], mm[2], q, raw)
        if p == '/ota/factories/': self.who(None, set()); return 200, [{"name": n, "reposerver-id": hashlib.sha256(n.encode()).hexdigest()[:24]} for n in F]
        mm = re.match(r'/ota/factories/([^/]+)/(.*)$', p)
        if not mm: raise Refused(404, 'Not found')
        rest = mm[2]; write = m != 'GET'
        need = {('devices:' if rest.startswith(('device-groups/', 'status/')) else 'targets:') + ('read-update' if write else 'read')} if rest != 'users/self/' else set()
        who = self.who(mm[1], need); f = self.factory(mm[1])
        if rest == 'ci-targets.pub' and not write: return 200, f.online.public()
        if rest == 'users/self/': return 200, {"polis-id": "u1", "name": "release", "role": "owner", "teams-ext": [], "effective-scopes": []}
        if rest == 'users/': return 200, [{"polis-id": "u1", "name": "release", "role": "owner"}]
        if rest == 'status/': return 200, f.factory_status(self.hours(q))
        if rest == 'targets/' and not write:
            v = q.get('version', [None])[0]
            return 200, {k: t for k, t in f.ci_targets.items() if v is None or t['custom']['version'] in v.split(',')}
        r = re.match(r'targets/([^/]+)/meta/$', rest)
        if r and m == 'POST': return 200, f.bundle(r[1], raw)
        r = re.match(r'targets/([^/]+)/?$', rest)
        if r and not write:
            if r[1] not in f.ci_targets: raise Refused(404, f'Target {r[1]} does not exist')
            return 200, f.ci_targets[r[1]]
        if rest == 'prod-targets/' and not write:
            tags = q.get('tag', [''])[0]; r = {t: f.ptargets[t] for t in (tags.split(',') if tags else f.ptargets) if t in f.ptargets}
            if not r: raise Refused(404, 'No production targets found')
            return 200, r
        if rest == 'wave-targets/' and not write:
            n = q.get('name', [''])[0]; r = {w: x['targets'] for w, x in f.waves.items() if x['status'] == 'active' and (not n or w in n.split(','))}
            if n and not r: raise Refused(404, 'No active wave found')
            return 200, r
        if rest == 'device-groups/':
            if not write: return 200, {"groups": [{k: v for k, v in g.items()} for g in f.groups.values()]}
            if m == 'POST':
                b = body_object(raw); n = b.get('name') or ''
                if not re.fullmatch(r'[A-Za-z0-9][A-Za-z0-9._-]{0,63}', n): raise Refused(400, 'Invalid request', {'name': 'Invalid name.'})
                if n in f.groups: raise Refused(409, 'A device group with this name already exists')
                return 201, add_group(f, n, b.get('description') or '', who)
        r = re.match(r'device-groups/([^/]+)/$', rest)
        if r and write:
            g = f.groups.get(r[1])
            if not g: raise Refused(404, f'Device group {r[1]} does not exist')
            if m == 'DELETE':
                if any(d['group'] == r[1] for d in f.devices.values()): raise Refused(409, 'There are devices assigned to this device group')
                del f.groups[r[1]]; return 200, {}
            b = body_object(raw); n = b.get('name') or r[1]
            if n != r[1]:
                if n in f.groups: raise Refused(409, 'A device group with this name already exists')
                f.groups[n] = f.groups.pop(r[1]); g['name'] = n
                for d in f.devices.values():
                    if d['group'] == r[1]: d['group'] = n
            g['description'] = b.get('description', g['description']); g['change-meta'].update({"updated-at": CLOCK.text(), "updated-by": who}); return 200, g
        if rest == 'waves/':
            if m == 'POST':
                o = f.create(raw, who); self.keep(f'wave-create-{f.name}-{o["name"]}.json', raw); return 201, o
            st, tag = q.get('status', [''])[0], q.get('tag', [''])[0]
            if st not in ('', 'active', 'complete', 'canceled'): raise Refused(400, 'Invalid request', {'status': 'Must be one of: active, complete, canceled.'})
            ws = sorted(f.waves.values(), key=lambda w: -w.get('_n', 0))
            return 200, self.page(q, [f.wave_public(w) for w in ws if (not st or w['status'] == st) and (not tag or w['tag'] == tag)], 'waves')
        r = re.match(r'waves/([^/]+)/(.*)$', rest)
        if r:
            act = r[2]; w = f.waves.get(r[1])
            if r[1] == '$active$' and act == 'status/':
                a = [x for x in f.waves.values() if x['status'] == 'active']
                if not a: raise Refused(404, 'There is no active wave')
                w = a[-1]                                                # GUESS: which one, when there are several
            if not w: raise Refused(404, f'Wave {r[1]} does not exist')
            if act == '' and m == 'GET': return 200, f.wave_public(w, bool(q.get('show-targets')))
            if act == 'status/' and m == 'GET': return 200, f.status(w, self.hours(q))
            if m == 'POST':
                if act == 'sign/': f.sign_wave(w, raw); self.keep(f'wave-sign-{f.name}-{w["name"]}.json', raw); return 200, {}
                if act == 'rollout/': o = f.rollout(w, raw, who); f.advance(); return 200, o
                if act in ('complete/', 'cancel/'):
                    if act == 'complete/': f.older = {**getattr(f, 'older', {}), 'prod': json.dumps({t: x for t, x in f.ptargets.items()}).encode()}
                    o = f.finish(w, {'complete/': 'complete', 'cancel/': 'canceled'}[act], who); f.advance(); return 200, o
        raise Refused(404, 'Not found')
    def keep(self, name, raw):
        try: open(os.path.join(RECORD, name), 'wb').write(raw)
        except OSError: pass
    def hours(self, q):
        try: return int(q.get('offline-threshold', ['4'])[0])
        except ValueError: raise Refused(400, 'Invalid request', {'offline-threshold': 'Not a valid integer.'})
    def devices(self, m, name, rest, q, raw):
        fn = q.get('factory', [''])[0]; self.who(fn or None, {'devices:read' if m == 'GET' else 'devices:read-update'})
        fs = [self.factory(fn)] if fn else [self.factory(n) for n in F]
        if not name:
            one = lambda k: q.get(k, [''])[0]; out = []
            for f in fs:
                for d in f.devices.values():
                    j = f.device_json(d)
                    if one('group') and d['group'] != one('group') or one('match_tag') and d['tag'] != one('match_tag') or one('target_name') and j['target-name'] != one('target_name'): continue
                    if one('uuid') and d['uuid'] != one('uuid') or one('prod') and d['prod'] != (one('prod') == '1') or one('name') and not re.fullmatch(one('name').replace('.', r'\.').replace('*', '.*').replace('?', '.'), d['name']): continue
                    out.append(j)
            return 200, self.page(q, out, 'devices', 500)
        for f in fs:
            for d in f.devices.values():
                if d['uuid' if q.get('by-uuid') else 'name'] != name: continue
                if m == 'PATCH':
                    g = body_object(raw).get('group')
                    if g and g not in f.groups: raise Refused(404, f'Device group {g} does not exist')
                    d['group'] = g or None
                j = f.device_json(d); j['group'] = f.groups.get(d['group']); return 200, j
        raise Refused(404, f'Device({name}) does not exist')
    def repo(self, m, f, rest, q, raw):
        roots = f.prod if q.get('production') else f.ci; tag = q.get('tag', [''])[0]
        if rest == 'root.json': return 200, roots[-1]
        r = re.match(r'(\d+)\.root\.json$', rest)
        if r:
            i = int(r[1])
            if not 1 <= i <= len(roots): raise Refused(404, f'Root version {i} does not exist')
            return 200, roots[i - 1]
        if rest == 'targets.json':
            if not q.get('production'): return 200, f.tagged(tag)
            if tag not in f.ptargets: raise Refused(404, 'No production targets found')
            return 200, f.ptargets[tag]
        if rest in ('timestamp.json', 'snapshot.json'):
            t = f.ptargets.get(tag) if q.get('production') else f.tagged(tag)
            if not t: raise Refused(404, 'Not found')
            k, v = (f.ts, 'Timestamp') if rest[0] == 't' else (f.snap, 'Snapshot')
            s = {"_type": v, "expires": CLOCK.text(CLOCK.now() + 86400 * 30), "version": t['signed']['version'], "meta": {}}
            return 200, {"signatures": [k.sign(s)], "signed": s}
        if rest == 'root/updates':                                       # `fioctl keys tuf updates …`
            if m == 'GET': return 200, self.upd(f)
            b = body_object(raw)
            if m == 'POST':
                if f.update: raise Refused(409, 'A TUF root update is in progress')
                new = copy.deepcopy(f.ci[-1]); new['signed']['version'] += 1; new['signatures'] = []
                new['signed']['x-changelog'] = {"polis-id": "u1", "message": b['message'], "timestamp": "2026-01-01T00:00:00Z"}
                f.update = {"ci": new, "prod": None, "tsigs": {}, "wsigs": {}}
                return 201, {"txid": "ABCDEFGH", "first_root.sec": f.first.private(), "first_root.pub": f.first.public()}
            if m == 'PUT':
                if not f.update: raise Refused(404, 'There is no TUF root update in progress')
                if b.get('txid') not in (None, '', 'ABCDEFGH'): raise Refused(403, 'The transaction ID is not that of the TUF root update in progress')   # GUESS: 403
                f.update['ci'], f.update['prod'] = b['ci-root'], b['prod-root']
                for have, more in ((f.update['tsigs'], b.get('targets-signatures')), (f.update['wsigs'], b.get('waves-signatures'))):
                    for n, new in (more or {}).items():                  # one signature a key, whoever sends it: officers sign one after another
                        ids = {x['keyid'] for x in new}; have[n] = [x for x in have.get(n, []) if x['keyid'] not in ids] + new
                return 200, {}
        if rest == 'root/updates/apply':
            if not f.update: raise Refused(404, 'There is no TUF root update in progress')
            f.ci.append(f.update['ci']); f.prod.append(f.update['prod'])
            for sigs, docs in ((f.update['tsigs'], f.ptargets), (f.update['wsigs'], {n: w['targets'] for n, w in f.waves.items()})):
                for n, new in sigs.items():
                    if n in docs: ids = {s['keyid'] for s in new}; docs[n]['signatures'] = [s for s in docs[n]['signatures'] if s['keyid'] not in ids] + new
            f.update = None; return 200, {}
        if rest == 'root/updates/cancel': f.update = None; return 200, {}
        raise Refused(404, 'Not found')
    def upd(self, f):
        ok = {"targets": f.online.id, "snapshot": f.snap.id, "timestamp": f.ts.id}
        pair = lambda c, pr: {"ci-root": json.dumps(c), "prod-root": json.dumps(pr) if pr else "", "online-keys": ok}
        d = {"status": "STARTED" if f.update else "NONE", "current": pair(f.ci[-1], f.prod[-1]), "amendments": [], "issues": {"errors": [], "warnings": []}}
        if f.update: d["updated"] = pair(f.update['ci'], f.update['prod'])
        return d
    def control(self, m, p, raw):
        """For tests, without a token: /_control/{state,tick,fault,faults,log,trap,devices,ci,moved…}."""
        try:
            what = p[len('/_control/'):]; b = json.loads(raw) if raw else {}
            with LOCK:
                if what.startswith('moved/'): self.path = self.path[len('/_control/moved'):]; return self.go(m)
                if what == 'tick':
                    if CLOCK.t is None: raise ValueError('the clock is real; start with --clock')
                    step = b.get('seconds', 0) + 60 * b.get('minutes', 0) + 3600 * b.get('hours', 0); end = CLOCK.t + step
                    for f in F.values(): f.advance()
                    CLOCK.t = end
                    for f in F.values(): f.advance()
                    out = {"now": CLOCK.text()}
                elif what == 'fault': add_fault(b['fault']); out = {"faults": len(FAULTS)}
                elif what == 'faults' and m == 'DELETE': FAULTS.clear(); out = {}
                elif what == 'log': out = [{"method": x[0], "path": x[1], "length": len(x[2])} for x in LOG]
                elif what == 'trap': out = TRAPPED
                elif what == 'devices':
                    f = F[b['factory']]; g = b.get('group')
                    if g and g not in f.groups: add_group(f, g)
                    f.add_devices(b.get('count', 1), g, b.get('tag', 'production'), b.get('prod', True), b.get('version', 0)); out = {"devices": len(f.devices)}
                elif what == 'stage': F[b['factory']].stage(b['key'], b.get('beside', False)); out = {}
                elif what == 'ci': f = F[b['factory']]; f.older = {**getattr(f, 'older', {}), 'ci': json.dumps(f.ci_meta()).encode()}; f.ci_targets.update(ci_targets(f.name, f.seed, [int(b['version'])])); out = {"targets": len(f.ci_targets)}
                elif what == 'state': out = {n: {"waves": {w: x['status'] for w, x in f.waves.items()}, "prod-versions": {t: x['signed']['version'] for t, x in f.ptargets.items()}, "devices": {d['name']: d['version'] for d in f.devices.values()}} for n, f in F.items()}
                else: return self.send(404, b'{}')
                SET['save']()
            self.send(200, json.dumps(out).encode())
        except Exception as e: self.send(400, json.dumps({"message": repr(e)}).encode())

class Trap(BaseHTTPRequestHandler):
    """Another host: notes what a redirected client brings along. A token here is a leak."""
    protocol_version = 'HTTP/1.1'
    def log_message(self, *a): pass
    def do_GET(self):
        TRAPPED.append({"method": self.command, "path": self.path, "osf-token": self.headers.get('OSF-TOKEN') is not None, "authorization": self.headers.get('Authorization') is not None, "host": self.headers.get('Host')})
        self.rfile.read(int(self.headers.get('Content-Length') or 0)); self.send_response(200); self.send_header('Content-Length', '2'); self.end_headers(); self.wfile.write(b'{}')
    do_POST = do_PUT = do_GET

def add_group(f, name, description='', who='u1'):
    g = {"id": f.next_group, "name": name, "description": description, "change-meta": {"created-by": who, "created-at": CLOCK.text(), "updated-by": "", "updated-at": ""}}
    f.next_group += 1; f.groups[name] = g; return g

class Server(ThreadingHTTPServer):
    daemon_threads = True
    def handle_error(self, *a): pass
def serve(port, host='127.0.0.1'):
    s = Server((host, port), H); threading.Thread(target=s.serve_forever, daemon=True).start(); return s

# ---------------------------------------------------------------- content
def ci_targets(factory, seed, versions, hw=('imx8mp-lpddr4-evk', 'intel-corei7-64'), apps=('edge-agent', 'mqtt')):
    hx = lambda *a: hashlib.sha256(('/'.join(map(str, a)) + seed).encode()).hexdigest()
    out = {}
    for v in versions:
        for h in hw:
            at = f"2026-{1 + v // 5 % 10:02d}-{1 + v % 27:02d}T10:{v % 60:02d}:00Z"
            c = {"arch": {"intel-corei7-64": "x86_64"}.get(h, "arm64"), "containers-sha": hx('c', v // 2)[:40], "createdAt": at, "updatedAt": at, "hardwareIds": [h],
                 "docker_compose_apps": {a: {"uri": f"hub.foundries.io/{factory}/{a}@sha256:{hx(a, v // 3)}"} for a in apps}, "image-file": f"lmp-factory-image-{h}.wic.gz",
                 "lmp-manifest-sha": hx('m', v // 7)[:40], "lmp-ver": str(90 + v // 10), "meta-subscriber-overrides-sha": hx('o', v // 4)[:40], "name": f"{h}-lmp",
                 "tags": ["main", "devel"] if v % 2 == 0 else ["devel"], "targetFormat": "OSTREE", "uri": f"https://ci.foundries.io/projects/{factory}/lmp/builds/{v}", "version": str(v)}
            if v % 2 == 0: c["delta-stats"] = {"sha256": hx('d', v, h), "size": 10**6 + int(pick(seed, v, h) * 8e7)}
            out[f"{h}-lmp-{v}"] = {"custom": c, "hashes": {"sha256": hx('ostree', h, v)}, "length": 0}
    return out
def keys_tgz(path, role, keys):
    """fioctl's key file: role is 'root' or 'targets'."""
    with tarfile.open(path, 'w:gz') as t:
        for k in keys:
            for ext, o in (('pub', k.public()), ('sec', k.private())):
                b = json.dumps(o, separators=(',', ':')).encode(); i = tarfile.TarInfo(f'tufrepo/keys/fioctl-{role}-{k.id}.{ext}'); i.size = len(b); i.mode = 0
                t.addfile(i, io.BytesIO(b))
def save(path):
    def go():
        o = {"clock": CLOCK.t, "factories": {n: {"seed": f.seed, "kind": f.kind, "keys": {k: (x.priv if x.kind != 'ED25519' else x.seed.hex()) for k, x in f.keys.items()}, "ci": f.ci, "prod": f.prod, "update": f.update,
             "ptargets": f.ptargets, "waves": f.waves, "ci_targets": f.ci_targets, "groups": f.groups, "devices": f.devices, "next_group": f.next_group, "delay": f.delay} for n, f in F.items()}}
        with open(path + '.tmp', 'w') as fh: json.dump(o, fh)
        os.replace(path + '.tmp', path)
    return go
def load(path):
    o = json.load(open(path)); CLOCK.t = o['clock']
    for n, s in o['factories'].items():
        keys = {k: Key(s['kind'], seed=bytes.fromhex(v)) if s['kind'].upper() == 'ED25519' else Key(s['kind'], pem=v) for k, v in s['keys'].items()}
        f = Factory(n, s['ci_targets'], s['kind'], seedbase=s['seed'], keys=keys)
        for k in ('ci', 'prod', 'update', 'ptargets', 'waves', 'groups', 'devices', 'next_group'): setattr(f, k, s[k])
        f.delay = tuple(s['delay']); F[n] = f

def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n\n')[0], formatter_class=argparse.RawDescriptionHelpFormatter, epilog=f"""faults: {' '.join(FAULT_KINDS)}
  KIND[:REGEX[:TIMES[:SKIP]]], e.g. --fault lost-reply:POST.*waves/$  --fault 502:complete:2  --fault stale:prod-targets:0
  lost-reply does the work and drops the connection; drop does not do it. redirect-loop wants TIMES 0. stale gives an older, validly signed document.
control (no token): POST /_control/tick {{"minutes":30}}, /_control/fault {{"fault":"502:status"}}, /_control/devices, /_control/ci {{"factory","version"}},
  /_control/stage {{"factory","key","beside"}} (a root update that lists a public key, signed, not applied);
  DELETE /_control/faults; GET /_control/state, /_control/log, /_control/trap (what a redirected client brought to another host)""")
    a.add_argument('--factory', action='append', default=[], help='a Factory of this name (may be given again); default acme')
    a.add_argument('--port', type=int, default=0, help='0: any free one, printed as PORT=…')
    a.add_argument('--state', help='folder for state, keys and the record of requests; a later start goes on from it')
    a.add_argument('--seed', default='1'); a.add_argument('--keys', default='ed25519', help='ed25519, rsa2048, rsa4096')
    a.add_argument('--officers', type=int, default=1, help='offline targets keys; the production threshold is one more. 0: roots as on the first day (for `fioctl keys tuf`)')
    a.add_argument('--ci', default='8-47', help='versions that CI has published'); a.add_argument('--tag', default='production')
    a.add_argument('--devices', type=int, default=24); a.add_argument('--groups', default='canary=3,us-east=9,eu-west=6', help='the rest has no group')
    a.add_argument('--update-after', default='60,1800', help='seconds from, to: how long devices take'); a.add_argument('--clock', help='a fixed start, e.g. 2026-11-27T08:00:00Z; else real time')
    a.add_argument('--token', action='append', default=[], metavar='TOKEN=SCOPES[@FACTORY]', help='default: full=targets:read-update,devices:read-update,ci:read and read=targets:read,devices:read')
    a.add_argument('--oauth-client', action='append', default=[], metavar='ID:SECRET=SCOPES', help='POST /oauth/token/ gives this client access tokens')
    a.add_argument('--no-auth', action='store_true'); a.add_argument('--latency', type=float, default=0, help='milliseconds before each answer'); a.add_argument('--fault', action='append', default=[])
    a.add_argument('--pad-mib', type=int, default=64, help='size of an oversize body'); a.add_argument('--slow-seconds', type=float, default=30); a.add_argument('--cert'); a.add_argument('--key', help='PEM files: serve TLS')
    a.add_argument('--verify', choices=['device', 'fioctl', 'off'], default=VERIFY); a.add_argument('--verbose', action='store_true')
    o = a.parse_args(); g = globals(); g['VERIFY'] = o.verify
    SET.update(auth=not o.no_auth, latency=o.latency / 1000, quiet=not o.verbose, pad=o.pad_mib << 20, slow=o.slow_seconds)
    if o.clock: CLOCK.t = parse_time(o.clock)
    g['RECORD'] = os.devnull
    if o.state: os.makedirs(o.state, exist_ok=True); SET['state'] = o.state; g['RECORD'] = o.state
    for t in o.token or ['full=targets:read-update,devices:read-update,ci:read', 'read=targets:read,devices:read,ci:read']:
        tok, rest = t.split('=', 1); scopes, _, fac = rest.partition('@'); TOKENS[tok] = {"scopes": set(filter(None, scopes.split(','))), "factory": fac or None, "user": "u1", "expires": None}
    for c in o.oauth_client:
        who, scopes = c.rsplit('=', 1); cid, secret = who.split(':', 1); CLIENTS[cid] = {"secret": secret, "scopes": set(scopes.split(',')), "refresh": set()}
    for x in o.fault: add_fault(x)
    path = o.state and os.path.join(o.state, 'state.json')
    if path and os.path.exists(path): load(path)
    else:
        lo, _, hi = o.ci.partition('-')
        for n in o.factory or ['acme']:
            f = Factory(n, ci_targets(n, o.seed, range(int(lo), int(hi or lo) + 1)), o.keys, seedbase=o.seed); F[n] = f
            f.delay = tuple(float(x) for x in o.update_after.split(','))
            if o.officers:
                root, tk = f.take_offline(o.officers)
                if o.state:
                    keys_tgz(os.path.join(o.state, f'{n}-root.keys.tgz'), 'root', [f.first, root])
                    for i, k in enumerate(tk): keys_tgz(os.path.join(o.state, f'{n}-targets{i or ""}.keys.tgz'), 'targets', [k])
            left = o.devices
            for part in filter(None, o.groups.split(',')):
                gn, _, num = part.partition('='); add_group(f, gn); f.add_devices(min(left, int(num)), gn, o.tag); left -= min(left, int(num))
            f.add_devices(left, None, o.tag); f.add_devices(2, None, 'main', prod=False)
    if path: SET['save'] = save(path); SET['save']()
    trap = Server(('127.0.0.2', 0), Trap); threading.Thread(target=trap.serve_forever, daemon=True).start(); SET['trap'] = f'http://127.0.0.2:{trap.server_address[1]}'
    s = Server(('127.0.0.1', o.port), H); scheme = 'http'
    if o.cert: c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); c.load_cert_chain(o.cert, o.key); s.socket = c.wrap_socket(s.socket, server_side=True); scheme = 'https'
    print(f'PORT={s.server_address[1]}\nURL={scheme}://127.0.0.1:{s.server_address[1]}\nTRAP={SET["trap"]}', flush=True)
    try: s.serve_forever()
    except KeyboardInterrupt: pass
if __name__ == '__main__': main()
