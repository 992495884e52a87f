#!/usr/bin/env bash
# The station makes no socket: whole ceremonies under strace show no network call, and run where there is no network.
# needs: strace util-linux python3
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo build --locked --quiet
countersign=$PWD/${CARGO_TARGET_DIR:-target}/debug/countersign
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset COUNTERSIGN_STATION

fail() { echo "FAILED: $*"; exit 1; }

traced() {
    rm -f calls.txt
    strace -f -e trace=%network -o calls.txt "$@" > said.txt 2>&1 || { tail -5 said.txt; fail "$*"; }
    if grep -E '^[0-9]+ +[a-z_0-9]+\(' calls.txt; then fail "$* made a network call"; fi
}

# First that the net catches something.
strace -f -e trace=%network -o calls.txt python3 -c 'import socket; socket.socket().close()' 2>/dev/null \
    || fail "strace does not run here; in a container it needs the capability SYS_PTRACE"
grep -qE '^[0-9]+ +socket\(' calls.txt || fail "strace does not see a socket being made"

echo "-- the whole ceremony, key custody, log and audit without a network call"
traced "$countersign" rehearse "$work/rehearsal"
export COUNTERSIGN_STATION=$work/rehearsal/station
for name in dora erin; do
    echo "topmost Istanbul Pluto vagabond $name" > "$name.pass"
    traced "$countersign" officer add "$name" --passphrase-file "$name=$name.pass"
done
traced "$countersign" key generate --type ed25519 --officers dora,erin --quorum 2 --out public
keyid=$(find public -name '*.pub' | grep -oE '[0-9a-f]{64}')
both=(--officer dora --officer erin --passphrase-file dora=dora.pass --passphrase-file erin=erin.pass)
traced "$countersign" key drill "$keyid" "${both[@]}"
traced "$countersign" key reseal "$keyid" "${both[@]}" --to erin,dora --quorum 1
traced "$countersign" key backup "$keyid" --out paper
traced "$countersign" status
traced "$countersign" log verify
traced "$countersign" log export pack
traced "$countersign" audit verify pack
traced "$countersign" audit report pack --format html --out report.html
# `preflight` says what is wrong with this machine, which has a network: only its calls matter here.
strace -f -e trace=%network -o calls.txt "$countersign" preflight > said.txt 2>&1 || true
if grep -E '^[0-9]+ +[a-z_0-9]+\(' calls.txt; then fail "preflight made a network call"; fi

echo "-- the whole ceremony where there is no network at all"
unset COUNTERSIGN_STATION
alone=(unshare -n)
"${alone[@]}" true 2>/dev/null || alone=(unshare -rn)
"${alone[@]}" true 2>/dev/null || fail "unshare -n is not allowed here; run this as root or where user namespaces are allowed"
"${alone[@]}" "$countersign" rehearse "$work/alone" > said.txt 2>&1 || { tail -5 said.txt; fail "rehearse without a network"; }
echo "no socket was made"
