#!/usr/bin/env bash
# What a station's age costs: each command on a station with so many entries, or so many stored requests, beside the same
# command on the station that it was made from, in turn within one run. Prints Markdown; docs/performance.md keeps a run.
# needs: /usr/bin/time (Debian package `time`)
#
#   benches/aged.sh [ENTRIES…]        default: 10000 100000
#
# RUNS sets how many rounds there are (default 9), REQUESTS how many requests are stored (default 1000).
set -euo pipefail
cd "$(dirname "$0")/.."
entries=("$@")
[ "${#entries[@]}" -gt 0 ] || entries=(10000 100000)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -n "${SKIP_BUILD:-}" ] || cargo build --release --bin countersign --example factory --example aged >&2
countersign=$PWD/target/release/countersign aged=$PWD/target/release/examples/aged

echo "Machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores; $(rustc --version); load $(cut -d' ' -f1-3 /proc/loadavg)"
from=$work/downloads
"$PWD/target/release/examples/factory" --targets 4 --hardware 2 "$from" > "$work/factory.log"
version=$(ls "$from" | sed -n 's/^targets-\([0-9]*\).json$/\1/p')
fingerprint=$(sed -n 's/.*--fingerprint \([0-9a-f]*\).*/\1/p' "$work/factory.log")
printf 'measured by nobody but this script\n' > "$work/alice"
chmod 600 "$work/alice"
pass=(--passphrase-file "alice=$work/alice")
station=$work/new
export COUNTERSIGN_STATION=$station
request() {
    "$countersign" request --from "$from" --factory acme-gateway --wave "$1" --version "$version" --tag production --out "$2" > /dev/null
}
"$countersign" init --factory acme-gateway --roots "$from/prod-roots" --online-key "$from/ci-targets.pub" \
    --fingerprint "$fingerprint" --networked > /dev/null 2>&1
"$countersign" officer add alice --work-factor 12 "${pass[@]}" > /dev/null
"$countersign" key import "$from/targets.keys.tgz" --officers alice --quorum 1 > /dev/null 2>&1
request v2 "$work/request"

names=()
for size in "${entries[@]}"; do
    cp -r "$work/new" "$work/$size"
    "$aged" "$work/$size" "$size" >&2
    names+=("$size")
done
cp -r "$work/new" "$work/requests"
for number in $(seq "${REQUESTS:-1000}"); do
    request "w$number" "$work/w"
    COUNTERSIGN_STATION=$work/requests "$countersign" import "$work/w" > /dev/null
    rm -rf "$work/w"
done
names+=(requests)

# timed STATION ROW EXIT COMMAND…: adds the wall time in milliseconds to the row.
timed() {
    local where=$1 row=$2 want=$3 code=0 start end
    shift 3
    start=$EPOCHREALTIME
    COUNTERSIGN_STATION=$where "$countersign" "$@" > "$work/out" 2> "$work/err" || code=$?
    end=$EPOCHREALTIME
    [ "$code" = "$want" ] || { echo "exit $code instead of $want: $*" >&2; cat "$work/err" >&2; exit 1; }
    awk -v s="$start" -v e="$end" 'BEGIN { printf "%.2f\n", (e - s) * 1000 }' >> "$work/figures/$row"
}

rows=(status preflight import review sign export log-show log-verify)
mkdir "$work/figures"
for ((round = 0; round <= ${RUNS:-9}; round++)); do
    [ "$round" != 1 ] || rm -f "$work/figures/"*
    for name in new "${names[@]}"; do
        rm -rf "$work/at" "$work/bundle"
        cp -r "$work/$name" "$work/at"
        timed "$work/at" "status.$name" 0 status
        timed "$work/at" "preflight.$name" 0 preflight
        timed "$work/at" "import.$name" 0 import "$work/request"
        timed "$work/at" "review.$name" 0 --json review
        id=$(grep -o '"request":"[0-9a-f]*"' "$work/out" | head -n 1 | cut -d'"' -f4)
        words=$(grep -o '"confirm":"[^"]*"' "$work/out" | head -n 1 | cut -d'"' -f4)
        timed "$work/at" "sign.$name" 0 sign "$id" --officer alice --confirm "$words" "${pass[@]}"
        timed "$work/at" "export.$name" 0 export "$id" "$work/bundle"
        timed "$work/at" "log-show.$name" 0 log show "$id"
        timed "$work/at" "log-verify.$name" 0 log verify
    done
done

echo
echo "| command | new | $(printf 'with %s | ' "${names[@]}")"
echo "|---|---$(printf '|---%.0s' "${names[@]}")|"
middle() { sort -g | awk '{ v[NR] = $1 } END { printf "%.0f", v[int((NR + 1) / 2)] }'; }
for row in "${rows[@]}"; do
    printf '| %s | %s ms' "$row" "$(middle < "$work/figures/$row.new")"
    for name in "${names[@]}"; do
        printf ' | %s ms more' "$(paste -d' ' "$work/figures/$row.$name" "$work/figures/$row.new" | awk '{ print $1 - $2 }' | middle)"
    done
    printf ' |\n'
done
