#!/usr/bin/env bash
# What issue 5 must show and a command can run, one function per line of it; prints the figures and one summary line, and
# fails if one falls short. Some lines only: ./dev proof 5 history skewed
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
out=build/proof
mkdir -p "$out"
. tests/proof/run_lines.sh

conformance() { # line 1: case x transport, counts, time
  build dev test_conformance || return 1
  build/dev/tests/conformance/test_conformance
}

table() { # line 1: every cell walked, and as many printed
  build dev test_combinations || return 1
  build/dev/tests/combinations/test_combinations | tail -n 2
}

history() { # line 2: ten million messages while members join and leave at random
  build release proof_group_history || return 1
  build/release/tests/proof/proof_group_history "${MILLIONS:-10}"
}

skewed() { # line 3: keys by Zipf's law on two threads, beside the best possible
  build release proof_skewed_keys || return 1
  build/release/tests/proof/proof_skewed_keys "${PAIRS:-11}"
}

models() { # line 4: every interleaving that the checker tries, and what the design rests on taken away
  build dev model_await model_claim model_join model_lane model_rest || { echo "needs relacy: sudo apt-get install relacy-dev"; return 1; }
  local each
  for each in await claim join lane rest; do
    printf '%s: %s\n' "$each" "$(build/dev/tests/model/model_$each | grep -E 'iterations|DEADLOCK|ASSERT|RACE' | paste -sd' ')"
    build/dev/tests/model/model_$each >/dev/null || return 1
    build/dev/tests/model/model_$each planted | grep -iE '^(not )?caught' || return 1
  done
}

examples() { # line 5: programs as a new user writes them, against their exact output
  ctest_examples=$(./dev test dev -R "examples: (work_queue|dashboard|customer_lanes|pipeline)") || { echo "$ctest_examples"; return 1; }
  grep -E "Test +#|tests passed" <<<"$ctest_examples"
}

run_lines 5 conformance table history skewed models examples -- "$@"
