#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# boot.sh KIND SUITES CONSOLE [TESTS]: boot the kernel KIND in QEMU, run SUITES
# (comma separated) in it, keep what the console says in the file CONSOLE. The
# last line of the file tells how the guest ended:
#   HOST end | HOST hang SECONDS | HOST limit SECONDS
# Judging is somebody else's job.
#
# bench and bench-memcg are booted for measuring: one processor, whose clock
# counts instructions, so that the same comes out on every machine.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

kind=$1
suites=$2
console=$3
tests=${4:-}
out=$WORK/$kind
KERNEL=${KERNEL:-$out/arch/x86/boot/bzImage}
INITRAMFS=${INITRAMFS:-$out/initramfs}
MEMORY=3072

# The hang limit: so long without a line is a hang. The other bounds a guest
# that talks for ever.
QUIET=${LAB_QUIET_LIMIT:-300}
LIMIT=${LAB_LIMIT:-2400}

probe=$WORK/accel

# Only the lab's own tests set this.
KVM=${LAB_KVM:-/dev/kvm}

need_memory()
{
	local free

	free=$(free_memory)
	[ "$free" -ge $((MEMORY + 512)) ] ||
		die "too little memory: the guest takes $MEMORY MB and $free MB are free"
}

case $kind in
bench-locks)
	# The benchmark has eight threads at most. Of more processors QEMU takes no more
	# than 255, and the guest's kernel 64.
	cpus=$(nproc)
	machine=(-cpu max -smp "$((cpus < 8 ? cpus : 8))" -m "$MEMORY")
	kernel_arguments="mitigations=off nokaslr norandmaps rcupdate.rcu_cpu_stall_timeout=300"
	;;
bench*)
	machine=(-accel "tcg,thread=single" -icount "shift=0,sleep=off"
		 -rtc "base=2020-01-01,clock=vm" -cpu "${BENCH_CPU:-max}" -smp 1
		 -m "$MEMORY")
	kernel_arguments="${BENCH_ARGS:-mitigations=off nokaslr} norandmaps"
	;;
*)
	# The guest turns its second processor on when it is set up: booting and
	# setting up patch the kernel's code again and again, and an emulator
	# with threads may run a mix of the old and the new.
	machine=(-cpu max -smp "2,sockets=2" -m "$MEMORY"
		 -object "memory-backend-ram,id=m0,size=$((MEMORY / 2))M"
		 -object "memory-backend-ram,id=m1,size=$((MEMORY / 2))M"
		 -numa "node,cpus=0,memdev=m0" -numa "node,cpus=1,memdev=m1")
	# While the kernel identifies its boot processor it doesn't know for some
	# microseconds that it has five levels of page tables, and an interrupt
	# makes KASAN take all of memory for wild addresses: four will do.
	kernel_arguments="no5lvl maxcpus=1 movablecore=1G numa_balancing=disable rcupdate.rcu_cpu_stall_timeout=300"
	;;
esac

# CONFIG_PAGE_POISONING does nothing unless it is asked for here: a frame that
# somebody still writes to when it is free is told of when it is taken next.
[ "$kind" != debug ] || kernel_arguments="$kernel_arguments page_poison=1"

talk=ignore_loglevel

# qemu ACCEL ARGUMENTS OUTPUT
qemu()
{
	[ -z "$1" ] || machine+=(-accel "$1")
	exec qemu-system-x86_64 "${machine[@]}" \
		-nodefaults -no-user-config -display none -no-reboot -monitor none \
		-serial "$3" -kernel "$KERNEL" -initrd "$INITRAMFS" \
		-append "console=ttyS0 no_timer_check panic=-1 oops=panic printk.devkmsg=on log_buf_len=4M $talk transparent_hugepage=madvise $kernel_arguments ${2}"
}

# watch PID FILE QUIET LIMIT: wait for the guest; say how it ended
watch()
{
	local pid=$1 file=$2 size last=-1 start=$SECONDS since=$SECONDS how=end rc=0

	while kill -0 "$pid" 2>/dev/null; do
		size=$(stat -c %s "$file" 2>/dev/null || echo 0)
		if [ "$size" != "$last" ]; then
			last=$size
			since=$SECONDS
		elif [ $((SECONDS - since)) -ge "$3" ]; then
			how="hang $3"
			break
		fi
		if [ $((SECONDS - start)) -ge "$4" ]; then
			how="limit $4"
			break
		fi
		[ -z "${SHOW:-}" ] || show_tests "$file" "$start"
		sleep 0.5
	done
	if [ "$how" != end ]; then
		kill -KILL "$pid" 2>/dev/null || :
	fi
	wait "$pid" || rc=$?
	case $how-$rc in
	end-0 | hang* | limit*) ;;
	end-137) how="qemu killed" ;;
	*) how="qemu failed" ;;
	esac
	printf '%s\n' "$how"
}

show_tests()
{
	printf '\r\033[K%s kernel: %s tests done, %s' "$kind" \
		"$(grep -c -E 'LAB\| (not )?ok ' "$1" || :)" \
		"$(duration $((SECONDS - $2)))" >&2
}

# choose_accel: kvm only where a guest really comes up with it
choose_accel()
{
	local tcg=tcg,thread=multi pid how

	if [ ! -w "$KVM" ]; then
		if [ -e "$KVM" ]; then
			say "QEMU: this user may not open $KVM (group kvm?), emulating (TCG)" >&2
		else
			say "QEMU: no KVM on this machine, emulating (TCG)" >&2
		fi
		printf '%s' "$tcg"
		return
	fi
	( qemu kvm "lab.suites=" "file:$probe.console" ) >"$probe.log" 2>&1 </dev/null &
	pid=$!
	SHOW='' watch "$pid" "$probe.console" 20 60 >"$probe.how"
	how=$(cat "$probe.how")
	if [ "$how" = end ] && grep -q 'LAB done' "$probe.console"; then
		printf 'kvm'
	else
		say "QEMU: KVM is there, but no guest comes up with it ($how): emulating (TCG)" >&2
		printf '%s' "$tcg"
	fi
}

command -v qemu-system-x86_64 >/dev/null ||
	die "qemu-system-x86_64 is missing; Debian: qemu-system-x86, Fedora: qemu-system-x86-core, Arch: qemu-system-x86"
need_memory
mkdir -p "$LOGS" "$(dirname "$console")"
[ -n "${LAB_SHELL:-}" ] || rm -f "$console" "$console.tmp"
rm -f "$probe.console"
case $kind in
bench | bench-memcg) accel= ;;
*) accel=${LAB_ACCEL:-$(choose_accel)} ;;
esac

if [ -n "${LAB_SHELL:-}" ]; then
	# Who works in a shell reads the kernel's messages with dmesg.
	talk="quiet loglevel=3"
	qemu "$accel" "lab.suites=shell" mon:stdio
fi

start=$SECONDS
: >"$console.tmp"
( qemu "$accel" "lab.suites=$suites${tests:+ lab.tests=$tests}" \
	"file:$console.tmp" ) >"$LOGS/qemu-$kind.log" 2>&1 </dev/null &
pid=$!
trap 'kill -KILL "$pid" 2>/dev/null || :; rm -f "$console.tmp"' EXIT
SHOW=
! is_terminal || SHOW=1
# wait needs the child in this very shell
watch "$pid" "$console.tmp" "$QUIET" "$LIMIT" >"$console.how"
how=$(cat "$console.how")
rm -f "$console.how"
[ -z "$SHOW" ] || printf '\r\033[K' >&2
if [ "$how" = "qemu killed" ]; then
	die "QEMU was killed, as it is for want of memory: the guest takes $MEMORY MB"
elif [ "$how" = "qemu failed" ]; then
	tail -n 5 "$LOGS/qemu-$kind.log" | sed 's/^/  | /' >&2
	die "QEMU failed; the log is $LOGS/qemu-$kind.log"
fi
printf '\nHOST %s\n' "$how" >>"$console.tmp"
mv -f "$console.tmp" "$console"
trap - EXIT
say "booting the $kind kernel ($suites): $(duration $((SECONDS - start)))"
