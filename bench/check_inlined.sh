#!/usr/bin/env bash
# check_inlined.sh PROGRAM: that nobody who publishes in the benchmark calls the queue's enqueue out of line, and that our
# own loops call no part of pushing at once. A rival that does would flatter us by a factor of two; we ourselves are two
# to three times slower with the one, and a third with the other.
set -euo pipefail

objdump --disassemble --demangle --no-show-raw-insn "$1" | awk '
  # The rivals publish in the threads that run_threads() starts, we in an outlet.
  /^[0-9a-f]+ <.*>:$/ {
    inside = /_State_impl.*bench::run_threads<|::push_if_room[<(]|::publish_received\(|publish_share</ ? $0 : ""
    if (inside != "") functions++
    if (inside ~ /publish_share</) loops++
  }
  inside != "" && /call.*ConcurrentQueue.*enqueue/ && !/dequeue/ { print inside "\n" $0; calls++ }
  inside ~ /publish_share</ && /call.*::(push_at_once|push_next_if_room)/ { print inside "\n" $0; calls++ }
  END {
    printf "%s: %d of %d functions that publish call it out of line\n", calls ? "FAIL" : "ok", calls, functions
    exit calls > 0 || functions == 0 || loops == 0
  }'
