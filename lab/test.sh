#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# "make test": the lab's own tests, then both kernels and their tests.
# Ends with "N passed, N failed, N skipped" alone on its line.

# shellcheck source=lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

export LAB_JOB=test
take_lock
stop_on_signals
start=$SECONDS
results=$LOGS/results.txt
need_space 1048576 "make test"
mkdir -p "$LOGS"
: >"$results"

record()
{
	tee -a "$results" || unrecorded "$results"
}

# own_tests: those of the lab, held against their own kept list
own_tests()
{
	local lines=$LOGS/lab.txt name
	# the one reason to skip
	local small_disk='only root can mount a small disk'

	{
		"$LAB/selftest.sh" || :
		"$LAB/weather.sh" || :
	} >"$lines" 2>&1
	cat "$lines"
	sed -e '/^#/d' -e '/^$/d' "$LAB/expected/lab.list" | while read -r name; do
		grep -q -x -e "ok $name" -e "not ok $name" \
			-e "skip $name: $small_disk" "$lines" ||
			printf 'not ok %s\n  # missing: expected, and it gave no result\n' "$name"
	done
	sed -n -e 's/^ok //p' -e 's/^not ok //p' -e 's/^skip \([^:]*\):.*/\1/p' "$lines" |
		while read -r name; do
			grep -q -x -F -e "$name" "$LAB/expected/lab.list" ||
				printf 'not ok %s.unknown\n  # it is not in lab/expected/lab.list\n' "$name"
		done
}

# one KIND: prepare, boot, judge. Status 3: no base; any other: not recorded
one()
{
	local kind=$1 rc=0 lines console=$LOGS/console-$1.txt

	supervise "$LAB/prepare.sh" "$kind" || rc=$?
	if [ "$rc" -eq 3 ]; then
		skip_series | record || return 1
		return 3
	elif [ "$rc" -ne 0 ]; then
		printf 'not ok %s/prepare\n  # see above\n' "$kind" | record
		return
	fi
	if ! supervise "$LAB/boot.sh" "$kind" "$(suites_of "$kind")" "$console"; then
		printf 'not ok %s/boot\n  # see above\n' "$kind" | record
		return
	fi
	lines=$LOGS/results-$kind.txt
	rc=0
	awk -f "$LAB/judge.awk" -v kernel="$kind" \
		-v list="$(expected_list "$kind")" "$console" >"$lines" || rc=$?
	record <"$lines"
	# The judge's own word and its lines must agree.
	if grep -q '^not ok ' "$lines"; then
		[ "$rc" -eq 1 ] && return
	elif grep -q '^ok ' "$lines"; then
		[ "$rc" -eq 0 ] && return
	fi
	printf 'not ok %s/judge\n  # its exit status is %s\n' "$kind" "$rc" | record
}

# The lab's own tests take one tool away at a time: the others must be there.
"$LAB/install-tools.sh" ||
	printf 'not ok lab/install-tools\n  # see above\n' | record
own_tests | record
for kind in ${KINDS:-release debug}; do
	rc=0
	one "$kind" || rc=$?
	case $rc in
	0) ;;
	3) break ;;
	*) exit "$rc" ;;
	esac
done
conclude "$results" "$start" lab/ran "no test ran"
