#!/usr/bin/env bash
# What issue 3 must show and a command can run, one function per line of it; prints the figures and one summary line, and
# fails if one falls short. Some lines only: ./dev proof 3 table examples
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
out=build/proof
mkdir -p "$out"
. tests/proof/run_lines.sh

conformance() { # line 1: case x transport, counts, time
  build dev test_conformance || return 1
  build/dev/tests/conformance/test_conformance
}

# Line 1: 100 repetitions under tsan. Every transport at once, because the cases mostly wait; without the one case that
# is not about concurrency and takes half a minute each.
repetitions() {
  local options='halt_on_error=1 second_deadlock_stack=1 die_after_fork=0' code=0 each subjects=() jobs=()
  build tsan test_conformance || return 1
  local suite=build/tsan/tests/conformance/test_conformance
  mapfile -t subjects < <("$suite" --list | sed 's/: .*//' | sort -u)
  for each in "${subjects[@]}"; do
    TSAN_OPTIONS="$options suppressions=$PWD/cmake/tsan.supp" "$suite" --subject "$each" --repeat "${REPETITIONS:-100}" \
      --except 'a hundred thousand topics' >"$out/repetitions_$each.log" 2>&1 &
    jobs+=($!)
  done
  for each in "${!subjects[@]}"; do
    wait "${jobs[each]}" || code=1
    printf '%s: %s\n' "${subjects[each]}" "$(tail -n 1 "$out/repetitions_${subjects[each]}.log")"
  done
  return $code
}

table() { # line 2: every cell walked, and as many printed
  build dev test_combinations || return 1
  build/dev/tests/combinations/test_combinations | tail -n 2
}

examples() { # line 3: programs as a new user writes them, against their exact output
  ./dev test dev -L examples >"$out/examples.log" 2>&1
  local code=$?
  grep -E 'Test +#|tests passed' "$out/examples.log"
  return $code
}

instructions() { # N: how many one run of publish_many takes with N patterns
  valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=publish_many \
    build/release/tests/proof/proof_pattern_cost "$1" 2>&1 | sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

patterns() { # line 4: publishing with 1 and with 10,000 patterns, in instructions
  command -v valgrind >/dev/null || { echo "needs valgrind: sudo apt-get install valgrind"; return 1; }
  build release proof_pattern_cost || return 1
  local one many
  one=$(instructions 1)
  many=$(instructions 10000)
  awk -v one="${one:-0}" -v many="${many:-0}" 'BEGIN {
    if (one == 0 || many == 0) { print "no counts"; exit 1 }
    printf "publish_many: %d instructions with 1 pattern, %d with 10,000: ratio %.4f (at most 1.05)\n", one, many, many / one
    exit many / one > 1.05 }'
}

fairness() { # line 4: 100 subscriptions on 2 threads
  build release proof_pool_fairness || return 1
  build/release/tests/proof/proof_pool_fairness
}

walk() { # line 5: the files a stranger reads from publish to deliver
  local each lines=0 code=0
  for each in $(sed -n '/^## How a message travels/,/^Not every receiver/p' docs/architecture.md | grep -v '^Not every' | grep -oE '`[a-z_/]+\.(hpp|cpp)`' | tr -d '`'); do
    [ -f "$each" ] || each=include/amphibus/$each
    [ -f "$each" ] || { echo "missing: $each"; code=1; continue; }
    wc -l "$each"
    lines=$((lines + $(wc -l <"$each")))
  done
  echo "$lines lines in all"
  return $code
}

run_lines 3 conformance table examples patterns fairness walk repetitions -- "$@"
