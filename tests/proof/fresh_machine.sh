#!/usr/bin/env bash
# fresh_machine.sh [WORDS]: clones the repository into a new Debian 12 that has only git and runs `./dev WORDS` there,
# `demo` by default: once with the package download, once more without. What it needs: machine.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
words=("$@")
[ ${#words[@]} -gt 0 ] || words=(demo)
. tests/proof/machine.sh
make_machine git

folder=$machine/srv/amphibus
rm -rf "$folder"
git clone -q . "$folder"
chroot "$machine" sh -c 'command -v g++ cmake ninja' && echo "note: this machine has a compiler already"

stamp=$SECONDS
inside /srv/amphibus/dev install-packages
printf 'time for the packages: %d s\n' $((SECONDS - stamp))
for round in "the first run, without the packages" "again"; do
  stamp=$SECONDS
  inside /srv/amphibus/dev "${words[@]}"
  printf 'time for %s: %d s\n' "$round" $((SECONDS - stamp))
done
