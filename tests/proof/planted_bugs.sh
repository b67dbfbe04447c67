#!/usr/bin/env bash
# Plants one bug at a time in a copy of the sources and shows which test catches it. Some bugs only: name them.
# --check only says whether each can still be planted: code moves on, and a bug that is not there is not caught.
set -euo pipefail
cd "$(dirname "$0")/../.."
top=$PWD
self=$top/tests/proof/planted_bugs.sh
scratch=$top/build/proof/planted_bugs
copy=$scratch/sources
build=$scratch/build

# name | file | sed script that plants the bug
bugs() {
  cat <<'LIST'
destructor_does_not_wait|src/detail/mailbox.cpp|s/^  if (on_this_stack()) return;.*/  return;/
drain_misses_a_cascade|include/amphibus/detail/mailbox.hpp|s/^      handler_->invoke_each(/      this->finish(queue::load::of_small(count));\n&/; s/this->finish(std::exchange(finished, {}))/finished = {}/; s/^    this->finish(finished);//
credit_returned_twice|include/amphibus/queue/inbox.hpp|s/credit().give_back(what.places)/credit().give_back(2 * what.places)/
echo|src/detail/outlet_base.cpp|s/remote_ == nullptr ? table.egress : nullptr/table.egress/
lost_wake_up|src/detail/executor_core.cpp|s/if (!waits && !each->has_work())/if (!waits)/
readiness_without_confirmation|transports/zeromq/src/link.cpp|s/return each.second == revision_;/return each.second == revision_ || true;/; s/synced_.size() == settings_.data_endpoints.size()/true/
LIST
}

# Only what differs is copied, so that only what differs is built again.
refresh() {
  local file
  git ls-files -z | while IFS= read -r -d '' file; do
    [ -f "$file" ] || continue
    cmp -s "$file" "$copy/$file" || { mkdir -p "$(dirname "$copy/$file")" && cp "$file" "$copy/$file"; }
  done
}

# The tests of behaviour; the first failure is enough. Prints its name.
first_failure() {
  local log=$scratch/ctest.log
  if ! cmake --build "$build" --parallel "$(nproc)" >"$scratch/build.log" 2>&1; then
    tail -n 20 "$scratch/build.log"
    return 1
  fi
  if ! ctest --test-dir "$build" -LE 'house|install|compile_fail|bench' --stop-on-failure --timeout 60 -j2 >"$log" 2>&1; then
    sed -n '/The following tests FAILED/,$p' "$log" | sed -n '2s/^[[:space:]]*[0-9]* - //p'
  fi
}

if [ "${1:-}" = --check ]; then
  stale=0
  while IFS='|' read -r name file script; do
    if sed "$script" "$file" | cmp -s - "$file"; then
      echo "$name: there is nothing left to break in $file; plant it anew"
      stale=1
    fi
  done <<<"$(bugs)"
  exit $stale
fi

"$self" --check
mkdir -p "$copy"
refresh
cmake -S "$copy" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo "-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1" \
  -DAMPHIBUS_BUILD_BENCH=OFF -DAMPHIBUS_BUILD_EXAMPLES=OFF -DAMPHIBUS_INSTALL=OFF >"$scratch/configure.log" 2>&1
by=$(first_failure) || { echo "baseline: does not build: $by"; exit 1; }
[ -z "$by" ] || { echo "baseline: fails before anything is planted: $by"; exit 1; }
echo "baseline: $(grep 'tests passed' "$scratch/ctest.log")"

missed=0
while IFS='|' read -r name file script; do
  [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
  sed -i "$script" "$copy/$file"
  if ! by=$(first_failure); then
    echo "MISSED $name ($file): it does not compile: $by"
    missed=1
  elif [ -z "$by" ]; then
    echo "MISSED $name ($file): every test passes"
    missed=1
  else
    echo "caught $name ($file): $by"
  fi
  refresh
done <<<"$(bugs)"
exit $missed
