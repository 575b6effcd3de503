#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# "make baseline": what the base gives without the series: its own hmm-tests
# and those of its vm selftests that run in the guest, held against the
# recorded list. UPDATE=1 records what it gives now.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=lab/side.sh
. "$LAB/side.sh"

export LAB_JOB=baseline
take_lock
stop_on_signals
"$LAB/install-tools.sh"

list=$LAB/expected/baseline-$SERIES.list

# The recorded version, and the one that is here
recorded=$(sed -n 's/^# version: //p' "$list")
side_prepare
version=$(labgit -C "$REPO" log -1 --format=%s "$base")
version=${version#base: }
side_enter baseline
side_tree "$base"
"$LAB/configure.sh" release
"$LAB/build.sh" release
"$LAB/make-initramfs.sh" release
console=$KEPT/$(cat "$WORK/release/arch/x86/boot/bzImage" "$WORK/release/initramfs" | sum_of).console
[ -e "$console" ] || "$LAB/boot.sh" release hmm,vm "$console"
cp "$console" "$LOGS/console-baseline.txt"

judge()
{
	awk -f "$LAB/judge.awk" -v kernel=baseline -v list="$1" "${@:2}" "$console"
}

if [ -n "${UPDATE:-}" ]; then
	new=$(judge /dev/null -v learn=1) || {
		printf '%s\n' "$new"
		die "the console holds failures: no list is made from it"
	}
	{
		sed -n -e 's/^# version: .*/# version: '"$version"'/' -e '/^#/p' "$list"
		printf '%s\n' "$new" | sed -n -e 's/^ok //p' \
			-e 's/^skip \([^:]*\): /\1 skip: /p'
	} | replace "$list"
	say "recorded in ${list#"$TOP"/}, for $version"
fi
[ "$version" = "$recorded" ] || [ -n "${UPDATE:-}" ] ||
	say "the list was recorded for $recorded, this is $version"
# The judge's exit status is told by its lines.
{ judge "$list" || :; } | tee -a "$RESULTS" || unrecorded "$RESULTS"

# With the series the same tests must give the same: what "make test" expects
# holds this list.
grep '^baseline/\(hmm2\?\|vm\|suite\)\.' "$list" | sed 's,^baseline/,release/,' |
	grep -v -x -F -f "$LAB/expected/release.list" >"$SIDE/said" || :
verdict_by baseline/same-with-series "not expected of the release kernel:" "$SIDE/said"
side_conclude
