#!/usr/bin/env bash
# Opens reviews, the auditor's report, a ceremony's page, paper sheets, a slip and the cover page in a real browser, at 360
# and 1024 pixels, dark and light, and printed on A4. Fails when a page is wider than its window, has anything active or from
# outside in it, is hard to read, is cut, loses a digest on paper, or when axe-core (npm, tests/scripts/axe) finds something.
# The pictures are left in the folder given as the first argument, to be looked at; review.png is the one in docs/pictures.
# needs: chromium jq poppler-utils npm
set -euo pipefail
cd "$(dirname "$0")/../.."
unset COUNTERSIGN_STATION

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pictures=${1:-$work/pictures}
mkdir -p "$pictures" "$work/pages"

cargo build --locked --quiet
countersign=${CARGO_TARGET_DIR:-target}/debug/countersign

# A station of a factory, and the review of one of its steps.
review() {
    local factory=$1 step=$2 wave=$3 version=$4 page=$5
    shift 5
    local from=tests/fixtures/fioctl/$factory/$step
    "$countersign" request --from "$from" --factory "$factory-gateway" --wave "$wave" --version "$version" \
        --tag production --expires 2027-11-23T00:00:00Z --out "$work/request-$page" "$@" >/dev/null 2>&1
    import "$factory" "$work/request-$page" "$page"
}

import() {
    local factory=$1 request=$2 page=$3 station=$work/station-$1 id
    local from=tests/fixtures/fioctl/$factory/1-populate
    if [ ! -d "$station" ]; then
        "$countersign" --station "$station" init --factory "$factory-gateway" --roots "$from/prod-roots" \
            --online-key "$from/ci-targets.pub" --networked \
            --fingerprint "$(fingerprint "$from")" >/dev/null 2>&1
    fi
    id=$("$countersign" --station "$station" --json import "$request" 2>/dev/null |
        sed -n 's/.*"request": *"\([0-9a-f]\{64\}\)".*/\1/p')
    # Exit code 3 says that something blocks: that is shown, too.
    "$countersign" --station "$station" review "$id" --html "$work/pages/$page.html" >/dev/null 2>&1 || [ $? = 3 ]
    "$countersign" --station "$station" --json review "$id" >"$work/pages/$page.json" 2>/dev/null || [ $? = 3 ]
}

# The station tells the fingerprint of the newest root when it is given a wrong one.
fingerprint() {
    "$countersign" --station "$work/nothing" init --factory x --roots "$1/prod-roots" --online-key "$1/ci-targets.pub" \
        --fingerprint "$(printf '0%.0s' {1..64})" 2>&1 | grep -oE '\b[0-9a-f]{64}\b' | grep -v '^0*$' | head -1
}

review acme 2-update v2.0-update 42 update
review acme 3-prune v2.1-prune 43 prune --prune 12
# What implementations disagree on: `request` writes no such request, so the wave comes as the service returned it.
import odd tests/fixtures/fioctl/odd/2-update/wave.json odd

# 300 targets in a bare file, and text that would like to be more than text.
awk 'BEGIN {
    printf "{\"signatures\":[],\"signed\":{\"_type\":\"Targets\",\"expires\":\"2027-11-23T00:00:00Z\",\"targets\":{"
    for (i = 0; i < 300; i++) {
        v = 100 + int(i / 2); h = i % 2 ? "raspberrypi4-64" : "intel-corei7-64"
        printf "%s\"%s-lmp-%d\":{\"custom\":{\"docker_compose_apps\":{\"app\":{\"uri\":\"hub.foundries.io/acme/app@sha256:%064x\"}},", \
            i ? "," : "", h, v, v
        printf "\"hardwareIds\":[\"%s\"],\"name\":\"%s-lmp\",\"tags\":[\"production\"],\"targetFormat\":\"OSTREE\",\"version\":\"%d\"", h, h, v
        if (i == 7) printf ",\"x-note\":\"</td><script>alert(1)</script><img src=//x onerror=alert(1)> \\u202e\\u001b[2J\""
        printf "},\"hashes\":{\"sha256\":\"%064x\"},\"length\":0}", i + 4096
    }
    print "},\"version\":5000}}"
}' >"$work/targets.json"
import acme "$work/targets.json" large

# The other pages come out of a rehearsal.
room=$work/room
"$countersign" rehearse "$room" </dev/null >/dev/null 2>&1
cp "$room/report.html" "$room/stick/spring-42-signed/review.html" "$work/pages/"
cp "$room"/stick/paper/key-????????.html "$work/pages/key-sheet.html"
cp "$room"/stick/paper/key-*-ann.html "$work/pages/officer-sheet.html"
id=$("$countersign" --json audit show "$room/stick/evidence" --type sign.result | jq -r '.[0].request')
"$countersign" audit ceremony "$room/stick/evidence" --request "$id" --out "$work/pages/ceremony.html" >/dev/null
"$countersign" --station "$room/station" export "$id" --slip "$work/slip" >/dev/null
cp "$work/slip/slip.html" "$work/pages/"
"$countersign" --station "$room/station" ceremony form --html "$work/pages/form.html" >/dev/null

mkdir "$work/axe"
cp tests/scripts/axe/package*.json "$work/axe/"
(cd "$work/axe" && npm ci --ignore-scripts --no-audit --no-fund --silent)

browser() {
    timeout 300 chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
        --disable-component-update --disable-sync --hide-scrollbars --host-resolver-rules="MAP * ~NOTFOUND" \
        --user-data-dir="$work/chromium" --allow-file-access-from-files --virtual-time-budget=20000 "$@" 2>"$work/browser.log" || { tail -3 "$work/browser.log" >&2; return 1; }
}

failed=0

# A page as axe-core sees it. A page's policy forbids scripts, so it runs in a copy without that line.
accessible() {
    local page=$1 found
    sed 's/<meta http-equiv="Content-Security-Policy"[^>]*>//' "$work/pages/$page.html" >"$work/axe/page.html"
    cat >>"$work/axe/page.html" <<'END'
<script src="node_modules/axe-core/axe.min.js"></script>
<script>axe.run().then((found) => {
  const one = (v) => v.id + " (" + v.nodes.length + "x): " + v.help + " " + v.nodes[0].target;
  document.title = "axe: " + (found.violations.map(one).join("; ") || "good");
});</script>
END
    found=$(browser --dump-dom "file://$work/axe/page.html" | sed -n 's/.*<title>axe: \(.*\)<\/title>.*/\1/p')
    echo "$page axe: ${found:-no answer}"
    [ "$found" = good ] || failed=1
}

# A page at a width, by the browser's scheme: what is wrong with it, and a picture.
looked_at() {
    local page=$1 scheme=$2 width=$3 kind=$4 prefers address verdict
    # The browser's number for what the system prefers: 0 is dark, 1 is light.
    prefers=$([ "$scheme" = dark ] && echo 0 || echo 1)
    address="file://$PWD/tests/scripts/html-probe.html?page=file://$work/pages/$page.html"
    address+="&width=$width&height=1800&scheme=$scheme&kind=$kind"
    verdict=$(browser --blink-settings=preferredColorScheme="$prefers" --dump-dom "$address" |
        sed -n 's/.*<pre id="verdict">\(.*\)<\/pre>.*/\1/p')
    echo "$page $scheme $width: ${verdict:-no answer}"
    [ "$verdict" = good ] || failed=1
    browser --blink-settings=preferredColorScheme="$prefers" --window-size="$width,1800" \
        --screenshot="$pictures/$page-$scheme-$width.png" "$address" >/dev/null
}

# A page on paper.
printed() {
    browser --no-pdf-header-footer --print-to-pdf="$work/$1.pdf" "file://$work/pages/$1.html" >/dev/null
    pdftoppm -r 80 -png -l 4 "$work/$1.pdf" "$pictures/$1-a4"
}

for page in review report ceremony key-sheet officer-sheet slip form; do
    for width in 360 1024; do
        looked_at "$page" light "$width" "$([ "$page" = review ] && echo review || echo page)"
    done
    printed "$page"
    accessible "$page"
done
browser --window-size=800,640 --screenshot="$pictures/review.png" "file://$work/pages/review.html" >/dev/null

for page in update prune odd large; do
    for scheme in light dark; do
        for width in 360 1024; do
            # The large page takes its time: once narrow, once dark.
            [ "$page" = large ] && [ "$scheme$width" != light360 ] && [ "$scheme$width" != dark1024 ] && continue
            looked_at "$page" "$scheme" "$width" review
        done
    done
    printed "$page"
    # Every digest that would be signed stands on paper, whole; of the large page a few hundred are looked for.
    pdftotext "$work/$page.pdf" - | tr -d '[:space:]' >"$work/paper"
    jq -r '.digest, .request, .policy, (.added_targets[].target | .. | strings)' "$work/pages/$page.json" |
        grep -oE '[0-9a-f]{64}' | sort -u | awk 'NR < 300 || NR % 10 == 0' >"$work/digests"
    lost=$(while read -r digest; do grep -qF "$digest" "$work/paper" || echo "$digest"; done <"$work/digests" | wc -l)
    echo "$page A4: $(pdfinfo "$work/$page.pdf" | sed -n 's/^Pages: *//p') pages, $(wc -l <"$work/digests") digests looked for, $lost lost"
    [ "$lost" = 0 ] || failed=1
done
exit $failed
