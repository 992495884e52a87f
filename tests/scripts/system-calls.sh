#!/usr/bin/env bash
# The system calls that a whole ceremony makes are those that are written down in system-calls.txt, by name; and each
# command confines itself before it reads a file that it was given. A new call is looked at before it is added there.
# needs: strace
set -euo pipefail
cd "$(dirname "$0")/../.."
pinned=$PWD/tests/scripts/system-calls.txt
cargo build --locked --quiet
countersign=$PWD/${CARGO_TARGET_DIR:-target}/debug/countersign
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset COUNTERSIGN_STATION

fail() { echo "FAILED: $*"; exit 1; }

# Runs a command and adds the names of its system calls to calls.txt.
traced() {
    strace -f -qq -o trace.txt "$@" > said.txt 2>&1 || { tail -5 said.txt; fail "$*"; }
    sed -nE 's/^[0-9]+ +([a-z_0-9]+)\(.*/\1/p' trace.txt >> calls.txt
    confined_first "$@"
}

# The arguments are files under $work: none is opened before the filter is in place.
confined_first() {
    local filter first
    filter=$(grep -nE ' seccomp\(SECCOMP_SET_MODE_FILTER' trace.txt | tail -1 | cut -d: -f1 || true)
    [ -n "$filter" ] || fail "$* does not confine itself"
    first=$(grep -nE " open(at|at2)?\(.*\"$work/[^\"]*\"" trace.txt | grep -vE 'O_PATH|O_DIRECTORY' | head -1 | cut -d: -f1 || true)
    [ -z "$first" ] || [ "$first" -gt "$filter" ] || fail "$* opens a file before it is confined: $(sed -n "${first}p" trace.txt)"
}

strace -qq -o trace.txt true || fail "strace does not run here; in a container it needs the capability SYS_PTRACE"

echo "-- each command of a ceremony, of custody and of the audit"
traced "$countersign" rehearse "$work/rehearsal"
export COUNTERSIGN_STATION=$work/rehearsal/station
for name in dora erin; do
    echo "topmost Istanbul Pluto vagabond $name" > "$name.pass"
    traced "$countersign" officer add "$name" --passphrase-file "$name=$work/$name.pass"
done
traced "$countersign" key generate --type ed25519 --officers dora,erin --quorum 2 --out "$work/public"
keyid=$(find public -name '*.pub' | grep -oE '[0-9a-f]{64}')
both=(--officer dora --officer erin --passphrase-file "dora=$work/dora.pass" --passphrase-file "erin=$work/erin.pass")
traced "$countersign" key drill "$keyid" "${both[@]}"
traced "$countersign" key reseal "$keyid" "${both[@]}" --to erin,dora --quorum 1
traced "$countersign" key backup "$keyid" --out "$work/paper"
traced "$countersign" import "$work/rehearsal/stick/summer-request"
traced "$countersign" status
traced "$countersign" log verify
traced "$countersign" log export "$work/pack"
traced "$countersign" verify "$work/rehearsal/stick/spring-42-signed" --roots "$work/rehearsal/download/prod-roots"
traced "$countersign" audit verify "$work/pack" --state "$work/heads.json"
traced "$countersign" audit report "$work/pack" --format html --out "$work/report.html"

new=$(sort -u calls.txt | grep -vxFf <(sed 's/ .*//; /^#/d; /^$/d' "$pinned") || true)
[ -z "$new" ] || fail "system calls that are not in system-calls.txt: $(tr '\n' ' ' <<<"$new")"
echo "$(sort -u calls.txt | wc -l) system calls, all of them pinned"
