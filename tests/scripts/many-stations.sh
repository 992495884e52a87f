#!/usr/bin/env bash
# needs: python3 python3-venv
# Asks the questions of docs/many-stations.md, as they stand there, of made-up stations: each must have an answer, and the
# rows must be as many as the trees have leaves.
#
#   tests/scripts/many-stations.sh           a small company, with the development build
#   tests/scripts/many-stations.sh --full    fifty stations of 20,000 entries, with the release build
set -euo pipefail
cd "$(dirname "$0")/../.."
unset COUNTERSIGN_STATION
case "${1:-}" in
"") stations=6 entries=600 build=() profile=debug ;;
--full) stations=50 entries=20000 build=(--release) profile=release ;;
*) sed -n '3,7p' "$0" >&2 && exit 2 ;;
esac
cargo build --locked --quiet "${build[@]}" --example stations
cargo build --locked --quiet "${build[@]}" --no-default-features --bin countersign-audit
bin=${CARGO_TARGET_DIR:-$PWD/target}/$profile
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "$(grep -o 'duckdb==[0-9.]*' docs/many-stations.md)"
"$bin/examples/stations" --stations "$stations" --entries "$entries" "$work/company"

cat >"$work/ask.py" <<'PYTHON'
import duckdb, glob, json, os, re, resource, subprocess, sys, time

program, page, work = sys.argv[1:]
packs = sorted(glob.glob(work + "/company/[0-9]*"))
os.chdir(work)

def took(what, since):
    print("%-60s %7.2f s" % (what, time.monotonic() - since))

def audit(what, *arguments):
    since = time.monotonic()
    ran = subprocess.run([program, "--json", *arguments, "--key", "company/all.vkey"], stdout=subprocess.PIPE)
    took(what, since)
    if ran.returncode != 0:
        sys.exit("%s ended with %d: %s" % (what, ran.returncode, ran.stdout.decode()[:2000]))
    return json.loads(ran.stdout)

entries = audit("audit verify of %d packs" % len(packs), "verify", *packs)["entries"]
for form in "jsonl", "ocsf":
    audit("audit report --format " + form, "report", *packs, "--format", form, "--out", "entries." + form)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print("%d entries, %d MiB at most" % (entries, peak))

blocks, question = [], None
for found in re.finditer(r"^\*\*([0-9]+\. .*?)\*\*|^```sql\n(.*?)^```", open(page).read(), re.S | re.M):
    if found[1]:
        question = found[1].replace("\n", " ")
    else:
        blocks.append((question, found[2]))
        question = None
if len(blocks) != 12:
    sys.exit("%d blocks of SQL were found in %s" % (len(blocks), page))
database = duckdb.connect()
for question, block in blocks:
    since, answer = time.monotonic(), None
    for statement in filter(str.strip, block.split(";\n")):
        answer = database.sql(statement)
        answer = answer and answer.fetchall()
    took(question or block.strip().splitlines()[-1][:60], since)
    if question and not answer:
        sys.exit("no answer to: " + question)
    if question and len(packs) < 10:
        print("    %d rows, such as %s" % (len(answer), str(answer[0])[:160]))
[(rows, logs)] = database.sql("SELECT count(*), count(DISTINCT log) FROM entries").fetchall()
if (rows, logs) != (entries, len(packs)):
    sys.exit("%d rows of %d logs, and the trees of %d have %d leaves" % (rows, logs, len(packs), entries))
PYTHON
"$work/venv/bin/python" "$work/ask.py" "$bin/countersign-audit" "$PWD/docs/many-stations.md" "$work"
echo "every question has an answer; as many rows as leaves"
