#!/usr/bin/env bash
# Makes tests/interop/fixtures anew: metadata that python-tuf and tough write at thresholds 1 and 2. Run by hand; what
# it makes is committed. The private keys in it were made for these files and protect nothing.
set -euo pipefail
cd "$(dirname "$0")"
work=${INTEROP_WORK:-../../target/interop}
. ./setup.sh

rm -rf fixtures
"$python" python_fixtures.py fixtures

pem() { openssl genpkey -quiet "$@" 2>/dev/null || openssl genpkey "$@" 2>/dev/null; }
for threshold in 1 2; do
    folder=fixtures/tough-$threshold
    keys=$folder/keys
    mkdir -p "$keys"
    for name in root-ed25519 ed25519 online firmware; do
        pem -algorithm ed25519 | openssl pkcs8 -topk8 -nocrypt -outform DER -out "$keys/$name.der"
    done
    for name in root-ecdsa ecdsa; do
        pem -algorithm EC -pkeyopt ec_paramgen_curve:P-256 | openssl pkcs8 -topk8 -nocrypt -outform DER -out "$keys/$name.der"
    done
    for name in root-rsa rsa; do
        pem -algorithm RSA -pkeyopt rsa_keygen_bits:2048 >"$keys/$name.pem"
    done
    "$tough" make "$folder" "$keys" "$threshold"
    rm "$keys"/root-* "$keys"/online.der
done
