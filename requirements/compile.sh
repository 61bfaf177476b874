#!/bin/sh
# Re-make the lock files: requirements/compile.sh [--upgrade]. Hashes only; no index address is written.
set -eu
cd "$(dirname "$0")"
for name in tools base dev embedded browser; do
  ${UV:-uv} pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
    --no-annotate --universal --python-version 3.11 "$@" "$name.in" -o "$name.txt"
done
