#!/usr/bin/env bash
# What issue 4 must show and a command can run, one function per line of it; prints the figures and one summary line, and
# fails if one falls short. Some lines only: ./dev proof 4 zero_copy evolution
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
out=build/proof
mkdir -p "$out"
. tests/proof/run_lines.sh
. tests/proof/proof_4_flight.sh
. tests/proof/proof_4_hostile.sh
. tests/proof/proof_4_packages.sh

zero_copy() { # line 1: addresses, bytes copied, and flat beside OrderT
  build release proof_flat_address proof_flat_ratio test_unit_zeromq || return 1
  build/release/tests/proof/proof_flat_address || return 1
  build/release/tests/unit/zeromq/test_unit_zeromq 'inbound: an aligned frame*,inbound: an unaligned frame*' || return 1
  build/release/tests/proof/proof_flat_ratio "${PAIRS:-7}"
}

evolution() { # line 2: each rule, pairs of schemas, our verdict beside flatc's
  build dev test_evolution || return 1
  build/dev/tests/evolution/test_evolution tests/evolution/pairs.txt
}

rolling_upgrade() { # line 2: the shop's processes swapped one by one over tcp, equal ledgers
  build dev shop next_shop rolling_upgrade || return 1
  build/dev/tests/upgrade/rolling_upgrade build/dev/examples/shop/shop build/dev/tests/upgrade/next_shop
}

foreign() { # line 4: what a reader in Python sees, beside a subscriber of ours
  build dev foreign_readers || return 1
  ctest --preset dev -R 'examples: foreign reader sees' -V >"$out/foreign.log" 2>&1
  local code=$?
  grep -E '^[0-9]+: (topic|[a-z_]+\.|CRC|PASS|FAIL|SKIPPED)|Test +#' "$out/foreign.log" | sed -E 's/^[0-9]+: //'
  grep -q 'Skipped\|No tests were found' "$out/foreign.log" && code=1  # a line that was not run shows nothing
  return $code
}

run_lines 4 zero_copy evolution rolling_upgrade consumers packages foreign flight fuzz memory -- "$@"
