#!/usr/bin/env bash
# fresh_packages.sh: installs the packages of build/package on a new Debian 12, makes a project there with `amphibus new`,
# builds and runs it, and removes the packages again. What it needs: machine.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/proof/machine.sh
log=build/proof/machine_apt.log
mkdir -p build/proof

make_machine
rm -rf "$machine/srv/packages" "$machine/srv/own"
mkdir -p "$machine/srv/packages" "$machine/srv/own"
cp build/package/*.deb "$machine/srv/packages"
if [ -n "${AMPHIBUS_DEBS:-}" ]; then
  cp "$machine"/srv/debs/*.deb "$machine/srv/packages"
else
  inside apt-get update -q >"$log" 2>&1
fi
inside sh -c 'command -v g++ cmake' && echo "note: this machine has a compiler already"
echo "+ apt-get install ./*.deb g++ make"
inside sh -ec 'apt-get install -y -o APT::Install-Recommends=true /srv/packages/*.deb g++ make' >>"$log" 2>&1 ||
  { tail -n 5 "$log"; exit 1; }
inside dpkg-query -W 'libamphibus*' 'amphibus*' libzmq5 libisal2 flatbuffers-compiler

inside sh -exc 'cd /srv/own
  amphibus new demo
  cd demo
  cmake -B build >cmake.log || { cat cmake.log; exit 1; }
  cmake --build build
  ctest --test-dir build --output-on-failure
  build/demo
  build/demo up --config services.toml
  ldd build/demo | grep -E "amphibus|zmq|isal"' 2>&1

inside apt-get purge -y libamphibus0.1 >>"$log" 2>&1
left=$(inside find / -xdev -name '*amphibus*' -not -path '/srv/*' -not -path '/proc/*')
[ -z "$left" ] || { echo "FAIL: purging leaves $left"; exit 1; }
echo "purged without a trace"
