#!/bin/bash
# The first process of a host: PID 1 of its own PID namespace. It gives libvirt directories of its own, then reaps
# whatever loses its parent, as an init must: libvirt waits two seconds for every QEMU that nobody reaps. With its end
# the kernel ends everything else in the namespaces and takes the namespaces away.
set -eu
directory=$1 name=$2
hostname "$name"
mount -t sysfs sysfs /sys
mount --bind "$directory/hosts" /etc/hosts
for part in run/libvirt etc/libvirt var/lib/libvirt var/cache/libvirt var/log/libvirt; do
  mkdir -p "/$part"
  mount --bind "$directory/$part" "/$part"
done
touch "$directory/ready"
while :; do
  sleep 86400 &
  wait "$!" || true
done
