# Sourced by proof_4.sh.

consumers() { # line 3: the four ways to consume, static and shared, and what is refused
  ./dev test dev -L install >"$out/consumers.log" 2>&1
  local code=$?
  grep -E 'Test +#|tests passed' "$out/consumers.log"
  return $code
}

packages() { # line 3: the .debs on a new machine, and there what `amphibus new` makes
  ./dev package >"$out/package.log" 2>&1 || { tail -n 20 "$out/package.log"; return 1; }
  ls -l build/package/*.deb | awk '{ print $5, $NF }'
  tests/proof/fresh_packages.sh
}
