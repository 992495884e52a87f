#!/usr/bin/env bash
# What countersign signs, real clients accept: python-tuf, tuf-js and tough refresh over a local repository and download
# targets from it, and each of them refuses it once our signature is removed or a byte of what is signed is changed.
# Then the Factory's side: a device's own JSON library hashes the bytes that we signed (device_canon.sh).
# It sets up by itself what it needs, in target/interop; nothing is fetched while the clients run.
set -euo pipefail
cd "$(dirname "$0")"
work=${INTEROP_WORK:-../../target/interop}
. ./setup.sh
cargo build -q --locked --bin countersign --manifest-path ../../Cargo.toml
countersign=${COUNTERSIGN:-$(cd ../../target/debug && pwd)/countersign}
export CARGO_TERM_COLOR=never NO_COLOR=1

stage=$(mktemp -d)
trap 'status=$?; [ $status = 0 ] || cat "$stage/log" >&2; rm -rf "$stage"; exit $status' EXIT
touch "$stage/log"
say() { printf '  %s\n' "$*"; }
die() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
of() { "$python" -c 'import json,sys; v=json.load(sys.stdin)
for k in sys.argv[1:]: v=v[k]
print(v)' "$@"; }

# Signs FILE with the officer's key and leaves it in BUNDLE: sign STATION OFFICER BUNDLE FILE [import options].
sign() {
    local station=$1 officer=$2 bundle=$3; shift 3
    local run=("$countersign" --station "$station" --json) id words
    id=$("${run[@]}" import "$@" | of request)
    words=$("${run[@]}" review "$id" | of confirm) || { "$countersign" --station "$station" review "$id"; false; }
    "${run[@]}" sign "$id" --officer "$officer" --confirm "$words" --passphrase-file "$officer=$stage/passphrase" >/dev/null
    "${run[@]}" export "$id" "$bundle" >/dev/null
}

# Each client is run as: CLIENT ROOT REPOSITORY TARGET OUT.
python_tuf() { "$python" python_client.py "$@"; }
tuf_js() { node client.mjs "$@"; }
tough() { "$tough" refresh "$@"; }

accepts() {
    local client=$1 repository=$2 target=$3 out; out=$(mktemp -d "$stage/out.XXXX")
    "$client" "$repository/metadata/1.root.json" "$repository" "$target" "$out" 2>"$stage/said" \
        || { cat "$stage/said" >&2; die "$client does not accept $target"; }
    cmp "$(find "$out" -type f)" "$repository/targets/$target"
}

refuses() {
    local client=$1 repository=$2 target=$3 why=$4 out; out=$(mktemp -d "$stage/out.XXXX")
    ! "$client" "$repository/metadata/1.root.json" "$repository" "$target" "$out" 2>"$stage/said" \
        || die "$client accepts $target, although $why"
    # Refused for the signatures, and for nothing else.
    grep -qiE 'signed by|signature ?threshold' "$stage/said" || { cat "$stage/said" >&2; die "$client gives another reason"; }
    [ -z "$(find "$out" -type f)" ] || die "$client left a file"
}

for threshold in 1 2; do
    repository=$stage/repository-$threshold
    station=$stage/station-$threshold
    run=("$countersign" --station "$station")
    "$python" repository.py make "$repository" "$threshold"
    fingerprint=$("$python" -c 'import hashlib,json,sys
from securesystemslib.formats import encode_canonical
print(hashlib.sha256(encode_canonical(json.load(open(sys.argv[1]))["signed"]).encode()).hexdigest())' \
        "$repository/metadata/2.root.json")
    mkdir "$stage/roots-$threshold"
    cp "$repository"/metadata/*.root.json "$stage/roots-$threshold"
    echo "four walnut boats drift past" >"$stage/passphrase"
    exec 3>&1 4>&2 >"$stage/log" 2>&1
    "${run[@]}" init --factory apps.example --roots "$stage/roots-$threshold" --fingerprint "$fingerprint" --networked
    current=$repository/metadata/1.targets.json
    by=(--role firmware --delegated-by "$current")
    for officer in alice bob carol; do
            "${run[@]}" officer add "$officer" --passphrase-file "$officer=$stage/passphrase"
    done
    "${run[@]}" key import "$repository/keys/alice.pem" --officers alice --quorum 1
    "${run[@]}" key import "$repository/keys/bob.pem" --officers bob --quorum 1
    "${run[@]}" key import "$repository/keys/carol.pem" --officers carol --quorum 1 "${by[@]}"
    sign "$station" alice "$stage/by-alice-$threshold" "$repository/new-targets.json" --baseline "$current"
    signed=$stage/by-alice-$threshold
    if [ "$threshold" = 2 ]; then
            sign "$station" bob "$stage/by-bob" "$signed/publish/targets.json" --baseline "$current"
            signed=$stage/by-bob
    fi
    # The station has signed newer targets: an older file that delegates is an old copy.
    by=(--role firmware --delegated-by "$signed/publish/targets.json")
    sign "$station" carol "$stage/by-carol-$threshold" "$repository/new-firmware.json" \
            --baseline "$repository/metadata/1.firmware.json" "${by[@]}"
    for bundle in "$signed" "$stage/by-carol-$threshold"; do
            "${run[@]}" verify "$bundle" --roots "$stage/roots-$threshold"
    done
    exec >&3 2>&4
    mkdir "$repository/publish"
    cp "$signed"/publish/* "$stage/by-carol-$threshold"/publish/* "$repository/publish"
    "$python" repository.py publish "$repository"

    # The same repository without one of our signatures, and with one byte of what is signed changed.
    for role in targets firmware; do
        for harm in unsigned changed; do
            cp -r "$repository" "$stage/$harm-$role-$threshold"
            "$python" - "$stage/$harm-$role-$threshold/metadata/2.$role.json" "$harm" <<'PY'
import json, sys
path, harm = sys.argv[1:]
if harm == "unsigned":
    metadata = json.load(open(path))
    del metadata["signatures"][0]
    json.dump(metadata, open(path, "w"))
else:
    data = open(path, "rb").read()
    at = data.index(b'"sha256"') + 12
    changed = data[:at] + (b"0" if data[at:at + 1] != b"0" else b"1") + data[at + 1:]
    assert len(changed) == len(data) and sum(a != b for a, b in zip(changed, data)) == 1
    open(path, "wb").write(changed)
PY
    done
    done
    for client in python_tuf tuf_js tough; do
        for target in app.tar docs.html firmware/a.bin; do
            accepts "$client" "$repository" "$target"
    done
        for role in targets firmware; do
            [ "$role" = targets ] && target=docs.html || target=firmware/a.bin
            refuses "$client" "$stage/unsigned-$role-$threshold" "$target" "a signature of the role $role is missing"
            refuses "$client" "$stage/changed-$role-$threshold" "$target" "a byte of the role $role is changed"
    done
        say "$client, threshold $threshold: takes ours (targets and a delegated role), refuses it unsigned and changed"
    done
done
./device_canon.sh
