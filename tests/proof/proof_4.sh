#!/usr/bin/env bash
# What issue 4 must show and a command can run, one function per line of it; prints the figures and one summary line, and
# fails if one falls short. Some lines only: ./dev proof 4 foreign
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
out=build/proof
mkdir -p "$out"
. tests/proof/run_lines.sh

# build PRESET TARGET…: quiet unless it fails.
build() {
  local preset=$1
  shift
  { cmake --preset "$preset" && cmake --build --preset "$preset" --parallel "$(nproc)" --target "$@"; } \
    >"$out/build_$preset.log" 2>&1 || { tail -n 20 "$out/build_$preset.log"; return 1; }
}

foreign() { # line 4: what a reader in Python sees, beside a subscriber of ours
  build dev foreign_readers || return 1
  ctest --preset dev -R 'examples: foreign reader sees' -V >"$out/foreign.log" 2>&1
  local code=$?
  grep -E '^[0-9]+: (topic|[a-z_]+\.|CRC|PASS|FAIL|SKIPPED)|Test +#' "$out/foreign.log" | sed -E 's/^[0-9]+: //'
  grep -q 'Skipped\|No tests were found' "$out/foreign.log" && code=1  # a line that was not run shows nothing
  return $code
}

run_lines 4 foreign -- "$@"
