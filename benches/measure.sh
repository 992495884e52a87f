#!/usr/bin/env bash
# Measures whole commands on made-up Factories of several sizes, beside a naive program and the machine's limits, all
# in one run: wall time, processor time and peak memory, medians, and the ratios that are aimed at. Prints Markdown;
# docs/performance.md keeps a run.
# needs: /usr/bin/time and script (Debian packages `time`, `bsdutils`)
#
#   benches/measure.sh [TARGETS…]        default: 100 1000 6000 100000
#
# RUNS sets how many rounds there are (default 7, and 3 from 50,000 targets on); WORK is a new folder to work in
# (default: one in TMPDIR). Every round runs everything once, and a ratio is the median of the rounds' ratios: a machine
# that grows slow meanwhile slows both sides. Nothing is timed but the commands themselves.
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

# run ROW EXIT PREPARE COMMAND…: PREPARE is not timed. Adds "wall_ms cpu_ms peak_kib" to the row's figures.
run() {
    local row=$1 want=$2 prepare=$3 code=0 start end
    shift 3
    eval "$prepare"
    start=$EPOCHREALTIME
    /usr/bin/time -o "$work/time" -f '%U %S %M' "$@" >"$work/out" 2>"$work/err" || code=$?
    end=$EPOCHREALTIME
    if [ "$code" != "$want" ]; then
        echo "exit $code instead of $want: $*" >&2
        cat "$work/err" >&2
        exit 1
    fi
    [[ " ${rows[*]} " = *" $row "* ]] || rows+=("$row")
    tail -n 1 "$work/time" | awk -v s="${start/,/.}" -v e="${end/,/.}" \
        '{ printf "%.1f %.0f %d\n", (e - s) * 1000, ($1 + $2) * 1000, $3 }' >>"$dir/figures/$row"
}

# typed N PROMPT TEXT: types it once the prompt was printed so many times; what is typed sooner may be thrown away.
typed() {
    while [ "$(grep -o "$2" "$work/said" | wc -l)" -lt "$1" ]; do
        kill -0 "$sitting" 2>/dev/null || { cat "$work/said" >&2; exit 1; }
        sleep 0.02
    done
    printf '%s\n' "$3" >&3
}

# A whole sitting in one process, with its processor time: what the officer types, with the words out of the review that
# she is shown. The wall time is the typing's.
sitting() {
    local words='' sitting at
    station fresh
    rm -rf "$dir/bundle" "$work/typed"
    mkfifo "$work/typed"
    : >"$work/said"
    # It asks on a terminal, here of so many rows that the review is one page.
    script -qefc "stty rows 20000 cols 100; exec /usr/bin/time -o '$work/time' -f '%U %S %M' '$countersign' \
        --color never run '$dir/request' --out '$dir/bundle' $pass" /dev/null <"$work/typed" >"$work/said" 2>&1 &
    sitting=$!
    exec 3>"$work/typed"
    # The machine is fit; take it in; it was; it was read; go on to signing; who signs; the words; write the bundle, there.
    for at in 1 2 3 4 5; do typed "$at" 'stop here >' ''; done
    typed 6 'stop here >' alice
    words=$(tr -d '\r' <"$work/said" | sed -n '/^The words that confirm these bytes/{n;s/^ *//p}' | tail -n 1)
    typed 1 'words at the end of the review:' "$words"
    typed 7 'stop here >' ''
    typed 8 'stop here >' ''
    exec 3>&-
    wait "$sitting" || { cat "$work/said" >&2; exit 1; }
    [[ " ${rows[*]} " = *" run "* ]] || rows+=(run)
    tail -n 1 "$work/time" | awk '{ printf "0 %.0f %d\n", ($1 + $2) * 1000, $3 }' >>"$dir/figures/run"
}

median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

figure() { cut -d' ' -f"$2" "$dir/figures/$1" | median; }

# ratio TITLE DIVIDEND… / DIVISOR…: sums of rows' wall times, or numbers of milliseconds; a minus sign takes away.
ratio() {
    local title=$1 side=above part
    shift
    rm -f "$work/above" "$work/below"
    for part in "$@"; do
        if [ "$part" = / ]; then
            side=below
        elif [ -f "$dir/figures/$part" ]; then
            cut -d' ' -f1 "$dir/figures/$part" >"$work/column"
            add "$side"
        else
            awk -v part="$part" -v runs="$runs" 'BEGIN { while (runs--) print part }' >"$work/column"
            add "$side"
        fi
    done
    local ratios
    ratios=$(paste -d' ' "$work/above" "$work/below" | awk '{ printf "%.3f\n", $1 / $2 }' | sort -g)
    printf '| %s | %.2f | %.2f to %.2f |\n' "$title" "$(median <<<"$ratios")" "$(head -n 1 <<<"$ratios")" \
        "$(tail -n 1 <<<"$ratios")"
}

add() {
    if [ -f "$work/$1" ]; then
        paste -d' ' "$work/$1" "$work/column" | awk '{ print $1 + $2 }' >"$work/sum"
        mv "$work/sum" "$work/$1"
    else
        mv "$work/column" "$work/$1"
    fi
}

text_of() { grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d'"' -f4; }

echo "Machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, $(awk '/MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo); Linux $(uname -r); $(rustc --version); load $(cut -d' ' -f1-3 /proc/loadavg)"
for size in "${sizes[@]}"; do
    # 1 % of the targets are new: as many hardware ids, one target for each.
    hardware=$((size / 100)) && [ "$hardware" -ge 2 ] || hardware=2
    [ $((size % hardware)) = 0 ] || hardware=2
    runs=${RUNS:-7} rows=()
    [ "$size" -lt 50000 ] || runs=${RUNS:-3}
    dir=$work/$size
    mkdir -p "$dir/figures"
    from=$dir/downloads
    "$factory" --targets "$size" --hardware "$hardware" "$from" >"$dir/factory.log"
    version=$(ls "$from" | sed -n 's/^targets-\([0-9]*\).json$/\1/p')
    fingerprint=$(sed -n 's/.*--fingerprint \([0-9a-f]*\).*/\1/p' "$dir/factory.log")
    root=$from/prod-roots/3.root.json
    production=$from/prod-targets.json
    cap=$((4 << 30))

    export COUNTERSIGN_STATION=$dir/station
    printf 'measured by nobody but this script, %s\n' "$size" >"$dir/alice"
    chmod 600 "$dir/alice"
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
    "${request[@]}" >/dev/null
    cp -r "$COUNTERSIGN_STATION" "$dir/fresh"
    "$countersign" import "$dir/request" >/dev/null
    # A file that devices would not read whole is blocked: the review says so, and there is nothing to sign.
    may=0
    [ "$(stat -c %s "$dir/request/targets.json")" -le $((8 << 20)) ] || may=3
    "$countersign" --json review >"$dir/review.json" || [ $? = "$may" ]
    id=$(text_of request <"$dir/review.json")
    words=$(text_of confirm <"$dir/review.json")
    cp -r "$COUNTERSIGN_STATION" "$dir/reviewed"
    # shellcheck disable=SC2206
    sign=("$countersign" sign "$id" --officer alice --confirm "$words" $pass)
    station() { rm -rf "$COUNTERSIGN_STATION" && cp -r "$dir/$1" "$COUNTERSIGN_STATION"; }

    # The first round warms up and is not counted.
    for ((round = 0; round <= runs; round++)); do
        [ "$round" != 1 ] || rm -f "$dir/figures/"*
        run request 0 "rm -rf '$dir/request'" "${request[@]}"
        run import 0 'station fresh' "$countersign" import "$dir/request"
        run review "$may" : "$countersign" --json review
        run sign "$may" 'station reviewed' "${sign[@]}"
        if [ "$may" = 0 ]; then
            run export 0 "rm -rf '$dir/bundle'" "$countersign" export "$id" "$dir/bundle"
            run verify 0 : "$countersign" verify "$dir/bundle" --roots "$from/prod-roots"
            sitting
        fi
        run status 0 : "$countersign" status
        run naive-verify 0 : "$naive" verify "$production" "$root"
        run naive-compare 0 : "$naive" compare "$production" "$dir/request/targets.json"
        run naive-sign 0 : "$naive" sign "$production" "$root" "$from/targets.keys.tgz" "$dir/naive"
        run limit-read 0 : "$naive" read "$production" "$dir/request/targets.json"
        run limit-verify 0 : "$naive" hash "$production" 1
        run limit-sign 0 : "$naive" hash "$production" 3 "$dir/limit"
    done

    declare -A titles=([request]=request [import]=import [review]='review --json' [sign]=sign [export]=export
        [verify]='verify a bundle' [run]='run: a whole sitting (processor time)' [status]=status [naive-verify]='naive: verify' [naive-compare]='naive: compare'
        [naive-sign]='naive: verify, sign, export' [limit-read]='limit: read two files' [limit-verify]='limit: read + one SHA-512'
        [limit-sign]='limit: read + 3 SHA-512 + write with fsync')
    [ "$may" = 0 ] || titles[sign]='sign: refused'
    echo
    echo "### $size targets ($(stat -c %s "$production") bytes), $hardware of them new"
    echo
    echo '| command | wall ms | CPU ms | peak MiB |'
    echo '|---|---|---|---|'
    for row in "${rows[@]}"; do
        printf '| %s | %s | %s | %.1f |\n' "${titles[$row]}" "$(figure "$row" 1)" "$(figure "$row" 2)" \
            "$(figure "$row" 3 | awk '{ print $1 / 1024 }')"
    done
    echo
    echo '| ratio | median of the rounds | from, to |'
    echo '|---|---|---|'
    # What reading two files into structs takes at 1 GB/s, in milliseconds.
    parse=$(stat -c %s "$production" "$dir/request/targets.json" | awk '{ sum += $1 } END { print sum / 1e6 }')
    # scrypt with the officer's work factor, which is no part of what is measured.
    scrypt=$("$naive" scrypt 12)
    ratio 'review / naive compare' review / naive-compare
    ratio 'review / (read both + parse at 1 GB/s)' review / limit-read "$parse"
    if [ "$may" = 0 ]; then
        ratio 'verify / naive verify' verify / naive-verify
        ratio 'verify / (read + one SHA-512)' verify / limit-verify
        ratio 'sign + export without scrypt / naive' sign export "-$scrypt" / naive-sign
        ratio 'sign + export without scrypt / (read + 3 SHA-512 + write)' sign export "-$scrypt" / limit-sign
        ratio 'import + review + sign + export without scrypt, seconds' import review sign export "-$scrypt" / 1000
    else
        ratio 'import + review + refused sign, seconds' import review sign / 1000
    fi
    echo
    echo "scrypt with work factor 12: $scrypt ms"
    [ "$may" != 0 ] || echo "run without scrypt: $(figure run 2 | awk -v s="$scrypt" '{ print $1 - s }') ms of processor time"
    echo
    echo '```'
    "$naive" limits "$production"
    echo '```'
    [ -n "${WORK:-}" ] || rm -rf "$dir"
done
