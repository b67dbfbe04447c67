#!/usr/bin/env bash
# header_budget.sh COMPILER FLAG…: what #include <amphibus/bus.hpp> costs a user, in preprocessed lines, and that it
# pulls in none of the standard headers that cost a tenth each. With --ratio first: also its compile time beside
# #include <zmq.hpp>, the median of 9 interleaved pairs.
set -euo pipefail
lines_max=70000
ratio_max=120 # percent
pairs_count=9
refused='chrono|functional|iostream|sstream'

ratio=
[ "${1:-}" != --ratio ] || { ratio=yes; shift; }
compiler=$1
shift
flags=(-std=c++20 -x c++ "$@")

lines=$(echo '#include <amphibus/bus.hpp>' | "$compiler" "${flags[@]}" -E -P - | wc -l)
printf 'bus.hpp: %d preprocessed lines (limit %d)\n' "$lines" "$lines_max"
[ "$lines" -le "$lines_max" ] || exit 1

if found=$(echo '#include <amphibus/bus.hpp>' | "$compiler" "${flags[@]}" -E -H - 2>&1 >/dev/null |
  grep -E "^\.+ .*/($refused)\$"); then
  printf 'bus.hpp pulls in what it can do without:\n%s\nfind who includes it: %s -H\n' "$found" "$compiler"
  exit 1
fi
echo "bus.hpp: none of <${refused//|/>, <}>"
[ -n "$ratio" ] || exit 0

# CPU milliseconds of one -fsyntax-only of a single include: what others do on the machine does not count.
cost() {
  local TIMEFORMAT='%U %S' user system
  read -r user system <<<"$({ time echo "#include <$1>" | "$compiler" "${flags[@]}" -fsyntax-only - >&2; } 2>&1 | tail -n 1)"
  echo $((10#${user/./} + 10#${system/./}))
}
cost zmq.hpp >/dev/null # warms the file cache
cost amphibus/bus.hpp >/dev/null
for ((i = 0; i != pairs_count; ++i)); do
  theirs=$(cost zmq.hpp)
  ours=$(cost amphibus/bus.hpp)
  printf '%d %d %d\n' $((ours * 100 / theirs)) "$ours" "$theirs"
done | sort -n | {
  mapfile -t pairs
  read -r percent ours theirs <<<"${pairs[pairs_count / 2]}"
  printf 'bus.hpp: %d ms, zmq.hpp: %d ms, ratio %d.%02d (median of %d pairs, limit 1.20)\n' \
    "$ours" "$theirs" $((percent / 100)) $((percent % 100)) "$pairs_count"
  [ "$percent" -le "$ratio_max" ]
}
