#!/usr/bin/env bash
# Measures whole commands on made-up Factories of several sizes, beside a naive program and the machine's limits, all
# in one run: wall time, processor time and peak memory, medians. Prints Markdown; docs/performance.md keeps a run.
# needs: /usr/bin/time (Debian package `time`)
#
#   benches/measure.sh [TARGETS…]        default: 100 1000 6000 100000
#
# RUNS sets how often each command runs (default 7, and 3 from 50,000 targets on); WORK is the folder to work in
# (default: a new one in TMPDIR). Nothing is timed but the commands themselves.
set -euo pipefail
cd "$(dirname "$0")/.."

sizes=("$@")
[ "${#sizes[@]}" -gt 0 ] || sizes=(100 1000 6000 100000)
work=${WORK:-$(mktemp -d)}
mkdir -p "$work"
[ -n "${WORK:-}" ] || trap 'rm -rf "$work"' EXIT

if [ -z "${SKIP_BUILD:-}" ]; then
    cargo build --release --bin countersign --example factory --example naive >&2
fi
bin=${BIN:-$PWD/target/release}
countersign=$bin/countersign naive=$bin/examples/naive factory=$bin/examples/factory

# One run: "wall_ms cpu_ms peak_kib". The exit code must be the first argument.
once() {
    local want=$1 code=0 start end
    shift
    start=$EPOCHREALTIME
    /usr/bin/time -o "$work/time" -f '%U %S %M' "$@" >"$work/out" 2>"$work/err" || code=$?
    end=$EPOCHREALTIME
    if [ "$code" != "$want" ]; then
        echo "exit $code instead of $want: $*" >&2
        cat "$work/err" >&2
        exit 1
    fi
    tail -n 1 "$work/time" | awk -v s="${start/,/.}" -v e="${end/,/.}" \
        '{ printf "%.1f %.0f %d\n", (e - s) * 1000, ($1 + $2) * 1000, $3 }'
}

median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# row LABEL PREPARE COMMAND…: PREPARE runs before each run, untimed. The first run warms up and is not counted.
row() {
    local label=$1 prepare=$2 run
    shift 2
    : >"$work/runs"
    for ((run = 0; run <= runs; run++)); do
        eval "$prepare"
        if [ "$run" = 0 ]; then once "$exit" "$@" >/dev/null; else once "$exit" "$@" >>"$work/runs"; fi
    done
    wall=$(cut -d' ' -f1 "$work/runs" | median)
    sum=$(awk -v a="$sum" -v b="$wall" 'BEGIN { printf "%.1f", a + b }')
    printf '| %s | %s | %s | %.1f |\n' "$label" "$wall" "$(cut -d' ' -f2 "$work/runs" | median)" \
        "$(cut -d' ' -f3 "$work/runs" | median | awk '{ print $1 / 1024 }')"
}

text_of() { grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d'"' -f4; }

echo "Machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, $(awk '/MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo); Linux $(uname -r); $(rustc --version); load $(cut -d' ' -f1-3 /proc/loadavg)"
for size in "${sizes[@]}"; do
    # 1 % of the targets are new: as many hardware ids, one target for each.
    hardware=$((size / 100)) && [ "$hardware" -ge 2 ] || hardware=2
    [ $((size % hardware)) = 0 ] || hardware=2
    runs=${RUNS:-7} sum=0 exit=0
    [ "$size" -lt 50000 ] || runs=${RUNS:-3}
    dir=$work/$size
    mkdir -p "$dir"
    from=$dir/downloads
    "$factory" --targets "$size" --hardware "$hardware" "$from" >"$dir/factory.log"
    version=$(ls "$from" | sed -n 's/^targets-\([0-9]*\).json$/\1/p')
    fingerprint=$(sed -n 's/.*--fingerprint \([0-9a-f]*\).*/\1/p' "$dir/factory.log")
    root=$from/prod-roots/3.root.json
    production=$from/prod-targets.json
    cap=$((4 << 30))

    export COUNTERSIGN_STATION=$dir/station
    printf 'measured by nobody but this script, %s\n' "$size" >"$dir/alice"
    pass="--passphrase-file alice=$dir/alice"
    "$countersign" init --factory acme-gateway --roots "$from/prod-roots" --online-key "$from/ci-targets.pub" \
        --fingerprint "$fingerprint" --networked >/dev/null 2>&1
    "$countersign" policy show | sed "s/^max_file_bytes.*/max_file_bytes = $cap/" >"$dir/policy.toml"
    "$countersign" policy set "$dir/policy.toml" >/dev/null
    # shellcheck disable=SC2086
    "$countersign" officer add alice --work-factor 12 $pass >/dev/null
    # shellcheck disable=SC2086
    "$countersign" key import "$from/targets.keys.tgz" --officers alice --quorum 1 >/dev/null 2>&1
    request=("$countersign" request --from "$from" --factory acme-gateway --wave v2 --version "$version"
        --tag production --max-file-bytes "$cap" --out "$dir/request")

    echo
    echo "### $size targets ($(stat -c %s "$production") bytes), $hardware of them new"
    echo
    echo '| command | wall ms | CPU ms | peak MiB |'
    echo '|---|---|---|---|'
    row 'request' "rm -rf '$dir/request'" "${request[@]}"
    cp -r "$COUNTERSIGN_STATION" "$dir/fresh"
    sum=0
    row 'import' "rm -rf '$COUNTERSIGN_STATION'; cp -r '$dir/fresh' '$COUNTERSIGN_STATION'" \
        "$countersign" import "$dir/request"
    # A file that devices would not read whole is blocked: the review says so, and there is nothing to sign.
    [ "$(stat -c %s "$dir/request/targets.json")" -le $((8 << 20)) ] || exit=3
    row 'review --json' : "$countersign" --json review
    "$countersign" --json review >"$dir/review.json" || [ $? = "$exit" ]
    id=$(text_of request <"$dir/review.json")
    words=$(text_of confirm <"$dir/review.json")
    cp -r "$COUNTERSIGN_STATION" "$dir/reviewed"
    as_reviewed="rm -rf '$COUNTERSIGN_STATION'; cp -r '$dir/reviewed' '$COUNTERSIGN_STATION'"
    # shellcheck disable=SC2206
    sign=("$countersign" sign "$id" --officer alice --confirm "$words" $pass)
    if [ "$exit" = 0 ]; then
        row 'sign' "$as_reviewed" "${sign[@]}"
        row 'export' "rm -rf '$dir/bundle'" "$countersign" export "$id" "$dir/bundle"
        printf '| **import, review, sign, export together** | **%s** | | |\n' "$sum"
        row 'verify a bundle' : "$countersign" verify "$dir/bundle" --roots "$from/prod-roots"
    else
        row 'sign: refused' "$as_reviewed" "${sign[@]}"
        printf '| **import, review, sign together** | **%s** | | |\n' "$sum"
    fi
    exit=0
    row 'status' : "$countersign" status
    signed=$dir/request/targets.json
    row 'naive: verify' : "$naive" verify "$production" "$root"
    row 'naive: compare' : "$naive" compare "$production" "$signed"
    row 'naive: verify, sign, export' : "$naive" sign "$production" "$root" "$from/targets.keys.tgz" "$dir/naive"
    row 'limit: read + one SHA-512' : "$naive" hash "$production"
    row 'limit: read + 3 SHA-512 + write with fsync' : "$naive" hash "$production" 3 "$dir/limit"
    echo
    echo '```'
    "$naive" limits "$production"
    echo '```'
    [ -n "${WORK:-}" ] || rm -rf "$dir"
done
