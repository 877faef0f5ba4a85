#!/usr/bin/env bash
# The Debian packages of a hypervisor with tiny guests, and Go. As root, installs those that are missing; as anybody
# else, says which command would, and what is left out without them. Never a reason to stop.
set -euo pipefail
cd "$(dirname "$0")/../.."
source hack/setup/timed.sh

case $(uname -m) in aarch64) emulator=qemu-system-arm ;; *) emulator=qemu-system-x86 ;; esac
packages=(
  "$emulator" qemu-utils                                                 # the guests
  libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients       # the hypervisor's daemon, and virsh
  busybox-static cpio kmod                                               # the image of a guest
  dnsmasq-base iptables iproute2 iputils-ping                            # its network
  libxml2-utils                                                          # xmllint, for virt-xml-validate
)
skipped='tests that need real QEMU guests are skipped, and the demo uses simulated hypervisors'

missing_packages() {
  local name
  for name in "${packages[@]}"; do
    dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || echo "$name"
  done
}

if ! command -v apt-get >/dev/null; then
  echo "This is not Debian: packages for a hypervisor are not installed ($skipped, where they are missing)."
  exit 0
fi

mapfile -t missing < <(missing_packages)
if [ "${#missing[@]}" -eq 0 ]; then
  :
elif [ "$(id -u)" -ne 0 ]; then
  echo "Packages for a hypervisor are missing: $skipped. To have them:"
  echo "  sudo apt-get install --no-install-recommends ${missing[*]}"
else
  export DEBIAN_FRONTEND=noninteractive
  echo "Missing Debian packages: ${missing[*]}"
  timed 'fetching the list of Debian packages' apt-get update &&
    timed 'installing the Debian packages' apt-get install -y --no-install-recommends "${missing[@]}" ||
    echo "Debian packages could not be installed: $skipped."
fi
mapfile -t missing < <(missing_packages)
if [ "${#missing[@]}" -eq 0 ]; then hack/setup/guest-kernel.sh; fi
hack/setup/go.sh
