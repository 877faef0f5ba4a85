#!/bin/bash
# The first process of a simulated hypervisor machine (its PID 1): mounts the machine's own directories over libvirt's,
# keeps libvirtd running, and reaps the guests' processes at once, without which every destroy takes two seconds.
# $1: the machine's directory. $2: its host name.
set -u
cd /
hostname "$2"
for pair in run:/run/libvirt etc:/etc/libvirt lib:/var/lib/libvirt cache:/var/cache/libvirt log:/var/log/libvirt; do
  mkdir -p "${pair#*:}"
  mount --bind "$1/${pair%%:*}" "${pair#*:}" || exit 1
done
echo 1 >/proc/sys/net/ipv4/ip_forward
while :; do
  libvirtd -f /etc/libvirt/libvirtd.conf -p /run/libvirt/libvirtd.pid &
  wait $!
  while [ -e "$1/hold" ]; do sleep 0.1 & wait $!; done
  sleep 0.2 & wait $!
done
