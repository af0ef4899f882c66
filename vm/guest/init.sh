#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's init. The host's (or another) root is mounted read-only over 9p as
# /. This puts a writable overlay on it, mounts what the host's table says, runs
# one command, reports how it ended, and ends the machine.
#
# Every program started here costs a fork, and an exec over 9p under emulation:
# 50 to 80 ms if it is linked dynamically, 10 if it is a static busybox. That is
# why so much is done by the shell itself, and why busybox is preferred.
#
# The control port is the first port of the first virtio-serial device. The guest
# sends `hello`, to which the host has sent the answer already, unless this is a
# crash kernel that took over: two lines. The first begins with `mounts=`, and
# assigns:
#   mounts       fstab(5) of what is mounted before the root is changed
#   directories  quoted words: directories to make before
#   package      the package: the working directory of the mounts
#   early_mounts, late_mounts  quoted words, four for each mount: the directory,
#                type, options and source of what is mounted before the package
#                is entered, and after the root is changed
#   late_directories  quoted words: directories to make for late_mounts
#   directory    where the command runs
#   stdin, stdout, stderr  1 if the stream has a port (2, 3 and 4); stderr may be
#                `stdout`, to go where that goes
#   module       a module to insert before the command starts
#   hostname     of the guest, with or without a domain
#   network      1 if there is QEMU's user-mode network
#   drivers      modules of the package to insert
#   nodes        quoted words, five for each device node: its mode, name below /dev,
#                type, and numbers
#   closed       quoted words: files of /etc that the host's user cannot read
#   overlay_disk a disk for what the guest writes, and does not fit in memory
#   overlay_size how many bytes that may be
#   readonly     disks that are only read
#   owner        UID:GID of the command's user, if there is one
#   terminal     the device of port 0, if the command runs on it instead
#   rows, columns  size of that terminal
#   writable     1 if a share is writable
#   leaks        1 if a kernel that can is to look for lost memory
#   keep         1 if the guest does not end itself
# The second, which is the command's own, exports its environment, sets its words,
# and limits what it may use. Newlines in values are written as $n. The guest sends
# `ready`, `full` if what it writes has no space left, `exit STATUS` when the command
# has ended and `done` when all of its output has been sent; or `fail WHAT`.
#
# From `ready` on, each line is a script for this shell: `resize`, `leave`, or what
# `enter` starts, another command beside the first. Its streams are the port $first,
# which the first command has as 2, and the two after it; with $terminal, all are the
# first. Then `ready`, `exit STATUS` and `done` are followed by the number of that port,
# and so is `gone`, when the guest has seen that the ports are gone.

# shellcheck disable=SC2154 # assigned by what is evaluated

PATH=/usr/sbin:/usr/bin:/sbin:/bin
# shellcheck disable=SC2034 # used by what is evaluated
n='
'
state=/run/vmtest
# Where it is no link, to save a look at one each time.
busybox=/usr/bin/busybox
[ -x $busybox ] || busybox=/bin/busybox
[ -x $busybox ] || busybox=

# Run one of the tools that both busybox and a GNU userland have. It is no
# error if this busybox lacks it, or cannot run at all.
tool() {
	if [ "$busybox" ]; then
		"$busybox" "$@"
		result=$?
		case $result in
		126 | 127) ;;
		*) return $result ;;
		esac
	fi
	"$@"
}

# Run a script that only calls tools, with arguments, and stop at the first that
# fails: by one busybox, whose shell has them built in.
batch() {
	if [ "$busybox" ]; then
		"$busybox" sh -ec "$@"
		result=$?
		case $result in
		126 | 127) ;;
		*) return $result ;;
		esac
	fi
	(
		set -e
		script=$1
		shift 2
		eval "$script"
	)
}

# A reset, which every machine has, ends QEMU as powering off does; and it does
# not wait for devices.
halt() {
	echo b >/proc/sysrq-trigger
	while :; do
		read -r _ <&3
	done
}

# Nearly always it is there already, and there is nothing to wait on.
wait_for() {
	until [ -c "$1" ]; do :; done
}

fail() {
	echo "fail $*" >&3
	halt
}

# Four words for each mount. A path is never in an fstab, where not all can be.
mount_each() {
	while [ $# -gt 0 ]; do
		cd "$1" || fail "enter a share's directory"
		tool mount -t "$2" -o "$3" "$4" . || fail "mount a share"
		shift 4
	done
}

# Files of /etc, in the overlay's upper directory: to have the overlay copy what it
# replaces costs more. $@: those that the host's user cannot read.
make_settings() {
	cd $state/upper/etc || fail "enter /etc"
	sudoers=sudoers.d/vmtest
	if [ $# -gt 0 ]; then
		umask 077
		for word in "$@"; do
			[ "$word" = sudoers ] || : >"$word"
			[ "$word" != sudoers ] || sudoers=sudoers
		done
		# From passwd(5), shadow(5), and from group(5), gshadow(5).
		tool sed -n \
			-e 's/^\([^:]*\)\(:[^:]*\)\{6\}$/\1:*:19000:0:99999:7:::/w shadow' \
			-e 's/^\([^:]*\):[^:]*:[^:]*:\([^:]*\)$/\1:*::\2/w gshadow' \
			/etc/passwd /etc/group || fail "make accounts"
	fi
	# The mode that visudo(8) wants.
	umask 337
	[ ! -d sudoers.d ] || echo 'ALL ALL=(ALL:ALL) NOPASSWD: ALL' >$sudoers
	umask 022
	echo "$hostname" >hostname
	[ -z "$network" ] || echo "nameserver 10.0.2.3" >resolv.conf
}

# Lines more in files of /etc.
add_settings() {
	words=$hostname
	[ "${hostname%%.*}" = "$hostname" ] || words="$hostname ${hostname%%.*}"
	echo "${n}127.0.1.1 $words" >>/etc/hosts
	# Trees belong to the host's users, and the guest's root works in them.
	echo "${n}[safe]${n}directory = *" >>/etc/gitconfig
	[ ! -d /etc/mercurial ] || echo "[trusted]${n}users = *" >>/etc/mercurial/hgrc
}

# Five words for each device node. A root that lacks mknod does without.
make_nodes() {
	while [ $# -gt 0 ]; do
		tool mknod -m "$1" "/dev/$2" "$3" "$4" "$5"
		shift 5
	done
}

# $1: a module of the package, which is entered. What it needs comes first, and
# may be there already; modprobe takes ten times as long.
load() {
	while read -r name words; do
		[ "$name" = "$1:" ] || continue
		name=$1
		for word in $words; do
			name="$word $name"
		done
		for word in $name; do
			case $word in
			*.ko) tool insmod "$word" ;;
			# What busybox cannot unpack.
			*) insmod "$word" ;;
			esac 2>/dev/null
			result=$?
		done
		return "$result"
	done <modules.dep
}

# Addresses are QEMU's, see vm/qemu/qemu.h.
start_network() {
	set -- /sys/bus/virtio/drivers/virtio_net/virtio*/net/*
	[ -e "$1" ] || fail "start the network: the kernel finds no device of virtio_net"
	device=${1##*/}
	words="ip address add 10.0.2.15/24 dev $device
ip link set up dev $device
ip route add default via 10.0.2.2"
	# No other has these: there is nothing to ask for, and nothing to wait for.
	ipv6=/proc/sys/net/ipv6/conf/$device
	if [ -e "$ipv6" ]; then
		echo 0 >"$ipv6/accept_ra"
		echo 0 >"$ipv6/dad_transmits"
		words="$words
ip -6 address add fec0::15/64 dev $device
ip -6 route add default via fec0::2"
	fi
	batch "$words" sh || fail "start the network"
}

insert() {
	words=$(tool insmod "$module" 2>&1) || fail "insert a module: ${words%%"$n"*}"
}

# Say so if a command may have failed for lack of space.
report_full() {
	case $(tool df -P $state $state/tmp) in
	*' 100% '*) echo full >&3 ;;
	esac
}

# A command's own background processes would hold its pipes open for ever.
# $@: what says of a process, the last word, whether it is one of them. Kernel
# threads have no exe.
kill_each() {
	more=1
	pass=0
	while [ "$more" ] && [ $pass -lt 20 ]; do
		more=
		pass=$((pass + 1))
		for process in /proc/[0-9]*; do
			process=${process#/proc/}
			[ -e "/proc/$process/exe" ] || continue
			"$@" "$process" || continue
			kill -9 "$process" && more=1
		done
	done 2>/dev/null
}

# Set the parent and the session of a process. Its name, in front, can hold anything.
find_family() {
	read -r words <"/proc/$1/stat" || return
	# shellcheck disable=SC2086 # a list
	set -- ${words##*) }
	parent=$2
	session=$4
}

# $1: a session; $2: a process.
is_in_session() {
	find_family "$2" && [ "$session" = "$1" ]
}

# $1: words that are left alone; $2: a process.
is_leftover() {
	case " 1 $1 " in
	*" $2 "*) return 1 ;;
	esac
	# Those who have come in may stay.
	[ "$keep" ] || return 0
	find_family "$2" || return 0
	for file in "$state"/*.owner "$state"/*.leader; do
		read -r words <"$file"
		case " $2 $parent $session " in
		*" $words "*) return 1 ;;
		esac
	done
}

# To be run in the background: copy stdin to stdout.
relay() {
	exec 3>&-
	[ -z "$busybox" ] || exec "$busybox" cat
	exec cat
}

# Lost is what two scans find unchanged, five seconds after it was allocated. Unless
# it is verbose, the kernel only counts it on the console.
find_leaks() {
	kmemleak=/sys/kernel/debug/kmemleak
	[ "$leaks" ] && [ -e $kmemleak ] || return
	echo 1 >/sys/module/kmemleak/parameters/verbose
	echo scan >$kmemleak
	tool sleep 5
	echo scan >$kmemleak
}

# A new port is there before it is connected, and to be read empty until then; it is
# written to when it is. Nobody reads that, but for a terminal, which ignores it.
open_port() {
	wait_for "$port$first"
	exec 4<>"$port$first"
	[ "$first" = 2 ] || printf '\0' >&4
}

# From ports to pipes: these can be opened only once, and a pipe again, which is what
# /dev/stdout and its like are for.
open_pipes() {
	in=/dev/null out=/dev/null err=/dev/null relays=
	set -- ${stdin:+$state/$first.0} ${stdout:+$state/$first.1}
	[ "$stderr" != 1 ] || set -- "$@" $state/$first.2
	[ $# = 0 ] || tool mkfifo "$@" || fail "mkfifo"
	[ -z "$owner" ] || [ $# = 0 ] || tool chown "$owner" "$@" || fail "chown"
	if [ "$stdin" ]; then
		in=$state/$first.0
		open_port
		relay <&4 >"$in" &
		exec 4>&-
	fi
	if [ "$stdout" ]; then
		out=$state/$first.1
		wait_for "$port$((first + 1))"
		relay <"$out" >"$port$((first + 1))" &
		relays=$!
	fi
	if [ "$stderr" = stdout ]; then
		err=$out
	elif [ "$stderr" ]; then
		err=$state/$first.2
		wait_for "$port$((first + 2))"
		relay <"$err" >"$port$((first + 2))" &
		relays="$relays $!"
	fi
}

# shellcheck disable=SC2120 # its words are set by what is evaluated
run_with_pipes() {
	open_pipes
	echo ready >&3
	(
		exec 3>&-
		cd "$directory" || exit 125
		eval "$command"
		# shellcheck disable=SC2119,SC2120 # set by what was evaluated
		exec "$@"
	) <"$in" >"$out" 2>"$err"
	status=$?
	[ $status = 0 ] || report_full
	find_leaks
	echo "exit $status" >&3
	kill_each is_leftover "$relays"
	# shellcheck disable=SC2086 # a list
	[ -z "$relays" ] || wait $relays
}

run_on_terminal() {
	wait_for "$terminal"
	[ -z "$owner" ] || tool chown "$owner" "$terminal" || fail "chown"
	echo "$terminal" >$state/$first.tty
	echo ready >&3
	# The leader of a session gets the first terminal it opens as its own.
	# The size is set there, since a terminal forgets it with the last close.
	# shellcheck disable=SC2016 # expanded by the other shell
	tool setsid /bin/sh -c '
		exec 3>&- <"$6" >"$6" 2>&1
		stty rows "$4" cols "$5"
		cd "$1" || exit 125
		n=$3
		eval "$2"
		exec "$@"
	' sh "$directory" "$command" "$n" "$rows" "$columns" "$terminal"
	status=$?
	[ $status = 0 ] || report_full
	find_leaks
	echo "exit $status" >&3
	kill_each is_leftover ''
}

# Run a function in the background, but not by `&`: what a shell starts so ignores
# SIGINT for ever. The process between the two is killed as it waits. $process is the
# new one's number.
# shellcheck disable=SC2030 # where it is used
detach() {
	{
		(
			(
				read -r process _ _ parent _ </proc/self/stat
				kill -9 "$parent"
				"$@"
			)
			:
		)
	} 2>/dev/null
}

# Do what the host says, until it ends the guest.
serve() {
	# shellcheck disable=SC2031 # set by detach
	echo "$process" >$state/0.owner
	while IFS= read -r line; do
		eval "$line"
	done <&3
}

# $1, $2: rows and columns; $3: a command's first port.
resize() {
	read -r terminal <"$state/$3.tty" &&
		tool stty rows "$1" cols "$2" <"$terminal"
}

# Start another command.
enter() {
	tool rm -f $state/"$first".*
	home=/run/user/${owner%:*}
	[ -z "$owner" ] || [ -d "$home" ] || {
		tool mkdir -p -m 700 "$home" && tool chown "$owner" "$home"
	}
	detach run_beside
}

# End it. $1: its first port.
leave() {
	: >"$state/$1.left"
	end_session "$1"
}

end_session() {
	read -r leader <"$state/$1.leader" && kill_each is_in_session "$leader"
}

# It leads a session, by which all that it has started is found.
run_beside() {
	fail() {
		echo "exit 125 $first${n}done $first" >&3
		exit
	}
	# shellcheck disable=SC2031 # set by detach
	echo "$process" >"$state/$first.owner"
	relays=
	script="exec 3>&- 4>&-
echo \$\$ >$state/$first.leader
[ ! -e $state/$first.left ] || exit"
	[ -z "$terminal" ] || script="$script
tty >$state/$first.tty
stty echo rows $rows cols $columns
[ -z '$owner' ] || chown '$owner' \"\$(tty)\""
	# It has an environment, which is not for all to read.
	umask 077
	printf '%s\n' "$script" "n='$n'" "$command" 'exec "$@"' >"$state/$first.sh"
	umask 022
	if [ "$terminal" ]; then
		open_port
		echo "ready $first" >&3
		SHELL=/bin/sh script -qec "exec /bin/sh $state/$first.sh" /dev/null \
			<&4 >&4 2>&4
	else
		open_pipes
		echo "ready $first" >&3
		tool setsid /bin/sh "$state/$first.sh" <"$in" >"$out" 2>"$err"
	fi
	status=$?
	echo "exit $status $first" >&3
	end_session "$first"
	# shellcheck disable=SC2086 # a list
	[ -z "$relays" ] || wait $relays
	[ -z "$writable" ] || tool sync
	echo "done $first" >&3
	until [ ! -c "$port$first" ] && [ ! -c "$port$((first + 1))" ] &&
		[ ! -c "$port$((first + 2))" ]; do
		tool sleep 0.1
	done
	echo "gone $first" >&3
}

# The number of the device is not for us to choose.
until [ -c "$1" ]; do
	set -- /dev/vport*p1
done
port=${1%1}
exec 3<>"$1"
echo hello >&3
# Behind what a kernel that has crashed did not read.
until [ "${setup#mounts=}" != "$setup" ]; do
	IFS= read -r setup <&3
done
IFS= read -r command <&3
eval "$setup"

tool mount -a -T "${0%/*}/fstab" || fail "mount /proc and /run"
: >/run/utmp
# To mount bpf, the kernel asks for a module that hardly any kernel has, and
# starting modprobe for it takes longer than all the mounts do.
modprobe=/proc/sys/kernel/modprobe
if [ -e $modprobe ]; then
	read -r program <$modprobe
	echo >$modprobe
fi
# One cp of links that are made already, beside this script, instead of many ln.
tool cp -RP "${0%/*}/dev" "${0%/*}/run" / || fail "make links in /dev and /run"
eval "tool mkdir -p $state/root $state/upper/etc $state/old /dev/pts /dev/shm $directories" ||
	fail "mkdir"
eval "make_nodes $nodes"
eval "mount_each $early_mounts"
eval "make_settings $closed"
cd "$package" || fail "enter the kernel's package"
# Without modprobe, which takes ten times as long.
binfmt_misc=/proc/sys/fs/binfmt_misc
if [ -e kernel/fs/binfmt_misc.ko ] && tool insmod kernel/fs/binfmt_misc.ko &&
	[ -d $binfmt_misc ]; then
	mounts="${mounts}binfmt_misc $state/root$binfmt_misc binfmt_misc nosuid,nodev,noexec 0 0$n"
fi
for driver in $drivers; do
	load "$driver" || fail "insert $driver"
done
# QEMU tells the guest so, but for nvme.
for word in $readonly; do
	tool blockdev --setro "$word"
done
echo "$mounts" >$state/fstab
tool mount -a -T $state/fstab || fail "mount the guest's file systems"
cd $state/root || fail "cd"
tool pivot_root . run/vmtest/old || fail "change the root"
tool umount -l run/vmtest/old || fail "leave the old root"
[ -z "$late_directories" ] || eval "tool mkdir -p $late_directories" ||
	fail "mkdir for shares"
eval "mount_each $late_mounts"
cd /
[ -z "$program" ] || echo "$program" >$modprobe
# IFF_UP; it gets its address from the kernel.
[ ! -e /sys/class/net/lo/flags ] || echo 1 >/sys/class/net/lo/flags
[ -z "$network" ] || start_network
# ping(8) of all users, whose capability a share does not have: as systemd does.
ping=/proc/sys/net/ipv4/ping_group_range
[ ! -e $ping ] || echo "0 2147483647" >$ping
echo "$hostname" >/proc/sys/kernel/hostname
add_settings
[ ! -e /proc/sys/kernel/sysrq ] || echo 1 >/proc/sys/kernel/sysrq
# The controllers that the kernel has, for control groups below the root.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
	read -r controllers </sys/fs/cgroup/cgroup.controllers
	words=
	for word in $controllers; do
		words="$words +$word"
	done
	echo "$words" >/sys/fs/cgroup/cgroup.subtree_control
fi

if [ "$overlay_disk" ]; then
	# Above what there may be of memory, that swaps.
	tool mkswap "$overlay_disk" >/dev/null || fail "make swap"
	tool swapon "$overlay_disk" || fail "swap"
	for word in /run $state/tmp; do
		tool mount -t tmpfs -o "remount,size=$overlay_size" tmpfs "$word" ||
			fail "resize $word"
	done
fi

# In a crash kernel it is the dump's module that one looks at.
[ -z "$module" ] || [ -e /proc/vmcore ] || insert

first=2
detach serve
if [ "$terminal" ]; then
	run_on_terminal
else
	# shellcheck disable=SC2119
	run_with_pipes
fi
[ -z "$writable" ] || tool sync
echo "done" >&3
# It waits for what is orphaned, too.
while [ "$keep" ]; do
	tool sleep 86400
done
halt
