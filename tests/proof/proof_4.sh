#!/usr/bin/env bash
# What issue 4 must show and a command can run, one function per line of it; prints the figures and one summary line, and
# fails if one falls short. Some lines only: ./dev proof 4 packages
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
out=build/proof
mkdir -p "$out"
. tests/proof/run_lines.sh
. tests/proof/proof_4_packages.sh

run_lines 4 consumers packages -- "$@"
