#!/bin/bash
# The first process of a simulated hypervisor machine (its PID 1): mounts the machine's own directories over libvirt's,
# keeps virtlockd and libvirtd running, and reaps the guests' processes at once, without which every destroy takes two
# seconds. With its end the kernel ends everything else on the machine.
# $1: the machine's directory. $2: its host name. $3: the name of its cgroups; empty where there are none. Then: other
# directories that its guests use.
set -u
cd /
hostname "$2"
# Guests run as a user of their own, who could not enter a closed home or temporary directory. On this machine such a
# one is replaced by one that holds nothing but what guests need.
closed_on_the_way_to() {
  local way=
  while IFS= read -r -d / part; do
    [ -z "$part" ] && continue
    way=$way/$part
    case $(stat -c %A "$way" 2>/dev/null) in d????????[xt]) ;; d*) printf '%s' "$way" && return ;; esac
  done <<<"$1/"
}
mount -t tmpfs tmpfs /mnt || exit 1
index=0
for directory in "$1" "${@:4}"; do
  index=$((index + 1))
  mkdir "/mnt/$index" && mount --bind "$directory" "/mnt/$index" || exit 1
done
index=0
for directory in "$1" "${@:4}"; do
  index=$((index + 1))
  closed=$(closed_on_the_way_to "$directory")
  [ -n "$closed" ] && { mount -t tmpfs -o mode=0755 tmpfs "$closed" || exit 1; }
  [ -d "$directory" ] || mkdir -p "$directory"
  mount --bind "/mnt/$index" "$directory" || exit 1
done
# On real machines udev lets everybody use it. Where libvirt finds that its guests may not, it looks again at every call.
[ -c /dev/kvm ] && mknod -m 0666 /mnt/kvm c $(stat -c '0x%t 0x%T' /dev/kvm) && mount --bind /mnt/kvm /dev/kvm
umount -l /mnt
# The devices of this network namespace, not those of the machine we are on.
for controller in ${3:+cpu cpuacct}; do
  mkdir -p "$1/cgroup/$controller"
  mount --bind "/sys/fs/cgroup/$controller/$3" "$1/cgroup/$controller" || exit 1
done
umount --recursive --lazy /sys
mount -t sysfs sysfs /sys || exit 1
if [ -n "$3" ]; then mount -t tmpfs tmpfs /sys/fs/cgroup || exit 1; fi
for controller in ${3:+cpu cpuacct}; do
  mkdir "/sys/fs/cgroup/$controller"
  mount --move "$1/cgroup/$controller" "/sys/fs/cgroup/$controller" || exit 1
done
# libvirt asks for the address of its own name at every start, and waits ten seconds for a name server that is not there.
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$2" >"$1/hosts"
mount --bind "$1/hosts" /etc/hosts || exit 1
for pair in run:/run/libvirt etc:/etc/libvirt lib:/var/lib/libvirt cache:/var/cache/libvirt log:/var/log/libvirt; do
  mkdir -p "${pair#*:}"
  mount --bind "$1/${pair%%:*}" "${pair#*:}" || exit 1
done
echo 1 >/proc/sys/net/ipv4/ip_forward
# GLib before 2.76 allocates under a lock of its own, which a process that libvirtd has just forked may find held for ever:
# libvirtd answers nobody then. It happens where several guests start at once and disks are locked.
export G_SLICE=always-malloc
# Holds the locks of the guests' disks. While it does not answer no guest is started.
(while :; do virtlockd -p /run/libvirt/virtlockd.pid; sleep 0.2; done) &
until [ -S /run/libvirt/virtlockd-sock ]; do sleep 0.05 & wait $!; done
while :; do
  while [ -e "$1/hold" ]; do sleep 0.1 & wait $!; done
  libvirtd --listen -f /etc/libvirt/libvirtd.conf -p /run/libvirt/libvirtd.pid &
  wait $!
  sleep 0.2 & wait $!
done
