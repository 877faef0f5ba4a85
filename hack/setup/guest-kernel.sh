#!/usr/bin/env bash
# The kernel of the tiny guests: Debian's cloud kernel, unpacked into ~/.cache/usher/kernel. It is not installed, since what
# is installed is a kernel that this machine may boot itself. Needs no root. Where it cannot be had, says why, and is never
# a reason to stop.
set -euo pipefail
cd "$(dirname "$0")/../.."
source hack/setup/timed.sh

PATH=$PATH:/usr/sbin:/sbin # depmod
cache=${XDG_CACHE_HOME:-$HOME/.cache}/usher/kernel
left_out='tests that need real QEMU guests are skipped, and the demo uses simulated hypervisors'

give_up() {
  echo "There is no kernel for guests ($left_out): $1"
  exit 0
}

case $(uname -m) in
  x86_64) architecture=amd64 ;;
  aarch64) architecture=arm64 ;;
  *) give_up "none is known for $(uname -m)." ;;
esac
meta=linux-image-cloud-$architecture

already_there() {
  local kernel
  for kernel in "$cache"/*/boot/vmlinuz-*-cloud-"$architecture" /boot/vmlinuz-*-cloud-"$architecture"; do
    [ -r "$kernel" ] && return 0
  done
  return 1
}

packages() { apt-cache "${options[@]}" depends "$meta" 2>/dev/null | sed -nE 's/^ *Depends: (linux-image-[0-9].*)/\1/p'; }

# Into the working directory. The machine's own lists of packages may be missing, or so old that the mirror has newer ones.
download() {
  local package
  options=()
  package=$(packages)
  [ -n "$package" ] && timed "fetching $package" apt-get -o APT::Sandbox::User=root download "$package" && return 0
  mkdir -p lists/partial cache/archives/partial
  options=(-o "Dir::State::lists=$PWD/lists" -o "Dir::Cache=$PWD/cache" -o APT::Sandbox::User=root)
  timed 'fetching the list of Debian packages' apt-get "${options[@]}" update || return 1
  package=$(packages)
  [ -n "$package" ] || give_up "the package sources of this machine have no $meta, as Debian's have."
  timed "fetching $package" apt-get "${options[@]}" download "$package"
}

unpack() { # a kernel package; its list of modules is what installing it would write
  dpkg-deb -x "$1" root || return 1
  [ -e root/lib ] || ln -s usr/lib root/lib # as the whole system has it, since Debian 13
  depmod -b "$PWD/root" "$(basename root/boot/vmlinuz-* | sed 's/^vmlinuz-//')"
}

already_there && exit 0
for program in apt-get apt-cache dpkg-deb depmod; do
  command -v "$program" >/dev/null || give_up "$program, with which it is fetched and unpacked, is missing."
done
mkdir -p "$cache"
work=$(mktemp -d "$cache/.fetching-XXXXXX")
trap 'rm -rf "$work"' EXIT
(
  cd "$work"
  download || give_up "$meta could not be fetched."
  timed 'unpacking the kernel of the guests' unpack ./linux-image-*.deb || give_up 'the package could not be unpacked.'
  name=$(basename ./linux-image-*.deb)
  mv -T root "$cache/${name%%_*}" 2>/dev/null || true # somebody else was faster: theirs is the same
)
