#!/usr/bin/env bash
# system_calls.sh PROGRAM WAY LIMIT…: system calls per message of a run without pause, all threads together, those of
# libzmq included: what a million messages more take, as strace counts it. Which thread waits when is the system's to
# decide, so the limits are wide.
set -uo pipefail
program=$1
shift
command -v strace >/dev/null || { echo "skipped: sudo apt-get install strace"; exit 77; }
counts=$(mktemp)
trap 'rm -f "$counts"' EXIT
strace -c -o "$counts" true 2>/dev/null || { echo "skipped: this machine does not let strace look on"; exit 77; }

# calls WAY COUNT
calls() {
  strace -f -qq -c -o "$counts" "$program" "$1" "$2" >/dev/null || { echo failed; return; }
  awk '$NF == "total" { print $4 }' "$counts"
}

few=1000 many=1001000
code=0
while [ $# -ge 2 ]; do
  base=$(calls "$1" "$few")
  all=$(calls "$1" "$many")
  awk -v way="$1" -v base="$base" -v all="$all" -v limit="$2" -v more=$((many - few)) 'BEGIN {
    each = (all - base) / more
    ok = base > 0 && all > 0 && each <= limit
    printf "%-12s %8.5f system calls per message <= %s (%s of %d messages, %s of %d): %s\n", way, each, limit, all,
      more + 1000, base, 1000, ok ? "ok" : "FALLS SHORT"
    exit !ok }' || code=1
  shift 2
done
exit $code
