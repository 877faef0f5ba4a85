#!/bin/sh
echo "usher guest: power button pressed, shutting down" >/dev/console
poweroff -f
