#!/usr/bin/env bash
# instructions.sh PROGRAM FIGURES dev|release: instructions per message against the figures that were checked in. 0 stands
# for a figure that nobody wrote down yet.
set -uo pipefail
program=$1 figures=$2 column=$3
command -v valgrind >/dev/null || { echo "skipped: sudo apt-get install valgrind"; exit 77; }
code=0
while read -r way dev release; do
  [ -n "$way" ] && [ "${way:0:1}" != "#" ] || continue
  expected=$([ "$column" = dev ] && echo "$dev" || echo "$release")
  counted=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='counted_*' "$program" "$way" 2>&1 |
    sed -n 's/.*Collected : \([0-9]*\).*/\1/p')
  awk -v way="$way" -v counted="${counted:-0}" -v expected="$expected" 'BEGIN {
    each = counted / 100000; share = expected > 0 ? each / expected : 0
    ok = counted > 0 && (expected == 0 || (share > 0.95 && share < 1.05))
    printf "%-12s %8.2f instructions per message, %s written down: %s\n", way, each, expected, ok ? "ok" : "FALLS SHORT"
    exit !ok }' || code=1
done <"$figures"
exit $code
