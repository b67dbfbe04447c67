# Sourced by the proofs, which set `out`, the folder of their logs.

# build PRESET TARGET…: quiet unless it fails.
build() {
  local preset=$1
  shift
  { cmake --preset "$preset" && cmake --build --preset "$preset" --parallel "$(nproc)" --target "$@"; } \
    >"$out/build_$preset.log" 2>&1 || { tail -n 20 "$out/build_$preset.log"; return 1; }
}

# run_lines NUMBER DEFAULTS -- [WORD…]: runs the functions WORD…, or all of DEFAULTS, and ends with one
# summary line; returns 1 if one fell short.
run_lines() {
  local number=$1 short=() lines=() line begin
  shift
  while [ "$1" != -- ]; do
    lines+=("$1")
    shift
  done
  shift
  [ $# -eq 0 ] || lines=("$@")
  for line in "${lines[@]}"; do
    printf '\n== %s\n' "$line"
    begin=$SECONDS
    "$line" || short+=("$line")
    printf '(%d s)\n' $((SECONDS - begin))
  done
  printf '\n'
  if [ ${#short[@]} -gt 0 ]; then
    printf 'proof %d: FAIL: %d of %d fall short: %s\n' "$number" ${#short[@]} ${#lines[@]} "${short[*]}"
    return 1
  fi
  printf 'proof %d: PASS: %d of %d\n' "$number" ${#lines[@]} ${#lines[@]}
}
