#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# "make later-tests": hmm-tests.c of a later kernel, unchanged, taken from the
# package of this machine's own release, compiled against the series' header of
# the test device. Its cases for exclusive access must pass, with huge pages on
# request and always. LATER=PACKAGE takes another kernel's.

# Functions are run by step, under their names.
# shellcheck disable=SC2317

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

LATER=${LATER:-linux-source-6.1}
STORE=$BUILD/later/$LATER
PARTS=$LAB/guest/later
VM=tools/testing/selftests/vm

export LAB_JOB=later-tests
take_lock
stop_on_signals
start=$SECONDS
"$LAB/install-tools.sh"
supervise "$LAB/prepare.sh" release || only_skipped $?

# unpack DEB: of the kernel's source, only what the program is made of
unpack()
{
	rm -rf "$STORE.tmp"
	mkdir -p "$STORE.tmp"
	dpkg-deb --fsys-tarfile "$1" | tar -x -O "./usr/src/$LATER.tar.xz" |
		tar -x -J -C "$STORE.tmp" --strip-components=1 \
			"$LATER/$VM/hmm-tests.c" \
			"$LATER/tools/testing/selftests/kselftest.h" \
			"$LATER/tools/testing/selftests/kselftest_harness.h" &&
		mv "$STORE.tmp" "$STORE"
}

fetch()
{
	rm -rf "$BUILD/later/deb"
	mkdir -p "$BUILD/later/deb"
	(cd "$BUILD/later/deb" &&
	 apt-get -q -o APT::Sandbox::User=root download "$LATER")
}

if [ ! -e "$STORE/$VM/hmm-tests.c" ]; then
	need_space 1048576 "$LATER"
	step later.log "fetching $LATER" fetch ||
		die "cannot fetch $LATER from this machine's own release (apt-get update?)"
	step later.log "unpacking its hmm-tests" unpack \
		"$(find "$BUILD/later/deb" -name '*.deb')" ||
		die "$LATER does not hold hmm-tests.c where it should"
	rm -rf "$BUILD/later/deb"
fi

# Names that have nothing to do with exclusive access are given here.
compile()
{
	local cc

	cc="$(ccache_prefix)$(target_cc)"
	export CCACHE_DIR=${CCACHE_DIR:-$BUILD/ccache}
	# shellcheck disable=SC2086
	$cc -static -O2 -w -I"$PARTS" -I"$TREE" -I"$STORE/$VM" \
		-isystem "$WORK/release/usr/include" \
		-DHMM_DMIRROR_MIGRATE_TO_DEV=HMM_DMIRROR_MIGRATE \
		-DHMM_DMIRROR_MIGRATE_TO_SYS=0 -DHMM_DMIRROR_RELEASE=0 \
		-DHMM_DMIRROR_PROT_DEV_COHERENT_LOCAL=0x40 \
		-DHMM_DMIRROR_PROT_DEV_COHERENT_REMOTE=0x50 \
		-o "$WORK/later-tests" "$PARTS/choose-later.c" -lpthread
}

step later.log "compiling its hmm-tests with the series' header" compile ||
	die "hmm-tests.c of $LATER does not compile with the series' header"

# The kernel takes one archive behind the other.
printf 'file /lab/bin/later-tests %s 0755 0 0\nfile /lab/suites/later %s 0755 0 0\n' \
	"$WORK/later-tests" "$PARTS/suite" >"$WORK/later.spec"
"$WORK/release/usr/gen_init_cpio" "$WORK/later.spec" >"$WORK/later.cpio" ||
	die "cannot pack the later tests"
cat "$WORK/release/initramfs" "$WORK/later.cpio" >"$WORK/later.initramfs"

console=$LOGS/console-later.txt
INITRAMFS=$WORK/later.initramfs \
	supervise "$LAB/boot.sh" release later "$console"
results=$LOGS/results-later.txt
# The kernel runs its own KUnit suites at boot, whatever it is booted for.
{
	cat "$LAB/expected/later.list"
	sed -n 's,^release/\(kunit\.\),later/\1,p' "$(expected_list release)"
} | replace "$LOGS/expected-later.list"
# The judge's exit status is told by its lines.
awk -f "$LAB/judge.awk" -v kernel=later -v list="$LOGS/expected-later.list" \
	"$console" >"$results" || :
cat "$results"
conclude "$results" "$start" later/ran "no test ran"
