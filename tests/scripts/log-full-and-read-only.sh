#!/usr/bin/env bash
# needs: util-linux
# The real program on a real file system that is full, and on one that is read-only: nothing is signed without its
# intent in the log, and once there is room the station goes on with a whole log.
# Needs the right to mount a tmpfs, in a namespace of its own. Without it the script fails: it never passes by skipping.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
if [ "${1:-}" != inside ]; then
    cd "$here"
    cargo build --locked --quiet
    unset COUNTERSIGN_STATION
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    program=${CARGO_TARGET_DIR:-$here/target}/debug/countersign
    "$program" rehearse "$work/room" >/dev/null 2>&1
    options=-m
    [ "$(id -u)" = 0 ] || options=-rm
    unshare $options bash "$here/tests/scripts/log-full-and-read-only.sh" inside "$program" "$work"
    exit
fi
program=$2
work=$3
fail() { echo "FAILED: $*" >&2; exit 1; }
mkdir "$work/small"
mount -t tmpfs -o size=2m none "$work/small" || fail "a tmpfs cannot be mounted here"
cp -a "$work/room/station" "$work/small/station"
run() { "$program" --station "$work/small/station" "$@"; }
entries() { cat "$work/small/station/log/events/"*.jsonl | wc -l; }
run log verify >/dev/null

# Full: the log takes no entry, and the command says so.
stopped=
for room in 0 512 1024 2048 4096 8192 16384; do
    before=$(entries)
    rm -f "$work/small/ballast"
    dd if=/dev/zero of="$work/small/ballast" bs=512 2>/dev/null || true
    truncate -s "-$room" "$work/small/ballast"
    if run log verify >"$work/out" 2>&1; then code=0; else code=$?; fi
    if [ "$code" -ne 0 ]; then
        stopped=yes
        [ "$code" -eq 1 ] || fail "a full disk ends with $code: $(cat "$work/out")"
        grep -q "No space left" "$work/out" || fail "a full disk is not named: $(cat "$work/out")"
    fi
    rm -f "$work/small/ballast"
    run log verify >"$work/out" 2>&1 || fail "with room again: $(cat "$work/out")"
    [ "$(entries)" -ge "$before" ] || fail "entries were lost"
done
[ "$stopped" = yes ] || fail "the disk was never full"

# Full while signing: no signature without its intent and result in the log, and never another one. (Preflight refuses
# a disk that is nearly full; here the policy only warns of it, so that the disk is full in the midst of signing.)
run policy show | sed 's/^free-space = "block"/free-space = "warn"/' >"$work/policy.toml"
run policy set "$work/policy.toml" --officer ann --passphrase-file "ann=$work/room/ann.passphrase" >/dev/null
# A request that can be signed: the newest one is the rehearsal's blocked one.
{
    run request --from "$work/room/download-43" --factory rehearsal --wave autumn --version 43 --tag production \
        --out "$work/autumn" && run import "$work/autumn"
} >"$work/out" 2>&1 || fail "no request to sign: $(cat "$work/out")"
# What stands in the log is part of the review, and of its words: it is read before each try.
read_review() { review=$(run --json review 2>/dev/null) || fail "the newest request cannot be reviewed"; words=$(field confirm); }
field() { grep -o "\"$1\": *\"[^\"]*\"" <<<"$review" | head -n 1 | cut -d'"' -f4; }
read_review
id=$(field request)
sign() {
    run sign "$id" --officer ann --officer bob --confirm "$words" \
        --passphrase-file "ann=$work/room/ann.passphrase" --passphrase-file "bob=$work/room/bob.passphrase"
}
results() { grep -ho '"type":"sign.result".*' "$work/small/station/log/events/"*.jsonl | grep -o '"sig":"[^"]*"' | sort -u | wc -l; }
sign >"$work/out" 2>&1 || fail "signing with room: $(cat "$work/out")"
made=$(results)
stopped=
for room in 0 1024 2048 3072 4096 6144 8192 12288 16384 24576; do
    read_review
    dd if=/dev/zero of="$work/small/ballast" bs=512 2>/dev/null || true
    truncate -s "-$room" "$work/small/ballast"
    if sign >"$work/out" 2>&1; then code=0; else code=$?; fi
    if [ "$code" -ne 0 ]; then
        stopped=yes
        [ "$code" -eq 1 ] || fail "signing on a full disk ends with $code: $(cat "$work/out")"
        grep -q "No space left" "$work/out" || fail "a full disk is not named: $(cat "$work/out")"
    fi
    rm -f "$work/small/ballast"
    if run log verify >"$work/out" 2>&1; then code=0; else code=$?; fi
    [ "$code" -eq 0 ] || [ "$code" -eq 14 ] || fail "with room again: $(cat "$work/out")"
    read_review
    sign >"$work/out" 2>&1 || fail "signing the same bytes with room again: $(cat "$work/out")"
    [ "$(results)" -eq "$made" ] || fail "two different signatures"
done
[ "$stopped" = yes ] || fail "the disk was never full while it signed"
run log verify >/dev/null || fail "the log does not verify at the end"

# Read-only: reading works, writing is refused, nothing changes.
before=$(cd "$work/small/station" && find . -type f -exec sha256sum {} + | sort)
mount -o remount,ro "$work/small"
if run log verify >"$work/out" 2>&1; then fail "it wrote into a read-only folder"; fi
grep -q "Read-only file system" "$work/out" || fail "a read-only folder is not named: $(cat "$work/out")"
"$program" audit verify "$work/small/station" >/dev/null || fail "the audit needs to write"
after=$(cd "$work/small/station" && find . -type f -exec sha256sum {} + | sort)
[ "$before" = "$after" ] || fail "something changed"
umount "$work/small"
echo "a full disk and a read-only one stop the station, and lose nothing"
