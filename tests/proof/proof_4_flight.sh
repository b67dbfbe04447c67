# Line 5 of proof 4: the flight, three speeds x three placements, a table each. At real time the placements fly side by side:
# a flight takes 69 s.
flight() {
  build release flight || return 1
  local program=build/release/examples/flight/flight code=0
  "$program" demo --speed real --side-by-side || code=1
  "$program" demo --speed 10x || code=1
  "$program" demo --speed full || code=1
  return $code
}
