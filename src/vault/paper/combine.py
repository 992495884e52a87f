import sys
E = [1]
for _ in range(254):
    v = E[-1] << 1
    E.append(v ^ 0x11d if v > 255 else v)
L = {v: i for i, v in enumerate(E)}
mul = lambda a, b: E[(L[a] + L[b]) % 255] if a and b else 0
div = lambda a, b: E[(L[a] - L[b]) % 255] if a else 0
shares = []
for name in sys.argv[1:]:
    lines = dict(l.strip().split(": ", 1) for l in open(name) if ": " in l)
    shares.append((int(lines["index"]), bytes.fromhex(lines["payload"])))
secret = bytearray(len(shares[0][1]))
for xi, values in shares:
    weight = 1
    for xj, _ in shares:
        if xj != xi:
            weight = mul(weight, div(xj, xj ^ xi))
    for n, value in enumerate(values):
        secret[n] ^= mul(weight, value)
print(secret.decode())
