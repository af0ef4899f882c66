#!/bin/busybox sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=dash
#
# The first init of a kernel whose drivers are modules: inserts them, mounts the
# root that the kernel's command line names, as a kernel with the drivers does by
# itself, and goes on with its init.

fail() {
	echo "vmtest: $*"
	echo o >/proc/sysrq-trigger
	while :; do
		busybox sleep 1
	done
}

PATH=/bin
busybox mount -t proc proc /proc
for module in /modules/*; do
	busybox insmod "$module" || fail "cannot insert ${module##*/}"
done
read -r line </proc/cmdline
for word in $line; do
	case $word in
	root=*) root=${word#*=} ;;
	rootfstype=*) type=${word#*=} ;;
	rootflags=*) options=${word#*=} ;;
	init=*) init=${word#*=} ;;
	esac
done
busybox mount -t "$type" -o "ro${options:+,$options}" "$root" /root || fail "cannot mount the root"
busybox mount -t devtmpfs devtmpfs /root/dev || fail "cannot mount /dev"
busybox umount /proc
exec busybox switch_root /root "$init" "$@"
