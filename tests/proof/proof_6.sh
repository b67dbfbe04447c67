#!/usr/bin/env bash
# The lines of issue 6 that a command can run: ./dev proof 6 [LINE…]. Ratios to rivals in the same run; `QUICK=1` for fewer
# pairs. The figures stay in build/proof/6/*.json.
set -uo pipefail
cd "$(dirname "$0")/../.."
out=build/proof/6
mkdir -p "$out"
. tests/proof/run_lines.sh

# figures NAME PREFIX…: those scenarios, every target reached.
figures() {
  local name=$1 only=() each
  shift
  for each in "$@"; do only+=(--only "$each"); done
  ./dev bench ${QUICK:+--quick} "${only[@]}" --json "$out/$name.json" >"$out/$name.log" 2>&1
  local code=$?
  grep -E 'ok$|FALLS SHORT|reported$' "$out/$name.log" || tail -n 20 "$out/$name.log"
  return $code
}

queue() { # line 1: against the bare queue, with as many tokens; the convenient path
  local code=0
  figures queue inproc/1p1c/32B@moodycamel 'inproc/1p1c/32B@moodycamel tuned' inproc/2p1c/32B@moodycamel \
    inproc/4p1c/32B@moodycamel inproc/1p1c/32B@publisher || code=1
  bench/check_inlined.sh build/release/bench/throughput/amphibus_bench || code=1
  return $code
}

libraries() { # line 2: against the libraries that one would use instead
  figures libraries 'inproc/1p1c/32B@libzmq inproc' inproc/1p1c/32B@CAF inproc/1p1c/32B@nng \
    'inproc/1p1c/32B@mutex + deque' inline
}

fan_out() { # line 3: many subscribers, large messages, one that stands still
  figures fan_out inproc/1p3c/32B@moodycamel inproc/1p16c/32B inproc/1p3c/4KiB inproc/1p3c/1MiB
}

remote() { # line 4: ZeroMQ over tcp and ipc
  figures remote zeromq latency/zeromq
}

growth() { # line 5: many topics, idle topics, patterns
  local code=0
  figures growth topics idle_topic || code=1
  build release proof_pattern_cost || return 1
  run_pattern_cost || code=1
  return $code
}
run_pattern_cost() {
  command -v valgrind >/dev/null || { echo "FAIL: needs valgrind: sudo apt-get install valgrind"; return 1; }
  local one many
  one=$(instructions 1) many=$(instructions 10000)
  awk -v one="$one" -v many="$many" 'BEGIN { ok = one > 0 && many <= 1.05 * one
    printf "10,000 patterns: %d and %d instructions, ratio %.4f <= 1.05: %s\n", one, many, one ? many / one : 0, ok ? "ok" : "FALLS SHORT"
    exit !ok }'
}
instructions() { # of publishing, beside N patterns; see pattern_cost.cpp
  valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='publish_many*' \
    build/release/tests/proof/proof_pattern_cost "$1" 2>&1 | sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

latency() { # line 6: waking, handing over, doing nothing
  figures latency latency/asleep latency/awake idle
}

models() { # line 7: the code under the model checker, and the lock-step stress of what it cannot see
  local code=0 each
  for each in await budget calls claim join lane rest multicast inbox end pool; do
    build dev "model_$each" || return 1
    build/dev/tests/model/model_$each >"$out/model_$each.log" 2>&1 &&
      printf '%s: holds in 200,000 runs at random and 400,000 in order\n' "$each" || { printf '%s: BROKEN\n' "$each"; code=1; }
    build/dev/tests/model/model_$each planted >"$out/planted_$each.log" 2>&1 || code=1
    grep -a -o -E '(NOT CAUGHT|caught): .*' "$out/planted_$each.log"
  done
  build release proof_lock_step || return 1
  build/release/tests/proof/proof_lock_step || code=1
  return $code
}

page() { # line 8: the page shows what was measured
  python3 -B bench/report/report.py --check docs/performance/figures.json docs/performance.md && echo "docs/performance.md: ok"
}

run_lines 6 queue libraries fan_out remote growth latency models page -- "$@"
