#!/bin/sh
# The first program of the tiny guest: says on the serial console what it does, asks for an address, obeys the power
# button, and can be told on the kernel's command line to misbehave:
#   usher.poweroff=N  powers itself off after N seconds     usher.panic=N  its kernel panics after N seconds
#   usher.burn=N      keeps one CPU busy for N seconds      usher.alloc=N  holds N MiB of memory
#   usher.deaf=1      ignores the power button              usher.count=1  counts on the console, once a second
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "/lib/modules/$module" 2>/dev/null; done </lib/modules/order

say() { echo "usher guest: $*" >/dev/console; }
option() { tr ' ' '\n' </proc/cmdline | sed -n "s/^usher\.$1=//p" | tail -n 1; }
busy() { while :; do :; done; }

say "up after $(cut -d' ' -f1 /proc/uptime) s, $(nproc) CPUs, $(sed -n 's/^MemTotal: *//p' /proc/meminfo) of memory"

# What acpid listens on comes with the button's driver, a moment after it was loaded. Without -d it wants a log file.
[ -n "$(option deaf)" ] || (until [ -e /dev/input/event0 ]; do usleep 100000; done; exec acpid -d -f >/dev/null 2>&1) &

ip link set lo up
for card in /sys/class/net/eth*; do
  [ -e "$card" ] || continue
  name=${card##*/}
  ip link set "$name" up
  udhcpc -i "$name" -s /etc/dhcp.sh -t 30 -T 1 -b >/dev/null 2>&1 &
done

poweroff=$(option poweroff) panic=$(option panic) burn=$(option burn) alloc=$(option alloc)
[ -n "$poweroff" ] && { sleep "$poweroff"; say "powering itself off"; poweroff -f; } &
[ -n "$panic" ] && { sleep "$panic"; say "panicking"; echo c >/proc/sysrq-trigger; } &
[ -n "$burn" ] && { busy & sleep "$burn"; kill $!; } &
[ -n "$alloc" ] && dd if=/dev/zero of=/tmp/held bs=1M count="$alloc" 2>/dev/null &

[ -n "$(option count)" ] && { n=0; while :; do n=$((n + 1)); say "count $n"; sleep 1; done; } &

say "ready"
say "press Enter for a shell"
# Not before somebody asks: the shell's questions to a terminal would stand in the log of the console.
while read -r _ </dev/ttyS0; do setsid cttyhack sh </dev/ttyS0 >/dev/ttyS0 2>&1; done
while :; do sleep 3600; done
