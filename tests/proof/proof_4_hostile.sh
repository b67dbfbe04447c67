# Sourced by proof_4.sh: line 6 of issue 4, hostile bytes. FUZZ_SECONDS=N changes the 120 s of each fuzzer.

fuzz() { # line 6: each fuzzer, executions/s, coverage, findings 0
  ./dev fuzz "${FUZZ_SECONDS:-120}" >"$out/fuzz.log" 2>&1
  local code=$?
  grep -E ' findings |FAIL|SUMMARY|contract broken|Test unit' "$out/fuzz.log" || tail -n 20 "$out/fuzz.log"
  return $code
}

memory() { # line 6: resident memory before, at its highest and after each hostile input, over tcp
  cmake --preset release >"$out/memory_build.log" 2>&1 &&
    cmake --build --preset release --parallel "$(nproc)" --target proof_hostile_memory >>"$out/memory_build.log" 2>&1 ||
    { tail -n 20 "$out/memory_build.log"; return 1; }
  build/release/tests/proof/proof_hostile_memory
}
