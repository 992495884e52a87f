#!/usr/bin/env bash
# needs: g++ libjsoncpp-dev python3-venv openssl
# Real TUF clients take what countersign signs and refuse what was changed; a device hashes the bytes that we signed.
exec "$(dirname "$0")/../interop/run.sh"
