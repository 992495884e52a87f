#!/usr/bin/env bash
# needs: golang-go golang-golang-x-mod-dev python3 openssl
# Checks an evidence pack with verifiers that this project did not write: Go's golang.org/x/mod/sumdb (tiles, notes,
# proofs), and the recipe of the pack's own VERIFY.md (Python's standard library and openssl). Then changes the pack and
# sees that each of them notices.
# Without these tools it fails: it never passes by skipping.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
cd "$here"
cargo build --locked --quiet
program=${CARGO_TARGET_DIR:-$here/target}/debug/countersign
unset COUNTERSIGN_STATION
missing=
for tool in go python3 openssl; do
    command -v "$tool" >/dev/null || missing="$missing $tool"
done
[ -d /usr/share/gocode/src/golang.org/x/mod/sumdb/tlog ] || missing="$missing golang-golang-x-mod-dev"
if [ -n "$missing" ]; then
    echo "CANNOT CHECK: missing:$missing" >&2
    echo "apt-get install golang-go golang-golang-x-mod-dev python3 openssl" >&2
    exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$program" rehearse "$work/room" >"$work/rehearse.out" 2>&1 || { cat "$work/rehearse.out"; exit 1; }
station=$work/room/station
# More entries than one tile holds, so that there are full tiles, partial tiles and a second level.
n=0
while [ "$n" -lt 90 ]; do
    "$program" --station "$station" log verify >/dev/null 2>&1
    n=$((n + 1))
done
"$program" --station "$station" log export "$work/pack" >/dev/null
key=$(cat "$work/pack/vkey")
for seq in 0 18 255 256 260; do
    "$program" audit prove "$work/pack" --seq "$seq" >"$work/$seq.tlog-proof"
    "$program" audit check-proof "$work/$seq.tlog-proof" --key "$key" >/dev/null
done

cd "$here/tests/go/verify"
GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS= GOCACHE="$work/go-cache" go build -o "$work/verify" .
cd "$work"
./verify pack "$key" ./*.tlog-proof
python3 -I pack/verify.py pack check

# Cosignatures: ours are Go's, and Go's are counted here.
(cd "$here/tests/go/cosign" && GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS= GOCACHE="$work/go-cache" \
    go build -o "$work/cosign" .)
"$program" audit witness-key --name auditor.example/w --out auditor.key >/dev/null
"$program" audit cosign pack --key auditor.key --state cosigned.json --out head.note >/dev/null
./cosign check "$key" "$(cat auditor.vkey)" head.note >/dev/null
./cosign make go.example "$(printf '11%.0s' $(seq 32))" "$(date +%s)" pack/checkpoint >go.note 2>go.vkey
"$program" audit verify pack --against go.note --witness go.vkey >counted.out
grep -q '^Witness *go.example cosigned' counted.out

# The signatures, by the very lines of VERIFY.md.
sed -n '/^cd \/tmp\/check/,/^```/p' pack/VERIFY.md | sed '1d;$d' >openssl.sh
(cd check && sh ../openssl.sh >../openssl.out 2>&1)
good=$(grep -c '^Signature Verified Successfully' openssl.out)
kept=$(find pack/checkpoints -type f | wc -l)
acts=$(cat pack/events/*.jsonl | grep -cE '"type":"(act.signed|approval.(granted|denied))"' || true)
[ "$good" -eq $((kept + acts)) ] || { echo "openssl verified $good of $kept checkpoints and $acts acts and decisions" >&2; cat openssl.out >&2; exit 1; }

# Somebody changes a byte: everybody notices.
notices() {
    what=$1
    shift
    if "$@" >/dev/null 2>&1; then
        echo "NOT NOTICED by $1: $what" >&2
        exit 1
    fi
}
flip() {
    rm -rf bad bad-check
    cp -r pack bad
    python3 - "bad/$1" "$2" <<'PYTHON'
import sys
path, at = sys.argv[1], int(sys.argv[2])
data = bytearray(open(path, "rb").read())
data[at] ^= 1
open(path, "wb").write(data)
PYTHON
}
flip events/000000.jsonl 9000
notices "a line" ./verify bad "$key"
notices "a line" python3 -I bad/verify.py bad bad-check
notices "a line" "$program" audit verify bad --key "$key"
flip tile/0/000 100
notices "a tile" ./verify bad "$key"
notices "a tile" "$program" audit verify bad --key "$key"
flip tile/entries/000 5000
notices "a bundle" ./verify bad "$key"
notices "a bundle" "$program" audit verify bad --key "$key"
flip "checkpoints/$(ls pack/checkpoints | sort -n | sed -n 10p)" 30
notices "a kept checkpoint" ./verify bad "$key"
notices "a kept checkpoint" python3 -I bad/verify.py bad bad-check
flip "objects/sha256/$(ls pack/objects/sha256 | head -1)" 10
notices "an object" python3 -I bad/verify.py bad bad-check
echo "other verifiers agree, and notice every change"
