#!/usr/bin/env bash
# What issue 4 must show and a command can run, one function per line of it; prints the figures and one summary line, and
# fails if one falls short. Some lines only: ./dev proof 4 flight
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
out=build/proof
mkdir -p "$out"
. tests/proof/run_lines.sh
. tests/proof/proof_4_flight.sh

# build PRESET TARGET…: quiet unless it fails.
build() {
  local preset=$1
  shift
  { cmake --preset "$preset" && cmake --build --preset "$preset" --parallel "$(nproc)" --target "$@"; } \
    >"$out/build_$preset.log" 2>&1 || { tail -n 20 "$out/build_$preset.log"; return 1; }
}

run_lines 4 flight -- "$@"
