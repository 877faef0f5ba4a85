#!/bin/sh
# Called by udhcpc with what the server offered in the environment.
case "$1" in
  deconfig) ip addr flush dev "$interface" ;;
  bound | renew)
    ip addr flush dev "$interface"
    ip addr add "$ip/${mask:-24}" dev "$interface"
    [ -n "$router" ] && ip route replace default via "${router%% *}" dev "$interface"
    [ "$1" = bound ] && echo "usher guest: address $ip on $interface" >/dev/console
    ;;
esac
