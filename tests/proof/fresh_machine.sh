#!/usr/bin/env bash
# fresh_machine.sh [WORDS]: clones the repository into a new Debian 12 that has only git and runs `./dev WORDS` there,
# `demo` by default: once with the package download, once more without. Needs root, debootstrap and a mirror, or
# AMPHIBUS_DEBS with the .deb files. MIRROR chooses the mirror, FRESH_MACHINE an existing chroot to use again.
set -euo pipefail
cd "$(dirname "$0")/../.."
words=("$@")
[ ${#words[@]} -gt 0 ] || words=(demo)
mirror=${MIRROR:-http://deb.debian.org/debian}
machine=${FRESH_MACHINE:-}

if [ -z "$machine" ]; then
  machine=$(mktemp -d)
  chmod 755 "$machine" # apt downloads as a user of its own
  debootstrap --variant=minbase --include=git bookworm "$machine" "$mirror" >"$machine.log" 2>&1 ||
    { tail -n 5 "$machine.log"; echo "FAIL: debootstrap"; exit 1; }
  # What this machine reaches its mirror with, the new one needs too.
  cp /etc/resolv.conf "$machine/etc/resolv.conf"
  cp -r /etc/apt/apt.conf.d/. "$machine/etc/apt/apt.conf.d/"
fi
leave() { umount "$machine/proc" 2>/dev/null || true; }
trap leave EXIT
mount --bind /proc "$machine/proc"

folder=$machine/srv/amphibus
rm -rf "$folder"
git clone -q . "$folder"
debs=()
if [ -n "${AMPHIBUS_DEBS:-}" ]; then
  mkdir -p "$machine/srv/debs"
  cp "$AMPHIBUS_DEBS"/*.deb "$machine/srv/debs"
  debs=(AMPHIBUS_DEBS=/srv/debs)
  echo "packages come from the folder $AMPHIBUS_DEBS"
fi
echo "the machine: $machine (stays; FRESH_MACHINE=$machine uses it again)"
chroot "$machine" sh -c 'command -v g++ cmake ninja' && echo "note: this machine has a compiler already"

inside() { chroot "$machine" env -i HOME=/tmp PATH=/usr/sbin:/usr/bin:/sbin:/bin "${debs[@]}" "$@"; }
stamp=$SECONDS
inside /srv/amphibus/dev install-packages
printf 'time for the packages: %d s\n' $((SECONDS - stamp))
for round in "the first run, without the packages" "again"; do
  stamp=$SECONDS
  inside /srv/amphibus/dev "${words[@]}"
  printf 'time for %s: %d s\n' "$round" $((SECONDS - stamp))
done
