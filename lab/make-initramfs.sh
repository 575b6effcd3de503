#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make-initramfs.sh KIND: compile the test programs against the headers of the
# tree and pack the guest's root for the kernel KIND.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

kind=$1
out=$WORK/$kind
bin=$WORK/guest/bin
card=$WORK/guest/card
vm=$TREE/tools/testing/selftests/vm
nouveau=$TREE/tools/testing/selftests/drivers/nouveau

compile()
{
	local cc prog

	cc="$(ccache_prefix)$(target_cc)"
	export CCACHE_DIR=${CCACHE_DIR:-$BUILD/ccache}
	mkdir -p "$bin"
	# shellcheck disable=SC2086
	$cc -static -O2 -g0 -w -I"$vm" -isystem "$LAB/guest/include" \
		-isystem "$out/usr/include" -fmacro-prefix-map="$vm/"= \
		-o "$bin/hmm-tests" "$LAB/guest/choose-tests.c" \
		-lpthread || return 1
	sed -n 's/^\(run\|as_nobody\) [^ ]* vm-\([^ ]*\).*/\2/p' \
		"$LAB/guest/suites/vm" | sort -u |
		while read -r prog; do
			$cc -static -O2 -g0 -w -isystem "$out/usr/include" \
				-fmacro-prefix-map="$vm/"= -o "$bin/vm-$prog" \
				"$vm/$prog.c" -lpthread -lrt || exit 1
		done || return 1
	# The demonstration is for a device that gets exclusive access.
	rm -f "$bin/demo"
	! grep -q HMM_DMIRROR_EXCLUSIVE "$TREE/lib/test_hmm_uapi.h" ||
		$cc -static -O2 -g0 -w -I"$vm" -I"$TREE/lib" \
			-isystem "$out/usr/include" -o "$bin/demo" \
			"$LAB/guest/demo.c" -lpthread || return 1
	rm -f "$bin/bench"
	! grep -q HMM_DMIRROR_TIME "$TREE/lib/test_hmm_uapi.h" ||
		$cc -static -O2 -g0 -w -I"$TREE/lib" -isystem "$out/usr/include" \
			-o "$bin/bench" "$LAB/guest/bench.c" -lpthread || return 1
	rm -rf "$card"
	[ -e "$nouveau/svm_copy.c" ] || return 0
	mkdir -p "$card"
	make -C "$nouveau" OUTPUT="$card" CC="$cc" \
		USERCFLAGS="-isystem $out/usr/include" USERLDFLAGS=-static all ||
		return 1
	cp "$nouveau"/svm_dry_run.sh "$nouveau"/svm_dry_run.txt "$card"
}

# libraries_of PROGRAM: what it is linked with dynamically, as Debian's busybox is
# unless it is the one of busybox-static. The loader goes by the name that the
# program has for it: "/lib64/ld.so => /usr/lib64/ld.so" is the former.
libraries_of()
{
	{ ldd "$1" 2>/dev/null || :; } |
		awk '$1 ~ /^\// { print $1; next } $2 == "=>" && $3 ~ /^\// { print $3 }' |
		sort -u
}

# folders_of FILE...: those that they lie in, each after the one above it
folders_of()
{
	local file

	for file; do
		while file=${file%/*} && [ -n "$file" ]; do
			printf '%s\n' "$file"
		done
	done | sort -u
}

# spec: the root as gen_init_cpio of the kernel reads it
spec()
{
	local dir prog libraries

	mapfile -t libraries < <(libraries_of "$(command -v busybox)")
	for dir in $(folders_of "${libraries[@]}"); do
		[ "$dir" = /bin ] || printf 'dir %s 0755 0 0\n' "$dir"
	done
	for prog in "${libraries[@]}"; do
		printf 'file %s %s 0755 0 0\n' "$prog" "$prog"
	done

	for dir in /bin /lab /lab/bin /lab/suites /proc /sys /dev /tmp /run; do
		printf 'dir %s 0755 0 0\n' "$dir"
	done
	printf 'nod /dev/console 0600 0 0 c 5 1\n'
	printf 'nod /dev/kmsg 0600 0 0 c 1 11\n'
	printf 'nod /dev/null 0666 0 0 c 1 3\n'
	printf 'file /init %s 0755 0 0\n' "$LAB/guest/init"
	printf 'file /bin/busybox %s 0755 0 0\n' "$(command -v busybox)"
	busybox --list | grep -v -x busybox |
		awk '{ print "slink /bin/" $1 " busybox 0777 0 0" }'
	for prog in "$bin"/*; do
		printf 'file /lab/bin/%s %s 0755 0 0\n' "${prog##*/}" "$prog"
	done
	if [ -e "$card" ]; then
		printf 'dir /lab/card 0755 0 0\n'
		for prog in "$card"/*; do
			printf 'file /lab/card/%s %s 0755 0 0\n' "${prog##*/}" "$prog"
		done
	fi
	for prog in "$LAB"/guest/suites/*; do
		printf 'file /lab/suites/%s %s 0755 0 0\n' "${prog##*/}" "$prog"
	done
	# A kernel that can't run all of hmm-tests in time has a named subset.
	[ ! -e "$LAB/guest/subset.$kind" ] ||
		printf 'file /lab/subset %s 0644 0 0\n' "$LAB/guest/subset.$kind"
	if [ -e "$out/drivers/gpu/drm/nouveau/nouveau.ko" ]; then
		printf 'dir /lab/modules 0755 0 0\n'
		find "$out/drivers" -name '*.ko' | sort | while read -r prog; do
			printf 'file /lab/modules/%s %s 0644 0 0\n' "${prog##*/}" "$prog"
		done
	fi
	printf 'file /lab/test_hmm.ko %s 0644 0 0\n' "$out/lib/test_hmm.ko"
}

step guest.log "compiling the test programs" compile ||
	die "the test programs do not compile"
spec >"$out/initramfs.spec"
"$out/usr/gen_init_cpio" "$out/initramfs.spec" >"$out/initramfs.tmp" ||
	die "cannot pack the guest's root"
mv -f "$out/initramfs.tmp" "$out/initramfs"
