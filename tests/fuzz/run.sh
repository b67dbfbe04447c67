#!/usr/bin/env bash
# run.sh [SECONDS [TARGET…]]: each fuzzer for SECONDS (60), all of them where none is named; prints executions, executions/s,
# coverage and findings, and fails if there is a finding. As many run at a time as there are cores. Inputs that libFuzzer finds
# worth keeping stay in build/fuzz/corpus, findings in build/fuzz/findings; those of an earlier run are tried first. The lines covered are those of the source the target
# is about.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
seconds=${1:-60}
[ $# -eq 0 ] || shift
programs=build/fuzz/tests/fuzz
work=build/fuzz

about() { # TARGET: the sources it is about
  case "$1" in
    attributes) echo src/wire/attributes.cpp ;;
    command_line) echo src/app/command_line.cpp ;;
    config) echo src/config ;;
    control) echo transports/zeromq/src/control.cpp ;;
    flatbuffers) echo include/amphibus/wire/flatbuffers.hpp include/amphibus/wire/flatbuffers_unpacked.hpp ;;
    frame) echo src/wire/frame.cpp ;;
    link) echo transports/zeromq/src/link.cpp ;;
    topic) echo include/amphibus/wire/topic_name.hpp src/wire/topic_name.cpp ;;
  esac
}

# Lines of the sources that the corpus runs through, in percent; "-" without llvm-cov.
covered() {
  local name=$1
  command -v llvm-cov >/dev/null || { echo -; return; }
  LLVM_PROFILE_FILE=$work/$name.profraw "$programs/fuzz_$name" -runs=0 "$work/corpus/$name" "tests/fuzz/corpus/$name" \
    >"$work/$name.replay.log" 2>&1
  llvm-profdata merge -sparse "$work/$name.profraw" -o "$work/$name.profdata" 2>/dev/null &&
    # shellcheck disable=SC2046
    llvm-cov report "$programs/fuzz_$name" -instr-profile="$work/$name.profdata" $(about "$name") 2>/dev/null |
    awk '/^TOTAL/ { print $10 }'
}

fuzz() { # TARGET
  local name=$1 dictionary=()
  local log=$work/$name.log
  mkdir -p "$work/corpus/$name" "$work/findings/$name"
  find "$work/findings/$name" -type f -exec mv -t "$work/corpus/$name" {} +
  [ ! -f "tests/fuzz/$name.dict" ] || dictionary=("-dict=tests/fuzz/$name.dict")
  LLVM_PROFILE_FILE=/dev/null "$programs/fuzz_$name" -max_total_time="$seconds" -print_final_stats=1 -close_fd_mask=3 \
    -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=512 "-artifact_prefix=$work/findings/$name/" "${dictionary[@]}" \
    "$work/corpus/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1
  local code=$? executions edges findings
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  edges=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1 | cut -d' ' -f2)
  findings=$(find "$work/findings/$name" -type f | wc -l)
  printf '%-13s %11s executions %8s/s  %6s edges  %8s lines  findings %d\n' "$name" "${executions:-?}" \
    "$((${executions:-0} / (seconds > 0 ? seconds : 1)))" "${edges:-?}" "$(covered "$name")" "$findings"
  [ "$code" -eq 0 ] && [ "$findings" -eq 0 ] && return
  grep -E '^==|SUMMARY|contract broken|Test unit written' "$log" | head -n 5
  return 1
}

targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cd tests/fuzz && printf '%s\n' ./*_fuzz.cpp | sed 's|./\(.*\)_fuzz.cpp|\1|')
passed=$work/passed
: >"$passed"
for each in "${targets[@]}"; do
  while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n; done  # one for each core
  { fuzz "$each" && echo "$each" >>"$passed"; } &
done
wait
fell=$(printf '%s\n' "${targets[@]}" | grep -vxFf "$passed" | paste -sd' ')
[ -z "$fell" ] || { printf 'FAIL: %s\n' "$fell"; exit 1; }
