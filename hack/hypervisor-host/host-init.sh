#!/bin/bash
# The first process of a simulated hypervisor machine (its PID 1): mounts the machine's own directories over libvirt's,
# keeps virtlockd and libvirtd running, and reaps the guests' processes at once, without which every destroy takes two
# seconds. With its end the kernel ends everything else on the machine.
# $1: the machine's directory. $2: its host name.
set -u
cd /
hostname "$2"
# The devices of this network namespace, not those of the machine we are on.
mount -t sysfs sysfs /sys || exit 1
# libvirt asks for the address of its own name at every start, and waits ten seconds for a name server that is not there.
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$2" >"$1/hosts"
mount --bind "$1/hosts" /etc/hosts || exit 1
for pair in run:/run/libvirt etc:/etc/libvirt lib:/var/lib/libvirt cache:/var/cache/libvirt log:/var/log/libvirt; do
  mkdir -p "${pair#*:}"
  mount --bind "$1/${pair%%:*}" "${pair#*:}" || exit 1
done
echo 1 >/proc/sys/net/ipv4/ip_forward
# Holds the locks of the guests' disks. While it does not answer no guest is started.
(while :; do virtlockd -p /run/libvirt/virtlockd.pid; sleep 0.2; done) &
until [ -S /run/libvirt/virtlockd-sock ]; do sleep 0.05 & wait $!; done
while :; do
  while [ -e "$1/hold" ]; do sleep 0.1 & wait $!; done
  libvirtd -f /etc/libvirt/libvirtd.conf -p /run/libvirt/libvirtd.pid &
  wait $!
  sleep 0.2 & wait $!
done
