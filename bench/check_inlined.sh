#!/usr/bin/env bash
# check_inlined.sh PROGRAM: that nobody who publishes in the benchmark calls the queue's enqueue out of line. A rival that
# does would flatter us by a factor of two; we ourselves would be two to three times slower.
set -euo pipefail

objdump --disassemble --demangle --no-show-raw-insn "$1" | awk '
  # The rivals publish in the threads that run_threads() starts, we in an outlet.
  /^[0-9a-f]+ <.*>:$/ {
    inside = /_State_impl.*bench::run_threads<|::push_if_room[<(]|::publish_received\(/ ? $0 : ""
    if (inside != "") functions++
  }
  inside != "" && /call.*ConcurrentQueue.*enqueue/ && !/dequeue/ { print inside "\n" $0; calls++ }
  END {
    printf "%s: %d of %d functions that publish call enqueue out of line\n", calls ? "FAIL" : "ok", calls, functions
    exit calls > 0 || functions == 0
  }'
