# Sourced by what needs a new Debian 12: make_machine sets `machine`, inside runs a command in it. Needs root, debootstrap and
# a mirror, or AMPHIBUS_DEBS with the .deb files and FRESH_MACHINE. MIRROR chooses the mirror, FRESH_MACHINE an existing
# chroot to use again.
machine=${FRESH_MACHINE:-}
machine_debs=()

# make_machine [PACKAGE,PACKAGE…]: a minimal system with these packages.
make_machine() {
  local mirror=${MIRROR:-http://deb.debian.org/debian}
  [ "$(id -u)" = 0 ] || { echo "FAIL: a new machine needs root: sudo -E $0"; return 1; }
  if [ -z "$machine" ]; then
    command -v debootstrap >/dev/null || { echo "FAIL: needs debootstrap: sudo apt-get install debootstrap"; return 1; }
    machine=$(mktemp -d)
    chmod 755 "$machine" # apt downloads as a user of its own
    debootstrap --variant=minbase ${1:+--include="$1"} bookworm "$machine" "$mirror" >"$machine.log" 2>&1 ||
      { tail -n 5 "$machine.log"; echo "FAIL: debootstrap"; return 1; }
    # What this machine reaches its mirror with, the new one needs too.
    cp /etc/resolv.conf "$machine/etc/resolv.conf"
    cp -r /etc/apt/apt.conf.d/. "$machine/etc/apt/apt.conf.d/"
  fi
  trap leave_machine EXIT
  mount --bind /proc "$machine/proc"
  if [ -n "${AMPHIBUS_DEBS:-}" ]; then
    mkdir -p "$machine/srv/debs"
    cp "$AMPHIBUS_DEBS"/*.deb "$machine/srv/debs"
    machine_debs=(AMPHIBUS_DEBS=/srv/debs)
    echo "packages come from the folder $AMPHIBUS_DEBS"
  fi
  echo "the machine: $machine (stays; FRESH_MACHINE=$machine uses it again)"
}
leave_machine() { umount "$machine/proc" 2>/dev/null || true; }

inside() {
  chroot "$machine" env -i HOME=/tmp PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "${machine_debs[@]}" "$@"
}
